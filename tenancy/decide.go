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
	d := Decision{By: by, Permission: perm}
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

// String tells the decision in lines: the answer, the rule, the facts.
func (d Decision) String() string {
	var out strings.Builder
	if d.Allowed() {
		out.WriteString("allowed\n")
	} else {
		fmt.Fprintf(&out, "refused: %v\n", d.Err)
	}
	if d.Rule.Name != "" {
		fmt.Fprintf(&out, "rule: %s\n", d.Rule)
	}
	switch by := d.By.(type) {
	case Actor:
		d.Authority.tell(&out)
	case Holder:
		d.tellHeld(&out, by)
	case System:
		out.WriteString("the host: takes no permission\n")
	case Self:
		fmt.Fprintf(&out, "user: %s\n", cmp.Or(string(d.User.Status), "none"))
	}
	return out.String()
}

func (a Authority) tell(out *strings.Builder) {
	if a.Account.IsZero() {
		out.WriteString("membership: none\n")
		return
	}
	fmt.Fprintf(out, "membership: %s, %s", a.Role, a.Status)
	if a.CustomName != "" {
		fmt.Fprintf(out, ", as %q", a.CustomName)
	}
	if !a.ExpiresAt.IsZero() {
		fmt.Fprintf(out, ", until %s", printTime(a.ExpiresAt))
	}
	fmt.Fprintf(out, "\nuser: %s\nteam: %s\naccount: %s\n", a.UserStatus, a.TeamStatus, a.AccountStatus)
}

func (d Decision) tellHeld(out *strings.Builder, by Holder) {
	switch {
	case d.Account.ID.IsZero():
		out.WriteString("account: none\n")
	case d.Account.HeldBy != by.User:
		fmt.Fprintf(out, "account: %s, held by somebody else\n", d.Account.Status)
	default:
		fmt.Fprintf(out, "account: %s, held by the user\nuser: %s\n", d.Account.Status, d.User.Status)
	}
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
