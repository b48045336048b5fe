package conversation

import (
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Line is the conversations of a team that are open and wait for a reply, as one user is to answer
// them. It is the union of what it says, without what the user has skipped until after At.
type Line struct {
	User tenancy.UserID
	// At decides which claims and skips have ended.
	At time.Time
	// Free is what is nobody's: without an assignee and without a claim that lasts beyond At.
	Free bool
	// Claimed is what the user has a claim on that lasts beyond At.
	Claimed bool
	// Assigned is what is assigned to the user and not under another's claim that lasts beyond At.
	Assigned bool
}

// Line is what the queue holds for a user at a time.
func (q Queue) Line(user tenancy.UserID, at time.Time) Line {
	return Line{
		User: user, At: at,
		Free: q&Unclaimed != 0, Claimed: q&ClaimedByMe != 0, Assigned: q&AssignedToMe != 0,
	}
}

// Admits is the line as a predicate, skips aside: the one that lists and hops have.
func (l Line) Admits(c Conversation) bool {
	holder := c.ClaimantAt(l.At)
	return c.Status == Open && !c.NeedsReplySince.IsZero() && (l.Free && c.free(l.At) ||
		l.Claimed && !holder.IsZero() && holder == l.User ||
		l.Assigned && !c.Assignee.IsZero() && c.Assignee == l.User && (holder.IsZero() || holder == l.User))
}

// Hand is what a user has in hand.
type Hand struct {
	// Waiting reports whether the line has something under Claimed or Assigned.
	Waiting bool
	// Answered reports whether the user has a claim, whatever its end, on a conversation that does
	// not wait for a reply.
	Answered bool
}
