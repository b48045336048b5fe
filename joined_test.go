package usher_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// joining are the ways into a team, for a person who is not in it. Its own is for the person who is to take
// the team over.
var joining = map[string]struct {
	own  bool
	join func(ctx context.Context, w *ushertest.World, user string, boss tenancy.Actor) error
}{
	"admission": {join: func(ctx context.Context, w *ushertest.World, user string, boss tenancy.Actor) error {
		_, err := w.Tenancy.Admit(ctx, "provisioning", tenancy.Admission{Team: boss.Team, User: w.User(user).ID, Role: rbac.Member})
		return err
	}},
	"invitation into the team": {join: func(ctx context.Context, w *ushertest.World, user string, boss tenancy.Actor) error {
		if _, err := w.Invites.Create(ctx, boss, invite.ToTeam(ushertest.Email(user), rbac.Member)); err != nil {
			return err
		}
		_, err := w.Invites.Accept(ctx, w.User(user).ID, w.Token(user))
		return err
	}},
	"link": {join: func(_ context.Context, w *ushertest.World, user string, boss tenancy.Actor) error {
		w.Comes(user, w.Link(boss, invite.LinkSpec{Uses: 1}))
		return nil
	}},
	"request": {join: func(ctx context.Context, w *ushertest.World, user string, boss tenancy.Actor) error {
		if _, err := w.Tenancy.Configure(ctx, boss, tenancy.Settings{JoinDomains: []string{w.User(user).JoinDomain()}}); err != nil {
			return err
		}
		_, err := w.Invites.AcceptRequest(ctx, boss, w.Asks(user, "Sales").ID, rbac.Member)
		return err
	}},
	"invitation into a conversation": {join: func(_ context.Context, w *ushertest.World, user string, boss tenancy.Actor) error {
		w.Guest(boss, w.Receive("Sales", w.User(user).ID.String(), "Hi").ID, user)
		return nil
	}},
	"conversation that moves with its guest": {join: func(ctx context.Context, w *ushertest.World, user string, boss tenancy.Actor) error {
		c, from := w.Receive("Hiring", w.User(user).ID.String(), "Hi"), w.Actor("acme-holder", "Hiring")
		w.Guest(from, c.ID, user)
		_, err := w.Conversations.Deliver(ctx, from, c.ID, conversation.ToTeam(boss.Team), conversation.Outcome{})
		return err
	}},
	"conversation that whoever delivered it reads on": {join: func(ctx context.Context, w *ushertest.World, user string, boss tenancy.Actor) error {
		c, from := w.Receive("Hiring", w.User(user).ID.String(), "Hi"), w.Actor(user, "Hiring")
		if _, err := w.Tenancy.Admit(ctx, "hr", tenancy.Admission{Team: from.Team, User: from.User, Role: rbac.Member}); err != nil {
			return err
		}
		_, err := w.Conversations.Deliver(ctx, from, c.ID, conversation.ToTeam(boss.Team), conversation.Outcome{}, conversation.KeepReading())
		return err
	}},
	"succession": {own: true, join: func(ctx context.Context, w *ushertest.World, user string, boss tenancy.Actor) error {
		return w.Tenancy.DeleteUser(ctx, "erasure", boss.User, w.User(user).ID)
	}},
}

// Spec 2: a membership tells by whom somebody joined, by whatever way they came, for the first time or again: it
// is whom the event tells.
func TestSpec2_AMembershipTellsByWhomSomebodyJoined(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		ctx := t.Context()
		w := ushertest.NewWorldOn(t, open(t)).Account("acme").Team("Sales").Team("Hiring")
		tells := func(name string, who tenancy.Actor) {
			t.Helper()
			m, err := w.Store.Membership(ctx, who.Team, who.User)
			require.NoError(t, err, name)
			require.Equal(t, tenancy.MembershipActive, m.Status, name)
			joined := lastJoined(t, w, who)
			assert.Equal(t, joined.Principal, m.JoinedBy, name)
			assert.Equal(t, joined.At, m.JoinedAt, name)
		}
		maker := w.Actor("acme-holder", "Sales")
		tells("a team's maker", maker)
		assert.Equal(t, tenancy.Self(maker.User).Principal(), w.Membership("acme-holder", "Sales").JoinedBy)
		for name, way := range joining {
			for _, again := range []bool{false, true} {
				user, team := name, "Sales"
				if again {
					user = "returning " + name
				}
				boss := w.Actor("acme-holder", team)
				if way.own {
					team = "team of " + user
					w.Account(team).Team(team)
					boss = w.Actor(team+"-holder", team)
				}
				who := w.Actor(user, team)
				if again {
					_, err := w.Tenancy.Admit(ctx, "before", tenancy.Admission{Team: who.Team, User: who.User, Role: rbac.Member})
					require.NoError(t, err, user)
					require.NoError(t, w.Tenancy.Leave(ctx, who), user)
					require.Equal(t, "system:before", w.Membership(user, team).JoinedBy, "who has left")
				}
				w.Clock.Advance(time.Minute)
				require.NoError(t, way.join(ctx, w, user, boss), user)
				tells(user, who)
			}
		}
	})
}

// lastJoined is the event of the user's last coming into the team.
func lastJoined(t *testing.T, w *ushertest.World, who tenancy.Actor) outbox.Event {
	t.Helper()
	events, err := w.Store.TeamEvents(t.Context(), who.Team.UUID(), outbox.LogFilter{Kind: tenancy.MemberJoined}, time.Time{}, [16]byte{}, 100)
	require.NoError(t, err)
	for _, e := range events {
		if strings.Contains(string(e.Payload), who.User.String()) {
			return e
		}
	}
	t.Fatalf("%s has not joined", who.User)
	return outbox.Event{}
}
