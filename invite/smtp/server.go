package smtp

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/usher-go/usher/tenancy"
)

// server is where mail is handed to.
type server struct{ host, port string }

// parseServer reads a host name or IP address, with or without a port.
func parseServer(text, port string) (server, error) {
	host := text
	if h, p, err := net.SplitHostPort(text); err == nil {
		host, port = h, p
	}
	if !hostName(host) {
		return server{}, &tenancy.InvalidError{Field: "server", Reason: "must be a host name or IP address, or one with a port, such as mail.acme.example:587"}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return server{}, &tenancy.InvalidError{Field: "server", Reason: "must have a port from 1 to 65535"}
	}
	return server{host: host, port: port}, nil
}

func (s server) address() string { return net.JoinHostPort(s.host, s.port) }

// loopback is the rule that link bases have for http.
func (s server) loopback() bool {
	addr, err := netip.ParseAddr(s.host)
	return s.host == "localhost" || err == nil && addr.IsLoopback()
}

// hostName reports whether the text can name a host; whether there is one is for the resolver to
// say.
func hostName(text string) bool {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Zone() == "" // a zone can be any text
	}
	return text != "" && len(text) <= 253 && !strings.ContainsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(".-_", r))
	})
}

// port is the usual one (RFC 8314, RFC 5321).
func (p policy) port() string {
	switch p {
	case implicitTLS:
		return "465"
	case noTLS:
		return "25"
	default:
		return "587"
	}
}
