package usher_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// departing are operations by which members of several teams lose all that they have in them: one user
// everywhere, or everybody who has a role.
var departing = map[string]struct {
	role string // that they have; empty for a plain member
	each bool   // somebody else in each team
	call func(ctx context.Context, w *ushertest.World, user tenancy.UserID, role tenancy.CustomRole) error
}{
	"SuspendUser": {call: func(ctx context.Context, w *ushertest.World, user tenancy.UserID, _ tenancy.CustomRole) error {
		_, err := w.Tenancy.SuspendUser(ctx, ushertest.System, user)
		return err
	}},
	"DeleteUser": {call: func(ctx context.Context, w *ushertest.World, user tenancy.UserID, _ tenancy.CustomRole) error {
		return w.Tenancy.DeleteUser(ctx, ushertest.System, user, tenancy.UserID{})
	}},
	"DeleteUser in a custom role": {role: "Lead", call: func(ctx context.Context, w *ushertest.World, user tenancy.UserID, _ tenancy.CustomRole) error {
		return w.Tenancy.DeleteUser(ctx, ushertest.System, user, tenancy.UserID{})
	}},
	"EditRole": {role: "Lead", each: true, call: func(ctx context.Context, w *ushertest.World, _ tenancy.UserID, role tenancy.CustomRole) error {
		_, err := w.Tenancy.EditRole(ctx, w.Holder("acme"), role.ID, tenancy.RoleSpec{Name: role.Name, Base: role.Base})
		return err
	}},
}

// Who departs from several teams at once costs no more than who departs from one: what they were
// responsible for, had claimed and were about to deliver, the invitations and requests that they sent and
// the conversations that they were guests of are freed together.
func TestStatementsOfDeparturesDoNotGrow(t *testing.T) {
	for name, op := range departing {
		t.Run(name, func(t *testing.T) {
			store, recorder := everystore.RecordedSQLite(t)
			depart := func(teams int) []string {
				recorder.Empty(t)
				w := ushertest.NewWorldOn(t, store).Account("acme")
				role := tenancy.CustomRole{}
				if op.role != "" {
					w.Role(op.role, rbac.Restricted, rbac.ChangeRole, rbac.ReadConversation)
				}
				var who []tenancy.Actor
				for i := range teams {
					team, user := fmt.Sprint("Team ", i), "leaver"
					if op.each {
						user = fmt.Sprint("leaver-", i)
					}
					w.Team(team, ushertest.Manager("alice"))
					admission := tenancy.Admission{Team: w.TeamNamed(team).ID, User: w.User(user).ID, Role: rbac.Member}
					if op.role != "" {
						roles, err := w.Tenancy.AccountRoles(t.Context(), w.Holder("acme"))
						require.NoError(t, err)
						role = roles[0]
						admission.Role, admission.Custom = 0, role.ID
					}
					_, err := w.Tenancy.Admit(t.Context(), ushertest.System, admission)
					require.NoError(t, err)
					who = append(who, w.Actor(user, team))
					holdsMuch(t, w, who[i], team)
				}
				recorder.Take()
				require.NoError(t, op.call(t.Context(), w, who[0].User, role))
				sent, _ := recorder.Take()
				freed(t, w, who, name)
				return sent
			}
			one := depart(1)
			many := depart(3)
			assert.Len(t, many, len(one), strings.Join(many, "\n"))
		})
	}
}

// holdsMuch gives the actor something of everything in the team.
func holdsMuch(t *testing.T, w *ushertest.World, who tenancy.Actor, team string) {
	t.Helper()
	boss := w.Actor("alice", team)
	c := w.Receive(team, "visitor", "Hi")
	sent, err := w.Invites.Create(t.Context(), boss, invite.ToTeam(ushertest.Email("invited"), rbac.Member))
	require.NoError(t, err)
	now := w.Clock.Now()
	require.NoError(t, w.Store.InTx(t.Context(), func(ctx context.Context) error {
		c, err := w.Store.LockConversation(ctx, who.Team, c.ID)
		require.NoError(t, err)
		c.Assignee, c.Claimant, c.ClaimedUntil = who.User, who.User, now.Add(time.Hour)
		require.NoError(t, w.Store.UpdateConversation(ctx, who.Team, c))
		require.NoError(t, w.Store.InsertGrant(ctx, conversation.Grant{Conversation: c.ID, User: who.User, FromSeq: 1, AcceptedAt: now}))
		require.NoError(t, w.Store.InsertDelivery(ctx, conversation.Delivery{
			ID: tenancy.NewID[tenancy.DeliveryID](tenancy.Env{}), Conversation: c.ID, Account: c.Account, FromTeam: c.Team, By: who.User,
			Recipient: conversation.ToUser(boss.User), Outcome: conversation.Outcome{Status: conversation.Engaged},
			Category: conversation.Engaged.Category(), State: conversation.DeliveryPending, CreatedAt: now,
		}))
		r, err := w.Store.LockInvitation(ctx, who.Team, sent.ID)
		require.NoError(t, err)
		r.Inviter = who.User
		require.NoError(t, w.Store.UpdateInvitation(ctx, r))
		return w.Store.InsertInvitation(ctx, invite.Record{Invitation: invite.Invitation{
			ID: tenancy.NewID[tenancy.InvitationID](tenancy.Env{}), Account: c.Account, Team: c.Team, Kind: invite.ByRequest,
			Inviter: who.User, State: invite.Pending, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		}})
	}))
}

// freed: nothing is left in their hands.
func freed(t *testing.T, w *ushertest.World, who []tenancy.Actor, name string) {
	t.Helper()
	held, err := w.Store.HeldBy(t.Context(), who...)
	require.NoError(t, err)
	assert.Empty(t, held, name)
	sent, err := w.Store.PendingBy(t.Context(), who...)
	require.NoError(t, err)
	assert.Empty(t, sent, name)
	for i := range who {
		events := w.Events(fmt.Sprint("Team ", i))
		for _, kind := range []string{
			conversation.ConversationUnassigned, conversation.GuestRevoked, conversation.DeliveryEnded, conversation.ConversationReleased,
			invite.InvitationRevoked,
		} {
			assert.Contains(t, strings.Join(events, "\n"), kind, "%s in team %d", name, i)
		}
	}
}

// Who is needed is told so for all of their teams at once, in whatever role and of however many accounts.
func TestStatementsOfANeededUserDoNotGrow(t *testing.T) {
	ways := map[string]func(ctx context.Context, w *ushertest.World, user tenancy.UserID) error{
		"SuspendUser": func(ctx context.Context, w *ushertest.World, user tenancy.UserID) error {
			_, err := w.Tenancy.SuspendUser(ctx, ushertest.System, user)
			return err
		},
		"DeleteUser": func(ctx context.Context, w *ushertest.World, user tenancy.UserID) error {
			return w.Tenancy.DeleteUser(ctx, ushertest.System, user, tenancy.UserID{})
		},
	}
	for name, way := range ways {
		for _, custom := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, in a custom role: %v", name, custom), func(t *testing.T) {
				store, recorder := everystore.RecordedSQLite(t)
				refuse := func(teams int) []string {
					recorder.Empty(t)
					w := ushertest.NewWorldOn(t, store)
					boss := w.User("boss").ID
					for i := range teams {
						account, team := fmt.Sprint("acme-", i), fmt.Sprint("Team ", i)
						w.Account(account).Role("Lead", rbac.Member, rbac.ChangeRole).Team(team)
						admission := tenancy.Admission{Team: w.TeamNamed(team).ID, User: boss, Role: rbac.Manager}
						if custom {
							roles, err := w.Tenancy.AccountRoles(t.Context(), w.Holder(account))
							require.NoError(t, err)
							admission.Role, admission.Custom = 0, roles[0].ID
						}
						_, err := w.Tenancy.Admit(t.Context(), ushertest.System, admission)
						require.NoError(t, err)
						require.NoError(t, w.Tenancy.Leave(t.Context(), w.Actor(account+"-holder", team)))
					}
					recorder.Take()
					err := way(t.Context(), w, boss)
					sent, _ := recorder.Take()
					var needed *tenancy.StillNeededError
					require.ErrorAs(t, err, &needed)
					assert.Len(t, needed.Teams, teams)
					return sent
				}
				one := refuse(1)
				many := refuse(3)
				assert.Len(t, many, len(one), strings.Join(many, "\n"))
			})
		}
	}
}

// heirs are what the successor of somebody who goes may be in the teams that they leave, and what is told of
// them there.
var heirs = map[string]struct {
	comes func(ctx context.Context, w *ushertest.World, boss tenancy.Actor, heir tenancy.UserID) error
	told  []string
}{
	"a stranger": {
		func(context.Context, *ushertest.World, tenancy.Actor, tenancy.UserID) error { return nil },
		[]string{tenancy.MemberJoined},
	},
	"somebody who was removed": {
		func(ctx context.Context, w *ushertest.World, boss tenancy.Actor, heir tenancy.UserID) error {
			return errors.Join(admits(ctx, w, boss, heir, rbac.Member, 0), w.Tenancy.Remove(ctx, boss, heir))
		}, []string{tenancy.MemberJoined},
	},
	"a guest": {
		func(ctx context.Context, w *ushertest.World, boss tenancy.Actor, heir tenancy.UserID) error {
			return admits(ctx, w, boss, heir, rbac.Restricted, 0)
		}, []string{tenancy.MemberRoleChanged},
	},
	"a member until tomorrow": {
		func(ctx context.Context, w *ushertest.World, boss tenancy.Actor, heir tenancy.UserID) error {
			return admits(ctx, w, boss, heir, rbac.Member, 24*time.Hour)
		}, []string{tenancy.MemberExpiryChanged, tenancy.MemberRoleChanged},
	},
	"a manager until tomorrow": {
		func(ctx context.Context, w *ushertest.World, boss tenancy.Actor, heir tenancy.UserID) error {
			return admits(ctx, w, boss, heir, rbac.Manager, 24*time.Hour)
		}, []string{tenancy.MemberExpiryChanged},
	},
}

func admits(ctx context.Context, w *ushertest.World, boss tenancy.Actor, user tenancy.UserID, role rbac.Role, until time.Duration) error {
	a := tenancy.Admission{Team: boss.Team, User: user, Role: role}
	if until > 0 {
		a.ExpiresAt = w.Clock.Now().Add(until)
	}
	_, err := w.Tenancy.Admit(ctx, ushertest.System, a)
	return err
}

// Several accounts and teams pass to a successor for what one costs, whatever the successor was there and
// whatever seats the accounts have.
func TestStatementsOfSuccessionsDoNotGrow(t *testing.T) {
	rules := map[string]tenancy.Seats{
		"unlimited": {}, "enough seats": {Rule: tenancy.HardSeats, Limit: 2}, "too few seats": {Rule: tenancy.WarnSeats, CountPending: true},
	}
	for state, heir := range heirs {
		for rule, seats := range rules {
			t.Run(state+", "+rule, func(t *testing.T) {
				store, recorder := everystore.RecordedSQLite(t)
				succeed := func(accounts int) []string {
					recorder.Empty(t)
					w := ushertest.NewWorldOn(t, store)
					ctx, boss, next := t.Context(), w.User("boss").ID, w.User("heir").ID
					var teams []tenancy.Team
					for i := range accounts {
						account, err := w.Tenancy.CreateAccount(ctx, boss, fmt.Sprint("acme-", i))
						require.NoError(t, err)
						_, err = w.Tenancy.SetSeats(ctx, ushertest.System, account.ID, seats)
						require.NoError(t, err)
						team, err := w.Tenancy.CreateTeam(ctx, account.Holder(boss), tenancy.TeamSpec{Name: "Sales"})
						require.NoError(t, err)
						require.NoError(t, heir.comes(ctx, w, tenancy.Actor{User: boss, Team: team.ID}, next))
						teams = append(teams, team)
					}
					before := map[tenancy.TeamID][]string{}
					for _, team := range teams {
						before[team.ID] = kinds(t, w, team)
					}
					recorder.Take()
					require.NoError(t, w.Tenancy.DeleteUser(ctx, ushertest.System, boss, next))
					sent, _ := recorder.Take()
					for _, team := range teams {
						account, err := w.Store.Account(ctx, team.Account)
						require.NoError(t, err)
						assert.Equal(t, next, account.HeldBy)
						m, err := w.Store.Membership(ctx, team.ID, next)
						require.NoError(t, err)
						assert.True(t, m.ActiveAt(w.Clock.Now()) && m.Role == rbac.Manager && m.ExpiresAt.IsZero(), "%+v", m)
						assert.Equal(t, slices.Concat(heir.told, []string{tenancy.MemberRemoved}), kinds(t, w, team)[len(before[team.ID]):])
					}
					return sent
				}
				one := succeed(1)
				many := succeed(3)
				assert.Len(t, many, len(one), strings.Join(many, "\n"))
			})
		}
	}
}

// kinds are those of the team's events, oldest first.
func kinds(t *testing.T, w *ushertest.World, team tenancy.Team) []string {
	t.Helper()
	events, err := w.Store.TeamEvents(t.Context(), team.ID.UUID(), outbox.LogFilter{}, time.Time{}, [16]byte{}, 100)
	require.NoError(t, err)
	var all []string
	for _, e := range slices.Backward(events) {
		all = append(all, e.Kind)
	}
	return all
}
