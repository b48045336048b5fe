package smtp

import (
	"crypto/x509"
	"strings"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Option changes how a [Mailer] works. One that makes no sense is an error of [New].
type Option func(*Mailer) error

// WithName sets the name that people see beside the from address; the rules are those of
// [tenancy.Name]. Without it they see the address.
func WithName(name string) Option {
	return func(m *Mailer) (err error) {
		name, err = tenancy.Name("from name", name)
		m.name = oneSpaced(name)
		return err
	}
}

// MaxCredential is the longest user name or password, in bytes.
const MaxCredential = 1000

// WithAuth signs in to the server, with PLAIN or else LOGIN: the password is as safe as the
// connection. A server that offers neither gets no mail.
func WithAuth(user, password string) Option {
	return func(m *Mailer) error {
		for _, text := range []string{user, password} {
			if text == "" || len(text) > MaxCredential || strings.ContainsRune(text, 0) {
				return &tenancy.InvalidError{Field: "user and password", Reason: "must have 1 to 1000 bytes each, none of them zero"}
			}
		}
		m.secret = func() (string, string) { return user, password }
		return nil
	}
}

// WithImplicitTLS speaks TLS from the first byte, as is usual on port 465, instead of STARTTLS.
func WithImplicitTLS() Option {
	return func(m *Mailer) error { m.tls = implicitTLS; return nil }
}

// WithoutTLS encrypts nothing: for a mail server on the same machine, and refused by [New] for
// any other host than localhost and the loopback addresses.
func WithoutTLS() Option {
	return func(m *Mailer) error { m.tls = noTLS; return nil }
}

// WithRootCAs sets who may have signed the server's certificate, instead of the authorities that
// the machine trusts: for a mail server with a private authority. There is no option to take any
// certificate.
func WithRootCAs(roots *x509.CertPool) Option {
	return func(m *Mailer) error {
		if roots == nil {
			return &tenancy.InvalidError{Field: "root CAs", Reason: "must not be nil; leave the option out to trust the machine's"}
		}
		m.roots = roots.Clone()
		return nil
	}
}

// The time that sending one mail takes at most. The relay hands over a batch of mails within its
// lease, so more than a fraction of that is seldom of use.
const (
	DefaultTimeout = 30 * time.Second
	MaxTimeout     = 10 * time.Minute
)

// WithTimeout sets the time that sending one mail may take, from the name look-up to the
// server's last answer. A context that ends sooner wins.
func WithTimeout(d time.Duration) Option {
	return func(m *Mailer) error {
		if d <= 0 || d > MaxTimeout {
			return &tenancy.InvalidError{Field: "timeout", Reason: "must be more than zero and at most 10 minutes"}
		}
		m.timeout = d
		return nil
	}
}

// WithHELO sets the name by which the mailer introduces itself to the server: the domain of the
// from address, unless set.
func WithHELO(name string) Option {
	return func(m *Mailer) error {
		if !hostName(name) {
			return &tenancy.InvalidError{Field: "HELO name", Reason: "must be a host name, such as app.acme.example"}
		}
		m.helo = name
		return nil
	}
}
