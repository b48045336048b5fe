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
// A change of the schema is a new file 000N_name.up.sql in each folder of migrations. It begins
// with the line "-- +goose Up", has a semicolon at the end of a statement's last line and nowhere
// else, and ends by recording its number in usher_schema. On MySQL, where a CREATE cannot be
// rolled back, each statement must be one that may run twice. Files that were released never
// change.
//
// A query builder and an ORM were rejected: there are about a hundred statements, they are
// easier to review as what they are, and what a builder would save is less than what it hides.
package sqlstore
