package conversation

import (
	"context"
	"fmt"
	"slices"

	"github.com/usher-go/usher/tenancy"
)

// Receipt is what a provider reports of a message that was sent. The message is named by its id, or by
// From and ID, and not by both.
type Receipt struct {
	// Message is usher's own id, for providers that give back what they were sent.
	Message tenancy.MessageID
	// From is the team identity from which the message was sent, and ID the provider's id, as the
	// [Sender] answered it.
	From tenancy.Identity
	ID   string
	// Status is any but queued.
	Status SendStatus
	// Failure says why a message has failed: one line of at most [MaxFailure] bytes. It is for
	// [StatusFailed] alone.
	Failure string
}

// Receipt notes what a provider reports of a message. A report only raises the status of a message
// (see [SendStatus.Outdoes]), so those that come late, twice or in another order change nothing, and
// answer the message as it is. Receipts are taken also for a suspended account.
//
// Errors: [*tenancy.InvalidError]; [tenancy.ErrNotFound] also for a message that was never handed over, and
// where a receipt overtakes the Sender's answer, which gave its id: answer the provider so that it comes
// again.
func (s *Service) Receipt(ctx context.Context, by tenancy.System, r Receipt) (Message, error) {
	if err := r.validate(by); err != nil {
		return Message{}, err
	}
	return tenancy.Do(ctx, s.store, s.env, by, "Receipt", []any{r}, func(ctx context.Context) (Message, error) {
		find := func() (Whereabouts, error) { return s.store.FindMessage(ctx, r.Message) }
		if r.Message.IsZero() {
			find = func() (Whereabouts, error) { return s.store.FindReceipt(ctx, receiptKey(r.From, r.ID)) }
		}
		c, m, err := s.lockMessage(ctx, find)
		if err != nil {
			return Message{}, err
		}
		if m.HandedAt.IsZero() {
			return Message{}, tenancy.ErrNotFound // there is nothing to report of it
		}
		err = s.raise(ctx, by, c, &m, report{status: r.Status, failure: r.Failure})
		return m, err
	})
}

func (r Receipt) validate(by tenancy.System) error {
	if err := by.Validate(); err != nil {
		return err
	}
	if !slices.Contains(sendStatuses[1:], r.Status) {
		return &tenancy.InvalidError{Field: "status", Reason: "must be sent, failed, delivered or read"}
	}
	if r.Failure != tidy(r.Failure) || r.Failure != "" && r.Status != StatusFailed {
		return &tenancy.InvalidError{Field: "failure", Reason: fmt.Sprintf("must be one line of at most %d bytes, and only with the status failed", MaxFailure)}
	}
	if !r.Message.IsZero() {
		if r.From != (tenancy.Identity{}) || r.ID != "" {
			return &tenancy.InvalidError{Field: "message", Reason: "must be named by its id, or by the provider's id and the identity, and not by both"}
		}
		return nil
	}
	if err := r.From.Validate(); err != nil {
		return err
	}
	return validKey("message id", r.ID)
}

// receiptKey is by what a receipt finds its message.
func receiptKey(from tenancy.Identity, provider string) MessageKey {
	return keyOf("receipt", string(from.Channel), from.Value, provider)
}

// report is what is known of a message since it was handed over.
type report struct {
	status  SendStatus
	failure string
	// receipt is zero where the provider gave no id.
	receipt MessageKey
}

// lockMessage finds a message, locks its conversation and reads both.
func (s *Service) lockMessage(ctx context.Context, find func() (Whereabouts, error)) (Conversation, Message, error) {
	var message tenancy.MessageID
	c, err := s.lockFound(ctx, func() (tenancy.TeamID, tenancy.ConversationID, error) {
		at, err := find()
		message = at.Message
		return at.Team, at.Conversation, err
	})
	if err != nil {
		return Conversation{}, Message{}, err
	}
	m, err := s.store.Message(ctx, c.ID, message)
	return c, m, err
}

// lockFound locks a conversation in the team where it is.
func (s *Service) lockFound(ctx context.Context, find func() (tenancy.TeamID, tenancy.ConversationID, error)) (Conversation, error) {
	// The conversation may move to another team between the look-up and the lock; it cannot do so
	// again and again while this call runs.
	const moves = 3
	for range moves {
		team, id, err := find()
		if err != nil {
			return Conversation{}, err
		}
		if c, err := s.store.LockConversation(ctx, team, id); !notFound(err) {
			return c, err
		}
	}
	return Conversation{}, tenancy.ErrUnavailable
}

// raise takes a report for what it is worth.
func (s *Service) raise(ctx context.Context, by tenancy.Principal, c Conversation, m *Message, r report) error {
	before := *m
	if r.status.Outdoes(m.Status) {
		m.Status, m.Failure = r.status, r.failure
	}
	if err := s.claimReceipt(ctx, m, r.receipt); err != nil {
		return err
	}
	if m.Status == before.Status && m.Receipt == before.Receipt {
		return nil
	}
	if err := s.updateMessage(ctx, m); err != nil {
		return err
	}
	if m.Status == before.Status {
		return nil
	}
	facts := m.facts()
	facts["status"] = string(m.Status)
	return s.record(ctx, by, s.env.Now(), c, MessageStatusChanged, facts)
}

// claimReceipt gives a message the provider's id by which receipts name it. A provider that gives the
// same id to two messages is understood of the first, as that is no reason to send the other again.
func (s *Service) claimReceipt(ctx context.Context, m *Message, receipt MessageKey) error {
	if receipt == (MessageKey{}) || m.Receipt != (MessageKey{}) {
		return nil
	}
	_, err := s.store.FindReceipt(ctx, receipt)
	if notFound(err) {
		m.Receipt, err = receipt, nil
	}
	return err
}
