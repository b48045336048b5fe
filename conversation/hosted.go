package conversation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"

	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Command is a command of the host's own: people type it like usher's, and ^help, completion and the
// checks are the same. See [WithCommand].
type Command struct {
	// Spec is how it is written: its name, which none of usher's has, its help and its parameters.
	command.Spec
	// Permission is what its author needs, in the form "object: action": one of the host's own policy
	// rows, such as "jobpost: publish", or of usher's.
	Permission string
	// WhenClosed says that a closed conversation allows it too.
	WhenClosed bool
	// Run does it and answers the text of the reply, which its author sees and nobody else: at most
	// [MaxText] bytes of UTF-8. It runs inside the transaction that has checked the author and locked the
	// conversation; with the context given, what it does through usher and its store is part of it,
	// under the checks of each method it calls, and is undone as a whole if Run fails.
	//
	// A transaction may be run again, after a deadlock for example, so what Run does elsewhere, such as
	// to call another server, is for a [outbox.Sink] that hears of what Run has written. It must not keep
	// the context, nor use one of outside, and starts nothing that goes on after it. It can be run by
	// several goroutines at once.
	Run func(ctx context.Context, call Call) (string, error)
}

// Call is what a command of the host's own was typed with.
type Call struct {
	Actor tenancy.Actor
	// Conversation is the one that it was typed into. It is locked.
	Conversation Conversation
	// Args fit the Params.
	Args command.Args
}

// HandlerError says that the Run of a command of the host's own has failed. Nothing is left of what it
// did. It is whatever the error of Run is, and [tenancy.ErrUnavailable] where Run panicked.
type HandlerError struct {
	Command string
	Err     error
	// Panic is what Run panicked with, and Stack where. They are for the host's log and no part of
	// the message.
	Panic any    `json:"-"`
	Stack []byte `json:"-"`
}

func (e *HandlerError) Error() string { return fmt.Sprintf("^%s has failed: %v", e.Command, e.Err) }

// Unwrap is the error of Run.
func (e *HandlerError) Unwrap() error { return e.Err }

var (
	errPanicked = fmt.Errorf("%w: its handler panicked", tenancy.ErrUnavailable)
	errReply    = fmt.Errorf("%w: its handler answered what is no text, or more than %d bytes of it", tenancy.ErrUnavailable, MaxText)
)

// hosted makes a verb of a command of the host's own.
func (s *Service) hosted(policy *rbac.Policy, c Command) (verb, error) {
	if c.Run == nil {
		return verb{}, errors.New("it has no Run")
	}
	perm, err := policy.ParsePermission(c.Permission)
	if err != nil {
		return verb{}, err
	}
	takes := act{perm, c.WhenClosed}
	return verb{Spec: c.Spec, takes: takes, run: func(ctx context.Context, t typed) (Reply, error) {
		if t.rehearsed {
			return Reply{Text: fmt.Sprintf("^%s would run.", c.Name)}, nil
		}
		var reply Reply
		err := s.store.InTx(ctx, func(ctx context.Context) error {
			v, err := s.enter(ctx, t.actor, t.id, takes)
			if err != nil {
				return err
			}
			reply.Text, err = c.handle(ctx, Call{Actor: t.actor, Conversation: v.Conversation, Args: maps.Clone(t.args)})
			return err
		})
		return answer(err, "%s", reply.Text)
	}}, policy.Check(perm)
}

// handle runs the host's code, and answers whatever goes wrong in it as an error.
func (c Command) handle(ctx context.Context, call Call) (text string, err error) {
	defer func() {
		if p := recover(); p != nil {
			text, err = "", &HandlerError{Command: c.Name, Err: errPanicked, Panic: p, Stack: debug.Stack()}
		}
	}()
	if text, err = c.Run(ctx, call); err == nil && text != "" && validText(text) != nil {
		err = errReply
	}
	if err != nil {
		return "", &HandlerError{Command: c.Name, Err: err}
	}
	return text, nil
}
