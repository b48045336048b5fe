package tenancy_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// seats sets the rule and the limit of the team's account.
func (s *scene) seats(team tenancy.Team, rule tenancy.SeatRule, limit int) {
	s.t.Helper()
	_, err := s.people.SetSeats(s.t.Context(), host, team.Account, tenancy.Seats{Rule: rule, Limit: limit})
	require.NoError(s.t, err)
}

// Spec 2: a seat is a person above a guest; every way in is held to the limit.
func TestSpec2_SeatsAreHeldAtEveryWayIn(t *testing.T) {
	ways := map[string]func(s *scene, by tenancy.Actor, team tenancy.Team) (prepare, enter func() error){
		"admit": func(s *scene, _ tenancy.Actor, team tenancy.Team) (prepare, enter func() error) {
			bob := s.user("Bob")
			return func() error { return nil }, func() error {
				_, err := s.people.Admit(s.t.Context(), host, tenancy.Admission{Team: team.ID, User: bob.ID, Role: rbac.Member})
				return err
			}
		},
		"raise a guest": func(s *scene, by tenancy.Actor, team tenancy.Team) (prepare, enter func() error) {
			bob := s.member(team, "Bob", rbac.Restricted)
			return func() error { return nil }, func() error {
				_, err := s.people.ChangeRole(s.t.Context(), by, bob.User, rbac.Member)
				return err
			}
		},
		"custom role of a guest": func(s *scene, by tenancy.Actor, team tenancy.Team) (prepare, enter func() error) {
			bob := s.member(team, "Bob", rbac.Restricted)
			role, err := s.people.DefineRole(s.t.Context(), s.holder(team.ID), tenancy.RoleSpec{Name: "Auditor", Base: rbac.Restricted, Permissions: []string{"audit: read"}})
			require.NoError(s.t, err)
			return func() error { return nil }, func() error {
				_, err := s.people.GiveRole(s.t.Context(), by, bob.User, role.ID)
				return err
			}
		},
		"reactivate": func(s *scene, by tenancy.Actor, team tenancy.Team) (prepare, enter func() error) {
			bob := s.member(team, "Bob", rbac.Member)
			return func() error { _, err := s.people.Suspend(s.t.Context(), by, bob.User); return err }, func() error {
				_, err := s.people.Reactivate(s.t.Context(), by, bob.User)
				return err
			}
		},
		"new expiry": func(s *scene, by tenancy.Actor, team tenancy.Team) (prepare, enter func() error) {
			bob := s.member(team, "Bob", rbac.Member)
			return func() error {
					_, err := s.people.SetExpiry(s.t.Context(), by, bob.User, s.now.Add(time.Hour))
					s.now = s.now.Add(time.Hour)
					return err
				}, func() error {
					_, err := s.people.SetExpiry(s.t.Context(), by, bob.User, time.Time{})
					return err
				}
		},
		"make a team": func(s *scene, by tenancy.Actor, team tenancy.Team) (prepare, enter func() error) {
			holder := s.holder(team.ID)
			s.member(team, "Bob", rbac.Manager)
			return func() error { return s.people.Leave(s.t.Context(), by) }, func() error {
				_, err := s.people.CreateTeam(s.t.Context(), holder, tenancy.TeamSpec{Name: "Hiring"})
				return err
			}
		},
		"restore a team": func(s *scene, by tenancy.Actor, team tenancy.Team) (prepare, enter func() error) {
			holder := s.holder(team.ID)
			hiring, err := s.people.CreateTeam(s.t.Context(), holder, tenancy.TeamSpec{Name: "Hiring"})
			require.NoError(s.t, err)
			s.member(hiring, "Bob", rbac.Member)
			there := tenancy.Actor{User: by.User, Team: hiring.ID}
			return func() error { _, err := s.people.Archive(s.t.Context(), there, tenancy.Leftovers{}); return err }, func() error {
				_, err := s.people.Restore(s.t.Context(), there)
				return err
			}
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, s *scene) {
				ctx := t.Context()
				alice := s.user("Alice")
				team := s.team(alice, "Sales")
				actor := tenancy.Actor{User: alice.ID, Team: team.ID}
				prepare, enter := way(s, actor, team)
				require.NoError(t, prepare())
				s.seats(team, tenancy.HardSeats, 1)
				taken, err := s.people.SeatsTaken(ctx, s.holder(team.ID))
				require.NoError(t, err)
				require.Equal(t, 1, taken, "only Alice has a seat")
				before := s.events(team.ID)

				err = enter()
				var seats *tenancy.SeatsError
				require.ErrorAs(t, err, &seats)
				require.ErrorIs(t, err, tenancy.ErrLimit)
				assert.Equal(t, tenancy.SeatsError{Limit: 1, Needed: 2}, *seats)
				assert.Equal(t, before, s.events(team.ID), "nothing is half-written")

				s.seats(team, tenancy.WarnSeats, 1)
				told := len(s.accountEvents(team.Account))
				require.NoError(t, enter())
				assert.Equal(t, []string{tenancy.AccountSeatsExceeded}, s.accountEvents(team.Account)[told:])
				taken, err = s.people.SeatsTaken(ctx, s.holder(team.ID))
				require.NoError(t, err)
				assert.Equal(t, 2, taken)
			})
		})
	}
}

func TestSeatsOfOneAccount(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		s.team(s.user("Oscar"), "Sales") // another account with people of its own
		holder := s.holder(team.ID)
		hiring, err := s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: "Hiring"})
		require.NoError(t, err)
		bob := s.member(team, "Bob", rbac.Member)
		s.member(team, "Guest", rbac.Restricted)
		s.seats(team, tenancy.HardSeats, 2)
		taken, err := s.people.SeatsTaken(ctx, holder)
		require.NoError(t, err)
		assert.Equal(t, 2, taken, "somebody in two teams has one seat, a guest none")

		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: hiring.ID, User: bob.User, Role: rbac.Manager})
		require.NoError(t, err, "who has a seat can join another team")
		s.member(team, "Guest2", rbac.Restricted)
		_, err = s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: "Third"})
		require.NoError(t, err)
		s.seats(team, tenancy.HardSeats, 0)
		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: s.user("Carol").ID, Role: rbac.Member})
		require.ErrorIs(t, err, tenancy.ErrLimit, "0 is a limit")
		require.NoError(t, s.people.Check(ctx, bob, rbac.SendBlast), "nobody is turned out")
		s.seats(team, tenancy.Unlimited, 0)
		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: s.user("Carol").ID, Role: rbac.Member})
		require.NoError(t, err)

		for _, odd := range []tenancy.Seats{{Rule: "soft"}, {Rule: tenancy.HardSeats, Limit: -1}, {Rule: tenancy.WarnSeats, Limit: tenancy.MaxSeats + 1}, {Limit: 3}, {CountPending: true}} {
			_, err = s.people.SetSeats(ctx, host, team.Account, odd)
			require.ErrorIs(t, err, tenancy.ErrInvalid, "%+v", odd)
		}
	})
}

// Spec 2: a limit below what is taken turns nobody out: who has a seat takes no other one by what they do in
// another team, and whoever comes is one too many.
func TestSpec2_WhoHasASeatNeedsNoOther(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		hiring, err := s.people.CreateTeam(ctx, s.holder(team.ID), tenancy.TeamSpec{Name: "Hiring"})
		require.NoError(t, err)
		bob, carol := s.member(team, "Bob", rbac.Member), s.member(team, "Carol", rbac.Restricted)
		s.seats(team, tenancy.HardSeats, 1)
		told := len(s.accountEvents(team.Account))
		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: hiring.ID, User: bob.User, Role: rbac.Member})
		require.NoError(t, err)
		_, err = s.people.ChangeRole(ctx, tenancy.Actor{User: alice.ID, Team: team.ID}, bob.User, rbac.Manager)
		require.NoError(t, err)
		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: hiring.ID, User: carol.User, Role: rbac.Member})
		var seats *tenancy.SeatsError
		require.ErrorAs(t, err, &seats, "a guest has none")
		assert.Equal(t, tenancy.SeatsError{Limit: 1, Needed: 3}, *seats)
		assert.Len(t, s.accountEvents(team.Account), told)
	})
}

// Of many who want the last seat at once, by different teams of the account, one gets it.
func TestTheLastSeatGoesToOne(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		teams := []tenancy.Team{s.team(alice, "Sales")}
		holder := s.holder(teams[0].ID)
		for _, name := range []string{"Hiring", "Support"} {
			team, err := s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: name})
			require.NoError(t, err)
			teams = append(teams, team)
		}
		for round := range everystore.Rounds(50) {
			s.seats(teams[0], tenancy.HardSeats, 2+round)
			var wg sync.WaitGroup
			start := make(chan struct{})
			errs := make(chan error, 8)
			for n := range cap(errs) {
				user := s.user(fmt.Sprint("newcomer", round, "-", n))
				wg.Go(func() {
					<-start
					_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: teams[n%len(teams)].ID, User: user.ID, Role: rbac.Member})
					errs <- err
				})
			}
			close(start)
			wg.Wait()
			close(errs)
			in := 0
			for err := range errs {
				if err == nil {
					in++
				} else {
					require.ErrorIs(t, err, tenancy.ErrLimit)
				}
			}
			require.Equal(t, 1, in)
		}
	})
}
