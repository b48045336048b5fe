package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// wordBatch is how many words one statement inserts. Most messages have fewer.
const wordBatch = 32

type wordStatements struct {
	// insert has the form for i+1 words at i.
	insert [wordBatch]string
	remove string
	move   string
	// search has a form for each number of words, without notes and with them.
	search map[searchForm]pages
}

// searchForm is which conditions a search has.
type searchForm struct {
	words int
	notes bool
}

func (c *compiler) words() wordStatements {
	s := wordStatements{
		remove: c.sql(`DELETE FROM usher_words WHERE message_id = ?`),
		move: c.sql(`UPDATE usher_words SET team_id = ?
			WHERE message_id IN (SELECT id FROM usher_messages WHERE conversation_id = ?)`),
		search: map[searchForm]pages{},
	}
	for i := range s.insert {
		s.insert[i] = c.sql(`INSERT INTO usher_words (team_id, word, sent_at, message_id) VALUES`, list("(?, ?, ?, ?)", i+1))
	}
	newest := newestFirst("w.sent_at", "w.message_id")
	for n := 1; n <= conversation.MaxSearch; n++ {
		for _, notes := range []bool{false, true} {
			form := searchForm{words: n, notes: notes}
			s.search[form] = c.pages(newest, form.parts()...)
		}
	}
	return s
}

// parts are a search for the message that have its words: those that have the first one, looked up
// in the index under each of the others.
func (f searchForm) parts() []string {
	parts := []string{`SELECT ` + messageColumns + ` FROM usher_words w`}
	for i := 1; i < f.words; i++ {
		parts = append(parts, fmt.Sprintf(`JOIN usher_words w%d ON w%[1]d.team_id = w.team_id AND w%[1]d.word = ?
			AND w%[1]d.sent_at = w.sent_at AND w%[1]d.message_id = w.message_id`, i))
	}
	parts = append(parts, `JOIN usher_messages m ON m.id = w.message_id
		JOIN usher_conversations c ON c.id = m.conversation_id
		WHERE w.team_id = ? AND c.team_id = ? AND w.word = ?`)
	if !f.notes {
		parts = append(parts, `AND m.kind <> 'note'`)
	}
	return parts
}

// InsertWords implements [conversation.WordStore].
func (s *Store) InsertWords(ctx context.Context, team tenancy.TeamID, m conversation.Message, words []conversation.Word) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	for batch := range slices.Chunk(words, wordBatch) {
		var args []any
		for _, word := range batch {
			args = append(args, team, int64(word), micros(m.At), m.ID)
		}
		if _, err := s.exec(ctx, s.words.insert[len(batch)-1], args...); err != nil {
			return err
		}
	}
	return nil
}

// DeleteWords implements [conversation.WordStore].
func (s *Store) DeleteWords(ctx context.Context, message tenancy.MessageID) error {
	_, err := s.exec(ctx, s.words.remove, message)
	return err
}

// Search implements [conversation.WordStore].
func (s *Store) Search(ctx context.Context, team tenancy.TeamID, words []conversation.Word, notes bool, page tenancy.Keyset) ([]conversation.Message, error) {
	form := searchForm{words: len(words), notes: notes}
	if _, ok := s.words.search[form]; !ok {
		return nil, &tenancy.InvalidError{Field: "words", Reason: fmt.Sprintf("must be from 1 to %d", conversation.MaxSearch)}
	}
	var args []any
	for _, word := range words[1:] {
		args = append(args, int64(word))
	}
	args = append(args, team, team, int64(words[0]))
	return paged(ctx, s, scanMessage, s.words.search[form], page, args...)
}
