package conversation

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/usher-go/usher/tenancy"
)

// Inbound is a message from a contact, as the channel's gateway hands it over.
type Inbound struct {
	// To is the team identity that the contact wrote to.
	To tenancy.Identity
	// From is the contact's address on that channel: a phone number in E.164 form, or the
	// chat's own name for its visitor.
	From string
	// ID is the provider's id of the message. The same id again is the same message.
	ID   string
	Text string
	// Attachments are at most [MaxAttachments] files; the text may be empty then.
	Attachments []Attachment
}

// Limits of a message.
const (
	MaxText = 8 << 10 // bytes
	MaxKey  = 255     // bytes of a provider's or a client's message id
)

// Receive takes a contact's message. The first one of a contact opens a conversation with
// the team that has the identity; later ones go to that conversation, wherever it lives now,
// and open it again if it was closed or snoozed. A repeated message changes nothing and answers the
// conversation as it is. Contact, conversation, message and events are one transaction.
//
// A message that is nothing but one of [OptWords] opts the contact out of messages, or in again: see
// [OptOut]. It is recorded like any other, and that is all there is to do with it: it opens no closed
// conversation and waits for no answer, which could not be sent.
//
// What a contact begins or opens again, and nobody is responsible for, is assigned where the team's settings
// have an AutoAssign: to whose turn it is, as [Service.AssignNext] does it. While nobody has room it stays
// with the team. Messages that begin something in one such team wait for each other.
//
// Messages are taken also for a suspended account: what was said must not be lost. So are those
// for a conversation that an archived team has kept: it moves to the team of the account that has
// the identity now, or, while there is none, is opened where it is, for [tenancy.Service.Restore]
// to find. An identity that another account has taken since leads to that account and nowhere
// else.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound] for a first message where no active team
// has the identity, [tenancy.ErrKeyReused].
func (s *Service) Receive(ctx context.Context, by tenancy.System, in Inbound) (Conversation, error) {
	in, err := in.checked(by)
	if err != nil {
		return Conversation{}, err
	}
	return tenancy.Do(ctx, s.store, s.env, by, "Receive", []any{in}, func(ctx context.Context) (Conversation, error) {
		now := s.env.Now()
		c, on, err := s.thread(ctx, by, in, now)
		if err != nil {
			return Conversation{}, err
		}
		now = c.latest(now)
		m := Message{Kind: InboundMessage, Text: in.Text, Attachments: in.Attachments, At: now, Key: keyOf("inbound", string(in.To.Channel), in.To.Value, in.ID)}
		if seen, err := s.repeated(ctx, c, m); err != nil || seen != nil {
			return c, err
		}
		if s.words.said(in.Text) == nothing {
			err = s.attend(ctx, by, &c, on, now)
		}
		if err != nil {
			return Conversation{}, err
		}
		if m, err = s.write(ctx, by, &c, m, MessageReceived); err != nil {
			return Conversation{}, err
		}
		return c, s.heed(ctx, by, c, m)
	})
}

// attend makes a contact's message one that somebody has to answer, and of the shift that it comes in.
func (s *Service) attend(ctx context.Context, by tenancy.System, c *Conversation, on shift, now time.Time) error {
	if c.NeedsReplySince.IsZero() {
		c.NeedsReplySince = now
	}
	if err := s.resume(ctx, by, c, OnInbound, now); err != nil {
		return err
	}
	if !c.Assignee.IsZero() || len(on.loads) == 0 {
		return nil
	}
	err := s.rotate(ctx, by, c, on)
	if errors.Is(err, ErrNobodyFree) {
		return nil
	}
	return err
}

// checked answers the message with its attachments in normal form.
func (in Inbound) checked(by tenancy.System) (Inbound, error) {
	if err := by.Validate(); err != nil {
		return in, err
	}
	if err := in.To.Validate(); err != nil {
		return in, err
	}
	if err := validAddress(in.To.Channel, in.From); err != nil {
		return in, err
	}
	if err := validKey("message id", in.ID); err != nil {
		return in, err
	}
	var err error
	if in.Attachments, err = checked(in.Attachments); err != nil {
		return in, err
	}
	return in, said(in.Text, in.Attachments)
}

// A visitor of a chat is named by the host, which may use anything printable but spaces.
var visitor = regexp.MustCompile(`^[\x21-\x7e]{1,128}$`)

func validAddress(channel tenancy.Channel, address string) error {
	if channel == tenancy.PhoneChannel {
		return tenancy.Phone(address).Validate()
	}
	if !visitor.MatchString(address) {
		return &tenancy.InvalidError{Field: "from", Reason: "must have 1 to 128 printable ASCII characters and no spaces"}
	}
	return nil
}

// validKey checks a name that someone else gave a message: a provider or a client.
func validKey(field, key string) error {
	if key == "" || len(key) > MaxKey || !utf8.ValidString(key) {
		return &tenancy.InvalidError{Field: field, Reason: fmt.Sprintf("must have 1 to %d bytes of UTF-8", MaxKey)}
	}
	return nil
}

// validText checks what is said. Line breaks and tabs are part of it; other control
// characters are how terminals and logs are attacked.
func validText(text string) error {
	odd := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }
	switch {
	case len(text) > MaxText:
		return &tenancy.InvalidError{Field: "text", Reason: fmt.Sprintf("must have at most %d bytes", MaxText)}
	case !utf8.ValidString(text) || strings.ContainsFunc(text, odd):
		return &tenancy.InvalidError{Field: "text", Reason: "must be UTF-8 without control characters"}
	case strings.TrimSpace(text) == "":
		return &tenancy.InvalidError{Field: "text", Reason: "must not be empty"}
	}
	return nil
}

// thread finds and locks the conversation that a contact's message belongs to, or starts it. The shift is
// there if the message begins something: it is locked before the conversation, which therefore stays with
// the team if it is closed at that very instant.
func (s *Service) thread(ctx context.Context, by tenancy.System, in Inbound, now time.Time) (Conversation, shift, error) {
	// The conversation may move to another team between the look-up and the lock; it cannot
	// do so again and again while this call runs.
	const moves = 3
	for range moves {
		owner, err := s.people.TeamByIdentity(ctx, by, in.To)
		if err != nil && !notFound(err) {
			return Conversation{}, shift{}, err
		}
		c, err := s.known(ctx, owner, in)
		if notFound(err) && !owner.ID.IsZero() {
			on, err := s.shiftOf(ctx, by, owner)
			if err != nil {
				return Conversation{}, shift{}, err
			}
			c, err = s.start(ctx, by, owner, in.To, in.From, OnInbound, now)
			return c, on, err
		}
		if err != nil {
			return Conversation{}, shift{}, err
		}
		c, on, err := s.take(ctx, by, c, owner, now)
		if !notFound(err) {
			return c, on, err
		}
	}
	return Conversation{}, shift{}, tenancy.ErrUnavailable
}

// known finds the conversation of a contact and an identity: that of the account whose team has
// the identity now, so that what is written to a number never reaches an account that gave the
// number up. While no team has it, it is the last one that was written to.
func (s *Service) known(ctx context.Context, owner tenancy.Team, in Inbound) (Conversation, error) {
	found, err := s.store.ConversationsByAddress(ctx, in.To, in.From)
	if err != nil {
		return Conversation{}, err
	}
	for _, c := range found {
		if owner.ID.IsZero() || c.Account == owner.Account {
			return c, nil
		}
	}
	return Conversation{}, tenancy.ErrNotFound
}

// take locks a conversation that was found. One that an archived team has kept comes to the team
// that has the identity now, where somebody can answer.
func (s *Service) take(ctx context.Context, by tenancy.System, c Conversation, owner tenancy.Team, now time.Time) (Conversation, shift, error) {
	stay := func(home tenancy.Team) (Conversation, shift, error) {
		var on shift
		if c.Status == Closed {
			var err error
			if on, err = s.shiftOf(ctx, by, home); err != nil {
				return c, on, err
			}
		}
		locked, err := s.store.LockConversation(ctx, c.Team, c.ID)
		if locked.Status != Closed {
			on = shift{} // somebody was faster to open it
		}
		return locked, on, err
	}
	if owner.ID.IsZero() || owner.ID == c.Team {
		return stay(owner)
	}
	home, err := s.people.TeamByID(ctx, by, c.Team)
	if err != nil {
		return Conversation{}, shift{}, err
	}
	if home.Status == tenancy.TeamActive {
		return stay(home)
	}
	target, able, err := s.lockHeir(ctx, home.ID, owner.ID)
	if err != nil {
		return Conversation{}, shift{}, err
	}
	c, on, err := stay(target)
	if err != nil || !able {
		return c, shift{}, err
	}
	moved := []Conversation{c}
	err = s.move(ctx, by, moved, target, now, func(int) tenancy.Facts { return tenancy.Facts{} })
	return moved[0], on, err
}

// lockHeir locks an archived team and the one that has its identity now, in the order of their
// ids. Able says that they are that still, and that the account is not suspended: a suspended
// one keeps what it is sent where it is.
func (s *Service) lockHeir(ctx context.Context, archived, heir tenancy.TeamID) (target tenancy.Team, able bool, err error) {
	able = true
	for _, id := range tenancy.InOrder(archived, heir) {
		team, closed := s.people.Lock(ctx, id)
		switch {
		case id == heir && closed == nil:
			target = team
		case id == archived && errors.Is(closed, tenancy.ErrTeamArchived):
		case closed == nil, errors.Is(closed, tenancy.ErrTeamArchived), errors.Is(closed, tenancy.ErrAccountInactive):
			able = false
		default:
			return tenancy.Team{}, false, closed
		}
	}
	return target, able, nil
}
