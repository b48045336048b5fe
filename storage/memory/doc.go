// Package memory is the reference model of [storage.Store]: all of usher's state in Go maps,
// for tests, for demonstrations and as the measure of the other stores. Nothing is written
// to disk; what a [Store] holds ends with it.
//
// There is one writer at a time: a transaction holds the store from its first line to its
// last, so that locks cost nothing and no transaction ever has to be run again. Changes are
// made in place, each with the step that undoes it; a commit forgets the steps and costs
// what it changed, not what is stored. Rejected: a copy of the state for each transaction (a
// commit then costs what is stored) and an overlay (every read inside has to merge).
//
// A read outside a transaction therefore waits for the writer. A closure that keeps the
// store while it waits for something slow stops every other caller, and a closure that uses
// the context from outside InTx waits for itself: see [Store.InTx].
package memory
