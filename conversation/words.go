package conversation

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Word is what one word of a text is found by: the beginning of a hash of it, so that words are
// alike to all stores, whatever their collations and lengths of keys. Full-text indexes of the
// engines were rejected: no two of them find the same.
type Word int64

// Limits of words.
const (
	// MaxWords is how many different words of a message it is found by: the first ones.
	MaxWords = 256
	// MaxSearch is how many words a search may have.
	MaxSearch = 8
)

// Words are the different words of a text, at most [MaxWords], in the order in which they come. A
// word is a run of letters and digits. Case, accents and forms of the same letter make no
// difference; neither does what stands between words, an apostrophe inside of one included. Scripts
// that put no spaces between words count each letter as one.
func Words(text string) []Word {
	var words []Word
	seen := map[Word]bool{}
	for _, spelled := range spell(text) {
		w := wordOf(spelled)
		if seen[w] {
			continue
		}
		seen[w] = true
		if words = append(words, w); len(words) == MaxWords {
			break
		}
	}
	return words
}

func wordOf(spelled string) Word {
	sum := sha256.Sum256([]byte(spelled))
	return Word(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // any 64 bits will do
}

// spell cuts a text into words in the one form in which they are compared.
func spell(text string) []string {
	folded := cases.Fold().String(norm.NFKD.String(text))
	folded = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || r == '\'' || r == '’' {
			return -1
		}
		return r
	}, folded)
	var words []string
	for _, run := range strings.FieldsFunc(norm.NFKC.String(folded), func(r rune) bool { return !unicode.In(r, unicode.L, unicode.N, unicode.Mc) }) {
		words = append(words, apart(run)...)
	}
	return words
}

// unspaced are the scripts that put no spaces between words.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// apart is a run with each letter of an unspaced script by itself.
func apart(run string) []string {
	if !strings.ContainsFunc(run, func(r rune) bool { return unicode.In(r, unspaced...) }) {
		return []string{run}
	}
	var words []string
	begun := false // a word of letters that are not by themselves
	for _, r := range run {
		alone := unicode.In(r, unspaced...)
		if alone || !begun {
			words = append(words, "")
		}
		words[len(words)-1] += string(r)
		begun = !alone
	}
	return words
}

// byLength are the different ones of the words, long ones first.
func byLength(spelled []string) []string {
	slices.SortFunc(spelled, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(spelled)
}
