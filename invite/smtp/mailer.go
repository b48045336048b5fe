package smtp

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// Mailer sends invitations through one mail server. Build it with [New]; it is safe for
// concurrent use, and holds nothing that wants closing.
type Mailer struct {
	server  server
	tls     policy
	roots   *x509.CertPool
	from    tenancy.Address
	name    string
	helo    string
	timeout time.Duration
	// The parts of a mail.
	words, batch, answer words
	// A function, because fmt prints what it finds in the fields of a struct, also the unexported
	// ones; of a function it prints the address. It is nil if the server asks for no password.
	secret func() (user, password string)
}

var _ invite.Mailer = (*Mailer)(nil)

// policy says how the connection is encrypted.
type policy int

const (
	startTLS policy = iota
	implicitTLS
	noTLS
)

// New builds a mailer that hands its mail to the server and sends it from the address.
//
// The server is a host name or IP address, with a port if it is not the usual one: 587, with
// [WithImplicitTLS] 465, with [WithoutTLS] 25. The address is a bare one, such as
// hiring@acme.example. Nothing is connected yet; an error is [tenancy.ErrInvalid].
func New(host, from string, options ...Option) (*Mailer, error) {
	m := &Mailer{timeout: DefaultTimeout, words: plain, batch: plain, answer: plain}
	var err error
	if m.from, err = tenancy.ParseAddress(from); err != nil {
		return nil, fmt.Errorf("from address: %w", err)
	}
	// Who gets a mail knows its domain anyway; the machine's own name is nobody's business.
	m.helo = m.from.Domain()
	for _, set := range options {
		if err := set(m); err != nil {
			return nil, err
		}
	}
	if m.server, err = parseServer(host, m.tls.port()); err != nil {
		return nil, err
	}
	if m.tls == noTLS && !m.server.loopback() {
		return nil, &tenancy.InvalidError{Field: "TLS", Reason: "can be left out for a server on localhost only"}
	}
	return m, nil
}

// Send implements [invite.Mailer]: nil means that the server has taken the mail. The error is an
// [*Error], and wraps that of the context if it has ended.
//
// If the connection breaks, or the context ends, just after the whole mail was sent, nobody knows
// whether the server took it. That is an error here, so that the invited person gets two mails
// rather than none. Their Message-IDs differ, so that no mailbox
// drops the newer one, whose link works.
func (m *Mailer) Send(ctx context.Context, mail invite.Mail) error {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	l, err := m.write(mail)
	if err != nil {
		return err
	}
	return m.handOver(ctx, l)
}
