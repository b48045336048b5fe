package invite

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Inspection is what happened to an invitation, for the people who are asked why it does not work.
// The token is not in it: nobody but the mail has it.
type Inspection struct {
	// Invitation has the state of now, as with [Service.Get].
	Invitation Invitation
	// Inviter is the name of whoever sent it; empty if the user was deleted.
	Inviter string
	// Steps are what happened, oldest first; of more than [MaxSteps] the newest.
	Steps []Step
	// Mails are the mails among the steps, by their number. More than one are resends.
	Mails []Posting
}

// MaxSteps is how many steps of an invitation are shown.
const MaxSteps = 1000

// Step is one event of an invitation.
type Step struct {
	// Kind is the event, such as [InvitationResent].
	Kind string
	At   time.Time
	// By is the principal.
	By string
	// State is what the invitation was after it.
	State State
	// Mailing is the number of the mail that was the newest.
	Mailing int
	// Reason is why somebody with the token was not let in, for [InvitationRefused].
	Reason string `json:",omitempty"`
}

// Posting is one mail: asked for when the invitation was created or sent again, and built when the
// relay came to it.
type Posting struct {
	Number  int
	AskedAt time.Time
	AskedBy string
	// BuiltAt is when it was last built and handed to the mailer; zero if it never was. A mailer that
	// fails makes it be built again.
	BuiltAt time.Time
	// Builds is how often it was built.
	Builds int
}

// Inspect tells all that is known about an invitation of a team, on the host's authority: for its
// support people. What it costs grows with what happened in the team since the invitation was made.
//
// Errors: [tenancy.ErrNotFound].
func (s *Service) Inspect(ctx context.Context, by tenancy.System, team tenancy.TeamID, id tenancy.InvitationID) (Inspection, error) {
	if err := by.Validate(); err != nil {
		return Inspection{}, err
	}
	r, err := s.store.Invitation(ctx, team, id)
	if err != nil {
		return Inspection{}, err
	}
	return s.inspect(ctx, r)
}

// InspectOffer is [Service.Inspect] for an offer of an account.
//
// Errors: [tenancy.ErrNotFound].
func (s *Service) InspectOffer(ctx context.Context, by tenancy.System, account tenancy.AccountID, id tenancy.InvitationID) (Inspection, error) {
	if err := by.Validate(); err != nil {
		return Inspection{}, err
	}
	r, err := s.store.Offer(ctx, account, id)
	if err != nil {
		return Inspection{}, err
	}
	return s.inspect(ctx, r)
}

// History is [Service.Inspect] for those in the team who may read the invitation and the team's
// audit log, where the same events are.
//
// Errors: [rbac.ErrDenied], [tenancy.ErrNotFound].
func (s *Service) History(ctx context.Context, actor tenancy.Actor, id tenancy.InvitationID) (Inspection, error) {
	standing, err := s.people.Standing(ctx, actor)
	if err != nil {
		return Inspection{}, err
	}
	if err := standing.Check(rbac.ReadAudit); err != nil {
		return Inspection{}, err
	}
	r, err := s.known(ctx, standing, id, s.store.Invitation)
	if err != nil {
		return Inspection{}, err
	}
	if err := mayRead(standing, r.Kind); err != nil {
		return Inspection{}, err
	}
	return s.inspect(ctx, r)
}

func (s *Service) inspect(ctx context.Context, r Record) (Inspection, error) {
	found := Inspection{Invitation: r.seen(s.env.Now())}
	inviter, err := s.people.User(ctx, r.Inviter)
	if err != nil && !errors.Is(err, tenancy.ErrNotFound) {
		return Inspection{}, err
	}
	found.Inviter = inviter.Name
	events, err := s.store.InvitationEvents(ctx, r.Invitation, MaxSteps)
	if err != nil {
		return Inspection{}, err
	}
	for _, e := range slices.Backward(events) {
		step, err := told(e)
		if err != nil {
			return Inspection{}, err
		}
		found.Steps = append(found.Steps, step)
		found.post(step)
	}
	return found, nil
}

// told is an event as a step.
func told(e outbox.Event) (Step, error) {
	var facts tenancy.Facts
	if err := json.Unmarshal(e.Payload, &facts); err != nil {
		return Step{}, err
	}
	mailing, err := strconv.Atoi(facts["mailing"])
	if err != nil {
		return Step{}, err
	}
	return Step{
		Kind: e.Kind, At: e.At, By: e.Principal, State: State(facts["state"]), Mailing: mailing, Reason: facts["reason"],
	}, nil
}

// post notes what a step says of a mail.
func (i *Inspection) post(step Step) {
	switch step.Kind {
	case InvitationCreated, InvitationResent:
		i.Mails = append(i.Mails, Posting{Number: step.Mailing, AskedAt: step.At, AskedBy: step.By})
	case InvitationMailed:
		at := slices.IndexFunc(i.Mails, func(p Posting) bool { return p.Number == step.Mailing })
		if at < 0 { // it was asked for before the steps that are shown
			i.Mails = append(i.Mails, Posting{Number: step.Mailing})
			at = len(i.Mails) - 1
		}
		i.Mails[at].BuiltAt = step.At
		i.Mails[at].Builds++
	}
}
