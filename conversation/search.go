package conversation

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// MaxQuery bounds the text of a search.
const MaxQuery = 255 // bytes

// Search lists the messages of the team's conversations, open and closed, that have every word of the
// text, newest first, notes only for those who read notes. What a word is says [Words]: it is found
// whole, so "inter" does not find "interview". At most [MaxSearch] words can be searched for. Deleted
// messages are not found, and edited ones by what they say now.
//
// It takes the right to read all of the team's conversations: guests cannot search, not even in what
// they see. Go on with the messages around a found one by [Service.Messages] and
// [Service.MessagesBefore].
//
// Errors: [*tenancy.InvalidError], [rbac.ErrDenied].
func (s *Service) Search(ctx context.Context, actor tenancy.Actor, text string, page tenancy.Page) (tenancy.List[Message], error) {
	var none tenancy.List[Message]
	words, err := searched(text)
	if err != nil {
		return none, err
	}
	keyset, err := page.Keyset("search", actor, words)
	if err != nil {
		return none, err
	}
	standing, err := s.seesAll(ctx, actor)
	if err != nil {
		return none, err
	}
	found, err := s.store.Search(ctx, actor.Team, words, standing.Allows(rbac.ReadNote), keyset)
	if err != nil {
		return none, err
	}
	key := func(m Message) (time.Time, uuid.UUID) { return m.At, m.ID.UUID() }
	return tenancy.Paged(found, keyset, key, "search", actor, words), nil
}

// searched are the words of a search, those first that tell most apart: long ones are rarer, and a
// store goes through the messages that have the first.
func searched(text string) ([]Word, error) {
	if len(text) > MaxQuery {
		return nil, &tenancy.InvalidError{Field: "search", Reason: fmt.Sprintf("must have at most %d bytes", MaxQuery)}
	}
	var words []Word
	for _, spelled := range byLength(spell(text)) {
		words = append(words, wordOf(spelled))
	}
	if len(words) == 0 || len(words) > MaxSearch {
		return nil, &tenancy.InvalidError{Field: "search", Reason: fmt.Sprintf("must have 1 to %d different words", MaxSearch)}
	}
	return words, nil
}
