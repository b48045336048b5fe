package command

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quote writes a value as an argument, in straight quotes. Parse gives the same value back, but
// refuses one that is blank, not UTF-8 or has control characters or line breaks.
func Quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// Write writes a value as an argument that is not named: in quotes if it needs them, see [Quote].
func Write(value string) string {
	named := strings.HasPrefix(value[nameLen(value):], ":") && nameLen(value) > 0
	if value == "" || named || strings.ContainsFunc(value, func(r rune) bool { return isQuote(r) || unicode.IsSpace(r) }) {
		return Quote(value)
	}
	return value
}

// argument is one argument as it was typed, with its name in small letters and its value out of
// its quotes.
type argument struct {
	name  string // empty for a positional one
	value string
}

// lexer cuts arguments off the beginning of a line that is valid UTF-8 and has one line.
type lexer struct {
	rest string
}

// more skips white space and reports whether an argument follows.
func (l *lexer) more() bool {
	l.rest = strings.TrimLeftFunc(l.rest, unicode.IsSpace)
	return l.rest != ""
}

// all takes everything up to the end of the line.
func (l *lexer) all() string {
	all := l.rest
	l.rest = ""
	return all
}

// next takes one argument.
func (l *lexer) next() (argument, *Error) {
	var arg argument
	if n := nameLen(l.rest); n > 0 && strings.HasPrefix(l.rest[n:], ":") {
		arg.name, l.rest = lower(l.rest[:n]), l.rest[n+1:]
	}
	if r, size := utf8.DecodeRuneInString(l.rest); isQuote(r) {
		l.rest = l.rest[size:]
		value, wrong := l.quoted(r)
		if wrong != nil {
			wrong.Argument = clip(arg.name)
			return argument{}, wrong
		}
		arg.value = value
		return arg, nil
	}
	arg.value = l.word()
	if strings.ContainsFunc(arg.value, isQuote) {
		return argument{}, about(clip(arg.name), "in %s, the quotes must go around the whole value", show(arg.value))
	}
	return arg, nil
}

// word takes all up to the next white space.
func (l *lexer) word() string {
	end := strings.IndexFunc(l.rest, unicode.IsSpace)
	if end < 0 {
		end = len(l.rest)
	}
	word := l.rest[:end]
	l.rest = l.rest[end:]
	return word
}

// quoted takes the value after its opening quote, and the closing one.
func (l *lexer) quoted(open rune) (string, *Error) {
	var value strings.Builder
	escaped := false
	for i, r := range l.rest {
		switch {
		case escaped && r != '\\' && !isQuote(r):
			return "", invalid(`a backslash in quotes must be followed by a quote or a backslash, not by %s; \\ stands for one`, show(string(r)))
		case escaped:
			value.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case closes(open, r):
			l.rest = l.rest[i+utf8.RuneLen(r):]
			if next, _ := utf8.DecodeRuneInString(l.rest); l.rest != "" && !unicode.IsSpace(next) {
				return "", invalid(`after the closing %c there must be a space; a quote in the value is written \"`, r)
			}
			return value.String(), nil
		default:
			value.WriteRune(r)
		}
	}
	if open == '"' {
		return "", invalid(`the value that opens with " is not closed with "`)
	}
	return "", invalid("the value that opens with %c is not closed with ”", open)
}

func isQuote(r rune) bool {
	return r == '"' || r == '“' || r == '”' || r == '„'
}

// closes keeps the two families of quotes apart, so that each can be plain text in the other.
func closes(open, r rune) bool {
	if open == '"' {
		return r == '"'
	}
	return r == '“' || r == '”'
}

// nameLen is the length of the name with which s begins: an ASCII letter, then letters, digits
// and hyphens.
func nameLen(s string) int {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return i
		}
	}
	return len(s)
}

// breaksLine reports what Unicode says must begin a new line.
func breaksLine(r rune) bool {
	switch r {
	case '\n', '\v', '\f', '\r', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// lower maps A–Z and nothing else; strings.ToLower would map the Kelvin sign to k.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}
