package tenancy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Address is an e-mail address in two forms. Display is as it was written, and where mail
// goes; Normal is what addresses are compared by.
type Address struct {
	Display string
	Normal  string
}

// The longest address and local part, in bytes (RFC 5321, section 4.5.3.1).
const (
	MaxAddress   = 254
	MaxLocalPart = 64
)

// ParseAddress reads one bare e-mail address such as bob@acme.example; display names, quoted
// local parts, comments and IP literals are refused. The error is an [*InvalidError].
//
// The normal form is the trimmed address with ASCII letters in lower case and the domain in
// its ASCII form (IDNA 2008). Letters outside ASCII are never case-mapped: Unicode lower,
// upper and fold each turn some other person's address into this one (Django
// CVE-2019-19844). For the same reason a domain that IDNA would have to map first is refused
// rather than mapped.
func ParseAddress(text string) (Address, error) {
	bad := func(reason string) (Address, error) {
		return Address{}, &InvalidError{Field: "e-mail", Reason: reason}
	}
	if len(text) > MaxAddress+2*64 {
		return bad("must have at most 254 bytes")
	}
	display := strings.Trim(text, " \t\r\n")
	if !utf8.ValidString(display) || !norm.NFC.IsNormalString(display) {
		return bad("must be UTF-8 in normalisation form C")
	}
	at := strings.LastIndexByte(display, '@')
	if at <= 0 || at == len(display)-1 {
		return bad("must have the form name@domain")
	}
	local, domain := lowerASCII(display[:at]), lowerASCII(display[at+1:])
	if len(local) > MaxLocalPart {
		return bad("must have at most 64 bytes before the @")
	}
	if !validLocal(local) {
		return bad("must have only letters, digits, dots between them and !#$%&'*+-/=?^_`{|}~ before the @")
	}
	ascii, ok := asciiDomain(domain)
	if !ok {
		return bad("must have a valid domain of two or more labels after the @")
	}
	normal := local + "@" + ascii
	if len(normal) > MaxAddress || len(display) > MaxAddress {
		return bad("must have at most 254 bytes")
	}
	return Address{Display: display, Normal: normal}, nil
}

// Domain is the part of the normal form after the @.
func (a Address) Domain() string { return a.Normal[strings.LastIndexByte(a.Normal, '@')+1:] }

// IsZero reports whether there is no address.
func (a Address) IsZero() bool { return a.Normal == "" }

func (a Address) String() string { return a.Display }

// lowerASCII maps A–Z and nothing else; strings.ToLower would map the Kelvin sign to k.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}

// validLocal accepts a dot-atom (RFC 5322, section 3.2.3), with letters, digits and marks of
// any script (RFC 6531).
func validLocal(local string) bool {
	if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	for _, r := range local {
		switch {
		case r < utf8.RuneSelf:
			if !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", r)) {
				return false
			}
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			return false
		}
	}
	return local != ""
}

// domains applies IDNA 2008 without any mapping.
var domains = idna.New(
	idna.ValidateForRegistration(),
	idna.BidiRule(),
	idna.CheckHyphens(true),
	idna.CheckJoiners(true),
	idna.StrictDomainName(true),
	idna.VerifyDNSLength(true),
)

func asciiDomain(domain string) (string, bool) {
	if !strings.Contains(domain, ".") || strings.HasSuffix(domain, ".") {
		return "", false
	}
	ascii, err := domains.ToASCII(domain)
	if err != nil || ascii != lowerASCII(ascii) {
		return "", false
	}
	return ascii, true
}
