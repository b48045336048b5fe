package ushertest

import (
	"errors"
	"slices"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Allowed asserts that the actor has the permission in the whole team.
func (w *World) Allowed(actor tenancy.Actor, perm rbac.Permission) {
	w.t.Helper()
	if d := w.explain(actor, perm); !d.Allowed() {
		w.t.Errorf("ushertest: %s should be allowed %q, but is %s", w.who(actor), w.Policy.Name(perm), d)
	}
}

// Denied asserts that the actor is somebody in the team, and refused for a lack of rights: an
// error that is [rbac.ErrDenied]. Strangers and those who were removed are refused otherwise;
// see [World.NotFound].
func (w *World) Denied(actor tenancy.Actor, perm rbac.Permission) {
	w.t.Helper()
	if d := w.explain(actor, perm); !lacks(d.Err) {
		w.t.Errorf("ushertest: %s should be denied %q, but is %s", w.who(actor), w.Policy.Name(perm), d)
	}
}

func (w *World) explain(actor tenancy.Actor, perm rbac.Permission) tenancy.Decision {
	w.t.Helper()
	w.known(perm)
	d, err := w.Tenancy.Explain(w.t.Context(), actor, perm, rbac.ByTeam)
	w.must(err)
	return d
}

// AllowedIn asserts that the actor has the permission in the one conversation, by the team or
// as a guest.
func (w *World) AllowedIn(id tenancy.ConversationID, actor tenancy.Actor, perm rbac.Permission) {
	w.t.Helper()
	if err := w.check(id, actor, perm); err != nil {
		w.t.Errorf("ushertest: %s should be allowed %q in the conversation, but the answer is: %s", w.who(actor), w.Policy.Name(perm), answer(err))
	}
}

// DeniedIn asserts that the actor sees the conversation, and is refused for a lack of rights.
func (w *World) DeniedIn(id tenancy.ConversationID, actor tenancy.Actor, perm rbac.Permission) {
	w.t.Helper()
	if err := w.check(id, actor, perm); !lacks(err) {
		w.t.Errorf("ushertest: %s should be denied %q in the conversation, but the answer is: %s", w.who(actor), w.Policy.Name(perm), answer(err))
	}
}

func (w *World) check(id tenancy.ConversationID, actor tenancy.Actor, perm rbac.Permission) error {
	w.t.Helper()
	w.known(perm)
	return w.Conversations.Check(w.t.Context(), actor, id, perm)
}

// known ends the test about a permission that the policy does not have: everybody is denied it,
// which says nothing. [rbac.Policy.Check] is for those who depend on a permission from now on.
func (w *World) known(perm rbac.Permission) {
	w.t.Helper()
	if !slices.Contains(w.Policy.Permissions(), perm) {
		w.t.Fatalf("ushertest: the policy has no permission %s", perm)
	}
}

// lacks tells a lack of rights from a forgotten actor, which is refused as well.
func lacks(err error) bool {
	return errors.Is(err, rbac.ErrDenied) && !errors.Is(err, tenancy.ErrNoPrincipal)
}

// NotFound asserts that the error is [tenancy.ErrNotFound], which is all that a stranger learns.
func (w *World) NotFound(err error) {
	w.t.Helper()
	if !errors.Is(err, tenancy.ErrNotFound) {
		w.t.Errorf("ushertest: the answer should be: %v; but is: %s", tenancy.ErrNotFound, answer(err))
	}
}

// answer prints an error that may be none.
func answer(err error) string {
	if err == nil {
		return "yes"
	}
	return err.Error()
}

func (w *World) who(actor tenancy.Actor) string {
	return w.name(actor.User.String()) + " in " + w.name(actor.Team.String())
}
