package memory

import "time"

// The events of a stream that wait for their delivery are a queue by sequence. Its head is the
// one that can be due. The one under a lease is the head too, unless an event before it was
// replayed meanwhile.

// unqueue takes an event out of its stream's queue and ends its lease.
func (s *Store) unqueue(e *eventRow) {
	before := e.stream.before(e.Sequence)
	s.advance(e.stream, func() {
		if before == nil {
			set(s.log, &e.stream.head, e.next)
		} else {
			set(s.log, &before.next, e.next)
		}
		if e.stream.tail == e {
			set(s.log, &e.stream.tail, before)
		}
		set(s.log, &e.next, nil)
		set(s.log, &e.until, time.Time{})
	})
}

// requeue puts an event back where its sequence belongs.
func (s *Store) requeue(e *eventRow) {
	before := e.stream.before(e.Sequence)
	s.advance(e.stream, func() {
		if before == nil {
			set(s.log, &e.next, e.stream.head)
			set(s.log, &e.stream.head, e)
		} else {
			set(s.log, &e.next, before.next)
			set(s.log, &before.next, e)
		}
		if e.next == nil {
			set(s.log, &e.stream.tail, e)
		}
	})
}

// before is the last event in the queue that comes before the sequence. Only events that were
// replayed can stand there, so they are few.
func (st *stream) before(sequence int64) *eventRow {
	var before *eventRow
	for e := st.head; e != nil && e.Sequence < sequence; e = e.next {
		before = e
	}
	return before
}

// advance makes a change that may give the stream another head.
func (s *Store) advance(st *stream, change func()) {
	if st.head != nil {
		delist(s.log, st.head, s.dueLists)
	}
	change()
	if st.head != nil {
		enlist(s.log, st.head, s.dueLists)
	}
}
