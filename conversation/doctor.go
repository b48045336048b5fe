package conversation

import "github.com/usher-go/usher/tenancy"

// The flaws of this room. The subject of each is the conversation.
const (
	// FlawAssignee: a conversation is assigned to somebody who is no active member of its team.
	// Nor is a member whose user is suspended as a whole. Someone whose membership has expired is one until the sweep has been.
	FlawAssignee tenancy.Flaw = "conversation of somebody who is not in the team"
	// FlawClaimant: a conversation is claimed by somebody who is no active member of its team.
	// Who that is, is as with FlawAssignee.
	FlawClaimant tenancy.Flaw = "conversation claimed by somebody who is not in the team"
	// FlawDelivery: a pending delivery waits for an invitation that is not pending, for somebody who is
	// no active member of the team or for a team that is archived, or is one of a closed conversation.
	// Who is no active member, is as with FlawAssignee.
	FlawDelivery tenancy.Flaw = "delivery that waits for nothing"
	// FlawGrant: somebody who is not in the conversation's team has a live grant for it.
	FlawGrant tenancy.Flaw = "guest who is not in the team"
	// FlawCounter: the sequence of the newest message is not that of the conversation, or there are
	// gaps before it.
	FlawCounter tenancy.Flaw = "conversation that miscounts its messages"
)

// Flaws are the flaws of this room.
func Flaws() []tenancy.Flaw {
	return []tenancy.Flaw{FlawAssignee, FlawClaimant, FlawDelivery, FlawGrant, FlawCounter}
}
