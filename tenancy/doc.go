// Package tenancy is who is where: accounts that hold teams, teams that hold users in roles,
// and the principals on whose behalf everything in usher runs.
//
// A host registers the users whom it has authenticated ([Service.Register]), and from then on
// names them by id. Authority is never held in a value: an [Actor] or a [Holder] is a claim,
// which each operation checks against what is committed when it runs. To a stranger a team is
// not found, like a random id.
//
// Two rules are kept by every operation of every room: a team always has at least one lasting
// manager, and what a departing member held goes back to the team in the same transaction.
//
// [WithKey] makes an operation repeatable. [Store] is what the room needs of a store; its
// comment is the contract of every room's store.
package tenancy
