package conversation

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Scope is the set of conversations that the actor may see now, for the host's own queries:
// [Scope.Admits] tells it of a conversation that was read, and the SQL stores render it as a
// condition. It is worth as much as any answer to a check: decide with it at once and do not keep
// it. The errors are those of [tenancy.Service.Standing].
func (s *Service) Scope(ctx context.Context, actor tenancy.Actor) (Scope, error) {
	standing, err := s.people.Standing(ctx, actor)
	if err != nil {
		return Scope{}, err
	}
	return s.scope(standing), nil
}

// Can is [Service.Check] as a yes or no. It answers an error only where there is no answer, as
// [tenancy.Service.Can] does.
func (s *Service) Can(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, perm rbac.Permission) (bool, error) {
	return tenancy.Allowed(s.Check(ctx, actor, id, perm))
}

// Decision is a [tenancy.Decision] about one conversation, with what else it rests on.
type Decision struct {
	tenancy.Decision
	// Status is the conversation's; empty if the actor cannot see it.
	Status Status
	// Grant is what a guest sees it by; zero for those who see all of the team's, unless they have the
	// permission by it alone.
	Grant Grant
}

// Explain is [Service.Check] with the reason, for the people who run the host. The error is that
// there is no answer, as with [Service.Can].
func (s *Service) Explain(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, perm rbac.Permission) (Decision, error) {
	v, refusal := s.look(ctx, actor, id, actOf(perm))
	if _, err := tenancy.Allowed(refusal); err != nil {
		return Decision{}, err
	}
	by, grant := rbac.ByTeam, v.by(perm)
	if !grant.User.IsZero() {
		by = rbac.ByGrant
	}
	why, err := s.people.Explain(ctx, actor, perm, by)
	why.Err = refusal
	return Decision{Decision: why, Status: v.Status, Grant: grant}, err
}

// Told is the decision in words.
func (d Decision) Told() tenancy.Told {
	told := d.Decision.Told()
	fact := "conversation: not seen"
	if d.Status != "" {
		fact = fmt.Sprintf("conversation: %s", d.Status)
	}
	if !d.Grant.User.IsZero() {
		fact += ", by a grant"
	}
	told.Facts = append(told.Facts, fact)
	return told
}

// MarshalJSON gives [Decision.Told].
func (d Decision) MarshalJSON() ([]byte, error) { return json.Marshal(d.Told()) }

// String tells the decision in lines, as [tenancy.Decision.String] does.
func (d Decision) String() string { return d.Told().String() }

// Capabilities lists what the actor may do to the conversation now, and why not the rest. It costs
// what reading the conversation costs. The errors are those of [Service.Get]: who cannot see it may
// do nothing.
func (s *Service) Capabilities(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (tenancy.Capabilities, error) {
	v, err := s.look(ctx, actor, id, reading)
	if err != nil {
		return nil, err
	}
	var perms []rbac.Permission
	for _, what := range acts() {
		perms = append(perms, what.permission)
	}
	return v.standing.Capabilities(perms, func(perm rbac.Permission) error { return v.allows(actOf(perm)) }), nil
}

// actOf is what a permission allows: one of the acts, or something of the host's that a closed
// conversation does not stop.
func actOf(perm rbac.Permission) act {
	for _, known := range acts() {
		if known.permission == perm {
			return known
		}
	}
	return act{permission: perm, whenClosed: true}
}
