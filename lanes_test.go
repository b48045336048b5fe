package usher_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// heard is a sink that notes the kinds that it is handed.
type heard struct {
	kinds []string
	fails error
}

func (h *heard) Deliver(_ context.Context, e outbox.Event) error {
	h.kinds = append(h.kinds, e.Kind)
	return h.fails
}

func TestASinkThatAlwaysFailsNeitherDelaysNorRepeatsTheMail(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		dead := &heard{fails: errors.New("no answer")}
		w := ushertest.NewWorldOn(t, open(t), usher.WithSink("dead", dead), usher.WithRelay(outbox.WithAttempts(4)))
		w.Account("acme").Team("sales", ushertest.Manager("alice"))
		manager := w.Actor("alice", "sales")
		people := []string{"bob", "carol", "dave"}
		for _, name := range people { // all in the stream of one team
			_, err := w.Invites.Create(t.Context(), manager, invite.ToTeam(ushertest.Email(name), rbac.Member))
			require.NoError(t, err)
		}
		_, err := w.Relay.Drain(t.Context())
		require.ErrorContains(t, err, "lane dead, ")
		require.Len(t, w.Mail.All(), len(people), "all mails went out at once")
		first := w.Mail.Last(ushertest.Email("bob")).Token

		for range 100 { // until the last event of the team has been buried
			w.Clock.Advance(time.Minute)
			_, _ = w.Relay.Drain(t.Context())
		}
		require.Len(t, w.Mail.All(), len(people), "and none again")
		letters, err := w.Store.Buried(t.Context(), "dead", time.Time{}, uuid.Nil, 1000)
		require.NoError(t, err)
		require.Len(t, dead.kinds, 4*len(letters), "while each event was handed to the dead sink as often as it may fail")
		mailed, err := w.Store.Buried(t.Context(), invite.MailLane, time.Time{}, uuid.Nil, 1000)
		require.NoError(t, err)
		require.Empty(t, mailed)
		_, err = w.Invites.Accept(t.Context(), w.User("bob").ID, first)
		require.NoError(t, err, "the token of the one mail is still good")
	})
}

func TestASinkHearsTheKindsThatItAskedForFromThenOn(t *testing.T) {
	store := memory.New()
	all, some := &heard{}, &heard{}
	early := ushertest.NewWorldOn(t, store, usher.WithIDs(uuid.New))
	alice := early.User("alice")
	_, err := early.Tenancy.CreateAccount(t.Context(), alice.ID, "Before")
	require.NoError(t, err)

	u, err := usher.New(store, usher.WithSink("all", all), usher.WithSink("accounts", some, tenancy.AccountCreated, tenancy.AccountTransferred))
	require.NoError(t, err)
	account, err := u.Tenancy.CreateAccount(t.Context(), alice.ID, "Acme")
	require.NoError(t, err)
	_, err = u.Tenancy.CreateTeam(t.Context(), account.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales"})
	require.NoError(t, err)
	_, err = u.Relay.Drain(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{tenancy.AccountCreated, tenancy.TeamCreated, tenancy.MemberJoined}, all.kinds)
	assert.Equal(t, []string{tenancy.AccountCreated}, some.kinds)
}

// Where nobody has to be told, nothing waits.
func TestWithoutSinksNothingWaits(t *testing.T) {
	store := memory.New()
	u, err := usher.New(store)
	require.NoError(t, err)
	_, err = u.Tenancy.Register(t.Context(), "host", tenancy.Profile{Email: "alice@acme.example"})
	require.NoError(t, err)
	for _, lane := range []string{"", invite.MailLane} {
		left, err := store.ForgetLane(t.Context(), lane)
		require.NoError(t, err)
		assert.Zero(t, left, lane)
	}
}

func TestSinksHaveNamesOfTheirOwn(t *testing.T) {
	sink := &heard{}
	for what, options := range map[string][]usher.Option{
		"no name":              {usher.WithSink("", sink)},
		"letters of any kind":  {usher.WithSink("CRM", sink)},
		"a space":              {usher.WithSink("my crm", sink)},
		"too long":             {usher.WithSink(strings.Repeat("x", outbox.MaxLane+1), sink)},
		"a name twice":         {usher.WithSink("crm", sink), usher.WithSink("crm", sink, tenancy.MemberJoined)},
		"the name of the mail": {usher.WithSink(invite.MailLane, sink)},
		"no sink":              {usher.WithSink("crm", nil)},
	} {
		_, err := usher.New(memory.New(), options...)
		require.Error(t, err, what)
	}
	_, err := usher.New(memory.New(), usher.WithSink("crm", sink), usher.WithSink("crm-2", sink), usher.WithSink(strings.Repeat("x", outbox.MaxLane), sink))
	require.NoError(t, err)
}
