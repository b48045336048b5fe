// Package rbac says what a role may do: a pure table of role, permission and [Reach], with no users, no
// teams and no storage in it.
//
// The rules are the files model.conf and policy.csv beside this one, in Casbin's form; they are the one
// source, and the table in the docs is generated from them. [NewPolicy] adds the host's own rows to
// them, asks Casbin for every cell, and keeps the answers as bits. From then on [Policy.Allows] reads one
// array element, and Casbin is gone.
//
// # Roles
//
// A membership in a team has one of three roles: [Manager], who inherits [Member], and [Restricted], a
// guest who inherits nothing and reaches only what was granted. [Holder], who holds the account, is a
// subject of the policy and never a role in a team: it has rights [ByAccount] only, so holding an account
// opens no conversation.
//
// # Permissions
//
// A [Permission] is an (object, action) pair. All that the policy does not name is denied, and a program
// that will ask for a permission finds out at start that it is missing: [Policy.Check].
//
// # A host's own rows
//
// A host adds objects and actions, and changes what the roles may do, with [Allow], [Deny] and [Include],
// or from text with [ParseRows]. The rows are checked before Casbin sees them, because Casbin takes
// nearly everything: a row that is too short makes every later question fail, an effect that is
// misspelt is ignored, a chain of roles is cut after ten, and a whole batch is dropped for one
// duplicate. Rows are the configuration of a program and not of its customers.
//
// # Custom roles
//
// A role that an account makes for itself is one of the three and a set of permissions on top of it,
// stored by name. [Policy.Custom] makes [Rights] of it, which decide as a role does. It never becomes
// rows: an account could then change what another account's roles may do. A deny row of the host wins
// over it, so two masks are never just joined. Who may make it is [Rights.Covers]: nobody grants what
// they do not hold.
//
// # Why a table and not Casbin at each question
//
// Enforce scans all rows for each question: tens of microseconds and some 190 allocations, where
// the table takes a nanosecond or two and none. With users and teams inside Casbin it is worse: 13 to 31
// milliseconds at 1,000 teams. Casbin's cached enforcers are no way out, since they keep answers after
// the right was revoked. What was also rejected: the table typed in Go, because a policy file is what
// those who audit permissions can read, and what a host can extend in the same words.
//
// # Reload
//
// A compiled table never changes. [Policy.Reload] compiles the host's new rows aside and puts the new table
// in the place of the old one in one step, or refuses them and leaves everything as it was; [Policy.Stale]
// shows that to a health check. [Rights] hold on to one table, so that no decision is a mix of two. Who
// has which role is read in the transaction that decides; nothing here remembers it.
package rbac
