package memory

import (
	"context"
	"slices"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// teamWord is a word in the messages of a team.
type teamWord struct {
	team tenancy.TeamID
	word conversation.Word
}

// wordLists are those in which a message is found.
func (s *Store) wordLists(m *messageRow, visit func(*list[messageRow], place)) {
	for _, word := range m.words {
		visit(lazily(s.words, teamWord{m.thread.Team, word}), placeAt(m.At, m.ID))
	}
}

// takeWords makes a change of a conversation that moves it, and takes along by which words its
// messages are found.
func (s *Store) takeWords(c *conversationRow, change func()) {
	messages := slices.Collect(merged(ascending, ascending.beginning(), &c.messages.public, &c.messages.notes))
	for _, m := range messages {
		delist(s.log, m, s.wordLists)
	}
	change()
	for _, m := range messages {
		enlist(s.log, m, s.wordLists)
	}
}

// InsertWords implements [conversation.WordStore].
func (s *Store) InsertWords(ctx context.Context, team tenancy.TeamID, m conversation.Message, words []conversation.Word) error {
	return s.write(ctx, func() error {
		row := s.messages.rows[m.ID]
		if row == nil || row.thread.Team != team {
			return nil // there is nothing to find
		}
		all := slices.Concat(row.words, words)
		if slices.ContainsFunc(words, func(w conversation.Word) bool { return slices.Contains(row.words, w) }) {
			return tenancy.ErrDuplicate
		}
		relist(s.log, row, s.wordLists, func() { set(s.log, &row.words, all) })
		return nil
	})
}

// DeleteWords implements [conversation.WordStore].
func (s *Store) DeleteWords(ctx context.Context, message tenancy.MessageID) error {
	return s.write(ctx, func() error {
		row := s.messages.rows[message]
		if row == nil {
			return nil
		}
		relist(s.log, row, s.wordLists, func() { set(s.log, &row.words, nil) })
		return nil
	})
}

// Search implements [conversation.WordStore]. It goes through the messages that have the first of the
// words.
func (s *Store) Search(ctx context.Context, team tenancy.TeamID, words []conversation.Word, notes bool, page tenancy.Keyset) ([]conversation.Message, error) {
	return read(ctx, s, func() ([]conversation.Message, error) {
		if err := between("words", len(words), 1, conversation.MaxSearch); err != nil {
			return nil, err
		}
		messages := merged(descending, descending.start(page), s.words[teamWord{team, words[0]}])
		return paged(messages, page.Limit, func(m *messageRow) (conversation.Message, bool) {
			for _, word := range words[1:] {
				if !slices.Contains(m.words, word) {
					return conversation.Message{}, false
				}
			}
			return m.copied(), notes || m.Kind != conversation.NoteMessage
		}), nil
	})
}
