package tenancy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// MaxName is the longest name of an account, team, user or contact, in characters (runes).
const MaxName = 100

// Name returns the name that people will see: in normalisation form C, trimmed, and with
// something to see. Control, bidi and other invisible format characters are refused
// (Mattermost CVE-2026-3108 spoofed names with them), as are names longer than [MaxName].
// The error is an [*InvalidError] on the field given.
func Name(field, text string) (string, error) {
	name, err := line(field, text, MaxName)
	if err == nil && name == "" {
		err = &InvalidError{Field: field, Reason: "must not be empty"}
	}
	return name, err
}

// line is one line of text that people will see, with the rules of [Name] but for its length. It is
// empty only if nothing was given: what is given and cannot be seen is refused.
func line(field, text string, most int) (string, error) {
	bad := func(reason string) (string, error) { return "", &InvalidError{Field: field, Reason: reason} }
	if text == "" {
		return "", nil
	}
	if len(text) > most*utf8.UTFMax || utf8.RuneCountInString(text) > most {
		return bad(fmt.Sprintf("must have at most %d characters", most))
	}
	if !utf8.ValidString(text) {
		return bad("must be UTF-8")
	}
	name := strings.TrimSpace(norm.NFC.String(text))
	visible := false
	for _, r := range name {
		if unicode.Is(unicode.C, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return bad("must not contain control, bidi or invisible format characters")
		}
		visible = visible || unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.IsMark(r) && !blank(r)
	}
	if !visible {
		return bad("must not be empty")
	}
	if utf8.RuneCountInString(name) > most {
		return bad(fmt.Sprintf("must have at most %d characters", most))
	}
	return name, nil
}

// blank reports the letters and symbols that Unicode calls graphic but draws as nothing:
// the Hangul fillers and the empty Braille cell.
func blank(r rune) bool {
	switch r {
	case '\u115F', '\u1160', '\u3164', '\uFFA0', '\u2800':
		return true
	}
	return false
}

// maxNameKey bounds a key in bytes, so that it fits every database's index. Only a ligature such
// as U+FDFA, which stands for eighteen letters, makes a key longer than four bytes a character.
const maxNameKey = 1024

// nameKey is what team names are compared by: compatibility forms and case are folded and
// runs of white space count as one, so that "Sales" and "ＳＡＬＥＳ " are the same name.
func nameKey(name string) string {
	folded := cases.Fold().String(norm.NFKC.String(name))
	return strings.Join(strings.Fields(norm.NFKC.String(folded)), " ")
}
