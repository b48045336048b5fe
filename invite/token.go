package invite

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"

	"github.com/usher-go/usher/tenancy"
)

// Token is the secret in an invitation's link: 256 random bits. It is opaque (who, where and
// which role are read from the row) and redacts itself in every print, log and encoding.
// Only Reveal gives it away.
type Token struct{ secret [tokenSize]byte }

// TokenHash is what is stored of a token: its SHA-256. A slow hash would add nothing, since
// 256 random bits cannot be guessed.
type TokenHash [sha256.Size]byte

const tokenSize = 32

var tokenText = base64.RawURLEncoding.Strict()

// mintToken makes a new token.
func mintToken() Token {
	var t Token
	_, _ = rand.Read(t.secret[:]) // never fails since Go 1.24
	return t
}

// ParseToken reads the text form. Anything that no mail can have carried answers
// [tenancy.ErrNotFound], like a token that nobody knows: there is nothing to learn from it.
func ParseToken(text string) (Token, error) {
	if len(text) != tokenText.EncodedLen(tokenSize) {
		return Token{}, tenancy.ErrNotFound
	}
	raw, err := tokenText.DecodeString(text)
	if err != nil {
		return Token{}, tenancy.ErrNotFound
	}
	return Token{secret: [tokenSize]byte(raw)}, nil
}

// Reveal is the text form, for the link in the mail.
func (t Token) Reveal() string { return tokenText.EncodeToString(t.secret[:]) }

// Hash is what a store keeps and looks up.
func (t Token) Hash() TokenHash { return sha256.Sum256(t.secret[:]) }

// Equal compares in constant time. Two zero hashes are not equal: zero is no token.
func (h TokenHash) Equal(other TokenHash) bool {
	return subtle.ConstantTimeCompare(h[:], other[:]) == 1 && h != TokenHash{}
}

const redacted = "[invitation token]"

// String hides the token.
func (Token) String() string { return redacted }

// Format hides the token from every verb of fmt.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the token from slog.
func (Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the token from JSON, XML and whatever else asks for text.
func (Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }
