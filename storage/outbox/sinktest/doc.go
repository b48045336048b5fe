// Package sinktest says what an [outbox.Sink] must do, and checks it.
//
//	func TestSink(t *testing.T) { sinktest.Run(t, open) }
//
// The rules are those in the comment on [outbox.Sink]; a failure quotes the one that was broken.
// The package uses nothing but the standard testing package, so importing it adds no dependency.
package sinktest
