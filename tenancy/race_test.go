package tenancy_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// The people of a team in which roles are changed: a manager who is left alone, two managers and
// a member.
const (
	keeper = iota
	alice
	bob
	carol
)

// A roleChange is one person's attempt to give another a role.
type roleChange struct {
	by, of int
	to     rbac.Role
}

// ranks is the model that C8 is held against: who has which role, and what happened, in order.
type ranks struct {
	roles   [4]rbac.Role
	granted [2]bool
	events  string
}

// after is what the changes come to one after the other: only a manager may, and the same role
// again is no event.
func (r ranks) after(changes [2]roleChange, order ...int) ranks {
	for _, i := range order {
		c := changes[i]
		if r.roles[c.by] != rbac.Manager {
			continue
		}
		r.granted[i] = true
		if from := r.roles[c.of]; from != c.to {
			r.roles[c.of] = c.to
			r.events += fmt.Sprintf("%d from %s to %s; ", c.of, from, c.to)
		}
	}
	return r
}

// C8: a demotion and a promotion at once end as one of the two orders would, in the answers, in
// the roles and in the order of the events.
func TestC8_DemotionAndPromotionAtOnce(t *testing.T) {
	for name, race := range map[string][2]roleChange{
		"the demoted promotes another":       {{alice, bob, rbac.Member}, {bob, carol, rbac.Manager}},
		"one is demoted and promoted":        {{alice, carol, rbac.Restricted}, {bob, carol, rbac.Manager}},
		"a manager is demoted and confirmed": {{alice, bob, rbac.Member}, {keeper, bob, rbac.Manager}},
		"each makes the other a guest":       {{alice, bob, rbac.Restricted}, {bob, alice, rbac.Restricted}},
		"the promoter becomes a guest":       {{keeper, alice, rbac.Restricted}, {alice, carol, rbac.Manager}},
	} {
		t.Run(name, func(t *testing.T) {
			everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
				s := sceneOn(t, open(t))
				users := [4]tenancy.User{s.user("keeper"), s.user("alice"), s.user("bob"), s.user("carol")}
				before := ranks{roles: [4]rbac.Role{rbac.Manager, rbac.Manager, rbac.Manager, rbac.Member}}
				allowed := []ranks{before.after(race, 0, 1), before.after(race, 1, 0)}
				for round := range everystore.Rounds(50) {
					team := s.ranked(users, before.roles, fmt.Sprint("team ", round))
					require.Contains(t, allowed, s.changeAtOnce(team, users, race))
				}
			})
		})
	}
}

// ranked makes a team in which the users have the roles; the first is its maker. It is one
// transaction, to be quick.
func (s *scene) ranked(users [4]tenancy.User, roles [4]rbac.Role, name string) (team tenancy.Team) {
	s.t.Helper()
	require.NoError(s.t, s.store.InTx(s.t.Context(), func(ctx context.Context) error {
		account, err := s.people.CreateAccount(ctx, users[0].ID, name)
		if err != nil {
			return err
		}
		if team, err = s.people.CreateTeam(ctx, account.Holder(users[0].ID), tenancy.TeamSpec{Name: name}); err != nil {
			return err
		}
		for i := range users[1:] {
			a := tenancy.Admission{Team: team.ID, User: users[i+1].ID, Role: roles[i+1]}
			if _, err := s.people.Admit(ctx, host, a); err != nil {
				return err
			}
		}
		return nil
	}))
	return team
}

// changeAtOnce makes the two changes at a barrier and reads what came of them.
func (s *scene) changeAtOnce(team tenancy.Team, users [4]tenancy.User, race [2]roleChange) (got ranks) {
	s.t.Helper()
	var errs [2]error
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i, c := range race {
		wg.Go(func() {
			<-start
			_, errs[i] = s.people.ChangeRole(s.t.Context(), tenancy.Actor{User: users[c.by].ID, Team: team.ID}, users[c.of].ID, c.to)
		})
	}
	close(start)
	wg.Wait()
	number := map[string]int{}
	for i := range users {
		m, err := s.store.Membership(s.t.Context(), team.ID, users[i].ID)
		require.NoError(s.t, err)
		got.roles[i] = m.Role
		number[users[i].ID.String()] = i
	}
	for i, err := range errs {
		got.granted[i] = err == nil
		require.True(s.t, err == nil || errors.Is(err, rbac.ErrDenied), "%v", err)
	}
	events, err := s.store.TeamEvents(s.t.Context(), team.ID.UUID(), outbox.LogFilter{}, time.Time{}, [16]byte{}, 100)
	require.NoError(s.t, err)
	slices.SortFunc(events, func(a, b outbox.Event) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for _, e := range events {
		var facts tenancy.Facts
		require.NoError(s.t, json.Unmarshal(e.Payload, &facts))
		if e.Kind == tenancy.MemberRoleChanged {
			got.events += fmt.Sprintf("%d from %s to %s; ", number[facts["user"]], facts["from"], facts["to"])
		}
	}
	return got
}
