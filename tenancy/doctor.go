package tenancy

import "github.com/google/uuid"

// Flaw is a kind of broken invariant that [Store.Broken] can look for. The rooms name theirs.
type Flaw string

// The flaws of this room.
const (
	// FlawNoManager: an active team has no lasting manager.
	FlawNoManager Flaw = "team without a lasting manager"
	// FlawNoHolder: an account that is not closed is held by a user who is deleted.
	FlawNoHolder Flaw = "account without a holder"
	// FlawGhostMember: a deleted user has a membership that is not removed.
	FlawGhostMember Flaw = "membership of a deleted user"
	// FlawForeignRole: a membership has a custom role of another account.
	FlawForeignRole Flaw = "membership with another account's role"
)

// Finding is one broken invariant in the data.
type Finding struct {
	Flaw Flaw
	// Account, Team and Subject are where it is: Subject is the id of the row, or of the user
	// whose row it is. Account and Team are the nil UUID where there is none.
	Account uuid.UUID
	Team    uuid.UUID
	Subject uuid.UUID
}
