package smtp

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"time"

	gosmtp "github.com/wneessen/go-mail/smtp"
)

// session is one talk with the server, about one letter.
//
// The library's protocol client is used, not the mail.Client on top of it: that one minds the
// context only while it dials, leaves the connection open when the greeting or STARTTLS fails,
// and reports a mail that was taken as failed if the server then stumbles over RSET or QUIT,
// which would send it twice.
type session struct {
	*Mailer
	letter letter
	conn   net.Conn
	client *gosmtp.Client
}

// The steps of a session, as errors name them.
const (
	writing   = "write the mail"
	dialling  = "connect"
	greeting  = "greet"
	securing  = "start TLS"
	signingIn = "sign in"
	sender    = "name the sender"
	recipient = "name the recipient"
	content   = "hand over the mail"
)

func (m *Mailer) handOver(ctx context.Context, l letter) error {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", m.server.address())
	if err != nil {
		return failure(ctx, dialling, err)
	}
	defer raw.Close()
	// Closing is what ends a read that is under way, whatever deadline the library sets.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	s := &session{Mailer: m, letter: l, conn: &bounded{Conn: raw, left: maxHeard}}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{dialling, func() error { return s.wrap(ctx) }},
		{greeting, s.greet},
		{securing, s.secure},
		{signingIn, s.signIn},
		{sender, s.sender},
		{recipient, s.recipient},
		{content, s.content},
	} {
		if err := step.do(); err != nil {
			failed := failure(ctx, step.name, err)
			if failed.Code != 0 {
				s.quit()
			}
			return failed
		}
	}
	s.quit()
	return nil
}

func (m *Mailer) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: m.server.host, RootCAs: m.roots, MinVersion: tls.VersionTLS12}
}

// wrap has TLS under all that is said.
func (s *session) wrap(ctx context.Context) error {
	if s.tls != implicitTLS {
		return nil
	}
	encrypted := tls.Client(s.conn, s.tlsConfig())
	s.conn = encrypted
	return encrypted.HandshakeContext(ctx)
}

func (s *session) greet() error {
	var err error
	if s.client, err = gosmtp.NewClient(s.conn, s.server.host); err != nil {
		return err
	}
	return s.client.Hello(s.helo)
}

func (s *session) secure() error {
	if s.tls != startTLS {
		return nil
	}
	if offered, _ := s.client.Extension("STARTTLS"); !offered {
		return errNoTLS
	}
	return s.client.StartTLS(s.tlsConfig())
}

// signIn chooses the mechanism itself: what a password is sent over was settled before.
func (s *session) signIn() error {
	if s.secret == nil {
		return nil
	}
	_, offered := s.client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	user, password := s.secret()
	bare := s.tls == noTLS // New has seen to it that the server is on this machine
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		return s.client.Auth(gosmtp.PlainAuth("", user, password, s.server.host, bare))
	case slices.Contains(mechanisms, "LOGIN"):
		return s.client.Auth(gosmtp.LoginAuth(user, password, s.server.host, bare))
	default:
		return errNoAuth
	}
}

func (s *session) sender() error {
	if offered, _ := s.client.Extension("SMTPUTF8"); !offered && !ascii(s.letter.from+s.letter.to) {
		return errNoUTF8
	}
	return s.client.Mail("<" + s.letter.from + ">")
}

func (s *session) recipient() error { return s.client.Rcpt("<" + s.letter.to + ">") }

// content ends the data only after all of it was written: the server takes half a mail for none.
func (s *session) content() error {
	w, err := s.client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(s.letter.content); err != nil {
		return err
	}
	return w.Close()
}

// quitTime is how long the server may take to say goodbye. The mail's fate is settled by then, so
// how it goes does not matter.
const quitTime = time.Second

func (s *session) quit() {
	if s.client == nil { // refused in the greeting
		return
	}
	_ = s.client.UpdateDeadline(quitTime)
	_ = s.client.Quit()
}
