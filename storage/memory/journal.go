package memory

import "slices"

// journal holds the steps that undo what the running transaction has changed so far. Each
// change adds its own step, so that no change can be made without one.
type journal struct{ steps []func() }

func (j *journal) add(undo func()) { j.steps = append(j.steps, undo) }

// rollback undoes everything, newest first.
func (j *journal) rollback() {
	for _, undo := range slices.Backward(j.steps) {
		undo()
	}
	j.steps = nil
}

// commit keeps the changes: there is nothing to do but to forget how to undo them.
func (j *journal) commit() { j.steps = nil }

// set changes a value in place.
func set[V any](j *journal, at *V, v V) {
	old := *at
	j.add(func() { *at = old })
	*at = v
}
