package sqlstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

func newID[I ~[16]byte]() I { return tenancy.NewID[I](tenancy.Env{}) }

// noon is a time with microseconds.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 123_456_000, time.UTC)

// A scene is one of everything, as it is stored.
type scene struct {
	user         tenancy.User
	account      tenancy.Account
	team         tenancy.Team
	role         tenancy.CustomRole
	membership   tenancy.Membership
	contact      conversation.Contact
	application  conversation.Application
	conversation conversation.Conversation
	episode      conversation.Episode
	message      conversation.Message
	grant        conversation.Grant
	invitation   invite.Record
	delivery     conversation.Delivery
}

// newScene makes a scene whose names and addresses contain the text given.
func newScene(text string) scene {
	address := tenancy.Address{Display: "A." + text + "@Acme.example", Normal: "a." + text + "@acme.example"}
	var s scene
	s.user = tenancy.User{
		ID: newID[tenancy.UserID](), ExternalID: "auth0|" + text, Email: address, VerifiedAt: noon, Name: text,
		Status: tenancy.UserActive, CreatedAt: noon, Version: 1,
	}
	s.account = tenancy.Account{
		ID: newID[tenancy.AccountID](), Name: text, HeldBy: s.user.ID, Status: tenancy.AccountActive,
		CreatedAt: noon, Version: 1,
	}
	s.team = tenancy.Team{
		ID: newID[tenancy.TeamID](), Account: s.account.ID, Name: text, NameKey: text,
		Identity: tenancy.Chat(text), Status: tenancy.TeamActive, CreatedAt: noon, Version: 1,
	}
	s.role = tenancy.CustomRole{
		ID: newID[tenancy.RoleID](), Account: s.account.ID, Name: text, NameKey: text, Base: rbac.Member,
		Permissions: []string{text}, CreatedAt: noon, Version: 1,
	}
	s.membership = tenancy.Membership{
		Team: s.team.ID, User: s.user.ID, Role: rbac.Manager, Custom: s.role.ID, Status: tenancy.MembershipActive, JoinedAt: noon, Version: 1,
	}
	s.contact = conversation.Contact{
		ID: newID[tenancy.ContactID](), Team: s.team.ID, Channel: tenancy.ChatChannel, Address: text, Name: text,
		Email: address, Notes: text, CreatedAt: noon, Version: 1,
	}
	s.application = conversation.Application{
		ID: newID[tenancy.ApplicationID](), Account: s.account.ID, Team: s.team.ID, Contact: s.contact.ID,
		ApplicationDetails: conversation.ApplicationDetails{Job: text}, Origin: conversation.FromImport, ExternalID: text,
		Status: conversation.Label(text), CreatedAt: noon, Version: 1,
	}
	s.conversation = conversation.Conversation{
		ID: newID[tenancy.ConversationID](), Account: s.account.ID, Team: s.team.ID, Contact: s.contact.ID,
		Identity: s.team.Identity, Address: s.contact.Address, Status: conversation.Open, Label: conversation.Engaged,
		Assignee: s.user.ID, LastSeq: 1, LastAt: noon, Episode: 1, IdleSince: noon, NeedsReplySince: noon, CreatedAt: noon, Version: 1,
	}
	s.episode = conversation.Episode{
		Conversation: s.conversation.ID, Number: 1, FirstSeq: 1, OpenedAt: noon, OpenedBy: "system:gateway", OpenedOn: conversation.OnInbound,
	}
	s.message = conversation.Message{
		ID: newID[tenancy.MessageID](), Conversation: s.conversation.ID, Seq: 1, Kind: conversation.InboundMessage,
		Text: text, At: noon, Key: conversation.MessageKey(uuidTwice(s.conversation.ID.UUID())),
		Receipt: conversation.MessageKey(uuidTwice(s.conversation.ID.UUID())), Version: 1,
	}
	s.grant = conversation.Grant{
		Conversation: s.conversation.ID, User: s.user.ID, Inviter: s.user.ID, FromSeq: 1, AcceptedAt: noon, Version: 1,
	}
	s.invitation = invite.Record{Invitation: invite.Invitation{
		ID: newID[tenancy.InvitationID](), Account: s.account.ID, Team: s.team.ID, Kind: invite.ToOneTeam,
		Email: address, Role: rbac.Member, Inviter: s.user.ID, State: invite.Pending, Mailing: 1, CreatedAt: noon,
		ExpiresAt: noon.Add(time.Hour), Version: 1,
	}, Hash: invite.TokenHash(uuidTwice(s.team.ID.UUID()))}
	s.delivery = conversation.Delivery{
		ID: newID[tenancy.DeliveryID](), Conversation: s.conversation.ID, Account: s.account.ID, FromTeam: s.team.ID,
		By: s.user.ID, Recipient: conversation.ToUser(s.user.ID), State: conversation.DeliveryPending,
		Outcome:   conversation.Outcome{Status: conversation.Qualified, Rating: 4, Summary: text},
		Category:  conversation.Positive,
		CreatedAt: noon, Version: 1,
	}
	return s
}

func uuidTwice(id uuid.UUID) (key [32]byte) {
	copy(key[:], id[:])
	copy(key[16:], id[:])
	return key
}

// lane is the one that every event takes.
const lane = "crm"

// events are two of the team and one of the conversation.
func (s scene) events() []outbox.Event {
	of := func(kind outbox.StreamKind, id uuid.UUID) outbox.Event {
		return outbox.Event{
			ID: newID[uuid.UUID](), Stream: outbox.Stream{Kind: kind, ID: id}, Account: s.account.ID.UUID(),
			Team: s.team.ID.UUID(), Kind: "made", Version: 1, Principal: "system:test", At: noon, Payload: []byte(`{"a":"b"}`),
			Lanes: []string{lane},
		}
	}
	return []outbox.Event{
		of(outbox.TeamStream, s.team.ID.UUID()), of(outbox.ConversationStream, s.conversation.ID.UUID()),
		of(outbox.TeamStream, s.team.ID.UUID()),
	}
}

// insert writes all of the scene, in the caller's transaction.
func (s scene) insert(ctx context.Context, store *sqlstore.Store) error {
	for _, insert := range []func() error{
		func() error { return store.InsertUser(ctx, s.user) },
		func() error { return store.InsertAccount(ctx, s.account) },
		func() error { return store.InsertTeam(ctx, s.team) },
		func() error { return store.InsertRole(ctx, s.role) },
		func() error { return store.InsertMembership(ctx, s.membership) },
		func() error { return store.InsertContact(ctx, s.contact) },
		func() error { return store.InsertApplication(ctx, s.application) },
		func() error { return store.InsertConversation(ctx, s.conversation) },
		func() error { return store.InsertEpisode(ctx, s.episode) },
		func() error { return store.InsertMessage(ctx, s.message) },
		func() error {
			return store.InsertWords(ctx, s.team.ID, s.message, conversation.Words(s.message.Text))
		},
		func() error { return store.InsertGrant(ctx, s.grant) },
		func() error { return store.InsertInvitation(ctx, s.invitation) },
		func() error { return store.InsertDelivery(ctx, s.delivery) },
		func() error { return store.Append(ctx, s.events()...) },
	} {
		if err := insert(); err != nil {
			return err
		}
	}
	return nil
}

// stored makes a scene and commits it.
func stored(t *testing.T, store *sqlstore.Store, text string) scene {
	t.Helper()
	s := newScene(text)
	require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error { return s.insert(ctx, store) }))
	return s
}

// requireStored checks that all of the scene can be read back.
func (s scene) requireStored(t *testing.T, store *sqlstore.Store) {
	t.Helper()
	ctx := t.Context()
	user, err := store.User(ctx, s.user.ID)
	require.NoError(t, err)
	require.Equal(t, s.user, user)
	team, err := store.TeamByIdentity(ctx, s.team.Identity)
	require.NoError(t, err)
	require.Equal(t, s.team, team)
	membership, err := store.Membership(ctx, s.team.ID, s.user.ID)
	require.NoError(t, err)
	require.Equal(t, s.membership, membership)
	authority, err := store.Authority(ctx, s.team.ID, s.user.ID)
	require.NoError(t, err)
	require.Equal(t, s.role.Permissions, authority.CustomPermissions)
	contact, err := store.Contact(ctx, s.team.ID, s.contact.ID)
	require.NoError(t, err)
	require.Equal(t, s.contact, contact)
	application, err := store.ApplicationByExternalID(ctx, s.account.ID, s.application.ExternalID)
	require.NoError(t, err)
	require.Equal(t, s.application, application)
	threads, err := store.ConversationsByAddress(ctx, s.team.Identity, s.contact.Address)
	require.NoError(t, err)
	require.Equal(t, []conversation.Conversation{s.conversation}, threads)
	episodes, err := store.Episodes(ctx, s.conversation.ID, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []conversation.Episode{s.episode}, episodes)
	messages, err := store.Messages(ctx, s.conversation.ID, conversation.Range{Notes: true, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []conversation.Message{s.message}, messages)
	grants, err := store.Grants(ctx, s.conversation.ID)
	require.NoError(t, err)
	require.Equal(t, []conversation.Grant{s.grant}, grants)
	invitation, err := store.InvitationByToken(ctx, s.invitation.Hash)
	require.NoError(t, err)
	require.Equal(t, s.invitation, invitation)
	deliveries, err := store.DeliveriesOf(ctx, s.team.ID, tenancy.Keyset{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []conversation.Delivery{s.delivery}, deliveries)
	events, err := store.TeamEvents(ctx, s.team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 10)
	require.NoError(t, err)
	require.Len(t, events, 3)
}

// requireAbsent checks that nothing of the scene was stored.
func (s scene) requireAbsent(t *testing.T, store *sqlstore.Store) {
	t.Helper()
	ctx := t.Context()
	_, err := store.User(ctx, s.user.ID)
	require.ErrorIs(t, err, tenancy.ErrNotFound)
	_, err = store.Team(ctx, s.team.ID)
	require.ErrorIs(t, err, tenancy.ErrNotFound)
	_, err = store.Conversation(ctx, s.team.ID, s.conversation.ID)
	require.ErrorIs(t, err, tenancy.ErrNotFound)
	_, err = store.MessageByKey(ctx, s.message.Key)
	require.ErrorIs(t, err, tenancy.ErrNotFound)
	_, err = store.PendingDelivery(ctx, s.conversation.ID)
	require.ErrorIs(t, err, tenancy.ErrNotFound)
	events, err := store.TeamEvents(ctx, s.team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 10)
	require.NoError(t, err)
	require.Empty(t, events)
}
