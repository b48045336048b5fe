package conversation

import (
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/tenancy"
)

// Scope is the set of conversations that an actor may see: all of the team's, or those that
// a guest holds a live grant for. The same scope serves get, list and whatever else shows
// conversations; stores render it as a condition.
type Scope struct {
	Team tenancy.TeamID
	// Guest narrows the scope to the live grants of one user; zero is the whole team.
	Guest tenancy.UserID
	// At is the time that decides whether a grant is live.
	At time.Time
}

// Admits is the scope as a predicate: whether it holds the conversation, given the guest's
// grant for it (the zero Grant where there is none).
func (s Scope) Admits(c Conversation, g Grant) bool {
	if c.Team != s.Team || s.Team.IsZero() {
		return false
	}
	return s.Guest.IsZero() || g.Conversation == c.ID && g.User == s.Guest && g.LiveAt(s.At)
}

// Key is where a conversation stands in a list of the scope, newest first by it: when the last message
// was written, or for a guest when the conversation began. A note moves the first, and the guest would
// see that one was written.
func (s Scope) Key(c Conversation) (time.Time, uuid.UUID) {
	if !s.Guest.IsZero() {
		return c.CreatedAt, c.ID.UUID()
	}
	return c.LastAt, c.ID.UUID()
}

// Filter narrows a list of conversations. The zero Filter admits all.
type Filter struct {
	// Status admits those in one state; empty admits all.
	Status Status
	// Waiting admits those where the contact waits for an answer.
	Waiting bool
	// Assignee admits those assigned to one member.
	Assignee tenancy.UserID
	// Claimant admits those that one member is at: under their claim, if it has not ended.
	Claimant tenancy.UserID
	// Unclaimed admits those that are nobody's, neither claimed nor assigned: what the part
	// [Unclaimed] of a [Queue] holds.
	Unclaimed bool
	// Queue admits what [Service.Next] chooses from, and what the user has skipped, too. It stands
	// alone: what it holds waits and is open.
	Queue Queue
	// QueueOf is whose queue it is; zero is the actor's who lists.
	QueueOf tenancy.UserID
}

// Validate answers a [*tenancy.InvalidError] for a queue that is none, or does not stand alone.
func (f Filter) Validate() error {
	switch {
	case f.Queue == 0 && f.QueueOf.IsZero():
		return nil
	case f != Filter{Queue: f.Queue, QueueOf: f.QueueOf}:
		return &tenancy.InvalidError{Field: "filter", Reason: "must have nothing beside a queue"}
	}
	return f.Queue.validate()
}

// Admits is the filter as a predicate. At decides which claims have ended; in a list it is the time
// of the [Scope].
func (f Filter) Admits(c Conversation, at time.Time) bool {
	return (f.Status == "" || c.Status == f.Status) &&
		(!f.Waiting || !c.NeedsReplySince.IsZero()) &&
		(f.Assignee.IsZero() || c.Assignee == f.Assignee) &&
		(f.Claimant.IsZero() || c.ClaimantAt(at) == f.Claimant) &&
		(!f.Unclaimed || c.free(at)) &&
		(f.Queue == 0 || f.Queue.Line(f.QueueOf, at).Admits(c))
}

// free reports whether the conversation is nobody's at the time.
func (c Conversation) free(at time.Time) bool {
	return c.Assignee.IsZero() && c.ClaimantAt(at).IsZero()
}
