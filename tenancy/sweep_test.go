package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

var errBroken = errors.New("the disk is full")

// rows are what is due to a sweep, in their order, until they are ended.
type rows []int

func (r *rows) find(_ context.Context, limit int) ([]int, error) {
	return (*r)[:min(limit, len(*r))], nil
}

func (r *rows) end(i int) {
	var rest rows
	for _, other := range *r {
		if other != i {
			rest = append(rest, other)
		}
	}
	*r = rest
}

// Most rows of a sweep fail, or are left alone, wherever they stand: each of the others is ended, each
// of these is tried once, and every failure is told.
func TestSweepTriesEachRowOnce(t *testing.T) {
	var due rows
	for i := range 1000 {
		due = append(due, i)
	}
	tried := map[int]int{}
	n, err := tenancy.Sweep(t.Context(), due.find, func(_ context.Context, i int) (bool, error) {
		tried[i]++
		switch {
		case i%5 == 4:
			due.end(i)
			return true, nil
		case i%2 == 0:
			return true, fmt.Errorf("row %d: %w", i, errBroken) // that it was done is no longer so
		}
		return false, nil
	})
	assert.Equal(t, 200, n)
	require.ErrorIs(t, err, errBroken)
	var all interface{ Unwrap() []error }
	require.ErrorAs(t, err, &all)
	assert.Len(t, all.Unwrap(), 400)
	assert.Len(t, tried, 1000)
	for i, times := range tried {
		require.Equal(t, 1, times, "row %d", i)
	}
	assert.Len(t, due, 800)
}

// Where nothing can be found any more, the sweep ends with that and with what had failed before.
func TestSweepEndsWithoutItsStore(t *testing.T) {
	gone := errors.New("the store is gone")
	var due rows
	for i := range 100 {
		due = append(due, i)
	}
	steps := 0
	n, err := tenancy.Sweep(t.Context(), func(ctx context.Context, limit int) ([]int, error) {
		if steps++; steps > 1 {
			return nil, gone
		}
		return due.find(ctx, limit)
	}, func(context.Context, int) (bool, error) { return false, errBroken })
	assert.Zero(t, n)
	require.ErrorIs(t, err, errBroken)
	require.ErrorIs(t, err, gone)

	ctx, cancel := context.WithCancel(t.Context())
	tried := 0
	_, err = tenancy.Sweep(ctx, due.find, func(ctx context.Context, _ int) (bool, error) {
		tried++
		cancel()
		return false, ctx.Err()
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, tried, "a context that has ended ends the sweep")
}

// stuck is a store in which some memberships cannot be written.
type stuck struct {
	storage.Store
	bad map[tenancy.UserID]bool
}

func (s stuck) UpdateMembership(ctx context.Context, m tenancy.Membership) error {
	if s.bad[m.User] {
		return errBroken
	}
	return s.Store.UpdateMembership(ctx, m)
}

// More of them than a step looks for, and the first in order: the others expire all the same.
func TestBadMembershipsHoldUpNoSweep(t *testing.T) {
	store := stuck{memory.New(), map[tenancy.UserID]bool{}}
	s := sceneOn(t, store)
	manager := s.managed("sales")
	team, err := s.store.Team(t.Context(), manager.Team)
	require.NoError(t, err)
	const bad = 120
	var last tenancy.Actor
	for i := range bad + 1 {
		last = s.member(team, fmt.Sprint("member-", i), rbac.Member)
		_, err := s.people.SetExpiry(t.Context(), manager, last.User, s.now.Add(time.Hour+time.Duration(i)*time.Second))
		require.NoError(t, err)
		store.bad[last.User] = i < bad
	}
	s.now = s.now.Add(2 * time.Hour)
	n, err := s.people.ExpireMembers(t.Context(), host)
	require.ErrorIs(t, err, errBroken)
	assert.Equal(t, 1, n)
	m, err := s.store.Membership(t.Context(), last.Team, last.User)
	require.NoError(t, err)
	assert.Equal(t, tenancy.MembershipSuspended, m.Status)
	clear(store.bad)
	n, err = s.people.ExpireMembers(t.Context(), host)
	require.NoError(t, err)
	assert.Equal(t, bad, n)
}
