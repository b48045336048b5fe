package conversation

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Sender brings messages to contacts: the host's gateway to its provider. It is called outside every
// transaction.
//
// A message can be handed over more than once: when the Sender failed, and when the process died before
// its answer was noted. What is handed over again is the same in every part, so that a provider can tell
// by the id that it has it already.
type Sender interface {
	// Send hands a message to the provider and answers the provider's id of it, by which receipts name
	// it; empty where there is none. An [*UndeliverableError] ends the message as failed. Any other
	// error makes it come again later, and holds back those after it in the same conversation.
	Send(ctx context.Context, m Outgoing) (providerID string, err error)
}

// Outgoing is a message to send.
type Outgoing struct {
	// ID is the same each time the message is handed over: the key for a provider that takes one.
	ID tenancy.MessageID
	// From is the team identity that the contact knows, and To the contact's address on its channel.
	From tenancy.Identity
	To   string
	// Text may be empty where there are attachments.
	Text        string
	Attachments []Attachment
	// Footer is how to opt out, on a line of its own after the text of the first message that ever goes
	// to an address; empty for all others.
	Footer string
}

// UndeliverableError says that a message cannot be brought to its contact, now or later.
type UndeliverableError struct {
	// Reason is kept with the message, without control characters and at most [MaxFailure] bytes of
	// it. It should hold no secret.
	Reason string
}

func (e *UndeliverableError) Error() string { return "the message cannot be delivered: " + e.Reason }

// sender is the system that hands messages over, as the audit log names it.
const sender = tenancy.System("sender")

// SenderLane is the lane of [Service.Sending].
const SenderLane = "sender"

// Sent are the kinds of events that ask for a message to be sent: what the [SenderLane] takes.
func Sent() []string { return []string{MessageSent} }

// Sending is the sink that sends messages: hand it to an [outbox.Relay], as the one of the [SenderLane]. It takes the events that a
// message was sent, reads the message itself, hands it to the Sender and notes what became of it. It
// leaves every other event alone.
//
// That a message was handed over is committed before it is, so that no edit comes between what is
// sent and what is kept, and what is sent again is the same. A message that was deleted before is not
// sent. Where nothing may be sent any more, because the contact has opted out since, the account is not
// active or another one has taken the identity, the message fails without the Sender.
func (s *Service) Sending(to Sender) outbox.Sink {
	return outbox.SinkFunc(func(ctx context.Context, e outbox.Event) error {
		if !slices.Contains(Sent(), e.Kind) {
			return nil
		}
		if to == nil {
			return errors.New("usher: to send a message takes a sender")
		}
		id, err := messageOf(e)
		if err != nil {
			return err
		}
		out, err := s.handToSender(ctx, id)
		if err != nil || out.ID.IsZero() {
			return err
		}
		provider, err := to.Send(ctx, out)
		var final *UndeliverableError
		switch {
		case errors.As(err, &final):
			return s.settle(ctx, id, report{status: StatusFailed, failure: tidy(final.Reason)})
		case err != nil:
			return err
		}
		sent := report{status: StatusSent}
		if validKey("provider id", provider) == nil {
			sent.receipt = receiptKey(out.From, provider)
		}
		return s.settle(ctx, id, sent)
	})
}

// messageOf reads from an event which message it tells of.
func messageOf(e outbox.Event) (tenancy.MessageID, error) {
	var facts tenancy.Facts
	if err := json.Unmarshal(e.Payload, &facts); err != nil {
		return tenancy.MessageID{}, &tenancy.InvalidError{Field: "payload of " + e.Kind, Reason: "must be an object of texts"}
	}
	return tenancy.ParseID[tenancy.MessageID](facts["message"])
}

// handToSender commits that a message is handed over and answers it. Nothing to send is the zero Outgoing.
func (s *Service) handToSender(ctx context.Context, id tenancy.MessageID) (Outgoing, error) {
	var out Outgoing
	err := s.store.InTx(ctx, func(ctx context.Context) error {
		out = Outgoing{}
		c, m, err := s.lockMessage(ctx, func() (Whereabouts, error) { return s.store.FindMessage(ctx, id) })
		if notFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if m.Status != StatusQueued || !m.DeletedAt.IsZero() {
			return nil
		}
		reason, err := s.unsendable(ctx, c)
		if err != nil {
			return err
		}
		if reason != "" {
			return s.raise(ctx, sender, c, &m, report{status: StatusFailed, failure: reason})
		}
		if m.HandedAt.IsZero() {
			m.HandedAt = s.env.Now()
			if err := s.introduce(ctx, c, &m); err != nil {
				return err
			}
			if err := s.updateMessage(ctx, &m); err != nil {
				return err
			}
		}
		out = Outgoing{ID: m.ID, From: c.Identity, To: c.Address, Text: m.Text, Attachments: m.Attachments, Footer: m.Footer}
		return nil
	})
	return out, err
}

// unsendable says why nothing may be sent to the contact of a conversation now, if so.
func (s *Service) unsendable(ctx context.Context, c Conversation) (reason string, err error) {
	err = s.mayWrite(ctx, c)
	if errors.Is(err, ErrOptedOut) {
		return "the contact has opted out", nil
	}
	if err != nil {
		return "", err
	}
	account, err := s.people.AccountByID(ctx, sender, c.Account)
	if err != nil {
		return "", err
	}
	if account.Status != tenancy.AccountActive {
		return "the account is not active", nil
	}
	owner, err := s.people.TeamByIdentity(ctx, sender, c.Identity)
	if err != nil && !notFound(err) {
		return "", err
	}
	if err == nil && owner.Account != c.Account {
		return "the identity is another account's now", nil
	}
	return "", nil
}

// settle notes what became of a message that was handed over.
func (s *Service) settle(ctx context.Context, id tenancy.MessageID, r report) error {
	return s.store.InTx(ctx, func(ctx context.Context) error {
		c, m, err := s.lockMessage(ctx, func() (Whereabouts, error) { return s.store.FindMessage(ctx, id) })
		if err != nil {
			return err
		}
		if r.status == StatusSent && c.FirstSentAt.IsZero() {
			c.FirstSentAt = s.env.Now()
			if err := s.update(ctx, &c); err != nil {
				return err
			}
		}
		return s.raise(ctx, sender, c, &m, r)
	})
}

// tidy is a reason as it is kept: one line of UTF-8, cut to what a message holds of it.
func tidy(reason string) string {
	reason = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(reason, ""))
	if len(reason) > MaxFailure {
		reason = strings.ToValidUTF8(reason[:MaxFailure], "")
	}
	return reason
}
