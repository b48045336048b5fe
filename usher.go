package usher

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Usher is the rooms, wired. It is safe for concurrent use and starts nothing by itself: what
// is to be mailed goes out when the host calls Relay.Step or Relay.Run.
type Usher struct {
	Tenancy       *tenancy.Service
	Invites       *invite.Service
	Conversations *conversation.Service
	// Relay hands what has happened to the mailer and to the host's sinks, each in a lane of its own.
	Relay  *outbox.Relay
	Policy *rbac.Policy
}

// Option configures [New].
type Option func(*config)

type config struct {
	env    tenancy.Env
	rows   []rbac.Row
	mailer invite.Mailer
	sender conversation.Sender
	limits invite.Limits
	base   string
	desk   []conversation.Option
	sinks  []namedSink
	relay  []outbox.Option
}

// WithPolicy adds the host's own rows to the policy: its own objects and actions, or other
// rights for the roles.
func WithPolicy(rows ...rbac.Row) Option {
	return func(c *config) { c.rows = append(c.rows, rows...) }
}

// WithMailer sets who sends invitations, and with them deliveries by e-mail. It needs
// [WithInviteURL].
func WithMailer(m invite.Mailer) Option { return func(c *config) { c.mailer = m } }

// WithSender sets who brings messages to contacts. Without one, or with nil, they stay queued and carry no
// opt-out text, for a host whose contacts read them from usher; see [conversation.Service.Sending].
func WithSender(s conversation.Sender) Option { return func(c *config) { c.sender = s } }

// WithInviteURL sets where the links in invitations lead. The host of a link comes from here
// and from nowhere else; see [invite.ParseLinkBase] for what is allowed.
func WithInviteURL(url string) Option { return func(c *config) { c.base = url } }

// WithInviteLimits bounds how many invitations can be pending, and how often each can be sent
// again. What is zero stays at its default.
func WithInviteLimits(l invite.Limits) Option { return func(c *config) { c.limits = l } }

// WithOptOutWords adds the host's own words to those by which contacts opt out of messages and in again.
func WithOptOutWords(words conversation.OptWords) Option {
	return func(c *config) { c.desk = append(c.desk, conversation.WithOptWords(words)) }
}

// WithCommand adds a command of the host's own to those that people type: see [conversation.Command].
// Its permission may be one that [WithPolicy] adds.
func WithCommand(command conversation.Command) Option {
	return func(c *config) { c.desk = append(c.desk, conversation.WithCommand(command)) }
}

// WithRelay sets how the Relay works; [outbox.WithErrors] is the option that most hosts want.
func WithRelay(options ...outbox.Option) Option {
	return func(c *config) { c.relay = append(c.relay, options...) }
}

// WithClock replaces the clock, for tests.
func WithClock(now func() time.Time) Option { return func(c *config) { c.env.Clock = now } }

// WithIDs replaces the source of ids, for tests.
func WithIDs(next func() uuid.UUID) Option { return func(c *config) { c.env.IDs = next } }

// New wires the rooms on a store. It fails when the policy is not sound or does not name a
// permission that an operation or a command asks for, for a negative limit, when a mailer has no valid
// invite URL, and when a sink or a command has no name of its own.
func New(store storage.Store, options ...Option) (*Usher, error) {
	if store == nil {
		return nil, errors.New("usher: New needs a store, such as memory.New()")
	}
	var c config
	for _, set := range options {
		set(&c)
	}
	var err error
	if c.env.Lanes, err = c.lanes(); err != nil {
		return nil, err
	}
	policy, err := rbac.NewPolicy(c.rows...)
	if err != nil {
		return nil, err
	}
	u := &Usher{Policy: policy}
	if u.Tenancy, err = tenancy.New(store, policy, c.env); err != nil {
		return nil, err
	}
	if u.Invites, err = invite.New(store, u.Tenancy, policy, c.env, c.limits); err != nil {
		return nil, err
	}
	if u.Conversations, err = conversation.New(store, u.Tenancy, u.Invites, policy, c.env, c.desk...); err != nil {
		return nil, err
	}
	sinks, err := c.outlets(u)
	if err != nil {
		return nil, err
	}
	relay := append([]outbox.Option{outbox.WithClock(c.env.Now)}, c.relay...)
	u.Relay = outbox.NewRelay(store, sinks, relay...)
	return u, nil
}

// Check answers nil if the actor's role has the permission in the whole team, and otherwise
// an error that says what was missing; see [tenancy.Service.Check].
func (u *Usher) Check(ctx context.Context, actor tenancy.Actor, perm rbac.Permission) error {
	return u.Tenancy.Check(ctx, actor, perm)
}

// Can is Check as a yes or no; see [tenancy.Service.Can]. About one conversation ask
// u.Conversations.Can.
func (u *Usher) Can(ctx context.Context, actor tenancy.Actor, perm rbac.Permission) (bool, error) {
	return u.Tenancy.Can(ctx, actor, perm)
}

// Explain is Check with the reason, for a principal of any kind; see [tenancy.Service.Explain]. About
// one conversation ask u.Conversations.Explain.
func (u *Usher) Explain(ctx context.Context, by tenancy.Principal, perm rbac.Permission) (tenancy.Decision, error) {
	return u.Tenancy.Explain(ctx, by, perm, rbac.ByTeam)
}

// Capabilities lists all that the actor may do in their team, and why not the rest; see
// [tenancy.Service.Capabilities]. About one conversation ask u.Conversations.Capabilities.
func (u *Usher) Capabilities(ctx context.Context, actor tenancy.Actor) (tenancy.Capabilities, error) {
	return u.Tenancy.Capabilities(ctx, actor)
}

// Doctor looks through the data of all accounts for broken invariants and yields each that it
// finds: what no operation of usher leaves behind, but a restored backup or a hand in the database
// may. It changes nothing; see [tenancy.Service.Diagnose].
func (u *Usher) Doctor(ctx context.Context, by tenancy.System) iter.Seq2[tenancy.Finding, error] {
	return u.Tenancy.Diagnose(ctx, by, slices.Concat(tenancy.Flaws(), invite.Flaws(), conversation.Flaws())...)
}
