package invite_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

func TestSpec5_7_SweepExpiresWhatHasLapsedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var subjects []subject
		for i, kind := range everyKind {
			subjects = append(subjects, w.subject(kind, fmt.Sprintf("s%d@acme.example", i)))
		}
		foreign, _ := w.invite(w.globex.alice, invite.ToTeam(bob, rbac.Member))
		later, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("later@acme.example", rbac.Member, invite.ExpiresIn(30*24*time.Hour)))
		require.NoError(t, err)
		w.clock.Set(start.Add(invite.DefaultExpiry - time.Microsecond))
		n, err := w.invites.Sweep(w.ctx, host)
		require.NoError(t, err)
		require.Zero(t, n, "a microsecond too early")

		w.clock.Set(start.Add(invite.DefaultExpiry))
		require.NoError(t, freezes["suspended account"].freeze(w, w.globex))
		n, err = w.invites.Sweep(w.ctx, host)
		require.NoError(t, err)
		assert.Equal(t, len(subjects)+1, n)
		for _, s := range subjects {
			r := w.stored(s.inv)
			assert.Equal(t, invite.Expired, r.State)
			assert.Equal(t, host.Principal(), r.EndedBy)
			assert.Equal(t, w.clock.Now(), r.EndedAt)
			assert.Positive(t, count(w.recorded(s))[invite.InvitationExpired])
		}
		assert.Equal(t, invite.Expired, w.stored(foreign).State, "also where nothing but reading is left")
		assert.Equal(t, invite.Pending, w.stored(later).State)
		before := w.picture(w.acme)
		n, err = w.invites.Sweep(w.ctx, host)
		require.NoError(t, err)
		assert.Zero(t, n)
		assert.Equal(t, before, w.picture(w.acme))
	})
}

func TestOfManySweepsAtOnceEachInvitationExpiresOnce(t *testing.T) {
	everystore.RunTwo(t, func(t *testing.T, a, b storage.Store) {
		w := newWorld(t, a)
		handles := []*world{w, w.on(b)}
		const many = 6
		for round := range everystore.Rounds(20) {
			for i := range many {
				w.mustCreate(invite.ToTeam(fmt.Sprintf("r%d.%d@acme.example", round, i), rbac.Member))
			}
			w.clock.Advance(invite.DefaultExpiry)
			before := count(w.events(w.acme))[invite.InvitationExpired]
			found := make([]int, 4)
			var calls []func() error
			for i := range found {
				calls = append(calls, func() (err error) {
					found[i], err = handles[i%2].invites.Sweep(w.ctx, host)
					return err
				})
			}
			for _, err := range together(calls...) {
				require.NoError(t, err)
			}
			assert.Equal(t, many, found[0]+found[1]+found[2]+found[3])
			assert.Equal(t, before+many, count(w.events(w.acme))[invite.InvitationExpired])
		}
	})
}

// rotten is a store in which some rows cannot be written.
type rotten struct {
	storage.Store
	bad map[tenancy.InvitationID]bool
}

func (r rotten) UpdateInvitation(ctx context.Context, i invite.Record) error {
	if r.bad[i.ID] {
		return errBroken
	}
	return r.Store.UpdateInvitation(ctx, i)
}

// More of them than a step looks for, and the first in order: the others expire all the same.
func TestBadRowsHoldUpNoSweep(t *testing.T) {
	store := rotten{memory.New(), map[tenancy.InvitationID]bool{}}
	w := newWorld(t, store)
	for i := range 120 {
		r := w.mustCreate(invite.ToTeam(fmt.Sprintf("bad%d@acme.example", i), rbac.Member, invite.ExpiresIn(time.Hour)))
		store.bad[r.ID] = true
	}
	good := w.mustCreate(invite.ToTeam(bob, rbac.Member, invite.ExpiresIn(2*time.Hour)))
	w.clock.Advance(2 * time.Hour)
	n, err := w.invites.Sweep(w.ctx, host)
	require.ErrorIs(t, err, errBroken)
	assert.Equal(t, 1, n)
	assert.Equal(t, invite.Expired, w.stored(good).State)
	clear(store.bad)
	n, err = w.invites.Sweep(w.ctx, host)
	require.NoError(t, err)
	assert.Equal(t, 120, n)
}

func TestSweepNeedsAName(t *testing.T) {
	w := newWorld(t, memory.New())
	_, err := w.invites.Sweep(w.ctx, "")
	require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
}
