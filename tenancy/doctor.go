package tenancy

import (
	"context"
	"iter"
	"slices"

	"github.com/google/uuid"
)

// Flaw is a kind of broken invariant that [Store.Broken] can look for. The rooms name theirs.
type Flaw string

// The flaws of this room.
const (
	// FlawNoManager: an active team, of an account that is not closed, has no lasting manager. A
	// [Store] looks for someone who is lastingly Manager, and leaves it to [Service.Diagnose] who
	// manages in a custom role.
	FlawNoManager Flaw = "team without a lasting manager"
	// FlawNoHolder: an account that is not closed is held by a user who is deleted.
	FlawNoHolder Flaw = "account without a holder"
	// FlawGhostMember: a deleted user has a membership that is not removed.
	FlawGhostMember Flaw = "membership of a deleted user"
	// FlawNamedTombstone: a user who is deleted has a name, an address or an external id left.
	FlawNamedTombstone Flaw = "deleted user who can still be named"
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

// Flaws are the flaws of this room.
func Flaws() []Flaw {
	return []Flaw{FlawNoManager, FlawNoHolder, FlawGhostMember, FlawNamedTombstone, FlawForeignRole}
}

// Diagnose looks through the data of all accounts for the flaws named, one after the other, and
// yields what it finds. It changes nothing and locks nothing. It ends with the first error, which
// it yields next to a zero Finding. What is being written while it looks may be found or not.
func (s *Service) Diagnose(ctx context.Context, by System, flaws ...Flaw) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		if err := by.Validate(); err != nil {
			yield(Finding{}, err)
			return
		}
		for _, flaw := range flaws {
			if !s.diagnose(ctx, flaw, yield) {
				return
			}
		}
	}
}

// diagnose yields the findings of one flaw, page by page, and reports whether to go on.
func (s *Service) diagnose(ctx context.Context, flaw Flaw, yield func(Finding, error) bool) bool {
	var last Finding
	for {
		found, err := s.store.Broken(ctx, flaw, s.env.Now(), last, MaxLimit)
		if err != nil {
			yield(Finding{}, err)
			return false
		}
		broken, err := s.managedByNobody(ctx, flaw, found)
		if err != nil {
			yield(Finding{}, err)
			return false
		}
		for _, f := range broken {
			if !yield(f, nil) {
				return false
			}
		}
		if len(found) < MaxLimit {
			return true
		}
		last = found[len(found)-1]
	}
}

// managedByNobody are the findings without those of teams that have no lasting Manager, but somebody who
// manages them in a custom role.
func (s *Service) managedByNobody(ctx context.Context, flaw Flaw, found []Finding) ([]Finding, error) {
	if flaw != FlawNoManager {
		return found, nil
	}
	var teams []TeamID
	for _, f := range found {
		teams = append(teams, TeamID(f.Team))
	}
	unmanaged, err := s.unmanaged(ctx, UserID{}, teams)
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool { return !slices.Contains(unmanaged, TeamID(f.Team)) }), err
}
