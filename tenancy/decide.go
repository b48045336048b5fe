package tenancy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/usher-go/usher/rbac"
)

// Can is [Service.Check] as a yes or no. It answers an error only where there is no answer: when
// the store could not be asked or the context has ended.
func (s *Service) Can(ctx context.Context, actor Actor, perm rbac.Permission) (bool, error) {
	return Allowed(s.Check(ctx, actor, perm))
}

// Allowed turns what a check answered into yes, no, or the error that there is no answer.
func Allowed(err error) (bool, error) {
	for _, no := range []error{rbac.ErrDenied, ErrNotFound, ErrConflict, ErrExpired} {
		if errors.Is(err, no) {
			return false, nil
		}
	}
	return err == nil, err
}

// Decision is the answer of a check with all that it rests on: for the people who ask why. Show it
// to those who run the host and not to whom it is about, who may not know of all of it.
type Decision struct {
	By         Principal
	Permission rbac.Permission
	// Name is the permission as "object: action".
	Name string
	// Err is what the check answers: nil if the principal may.
	Err error
	// Rule is the rule of the policy that decided; zero where none was asked, since the principal is
	// no active member, or does not hold the account.
	Rule rbac.Reason
	// Authority is what was read about an [Actor]; zero for somebody who was never in the team.
	Authority Authority
	// Account and User are what was read about a [Holder]; zero where there is no such account or user.
	Account Account
	User    User
}

// Explain is [Service.Check] with the reason, for a permission by a reach: [rbac.ByTeam] is what
// Check asks, [rbac.ByGrant] what a guest of a conversation is asked. A [Holder] is explained by
// [rbac.ByAccount], whatever the reach. A [System] takes no permission and acts on its own
// authority, and so does a user for themselves: they are refused only for what they are. The error
// is that there is no answer, as with [Service.Can].
func (s *Service) Explain(ctx context.Context, by Principal, perm rbac.Permission, reach rbac.Reach) (Decision, error) {
	d := Decision{By: by, Permission: perm, Name: s.policy.Name(perm)}
	switch by := by.(type) {
	case Actor:
		s.explainActor(ctx, by, reach, &d)
	case Holder:
		s.explainHolder(ctx, by, &d)
	case System:
		d.Err = by.Validate()
	case Self:
		d.User, d.Err = s.activeUser(ctx, UserID(by))
	default:
		d.Err = ErrNoPrincipal
	}
	_, err := Allowed(d.Err)
	return d, err
}

func (s *Service) explainActor(ctx context.Context, actor Actor, reach rbac.Reach, d *Decision) {
	if actor.User.IsZero() || actor.Team.IsZero() {
		d.Err = ErrNoPrincipal
		return
	}
	var standing Standing
	if d.Authority, d.Err = s.store.Authority(ctx, actor.Team, actor.User); d.Err == nil {
		standing, d.Err = s.judge(actor, &d.Authority)
	}
	if d.Err == nil {
		d.Err, d.Rule = standing.check(d.Permission, reach), standing.rights.Explain(d.Permission, reach)
	}
}

func (s *Service) explainHolder(ctx context.Context, holder Holder, d *Decision) {
	d.Account, d.User, d.Err = s.heldAccount(ctx, holder, d.Permission, s.store.Account)
	if !d.User.ID.IsZero() {
		d.Rule = s.policy.Rights(rbac.Holder).Explain(d.Permission, rbac.ByAccount)
	}
}

// Allowed reports whether the principal may.
func (d Decision) Allowed() bool { return d.Err == nil }

// Told is a decision in words, for people to read and for JSON.
type Told struct {
	// By is the principal, as events name it; empty for none.
	By string `json:"by,omitempty"`
	// Permission is its name, as "object: action".
	Permission string `json:"permission"`
	Allowed    bool   `json:"allowed"`
	// Why says why not.
	Why string `json:"why,omitempty"`
	// Rule is the rule of the policy that decided; empty where none was asked.
	Rule string `json:"rule,omitempty"`
	// Facts are what else it rests on, as "what: how it is".
	Facts []string `json:"facts"`
}

// Told is the decision in words.
func (d Decision) Told() Told {
	told := Told{Permission: d.Name, Allowed: d.Allowed(), Facts: d.facts()}
	if d.By != nil {
		told.By = d.By.Principal()
	}
	if d.Err != nil {
		told.Why = d.Err.Error()
	}
	if d.Rule.Name != "" {
		told.Rule = d.Rule.String()
	}
	return told
}

// MarshalJSON gives [Decision.Told].
func (d Decision) MarshalJSON() ([]byte, error) { return json.Marshal(d.Told()) }

// String tells the decision in lines: the answer, the rule, the facts.
func (d Decision) String() string { return d.Told().String() }

// String tells it in lines: the answer, the rule, the facts.
func (t Told) String() string {
	lines := []string{"allowed"}
	if !t.Allowed {
		lines[0] = "refused: " + t.Why
	}
	if t.Rule != "" {
		lines = append(lines, "rule: "+t.Rule)
	}
	return strings.Join(append(lines, t.Facts...), "\n") + "\n"
}

func (d Decision) facts() []string {
	switch by := d.By.(type) {
	case Actor:
		return d.Authority.facts()
	case Holder:
		return d.held(by)
	case System:
		return []string{"the host: takes no permission"}
	case Self:
		return []string{fmt.Sprintf("user: %s", cmp.Or(string(d.User.Status), "none"))}
	}
	return []string{}
}

func (a Authority) facts() []string {
	if a.Account.IsZero() {
		return []string{"membership: none"}
	}
	membership := fmt.Sprintf("membership: %s, %s", a.Role, a.Status)
	if a.CustomName != "" {
		membership += fmt.Sprintf(", as %q", a.CustomName)
	}
	if !a.ExpiresAt.IsZero() {
		membership += ", until " + printTime(a.ExpiresAt)
	}
	return []string{
		membership, fmt.Sprintf("user: %s", a.UserStatus), fmt.Sprintf("team: %s", a.TeamStatus), fmt.Sprintf("account: %s", a.AccountStatus),
	}
}

func (d Decision) held(by Holder) []string {
	switch {
	case d.Account.ID.IsZero():
		return []string{"account: none"}
	case d.Account.HeldBy != by.User:
		return []string{fmt.Sprintf("account: %s, held by somebody else", d.Account.Status)}
	}
	return []string{fmt.Sprintf("account: %s, held by the user", d.Account.Status), fmt.Sprintf("user: %s", d.User.Status)}
}

// Capability is one thing that an actor may do, or why not.
type Capability struct {
	Permission rbac.Permission
	// Name is the permission as "object: action".
	Name string
	// Err is nil if the actor may, and otherwise says what was missing.
	Err error
}

// Allowed reports whether the actor may.
func (c Capability) Allowed() bool { return c.Err == nil }

// MarshalJSON gives what a user interface needs: the permission's name, whether it is allowed,
// and why not.
func (c Capability) MarshalJSON() ([]byte, error) {
	shown := struct {
		Permission string `json:"permission"`
		Allowed    bool   `json:"allowed"`
		Why        string `json:"why,omitempty"`
	}{Permission: c.Name, Allowed: c.Allowed()}
	if c.Err != nil {
		shown.Why = c.Err.Error()
	}
	return json.Marshal(shown)
}

// Capabilities are what an actor may do, for a user interface that shows or greys out. They are
// as of now and no authority: every operation checks anew.
type Capabilities []Capability

// Of is what the capabilities say of a permission: nil if the actor may. A permission that is not
// among them answers [ErrNotFound].
func (c Capabilities) Of(perm rbac.Permission) error {
	for _, capability := range c {
		if capability.Permission == perm {
			return capability.Err
		}
	}
	return ErrNotFound
}

// Capabilities lists every permission of the policy, with whether the actor has it in the whole
// team. It costs one statement. The errors are those of [Service.Standing]; an actor who has no
// standing may do nothing.
func (s *Service) Capabilities(ctx context.Context, actor Actor) (Capabilities, error) {
	standing, err := s.Standing(ctx, actor)
	if err != nil {
		return nil, err
	}
	return standing.Capabilities(s.policy.Permissions(), standing.Check), nil
}

// Capabilities asks check about each of the permissions.
func (st Standing) Capabilities(perms []rbac.Permission, check func(rbac.Permission) error) Capabilities {
	all := make(Capabilities, len(perms))
	for i, perm := range perms {
		all[i] = Capability{Permission: perm, Name: st.policy.Name(perm), Err: check(perm)}
	}
	return all
}

// onMembers are the permissions to act on one member of the team.
var onMembers = []rbac.Permission{rbac.ChangeRole, rbac.RemoveMember, rbac.SuspendMember, rbac.ReactivateMember}

// CapabilitiesOn lists what the actor may do to someone in their team: change their role, remove,
// suspend and reactivate them. What would leave the team without a manager is found when it is
// tried, not here. The errors are those of [Service.Standing], [rbac.ErrDenied] for an actor who may
// not list members, and [ErrNotFound] for somebody who is not in the team.
func (s *Service) CapabilitiesOn(ctx context.Context, actor Actor, user UserID) (Capabilities, error) {
	standing, err := s.Standing(ctx, actor)
	if err != nil {
		return nil, err
	}
	if err := standing.Check(rbac.ListMembers); err != nil {
		return nil, err
	}
	m, err := s.present(ctx, actor.Team, user)
	if err != nil {
		return nil, err
	}
	theirs, err := s.rightsOf(ctx, standing.Account, m)
	if err != nil {
		return nil, err
	}
	return standing.Capabilities(onMembers, func(perm rbac.Permission) error {
		if err := standing.Check(perm); err != nil {
			return err
		}
		return standing.covers(perm, theirs)
	}), nil
}
