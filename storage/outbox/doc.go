// Package outbox carries state changes from the transaction that made them to whoever has
// to know: mail, webhooks, the host's own code.
//
// A change and its [Event] are written in one transaction. A [Relay] leases what is due,
// hands it to a [Sink] and marks it done: at least once, in order within a stream, safe with
// several relays at work. The same rows are the audit log.
//
// The package imports nothing of usher, so every room may use it.
package outbox
