package sqlstore

import (
	"context"
	"database/sql/driver"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

// WithNotify lets those who follow a stream hear of commits by the engine's own notifications. Wait
// waits on a connection of the driver's for one and answers its payload. It is for the adapter of an
// engine that has them to offer, as storage/postgres does.
func WithNotify(wait func(ctx context.Context, driverConn any) (payload string, err error)) Option {
	return func(s *Store) { s.ear = &ear{wait: wait} }
}

// ear is the one connection on which a store hears of commits, for all who follow, as long as somebody
// does.
type ear struct {
	wait func(ctx context.Context, driverConn any) (payload string, err error)

	mu        sync.Mutex
	followers int
	stop      context.CancelFunc
	stopped   chan struct{}
}

// hear listens from now on until the function that it answers is called.
func (s *Store) hear(ctx context.Context) (end func()) {
	e := s.ear
	if e == nil {
		return func() {}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.followers++; e.followers == 1 {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the first follower's would end with them
		e.stop, e.stopped = cancel, make(chan struct{})
		go s.listen(ctx, e.stopped)
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.followers--; e.followers == 0 {
			e.stop()
			<-e.stopped
		}
	}
}

// listen listens until ctx ends, on one connection after another if they break.
func (s *Store) listen(ctx context.Context, stopped chan<- struct{}) {
	defer close(stopped)
	for failed := 1; ctx.Err() == nil; failed++ {
		if s.listenOnce(ctx) {
			failed = 1
		}
		_ = pause(ctx, failed) // the loop asks ctx
	}
}

// listenOnce reports whether the connection could listen. It does not go back to the pool, where it
// would listen on.
func (s *Store) listenOnce(ctx context.Context) (listened bool) {
	conn, err := s.db.Conn(ctx)
	if err == nil {
		defer func() { _ = conn.Close() }() // it has no more to say
		_, err = conn.ExecContext(ctx, s.dialect.Listen)
		listened = err == nil
	}
	if listened {
		s.bells.RingAll() // for what was committed while nobody listened
		_ = conn.Raw(func(connection any) error {
			err = s.listenOn(ctx, connection)
			return driver.ErrBadConn
		})
	}
	if ctx.Err() == nil {
		s.report(ctx, err)
	}
	return listened
}

// listenOn passes on what is heard until the connection breaks or ctx ends.
func (s *Store) listenOn(ctx context.Context, connection any) error {
	for {
		heard, err := s.ear.wait(ctx, connection)
		if err != nil {
			return err
		}
		s.ring(heard)
	}
}

// maxNotified is how many streams and teams one notification names: PostgreSQL's may have 8,000 bytes.
const maxNotified = 200

// notify tells those who listen, when the transaction commits, of the streams that have grown, and of the
// teams in which that was.
func (s *Store) notify(ctx context.Context, events []outbox.Event) error {
	if s.ear == nil {
		return nil
	}
	var grown []string
	seen := map[uuid.UUID]bool{}
	for _, e := range events {
		for _, id := range []uuid.UUID{e.Stream.ID, e.Team} {
			if id != uuid.Nil && !seen[id] {
				seen[id] = true
				grown = append(grown, id.String())
			}
		}
	}
	for len(grown) > 0 {
		n := min(len(grown), maxNotified)
		if _, err := s.exec(ctx, s.events.notify, strings.Join(grown[:n], ",")); err != nil {
			return err
		}
		grown = grown[n:]
	}
	return nil
}

// ring rings for the streams that a notification names. One that somebody else has sent names none.
func (s *Store) ring(payload string) {
	for text := range strings.SplitSeq(payload, ",") {
		if stream, err := uuid.Parse(text); err == nil {
			s.bells.Ring(stream)
		}
	}
}
