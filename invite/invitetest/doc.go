// Package invitetest has mocks of what package invite asks of others: to inject a failure, or to
// count calls. For behaviour, use a real store: storage/memory needs nothing.
package invitetest
