package invite

import (
	"context"
	"errors"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Service holds every rule of invitations. Build it with [New]; it is safe for concurrent use.
type Service struct {
	store    Store
	people   *tenancy.Service
	policy   *rbac.Policy
	env      tenancy.Env
	limits   Limits
	admitter Admitter
}

// New builds the service and asks people to tell it of departures, which end the invitations
// that the departing member sent, and of deleted users, whose address it forgets. It fails when the
// policy does not name a permission that an operation asks for, and for a negative limit.
func New(store Store, people *tenancy.Service, policy *rbac.Policy, env tenancy.Env, limits Limits) (*Service, error) {
	asked := []rbac.Permission{rbac.ListMembers, rbac.ReadConversation}
	for _, r := range rights {
		asked = append(asked, r.offer, r.revoke)
	}
	if err := policy.Check(asked...); err != nil {
		return nil, err
	}
	limits, err := limits.orDefault()
	if err != nil {
		return nil, err
	}
	s := &Service{store: store, people: people, policy: policy, env: env, limits: limits, admitter: noAdmitter{}}
	people.Bind(s)
	people.BindErasures(s)
	return s, nil
}

// Admitter is who knows the conversations: it says who sees one, whether access to it may be offered,
// and gives it. Its other methods than Seen run inside the invitation's transaction, with the team locked.
type Admitter interface {
	// Offer answers nil if the actor may offer access to the conversation now. It is asked when
	// an invitation is created or sent again and, about the inviter, when it is accepted. The
	// error of a conversation that the actor cannot see is [tenancy.ErrNotFound]. A refusal
	// must not be the error of an InTx inside: that would doom the record of the refusal too.
	Offer(ctx context.Context, actor tenancy.Actor, conversation tenancy.ConversationID) error
	// Admitted reports whether the user is a guest of the conversation now. It is asked about users who
	// are guests in its team.
	Admitted(ctx context.Context, conversation tenancy.ConversationID, user tenancy.UserID) (bool, error)
	// Seen answers those of the conversations that the actor with the standing sees now: all that are
	// given for one who reads all of the team's, also those that have left it. It is asked about reads, too,
	// which are in no transaction.
	Seen(ctx context.Context, standing tenancy.Standing, conversations ...tenancy.ConversationID) ([]tenancy.ConversationID, error)
	// Settle hears that invitations of one team into conversations have left the state pending; there
	// is one at least. Accepted, which comes alone: the user in AcceptedBy gets the access, and a
	// membership if they have none. Declined, revoked or expired: what waited for the invitations
	// ends. An error undoes the change.
	Settle(ctx context.Context, ended ...Invitation) error
}

// Bind names the room that owns the conversations. It belongs to the construction of the
// rooms, before the first call; until then invitations into conversations are refused.
func (s *Service) Bind(a Admitter) { s.admitter = a }

// noAdmitter stands in until one is bound.
type noAdmitter struct{}

var errUnbound = errors.New("usher: invitations into conversations need an Admitter: call Bind")

func (noAdmitter) Offer(context.Context, tenancy.Actor, tenancy.ConversationID) error {
	return errUnbound
}
func (noAdmitter) Admitted(context.Context, tenancy.ConversationID, tenancy.UserID) (bool, error) {
	return false, errUnbound
}
func (noAdmitter) Seen(context.Context, tenancy.Standing, ...tenancy.ConversationID) ([]tenancy.ConversationID, error) {
	return nil, errUnbound
}
func (noAdmitter) Settle(context.Context, ...Invitation) error { return errUnbound }

// system is who acts when time does, and who lets in those who accepted.
const system = tenancy.System("invitation")

// step takes an invitation through one event of the table: it writes the row and the event, and
// does what follows from an end. Every change of an invitation goes through here. The team, or the
// account that is offered, is locked, and with it the invitation.
func (s *Service) step(ctx context.Context, by tenancy.Principal, at time.Time, r Record, e Event) (Record, error) {
	from := r.StateAt(at)
	if e == OnExpire {
		from = r.State // what StateAt calls expired already is what this event writes down
	}
	next, err := r.Kind.After(from, e)
	if err != nil {
		return Record{}, err
	}
	if r.State = next; next != Pending {
		r.EndedAt, r.EndedBy = at, by.Principal()
	}
	if err := s.store.UpdateInvitation(ctx, r); err != nil {
		return Record{}, err
	}
	r.Version++
	if err := s.store.Append(ctx, s.env.Event(by, at, r.in(), recorded[e], r.facts())); err != nil {
		return Record{}, err
	}
	return r, s.settle(ctx, r.Invitation, e)
}

// settle gives what an accepted invitation promised, and tells the conversation's room of every
// end.
func (s *Service) settle(ctx context.Context, inv Invitation, e Event) error {
	switch {
	case inv.State == Pending && e != OnUse:
		return nil
	case inv.Kind == ToOneConversation:
		return s.admitter.Settle(ctx, inv)
	case inv.State == Accepted && inv.Kind == ToOneAccount:
		_, err := s.people.TransferAccount(ctx, system, inv.Account, inv.Inviter, inv.AcceptedBy)
		return err
	case e == OnUse || e == OnAccept:
		_, err := s.people.Admit(ctx, system, inv.admission())
		return err
	}
	return nil
}

// admission is what the invitation opens in its team.
func (i Invitation) admission() tenancy.Admission {
	if !i.Custom.IsZero() {
		return tenancy.Admission{Team: i.Team, User: i.AcceptedBy, Custom: i.Custom}
	}
	return tenancy.Admission{Team: i.Team, User: i.AcceptedBy, Role: i.Role}
}
