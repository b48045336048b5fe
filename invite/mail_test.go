package invite_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/invite/invitetest"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func TestSpec5_13_TheMailHoldsTheTokenAndTheRowItsHash(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		inv, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("Bob@acme.example", rbac.Member))
		require.NoError(t, err)
		w.clock.Advance(time.Minute)
		w.drain()
		m := w.mail.Last(bob)
		assert.Equal(t, inv.Email, m.To)
		assert.Equal(t, inv.ID, m.Invitation)
		assert.Equal(t, 1, m.Mailing)
		assert.Equal(t, "Sales", m.Team)
		assert.Equal(t, "Same Name", m.Inviter)
		assert.Equal(t, rbac.Member, m.Role)
		assert.Equal(t, inv.ExpiresAt, m.ExpiresAt)
		assert.Equal(t, linkBase+"?token="+m.Token.Reveal(), m.Link())
		r := w.stored(inv)
		assert.True(t, r.Hash.Equal(m.Token.Hash()))
		assert.Equal(t, w.clock.Now(), r.MailedAt)
		event, facts := w.newest(w.acme, invite.InvitationMailed)
		assert.Equal(t, "system:mailing", event.Principal)
		assert.Equal(t, "1", facts["mailing"])
	})
}

// The mailer fails after the hash is committed: the token that was lost opens nothing, the next
// attempt makes a new one.
func TestSpec5_13_AFailingMailerIsAskedAgainWithANewToken(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		var seen []invite.Mail
		mailer := &invitetest.MailerMock{SendFunc: func(_ context.Context, m invite.Mail) error {
			if seen = append(seen, m); len(seen) < 3 {
				return errors.New("mail server is down")
			}
			return nil
		}}
		base, err := invite.ParseLinkBase(linkBase)
		require.NoError(t, err)
		relay := outbox.NewRelay(w.store, outbox.Sinks{invite.MailLane: w.invites.Mailing(mailer, base)}, outbox.WithClock(w.clock.Now))
		inv, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err)
		for range 2 {
			_, err = relay.Drain(w.ctx)
			require.ErrorContains(t, err, "mail server is down")
			hides(t, seen[len(seen)-1].Token, err.Error(), "the error of the relay")
			w.clock.Advance(time.Hour)
		}
		_, err = relay.Drain(w.ctx)
		require.NoError(t, err)
		require.Len(t, seen, 3)
		for _, lost := range seen[:2] {
			_, err = w.invites.Accept(w.ctx, user.ID, lost.Token)
			require.Equal(t, tenancy.ErrNotFound, err)
		}
		assert.Equal(t, w.clock.Now(), w.stored(inv).MailedAt)
		_, err = w.invites.Accept(w.ctx, user.ID, seen[2].Token)
		require.NoError(t, err)
	})
}

func TestARedeliveredEventReplacesTheToken(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		inv, first := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		event, _ := w.newest(w.acme, invite.InvitationCreated)
		require.NoError(t, w.sink.Deliver(w.ctx, event))
		second := w.mail.Last(bob).Token
		_, err := w.invites.Accept(w.ctx, user.ID, first)
		require.Equal(t, tenancy.ErrNotFound, err)
		_, err = w.invites.Accept(w.ctx, user.ID, second)
		require.NoError(t, err)
		assert.Equal(t, 1, w.stored(inv).Mailing)
	})
}

func TestMailsThatNobodyWaitsForAreSkipped(t *testing.T) {
	for name, prepare := range map[string]func(w *world, inv invite.Invitation){
		"revoked": func(w *world, inv invite.Invitation) {
			_, err := w.invites.Revoke(w.ctx, w.acme.alice, inv.ID)
			require.NoError(w.t, err)
		},
		"lapsed": func(w *world, inv invite.Invitation) { w.clock.Set(inv.ExpiresAt) },
		"suspended account": func(w *world, _ invite.Invitation) {
			require.NoError(w.t, freezes["suspended account"].freeze(w, w.acme))
		},
		"archived team": func(w *world, _ invite.Invitation) {
			require.NoError(w.t, freezes["archived team"].freeze(w, w.acme))
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				inv, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
				require.NoError(t, err)
				prepare(w, inv)
				before := w.stored(inv)
				w.drain()
				assert.Empty(t, w.mail.All())
				assert.Equal(t, before, w.stored(inv))
			})
		})
	}
	t.Run("sent again since", func(t *testing.T) {
		onEach(t, func(t *testing.T, w *world) {
			inv, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
			require.NoError(t, err)
			_, err = w.invites.Resend(w.ctx, w.acme.alice, inv.ID)
			require.NoError(t, err)
			w.drain()
			mails := w.mail.All()
			require.Len(t, mails, 1)
			assert.Equal(t, 2, mails[0].Mailing)
		})
	})
}

func TestMailingMindsItsOwnEvents(t *testing.T) {
	w := newWorld(t, memory.New())
	_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
	require.NoError(t, err)
	event, _ := w.newest(w.acme, invite.InvitationCreated)
	with := func(change func(*outbox.Event)) error {
		e := event
		change(&e)
		return w.sink.Deliver(w.ctx, e)
	}
	facts := func(f tenancy.Facts) func(*outbox.Event) {
		return func(e *outbox.Event) { e.Payload, _ = json.Marshal(f) }
	}
	require.NoError(t, with(func(e *outbox.Event) { e.Kind = tenancy.MemberJoined }))
	require.NoError(t, with(func(e *outbox.Event) { e.Team = w.globex.team.ID.UUID() }), "an invitation that is not there asks for nothing")
	require.NoError(t, with(func(e *outbox.Event) { e.Team = e.ID }))
	require.ErrorIs(t, with(func(e *outbox.Event) { e.Payload = json.RawMessage("[") }), tenancy.ErrInvalid)
	require.ErrorIs(t, with(facts(tenancy.Facts{})), tenancy.ErrInvalid)
	require.ErrorIs(t, with(facts(tenancy.Facts{"invitation": event.ID.String(), "mailing": "one"})), tenancy.ErrInvalid)
	assert.Empty(t, w.mail.All())
	require.Error(t, w.invites.Mailing(w.mail, invite.LinkBase{}).Deliver(w.ctx, event), "no link base, no mail")
	require.Error(t, w.invites.Mailing(nil, invite.LinkBase{}).Deliver(w.ctx, event))
	require.NoError(t, w.sink.Deliver(w.ctx, event))
	assert.Len(t, w.mail.All(), 1)
}

func TestA15LinkBase(t *testing.T) {
	for _, good := range []string{
		"https://app.acme.example", "https://app.acme.example/", "https://app.acme.example:8443/join/us", "https://xn--bcher-kva.example/join",
		"http://localhost:8080/join", "http://127.0.0.1/join", "http://127.8.9.1:1/join", "http://[::1]:8080/join",
		"https://" + strings.Repeat("a", invite.MaxLinkBase-len("https://")),
	} {
		base, err := invite.ParseLinkBase(good)
		require.NoError(t, err, good)
		assert.Equal(t, good, base.String())
		assert.False(t, base.IsZero())
	}
	for _, bad := range []string{
		"", "app.acme.example/join", "/join", "//app.acme.example/join", "https:", "https://", "https:///join", "https:app.acme.example",
		"http://app.acme.example/join", "http://localhost.evil.example/join", "http://127.0.0.1.evil.example/", "http://10.0.0.1/", "http://[::2]/", "http://0.0.0.0/",
		"ftp://app.acme.example/", "javascript:alert(1)", "file:///etc/passwd",
		"https://user@app.acme.example/join", "https://user:pass@app.acme.example/join", "https://app.acme.example@evil.example/", "https://app.acme.example/a@b",
		"https://app.acme.example/join?next=x", "https://app.acme.example/join?", "https://app.acme.example/join#top", "https://app.acme.example/join#",
		"https://app.acme.example/jo in", "https://app.acme.example/join\r\nBcc: eve@evil.example", "https://app.acme.example/\"onload=x", "https://app.acme.example/<b>", `https://app.acme.example\@evil.example/`,
		"https://bücher.example/", "https://app.acme.example/\u202e", "https://app.acme.example:port/", "https://[::1/", "https://%zz/", " https://app.acme.example/",
		"https://" + strings.Repeat("a", invite.MaxLinkBase-len("https://")+1), "https://" + strings.Repeat("a", 1<<20),
	} {
		base, err := invite.ParseLinkBase(bad)
		require.ErrorIs(t, err, tenancy.ErrInvalid, "%.80q", bad)
		assert.True(t, base.IsZero())
	}
}

// Names that got into the database by other means than Register and CreateTeam.
func TestA18NamesCannotBreakOutOfTheMail(t *testing.T) {
	evil := "Al\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script>\u202e\u2028\u0000\u200b\"'&"
	base, err := invite.ParseLinkBase(linkBase)
	require.NoError(t, err)
	w := newWorld(t, memory.New())
	require.NoError(t, w.store.InTx(w.ctx, func(ctx context.Context) error {
		team, err := w.store.LockTeam(ctx, w.acme.team.ID)
		require.NoError(t, err)
		team.Name = evil
		require.NoError(t, w.store.UpdateTeam(ctx, team))
		u, err := w.store.LockUser(ctx, w.acme.alice.User)
		require.NoError(t, err)
		u.Name = evil
		return w.store.UpdateUser(ctx, u)
	}))
	for _, r := range []invite.Request{invite.ToTeam(bob, rbac.Member), invite.ToConversation(bob, w.acme.conversation)} {
		w.invite(w.acme.alice, r)
		m := w.mail.Last(bob)
		raw := m
		raw.Team, raw.Inviter = evil, evil // a host may build a Mail by hand in its tests
		for _, m := range []invite.Mail{m, raw} {
			for _, bad := range []string{"\r", "\n", "\u202e", "\u2028", "\x00", "\u200b"} {
				assert.NotContains(t, m.Subject(), bad)
			}
			assert.NotContains(t, m.HTML(), "<script")
			assert.NotContains(t, m.HTML(), "\"'&")
			assert.Equal(t, 1, strings.Count(m.HTML(), "<a href=\""+m.Link()+"\""))
			for _, text := range []string{m.HTML(), m.Text()} {
				assert.NotContains(t, text, "\r")
				assert.NotContains(t, text, "\u202e")
				assert.NotContains(t, text, "\nBcc:")
			}
		}
		assert.NotContains(t, m.Team+m.Inviter, "\n")
	}

	var console bytes.Buffer
	sink := w.invites.Mailing(invite.WriterMailer(&console), base)
	event, _ := w.newest(w.acme, invite.InvitationCreated)
	require.NoError(t, sink.Deliver(w.ctx, event))
	assert.True(t, strings.HasPrefix(console.String(), "To: "+bob+"\nSubject: Al"), console.String())
	head, _, _ := strings.Cut(console.String(), "\n\n")
	assert.Len(t, strings.Split(head, "\n"), 2, "two headers and no more")
	assert.Contains(t, console.String(), linkBase+"?token=")
}

func TestCapturedMails(t *testing.T) {
	var c invite.Captured
	assert.Zero(t, c.Last(bob))
	assert.Zero(t, c.Last("no address"))
	address, err := tenancy.ParseAddress("Bob@Acme.example")
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { assert.NoError(t, c.Send(t.Context(), invite.Mail{To: address, Mailing: i})) })
	}
	all.Wait()
	assert.Len(t, c.All(), 20)
	require.NoError(t, c.Send(t.Context(), invite.Mail{To: address, Mailing: 99}))
	assert.Equal(t, 99, c.Last("BOB@acme.example").Mailing)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, c.Send(ctx, invite.Mail{}), context.Canceled)
	require.ErrorIs(t, invite.WriterMailer(&bytes.Buffer{}).Send(ctx, invite.Mail{}), context.Canceled)
}

// All that a run leaves behind (rows, events, results, errors) is searched for the tokens that it
// made, in every form that a print could give them.
func TestA9AndF12NoTokenShowsInAnyOutput(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var output strings.Builder
		logger := slog.New(slog.NewTextHandler(&output, nil))
		note := func(values ...any) {
			for _, v := range values {
				fmt.Fprintf(&output, "%v %+v %#v\n", v, v, v)
				logger.Info("run", "value", v)
				if encoded, err := json.Marshal(v); err == nil {
					output.Write(encoded)
				}
			}
		}
		user, eve := w.user(bob), w.user("eve@acme.example")
		inv, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		guest, guestToken := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		note(w.invites.Accept(w.ctx, eve.ID, token))
		note(w.invites.Preview(w.ctx, token))
		note(w.invites.Resend(w.ctx, w.acme.alice, inv.ID))
		second := w.token(inv)
		note(w.invites.Accept(w.ctx, user.ID, second))
		note(w.invites.Accept(w.ctx, user.ID, second))
		note(w.invites.Decline(w.ctx, user.ID, guestToken))
		note(w.invites.Revoke(w.ctx, w.acme.alice, guest.ID))
		_, pendingToken := w.invite(w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Member))
		note(w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Manager)))
		note(w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Member, invite.IfPending(invite.Return))))
		w.configure(w.acme, tenancy.Settings{Terms: "2026-01", InviteDomains: []string{"acme.example"}})
		note(w.invites.Accept(w.ctx, w.user("carl@acme.example").ID, pendingToken, invite.Terms(pendingToken.Reveal())))
		note(w.invites.Inspect(w.ctx, host, inv.Team, inv.ID))
		note(w.invites.History(w.ctx, w.acme.alice, guest.ID))
		w.clock.Advance(invite.DefaultExpiry)
		note(w.invites.Sweep(w.ctx, host))
		note(w.invites.Get(w.ctx, w.acme.alice, inv.ID))
		note(w.invites.List(w.ctx, w.acme.alice, invite.Filter{}, tenancy.Page{}))
		for _, m := range w.mail.All() {
			note(m, &m, m.Subject())
		}
		for _, e := range w.log(w.acme.team.ID) {
			note(e)
			output.Write(e.Payload)
			assert.NotContains(t, string(e.Payload), "@", "events hold no addresses")
		}
		note(w.picture(w.acme))
		tokens := []invite.Token{token, guestToken, second, pendingToken}
		for _, m := range w.mail.All() {
			tokens = append(tokens, m.Token)
		}
		for _, tok := range tokens {
			hides(t, tok, output.String(), "the output of the run")
		}
	})
}
