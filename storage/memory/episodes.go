package memory

import (
	"cmp"
	"context"
	"math"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type episodeRow struct{ conversation.Episode }

// InsertEpisode implements [conversation.EpisodeStore].
func (s *Store) InsertEpisode(ctx context.Context, e conversation.Episode) error {
	return s.write(ctx, func() error {
		if err := checkEpisode(&e); err != nil {
			return err
		}
		c, err := referred(s.conversations.get(e.Conversation))
		if err != nil {
			return err
		}
		number := place{at: e.Number}
		if c.episodes.get(number) != nil {
			return tenancy.ErrDuplicate
		}
		enlist(s.log, &episodeRow{e}, func(_ *episodeRow, visit func(*list[episodeRow], place)) { visit(&c.episodes, number) })
		return nil
	})
}

// EndEpisode implements [conversation.EpisodeStore].
func (s *Store) EndEpisode(ctx context.Context, e conversation.Episode) error {
	return s.write(ctx, func() error {
		utc(&e.ClosedAt)
		if err := oneOf("closed on", e.ClosedOn, conversation.OnClose, conversation.OnIdle); err != nil {
			return err
		}
		c, err := s.conversations.get(e.Conversation)
		if err != nil {
			return err
		}
		row := c.episodes.get(place{at: e.Number})
		if row == nil || !row.ClosedAt.IsZero() {
			return tenancy.ErrNotFound
		}
		ended := row.Episode
		ended.ClosedAt, ended.ClosedBy, ended.ClosedOn, ended.Outcome = e.ClosedAt, e.ClosedBy, e.ClosedOn, e.Outcome
		set(s.log, &row.Episode, ended)
		return nil
	})
}

func checkEpisode(e *conversation.Episode) error {
	utc(&e.OpenedAt)
	utc(&e.ClosedAt)
	return cmp.Or(
		between("number", e.Number, 1, math.MaxInt64),
		oneOf("opened on", e.OpenedOn, conversation.OnStart, conversation.OnInbound, conversation.OnOpen),
		oneOf("closed on", e.ClosedOn, "", conversation.OnClose, conversation.OnIdle),
	)
}

// Episodes implements [conversation.EpisodeStore].
func (s *Store) Episodes(ctx context.Context, id tenancy.ConversationID, after int64, limit int) ([]conversation.Episode, error) {
	return read(ctx, s, func() ([]conversation.Episode, error) {
		c := s.conversations.rows[id]
		if c == nil {
			return nil, nil
		}
		episodes := merged(ascending, place{at: after}, &c.episodes)
		return paged(episodes, limit, func(e *episodeRow) (conversation.Episode, bool) { return e.Episode, true }), nil
	})
}
