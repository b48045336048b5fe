package memory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// The worlds of this test have few ids, so that random writes meet.
const few = 6

// writeAnything makes a random write of any kind. It goes through refusals: most are stale,
// missing or taken.
func writeAnything(ctx context.Context, s *memory.Store, r *rand.Rand) error {
	n, m := 1+r.IntN(few), 1+r.IntN(few)
	at := noon.Add(time.Duration(r.IntN(100)) * time.Second)
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	switch r.IntN(22) {
	case 0:
		return s.InsertUser(ctx, aUser(n))
	case 1:
		u, _ := s.User(ctx, id[tenancy.UserID](n))
		u.ExternalID = fmt.Sprint("user ", m)
		u.Email.Normal, u.VerifiedAt = fmt.Sprint(m, "@acme.example"), at
		u.Status, u.Autoclaim = tenancy.UserStatus(pick("active", "active", "suspended")), m%2 == 0
		return s.UpdateUser(ctx, u)
	case 2:
		return s.InsertMembership(ctx, aMembership(1, n))
	case 3:
		member, _ := s.Membership(ctx, id[tenancy.TeamID](1), id[tenancy.UserID](n))
		member.Role = rbac.TeamRoles()[r.IntN(3)]
		member.Status = tenancy.MembershipStatus(pick("active", "active", "suspended", "removed"))
		member.JoinedAt, member.ExpiresAt = at, []time.Time{{}, at}[r.IntN(2)]
		if r.IntN(2) == 0 {
			member.Custom = id[tenancy.RoleID](m)
		}
		return s.UpdateMembership(ctx, member)
	case 4:
		t, _ := s.Team(ctx, id[tenancy.TeamID](1))
		t.NameKey, t.Identity = pick("sales", "support"), tenancy.Chat(pick("acme-jobs", "acme-help"))
		t.Status = tenancy.TeamStatus(pick("active", "archived"))
		t.Settings.AutoClose, t.Settings.Capacity = time.Duration(r.IntN(2))*time.Minute, m
		return s.UpdateTeam(ctx, t)
	case 5:
		return s.InsertConversation(ctx, aConversation(n))
	case 6:
		from := 1 + r.IntN(2)
		c, _ := s.Conversation(ctx, id[tenancy.TeamID](from), id[tenancy.ConversationID](n))
		c.LastAt, c.Status = at, conversation.Statuses()[r.IntN(3)]
		c.SnoozedUntil, c.IdleSince = at, at
		c.Assignee, c.NeedsReplySince = id[tenancy.UserID](m), time.Time{}
		if r.IntN(2) == 0 {
			c.Assignee, c.NeedsReplySince = tenancy.UserID{}, at
		}
		if r.IntN(2) == 0 { // it moves to the other team
			c.Team, c.Contact = id[tenancy.TeamID](3-from), id[tenancy.ContactID](3-from)
		}
		return s.UpdateConversation(ctx, id[tenancy.TeamID](from), c)
	case 7:
		message := aMessage(n, int64(m))
		message.Key[0] = byte(r.IntN(few * few))
		message.Kind = conversation.MessageKind(pick("inbound", "note"))
		return s.InsertMessage(ctx, message)
	case 8:
		return s.InsertGrant(ctx, conversation.Grant{Conversation: id[tenancy.ConversationID](n), User: id[tenancy.UserID](m), AcceptedAt: at})
	case 9:
		g, _ := s.Grant(ctx, id[tenancy.ConversationID](n), id[tenancy.UserID](m))
		g.RevokedAt, g.ExpiresAt = []time.Time{{}, at}[r.IntN(2)], []time.Time{{}, at}[r.IntN(2)]
		return s.UpdateGrant(ctx, g)
	case 10:
		record := invite.Record{Invitation: invite.Invitation{
			ID: id[tenancy.InvitationID](n), Account: id[tenancy.AccountID](1), Team: id[tenancy.TeamID](1), Kind: invite.ToOneTeam,
			Email: tenancy.Address{Normal: fmt.Sprint(m, "@client.example")}, Role: rbac.Member, Inviter: id[tenancy.UserID](1),
			State: invite.Pending, CreatedAt: at,
		}}
		record.Hash[0] = byte(m)
		if r.IntN(2) == 0 {
			record.Kind, record.Conversation = invite.ToOneConversation, id[tenancy.ConversationID](m)
		}
		return s.InsertInvitation(ctx, record)
	case 11:
		record, _ := s.Invitation(ctx, id[tenancy.TeamID](1), id[tenancy.InvitationID](n))
		record.State, record.Hash[0] = invite.States()[r.IntN(5)], byte(r.IntN(few))
		return s.UpdateInvitation(ctx, record)
	case 12:
		recipient := conversation.Recipient{Email: tenancy.Address{Normal: fmt.Sprint(m, "@client.example")}}
		if m%2 == 0 {
			recipient = conversation.ToUser(id[tenancy.UserID](1 + r.IntN(2)))
		}
		return s.InsertDelivery(ctx, conversation.Delivery{
			ID: id[tenancy.DeliveryID](n), Conversation: id[tenancy.ConversationID](m), Account: id[tenancy.AccountID](1),
			FromTeam: id[tenancy.TeamID](1), By: id[tenancy.UserID](1 + r.IntN(2)), Recipient: recipient, Category: conversation.Neutral,
			State: conversation.DeliveryState(pick("pending", "completed")), CreatedAt: at, Deadline: at.Add(time.Duration(m) * time.Minute),
		})
	case 13:
		role := tenancy.CustomRole{
			ID: id[tenancy.RoleID](n), Account: id[tenancy.AccountID](1), NameKey: fmt.Sprint("role ", m),
			Base: rbac.Member, Permissions: []string{"contact: edit"}, CreatedAt: at,
		}
		return s.InsertRole(ctx, role)
	case 14:
		role, _ := s.Role(ctx, id[tenancy.AccountID](1), id[tenancy.RoleID](n))
		role.NameKey, role.CreatedAt, role.Permissions = fmt.Sprint("role ", m), at, make([]string, m)
		return s.UpdateRole(ctx, role)
	case 15:
		return s.DeleteRole(ctx, id[tenancy.AccountID](1), id[tenancy.RoleID](n))
	case 16:
		account, _ := s.Account(ctx, id[tenancy.AccountID](1))
		account.HeldBy, account.Services = id[tenancy.UserID](n), make([]tenancy.AccountService, m)
		account.Status = tenancy.AccountStatus(pick("active", "active", "suspended"))
		return s.UpdateAccount(ctx, account)
	case 17:
		return s.EraseRecipient(ctx, fmt.Sprint(m, "@client.example"))
	case 18:
		return s.InsertEpisode(ctx, conversation.Episode{Conversation: id[tenancy.ConversationID](n), Number: int64(m), OpenedAt: at, OpenedOn: conversation.OnInbound})
	case 19:
		return s.EndEpisode(ctx, conversation.Episode{Conversation: id[tenancy.ConversationID](n), Number: int64(m), ClosedAt: at, ClosedOn: conversation.OnClose})
	case 20:
		return s.ReleaseIdentities(ctx, id[tenancy.AccountID](1))
	default:
		e := anEvent(r.IntN(few * few))
		if r.IntN(2) == 0 {
			e.Stream = outbox.Stream{Kind: outbox.ConversationStream, ID: id[uuid.UUID](n)}
		}
		e.Lanes = []string{lane, "mail"}[:r.IntN(3)]
		return s.Append(ctx, e)
	}
}

// relayAnything moves the outbox on, and answers what it was handed.
func relayAnything(t *testing.T, s *memory.Store, r *rand.Rand) []outbox.Due {
	t.Helper()
	if r.IntN(4) > 0 {
		return nil
	}
	due, err := s.Take(t.Context(), []string{lane, "mail"}[r.IntN(2)], noon, noon.Add(time.Minute), 1+r.IntN(3))
	require.NoError(t, err)
	for _, d := range due {
		switch r.IntN(4) {
		case 0:
			require.NoError(t, s.Bury(t.Context(), d, noon))
		case 1:
			require.NoError(t, s.Retry(t.Context(), d, noon))
		default:
			require.NoError(t, s.Done(t.Context(), d))
		}
	}
	return due
}

// everything reads all that the store answers in such a world.
func everything(t *testing.T, s *memory.Store, team tenancy.TeamID) []any {
	t.Helper()
	ctx := t.Context()
	var all []any
	add := func(answer any, err error) {
		if err != nil {
			require.ErrorIs(t, err, tenancy.ErrNotFound)
		}
		all = append(all, answer)
	}
	page := tenancy.Keyset{Limit: 1000}
	for n := 0; n <= few*few; n++ {
		user, c := id[tenancy.UserID](n), id[tenancy.ConversationID](n)
		add(s.MessageByKey(ctx, conversation.MessageKey{byte(n)}))
		if n > few {
			continue
		}
		add(s.User(ctx, user))
		add(s.UserByExternalID(ctx, fmt.Sprint("user ", n)))
		add(s.UserByEmail(ctx, fmt.Sprint(n, "@acme.example")))
		add(s.Authority(ctx, team, user))
		add(s.Authorities(ctx, user, team))
		add(s.TeamsOf(ctx, user, page))
		add(s.MembershipsOf(ctx, user))
		add(s.AccountsOf(ctx, user, page))
		add(s.Accounts(ctx, id[tenancy.AccountID](n)))
		add(s.Role(ctx, id[tenancy.AccountID](1), id[tenancy.RoleID](n)))
		add(s.MembersWithRole(ctx, id[tenancy.AccountID](1), id[tenancy.RoleID](n)))
		add(s.Managed(ctx, user, team))
		add(s.LastingRoles(ctx, user, team))
		add(s.PendingBy(ctx, tenancy.Actor{User: user, Team: team}))
		add(s.InvitationLoads(ctx, user, noon, team))
		add(s.HeldBy(ctx, tenancy.Actor{User: user, Team: team}))
		add(s.DeliveriesTo(ctx, team, user, noon, page))
		add(s.Invitation(ctx, team, id[tenancy.InvitationID](n)))
		add(s.InvitationByToken(ctx, invite.TokenHash{byte(n)}))
		add(s.InvitationsTo(ctx, id[tenancy.AccountID](1), noon, fmt.Sprint(n, "@client.example")))
		add(s.Invitations(ctx, team, invite.Filter{Conversation: c}, page))
		add(s.Conversation(ctx, team, c))
		add(s.Messages(ctx, c, conversation.Range{Notes: true, Limit: 1000}))
		add(s.Messages(ctx, c, conversation.Range{Limit: 1000}))
		add(s.Grants(ctx, c))
		add(s.Episodes(ctx, c, 0, 1000))
		add(s.PendingDelivery(ctx, c))
		add(s.Deliveries(ctx, c))
		add(s.Conversations(ctx, conversation.Scope{Team: team, Guest: user, At: noon}, conversation.Filter{}, page))
		add(s.Conversations(ctx, conversation.Scope{Team: team}, conversation.Filter{Assignee: user}, page))
	}
	add(s.Members(ctx, team, page))
	add(s.TeamsIn(ctx, id[tenancy.AccountID](1), page))
	add(s.RolesIn(ctx, id[tenancy.AccountID](1)))
	add(s.SeatsTaken(ctx, noon, tenancy.SeatQuery{Pending: true}, id[tenancy.AccountID](1)))
	add(s.Lapsed(ctx, noon.Add(time.Minute), 1000))
	add(s.SnoozeEnded(ctx, noon.Add(time.Minute), 1000))
	add(s.LapsedGrants(ctx, noon.Add(time.Minute), 1000))
	add(s.LapsedDeliveries(ctx, noon.Add(time.Hour), 1000))
	add(s.Idle(ctx, noon.Add(2*time.Minute), 1000))
	for _, flaw := range slices.Concat(tenancy.Flaws(), invite.Flaws(), conversation.Flaws()) {
		add(s.Broken(ctx, flaw, noon, tenancy.Finding{}, 1000))
	}
	add(s.TeamByName(ctx, id[tenancy.AccountID](1), "sales"))
	add(s.TeamByName(ctx, id[tenancy.AccountID](1), "support"))
	add(s.TeamByIdentity(ctx, tenancy.Chat("acme-jobs")))
	add(s.TeamByIdentity(ctx, tenancy.Chat("acme-help")))
	add(s.Conversations(ctx, conversation.Scope{Team: team}, conversation.Filter{}, page))
	add(s.Conversations(ctx, conversation.Scope{Team: team}, conversation.Filter{Status: conversation.Open, Waiting: true}, page))
	add(s.Conversations(ctx, conversation.Scope{Team: team}, conversation.Filter{Status: conversation.Snoozed}, page))
	add(s.Invitations(ctx, team, invite.Filter{}, page))
	add(s.DeliveriesOf(ctx, team, page))
	first, _ := s.Conversation(ctx, team, id[tenancy.ConversationID](1))
	add(s.ConversationsByAddress(ctx, first.Identity, first.Address))
	add(s.TeamEvents(ctx, team.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 1000))
	return all
}

// Two stores take the same commits; one of them also takes transactions that are rolled
// back. They must not differ at any time, in any answer, nor in what they commit later.
func TestRollbackLeavesNothing(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 0))
			tried, plain := openTwoTeams(t), openTwoTeams(t)
			for step := range 300 {
				_ = tried.InTx(t.Context(), func(ctx context.Context) error {
					for range 1 + random.IntN(20) {
						_ = writeAnything(ctx, tried, random)
					}
					return errStop
				})
				same := random.Uint64()
				var relayed [2][]outbox.Due
				for i, s := range []*memory.Store{tried, plain} {
					r := rand.New(rand.NewPCG(same, 0))
					_ = s.InTx(t.Context(), func(ctx context.Context) error { return writeAnything(ctx, s, r) })
					relayed[i] = relayAnything(t, s, r)
				}
				require.Equal(t, relayed[0], relayed[1], "step %d", step)
				if step%10 == 0 {
					for team := 1; team <= 2; team++ {
						of := id[tenancy.TeamID](team)
						require.Equal(t, everything(t, plain, of), everything(t, tried, of), "step %d", step)
					}
				}
			}
		})
	}
}
