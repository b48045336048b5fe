package conversation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// kept is all that a store holds of a conversation and its team and that a command can change.
func (w *world) kept(id tenancy.ConversationID) []any {
	w.t.Helper()
	ctx := w.t.Context()
	var all []any
	keep := func(found any, err error) {
		w.t.Helper()
		if err != nil {
			found = err.Error()
		}
		all = append(all, found)
	}
	for _, team := range []string{"Sales", "Hiring"} {
		found := w.TeamNamed(team).ID
		all = append(all, w.log(found))
		c, err := w.Store.Conversation(ctx, found, id)
		keep(c, err)
		t, err := w.Store.Team(ctx, found)
		keep(t, err)
	}
	m, err := w.Store.Messages(ctx, id, conversation.Range{Notes: true, Limit: tenancy.MaxLimit})
	keep(m, err)
	d, err := w.Store.Deliveries(ctx, id)
	keep(d, err)
	g, err := w.Store.Grants(ctx, id)
	keep(g, err)
	e, err := w.Store.Episodes(ctx, id, 0, tenancy.MaxLimit)
	keep(e, err)
	o, err := w.Conversations.OptOutOf(ctx, w.bob, id)
	keep(o, err)
	r, err := w.Conversations.ReadMark(ctx, w.bob, id)
	keep(r, err)
	i, err := w.Invites.List(ctx, w.alice, invite.Filter{}, tenancy.Page{})
	keep(i, err)
	return all
}

// A preview answers what the line answers then, and nothing of it is left. sqlstore's own tests compare
// all rows of the database.
func TestSpec6_ADryRunChangesNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		w.types(w.bob, c.ID, "^read")
		used := tenancy.WithKey(ctx, "used") // by another line
		_, err := w.Conversations.Type(used, w.bob, c.ID, "^stat all")
		require.NoError(t, err)
		lines := []string{
			"Hello!", "^^_^", "^note filed", "^unread 1", "^read", "^stat", "^help", "^help claim", "^assign me", "^claim", "^snooze 2h", "^open",
			"^invite zoe@client.example", "^release", `^close status:"not interested"`, "^open", "^opt-out said so", "^opt-in said so after all",
			"^deliver zoe@other.example accept-within:3d",
		}
		for _, line := range lines {
			before := w.kept(c.ID)
			for range 2 {
				_, err := w.Conversations.Preview(ctx, w.bob, c.ID, line)
				require.NoError(t, err, line)
			}
			forecast, err := w.Conversations.Preview(used, w.bob, c.ID, line)
			require.NoError(t, err, line)
			require.Equal(t, before, w.kept(c.ID), line)
			got, err := w.Conversations.Type(ctx, w.bob, c.ID, line)
			require.NoError(t, err, line)
			if got.Message != nil {
				require.Zero(t, forecast.Message.ID, line)
				got.Message.ID = tenancy.MessageID{}
			}
			assert.Equal(t, got, forecast, line)
		}
	})
}

// F6: what a line is refused for is what its preview is refused for.
func TestF6_ADryRunRefusesAlike(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		w.types(w.maria, c.ID, "^assign me")
		w.types(w.maria, c.ID, "^claim")
		reader := w.custom(rbac.Restricted, tenancy.Actor{User: w.join("nina"), Team: w.bob.Team}, "conversation: read all", "conversation: read")
		carol := w.Guest(w.maria, c.ID, "carol")
		for _, line := range []string{
			"^", "^nonsense", "^close\nnow", "^deliver", "^deliver Nowhere", "^deliver x status:Hired", "^deliver " + ushertest.Email("maria") + " status:Hired",
			"^assign nobody@x.example", "^assign me", "^assign " + ushertest.Email("carol"), "^claim", "^release", "Hello!", "^invite nobody", "^invite " + ushertest.Email("bob"),
			"^snooze yesterday", "^snooze 9999w", "^unread 99", "^help nonsense", "^note \x00", "",
		} {
			for _, actor := range []tenancy.Actor{w.bob, reader, carol, w.other, {}} {
				before := w.kept(c.ID)
				_, forecast := w.Conversations.Preview(ctx, actor, c.ID, line)
				require.Equal(t, before, w.kept(c.ID), line)
				if forecast == nil {
					require.Equal(t, carol, actor, "%q", line) // who may say it
					continue
				}
				_, err := w.Conversations.Type(ctx, actor, c.ID, line)
				require.EqualError(t, err, forecast.Error(), "%q", line)
				require.Equal(t, before, w.kept(c.ID), line)
			}
		}
	})
}

// A preview waits for nobody's sweep and stands in nobody's way: what runs after it runs as if there
// had been none.
func TestAfterADryRunTheLineRuns(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		for range 3 {
			_, err := w.Conversations.Preview(ctx, w.bob, c.ID, "^deliver Hiring status:Qualified")
			require.NoError(t, err)
			w.Clock.Advance(time.Minute)
		}
		w.types(w.bob, c.ID, "^deliver Hiring status:Qualified")
		history, err := w.Conversations.History(ctx, w.Actor("dana", "Hiring"), c.ID)
		require.NoError(t, err)
		assert.Len(t, history, 1)
	})
}
