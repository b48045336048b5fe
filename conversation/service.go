package conversation

import (
	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Service holds every rule of conversations. Build it with [New]; it is safe for concurrent use.
type Service struct {
	store   Store
	people  *tenancy.Service
	invites *invite.Service
	env     tenancy.Env

	words    lexicon
	commands command.Set
	verbs    map[string]verb
}

// Option configures [New].
type Option func(*config)

type config struct {
	words    OptWords
	commands []Command
}

// WithOptWords adds the host's own words to those by which contacts opt out and in.
func WithOptWords(words OptWords) Option { return func(c *config) { c.words = words } }

// WithCommand adds a command of the host's own to those that people can type.
func WithCommand(c Command) Option {
	return func(cfg *config) { cfg.commands = append(cfg.commands, c) }
}

// New builds the service and binds it to the other rooms: it admits guests for accepted
// invitations, frees what departing members held, clears out teams that are archived and forgets
// the addresses of deleted users. It fails when the policy does not name
// a permission that an operation or a command asks for, for opt-out words that cannot be, and for a
// command that has no Run or cannot be written, or that has the name of another.
func New(store Store, people *tenancy.Service, invites *invite.Service, policy *rbac.Policy, env tenancy.Env, options ...Option) (*Service, error) {
	asked := []rbac.Permission{
		rbac.ReadConversations, rbac.ListConversations, rbac.ReadNote, rbac.ReadContact, rbac.ListMembers, rbac.RevokeGuest, rbac.ReadTeam,
		rbac.InviteMember,
	}
	for _, act := range acts() {
		asked = append(asked, act.permission)
	}
	if err := policy.Check(asked...); err != nil {
		return nil, err
	}
	var c config
	for _, set := range options {
		set(&c)
	}
	words, err := newLexicon(c.words)
	if err != nil {
		return nil, err
	}
	s := &Service{store: store, people: people, invites: invites, env: env, words: words}
	if err := s.learn(policy, c.commands); err != nil {
		return nil, err
	}
	invites.Bind(s)
	people.Bind(s)
	people.BindArchivist(s)
	people.BindErasures(s)
	return s, nil
}
