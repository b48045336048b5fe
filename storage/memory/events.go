package memory

import (
	"bytes"
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/internal/follow"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// stream is the part of a row that its events count along: the one with sequence 1, and so on.
type stream struct{ events []*eventRow }

type eventRow struct{ outbox.Event }

// Append implements [outbox.Appender].
func (s *Store) Append(ctx context.Context, events ...outbox.Event) error {
	return s.write(ctx, func() error {
		for _, e := range events {
			if err := s.append(e); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) append(e outbox.Event) error {
	stream, err := s.stream(e.Stream)
	if err != nil {
		return err
	}
	utc(&e.At)
	lanes := e.Lanes
	e.Sequence = int64(len(stream.events)) + 1
	e.Payload, e.Lanes = bytes.Clone(e.Payload), nil
	row := &eventRow{e}
	if err := s.events.insert(e.ID, row); err != nil {
		return err
	}
	set(s.log, &stream.events, append(stream.events, row))
	s.grown = append(s.grown, e.Stream.ID)
	if e.Team != uuid.Nil {
		enlist(s.log, row, s.logLists)
		feed := lazily(s.feeds, e.Team)
		set(s.log, &feed.events, append(feed.events, row))
		s.grown = append(s.grown, e.Team)
	}
	for _, lane := range lanes {
		if err := s.enqueue(row, lane); err != nil {
			return err
		}
	}
	return nil
}

// stream finds what an event's sequence counts along.
func (s *Store) stream(of outbox.Stream) (*stream, error) {
	if err := oneOf("stream", of.Kind, outbox.AccountStream, outbox.UserStream, outbox.TeamStream,
		outbox.ContactStream, outbox.ConversationStream); err != nil {
		return nil, err
	}
	switch of.Kind {
	case outbox.AccountStream:
		if row := s.accounts.rows[tenancy.AccountID(of.ID)]; row != nil {
			return &row.stream, nil
		}
	case outbox.UserStream:
		if row := s.users.rows[tenancy.UserID(of.ID)]; row != nil {
			return &row.stream, nil
		}
	case outbox.TeamStream:
		if row := s.teams.rows[tenancy.TeamID(of.ID)]; row != nil {
			return &row.stream, nil
		}
	case outbox.ContactStream:
		if row := s.contacts.rows[tenancy.ContactID(of.ID)]; row != nil {
			return &row.stream, nil
		}
	case outbox.ConversationStream:
		if row := s.conversations.rows[tenancy.ConversationID(of.ID)]; row != nil {
			return &row.stream, nil
		}
	}
	return nil, errReference
}

// idle is how often those who follow a stream hear that it has not grown.
const idle = time.Second

// Follow implements [outbox.Follower]: at once.
func (s *Store) Follow(ctx context.Context, of outbox.Stream, after int64) iter.Seq2[[]outbox.Event, error] {
	return follow.Pages(ctx, &s.bells, of.ID, after, idle, func(after int64) ([]outbox.Event, error) {
		if err := s.outside(ctx); err != nil {
			return nil, err
		}
		return read(ctx, s, func() ([]outbox.Event, error) {
			stream, err := s.stream(of)
			if err != nil || after >= int64(len(stream.events)) {
				return nil, nil //nolint:nilerr // a stream without a row has no events
			}
			var page []outbox.Event
			for _, e := range stream.events[max(after, 0):] {
				if len(page) == follow.Limit {
					break
				}
				page = append(page, e.copy())
			}
			return page, nil
		})
	}, follow.Sequence)
}

// logLists: a team's events are its audit log.
func (s *Store) logLists(e *eventRow, visit func(*list[eventRow], place)) {
	visit(lazily(s.teamEvents, e.Team), placeAt(e.At, e.ID))
}

// TeamEvents implements [outbox.Log].
func (s *Store) TeamEvents(ctx context.Context, team uuid.UUID, filter outbox.LogFilter, before time.Time, id uuid.UUID, limit int) ([]outbox.Event, error) {
	return read(ctx, s, func() ([]outbox.Event, error) {
		from := descending.start(tenancy.Keyset{At: before, ID: id})
		if until := descending.start(tenancy.Keyset{At: filter.Until}); until.compare(from) < 0 {
			from = until
		}
		utc(&filter.Since)
		since := func(yield func(*eventRow) bool) {
			for e := range merged(descending, from, s.teamEvents[team]) {
				if e.At.Before(filter.Since) || !yield(e) {
					return
				}
			}
		}
		return paged(since, limit, func(e *eventRow) (outbox.Event, bool) {
			return e.copy(), (filter.Kind == "" || filter.Kind == e.Kind) &&
				(filter.Principal == "" || filter.Principal == e.Principal)
		}), nil
	})
}

// copy shares no memory with the row.
func (e *eventRow) copy() outbox.Event {
	event := e.Event
	event.Payload = bytes.Clone(event.Payload)
	return event
}
