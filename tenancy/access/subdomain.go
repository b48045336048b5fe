package access

import (
	"context"
	"net/http"
	"strings"
	"unicode"

	"github.com/usher-go/usher/tenancy"
)

const (
	maxDomain = 253 // bytes in a domain name
	maxLabel  = 63  // bytes in one of its labels
)

// Subdomain takes the team from the first label of the host that the request is for: with base
// "app.example" the team of acme.app.example is the one that find answers for "acme". Find is
// the host's own list of names: it gets one label, in lower case, of letters, digits and hyphens,
// and answers [tenancy.ErrNotFound] for a name that it does not know.
//
// A port and the dot at the end of a complete name are left out. Whatever else is not exactly
// one label below the base is not found, and find is not asked. The request's own Host is read
// and nothing that a proxy may or may not have set, such as X-Forwarded-Host; a proxy has to
// pass Host on.
//
// The error, for a base that is no domain name, is a [*tenancy.InvalidError].
func Subdomain(base string, find func(ctx context.Context, label string) (tenancy.TeamID, error)) (TeamOf, error) {
	base = strings.ToLower(base)
	if !isDomain(base) {
		return nil, &tenancy.InvalidError{Field: "base domain", Reason: "must be a domain name without a port, such as app.example"}
	}
	return func(r *http.Request) (tenancy.TeamID, error) {
		label, below := strings.CutSuffix(hostname(r.Host), "."+base)
		if !below || !isLabel(label) {
			return tenancy.TeamID{}, tenancy.ErrNotFound
		}
		return find(r.Context(), label)
	}, nil
}

// hostname is a Host in lower case without its port and the last dot. It is empty for one that
// is longer than a name and a port can be, or not ASCII: in lower case the Kelvin sign is a k.
func hostname(host string) string {
	foreign := func(c rune) bool { return c > unicode.MaxASCII }
	if len(host) > maxDomain+len(".:65535") || strings.ContainsFunc(host, foreign) {
		return ""
	}
	name, port, _ := strings.Cut(host, ":")
	if strings.Trim(port, "0123456789") != "" {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

func isDomain(name string) bool {
	if len(name) > maxDomain {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

// isLabel reports whether the text is one label of a host name, in lower case.
func isLabel(text string) bool {
	odd := func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' }
	return text != "" && len(text) <= maxLabel && !strings.ContainsFunc(text, odd) &&
		!strings.HasPrefix(text, "-") && !strings.HasSuffix(text, "-")
}
