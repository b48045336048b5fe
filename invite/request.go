package invite

import (
	"fmt"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// How long an invitation can be accepted.
const (
	DefaultExpiry = 7 * 24 * time.Hour
	MinExpiry     = time.Hour
	MaxExpiry     = 30 * 24 * time.Hour
)

// Request describes an invitation to create: [ToTeam], [ToTeamAs] and [ToConversation] make one.
type Request struct {
	email        string
	kind         Kind
	role         rbac.Role
	custom       tenancy.RoleID
	conversation tenancy.ConversationID
	options      []Option
}

// Option says more about an invitation.
type Option func(*choices)

// choices are what the options set.
type choices struct {
	lasts time.Duration
	// timed says that lasts was set.
	timed   bool
	pending PendingRule
	history tenancy.HistoryPolicy
}

// ExpiresIn sets how long the invitation can be accepted, from [MinExpiry] to [MaxExpiry]. It
// is [DefaultExpiry] where nothing is said, and for one that is sent again as long as before.
func ExpiresIn(d time.Duration) Option {
	return func(c *choices) { c.lasts, c.timed = d, true }
}

// WithHistory has the guest see less of the conversation's history than the team's settings allow: what
// is written from the invitation on, or from its acceptance on. More than the team allows, nobody can
// give. It is for invitations into a conversation.
func WithHistory(policy tenancy.HistoryPolicy) Option {
	return func(c *choices) { c.history = policy }
}

// ToTeam asks the owner of the address into the inviter's team, with a role.
func ToTeam(email string, role rbac.Role, options ...Option) Request {
	return Request{email: email, kind: ToOneTeam, role: role, options: options}
}

// ToTeamAs asks the owner of the address into the inviter's team, with a custom role of the account.
func ToTeamAs(email string, role tenancy.RoleID, options ...Option) Request {
	return Request{email: email, kind: ToOneTeam, custom: role, options: options}
}

// ToConversation asks the owner of the address into one conversation, as a guest.
func ToConversation(email string, conversation tenancy.ConversationID, options ...Option) Request {
	return Request{email: email, kind: ToOneConversation, role: rbac.Restricted, conversation: conversation, options: options}
}

// checked is the request as an invitation without an inviter; the base of a custom role is not known
// yet. The error is a
// [*tenancy.InvalidError].
func (r Request) checked() (Invitation, choices, error) {
	bad := func(field, reason string) (Invitation, choices, error) {
		return Invitation{}, choices{}, &tenancy.InvalidError{Field: field, Reason: reason}
	}
	if r.kind == "" {
		return bad("invitation", "must be made with ToTeam or ToConversation")
	}
	email, err := tenancy.ParseAddress(r.email)
	if err != nil {
		return Invitation{}, choices{}, err
	}
	if r.custom.IsZero() && !r.role.InTeam() {
		return bad("role", "must be manager, member or restricted")
	}
	if r.kind == ToOneConversation && r.conversation.IsZero() {
		return bad("conversation", "must be named")
	}
	c, err := chooseAll(r.options)
	if err == nil && r.kind != ToOneConversation {
		err = c.noHistory()
	}
	return Invitation{Kind: r.kind, Conversation: r.conversation, Email: email, Role: r.role, Custom: r.custom, History: c.history}, c, err
}

// choose is what options say of an invitation that leads into no conversation.
func choose(options []Option) (choices, error) {
	c, err := chooseAll(options)
	if err != nil {
		return choices{}, err
	}
	return c, c.noHistory()
}

func (c choices) noHistory() error {
	if c.history != tenancy.HistoryAll {
		return &tenancy.InvalidError{Field: "history", Reason: "is for invitations into a conversation"}
	}
	return nil
}

func chooseAll(options []Option) (choices, error) {
	c := choices{lasts: DefaultExpiry}
	for _, set := range options {
		set(&c)
	}
	if c.lasts < MinExpiry || c.lasts > MaxExpiry {
		return choices{}, &tenancy.InvalidError{Field: "expiry", Reason: fmt.Sprintf("must be from %.0f hour to %.0f days", MinExpiry.Hours(), MaxExpiry.Hours()/24)}
	}
	if !c.history.Known() {
		return choices{}, &tenancy.InvalidError{Field: "history", Reason: "must be invitation or now, or empty for all"}
	}
	c.lasts = c.lasts.Truncate(time.Microsecond) // as it is kept
	return c, c.pending.validate()
}

// chooseAgain is choose for an invitation that is there already.
func chooseAgain(options []Option) (choices, error) {
	c, err := choose(options)
	if err == nil && c.pending != Refuse {
		err = &tenancy.InvalidError{Field: "rule for a pending invitation", Reason: "is for new invitations"}
	}
	return c, err
}
