package invite

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/usher-go/usher/tenancy"
)

// LinkBase is where the links in mails lead: a page of the host, from its configuration and from
// nowhere else, so that no request can make usher mail a link to another site (better-auth
// CVE-2025-71401). Build it with [ParseLinkBase]; the zero LinkBase leads nowhere.
type LinkBase struct{ url string }

// MaxLinkBase is the longest link base, in bytes.
const MaxLinkBase = 1000

// ParseLinkBase reads the address of the page that invited people land on, such as
// https://app.acme.example/join. The token is added as the query parameter "token": a query,
// unlike a path, is what log filters and Referrer-Policy know how to cut off, and a fragment
// would never reach the server.
//
// It must be https, since the token in it is a secret; http is allowed for localhost and for
// loopback addresses only. User information, a query and a fragment are refused. The error is a
// [*tenancy.InvalidError].
func ParseLinkBase(text string) (LinkBase, error) {
	bad := func(reason string) (LinkBase, error) {
		return LinkBase{}, &tenancy.InvalidError{Field: "link base", Reason: reason}
	}
	if len(text) > MaxLinkBase {
		return bad("must have at most 1000 bytes")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"'<>\`, r) }) {
		return bad("must be printable ASCII without spaces, quotes, angle brackets and backslashes")
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Hostname() == "" {
		return bad("must be an absolute address, such as https://app.acme.example/join")
	}
	if u.User != nil || strings.ContainsAny(text, "?#@") {
		return bad("must have no user information, query or fragment")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return bad("must be https; http is for localhost only")
	}
	return LinkBase{url: u.String()}, nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// IsZero reports whether there is no link base.
func (b LinkBase) IsZero() bool { return b == LinkBase{} }

func (b LinkBase) String() string { return b.url }

// Link is where whoever has the token goes to answer; it holds the token. It needs no escaping: the
// token's text has only letters, digits, hyphens and underscores.
func (b LinkBase) Link(t Token) string { return b.url + "?token=" + t.Reveal() }
