package tenancy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

const host = tenancy.System("test")

// scene is a service on one store with a clock in the test's hand.
type scene struct {
	t      *testing.T
	store  storage.Store
	people *tenancy.Service
	policy *rbac.Policy
	now    time.Time
	left   []tenancy.Departure
	told   map[outbox.Stream][]string
}

// Depart notes who left, as the other rooms would.
func (s *scene) Depart(_ context.Context, departures ...tenancy.Departure) error {
	s.left = append(s.left, departures...)
	return nil
}

func newScene(t *testing.T) *scene { return sceneOn(t, memory.New()) }

func sceneOn(t *testing.T, store storage.Store, rows ...rbac.Row) *scene {
	t.Helper()
	s := &scene{t: t, store: store, told: map[outbox.Stream][]string{}, now: time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)}
	policy, err := rbac.NewPolicy(rows...)
	require.NoError(t, err)
	s.policy = policy
	s.people, err = tenancy.New(store, policy, tenancy.Env{
		Clock: func() time.Time { return s.now }, Lanes: outbox.Lanes{"test": nil},
	})
	require.NoError(t, err)
	s.people.Bind(s)
	return s
}

// onEveryStore runs the test in a fresh scene on each store.
func onEveryStore(t *testing.T, test func(t *testing.T, s *scene)) {
	t.Helper()
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) { test(t, sceneOn(t, open(t))) })
}

// user registers someone who is verified for name@acme.example.
func (s *scene) user(name string) tenancy.User {
	s.t.Helper()
	u, err := s.people.Register(s.t.Context(), host, tenancy.Profile{
		ExternalID: name, Email: strings.ToLower(name) + "@acme.example", Verified: true, Name: name,
	})
	require.NoError(s.t, err)
	return u
}

// team makes an account and a team, both named, whose manager is the user.
func (s *scene) team(manager tenancy.User, name string) tenancy.Team {
	s.t.Helper()
	account, err := s.people.CreateAccount(s.t.Context(), manager.ID, name)
	require.NoError(s.t, err)
	team, err := s.people.CreateTeam(s.t.Context(), account.Holder(manager.ID), tenancy.TeamSpec{Name: name})
	require.NoError(s.t, err)
	return team
}

// member registers someone and takes them into the team.
func (s *scene) member(team tenancy.Team, name string, role rbac.Role) tenancy.Actor {
	s.t.Helper()
	u := s.user(name)
	_, err := s.people.Admit(s.t.Context(), host, tenancy.Admission{Team: team.ID, User: u.ID, Role: role})
	require.NoError(s.t, err)
	return tenancy.Actor{User: u.ID, Team: team.ID}
}

// managed makes a team whose only manager is a user of that name, who holds no account.
func (s *scene) managed(name string) tenancy.Actor {
	s.t.Helper()
	owner := s.user(name + "-owner")
	team := s.team(owner, name)
	manager := s.member(team, name, rbac.Manager)
	require.NoError(s.t, s.people.Leave(s.t.Context(), tenancy.Actor{User: owner.ID, Team: team.ID}))
	return manager
}

// holder is the holder of the team's account.
func (s *scene) holder(team tenancy.TeamID) tenancy.Holder {
	s.t.Helper()
	t, err := s.store.Team(s.t.Context(), team)
	require.NoError(s.t, err)
	a, err := s.store.Account(s.t.Context(), t.Account)
	require.NoError(s.t, err)
	return a.Holder(a.HeldBy)
}

// accountEvents lists the kinds of the account's events, oldest first.
func (s *scene) accountEvents(account tenancy.AccountID) []string {
	return s.streamed(outbox.Stream{Kind: outbox.AccountStream, ID: account.UUID()})
}

// userEvents lists the kinds of the user's events, oldest first.
func (s *scene) userEvents(user tenancy.UserID) []string {
	return s.streamed(outbox.Stream{Kind: outbox.UserStream, ID: user.UUID()})
}

// streamed lists the kinds of a stream's events by relaying all that is due, at each call what
// is new; earlier ones are remembered.
func (s *scene) streamed(stream outbox.Stream) []string {
	s.t.Helper()
	sink := outbox.SinkFunc(func(_ context.Context, e outbox.Event) error {
		s.told[e.Stream] = append(s.told[e.Stream], e.Kind)
		return nil
	})
	_, err := outbox.NewRelay(s.store, outbox.Sinks{"test": sink}, outbox.WithClock(func() time.Time { return s.now })).Drain(s.t.Context())
	require.NoError(s.t, err)
	return s.told[stream]
}

// set writes a membership as no operation of this version would, to test what it means.
func (s *scene) set(actor tenancy.Actor, change func(*tenancy.Membership)) {
	s.t.Helper()
	require.NoError(s.t, s.store.InTx(s.t.Context(), func(ctx context.Context) error {
		m, err := s.store.Membership(ctx, actor.Team, actor.User)
		if err != nil {
			return err
		}
		change(&m)
		return s.store.UpdateMembership(ctx, m)
	}))
}

// events lists the kinds of the team's events, oldest first.
func (s *scene) events(team tenancy.TeamID) []string {
	s.t.Helper()
	found, err := s.store.TeamEvents(s.t.Context(), team.UUID(), outbox.LogFilter{}, time.Time{}, [16]byte{}, 1000)
	require.NoError(s.t, err)
	kinds := make([]string, len(found))
	for i, e := range found {
		kinds[len(found)-1-i] = e.Kind
	}
	return kinds
}
