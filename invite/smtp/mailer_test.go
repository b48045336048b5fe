package smtp_test

import (
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/invite/smtp"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

func TestAMail(t *testing.T) {
	s := serve(t)
	m := invitation(t)
	require.NoError(t, mailer(t, s, smtp.WithName("Acme  Hiring")).Send(t.Context(), m))

	got := only(t, s)
	assert.True(t, got.tls)
	assert.Equal(t, "acme.example", got.helo, "and not the machine's name")
	assert.Equal(t, "<hiring@acme.example> BODY=8BITMIME", got.from)
	assert.Equal(t, "<Bob@Bob.example>", got.to)
	assert.Equal(t, "GREETING EHLO STARTTLS EHLO MAIL RCPT DATA . QUIT", s.verbs())

	headers, parts := read(t, got.content)
	assert.Equal(t, `"Acme Hiring" <hiring@acme.example>`, headers.Get("From"))
	assert.Equal(t, "<Bob@Bob.example>", headers.Get("To"))
	assert.Equal(t, m.Subject(), headers.Get("Subject"))
	assert.Equal(t, "auto-generated", headers.Get("Auto-Submitted"))
	date, err := headers.Date()
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), date, time.Minute)
	_, offset := date.Zone()
	assert.Zero(t, offset)

	// Nothing else: no name of the program or the machine, nothing to be tracked by.
	var names []string
	for name := range headers {
		names = append(names, name)
	}
	assert.ElementsMatch(t, []string{"From", "To", "Subject", "Date", "Message-Id", "Auto-Submitted", "Mime-Version", "Content-Type"}, names)
	for name, values := range headers {
		assert.Len(t, values, 1, name)
	}

	require.Len(t, parts, 2)
	assert.Equal(t, m.Text(), parts["text/plain; charset=UTF-8"])
	page := parts["text/html; charset=UTF-8"]
	assert.Contains(t, page, m.HTML())
	assert.Equal(t, 1, strings.Count(page, "://"), "the invitation's own link and no other")
	assert.NotContains(t, page, "<img")
}

// A mail with another token is another mail, or a mailbox would drop the one whose link works as
// a copy of the one whose link is dead. The id tells nothing.
func TestTheMessageIDNamesTheToken(t *testing.T) {
	s := serve(t)
	sender := mailer(t, s)
	m := invitation(t)
	another := m
	another.Token = invitation(t).Token
	var ids []string
	for _, m := range []invite.Mail{m, m, another} {
		require.NoError(t, sender.Send(t.Context(), m))
		mails := s.mails()
		headers, _ := read(t, mails[len(mails)-1].content)
		ids = append(ids, headers.Get("Message-Id"))
	}
	assert.Equal(t, ids[0], ids[1])
	assert.NotEqual(t, ids[0], ids[2])
	assert.Regexp(t, `^<[0-9a-f]{32}@acme\.example>$`, ids[0])
	assert.NotContains(t, ids[0], strings.ReplaceAll(m.Invitation.String(), "-", "")[:8])
}

func TestTLS(t *testing.T) {
	m := invitation(t)
	t.Run("no STARTTLS, no mail", func(t *testing.T) {
		s := serve(t, func(s *server) { s.offers = []string{"AUTH PLAIN LOGIN"} })
		err := mailer(t, s, smtp.WithAuth(user, password)).Send(t.Context(), m)
		require.EqualError(t, err, "smtp: start TLS: the server does not offer STARTTLS, and nothing is sent in the open")
		assert.Equal(t, "GREETING EHLO", s.verbs())
	})
	t.Run("STARTTLS refused", func(t *testing.T) {
		s := serve(t, func(s *server) { s.replies["STARTTLS"] = "454 4.7.0 not now" })
		err := mailer(t, s, smtp.WithAuth(user, password)).Send(t.Context(), m)
		require.EqualError(t, err, "smtp: start TLS: the server refused with 454 4.7.0")
		assert.Equal(t, "GREETING EHLO STARTTLS QUIT", s.verbs())
	})
	t.Run("from the first byte", func(t *testing.T) {
		s := serve(t, func(s *server) { s.implicit = true })
		require.NoError(t, mailer(t, s, smtp.WithImplicitTLS(), smtp.WithAuth(user, password), smtp.WithHELO("app.acme.example")).Send(t.Context(), m))
		assert.Equal(t, "app.acme.example", only(t, s).helo)
		assert.Equal(t, "GREETING EHLO AUTH MAIL RCPT DATA . QUIT", s.verbs())
		assert.True(t, only(t, s).tls)
		assert.Equal(t, user, only(t, s).user)
	})
	t.Run("expected, and the server speaks in the open", func(t *testing.T) {
		s := serve(t)
		err := mailer(t, s, smtp.WithImplicitTLS()).Send(t.Context(), m)
		require.ErrorContains(t, err, "smtp: connect: tls: first record does not look like a TLS handshake")
		assert.NotContains(t, s.verbs(), "EHLO")
	})
	t.Run("none, on this machine", func(t *testing.T) {
		s := serve(t, func(s *server) { s.offers = []string{"AUTH PLAIN"} })
		require.NoError(t, mailer(t, s, smtp.WithoutTLS(), smtp.WithAuth(user, password)).Send(t.Context(), m))
		assert.False(t, only(t, s).tls)
		assert.Equal(t, user, only(t, s).user)
	})
	for name, options := range map[string][]smtp.Option{"STARTTLS": nil, "implicit": {smtp.WithImplicitTLS()}} {
		t.Run("certificate of a stranger, "+name, func(t *testing.T) {
			s := serve(t, func(s *server) { s.implicit = name == "implicit" })
			_, others := certificate(t, "localhost")
			err := mailer(t, s, append(options, smtp.WithRootCAs(others), smtp.WithAuth(user, password))...).Send(t.Context(), m)
			require.ErrorContains(t, err, "tls: failed to verify certificate")
			assert.NotContains(t, s.verbs(), "AUTH")
		})
		t.Run("certificate for another host, "+name, func(t *testing.T) {
			s := serve(t, func(s *server) {
				s.implicit = name == "implicit"
				s.cert, s.roots = certificate(t, strings.Repeat("a-very-long-name.", 14)+"example")
			})
			err := mailer(t, s, append(options, smtp.WithAuth(user, password))...).Send(t.Context(), m)
			require.ErrorContains(t, err, "tls: failed to verify certificate")
			assert.Less(t, len(err.Error()), 300)
			assert.NotContains(t, s.verbs(), "AUTH")
		})
	}
}

func TestSigningIn(t *testing.T) {
	m := invitation(t)
	for _, mechanisms := range []string{"PLAIN LOGIN", "LOGIN", "XOAUTH2 plain"} {
		t.Run(mechanisms, func(t *testing.T) {
			s := serve(t, func(s *server) { s.secured = []string{"AUTH " + mechanisms} })
			require.NoError(t, mailer(t, s, smtp.WithAuth(user, password)).Send(t.Context(), m))
			assert.Equal(t, user, only(t, s).user)
		})
		t.Run(mechanisms+" with a wrong password", func(t *testing.T) {
			s := serve(t, func(s *server) { s.secured = []string{"AUTH " + mechanisms} })
			err := mailer(t, s, smtp.WithAuth(user, "wrong-password")).Send(t.Context(), m)
			require.EqualError(t, err, "smtp: sign in: the server refused with 535 5.7.8")
			assert.Empty(t, s.mails())
		})
	}
	for _, offers := range [][]string{nil, {"AUTH XOAUTH2"}, {"AUTH"}} {
		s := serve(t, func(s *server) { s.secured = offers })
		err := mailer(t, s, smtp.WithAuth(user, password)).Send(t.Context(), m)
		require.EqualError(t, err, "smtp: sign in: the server offers neither PLAIN nor LOGIN to sign in with")
		assert.NotContains(t, s.verbs(), "MAIL")
	}
}

func TestInternationalAddresses(t *testing.T) {
	to := func(t *testing.T, address string) invite.Mail {
		t.Helper()
		m := invitation(t)
		var err error
		m.To, err = tenancy.ParseAddress(address)
		require.NoError(t, err)
		return m
	}
	with := func(s *server) { s.secured = []string{"SMTPUTF8", "8BITMIME"} }
	t.Run("the domain", func(t *testing.T) {
		s := serve(t)
		require.NoError(t, mailer(t, s).Send(t.Context(), to(t, "Bob@bücher.example")))
		assert.Equal(t, "<Bob@xn--bcher-kva.example>", only(t, s).to)
		headers, _ := read(t, only(t, s).content)
		assert.Equal(t, "<Bob@xn--bcher-kva.example>", headers.Get("To"))
	})
	t.Run("the local part", func(t *testing.T) {
		s := serve(t, with)
		require.NoError(t, mailer(t, s).Send(t.Context(), to(t, "jörg@bücher.example")))
		assert.Equal(t, "<jörg@xn--bcher-kva.example>", only(t, s).to)
		assert.Equal(t, "<hiring@acme.example> BODY=8BITMIME SMTPUTF8", only(t, s).from)
		headers, _ := read(t, only(t, s).content)
		address, err := mail.ParseAddress(headers.Get("To"))
		require.NoError(t, err)
		assert.Equal(t, "jörg@xn--bcher-kva.example", address.Address)
	})
	t.Run("the local part, and the server does not know how", func(t *testing.T) {
		s := serve(t)
		err := mailer(t, s).Send(t.Context(), to(t, "jörg@acme.example"))
		require.EqualError(t, err, "smtp: name the sender: an address that is not ASCII before the @ needs SMTPUTF8, which the server does not offer")
		var failed *smtp.Error
		require.ErrorAs(t, err, &failed)
		assert.True(t, failed.Permanent())
		assert.NotContains(t, s.verbs(), "MAIL")
	})
	t.Run("the sender's", func(t *testing.T) {
		s := serve(t, with)
		m, err := smtp.New(s.addr, "büro@bücher.example", smtp.WithRootCAs(s.roots), smtp.WithName("Bücher GmbH"))
		require.NoError(t, err)
		require.NoError(t, m.Send(t.Context(), invitation(t)))
		assert.Equal(t, "<büro@xn--bcher-kva.example> BODY=8BITMIME SMTPUTF8", only(t, s).from)
		headers, _ := read(t, only(t, s).content)
		address, err := mail.ParseAddress(headers.Get("From"))
		require.NoError(t, err)
		assert.Equal(t, mail.Address{Name: "Bücher GmbH", Address: "büro@xn--bcher-kva.example"}, *address)
		assert.Contains(t, headers.Get("Message-Id"), "@xn--bcher-kva.example>")
	})
}

// The whole path: invited, mailed by the relay, the link followed, accepted.
func TestAMailedLinkLetsBobIn(t *testing.T) {
	s := serve(t)
	w := ushertest.NewWorldOn(t, memory.New(), usher.WithMailer(mailer(t, s, smtp.WithAuth(user, password)))).
		Account("acme").Team("Sales", ushertest.Manager("alice"))
	_, err := w.Invites.Create(t.Context(), w.Actor("alice", "Sales"), invite.ToTeam(ushertest.Email("bob"), rbac.Member))
	require.NoError(t, err)
	w.Post()
	w.Post() // nothing is due any more

	_, parts := read(t, only(t, s).content)
	link := regexp.MustCompile(`https://\S+`).FindString(parts["text/plain; charset=UTF-8"])
	assert.Contains(t, parts["text/html; charset=UTF-8"], `href="`+link+`"`)
	u, err := url.Parse(link)
	require.NoError(t, err)
	assert.Equal(t, "app.example", u.Host) // A15: from the configuration
	token, err := invite.ParseToken(u.Query().Get("token"))
	require.NoError(t, err)
	accepted, err := w.Invites.Accept(t.Context(), w.User("bob").ID, token)
	require.NoError(t, err)
	assert.Equal(t, rbac.Member, accepted.Role)
}

// A server that is out of order loses nothing: the relay comes again, and the newer link works.
func TestTheRelayTriesAgain(t *testing.T) {
	broken := serve(t, func(s *server) { s.replies["MAIL"] = "451 4.3.0 later" })
	working := serve(t)
	first, then := mailer(t, broken), mailer(t, working)
	relayed := &switched{now: first}
	w := ushertest.NewWorldOn(t, memory.New(), usher.WithMailer(relayed)).Account("acme").Team("Sales", ushertest.Manager("alice"))
	_, err := w.Invites.Create(t.Context(), w.Actor("alice", "Sales"), invite.ToTeam(ushertest.Email("bob"), rbac.Member))
	require.NoError(t, err)
	_, err = w.Relay.Drain(t.Context())
	require.ErrorContains(t, err, "smtp: name the sender: the server refused with 451 4.3.0")
	var failed *smtp.Error
	require.ErrorAs(t, err, &failed)
	assert.False(t, failed.Permanent())
	assert.Empty(t, broken.mails())

	relayed.now = then
	w.Clock.Advance(time.Hour)
	w.Post()
	_, parts := read(t, only(t, working).content)
	_, text, _ := strings.Cut(parts["text/plain; charset=UTF-8"], "?token=")
	token, err := invite.ParseToken(strings.Fields(text)[0])
	require.NoError(t, err)
	_, err = w.Invites.Accept(t.Context(), w.User("bob").ID, token)
	require.NoError(t, err)
}

func TestConcurrentMails(t *testing.T) {
	s := serve(t)
	sender := mailer(t, s, smtp.WithAuth(user, password))
	const mails = 16
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range mails {
		m := invitation(t)
		wg.Go(func() {
			<-start
			assert.NoError(t, sender.Send(t.Context(), m))
		})
	}
	close(start)
	wg.Wait()
	ids := map[string]bool{}
	for _, got := range s.mails() {
		headers, _ := read(t, got.content)
		ids[headers.Get("Message-Id")] = true
	}
	assert.Len(t, ids, mails)
}
