//go:build cluster

package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/mysql"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/storagetest"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// TestCluster runs usher on three nodes of MariaDB Galera: see docs/databases.md. It is run by
// make cluster-test and is no part of the gate, since it takes minutes.
func TestCluster(t *testing.T) {
	c := startCluster(t)
	t.Run("conformance", func(t *testing.T) { clusterConformance(t, c) })
	t.Run("migrate", func(t *testing.T) { clusterMigrate(t, c) })
	t.Run("join", func(t *testing.T) { clusterJoin(t, c) })
	t.Run("races", func(t *testing.T) { clusterRaces(t, c) })
	t.Run("kill", func(t *testing.T) { clusterKill(t, c) }) // the last: it takes a node away
}

// The suite with each store on a node of its own choice, where nothing is left out; and with the
// connections of every store spread over all nodes, so that each crowd of its races is one of
// transactions on different nodes.
func clusterConformance(t *testing.T, c *cluster) {
	t.Run("a node for each store", func(t *testing.T) {
		storagetest.Run(t, func(t *testing.T) storage.Store {
			name := c.database(t)
			return open(t, handle(t, c.nodes[rand.N(clusterSize)].dsn(name)), mysql.WithGalera())
		})
	})
	before := c.conflicts(c.nodes...)
	t.Run("a node for each connection", func(t *testing.T) {
		storagetest.Run(t, func(t *testing.T) storage.Store {
			return open(t, c.spread(t, c.database(t)), mysql.WithGalera())
		}, storagetest.Without(storagetest.RowLocks,
			"a lock is local to its node: another node's transaction may commit first, and the one that holds the lock is run again"))
	})
	t.Logf("%d conflicts between nodes", c.conflicts(c.nodes...)-before)
}

// Programs on all nodes may migrate at the same time.
func clusterMigrate(t *testing.T, c *cluster) {
	for range 5 {
		name := c.database(t)
		stores := make([]*sqlstore.Store, clusterSize)
		for i, n := range c.nodes {
			var err error
			stores[i], err = mysql.New(handle(t, n.dsn(name)), mysql.WithGalera())
			require.NoError(t, err)
		}
		for _, err := range together(stores, func(s *sqlstore.Store) error { return s.Migrate(t.Context()) }) {
			require.NoError(t, err)
		}
	}
}

// The host's transactions on all nodes at the same time. They have nothing in common, so none is
// in the way of another, and what one has committed is there on the others.
func clusterJoin(t *testing.T, c *cluster) {
	w := newClusterWorld(t, c)
	for round := range everystore.Rounds(50) {
		users := make([]tenancy.User, clusterSize)
		for _, err := range together([]int{0, 1, 2}, func(i int) (err error) {
			users[i], err = w.sites[i].registerJoined(t.Context(), fmt.Sprintf("joined-%d-%d", round, i))
			return err
		}) {
			require.NoError(t, err)
		}
		for i, want := range users {
			have, err := w.sites[(i+1)%clusterSize].store.User(t.Context(), want.ID)
			require.NoError(t, err)
			require.Equal(t, want, have)
		}
	}
}

// site is usher on one node.
type site struct {
	*usher.Usher
	name  string
	db    *sql.DB
	store *sqlstore.Store
}

// registerJoined registers a user in a transaction of the host's.
func (s *site) registerJoined(ctx context.Context, name string) (tenancy.User, error) {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return tenancy.User{}, err
	}
	defer tx.Rollback() // after a commit there is nothing to undo
	joined, err := s.store.JoinTx(ctx, tx)
	if err != nil {
		return tenancy.User{}, err
	}
	u, err := s.Tenancy.Register(joined, ushertest.System, tenancy.Profile{Email: ushertest.Email(name), Verified: true})
	if err != nil {
		return tenancy.User{}, err
	}
	return u, tx.Commit()
}

// clusterWorld is one schema that all nodes work in.
type clusterWorld struct {
	t       *testing.T
	sites   []*site
	mail    *invite.Captured
	account tenancy.Account
	holder  tenancy.Holder
	team    tenancy.Team
	manager tenancy.Actor // the holder in the team
	serial  int
}

func newClusterWorld(t *testing.T, c *cluster) *clusterWorld {
	t.Helper()
	w := &clusterWorld{t: t, mail: &invite.Captured{}}
	name := c.database(t)
	for i, n := range c.nodes {
		db := handle(t, n.dsn(name))
		s := &site{name: fmt.Sprintf("node %d", i+1), db: db, store: open(t, db, mysql.WithGalera())}
		var err error
		s.Usher, err = usher.New(s.store, usher.WithMailer(w.mail), usher.WithInviteURL("https://app.example/join"))
		require.NoError(t, err)
		w.sites = append(w.sites, s)
	}
	holder := w.user()
	var err error
	w.account, err = w.sites[0].Tenancy.CreateAccount(t.Context(), holder.ID, "Acme")
	require.NoError(t, err)
	w.holder = w.account.Holder(holder.ID)
	w.team, err = w.sites[0].Tenancy.CreateTeam(t.Context(), w.holder, tenancy.TeamSpec{Name: "Sales", Identity: tenancy.Chat("sales.acme")})
	require.NoError(t, err)
	w.manager = w.actor(holder)
	return w
}

// user registers someone with a verified address.
func (w *clusterWorld) user() tenancy.User {
	w.t.Helper()
	w.serial++
	u, err := w.sites[0].Tenancy.Register(w.t.Context(), ushertest.System, tenancy.Profile{
		Email: ushertest.Email(fmt.Sprintf("user-%d", w.serial)), Verified: true,
	})
	require.NoError(w.t, err)
	return u
}

func (w *clusterWorld) actor(u tenancy.User) tenancy.Actor {
	return tenancy.Actor{User: u.ID, Team: w.team.ID}
}

// admitted is someone new in the team.
func (w *clusterWorld) admitted(role rbac.Role) tenancy.Actor {
	w.t.Helper()
	u := w.user()
	_, err := w.sites[0].Tenancy.Admit(w.t.Context(), ushertest.System, tenancy.Admission{Team: w.team.ID, User: u.ID, Role: role})
	require.NoError(w.t, err)
	return w.actor(u)
}

func (w *clusterWorld) receive(contact string) conversation.Conversation {
	w.t.Helper()
	w.serial++
	c, err := w.sites[0].Conversations.Receive(w.t.Context(), ushertest.System, conversation.Inbound{
		To: w.team.Identity, From: contact, ID: fmt.Sprintf("first-%d", w.serial), Text: "Hi",
	})
	require.NoError(w.t, err)
	return c
}

// pair is two sites, other ones in each round, and in the other order.
func (w *clusterWorld) pair(round int) (a, b *site) {
	i := round % clusterSize
	return w.sites[i], w.sites[(i+1+round/clusterSize%(clusterSize-1))%clusterSize]
}

// together runs a function for all at the same instant, and answers their errors.
func together[T any](all []T, fn func(T) error) []error {
	errs := make([]error, len(all))
	start := make(chan struct{})
	var wait sync.WaitGroup
	for i, one := range all {
		wait.Go(func() {
			<-start
			errs[i] = fn(one)
		})
	}
	close(start)
	wait.Wait()
	return errs
}

// both runs two functions at the same instant.
func both(a, b func() error) (errA, errB error) {
	errs := together([]func() error{a, b}, func(fn func() error) error { return fn() })
	return errs[0], errs[1]
}

// clusterRaces brings two nodes to decide on the same thing at the same instant. The conflicts
// must have been run again: no caller sees one.
func clusterRaces(t *testing.T, c *cluster) {
	w := newClusterWorld(t, c)
	for _, race := range []struct {
		name string
		run  func(t *testing.T, w *clusterWorld, round int)
	}{
		{"two managers demote each other", raceDemoteEachOther},
		{"two managers step down", raceStepDown},
		{"two accept one invitation", raceAccept},
		{"two assign one conversation", raceAssign},
		{"two close one conversation", raceClose},
		{"one is removed and made responsible", raceRemoveAssigned},
		{"two answer the first message of a contact", raceReceive},
	} {
		t.Run(race.name, func(t *testing.T) {
			before := c.conflicts(c.nodes...)
			for round := range everystore.Rounds(50) {
				race.run(t, w, round)
				if t.Failed() {
					t.Fatalf("in round %d", round)
				}
			}
			t.Logf("%d rounds, %d conflicts between nodes", everystore.Rounds(50), c.conflicts(c.nodes...)-before)
		})
	}
}

// managers counts those of a team, as each node sees them; they must see the same.
func (w *clusterWorld) managers(t *testing.T, team tenancy.TeamID) int {
	t.Helper()
	var counts []int
	for _, s := range w.sites {
		members, err := s.store.Members(t.Context(), team, tenancy.Keyset{Limit: 100})
		require.NoError(t, err)
		n := 0
		for _, m := range members {
			if m.Role == rbac.Manager && m.Status == tenancy.MembershipActive {
				n++
			}
		}
		counts = append(counts, n)
	}
	require.Equal(t, []int{counts[0], counts[0], counts[0]}, counts)
	return counts[0]
}

// twoManagers makes a team that is theirs alone.
func (w *clusterWorld) twoManagers(t *testing.T) (a, b tenancy.Actor) {
	t.Helper()
	w.serial++
	team, err := w.sites[0].Tenancy.CreateTeam(t.Context(), w.holder, tenancy.TeamSpec{Name: fmt.Sprintf("Pair %d", w.serial)})
	require.NoError(t, err)
	u := w.user()
	_, err = w.sites[0].Tenancy.Admit(t.Context(), ushertest.System, tenancy.Admission{Team: team.ID, User: u.ID, Role: rbac.Manager})
	require.NoError(t, err)
	return tenancy.Actor{User: w.holder.User, Team: team.ID}, tenancy.Actor{User: u.ID, Team: team.ID}
}

func raceDemoteEachOther(t *testing.T, w *clusterWorld, round int) {
	siteA, siteB := w.pair(round)
	a, b := w.twoManagers(t)
	demote := func(s *site, who, whom tenancy.Actor) func() error {
		return func() error {
			_, err := s.Tenancy.ChangeRole(t.Context(), who, whom.User, rbac.Member)
			return err
		}
	}
	errA, errB := both(demote(siteA, a, b), demote(siteB, b, a))
	oneWins(t, errA, errB, func(err error) bool { return errors.Is(err, rbac.ErrDenied) })
	assert.Equal(t, 1, w.managers(t, a.Team))
}

func raceStepDown(t *testing.T, w *clusterWorld, round int) {
	siteA, siteB := w.pair(round)
	a, b := w.twoManagers(t)
	step := func(s *site, who tenancy.Actor) func() error {
		return func() error {
			if round%2 == 0 {
				return s.Tenancy.Leave(t.Context(), who)
			}
			_, err := s.Tenancy.ChangeRole(t.Context(), who, who.User, rbac.Member)
			return err
		}
	}
	errA, errB := both(step(siteA, a), step(siteB, b))
	oneWins(t, errA, errB, func(err error) bool { return errors.Is(err, tenancy.ErrLastManager) })
	assert.Equal(t, 1, w.managers(t, a.Team))
}

// oneWins checks that one was done and the other refused for the reason given.
func oneWins(t *testing.T, errA, errB error, refused func(error) bool) {
	t.Helper()
	won, lost := errA, errB
	if errA != nil {
		won, lost = errB, errA
	}
	assert.NoError(t, won)
	assert.True(t, lost != nil && refused(lost), "one must be refused: %v, %v", errA, errB)
}

func raceAccept(t *testing.T, w *clusterWorld, round int) {
	siteA, siteB := w.pair(round)
	u := w.user()
	_, err := siteA.Invites.Create(t.Context(), w.manager, invite.ToTeam(u.Email.Normal, rbac.Member))
	require.NoError(t, err)
	_, err = siteB.Relay.Drain(t.Context())
	require.NoError(t, err)
	token := w.mail.Last(u.Email.Normal).Token
	require.False(t, token.IsZero())
	accept := func(s *site) func() error {
		return func() error {
			_, err := s.Invites.Accept(t.Context(), u.ID, token)
			return err
		}
	}
	errA, errB := both(accept(siteA), accept(siteB))
	oneWins(t, errA, errB, func(err error) bool {
		var accepted *invite.AcceptedError
		return errors.As(err, &accepted)
	})
	for _, s := range w.sites {
		m, err := s.store.Membership(t.Context(), w.team.ID, u.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 1, m.Version)
	}
}

func raceAssign(t *testing.T, w *clusterWorld, round int) {
	siteA, siteB := w.pair(round)
	a, b := w.manager, w.admitted(rbac.Member)
	c := w.receive(fmt.Sprintf("assign-%d", round))
	assign := func(s *site, who tenancy.Actor) func() error {
		return func() error {
			_, err := s.Conversations.Assign(t.Context(), who, c.ID, who.User)
			return err
		}
	}
	errA, errB := both(assign(siteA, a), assign(siteB, b))
	winner := a.User
	if errA != nil {
		winner = b.User
	}
	oneWins(t, errA, errB, func(err error) bool {
		var assigned *conversation.AssignedError
		return errors.As(err, &assigned) && assigned.Assignee == winner
	})
	for _, s := range w.sites {
		c, err := s.store.Conversation(t.Context(), w.team.ID, c.ID)
		require.NoError(t, err)
		assert.Equal(t, winner, c.Assignee)
	}
}

func raceClose(t *testing.T, w *clusterWorld, round int) {
	siteA, siteB := w.pair(round)
	c := w.receive(fmt.Sprintf("close-%d", round))
	deliver := func(s *site, outcome conversation.Label) func() error {
		return func() error {
			_, err := s.Conversations.Deliver(t.Context(), w.manager, c.ID, conversation.ToUser(w.manager.User),
				conversation.Outcome{Status: outcome})
			return err
		}
	}
	errA, errB := both(deliver(siteA, conversation.NotQualified), deliver(siteB, conversation.NotInterested))
	oneWins(t, errA, errB, func(err error) bool { return errors.Is(err, conversation.ErrClosed) })
	want := conversation.NotQualified
	if errA != nil {
		want = conversation.NotInterested
	}
	for _, s := range w.sites {
		c, err := s.store.Conversation(t.Context(), w.team.ID, c.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.Closed, c.Status)
		assert.Equal(t, want, c.Outcome)
		history, err := s.Conversations.History(t.Context(), w.manager, c.ID)
		require.NoError(t, err)
		require.Len(t, history, 1)
		assert.Equal(t, want, history[0].Outcome.Status)
	}
}

// Whoever is removed is responsible for nothing, whichever of the two comes first: the one who
// assigns only reads the other's membership, so that read must be certified too.
func raceRemoveAssigned(t *testing.T, w *clusterWorld, round int) {
	siteA, siteB := w.pair(round)
	leaver := w.admitted(rbac.Member)
	c := w.receive(fmt.Sprintf("leaver-%d", round))
	errRemove, errAssign := both(
		func() error { return siteA.Tenancy.Remove(t.Context(), w.manager, leaver.User) },
		func() error {
			_, err := siteB.Conversations.Assign(t.Context(), w.manager, c.ID, leaver.User)
			return err
		})
	require.NoError(t, errRemove)
	if errAssign != nil {
		require.ErrorIs(t, errAssign, conversation.ErrNotRecipient)
	}
	for _, s := range w.sites {
		c, err := s.store.Conversation(t.Context(), w.team.ID, c.ID)
		require.NoError(t, err)
		assert.True(t, c.Assignee.IsZero(), "a removed member is responsible for a conversation; the assignment answered %v", errAssign)
	}
}

// Two messages that both find no conversation end in one.
func raceReceive(t *testing.T, w *clusterWorld, round int) {
	siteA, siteB := w.pair(round)
	contact := fmt.Sprintf("contact-%d", round)
	receive := func(s *site, text string) func() error {
		return func() error {
			_, err := s.Conversations.Receive(t.Context(), ushertest.System, conversation.Inbound{
				To: w.team.Identity, From: contact, ID: contact + text, Text: text,
			})
			return err
		}
	}
	errA, errB := both(receive(siteA, "Hello"), receive(siteB, "Anybody there?"))
	require.NoError(t, errA)
	require.NoError(t, errB)
	for _, s := range w.sites {
		found, err := s.store.ConversationsByAddress(t.Context(), w.team.Identity, contact)
		require.NoError(t, err)
		require.Len(t, found, 1)
		messages, err := s.store.Messages(t.Context(), found[0].ID, conversation.Range{Limit: 10})
		require.NoError(t, err)
		require.Len(t, messages, 2)
		assert.EqualValues(t, 2, messages[1].Seq)
	}
}
