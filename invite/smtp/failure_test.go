package smtp_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/invite/smtp"
	"github.com/usher-go/usher/tenancy"
)

// switched is a mailer that can be exchanged.
type switched struct{ now invite.Mailer }

func (s *switched) Send(ctx context.Context, m invite.Mail) error { return s.now.Send(ctx, m) }

func TestRefusals(t *testing.T) {
	m := invitation(t)
	for _, c := range []struct {
		verb, reply string
		want        string
		permanent   bool
	}{
		{"GREETING", "554 5.3.2 closed", "greet: the server refused with 554 5.3.2", false},
		{"GREETING", "421 busy", "greet: the server refused with 421", false},
		{"MAIL", "550 5.7.1 not you", "name the sender: the server refused with 550 5.7.1", false},
		{"MAIL", "451 4.3.0 later", "name the sender: the server refused with 451 4.3.0", false},
		{"RCPT", "550 5.1.1 no such user Bob@Bob.example", "name the recipient: the server refused with 550 5.1.1", true},
		{"RCPT", "450 4.2.1 greylisted", "name the recipient: the server refused with 450 4.2.1", false},
		{"DATA", "554 no", "hand over the mail: the server refused with 554", true},
		{"DATA", "452 4.3.1 full", "hand over the mail: the server refused with 452 4.3.1", false},
		{".", "554 5.6.0-bad", "hand over the mail: the server refused with 554", true},
		{".", "550 4.6.0 bad", "hand over the mail: the server refused with 550", true},
		{".", "451 4.99.1 later", "hand over the mail: the server refused with 451 4.99.1", false},
		{".", "451 4.9999.1 later", "hand over the mail: the server refused with 451", false},
		{".", "550-no\r\n550 never", "hand over the mail: the server refused with 550", true},
	} {
		t.Run(c.verb+" "+c.reply, func(t *testing.T) {
			s := serve(t, func(s *server) { s.replies[c.verb] = c.reply })
			err := mailer(t, s).Send(t.Context(), m)
			require.EqualError(t, err, "smtp: "+c.want)
			var failed *smtp.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, c.permanent, failed.Permanent())
			assert.Equal(t, c.reply[:3], fmt.Sprint(failed.Code))
			assert.True(t, strings.HasSuffix(c.want, strings.TrimSpace(fmt.Sprint(failed.Code, " ", failed.Status))))
			assert.Empty(t, s.mails())
			if c.verb != "GREETING" {
				assert.True(t, strings.HasSuffix(s.verbs(), " QUIT"), s.verbs())
			}
		})
	}
}

// What comes after the server has taken the mail does not make the relay send it again.
func TestAMailThatWasTakenIsSent(t *testing.T) {
	m := invitation(t)
	t.Run("QUIT refused", func(t *testing.T) {
		s := serve(t, func(s *server) { s.replies["QUIT"] = "421 4.0.0 gone" })
		require.NoError(t, mailer(t, s).Send(t.Context(), m))
		only(t, s)
	})
	t.Run("cancelled at QUIT", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := serve(t, func(s *server) {
			s.silent["QUIT"] = struct{}{}
			s.heard = func(verb string) {
				if verb == "QUIT" {
					cancel()
				}
			}
		})
		require.NoError(t, mailer(t, s).Send(ctx, m))
		only(t, s)
	})
}

// A server that hangs, wherever it hangs, is left when the context or the time limit ends.
func TestAServerThatHangs(t *testing.T) {
	m := invitation(t)
	for _, verb := range []string{"GREETING", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "."} {
		for name, implicit := range map[string]bool{"STARTTLS": false, "implicit TLS": true} {
			if implicit && verb == "STARTTLS" {
				continue
			}
			t.Run(verb+" with "+name, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s := serve(t, func(s *server) {
					s.implicit = implicit
					s.silent[verb] = struct{}{}
					s.heard = func(heard string) {
						if heard == verb {
							cancel()
						}
					}
				})
				options := []smtp.Option{smtp.WithAuth(user, password)}
				if implicit {
					options = append(options, smtp.WithImplicitTLS())
				}
				err := mailer(t, s, options...).Send(ctx, m)
				require.ErrorIs(t, err, context.Canceled)
				hides(t, m, err)
				assert.True(t, strings.HasSuffix(s.verbs(), verb), s.verbs())
			})
		}
	}
	t.Run("until the context's deadline", func(t *testing.T) {
		s := serve(t, func(s *server) { s.silent["GREETING"] = struct{}{} })
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := mailer(t, s).Send(ctx, m)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "smtp: greet: context deadline exceeded")
	})
	t.Run("until the time limit", func(t *testing.T) {
		s := serve(t, func(s *server) { s.silent["GREETING"] = struct{}{} })
		err := mailer(t, s, smtp.WithTimeout(20*time.Millisecond)).Send(t.Context(), m)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, t.Context().Err())
	})
	t.Run("in the TLS handshake", func(t *testing.T) {
		s := serve(t, func(s *server) { s.silent["handshake"] = struct{}{} })
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		require.EqualError(t, mailer(t, s).Send(ctx, m), "smtp: start TLS: context deadline exceeded")
	})
}

func TestACancelledContextConnectsToNobody(t *testing.T) {
	s := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := mailer(t, s).Send(ctx, invitation(t))
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, s.verbs())
}

func TestNobodyListens(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	m, err := smtp.New(address, from)
	require.NoError(t, err)
	err = m.Send(t.Context(), invitation(t))
	require.ErrorContains(t, err, "smtp: connect: dial tcp "+address)
	var network *net.OpError
	assert.ErrorAs(t, err, &network)
}

// What is not SMTP ends the talk, and its text goes nowhere.
func TestBabble(t *testing.T) {
	m := invitation(t)
	for name, c := range map[string]struct {
		answer, want string
	}{
		"not SMTP":    {"HTTP/1.1 200 injected\n", "smtp: greet: the server's answer was not understood"},
		"hangs up":    {"", "smtp: greet: unexpected EOF"},
		"half a line": {"220", "smtp: greet: the server's answer was not understood"},
		"no end":      {strings.Repeat("220-a greeting that goes on and on\r\n", 1<<16), "smtp: greet: the server talks without end"},
		"a long line": {strings.Repeat("2", 1<<21), "smtp: greet: the server talks without end"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			done := make(chan struct{})
			go func() {
				defer close(done)
				conn, err := l.Accept()
				if !assert.NoError(t, err) {
					return
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, c.answer)
			}()
			sender, err := smtp.New(l.Addr().String(), from)
			require.NoError(t, err)
			require.EqualError(t, sender.Send(t.Context(), m), c.want)
			require.NoError(t, l.Close())
			<-done
		})
	}
}

func TestAMailToNobody(t *testing.T) {
	s := serve(t)
	for _, to := range []string{"", "Bob", "bob@acme.example\r\nBcc: eve@eve.example", "<bob@acme.example>", "bob@acme.example> SIZE=1"} {
		m := invitation(t)
		m.To = tenancy.Address{Display: to, Normal: "bob@acme.example"}
		err := mailer(t, s).Send(t.Context(), m)
		require.ErrorIs(t, err, tenancy.ErrInvalid, to)
		var failed *smtp.Error
		require.ErrorAs(t, err, &failed)
		assert.True(t, failed.Permanent())
	}
	assert.Empty(t, s.verbs())
}

func TestNew(t *testing.T) {
	for name, build := range map[string]func() (*smtp.Mailer, error){
		"no server":             func() (*smtp.Mailer, error) { return smtp.New("", from) },
		"server with a path":    func() (*smtp.Mailer, error) { return smtp.New("mail.acme.example/x", from) },
		"server is an address":  func() (*smtp.Mailer, error) { return smtp.New(from, from) },
		"server with CR LF":     func() (*smtp.Mailer, error) { return smtp.New("mail\r\n.example", from) },
		"server with a zone":    func() (*smtp.Mailer, error) { return smtp.New("::1%x", from) },
		"server's name is long": func() (*smtp.Mailer, error) { return smtp.New(strings.Repeat("a", 254), from) },
		"port 0":                func() (*smtp.Mailer, error) { return smtp.New("mail.acme.example:0", from) },
		"port too high":         func() (*smtp.Mailer, error) { return smtp.New("mail.acme.example:65536", from) },
		"port by name":          func() (*smtp.Mailer, error) { return smtp.New("mail.acme.example:smtp", from) },
		"port empty":            func() (*smtp.Mailer, error) { return smtp.New("mail.acme.example:", from) },
		"no sender":             func() (*smtp.Mailer, error) { return smtp.New("mail.acme.example", "") },
		"sender with a name":    func() (*smtp.Mailer, error) { return smtp.New("mail.acme.example", "Acme <hiring@acme.example>") },
		"sender with CR LF":     func() (*smtp.Mailer, error) { return smtp.New("mail.acme.example", "hiring\r\n@acme.example") },
		"name with CR LF":       with(smtp.WithName("Acme\r\nBcc: eve@eve.example")),
		"name that turns":       with(smtp.WithName("Acme\u202e")),
		"name too long":         with(smtp.WithName(strings.Repeat("a", tenancy.MaxName+1))),
		"no user":               with(smtp.WithAuth("", password)),
		"no password":           with(smtp.WithAuth(user, "")),
		"password with NUL":     with(smtp.WithAuth(user, "a\x00b")),
		"password too long":     with(smtp.WithAuth(user, strings.Repeat("a", smtp.MaxCredential+1))),
		"no roots":              with(smtp.WithRootCAs(nil)),
		"no time":               with(smtp.WithTimeout(0)),
		"too much time":         with(smtp.WithTimeout(smtp.MaxTimeout + 1)),
		"no HELO name":          with(smtp.WithHELO("")),
		"HELO name with CR LF":  with(smtp.WithHELO("a\r\nMAIL")),
		"no TLS over the wire":  with(smtp.WithoutTLS()),
		"no TLS, look-alike":    func() (*smtp.Mailer, error) { return smtp.New("localhost.acme.example", from, smtp.WithoutTLS()) },
		"no TLS, private net":   func() (*smtp.Mailer, error) { return smtp.New("192.168.0.1", from, smtp.WithoutTLS()) },
		"no TLS, unspecified":   func() (*smtp.Mailer, error) { return smtp.New("0.0.0.0:25", from, smtp.WithoutTLS()) },
	} {
		t.Run(name, func(t *testing.T) {
			m, err := build()
			assert.Nil(t, m)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
			var invalid *tenancy.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.NotContains(t, err.Error(), password)
		})
	}
	for name, build := range map[string]func() (*smtp.Mailer, error){
		"host":              with(),
		"all at their most": with(smtp.WithName(strings.Repeat("a", tenancy.MaxName)), smtp.WithAuth(user, strings.Repeat("a", smtp.MaxCredential)), smtp.WithTimeout(smtp.MaxTimeout)),
		"HELO name":         with(smtp.WithHELO("app.acme.example")),
		"IPv4":              func() (*smtp.Mailer, error) { return smtp.New("192.0.2.1:2525", from) },
		"IPv6":              func() (*smtp.Mailer, error) { return smtp.New("2001:db8::1", from) },
		"IPv6 and port":     func() (*smtp.Mailer, error) { return smtp.New("[2001:db8::1]:587", from) },
		"no TLS, name":      func() (*smtp.Mailer, error) { return smtp.New("localhost", from, smtp.WithoutTLS()) },
		"no TLS, IPv4":      func() (*smtp.Mailer, error) { return smtp.New("127.0.0.2:25", from, smtp.WithoutTLS()) },
		"no TLS, IPv6":      func() (*smtp.Mailer, error) { return smtp.New("[::1]:25", from, smtp.WithoutTLS()) },
	} {
		t.Run(name, func(t *testing.T) {
			m, err := build()
			require.NoError(t, err)
			assert.NotNil(t, m)
		})
	}
}

func with(options ...smtp.Option) func() (*smtp.Mailer, error) {
	return func() (*smtp.Mailer, error) { return smtp.New("mail.acme.example", from, options...) }
}

// The mailer starts nothing that outlives Send.
func TestNothingIsLeftRunning(t *testing.T) {
	m := invitation(t)
	for _, verb := range []string{"nothing", "GREETING", "STARTTLS", "RCPT", ".", "QUIT"} {
		s := serve(t, func(s *server) { s.replies[verb] = "451 4.0.0 no" })
		_ = mailer(t, s).Send(t.Context(), m)
	}
	silent := serve(t, func(s *server) { s.silent["MAIL"] = struct{}{} })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Error(t, mailer(t, silent).Send(ctx, m))
	assert.Eventually(t, func() bool {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		return !strings.Contains(string(stacks), "invite/smtp.(") && !strings.Contains(string(stacks), "wneessen")
	}, 5*time.Second, time.Millisecond)
}
