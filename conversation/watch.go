package conversation

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Update is one event of a conversation, as its watcher may know it.
type Update struct {
	// Seq is where the event stands in the conversation's stream: what to resume after. It is not
	// the Seq of a message, which is in the Facts.
	Seq  int64
	Kind string
	At   time.Time
	// By is on whose behalf it happened: "user:<id>" or "system:<name>". A guest is not told.
	By string
	// Facts are ids and states by name, as the kind has them; never names, addresses or text, which
	// are there to be read by the ids.
	Facts tenancy.Facts
}

// Watch yields what happens in a conversation, from the first event after a sequence on: 0 for all
// that ever happened, or the Seq of the last update to resume without a gap and without a repetition.
// Once there is no more it waits; [postgres.WithNotify] and [sqlstore.WithPolling] say how long an event
// takes. It never ends by itself: break off, or end ctx. Nothing is left of it then; and who is slow with
// one update gets the next later, and holds nothing up.
//
// A guest hears of the messages that [Service.Messages] shows them, and since they were let in of
// closing, opening, snoozing and waking; never of notes, other people or what the team does with the
// conversation. Who may not read notes does not hear of them.
//
// The right to read the conversation is looked at again before each update, and from time to time
// while nothing happens. So a resumed watch costs the check of a [Service.Get] for each event that
// has passed, and a revocation holds from the first update after its commit on. The last thing yielded is
// then the error that Get answers, or the ctx's.
//
// Errors: [*tenancy.InvalidError] for a negative sequence, [tenancy.ErrNotFound] where the actor may
// not see the conversation (any more), [rbac.ErrDenied], [tenancy.ErrUnavailable], after which to resume is safe.
// It fails inside a transaction.
//
// [postgres.WithNotify]: https://pkg.go.dev/github.com/usher-go/usher/storage/postgres#WithNotify
// [sqlstore.WithPolling]: https://pkg.go.dev/github.com/usher-go/usher/storage/sqlstore#WithPolling
func (s *Service) Watch(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, after int64) iter.Seq2[Update, error] {
	return func(yield func(Update, error) bool) {
		err := s.watch(ctx, actor, id, after, func(u Update) bool { return yield(u, nil) })
		if err != nil {
			yield(Update{}, err)
		}
	}
}

// patience is how long nothing may happen until the right to wait for it is looked at again.
const patience = 15 * time.Second

// watch hands out updates until one is not taken, which is no error.
func (s *Service) watch(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, after int64, hand func(Update) bool) error {
	if after < 0 {
		return &tenancy.InvalidError{Field: "after", Reason: "must not be negative"}
	}
	v, err := s.look(ctx, actor, id, reading)
	if err != nil {
		return err
	}
	looked := s.env.Now()
	for page, err := range s.store.Follow(ctx, v.in().Stream, after) {
		if err != nil {
			return err
		}
		now := s.env.Now()
		if len(page) == 0 && now.Sub(looked) < patience {
			continue
		}
		looked = now // and not when the watcher, who may be slow, has taken the page
		more, err := s.handOut(ctx, actor, id, page, hand)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// handOut looks before each event, and once if there is none. The look comes after the event was
// read: what it was committed after, the look sees, on every engine and without a transaction. The other
// way round, a revocation and the next event would fit in between.
func (s *Service) handOut(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, page []outbox.Event, hand func(Update) bool) (more bool, err error) {
	if len(page) == 0 {
		_, err := s.look(ctx, actor, id, reading)
		return true, err
	}
	for _, e := range page {
		v, err := s.look(ctx, actor, id, reading)
		if err != nil {
			return false, err
		}
		u, shown, err := v.update(e)
		if err != nil {
			return false, err
		}
		if shown && !hand(u) {
			return false, nil
		}
	}
	return true, nil
}

var (
	aboutNotes = []string{NoteWritten, NoteEdited, NoteDeleted}
	// forGuests are the kinds that guests hear of, and the facts that they are told: what they could
	// read for themselves. A kind that is new is not theirs until somebody puts it here.
	forGuests = map[string][]string{
		MessageReceived:      {"conversation", "message", "seq"},
		MessageSent:          {"conversation", "message", "seq"},
		MessagePosted:        {"conversation", "message", "seq"},
		MessageEdited:        {"conversation", "message", "seq"},
		MessageDeleted:       {"conversation", "message", "seq"},
		MessageStatusChanged: {"conversation", "message", "seq", "status"},
		ConversationClosed:   {"conversation"},
		ConversationOpened:   {"conversation"},
		ConversationSnoozed:  {"conversation"},
		ConversationWoken:    {"conversation"},
	}
)

// update is an event as the actor may know it, if they may know of it at all.
func (v view) update(e outbox.Event) (u Update, shown bool, err error) {
	u = Update{Seq: e.Sequence, Kind: e.Kind, At: e.At, By: e.Principal}
	if err := json.Unmarshal(e.Payload, &u.Facts); err != nil {
		return Update{}, false, fmt.Errorf("usher: the payload of event %s: %w", e.ID, err)
	}
	if !v.guest() {
		return u, v.shown().Notes || !slices.Contains(aboutNotes, e.Kind), nil
	}
	told, theirs := forGuests[e.Kind]
	if !theirs || !v.begun(u) {
		return Update{}, false, nil
	}
	facts := tenancy.Facts{}
	for _, name := range told {
		facts[name] = u.Facts[name]
	}
	u.By, u.Facts = "", facts
	return u, true, nil
}

// begun reports whether what a guest sees of the conversation had begun with the event: it is about a
// message that they see, whenever it was edited or deleted, or it happened since they were let in.
func (v view) begun(u Update) bool {
	seq, err := strconv.ParseInt(u.Facts["seq"], 10, 64)
	if err != nil {
		return !u.At.Before(v.grant.AcceptedAt)
	}
	return seq > v.shown().After
}
