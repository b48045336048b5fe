package conversation

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Episode is the work on a conversation from its opening to its closing. What came of it and how
// long it took belong to the episode: a conversation has a new one each time it is opened again.
// Snoozing ends none.
type Episode struct {
	Conversation tenancy.ConversationID
	// Number counts 1, 2, 3 … along the conversation.
	Number int64
	// FirstSeq is the sequence of its first message, also before there is one. What is written to
	// a closed conversation belongs to the episode that has ended.
	FirstSeq int64
	OpenedAt time.Time
	OpenedBy string
	// OpenedOn is how it began: OnStart, OnInbound or OnOpen.
	OpenedOn Event
	// ClosedAt is zero while it goes on, and the rest empty.
	ClosedAt time.Time
	ClosedBy string
	// ClosedOn is how it ended: OnClose or OnIdle.
	ClosedOn Event
	// Outcome is what it was closed with; empty where nothing was said.
	Outcome Label
}

// Episodes reads at most limit episodes of a conversation (0 means [tenancy.DefaultLimit]) after
// a number, oldest first. It is for those who see all of the team's conversations: how often one
// was opened is nothing that a guest with a part of its history may count.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied].
func (s *Service) Episodes(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, after int64, limit int) ([]Episode, error) {
	limit, err := checkedLimit(limit)
	if err != nil {
		return nil, err
	}
	if _, err := s.look(ctx, actor, id, act{rbac.ReadConversations, true}); err != nil {
		return nil, err
	}
	return s.store.Episodes(ctx, id, max(after, 0), limit)
}

// checkedLimit is how many rows to read at most.
func checkedLimit(limit int) (int, error) {
	if limit == 0 {
		return tenancy.DefaultLimit, nil
	}
	if limit < 0 || limit > tenancy.MaxLimit {
		return 0, &tenancy.InvalidError{Field: "limit", Reason: fmt.Sprintf("must be from 1 to %d", tenancy.MaxLimit)}
	}
	return limit, nil
}

// begin starts the next episode of a conversation that is stored.
func (s *Service) begin(ctx context.Context, by tenancy.Principal, c Conversation, on Event, now time.Time) error {
	return s.store.InsertEpisode(ctx, Episode{
		Conversation: c.ID, Number: c.Episode, FirstSeq: c.LastSeq + 1,
		OpenedAt: now, OpenedBy: by.Principal(), OpenedOn: on,
	})
}
