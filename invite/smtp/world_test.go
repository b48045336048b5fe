package smtp_test

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/invite/smtp"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
)

const from = "hiring@acme.example"

// mailer is one for the server, which speaks STARTTLS unless the options say otherwise.
func mailer(t *testing.T, s *server, options ...smtp.Option) *smtp.Mailer {
	t.Helper()
	m, err := smtp.New(s.addr, from, append([]smtp.Option{smtp.WithRootCAs(s.roots)}, options...)...)
	require.NoError(t, err)
	return m
}

// invitation is a mail as the relay hands it over, for Bob.
func invitation(t *testing.T) invite.Mail {
	t.Helper()
	w := ushertest.NewWorld(t).Account("acme").Team("Sales", ushertest.Manager("alice"))
	_, err := w.Invites.Create(t.Context(), w.Actor("alice", "Sales"), invite.ToTeam("Bob@Bob.example", rbac.Member))
	require.NoError(t, err)
	w.Post()
	return w.Mail.Last("bob@bob.example")
}

// read takes a mail apart as a reader's program does: its headers, decoded, and its parts by type.
func read(t *testing.T, content string) (headers mail.Header, parts map[string]string) {
	t.Helper()
	msg, err := mail.ReadMessage(strings.NewReader(content))
	require.NoError(t, err)
	kind, parameters, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts = map[string]string{}
	for r := multipart.NewReader(msg.Body, parameters["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return msg.Header, parts
		}
		require.NoError(t, err)
		require.Equal(t, "quoted-printable", part.Header.Get("Content-Transfer-Encoding"))
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		parts[part.Header.Get("Content-Type")] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}

// only is the one mail that the server took.
func only(t *testing.T, s *server) taken {
	t.Helper()
	mails := s.mails()
	require.Len(t, mails, 1)
	return mails[0]
}

func decoded(t *testing.T, header string) string {
	t.Helper()
	text, err := new(mime.WordDecoder).DecodeHeader(header)
	require.NoError(t, err)
	return text
}

// tee keeps each mail before it is sent.
type tee struct {
	kept *invite.Captured
	next invite.Mailer
}

func (t tee) Send(ctx context.Context, m invite.Mail) error {
	return errors.Join(t.kept.Send(ctx, m), t.next.Send(ctx, m))
}
