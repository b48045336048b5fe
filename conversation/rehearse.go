package conversation

import (
	"context"
	"errors"

	"github.com/usher-go/usher/tenancy"
)

// errUndone ends a rehearsal that went well.
var errUndone = errors.New("usher: a rehearsal leaves nothing behind")

// Preview answers what [Service.Type] would answer to the line now, and changes nothing: the command or
// text runs, with every check, in a transaction that is rolled back. What it says holds for this
// moment only. A message that would be written comes without an id. A command of the host's own is
// checked and not run, since what its code does cannot all be undone.
//
// It costs what the line costs, and holds the same locks meanwhile: it is for a question before the
// line is sent, and not for each key. For that there is [Service.Complete]. In a transaction of the
// host's it runs in a savepoint; a [Command] must not call it.
//
// The errors are those of Type.
func (s *Service) Preview(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, line string) (Reply, error) {
	var reply Reply
	err := s.store.InTx(tenancy.WithKey(ctx, ""), func(ctx context.Context) (err error) {
		if reply, err = s.typeLine(ctx, line, typed{Service: s, actor: actor, id: id, rehearsed: true}); err != nil {
			return err
		}
		return errUndone
	})
	if !errors.Is(err, errUndone) {
		return Reply{}, err
	}
	if reply.Message != nil {
		reply.Message.ID = tenancy.MessageID{}
	}
	return reply, nil
}
