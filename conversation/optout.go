package conversation

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// OptOut keeps one address from being written to from one identity. It belongs to the two and to
// nothing else, so it survives whatever becomes of contacts, conversations and teams. The row stays
// when it is lifted, and is written over by the next one; the events keep the whole story.
type OptOut struct {
	Identity tenancy.Identity
	Address  string
	// Account is the one whose conversation it was said in.
	Account tenancy.AccountID
	// Cause is who asked for it. What a user has noted becomes the contact's own when the contact
	// says so too, and never the other way round.
	Cause OptOutCause
	// By is the principal, and At the time.
	By string
	At time.Time
	// Reason is what a user gave for it; empty where the contact asked.
	Reason string
	// Evidence is the contact's message, or the note with the user's reason.
	Evidence tenancy.MessageID
	// LiftedAt and LiftedBy tell when and by whom it was taken back; zero while it holds.
	LiftedAt time.Time
	LiftedBy string
	Version  int64
}

// OptOutCause says whose wish an opt-out is.
type OptOutCause string

// The causes. What the contact asked for is lifted by the contact alone.
const (
	ByContact OptOutCause = "contact"
	ByUser    OptOutCause = "user"
)

// Holds reports whether the address must not be written to.
func (o OptOut) Holds() bool { return !o.At.IsZero() && o.LiftedAt.IsZero() }

// OptedOutError says that the contact must not be written to, and whose wish that is. It is
// [ErrOptedOut], and [tenancy.ErrConflict].
type OptedOutError struct {
	Cause OptOutCause
	At    time.Time
}

func (e *OptedOutError) Error() string {
	if e.Cause == ByContact {
		return ErrOptedOut.Error() + ": the contact asked for it, and can lift it by writing START"
	}
	return ErrOptedOut.Error() + ": a member of the team noted it, and ^opt-in lifts it"
}

// Unwrap is ErrOptedOut.
func (e *OptedOutError) Unwrap() error { return ErrOptedOut }

// MaxReason is the longest reason of an opt-out, an opt-in or a declined delivery, in bytes.
const MaxReason = 1000

// OptOutOf reads the opt-out of a conversation's contact: the zero one if there never was any. What
// another account noted about the same address is shown without its words, user and evidence.
//
// Errors: [tenancy.ErrNotFound], [rbac.ErrDenied].
func (s *Service) OptOutOf(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (OptOut, error) {
	v, err := s.look(ctx, actor, id, act{rbac.OptOutContact, true})
	if err != nil {
		return OptOut{}, err
	}
	o, err := s.optOut(ctx, v.Conversation, s.store.OptOut)
	if o.Account != v.Account {
		o.By, o.LiftedBy, o.Reason, o.Evidence = "", "", "", tenancy.MessageID{}
	}
	return o, err
}

// optOut reads the opt-out that a conversation falls under, the zero one where there is none.
func (s *Service) optOut(ctx context.Context, c Conversation,
	read func(context.Context, tenancy.Identity, string) (OptOut, error),
) (OptOut, error) {
	o, err := read(ctx, c.Identity, c.Address)
	if notFound(err) {
		return OptOut{}, nil
	}
	return o, err
}

// mayWrite answers nil if the contact may be written to. The conversation is locked, and whatever
// changes an opt-out locks it too.
func (s *Service) mayWrite(ctx context.Context, c Conversation) error {
	o, err := s.optOut(ctx, c, s.store.OptOut)
	if err != nil || !o.Holds() {
		return err
	}
	return &OptedOutError{Cause: o.Cause, At: o.At}
}

// OptOut notes that the contact of a conversation does not want to be written to, with the reason,
// which is kept as a note of the conversation. From the commit on, nothing is sent to the address
// from the conversation's identity, by whomever. A contact who is opted out already stays so, and
// nothing is written.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied].
func (s *Service) OptOut(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, reason string) (Conversation, error) {
	return s.decideOptOut(ctx, actor, id, optingOut, "OptOut", reason, func(ctx context.Context, c *Conversation, o OptOut, now time.Time) error {
		if o.Holds() {
			return nil
		}
		note, err := s.reason(ctx, actor, c, reason, now)
		if err != nil {
			return err
		}
		return s.writeOptOut(ctx, actor, *c, o, OptOut{Cause: ByUser, By: actor.Principal(), At: now, Reason: reason, Evidence: note.ID})
	})
}

// OptIn takes back what a user noted with [Service.OptOut], with the reason, which is kept as a note.
// What the contact asked for by a message, only the contact can take back, by a message. A contact
// who is not opted out stays so, and nothing is written.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied], [*OptedOutError] where
// the contact asked for it, or another account noted it.
func (s *Service) OptIn(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, reason string) (Conversation, error) {
	return s.decideOptOut(ctx, actor, id, optingIn, "OptIn", reason, func(ctx context.Context, c *Conversation, o OptOut, now time.Time) error {
		switch {
		case !o.Holds():
			return nil
		case o.Cause == ByContact, o.Account != c.Account:
			return &OptedOutError{Cause: ByContact, At: o.At}
		}
		if _, err := s.reason(ctx, actor, c, reason, now); err != nil {
			return err
		}
		return s.lift(ctx, actor, *c, o, now)
	})
}

// decideOptOut runs fn on a conversation and the opt-out that it falls under, both locked.
func (s *Service) decideOptOut(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, what act, name, reason string,
	fn func(ctx context.Context, c *Conversation, o OptOut, now time.Time) error,
) (Conversation, error) {
	if len(reason) > MaxReason {
		return Conversation{}, &tenancy.InvalidError{Field: "reason", Reason: fmt.Sprintf("must have at most %d bytes", MaxReason)}
	}
	if err := validText(reason); err != nil {
		return Conversation{}, &tenancy.InvalidError{Field: "reason", Reason: "must be UTF-8 without control characters, and not empty"}
	}
	return s.change(ctx, actor, id, what, name, reason, func(ctx context.Context, c *Conversation, now time.Time) error {
		o, err := s.optOut(ctx, *c, s.store.LockOptOut)
		if err != nil {
			return err
		}
		return fn(ctx, c, o, now)
	})
}

// reason writes why a user changed an opt-out as a note of theirs.
func (s *Service) reason(ctx context.Context, by tenancy.Actor, c *Conversation, text string, now time.Time) (Message, error) {
	return s.write(ctx, by, c, Message{Kind: NoteMessage, Author: by.User, Text: text, At: now}, NoteWritten)
}

// heed does what a contact's message says about opt-outs, if that is all it says. It is written
// already, in a conversation that is locked.
func (s *Service) heed(ctx context.Context, by tenancy.System, c Conversation, m Message) error {
	said := s.words.said(m.Text)
	if said == nothing {
		return nil
	}
	o, err := s.optOut(ctx, c, s.store.LockOptOut)
	if err != nil {
		return err
	}
	switch {
	case said == stop && !(o.Holds() && o.Cause == ByContact):
		return s.writeOptOut(ctx, by, c, o, OptOut{Cause: ByContact, By: by.Principal(), At: m.At, Evidence: m.ID})
	case said == start && o.Holds():
		return s.lift(ctx, by, c, o, m.At)
	}
	return nil
}

// writeOptOut puts an opt-out in the place of the last one of the address, if there was any.
func (s *Service) writeOptOut(ctx context.Context, by tenancy.Principal, c Conversation, last, o OptOut) error {
	o.Identity, o.Address, o.Account, o.Version = c.Identity, c.Address, c.Account, last.Version
	write := s.store.UpdateOptOut
	if last.Version == 0 {
		write = s.store.InsertOptOut
	}
	if err := write(ctx, o); err != nil {
		return err
	}
	return s.record(ctx, by, o.At, c, ContactOptedOut, tenancy.Facts{"cause": string(o.Cause), "message": o.Evidence.String()})
}

func (s *Service) lift(ctx context.Context, by tenancy.Principal, c Conversation, o OptOut, now time.Time) error {
	o.LiftedAt, o.LiftedBy = now, by.Principal()
	if err := s.store.UpdateOptOut(ctx, o); err != nil {
		return err
	}
	return s.record(ctx, by, now, c, ContactOptedIn, tenancy.Facts{"cause": string(o.Cause)})
}

// DefaultOptOutText is what the first message to an address carries where the team's
// [tenancy.Settings] say nothing else.
const DefaultOptOutText = "Reply STOP to opt out."

// introduce adds the team's opt-out text to a message that is about to go to an address to which none
// has gone yet. Messages before it may have been deleted, or have failed.
func (s *Service) introduce(ctx context.Context, c Conversation, m *Message) error {
	if !c.FirstSentAt.IsZero() {
		return nil
	}
	team, err := s.people.TeamByID(ctx, introduction, c.Team)
	if err != nil {
		return err
	}
	m.Footer = cmp.Or(team.Settings.OptOutText, DefaultOptOutText)
	return nil
}

// introduction is the system that looks up what a team says to those it writes to first.
const introduction = tenancy.System("opt-out")
