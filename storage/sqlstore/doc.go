// Package sqlstore is the one SQL implementation of [storage.Store], for every engine that a
// [Dialect] describes. Programs use it through the adapters sqlite, postgres and mysql.
//
// The statements are written by hand, once, with ? for every value. New puts the dialect's
// fragments and placeholders into them, so the set of statement texts is fixed from then on,
// and whatever a user types is only ever a bound value.
//
// The host owns the [database/sql.DB] and chooses its driver. Nothing here depends on settings
// of its DSN: times are integers, ids are 16 bytes, no update relies on how the driver counts
// rows that did not change, and one call is one statement.
//
// A query builder and an ORM were rejected: there are about a hundred statements, they are
// easier to review as what they are, and what a builder would save is less than what it hides.
package sqlstore
