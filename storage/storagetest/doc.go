// Package storagetest says what a [storage.Store] must do, and checks it.
//
// An adapter's test is one line:
//
//	func TestConformance(t *testing.T) { storagetest.Run(t, open) }
//
// Every "must" in the contracts (the comments on tenancy.Store, invite.Store,
// conversation.Store and the outbox) has a case here, and a failure quotes the sentence that
// was broken and says where it stands. The suite uses nothing but the standard testing
// package, so importing it adds no dependency to an adapter.
//
// The package tests itself: it runs against stores with seeded faults, each of which some
// case must catch, and fails when a method of [storage.Store] has no case.
//
// # What the contract leaves open
//
// Where the contract is silent and stores differ for good reason, the suite accepts each of
// the harmless answers and refuses the harmful one. These are:
//
//   - the zero byte and invalid UTF-8 in a text: kept exactly or refused with ErrInvalid
//     (PostgreSQL cannot keep them), never cut or replaced;
//   - a filter with a value outside its set: ErrInvalid or an empty list, never everything;
//   - reads through the outer context inside a transaction: the committed state or an error
//     before that context's deadline, never a hang and never the transaction's own writes.
//
// Where it is silent and a caller would be hurt by a difference, the suite decides:
//
//   - an id in an inserted row that names nothing answers ErrNotFound; User.ActiveTeam is
//     excepted, being a preference;
//   - a transaction with a refused write in it (a duplicate, a missing reference) does not
//     commit, even if its closure swallows the error;
//   - an operation without a principal or a key answers ErrInvalid, and so does a mark in the
//     inbox without a consumer or an event;
//   - a limit of 0 lists nothing;
//   - a time finer than a microsecond is cut, not rounded;
//   - a lease that ends at t can be taken at t, and until somebody does it counts;
//   - payloads of events come back byte for byte.
package storagetest
