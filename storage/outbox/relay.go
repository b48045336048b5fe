package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Relay hands events from a [Source] to [Sinks], each lane to its own. It starts nothing by
// itself: the host calls Run in a goroutine of its own, or Step from its own loop, in as many
// processes as it likes. A relay does not change once it is built, so that several goroutines may
// share one.
type Relay struct {
	source Source
	lanes  []lane // by name

	clock    func() time.Time
	lease    time.Duration
	batch    int
	first    time.Duration
	most     time.Duration
	attempts int

	interval time.Duration
	after    func(time.Duration) <-chan time.Time
	report   func(error)
}

type lane struct {
	name string
	sink Sink
}

// Option changes how a [Relay] works.
type Option func(*Relay)

// WithClock sets the clock, which is the system's otherwise.
func WithClock(clock func() time.Time) Option { return func(r *Relay) { r.clock = clock } }

// WithLease sets how long the relay keeps a batch for itself, and so the time that the sink has
// for all of it: a minute, unless set. A relay that dies leaves its batch to others after that.
func WithLease(d time.Duration) Option { return func(r *Relay) { r.lease = d } }

// WithBatch sets how many events a step takes at most: 16, unless set.
func WithBatch(n int) Option { return func(r *Relay) { r.batch = n } }

// WithBackoff sets the pause after an event's first failure and the longest one: a second and an
// hour, unless set. It doubles with each failure. A sink whose error, or one that it wraps, has
// a method RetryAfter() [time.Duration] is given that time too, up to the longest pause.
func WithBackoff(first, most time.Duration) Option {
	return func(r *Relay) { r.first, r.most = first, most }
}

// WithAttempts sets how often an event is handed over before it is buried as a dead letter, so
// that its stream can go on in that lane: 20 times, unless set, which with the usual pauses is some eight
// hours. An event is also buried, unseen, when it was taken ten times more than that and the last
// of them came to no end: the process may die of it.
func WithAttempts(n int) Option { return func(r *Relay) { r.attempts = n } }

// NewRelay builds a relay for the lanes that the sinks name, and no other. An option that makes no sense (no clock, nothing in a batch, no time)
// leaves the default.
func NewRelay(source Source, sinks Sinks, options ...Option) *Relay {
	r := &Relay{source: source}
	for _, name := range slices.Sorted(maps.Keys(sinks)) {
		r.lanes = append(r.lanes, lane{name: name, sink: sinks[name]})
	}
	for _, set := range options {
		set(r)
	}
	if r.clock == nil {
		r.clock = time.Now
	}
	if r.lease <= 0 {
		r.lease = time.Minute
	}
	if r.batch <= 0 {
		r.batch = 16
	}
	if r.first <= 0 {
		r.first = time.Second
	}
	if r.most < r.first {
		r.most = max(r.first, time.Hour)
	}
	if r.attempts <= 0 {
		r.attempts = 20
	}
	r.defaultsOfRun()
	return r
}

// Step hands one batch of what is due in each lane to the lane's sink, one lane after the other by
// name, and reports how many hand-overs that was, delivered or not. An event that fails comes
// again after a pause, or is buried if it has failed often enough, and does not keep the others
// from being delivered; the errors are joined. That of an event which was buried is also
// [ErrBuried].
//
// When the context ends, the step ends with the event at hand: what it did not get to is due
// again at once.
func (r *Relay) Step(ctx context.Context) (int, error) {
	handled := 0
	var failed []error
	for _, l := range r.lanes {
		n, errs := r.step(ctx, l)
		handled += n
		failed = append(failed, errs...)
	}
	return handled, errors.Join(failed...)
}

// step is Step in one lane, with the errors one by one; some are nil.
func (r *Relay) step(ctx context.Context, l lane) (handled int, failed []error) {
	now := r.clock()
	batch, err := r.source.Take(ctx, l.name, now, now.Add(r.lease), r.batch)
	if err != nil {
		return 0, []error{fmt.Errorf("lane %s: %w", l.name, err)}
	}
	var delivered tally
	suspected := false
	for i, due := range batch {
		now := r.clock()
		left := due.Until.Sub(now)
		if left <= 0 {
			break // the rest of the batch belongs to whoever takes it next
		}
		if err := ctx.Err(); err != nil {
			failed = append(failed, err, r.handBack(ctx, batch[i:]))
			break
		}
		if delivered.waits(now) {
			failed = append(failed, r.note(ctx, &delivered))
		}
		handled++
		if !suspected && r.suspect(due) {
			suspected = true
			failed = append(failed, r.settle(ctx, due, errUnsettled))
			continue
		}
		if err := r.handle(ctx, l.sink, due, left); err != nil {
			failed = append(failed, r.settle(ctx, due, err))
			continue
		}
		delivered.add(due, now)
	}
	return handled, append(failed, r.note(ctx, &delivered))
}

// tally is what was delivered of a batch and is not noted yet. It is noted at the end, in one
// transaction: one for each event was rejected, since with a sink that is quick it is most of the
// work. With one that is slow, such as mail, each is noted before the next is handed over, so that a process
// that dies repeats little.
type tally struct {
	due   []Due
	since time.Time
}

// noteWithin is how old the first of a tally may be when another event is handed over.
const noteWithin = 50 * time.Millisecond

func (t *tally) add(due Due, at time.Time) {
	if len(t.due) == 0 {
		t.since = at
	}
	t.due = append(t.due, due)
}

func (t *tally) waits(now time.Time) bool { return len(t.due) > 0 && now.Sub(t.since) >= noteWithin }

// note takes what was delivered out of the lane, also when the context has ended meanwhile: it should
// not come again just because the process is being stopped.
func (r *Relay) note(ctx context.Context, delivered *tally) error {
	due := delivered.due
	if *delivered = (tally{}); len(due) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeTime)
	defer cancel()
	err := r.source.Done(ctx, due...)
	if err != nil && len(due) > 1 {
		return fmt.Errorf("lane %s, %d delivered events from %s on: %w", due[0].Lane, len(due), due[0].ID, err)
	}
	return due[0].failure(err)
}

// handBack gives up the leases on events that were not delivered, so that a process that is
// stopped and started again does not wait for its own leases to end.
func (r *Relay) handBack(ctx context.Context, rest []Due) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeTime)
	defer cancel()
	var failed []error
	for _, due := range rest {
		failed = append(failed, r.source.Retry(ctx, due, r.clock()))
	}
	return errors.Join(failed...)
}

// Drain steps until nothing is due in any lane, and reports how many hand-overs that was: for
// tests, tools and shutdown. What a sink's own work makes due is handed over too. Events that failed wait for
// their time.
func (r *Relay) Drain(ctx context.Context) (int, error) {
	handled := 0
	var failed []error
	for {
		n, err := r.Step(ctx)
		handled += n
		failed = append(failed, err)
		if n == 0 || ctx.Err() != nil {
			return handled, errors.Join(failed...)
		}
	}
}

// outcomeTime is how long noting an outcome may take when the step's context has ended.
const outcomeTime = 5 * time.Second

// handle delivers one event within what is left of its lease.
func (r *Relay) handle(ctx context.Context, sink Sink, due Due, left time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	return deliver(ctx, sink, due.Event)
}

// settle notes why an event was not delivered, also when the context has ended meanwhile. One whose
// delivery was cut short by that has not failed, so it is due again at once.
func (r *Relay) settle(ctx context.Context, due Due, reason error) error {
	stopped := errors.Is(ctx.Err(), context.Canceled)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeTime)
	defer cancel()
	var noted error
	switch now := r.clock(); {
	case stopped:
		noted = r.source.Retry(ctx, due, now)
	case due.Attempt >= r.attempts:
		if noted = r.source.Bury(ctx, due, now); noted == nil {
			noted = ErrBuried
		}
	default:
		noted = r.source.Retry(ctx, due, now.Add(r.pause(due.Attempt, reason)))
	}
	return due.failure(errors.Join(reason, noted))
}

// failure says which event an error is about.
func (d Due) failure(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("lane %s, event %s (%s), attempt %d: %w", d.Lane, d.ID, d.Kind, d.Attempt, err)
}

var errUnsettled = errors.New("too many attempts came to no end: the process may have died of this event")

// unsettled is how often an event may be taken without an outcome, over and above its attempts:
// because a process was stopped, or a lease was too short for its batch.
const unsettled = 10

// suspect reports whether an event has been taken so much more often than it may fail that the
// process must be taken to die of it, and no attempt will ever be settled; so it is buried
// unseen. Only the first of a batch is, as those behind it may just have died with it. Should
// it be innocent, Replay brings it back.
func (r *Relay) suspect(due Due) bool { return due.Attempt-unsettled > r.attempts }

// pause doubles from the first to the longest, or is what the sink asks for if that is longer.
func (r *Relay) pause(attempt int, outcome error) time.Duration {
	pause := r.first
	for range attempt - 1 {
		if pause >= r.most/2 {
			return r.most
		}
		pause *= 2
	}
	var asks interface{ RetryAfter() time.Duration }
	if errors.As(outcome, &asks) {
		pause = min(max(pause, asks.RetryAfter()), r.most)
	}
	return pause
}
