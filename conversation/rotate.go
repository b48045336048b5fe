package conversation

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/usher-go/usher/tenancy"
)

// Rotation is how [Service.AssignNext] chooses, and what comes in is given out.
type Rotation = tenancy.Rotation

// The rotations.
const (
	RoundRobin  = tenancy.RoundRobin
	LeastLoaded = tenancy.LeastLoaded
)

// ErrNobodyFree: everybody who could be given a conversation has as many as they may have.
var ErrNobodyFree = fmt.Errorf("%w: nobody in the team has room for another conversation", tenancy.ErrLimit)

// rotations are in which order members are asked. New ones have had no turn and come first.
var rotations = map[Rotation]func(a, b Load) int{
	RoundRobin:  func(a, b Load) int { return cmp.Compare(a.Turn, b.Turn) },
	LeastLoaded: func(a, b Load) int { return cmp.Or(cmp.Compare(a.Open, b.Open), cmp.Compare(a.Turn, b.Turn)) },
}

// AssignNext assigns a conversation that nobody is responsible for to the member whose turn it is, of
// those who can be responsible and have room for it: see the Capacity of [tenancy.Settings]. Whose
// turn it is stands in the store, so that all instances take the same turns, and of conversations
// that are assigned at once each is the next one's. Both rotations share the turns; an [Service.Assign] is none.
//
// It costs as much as the team has members, and assignments of one team by it wait for each other.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied], [ErrClosed],
// [*AssignedError], [ErrNobodyFree].
func (s *Service) AssignNext(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, by Rotation) (Conversation, error) {
	if !by.Known() {
		return Conversation{}, &tenancy.InvalidError{Field: "rotation", Reason: "must be round-robin or least-loaded"}
	}
	asked := []any{actor.Team, id, by}
	return tenancy.Do(ctx, s.store, s.env, actor, "AssignNext", asked, func(ctx context.Context) (Conversation, error) {
		standing, err := s.people.Standing(ctx, actor)
		if err != nil {
			return Conversation{}, err
		}
		shift := shift{by: by, capacity: standing.Capacity}
		if standing.Allows(assigning.permission) { // or the conversation says why not, or that there is none
			if shift.loads, err = s.lockStaff(ctx, actor.Team); err != nil {
				return Conversation{}, err
			}
		}
		v, err := s.viewAs(ctx, standing, id, assigning, s.store.LockConversation)
		if err != nil {
			return Conversation{}, err
		}
		if !v.Assignee.IsZero() {
			return Conversation{}, s.assigned(ctx, actor, v.Conversation)
		}
		err = s.rotate(ctx, actor, &v.Conversation, shift)
		return v.Conversation, err
	})
}

// shift is who can be given a conversation of a team, and how one of them is chosen. The zero shift is
// nobody.
type shift struct {
	by       Rotation
	capacity int
	loads    []Load // which are locked
}

// shiftOf is the shift to which a team gives what comes in. While its account is suspended nobody works.
func (s *Service) shiftOf(ctx context.Context, by tenancy.System, team tenancy.Team) (shift, error) {
	if team.Settings.AutoAssign == "" {
		return shift{}, nil
	}
	account, err := s.people.AccountByID(ctx, by, team.Account)
	if err != nil || account.Status != tenancy.AccountActive {
		return shift{}, err
	}
	loads, err := s.lockStaff(ctx, team.ID)
	return shift{team.Settings.AutoAssign, team.Settings.Capacity, loads}, err
}

// lockStaff takes the loads of all who could be given a conversation. They come before the conversation, as
// one user's load does.
func (s *Service) lockStaff(ctx context.Context, team tenancy.TeamID) ([]Load, error) {
	staff, err := s.people.Able(ctx, team, toAnswer...)
	if err != nil {
		return nil, err
	}
	return s.store.LockLoads(ctx, team, s.env.Now(), staff...)
}

// rotate assigns a locked conversation to the first of the rotation. Somebody may have left the team
// since the staff was read; then it is the next one's.
func (s *Service) rotate(ctx context.Context, by tenancy.Principal, c *Conversation, on shift) error {
	var turn int64
	for _, load := range on.loads {
		turn = max(turn, load.Turn)
	}
	slices.SortFunc(on.loads, func(a, b Load) int {
		return cmp.Or(rotations[on.by](a, b), bytes.Compare(a.User[:], b.User[:]))
	})
	for _, load := range on.loads {
		if load.full(on.capacity) {
			continue
		}
		err := s.assign(ctx, by, c, load.User, s.env.Now())
		if errors.Is(err, ErrNotRecipient) {
			continue
		}
		if err != nil {
			return err
		}
		return s.store.UpdateTurn(ctx, c.Team, load.User, turn+1)
	}
	return ErrNobodyFree
}
