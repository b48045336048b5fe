package smtp_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const user, password = "hiring", "correct-horse-battery"

// server is a small mail server. It speaks EHLO, STARTTLS, AUTH PLAIN and LOGIN, MAIL, RCPT,
// DATA, RSET and QUIT, and keeps what it took.
type server struct {
	addr  string
	roots *x509.CertPool

	// How it behaves; set before the first connection.
	implicit bool                // TLS from the first byte
	offers   []string            // extensions, in the open
	secured  []string            // extensions, once encrypted
	replies  map[string]string   // a reply of its own to a verb; "GREETING" and "." for what has none
	echo     string              // a refusal of the content that is followed by the content itself
	heard    func(verb string)   // called for each verb, before the reply
	silent   map[string]struct{} // verbs that get no reply

	cert tls.Certificate
	mu   sync.Mutex
	took []taken
	log  []string
	wg   sync.WaitGroup
}

// taken is one mail that the server took.
type taken struct {
	from, to string // with the parameters
	content  string
	tls      bool
	user     string
	helo     string
}

func serve(t *testing.T, shape ...func(*server)) *server {
	t.Helper()
	s := &server{
		offers: []string{"STARTTLS", "8BITMIME", "ENHANCEDSTATUSCODES"}, secured: []string{"AUTH PLAIN LOGIN", "8BITMIME", "ENHANCEDSTATUSCODES"},
		replies: map[string]string{}, silent: map[string]struct{}{}, heard: func(string) {},
	}
	s.cert, s.roots = certificate(t, "localhost")
	for _, set := range shape {
		set(s)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.addr = l.Addr().String()
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.talk(conn) })
		}
	})
	// That the talks end shows that the mailer has left no connection open.
	t.Cleanup(func() { _ = l.Close(); s.wg.Wait() })
	return s
}

func certificate(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
	}
	if name == "localhost" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func (s *server) mails() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]taken(nil), s.took...)
}

// verbs are the commands that were heard, in order.
func (s *server) verbs() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.log, " ")
}

// talk is one connection.
func (s *server) talk(conn net.Conn) {
	defer conn.Close()
	var mail taken
	if s.implicit {
		conn, mail.tls = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.cert}}), true
	}
	in := bufio.NewReader(conn)
	reply := func(verb, usual string) {
		s.mu.Lock()
		s.log = append(s.log, verb)
		s.mu.Unlock()
		s.heard(verb)
		if _, hang := s.silent[verb]; hang {
			_, _ = io.Copy(io.Discard, in) // until the mailer hangs up
			return
		}
		if own, ok := s.replies[verb]; ok {
			usual = own
		}
		fmt.Fprintf(conn, "%s\r\n", usual)
	}
	line := func() (string, bool) {
		text, err := in.ReadString('\n')
		return strings.TrimRight(text, "\r\n"), err == nil
	}
	reply("GREETING", "220 localhost ready")
	for {
		text, ok := line()
		if !ok {
			return
		}
		verb, rest, _ := strings.Cut(text, " ")
		switch verb {
		case "EHLO":
			mail.helo = rest
			offers := s.offers
			if mail.tls {
				offers = s.secured
			}
			reply(verb, "250-"+strings.Join(append([]string{"hello " + rest}, offers...), "\r\n250-")+"\r\n250 HELP")
		case "STARTTLS":
			reply(verb, "220 go ahead")
			if _, hang := s.silent["handshake"]; hang {
				_, _ = io.Copy(io.Discard, in)
			}
			if s.replies[verb] == "" {
				conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.cert}})
				in, mail.tls = bufio.NewReader(conn), true
			}
		case "AUTH":
			var ok bool
			if mail.user, ok = s.signIn(rest, line, conn); ok {
				reply(verb, "235 2.7.0 welcome")
			} else {
				reply(verb, "535 5.7.8 who is that: "+text)
			}
		case "MAIL":
			mail.from = strings.TrimPrefix(rest, "FROM:")
			reply(verb, "250 2.1.0 OK")
		case "RCPT":
			mail.to = strings.TrimPrefix(rest, "TO:")
			reply(verb, "250 2.1.5 OK")
		case "DATA":
			reply(verb, "354 go on")
			if s.replies[verb] != "" {
				continue
			}
			raw, err := textproto.NewReader(in).ReadDotBytes()
			if err != nil {
				return
			}
			mail.content = string(raw)
			if s.echo != "" {
				for quoted := range strings.Lines(mail.content) {
					fmt.Fprintf(conn, "%s-%s\r\n", s.echo, strings.TrimSpace(quoted))
				}
				reply(".", s.echo+" "+mail.content[len(mail.content)-1:])
				continue
			}
			if s.replies["."] == "" {
				s.mu.Lock()
				s.took = append(s.took, mail)
				s.mu.Unlock()
			}
			reply(".", "250 2.0.0 taken")
		case "QUIT":
			reply(verb, "221 bye")
			return
		default:
			reply("?", "500 5.5.1 what?")
		}
	}
}

func (s *server) signIn(rest string, line func() (string, bool), conn io.Writer) (string, bool) {
	decode := func(text string) string {
		raw, _ := base64.StdEncoding.DecodeString(text)
		return string(raw)
	}
	mechanism, first, _ := strings.Cut(rest, " ")
	if mechanism == "PLAIN" {
		parts := strings.Split(decode(first), "\x00")
		return parts[1], len(parts) == 3 && parts[1] == user && parts[2] == password
	}
	ask := func(prompt string) string {
		fmt.Fprintf(conn, "334 %s\r\n", base64.StdEncoding.EncodeToString([]byte(prompt)))
		text, _ := line()
		return decode(text)
	}
	name, secret := ask("Username:"), ask("Password:")
	return name, name == user && secret == password
}
