package rbac

import (
	"fmt"
	"maps"
	"slices"
)

// combine joins a host's rows to the built-in ones, or refuses them. It runs before Casbin sees a row,
// since Casbin accepts most of what is refused here and then decides wrongly or fails on every question.
// The result has no row twice: Casbin would drop a whole batch for it.
func combine(base, host []Row) ([]Row, error) {
	if len(host) > MaxRows {
		return nil, tooMany(len(host))
	}
	rights := make(map[right]bool) // the host's: true for allow
	for _, row := range host {
		if err := row.check(); err != nil {
			return nil, err
		}
		if row.includes() {
			if isRole(row.fields[2]) {
				return nil, row.refuse("a role cannot be included, only a bundle can")
			}
			continue
		}
		if row.denies() && !isRole(row.fields[1]) {
			return nil, row.refuse("deny binds exactly the role it names; allowed are manager, member, restricted, holder")
		}
		if allows, twice := rights[row.right()]; twice && allows == row.denies() {
			return nil, row.refuse("another row has it with the opposite effect")
		}
		rights[row.right()] = !row.denies()
	}

	all := unique(base, host)
	links := make(map[string][]string)
	for _, row := range all {
		if row.includes() {
			links[row.fields[1]] = append(links[row.fields[1]], row.fields[2])
		}
	}
	if err := checkBundles(host, all); err != nil {
		return nil, err
	}
	if err := checkDepth(links); err != nil {
		return nil, err
	}
	if err := checkReach(host, all, links); err != nil {
		return nil, err
	}
	return all, nil
}

func isRole(name string) bool {
	return slices.ContainsFunc(subjects(), func(r Role) bool { return r.String() == name })
}

// unique returns the rows of both in their order, each once.
func unique(base, host []Row) []Row {
	seen := make(map[string]bool)
	var rows []Row
	for _, row := range slices.Concat(base, host) {
		// The joined text is a safe key: no field of a checked row has a comma.
		if key := row.String(); !seen[key] {
			seen[key] = true
			rows = append(rows, row)
		}
	}
	return rows
}

// checkBundles refuses a name that is no role and is used on one side only: either nobody includes it,
// or it brings nothing.
func checkBundles(host, all []Row) error {
	included, filled := make(map[string]bool), make(map[string]bool)
	for _, row := range all {
		filled[row.fields[1]] = true
		if row.includes() {
			included[row.fields[2]] = true
		}
	}
	for _, row := range host {
		if who := row.fields[1]; !isRole(who) && !included[who] {
			return row.refuse("%s is no role (manager, member, restricted, holder) and no bundle that a row includes", quote(who))
		}
		if row.includes() && !filled[row.fields[2]] {
			return row.refuse("bundle %s has no rows of its own", quote(row.fields[2]))
		}
	}
	return nil
}

// checkDepth refuses circles and chains of inclusions that are longer than MaxDepth.
func checkDepth(links map[string][]string) error {
	const open = -1
	depths := make(map[string]int)
	var depth func(who string) (int, error)
	depth = func(who string) (int, error) {
		if d, seen := depths[who]; seen {
			if d == open {
				return 0, fmt.Errorf("%w: %s includes itself, directly or through others", ErrPolicy, quote(who))
			}
			return d, nil
		}
		depths[who] = open
		deepest := 0
		for _, what := range links[who] {
			d, err := depth(what)
			if err != nil {
				return 0, err
			}
			deepest = max(deepest, d+1)
		}
		depths[who] = deepest
		return deepest, nil
	}
	// In order, so that the same rows always give the same error.
	for _, who := range slices.Sorted(maps.Keys(links)) {
		d, err := depth(who)
		if err != nil {
			return err
		}
		if d > MaxDepth {
			return fmt.Errorf("%w: %d inclusions follow each other from %s; at most %d may", ErrPolicy, d, quote(who), MaxDepth)
		}
	}
	return nil
}

// checkReach refuses rights on a ground that their subject never has, and denials of what the role does
// not have.
func checkReach(host, all []Row, links map[string][]string) error {
	rows := make(map[string][]Row) // by subject
	for _, row := range all {
		if !row.includes() {
			rows[row.fields[1]] = append(rows[row.fields[1]], row)
		}
	}
	has := make(map[right]bool) // by role, inherited rights too
	for _, role := range subjects() {
		for who := range closure(role.String(), links) {
			for _, row := range rows[who] {
				at := row.right()
				if (at.reach == ByAccount.String()) != (role == Holder) {
					return row.refuse("it would give %s a right by %s; holder has rights by account only, and team roles by team or grant", role, at.reach)
				}
				at.subject = role.String()
				has[at] = has[at] || !row.denies()
			}
		}
	}
	for _, row := range host {
		if !row.denies() {
			continue
		}
		if !has[row.right()] {
			return row.refuse("it takes nothing away: %s has no such right by %s", row.fields[1], row.fields[4])
		}
		if row.right() == (right{Manager.String(), builtin[ChangeRole], ByTeam.String()}) {
			return row.refuse("a manager must be able to make another one, or a team could lose its last")
		}
	}
	return nil
}

// closure returns who and everything that it includes.
func closure(who string, links map[string][]string) map[string]bool {
	reached := map[string]bool{who: true}
	for queue := []string{who}; len(queue) > 0; queue = queue[1:] {
		for _, what := range links[queue[0]] {
			if !reached[what] {
				reached[what] = true
				queue = append(queue, what)
			}
		}
	}
	return reached
}
