package rbac

import (
	"errors"
	"fmt"
	"strings"
)

// ErrPolicy is wrapped by every error about policy rows: one that is malformed, or that does not fit the
// others. The message names the row and says what is allowed.
var ErrPolicy = errors.New("policy refused")

// The limits of a host's policy. They keep the start quick and are far above what a product needs; a set
// of permissions that an account makes for itself is no policy row.
const (
	// MaxRows is how many rows a host may add.
	MaxRows = 256
	// MaxName is how long an object, an action or a bundle's name may be, in bytes.
	MaxName = 64
	// MaxDepth is how many inclusions may follow each other, from a role down. The manager's
	// inheritance of the member is the first of them. Casbin would cut silently after ten.
	MaxDepth = 8
	// maxText bounds what ParseRows looks at, comments included.
	maxText = 64 << 10
)

// Row is one line of a host's own policy, which [NewPolicy] adds to the built-in one: a right that is
// given or taken ([Allow], [Deny]) or a bundle that is included ([Include]). [ParseRows] reads them from
// text. The zero value is refused.
type Row struct {
	fields []string // as in the policy file: p, role, object, action, reach, effect or g, role, bundle
	line   int      // where ParseRows found it; 0 for the constructors
}

// Subject is who a row is about: a [Role] or a [Bundle].
type Subject interface{ subject() string }

// Bundle is a named group of rights that roles and other bundles include, for a host that gives the same
// rights to several of them. A bundle is no role: nobody can be made one.
//
// It exists by having rows of its own and being included by some role or bundle; one without the other
// is refused, since it is a misspelt name more often than a plan.
type Bundle string

func (r Role) subject() string   { return r.String() }
func (b Bundle) subject() string { return string(b) }

// Allow gives the subject, and every role that inherits it, the right to do action to object by reach.
// Object and action may be usher's own or new ones; a new pair becomes a permission of the policy.
//
// Names are lower-case ASCII words of letters and digits, joined by one space, '-' or '_', up to
// [MaxName] bytes. [Holder] has rights by [ByAccount] only and team roles have none by it. A row that
// repeats a right adds nothing.
func Allow(who Subject, object, action string, by Reach) Row {
	return Row{fields: []string{"p", text(who), object, action, by.String(), "allow"}}
}

// Deny takes the right to do action to object by reach from exactly this role. Roles that inherit it
// keep the right: blast: send can be taken from [Member] and stay with [Manager]. So it cannot be about
// a bundle, which nobody is.
//
// A row that takes nothing away is refused, since a slip in it (a misspelt action, the wrong reach)
// would leave open what its writer believes closed. So is taking "member: change role" from [Manager]:
// a team would have nobody left who can make another manager.
func Deny(role Role, object, action string, by Reach) Row {
	return Row{fields: []string{"p", role.String(), object, action, by.String(), "deny"}}
}

// Include gives the subject all rights of the bundle. Inclusions may follow each other up to [MaxDepth]
// and must not form a circle. Roles cannot be included: who inherits whom among them is usher's own.
func Include(who Subject, what Bundle) Row {
	return Row{fields: []string{"g", text(who), string(what)}}
}

// text stands between a nil Subject and a panic; the empty name is refused like any other.
func text(who Subject) string {
	if who == nil {
		return ""
	}
	return who.subject()
}

// ParseRows reads rows in the form of a Casbin policy file, one a line:
//
//	p, member, jobpost, publish, team, allow
//	p, member, blast, send, team, deny
//	g, restricted, reviewing
//
// Space around a field, empty lines and lines that start with '#' mean nothing. Quotes are not known,
// since no name that is allowed needs them. The text may have 64 KiB and [MaxRows] rows. It looks at
// each row alone; [NewPolicy] also sees how they fit together. The error wraps [ErrPolicy].
func ParseRows(text string) ([]Row, error) {
	rows, err := parse(text)
	if err != nil {
		return nil, err
	}
	if len(rows) > MaxRows {
		return nil, tooMany(len(rows))
	}
	return rows, nil
}

// parse is ParseRows for the built-in policy as well, whose row count is usher's own matter.
func parse(text string) ([]Row, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("%w: the text has %d bytes and may have %d", ErrPolicy, len(text), maxText)
	}
	var rows []Row
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.Trim(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		row := Row{fields: strings.Split(line, ","), line: number}
		for i, field := range row.fields {
			row.fields[i] = strings.Trim(field, " \t")
		}
		if err := row.check(); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func tooMany(n int) error {
	return fmt.Errorf("%w: %d rows are too many, %d may be added", ErrPolicy, n, MaxRows)
}

// String returns the row as a line of a policy file.
func (r Row) String() string { return strings.Join(r.fields, ", ") }

// includes tells a g row from a p row, of a row that passed check.
func (r Row) includes() bool { return r.fields[0] == "g" }

// right is what a p row speaks about; rows that differ in nothing else than effect have the same one.
type right struct {
	subject string
	name    name
	reach   string
}

func (r Row) right() right {
	return right{r.fields[1], name{r.fields[2], r.fields[3]}, r.fields[4]}
}

func (r Row) denies() bool { return !r.includes() && r.fields[5] == "deny" }

// check refuses what one row alone shows to be wrong.
func (r Row) check() error {
	if len(r.fields) == 0 {
		return r.refuse("it is empty; rows come from Allow, Deny, Include or ParseRows")
	}
	var columns []string
	switch r.fields[0] {
	case "p":
		columns = []string{"p", "role", "object", "action", "reach", "effect"}
	case "g":
		columns = []string{"g", "role", "bundle"}
	default:
		return r.refuse("it starts with %s; allowed are p and g", quote(r.fields[0]))
	}
	if len(r.fields) != len(columns) {
		return r.refuse("it has %d columns instead of %d: %s", len(r.fields), len(columns), strings.Join(columns, ", "))
	}
	for i, field := range r.fields {
		switch columns[i] {
		case "reach":
			if field != "account" && field != "team" && field != "grant" {
				return r.refuse("reach %s is not one of account, team, grant", quote(field))
			}
		case "effect":
			if field != "allow" && field != "deny" {
				return r.refuse("effect %s is not one of allow, deny", quote(field))
			}
		default:
			if !plain(field) {
				return r.refuse("%s %s is not made of lower-case words (a-z, 0-9) joined by one space, '-' or '_', of at most %d bytes",
					columns[i], quote(field), MaxName)
			}
		}
	}
	return nil
}

// plain reports whether a name consists of lower-case words joined by single spaces, '-' or '_'. It lists
// what is allowed rather than what is not, so that empty names, wildcards, separators, quotes, control
// and invisible characters and look-alikes from other scripts need no rule each.
func plain(name string) bool {
	if len(name) > MaxName {
		return false
	}
	inWord := false
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			inWord = true
		case inWord && (c == ' ' || c == '-' || c == '_'):
			inWord = false
		default:
			return false
		}
	}
	return inWord
}

// refuse makes the error for this row. The row is shown cut to a bounded length.
func (r Row) refuse(format string, args ...any) error {
	where := ""
	if r.line > 0 {
		where = fmt.Sprintf(" in line %d", r.line)
	}
	return fmt.Errorf("%w: row %s%s: %s", ErrPolicy, quote(r.String()), where, fmt.Sprintf(format, args...))
}
