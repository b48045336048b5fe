package invite_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// marked is the text of a token whose bytes are easy to recognise in any print.
var marked = base64.RawURLEncoding.EncodeToString([]byte("\xde\xad\xbe\xefmarked-token-of-32-bytes!!!!"))

func TestTokenReadsWhatItRevealed(t *testing.T) {
	token, err := invite.ParseToken(marked)
	require.NoError(t, err)
	assert.Equal(t, marked, token.Reveal())
	again, err := invite.ParseToken(token.Reveal())
	require.NoError(t, err)
	assert.True(t, token.Hash().Equal(again.Hash()))
}

func TestZeroTokenIsNone(t *testing.T) {
	var none invite.Token
	assert.True(t, none.IsZero())
	assert.Empty(t, none.Reveal())
	assert.Equal(t, invite.TokenHash{}, none.Hash())
	assert.False(t, none.Hash().Equal(none.Hash()), "zero is no token, so it equals nothing")
	assert.Equal(t, "[invitation token]", fmt.Sprint(none))
}

// secrets are the forms in which a token could show up in a text.
func secrets(t testing.TB, token invite.Token) []string {
	t.Helper()
	require.False(t, token.IsZero())
	raw, err := base64.RawURLEncoding.DecodeString(token.Reveal())
	require.NoError(t, err)
	return []string{
		token.Reveal(),
		base64.StdEncoding.EncodeToString(raw),
		hex.EncodeToString(raw),
		strings.ToUpper(hex.EncodeToString(raw)),
		strings.Trim(fmt.Sprint(raw), "[]"),
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", raw), "[]byte{"), "}"),
		string(raw),
	}
}

func hides(t testing.TB, token invite.Token, text, where string) {
	t.Helper()
	for _, form := range secrets(t, token) {
		assert.NotContains(t, text, form, "the token shows in %s", where)
	}
}

// holder has a token where fmt cannot ask it how to print.
type holder struct{ hidden invite.Token }

type exposed struct{ Token invite.Token }

func TestA9AndF12TokenRedactsItselfEverywhere(t *testing.T) {
	token, err := invite.ParseToken(marked)
	require.NoError(t, err)
	values := map[string]any{
		"the token": token, "a pointer to it": &token,
		"an unexported field": holder{token}, "a pointer to that": &holder{token},
		"a slice": []invite.Token{token}, "a map": map[string]invite.Token{"token": token},
		"an exported field": exposed{token},
		"a mail":            invite.Mail{Role: rbac.Member, Token: token},
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%o", "%c", "%U", "%e", "%t", "%p", "%T", "%w", "%z", "%10.3v"} {
			hides(t, token, fmt.Sprintf(verb, value), name+" printed with "+verb)
		}
		hides(t, token, fmt.Errorf("failed: %w %v", errors.New("x"), value).Error(), name+" in an error")
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "value", value)
		hides(t, token, log.String(), name+" in slog")
		if encoded, err := json.Marshal(value); assert.NoError(t, err) {
			hides(t, token, string(encoded), name+" as JSON")
		}
	}
	encoded, err := xml.Marshal(exposed{token})
	require.NoError(t, err)
	hides(t, token, string(encoded), "XML")
}

func TestA4TokenTextHasOneForm(t *testing.T) {
	for name, text := range map[string]string{
		"empty":             "",
		"cut":               marked[:len(marked)-1],
		"longer":            marked + "A",
		"padded":            marked + "=",
		"space before":      " " + marked,
		"line break inside": marked[:20] + "\n" + marked[21:],
		"line break at end": marked[:42] + "\n",
		"31 bytes":          strings.Repeat("A", 21) + "\n" + strings.Repeat("A", 21), // the decoder skips the break
		"standard alphabet": strings.Repeat("+", 43),
		"loose last bits":   marked[:42] + "B",
		"not ASCII":         strings.Repeat("é", 43),
		"a mebibyte":        strings.Repeat("A", 1<<20),
	} {
		token, err := invite.ParseToken(text)
		assert.Equal(t, tenancy.ErrNotFound, err, name)
		assert.True(t, token.IsZero(), name)
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(marked)
	f.Add(strings.Repeat("A", 42) + "\n")
	f.Add("")
	f.Add(strings.Repeat("=", 43))
	f.Fuzz(func(t *testing.T, text string) {
		token, err := invite.ParseToken(text)
		if err != nil {
			if !errors.Is(err, tenancy.ErrNotFound) || !token.IsZero() {
				t.Fatalf("ParseToken(%q) = %v, %v", text, token.IsZero(), err)
			}
			return
		}
		if token.Reveal() != text {
			t.Fatalf("%q reads as a token with another text: no two texts may open the same door", text)
		}
		if strings.Contains(fmt.Sprintf("%+v %#v %v", token, holder{token}, &token), text) {
			t.Fatal("the token shows in a print")
		}
	})
}
