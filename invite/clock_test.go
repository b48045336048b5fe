package invite_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// queued is a store in which every team is locked by somebody else for a while.
type queued struct {
	storage.Store
	clock *clock
}

func (q queued) LockTeam(ctx context.Context, id tenancy.TeamID) (tenancy.Team, error) {
	q.clock.Advance(time.Hour)
	return q.Store.LockTeam(ctx, id)
}

// Time passes while an operation waits for its locks: what it decides, it decides as of then.
func TestTheClockIsReadOnceTheLocksAreThere(t *testing.T) {
	makes := map[string]func(w *world) ([]invite.Invitation, error){
		"Create": func(w *world) ([]invite.Invitation, error) {
			inv, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
			return []invite.Invitation{inv}, err
		},
		"Batch": func(w *world) ([]invite.Invitation, error) {
			return w.invites.Batch(w.ctx, w.acme.alice, bob, []invite.TeamRole{{Team: w.acme.team.ID, Role: rbac.Member}})
		},
		"Bulk": func(w *world) ([]invite.Invitation, error) {
			rows, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rowsTo(bob)})
			return []invite.Invitation{rows[0].Invitation}, err
		},
		"CreateLink": func(w *world) ([]invite.Invitation, error) {
			link, err := w.invites.CreateLink(w.ctx, w.acme.alice, invite.LinkSpec{Uses: 1})
			return []invite.Invitation{link.Invitation}, err
		},
		"Ask": func(w *world) ([]invite.Invitation, error) {
			inv, err := w.invites.Ask(w.ctx, w.user("asker@acme.example").ID, w.acme.team.ID)
			return []invite.Invitation{inv}, err
		},
	}
	for name, create := range makes {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, memory.New())
			w.letAsk()
			w = w.on(queued{w.store, w.clock})
			made, err := create(w)
			require.NoError(t, err)
			require.Len(t, made, 1)
			assert.Equal(t, w.clock.Now(), made[0].CreatedAt)
		})
	}
}
