package conversation

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/tenancy"
)

// Reply is what [Service.Type] made of a line.
type Reply struct {
	// Message is what was written to the conversation; nil where nothing was.
	Message *Message
	// Text is the answer to a command. It is for its author only, and kept for a repetition of the line
	// and nothing else.
	Text string
}

// CommandError says that a line begins a command and is none. It is [tenancy.ErrInvalid] and
// wraps a [*command.Error].
type CommandError struct{ Err error }

func (e *CommandError) Error() string { return e.Err.Error() }

// Unwrap is the parser's error.
func (e *CommandError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, tenancy.ErrInvalid) true.
func (e *CommandError) Is(target error) bool { return target == tenancy.ErrInvalid }

// Type takes a line as a person typed it: ^name begins a command, ^^ a text that begins with
// a caret, and all else is sent like [Service.Send]. A command calls the same methods as the
// host would, so the same checks run. One that is unknown or fails is an error; in no case is
// it sent to the contact. Guests cannot run any. docs/commands.md lists them. Files ([Attach]) come along with
// a text and a note; with any other command they are refused.
//
// The same line with the same [ClientID], or under the same key of [tenancy.WithKey], runs once, and
// answers the first reply from then on, for as long as the actor sees the conversation; another
// command to this conversation with that id, or any with that key, is [tenancy.ErrKeyReused]. What failed runs anew. Such a command is one
// transaction as a whole. The client id of a command is kept like a key, until
// [tenancy.Service.ForgetKeys].
//
// Errors: [*CommandError], [*tenancy.InvalidError], [tenancy.ErrKeyReused], those of the method that the command calls, and
// [*HandlerError] for a command of the host's own.
func (s *Service) Type(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, line string, options ...SendOption) (Reply, error) {
	return s.typeLine(ctx, line, typed{Service: s, actor: actor, id: id, options: options})
}

func (s *Service) typeLine(ctx context.Context, line string, t typed) (Reply, error) {
	if len(line) > MaxText { // before it is read at all
		return Reply{}, validText(line)
	}
	parsed, err := s.commands.Parse(line)
	if text, ok := parsed.(command.Text); ok {
		m, err := s.say(ctx, t.actor, t.id, OutboundMessage, string(text), t.options)
		if err != nil {
			return Reply{}, err
		}
		return Reply{Message: &m}, nil
	}
	seen, refused := s.mayCommand(ctx, t.actor, t.id)
	if refused != nil {
		return Reply{}, refused
	}
	if err != nil {
		return Reply{}, &CommandError{Err: err}
	}
	c, _ := parsed.(command.Command) // without an error there is nothing else left
	t.seen, t.args = seen, c.Args
	return s.perform(ctx, s.verbs[c.Name], line, t)
}

// perform runs a command, and once for each key and for each client id, whichever it is given. The
// request is the line and not what the command makes of it: ^snooze 2h is another time each time.
func (s *Service) perform(ctx context.Context, v verb, line string, t typed) (Reply, error) {
	run := func(ctx context.Context) (Reply, error) {
		// Before anything is looked up that the line names, so that who may not deliver does not learn
		// which teams there are.
		if err := t.seen.allows(v.takes); err != nil {
			return Reply{}, err
		}
		return v.run(ctx, t)
	}
	once := func(next func(context.Context) (Reply, error)) func(context.Context) (Reply, error) {
		return func(ctx context.Context) (Reply, error) {
			return tenancy.Do(ctx, s.store, s.env, t.actor, "Type", []any{t.actor.Team, t.id, line}, next)
		}
	}
	o, err := chosen(t.options)
	switch {
	case err != nil:
		return Reply{}, err
	case len(o.attachments) > 0 && !v.writes():
		return Reply{}, &tenancy.InvalidError{Field: "attachments", Reason: fmt.Sprintf("must go with a message or a note, and not with ^%s", v.Name)}
	}
	if o.repeatable {
		key, keyed := keyOf("command", t.id.String(), o.clientID), once(run)
		run = func(ctx context.Context) (Reply, error) {
			return keyed(tenancy.WithKey(ctx, "command:"+hex.EncodeToString(key[:])))
		}
	}
	if tenancy.Keyed(ctx) {
		run = once(run)
	}
	return run(ctx)
}

// mayCommand is the conversation of a command. It refuses who may not see it, and guests, before
// anything is said about the command.
func (s *Service) mayCommand(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (view, error) {
	v, err := s.look(ctx, actor, id, reading)
	if err != nil {
		return view{}, err
	}
	if err := whole(v.standing); err != nil {
		return view{}, fmt.Errorf("commands are not for guests: %w", err)
	}
	return v, nil
}
