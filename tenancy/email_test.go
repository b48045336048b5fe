package tenancy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/tenancy"
)

func TestAddressNormalForm(t *testing.T) {
	for written, normal := range map[string]string{
		"bob@acme.example":                     "bob@acme.example",
		"  Bob@ACME.Example\n":                 "bob@acme.example",
		"bob+jobs@acme.example":                "bob+jobs@acme.example",
		"o'brien@acme.example":                 "o'brien@acme.example",
		"bob@bücher.example":                   "bob@xn--bcher-kva.example",
		"BOB@xn--bcher-kva.example":            "bob@xn--bcher-kva.example",
		"Jürgen@acme.example":                  "jürgen@acme.example",
		"ÄRGER@acme.example":                   "Ärger@acme.example",
		strings.Repeat("a", 64) + "@x.example": strings.Repeat("a", 64) + "@x.example",
	} {
		got, err := tenancy.ParseAddress(written)
		require.NoError(t, err, written)
		assert.Equal(t, normal, got.Normal, written)
		assert.Equal(t, strings.TrimSpace(written), got.Display, written)
	}
}

func TestAddressRefused(t *testing.T) {
	for _, written := range []string{
		"", "@", "bob", "bob@", "@acme.example", "bob@acme", "bob@acme.", "bob@.example", "bob@acme..example",
		".bob@acme.example", "bob.@acme.example", "b..b@acme.example", "bob smith@acme.example",
		`"bob"@acme.example`, "Bob <bob@acme.example>", "bob@acme.example,eve@acme.example", "bob@acme.example\r\nBcc: eve@x.example",
		"bob@[127.0.0.1]", "bob@-acme.example", "bob@acme_.example", "bob\u200b@acme.example", "b\u202eob@acme.example",
		"bob@acme\u200b.example", "bob@ａcme.example", "bob@ſ.example", "bob@\u212aim.example", "bob\x00@acme.example", "\xff@acme.example",
		"bo\u0301b@acme.example", // not in normalisation form C
		strings.Repeat("a", 65) + "@acme.example",
		"bob@" + strings.Repeat(strings.Repeat("a", 60)+".", 4) + "example",
		strings.Repeat("a", 1<<20) + "@acme.example",
	} {
		got, err := tenancy.ParseAddress(written)
		require.ErrorIs(t, err, tenancy.ErrInvalid, "%.80q", written)
		assert.Zero(t, got)
		var invalid *tenancy.InvalidError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, "e-mail", invalid.Field)
	}
}

// B1: letters that Unicode case mapping would make equal stay different.
func TestB1_AddressesThatOnlyUnicodeWouldFold(t *testing.T) {
	for ascii, look := range map[string]string{
		"mike@x.example": "mıke@x.example",
		"kim@x.example":  "\u212aim@x.example",
		"sam@x.example":  "ſam@x.example",
	} {
		a, err := tenancy.ParseAddress(ascii)
		require.NoError(t, err)
		b, err := tenancy.ParseAddress(look)
		if err != nil {
			require.ErrorIs(t, err, tenancy.ErrInvalid)
			continue
		}
		assert.NotEqual(t, a.Normal, b.Normal)
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"bob@acme.example", "BOB@Bücher.example", "ſam@x.example", "a@b", "\"q\"@x.y", "a@xn--.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := tenancy.ParseAddress(text)
		if err != nil {
			require.ErrorIs(t, err, tenancy.ErrInvalid)
			return
		}
		again, err := tenancy.ParseAddress(a.Normal)
		require.NoError(t, err, "the normal form is an address")
		assert.Equal(t, a.Normal, again.Normal, "normalising is idempotent")
		assert.LessOrEqual(t, len(a.Normal), tenancy.MaxAddress)
		assert.NotContains(t, a.Display, "\n")
	})
}
