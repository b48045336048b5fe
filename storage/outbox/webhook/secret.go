package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Secret is what the sender and one endpoint share. It hides itself in every print, log and
// encoding. The zero Secret is none: it signs nothing and verifies nothing.
type Secret struct {
	// A function, because fmt prints what it reaches through unexported fields without asking
	// their methods; of a function it prints the address.
	mac func() hash.Hash
}

// The sizes of secrets, in bytes before base64, as the specification sets them.
const (
	minSecret = 24
	maxSecret = 64
	newSecret = 32
)

// A secret's text is its prefix and the base64 of its bytes.
const secretPrefix = "whsec_"

// GenerateSecret makes the text of a new secret of 32 random bytes, to be kept by the host as it
// keeps passwords and shown to the receiver once. Use one for each endpoint.
func GenerateSecret() string {
	var key [newSecret]byte
	_, _ = rand.Read(key[:]) // never fails since Go 1.24
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

var errSecret = errors.New("webhook: a secret is \"whsec_\" and the base64 of 24 to 64 bytes")

// ParseSecret reads the text of a secret: "whsec_" and the base64 of 24 to 64 bytes. The error
// does not show the text.
func ParseSecret(text string) (Secret, error) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	// The decoder passes over line breaks, which have no place here.
	if !ok || strings.ContainsAny(encoded, "\r\n") || len(encoded) > base64.StdEncoding.EncodedLen(maxSecret) {
		return Secret{}, errSecret
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(key) < minSecret || len(key) > maxSecret {
		return Secret{}, errSecret
	}
	return Secret{mac: func() hash.Hash { return hmac.New(sha256.New, key) }}, nil
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.mac == nil }

// Sign answers the signature of one attempt, "v1,…", for the tests of receivers; [Sink] signs by
// itself. It is empty for the zero Secret.
func (s Secret) Sign(id string, attempt time.Time, body []byte) string {
	return s.sign(id, strconv.FormatInt(attempt.Unix(), 10), body)
}

func (s Secret) sign(id, timestamp string, body []byte) string {
	if s.IsZero() {
		return ""
	}
	mac := s.mac()
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

const redacted = "[webhook secret]"

// String hides the secret.
func (Secret) String() string { return redacted }

// Format hides the secret from every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the secret from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret from JSON, XML and whatever else asks for text.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
