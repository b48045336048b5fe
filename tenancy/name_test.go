package tenancy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/tenancy"
)

func TestNames(t *testing.T) {
	for given, want := range map[string]string{
		"Sales":                              "Sales",
		"  Sales  ":                          "Sales",
		"Cafe\u0301":                         "Café",
		"株式会社":                               "株式会社",
		"O'Brien & Sons <x>":                 "O'Brien & Sons <x>",
		strings.Repeat("é", tenancy.MaxName): strings.Repeat("é", tenancy.MaxName),
		strings.Repeat("😀", tenancy.MaxName): strings.Repeat("😀", tenancy.MaxName),
	} {
		got, err := tenancy.Name("team name", given)
		require.NoError(t, err, given)
		assert.Equal(t, want, got)
	}
}

// F7: names that could pass for something else are refused.
func TestF7_SpoofingNames(t *testing.T) {
	for _, name := range []string{
		"", "   ", "\u200b", "\u00ad", "\u3164", "\u2800", "\u0301", "Sales\u200b", "Sa\u202eles", "Sa\u2066les", "Sales\r\nBcc: x", "Sa\x00les",
		"Sa\u2028les", "\xff", "\ufeffSales", "Sa\u200dles",
	} {
		_, err := tenancy.Name("team name", name)
		require.ErrorIs(t, err, tenancy.ErrInvalid, "%q", name)
	}
}

// F8: every string has a limit, tested at the limit, one above and at a mebibyte.
func TestF8_NameLimits(t *testing.T) {
	_, err := tenancy.Name("name", strings.Repeat("x", tenancy.MaxName))
	require.NoError(t, err)
	for _, n := range []int{tenancy.MaxName + 1, 1 << 20} {
		_, err := tenancy.Name("name", strings.Repeat("x", n))
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
}
