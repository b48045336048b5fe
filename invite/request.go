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

// Request describes an invitation to create: [ToTeam] and [ToConversation] make one.
type Request struct {
	email        string
	kind         Kind
	role         rbac.Role
	conversation tenancy.ConversationID
	options      []Option
}

// Option says more about an invitation.
type Option func(*terms)

// terms are what the options set.
type terms struct{ lasts time.Duration }

// ExpiresIn sets how long the invitation can be accepted, from [MinExpiry] to [MaxExpiry]. It
// is [DefaultExpiry] where nothing is said.
func ExpiresIn(d time.Duration) Option { return func(t *terms) { t.lasts = d } }

// ToTeam asks the owner of the address into the inviter's team, with a role.
func ToTeam(email string, role rbac.Role, options ...Option) Request {
	return Request{email: email, kind: ToOneTeam, role: role, options: options}
}

// ToConversation asks the owner of the address into one conversation, as a guest.
func ToConversation(email string, conversation tenancy.ConversationID, options ...Option) Request {
	return Request{email: email, kind: ToOneConversation, role: rbac.Restricted, conversation: conversation, options: options}
}

// checked is the request as an invitation without an inviter. The error is a
// [*tenancy.InvalidError].
func (r Request) checked() (Invitation, terms, error) {
	bad := func(field, reason string) (Invitation, terms, error) {
		return Invitation{}, terms{}, &tenancy.InvalidError{Field: field, Reason: reason}
	}
	if r.kind == "" {
		return bad("invitation", "must be made with ToTeam or ToConversation")
	}
	email, err := tenancy.ParseAddress(r.email)
	if err != nil {
		return Invitation{}, terms{}, err
	}
	if !r.role.InTeam() {
		return bad("role", "must be manager, member or restricted")
	}
	if r.kind == ToOneConversation && r.conversation.IsZero() {
		return bad("conversation", "must be named")
	}
	t, err := parseTerms(r.options)
	return Invitation{Kind: r.kind, Conversation: r.conversation, Email: email, Role: r.role}, t, err
}

func parseTerms(options []Option) (terms, error) {
	t := terms{lasts: DefaultExpiry}
	for _, set := range options {
		set(&t)
	}
	if t.lasts < MinExpiry || t.lasts > MaxExpiry {
		return terms{}, &tenancy.InvalidError{Field: "expiry", Reason: fmt.Sprintf("must be from %.0f hour to %.0f days", MinExpiry.Hours(), MaxExpiry.Hours()/24)}
	}
	return t, nil
}
