package tenancy

import (
	"fmt"
	"slices"
)

// MaxDomain is the longest domain, in bytes of the ASCII form (RFC 1035, section 2.3.4).
const MaxDomain = 253

// ParseDomain reads a domain such as acme.example, as it stands after the @ of an address, and
// answers the form by which addresses are compared: ASCII letters in lower case, IDNA 2008 without
// any mapping; see [Address.Domain]. Patterns are refused. The error is an [*InvalidError].
func ParseDomain(text string) (string, error) {
	if len(text) <= MaxDomain {
		if ascii, ok := asciiDomain(lowerASCII(text)); ok {
			return ascii, nil
		}
	}
	return "", &InvalidError{Field: "domain", Reason: "must be a domain of two or more labels and at most 253 bytes, such as acme.example"}
}

// parseDomains are domains in their order, each once.
func parseDomains(given []string) ([]string, error) {
	if len(given) > MaxDomains {
		return nil, &InvalidError{Field: "domains", Reason: fmt.Sprintf("must be at most %d", MaxDomains)}
	}
	var domains []string
	for _, text := range given {
		domain, err := ParseDomain(text)
		if err != nil {
			return nil, err
		}
		domains = append(domains, domain)
	}
	slices.Sort(domains)
	return slices.Compact(domains), nil
}

// Invitable reports whether the team's settings let the address be invited.
func (s Settings) Invitable(a Address) bool {
	return len(s.InviteDomains) == 0 || slices.Contains(s.InviteDomains, a.Domain())
}
