package memory_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// noon is the day on which the tests play.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// id makes the n-th id of its kind.
func id[I ~[16]byte](n int) I {
	var i I
	binary.BigEndian.PutUint64(i[8:], uint64(n))
	i[6] = 0x70
	return i
}

func aUser(n int) tenancy.User {
	return tenancy.User{
		ID: id[tenancy.UserID](n), ExternalID: fmt.Sprint("user ", n), Name: fmt.Sprint("User ", n),
		Status: tenancy.UserActive, CreatedAt: noon, Version: 1,
	}
}

func aMembership(team, user int) tenancy.Membership {
	return tenancy.Membership{
		Team: id[tenancy.TeamID](team), User: id[tenancy.UserID](user), Role: rbac.Member,
		Status: tenancy.MembershipActive, JoinedAt: noon.Add(time.Duration(user) * time.Second), Version: 1,
	}
}

func aContact(n int) conversation.Contact {
	return conversation.Contact{
		ID: id[tenancy.ContactID](n), Team: id[tenancy.TeamID](1), Channel: tenancy.ChatChannel,
		Address: fmt.Sprint("contact ", n), Name: fmt.Sprint("Contact ", n), CreatedAt: noon, Version: 1,
	}
}

func aConversation(n int) conversation.Conversation {
	return conversation.Conversation{
		ID: id[tenancy.ConversationID](n), Account: id[tenancy.AccountID](1), Team: id[tenancy.TeamID](1),
		Contact: id[tenancy.ContactID](1), Identity: tenancy.Chat("acme-jobs"), Address: fmt.Sprint("contact ", n),
		Status: conversation.Open, LastAt: noon.Add(time.Duration(n) * time.Second), CreatedAt: noon, Version: 1,
	}
}

func aMessage(c int, seq int64) conversation.Message {
	return conversation.Message{
		ID: id[tenancy.MessageID](1000*c + int(seq)), Conversation: id[tenancy.ConversationID](c), Seq: seq,
		Kind: conversation.InboundMessage, Text: fmt.Sprint("message ", seq), At: noon,
	}
}

// lane is the one that every event takes.
const lane = "crm"

func anEvent(n int) outbox.Event {
	return outbox.Event{
		ID: id[uuid.UUID](n), Stream: outbox.Stream{Kind: outbox.TeamStream, ID: id[uuid.UUID](1)},
		Team: id[uuid.UUID](1), Kind: "member.joined", Version: 1, Principal: "system:test",
		At: noon.Add(time.Duration(n) * time.Second), Payload: []byte(`{"user":"1"}`),
		Lanes: []string{lane},
	}
}

// open makes a store with user 1, who holds account 1 with team 1 and is a member there, and
// contact 1 of that team.
func open(t testing.TB) *memory.Store {
	t.Helper()
	s := memory.New()
	do(t, s, func(ctx context.Context) error {
		user := aUser(1)
		account := tenancy.Account{ID: id[tenancy.AccountID](1), Name: "Acme", HeldBy: user.ID, Status: tenancy.AccountActive, CreatedAt: noon}
		team := tenancy.Team{ID: id[tenancy.TeamID](1), Account: account.ID, Name: "Sales", NameKey: "sales", Status: tenancy.TeamActive, CreatedAt: noon}
		return first(
			s.InsertUser(ctx, user),
			s.InsertAccount(ctx, account),
			s.InsertTeam(ctx, team),
			s.InsertMembership(ctx, aMembership(1, 1)),
			s.InsertContact(ctx, aContact(1)),
		)
	})
	return s
}

// openTwoTeams adds team 2 of the account, with contact 2.
func openTwoTeams(t testing.TB) *memory.Store {
	t.Helper()
	s := open(t)
	do(t, s, func(ctx context.Context) error {
		contact := aContact(2)
		contact.Team = id[tenancy.TeamID](2)
		return first(
			s.InsertTeam(ctx, tenancy.Team{ID: contact.Team, Account: id[tenancy.AccountID](1), Name: "Hiring", NameKey: "hiring", Status: tenancy.TeamActive}),
			s.InsertContact(ctx, contact),
		)
	})
	return s
}

// do commits a transaction.
func do(t testing.TB, s *memory.Store, fn func(ctx context.Context) error) {
	t.Helper()
	require.NoError(t, s.InTx(context.Background(), fn))
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
