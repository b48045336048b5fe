package command

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsCommand reports whether the message begins with one caret, or with what looks like one, and
// so must not reach the contact. It is false if the same caret follows at once, which begins a
// text. It knows no names: every command is one, also an unknown or broken one.
func IsCommand(message string) bool {
	at, end := caret(message)
	return at >= 0 && !strings.HasPrefix(message[end:], message[at:end])
}

// Escape returns the message that [Set.Parse] reads as exactly this text: it doubles a caret
// at the beginning, and returns all other text as it is.
func Escape(text string) string {
	at, end := caret(text)
	if at < 0 {
		return text
	}
	return text[:at] + text[at:end] + text[at:]
}

// caret finds the caret with which the message begins, if what is in front of it cannot be
// seen: message[at:end]. Without one, at is -1.
func caret(message string) (at, end int) {
	for at < len(message) {
		r, size := utf8.DecodeRuneInString(message[at:])
		switch {
		case isCaret(r):
			return at, at + size
		case !isUnseen(r):
			return -1, 0
		}
		at += size
	}
	return -1, 0
}

// isCaret reports the caret and what can be taken for one. Letters (Λ) and arrows (↑) are left
// out: texts do begin with them.
func isCaret(r rune) bool {
	switch r {
	case '^',
		'\u02C4', // modifier letter up arrowhead
		'\u02C6', // modifier letter circumflex accent: what some keyboards type
		'\u02F0', // modifier letter low up arrowhead
		'\u0302', // combining circumflex accent, with nothing to combine with
		'\u2038', // caret
		'\u2041', // caret insertion point
		'\u2227', // logical and
		'\u22C0', // n-ary logical and
		'\u2303', // up arrowhead: the control key
		'\uA788', // modifier letter low circumflex accent
		'\uFE3F', // vertical left angle bracket
		'\uFF3E': // fullwidth circumflex accent
		return true
	}
	return false
}

// isUnseen reports what leaves no trace at the beginning of a message, or none that a person
// would take for its text. To skip too much is harmless: it matters only before a caret.
func isUnseen(r rune) bool {
	switch r {
	case '\u2800', '\uFFFC', utf8.RuneError: // empty Braille cell, object replacement, broken UTF-8
		return true
	}
	return unicode.IsSpace(r) || !unicode.IsGraphic(r) || unicode.IsMark(r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// isBlank reports text without anything to see.
func isBlank(text string) bool {
	for _, r := range text {
		if !isUnseen(r) {
			return false
		}
	}
	return true
}
