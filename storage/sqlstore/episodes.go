package sqlstore

import (
	"context"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type episodeStatements struct{ insert, end, listed string }

func (c *compiler) episodes() episodeStatements {
	return episodeStatements{
		insert: c.sql(`INSERT INTO usher_episodes (conversation_id, number, first_seq, opened_at, opened_by, opened_on,
			closed_at, closed_by, closed_on, outcome) VALUES (`, list("?", 10), `)`),
		end: c.sql(`UPDATE usher_episodes SET closed_at = ?, closed_by = ?, closed_on = ?, outcome = ?
			WHERE conversation_id = ? AND number = ? AND closed_at IS NULL`),
		listed: c.sql(`SELECT conversation_id, number, first_seq, opened_at, opened_by, opened_on, closed_at, closed_by,
			closed_on, outcome FROM usher_episodes WHERE conversation_id = ? AND number > ? ORDER BY number LIMIT ?`),
	}
}

func scanEpisode(r row) (conversation.Episode, error) {
	var e conversation.Episode
	err := r.Scan(id(&e.Conversation), &e.Number, &e.FirstSeq, at(&e.OpenedAt), &e.OpenedBy, &e.OpenedOn,
		at(&e.ClosedAt), &e.ClosedBy, &e.ClosedOn, &e.Outcome)
	return e, err
}

// InsertEpisode implements [conversation.EpisodeStore].
func (s *Store) InsertEpisode(ctx context.Context, e conversation.Episode) error {
	_, err := s.exec(ctx, s.episodes.insert, e.Conversation, e.Number, e.FirstSeq, micros(e.OpenedAt), e.OpenedBy,
		e.OpenedOn, e.ClosedAt, e.ClosedBy, e.ClosedOn, e.Outcome)
	return err
}

// EndEpisode implements [conversation.EpisodeStore].
func (s *Store) EndEpisode(ctx context.Context, e conversation.Episode) error {
	changed, err := s.exec(ctx, s.episodes.end, e.ClosedAt, e.ClosedBy, e.ClosedOn, e.Outcome, e.Conversation, e.Number)
	if err == nil && changed == 0 {
		return tenancy.ErrNotFound
	}
	return err
}

// Episodes implements [conversation.EpisodeStore].
func (s *Store) Episodes(ctx context.Context, id tenancy.ConversationID, after int64, limit int) ([]conversation.Episode, error) {
	return all(ctx, s, scanEpisode, s.episodes.listed, id, after, limit)
}
