package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A job runs in a goroutine of its own.
type job struct {
	done chan struct{}
	err  error // to be read after done
}

// start runs fn in another goroutine. fn must not end the case: it answers its error. If fn
// ends the goroutine instead of returning, there is no error.
func (w *world) start(fn func() error) *job {
	j := &job{done: make(chan struct{})}
	go func() {
		defer close(j.done)
		j.err = fn()
	}()
	return j
}

// wait waits for the end, and not for ever.
func (j *job) wait(w *world) error {
	select {
	case <-j.done:
		return j.err
	case <-w.ctx.Done():
		return fmt.Errorf("it has not ended before the case's time was up: %w", w.ctx.Err())
	}
}

// shortly bounds a wait that a store with one writer cannot end in any other way. It is not a
// measure: a store that does not wait answers at once.
const shortly = 200 * time.Millisecond

// early gives the job the time to do what it must not do, and reports whether it has ended.
// Nothing can prove that it never would; a store that lets it does so at once.
func (j *job) early(w *world) bool {
	ctx, cancel := context.WithTimeout(w.ctx, shortly)
	defer cancel()
	select {
	case <-j.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// holding opens a transaction in another goroutine, which does its work and then waits. The
// function that it answers lets it commit, and must be called.
func (w *world) holding(what string, fn func(ctx context.Context) error) (release func()) {
	w.Helper()
	did, free := make(chan struct{}), make(chan struct{})
	var once sync.Once // the closure may run again
	j := w.start(func() error {
		return w.store.InTx(w.ctx, func(ctx context.Context) error {
			err := fn(ctx)
			once.Do(func() { close(did) })
			select {
			case <-free:
				return err
			case <-w.ctx.Done():
				return errors.Join(err, w.ctx.Err())
			}
		})
	})
	select {
	case <-did:
	case <-j.done:
	case <-w.ctx.Done():
	}
	return func() {
		w.Helper()
		close(free)
		w.must(j.wait(w), "%s, in another goroutine", what)
	}
}

// crowd runs fn in n goroutines that begin as one, and answers their errors.
func (w *world) crowd(n int, fn func(i int) error) []error {
	w.Helper()
	barrier := make(chan struct{})
	jobs := make([]*job, n)
	for i := range jobs {
		jobs[i] = w.start(func() error {
			<-barrier
			return fn(i)
		})
	}
	close(barrier)
	errs := make([]error, n)
	for i, j := range jobs {
		errs[i] = j.wait(w)
	}
	return errs
}
