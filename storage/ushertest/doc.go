// Package ushertest builds small worlds for the tests of servers that use usher: accounts,
// teams and people by name, on the in-memory store, with a clock in the test's hand and the
// mail captured; and a golden file of what a policy decides.
package ushertest
