// Package outbox carries state changes from the transaction that made them to whoever has
// to know: mail, webhooks, the host's own code.
//
// A change and its [Event] are written in one transaction, and the [Lanes] that the event takes
// with it. A [Relay] leases what is due in each lane, hands it to the lane's [Sink] and takes it
// out: at least once, in order within a stream, safe with several relays at work. A process that
// dies in between repeats what it had handed over and not noted yet: the event at hand, and what
// was delivered in the few milliseconds before it. The events themselves stay: they are the audit
// log.
//
// An event that fails again and again becomes a dead letter ([DeadLetters]), so that its stream
// goes on without it. A consumer that must not do a thing twice handles events through an
// [Inbox]. Package sinktest checks sinks, package webhook is one, and [Event.MarshalJSON] tells
// how events look outside of Go.
//
// The package imports nothing of usher, so every room may use it.
package outbox
