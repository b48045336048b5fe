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
// Only Reveal gives it away. The zero Token is none, and opens nothing.
type Token struct {
	// A function, because fmt does not ask the methods of a value that it reaches through an
	// unexported field: it prints what is in there, following pointers for a verb that does not
	// fit. Of a function it prints the address. And tokens cannot be compared with ==, which
	// would take a time that tells how much of them is equal.
	secret func() [tokenSize]byte
}

// TokenHash is what is stored of a token: its SHA-256. A slow hash would add nothing, since
// 256 random bits cannot be guessed. The zero hash is that of no token.
type TokenHash [sha256.Size]byte

const tokenSize = 32

var tokenText = base64.RawURLEncoding.Strict()

// mintToken makes a new token.
func mintToken() Token {
	var secret [tokenSize]byte
	_, _ = rand.Read(secret[:]) // never fails since Go 1.24
	return tokenOf(secret)
}

func tokenOf(secret [tokenSize]byte) Token {
	return Token{secret: func() [tokenSize]byte { return secret }}
}

// ParseToken reads the text form. Anything that no mail can have carried answers
// [tenancy.ErrNotFound], like a token that nobody knows: there is nothing to learn from it.
func ParseToken(text string) (Token, error) {
	if len(text) != tokenText.EncodedLen(tokenSize) {
		return Token{}, tenancy.ErrNotFound
	}
	raw, err := tokenText.DecodeString(text)
	if err != nil || len(raw) != tokenSize { // the decoder skips line breaks, so the length can differ
		return Token{}, tenancy.ErrNotFound
	}
	return tokenOf([tokenSize]byte(raw)), nil
}

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.secret == nil }

// Reveal is the text form, for the link in the mail. It is empty for the zero Token.
func (t Token) Reveal() string {
	if t.IsZero() {
		return ""
	}
	secret := t.secret()
	return tokenText.EncodeToString(secret[:])
}

// Hash is what a store keeps and looks up.
func (t Token) Hash() TokenHash {
	if t.IsZero() {
		return TokenHash{}
	}
	secret := t.secret()
	return sha256.Sum256(secret[:])
}

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
