package invite

import (
	"context"
	"errors"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// bulkPlan is what Bulk is to write, decided as of one moment. The account and the team are locked.
type bulkPlan struct {
	actor   tenancy.Actor
	choices choices
	now     time.Time
	account tenancy.Account
	team    tenancy.Team
	rows    []RowResult
	// drafts are the invitations to make, of the rows that have no outcome yet or are Invited.
	drafts []Invitation
	// lapsed and replaced are pending invitations in the way of them.
	lapsed, replaced []Record
	// needed is how many seats the account would need, where it is more than it has.
	needed int
}

// plan reads and decides all and writes nothing. Each step says what becomes of rows that are still
// open; those that are left are invited.
func (s *Service) plan(ctx context.Context, actor tenancy.Actor, spec BulkSpec, c choices) (*bulkPlan, error) {
	b := &bulkPlan{actor: actor, choices: c}
	account, team, standing, err := s.people.EnterAccount(ctx, actor)
	if err != nil {
		return b, err
	}
	if err := standing.Check(rights[ToOneTeam].offer); err != nil {
		return b, err
	}
	b.account, b.team, b.now = account, team, s.env.Now()
	roles, err := s.rolesFor(ctx, standing, spec.Rows)
	if err != nil {
		return b, err
	}
	b.read(spec.Rows, roles)
	b.compare()
	for _, step := range []func(context.Context, tenancy.Standing, *bulkPlan) error{s.colleagues, s.makeRooms, s.bulkRoom, s.bulkSeats} {
		if err := step(ctx, standing, b); err != nil {
			return b, err
		}
	}
	for i := range b.open() {
		b.rows[i].Outcome = Invited
	}
	if spec.AllOrNothing {
		for _, r := range b.rows {
			if r.Outcome.holdsUp() {
				return b, &BulkError{Rows: b.rows}
			}
		}
	}
	return b, nil
}

// open are the rows that nothing was said of.
func (b *bulkPlan) open() func(yield func(int, Invitation) bool) {
	return func(yield func(int, Invitation) bool) {
		for i, r := range b.rows {
			if r.Outcome == "" && !yield(i, b.drafts[i]) {
				return
			}
		}
	}
}

// addresses are the normal forms of the open rows.
func (b *bulkPlan) addresses() (normals []string) {
	for _, draft := range b.open() {
		normals = append(normals, draft.Email.Normal)
	}
	return normals
}

func (b *bulkPlan) say(i int, what Outcome, err error) {
	b.rows[i].Outcome, b.rows[i].Err = what, err
}

// A bulkRole is a role by the name that a row gives it, or why the actor cannot grant it.
type bulkRole struct {
	role   rbac.Role
	custom tenancy.RoleID
	err    error
}

// rolesFor are the roles that rows can name. The account's own are read only where a row names one.
func (s *Service) rolesFor(ctx context.Context, standing tenancy.Standing, rows []Row) (map[string]bulkRole, error) {
	perm := rights[ToOneTeam].offer
	roles := map[string]bulkRole{}
	for _, role := range rbac.TeamRoles() {
		roles[role.String()] = bulkRole{role: role, err: standing.Covers(perm, role)}
	}
	roles[""] = roles[rbac.Member.String()]
	named := false
	for _, r := range rows {
		_, builtIn := roles[r.Role]
		named = named || !builtIn
	}
	if !named || !standing.Allows(rbac.ListMembers) {
		return roles, nil
	}
	customs, err := s.people.Roles(ctx, standing.Actor)
	for _, role := range customs {
		if _, taken := roles[role.Name]; !taken {
			roles[role.Name] = bulkRole{role: role.Base, custom: role.ID, err: standing.CoversCustom(perm, role)}
		}
	}
	return roles, err
}

// read makes an invitation of each row, or rejects it.
func (b *bulkPlan) read(rows []Row, roles map[string]bulkRole) {
	b.rows, b.drafts = make([]RowResult, len(rows)), make([]Invitation, len(rows))
	for i, row := range rows {
		b.rows[i].Row = row
		email, err := tenancy.ParseAddress(row.Email)
		role, known := roles[row.Role]
		switch {
		case err != nil:
		case !known:
			err = &tenancy.InvalidError{Field: "role", Reason: "must be manager, member, restricted or the name of a role of the account"}
		case role.err != nil:
			err = role.err
		default:
			err = invitable(b.team, email)
		}
		if err != nil {
			b.say(i, Rejected, err)
			continue
		}
		b.drafts[i] = Invitation{
			Account: b.team.Account, Team: b.team.ID, Kind: ToOneTeam, Inviter: b.actor.User,
			Email: email, Role: role.role, Custom: role.custom,
		}
	}
}

// compare finds the rows with the same address: those that say the same are one, and of those that do
// not none is invited.
func (b *bulkPlan) compare() {
	first := map[string]int{}
	ambiguous := map[int]bool{}
	for i, draft := range b.open() {
		j, seen := first[draft.Email.Normal]
		switch {
		case !seen:
			first[draft.Email.Normal] = i
		case ambiguous[j]:
			b.say(i, Ambiguous, &AmbiguousRowError{Line: b.rows[j].Row.Line})
		case draft.offersLike(b.drafts[j]):
			b.say(i, Repeated, &RepeatedRowError{Line: b.rows[j].Row.Line})
		default:
			ambiguous[j] = true
			b.say(i, Ambiguous, &AmbiguousRowError{Line: b.rows[j].Row.Line})
			b.rows[j].Err = &AmbiguousRowError{Line: b.rows[i].Row.Line}
		}
	}
	for j := range ambiguous {
		b.rows[j].Outcome = Ambiguous
	}
}

// colleagues is colleague for all rows.
func (s *Service) colleagues(ctx context.Context, standing tenancy.Standing, b *bulkPlan) error {
	if !standing.Allows(rbac.ListMembers) {
		return nil
	}
	members, err := s.people.MembersByEmail(ctx, b.actor, b.addresses()...)
	if err != nil {
		return err
	}
	for i, draft := range b.open() {
		var member *tenancy.MemberError
		err := s.conflict(ctx, draft, members[draft.Email.Normal], b.now)
		if errors.As(err, &member) {
			b.say(i, InTeam, err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// makeRooms is makeRoom for all rows, and applies the limit of each address.
func (s *Service) makeRooms(ctx context.Context, _ tenancy.Standing, b *bulkPlan) error {
	to, err := s.othersToAll(ctx, b.account.ID, b.now, b.addresses()...)
	if err != nil {
		return err
	}
	for i, draft := range b.open() {
		b.meet(i, to[draft.Email.Normal], s.limits)
	}
	return s.nameInviters(ctx, b)
}

// meet says of a row what its rule makes of the invitation that is pending, if one is, and of the limit
// of its address.
func (b *bulkPlan) meet(i int, to others, limits Limits) {
	other := to.beside(b.drafts[i])
	met := b.choices.pending.meets(other, b.drafts[i], b.now)
	switch met {
	case stays:
		b.rows[i].Outcome, b.rows[i].Invitation = Unchanged, other.Invitation
		return
	case blocks:
		b.say(i, Waiting, &PendingError{Invitation: other.Invitation})
		return
	case yields:
		to.revoke(other)
	case free, lapses:
	}
	err := within(quota{AddressQuota, to.load(b.now), limits.PerAddress, 1})
	switch {
	case err != nil:
		b.say(i, Rejected, err)
	case met == yields:
		b.replaced = append(b.replaced, other)
	case met == lapses:
		b.lapsed = append(b.lapsed, other)
	}
}

// nameInviters completes the refusals because of pending invitations.
func (s *Service) nameInviters(ctx context.Context, b *bulkPlan) error {
	var waiting []*PendingError
	var inviters []tenancy.UserID
	for _, r := range b.rows {
		var e *PendingError
		if errors.As(r.Err, &e) {
			waiting, inviters = append(waiting, e), append(inviters, e.Invitation.Inviter)
		}
	}
	names, err := s.people.NamesOf(ctx, system, inviters...)
	for _, e := range waiting {
		e.Inviter = names[e.Invitation.Inviter]
	}
	return err
}

// bulkRoom is room for all rows at once. Those that are replaced make some.
func (s *Service) bulkRoom(ctx context.Context, _ tenancy.Standing, b *bulkPlan) error {
	more := len(b.addresses())
	if more == 0 {
		return nil
	}
	loads, err := s.loads(ctx, b.now, b.actor.User, b.team.ID)
	if err != nil {
		return err
	}
	load := loads[b.team.ID]
	for _, r := range b.replaced {
		load = load.without(r, b.actor.User)
	}
	return within(
		quota{TeamQuota, load.Team, s.limits.PerTeam, more},
		quota{InviterQuota, load.Inviter, s.limits.PerInviter, more},
	)
}

// bulkSeats is seat for all rows at once.
func (s *Service) bulkSeats(ctx context.Context, _ tenancy.Standing, b *bulkPlan) error {
	if !b.account.Seats.CountPending {
		return nil
	}
	var normals []string
	for _, draft := range b.open() {
		if draft.takesSeat() {
			normals = append(normals, draft.Email.Normal)
		}
	}
	needed, err := s.people.SeatsFor(ctx, b.now, b.account, normals...)
	if err != nil || needed == 0 {
		return err
	}
	if b.account.Seats.Rule == tenancy.HardSeats {
		return &tenancy.SeatsError{Limit: b.account.Seats.Limit, Needed: needed}
	}
	b.needed = needed
	return nil
}

// carryOut writes what is planned.
func (s *Service) carryOut(ctx context.Context, b *bulkPlan) error {
	if err := s.stepAll(ctx, system, b.now, b.lapsed, OnExpire); err != nil {
		return err
	}
	if err := s.stepAll(ctx, b.actor, b.now, b.replaced, OnRevoke); err != nil {
		return err
	}
	if b.needed > 0 {
		if err := s.people.Overbook(ctx, b.actor, b.now, b.account, b.needed); err != nil {
			return err
		}
	}
	var records []Record
	for i, r := range b.rows {
		if r.Outcome != Invited {
			continue
		}
		inv := b.drafts[i]
		inv.Mailing = 1
		record := s.opened(Record{Invitation: inv}, b.now, b.choices.lasts)
		records = append(records, record)
		b.rows[i].Invitation = record.Invitation
	}
	return s.begin(ctx, b.actor, b.now, records)
}
