package smtp_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/invite/smtp"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/ushertest"
)

// hides asserts that no way to print the value shows the mail's token, its link, the password
// or the invited address.
func hides(t *testing.T, m invite.Mail, value any) {
	t.Helper()
	var logged bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&logged, nil))
	logger.Info("text", "value", value)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("text", "value", value)
	encoded, _ := json.Marshal(value) //nolint:errchkjson // a value that cannot be encoded shows nothing
	shown := logged.String() + string(encoded)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb+"\n", value)
	}
	for _, secret := range []string{m.Token.Reveal(), m.Link(), password, m.To.Display} {
		assert.NotContains(t, shown, secret)
		assert.NotContains(t, shown, base64.StdEncoding.EncodeToString([]byte(secret)))
		assert.NotContains(t, shown, fmt.Sprintf("%x", secret))
	}
	assert.NotContains(t, shown, base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password)))
	assert.NotContains(t, shown, m.Token.Reveal()[:20]) // quoted-printable breaks lines
}

// A9, F12: a server that repeats all it hears gets nothing into an error or a log.
func TestA9F12NoSecretInErrorsAndLogs(t *testing.T) {
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))) // takes package log along
	t.Cleanup(func() { slog.SetDefault(before) })

	m := invitation(t)
	secretly := smtp.WithAuth(user, password)
	t.Run("content", func(t *testing.T) {
		for _, code := range []string{"554", "451", "999"} {
			s := serve(t, func(s *server) { s.echo = code })
			err := mailer(t, s, secretly).Send(t.Context(), m)
			require.Error(t, err, code)
			hides(t, m, err)
		}
	})
	t.Run("recipient", func(t *testing.T) {
		s := serve(t, func(s *server) { s.replies["RCPT"] = "550 5.1.1 " + m.To.Display + " " + m.Link() })
		err := mailer(t, s, secretly).Send(t.Context(), m)
		require.Error(t, err)
		hides(t, m, err)
	})
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password))
	for _, reply := range []string{"535 5.7.8 " + plain, "535 " + password, "334 " + plain, "334 !" + password, password, "999 " + password} {
		t.Run("credentials: "+reply[:3], func(t *testing.T) {
			for _, mechanism := range []string{"PLAIN", "LOGIN"} {
				s := serve(t, func(s *server) { s.secured = []string{"AUTH " + mechanism}; s.replies["AUTH"] = reply })
				err := mailer(t, s, secretly).Send(t.Context(), m)
				require.Error(t, err)
				hides(t, m, err)
			}
		})
	}
	t.Run("mailer", func(t *testing.T) {
		sender, err := smtp.New("mail.acme.example", from, secretly)
		require.NoError(t, err)
		hides(t, m, sender)
		hides(t, m, *sender)
		hides(t, m, struct{ inner *smtp.Mailer }{sender})
		hides(t, m, secretly)
	})
	t.Run("relay", func(t *testing.T) {
		s := serve(t, func(s *server) { s.echo = "554" })
		seen := &switched{}
		kept := new(invite.Captured)
		seen.now = tee{kept, mailer(t, s, secretly)}
		w := ushertest.NewWorldOn(t, memory.New(), usher.WithMailer(seen)).Account("acme").Team("Sales", ushertest.Manager("alice"))
		_, err := w.Invites.Create(t.Context(), w.Actor("alice", "Sales"), invite.ToTeam(ushertest.Email("bob"), rbac.Member))
		require.NoError(t, err)
		_, err = w.Relay.Drain(t.Context())
		require.Error(t, err)
		hides(t, kept.Last(ushertest.Email("bob")), err)
	})
	assert.Empty(t, logged.String(), "the mailer logs nothing")
}

// A18: names that came past the checks, by other means than the services.
func TestA18NamesInHeadersAndHTML(t *testing.T) {
	for name, hostile := range map[string]string{
		"CR LF":            "Eve\r\nBcc: eve@eve.example\r\n\r\n<h1>Hello</h1>",
		"LF":               "Eve\nBcc: eve@eve.example",
		"HTML":             `<script>alert("1")</script>&lt;`,
		"bidi":             "Eve\u202eelpmaxe.emca\u2066",
		"encoded word":     "=?utf-8?q?=0D=0ABcc:_eve@eve.example=E2=80=AE?=",
		"spaces":           "a" + strings.Repeat(" ", 300) + "b",
		"long":             strings.Repeat("x", 2000),
		"long, not ASCII":  strings.Repeat("ü", 2000),
		"line separators":  "a\u2028b\u2029c\u0085d",
		"not UTF-8":        "a\xff\xfeb",
		"a dot on a line":  "a\r\n.\r\nQUIT",
		"dots and hyphens": "--\r\n.",
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			m := invitation(t)
			m.Team, m.Inviter = hostile, hostile
			require.NoError(t, mailer(t, s).Send(t.Context(), m))
			got := only(t, s)
			headers, parts := read(t, got.content)
			assert.Len(t, headers, 8, "no header more")
			subject := decoded(t, headers.Get("Subject"))
			assert.False(t, strings.ContainsAny(subject, "\r\n\u202e\u2066\u2028\u2029\u0085"), "%q", subject)
			assert.Contains(t, subject, "invites you to")
			assert.Equal(t, "<Bob@Bob.example>", headers.Get("To"))
			assert.Equal(t, m.Text(), parts["text/plain; charset=UTF-8"])
			page := parts["text/html; charset=UTF-8"]
			assert.Contains(t, page, m.HTML())
			assert.NotContains(t, page, "<script")
			assert.NotContains(t, page, "<h1")
			assert.NotContains(t, page+parts["text/plain; charset=UTF-8"], "\u202e")
			head, _, _ := strings.Cut(got.content, "\n\n")
			for line := range strings.Lines(head) {
				assert.NotEmpty(t, strings.TrimSpace(line), "a folded line must have something on it")
			}
			for line := range strings.Lines(got.content) {
				if len(line) > 998 && name != "long" {
					t.Errorf("a line has %d bytes", len(line))
				}
			}
		})
	}
}
