package conversation

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// ReadMark is how far one user has read one conversation. Nothing is written for a reader when a
// message comes: what is unread is counted from the mark on.
//
// A mark is its user's own. Nobody else is told of it, and it changes nothing of the conversation,
// so moving it is no event of the conversation's stream: a hundred readers of one thread do not wait
// for each other, nor for those who write.
type ReadMark struct {
	Conversation tenancy.ConversationID
	User         tenancy.UserID
	// Seq is the last message that has been read; 0 is none.
	Seq     int64
	At      time.Time
	Version int64
}

// MarkRead notes that the actor has read the conversation up to and including a message. It only
// ever moves forward, so that a device that lags behind takes nothing back; [Service.MarkUnread]
// moves back. A sequence past the newest message means the newest. What changes nothing writes
// nothing.
//
// Errors: [*tenancy.InvalidError] for a negative sequence, [tenancy.ErrNotFound], [rbac.ErrDenied].
func (s *Service) MarkRead(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, seq int64) (ReadMark, error) {
	return s.mark(ctx, actor, id, "MarkRead", seq, func(mark, newest int64) (int64, error) {
		return max(mark, min(seq, newest)), nil
	})
}

// MarkUnread makes a message, and all after it, unread again, exactly: whatever was read before, the
// mark stands just before that message. The errors are those of [Service.MarkRead], and the sequence
// is that of a message of the conversation.
func (s *Service) MarkUnread(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, seq int64) (ReadMark, error) {
	return s.mark(ctx, actor, id, "MarkUnread", seq, func(_, newest int64) (int64, error) {
		if seq < 1 || seq > newest {
			return 0, &tenancy.InvalidError{Field: "sequence", Reason: "must be that of a message of the conversation"}
		}
		return seq - 1, nil
	})
}

func (s *Service) mark(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, name string, seq int64,
	to func(mark, newest int64) (int64, error),
) (ReadMark, error) {
	if seq < 0 {
		return ReadMark{}, &tenancy.InvalidError{Field: "sequence", Reason: "must not be negative"}
	}
	return tenancy.Do(ctx, s.store, s.env, actor, name, []any{actor.Team, id, seq}, func(ctx context.Context) (ReadMark, error) {
		v, err := s.look(ctx, actor, id, marking)
		if err != nil {
			return ReadMark{}, err
		}
		mark, write, err := s.readMark(ctx, id, actor.User)
		if err != nil {
			return ReadMark{}, err
		}
		newest, err := s.newest(ctx, v)
		if err != nil {
			return ReadMark{}, err
		}
		moved, err := to(mark.Seq, newest)
		if err != nil || moved == mark.Seq {
			return mark, err
		}
		mark.Seq, mark.At = moved, s.env.Now()
		if err := write(ctx, mark); err != nil {
			return ReadMark{}, err
		}
		mark.Version++
		return mark, nil
	})
}

// newest is the sequence of the newest message that the actor sees; 0 is none. A guest is not told
// of what was written beside them.
func (s *Service) newest(ctx context.Context, v view) (int64, error) {
	if !v.guest() {
		return v.LastSeq, nil
	}
	r := v.shown()
	r.Newest, r.Limit = true, 1
	found, err := s.store.Messages(ctx, v.ID, r)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0].Seq, nil
}

// ReadMark reads how far the actor has read the conversation: Seq 0 where they never marked it, which
// is where a user interface draws its line above what is new.
//
// Errors: [tenancy.ErrNotFound] where the actor may not see the conversation, [rbac.ErrDenied].
func (s *Service) ReadMark(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (ReadMark, error) {
	if _, err := s.look(ctx, actor, id, reading); err != nil {
		return ReadMark{}, err
	}
	mark, err := s.store.ReadMark(ctx, id, actor.User)
	if notFound(err) {
		return ReadMark{Conversation: id, User: actor.User}, nil
	}
	return mark, err
}

// readMark locks a user's mark, or makes the first one, and answers how it is written.
func (s *Service) readMark(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (ReadMark, func(context.Context, ReadMark) error, error) {
	mark, err := s.store.LockReadMark(ctx, id, user)
	if notFound(err) {
		return ReadMark{Conversation: id, User: user}, s.store.InsertReadMark, nil
	}
	return mark, s.store.UpdateReadMark, err
}

// Unread counts, for each of the conversations, what others have said since the actor's mark: the
// contact's messages, answers, and notes for those who may read notes. A conversation without
// unread messages, or that the actor may not see, is not in the answer. The conversations are at
// most [tenancy.MaxLimit], a page of them; it is one statement whatever their number.
//
// What it costs grows with what is unread.
//
// Errors: [*tenancy.InvalidError] for too many, [rbac.ErrDenied].
func (s *Service) Unread(ctx context.Context, actor tenancy.Actor, ids ...tenancy.ConversationID) (map[tenancy.ConversationID]int, error) {
	if len(ids) > tenancy.MaxLimit {
		return nil, &tenancy.InvalidError{Field: "conversations", Reason: fmt.Sprintf("must be at most %d", tenancy.MaxLimit)}
	}
	scope, standing, err := s.mayList(ctx, actor)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	found, err := s.store.Unread(ctx, scope, actor.User, standing.Allows(rbac.ReadNote), ids)
	if err != nil {
		return nil, err
	}
	unread := make(map[tenancy.ConversationID]int, len(found))
	for _, u := range found {
		unread[u.Conversation] = u.Messages
	}
	return unread, nil
}
