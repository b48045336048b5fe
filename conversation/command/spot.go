package command

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Spot is the place in an unfinished command where somebody is typing, and what can stand there. It is
// what completion starts from.
type Spot struct {
	// From is where what is being typed begins, as an index into the line. It ends at the cursor.
	From int
	// Typed is what of it there is, out of its quotes: the beginning of a name or of a value.
	Typed string
	// Command is the command that has been named; empty while its name is being typed.
	Command string
	// Param is the parameter whose value is being typed; without a name where there is none.
	Param Param
	// Names are the named parameters that are not there yet and whose names begin as typed.
	Names []Param
}

// Spot finds what is being typed at the cursor, an index into the line; what follows the cursor is not
// looked at. It is false where nothing can be said: in text, in a command of several lines, after an
// unknown command, behind a mistake, and for a cursor that is not between two characters of the line.
func (s Set) Spot(line string, cursor int) (Spot, bool) {
	if cursor < 0 || cursor > len(line) || cursor > MaxLine || !IsCommand(line[:cursor]) {
		return Spot{}, false
	}
	line = line[:cursor]
	_, from := caret(line)
	typed := line[from:]
	if !utf8.ValidString(typed) || strings.ContainsFunc(typed, breaksLine) {
		return Spot{}, false
	}
	end := strings.IndexFunc(typed, unicode.IsSpace)
	if end < 0 {
		return Spot{From: from, Typed: lower(typed)}, true
	}
	spec, wrong := s.find(typed[:end])
	if wrong != nil {
		return Spot{}, false
	}
	at, ok := spec.spot(typed[end:])
	at.Command, at.From = spec.Name, len(line)-at.From
	return at, ok
}

// spot reads the arguments up to the one that is being typed. From is its distance from the end.
func (s Spec) spot(arguments string) (Spot, bool) {
	lex, places, seen := lexer{rest: arguments}, s.positional(), map[string]bool{}
	for lex.more() {
		if len(places) > 0 && places[0].Kind == Rest {
			return Spot{From: len(lex.rest), Typed: lex.rest, Param: places[0]}, true
		}
		begun := lex.rest
		arg, wrong := lex.next()
		if wrong != nil || lex.rest == "" {
			return s.unfinished(begun, places, seen)
		}
		switch {
		case arg.name != "":
			if _, wrong := s.named(arg.name); wrong != nil || seen[arg.name] {
				return Spot{}, false
			}
			seen[arg.name] = true
		case len(places) == 0:
			return Spot{}, false
		default:
			places = places[1:]
		}
	}
	return s.next("", "", places, seen), true
}

// unfinished is the spot in an argument that ends at the cursor.
func (s Spec) unfinished(begun string, places []Param, seen map[string]bool) (Spot, bool) {
	arg, value, ok := partial(begun)
	switch {
	case !ok:
		return Spot{}, false
	case arg.name == "":
		return s.next(value, arg.value, places, seen), true
	}
	param, wrong := s.named(arg.name)
	if wrong != nil || seen[arg.name] {
		return Spot{}, false
	}
	return Spot{From: len(value), Typed: arg.value, Param: param}, true
}

// next is the spot of an argument that has no name yet: raw is what is typed of it, value the same
// out of its quotes.
func (s Spec) next(raw, value string, places []Param, seen map[string]bool) Spot {
	at := Spot{From: len(raw), Typed: value}
	if len(places) > 0 {
		at.Param = places[0]
	}
	for _, p := range s.Params {
		if p.Named && !seen[p.Name] && strings.HasPrefix(p.Name, lower(raw)) {
			at.Names = append(at.Names, p)
		}
	}
	return at
}

// partial reads the argument that the text ends with, whose quotes may still be open. Raw is its value
// as it was typed.
func partial(text string) (arg argument, raw string, ok bool) {
	if n := nameLen(text); n > 0 && strings.HasPrefix(text[n:], ":") {
		arg.name, text = lower(text[:n]), text[n+1:]
	}
	open, size := utf8.DecodeRuneInString(text)
	if !isQuote(open) {
		arg.value = text
		return arg, text, !strings.ContainsFunc(text, func(r rune) bool { return isQuote(r) || unicode.IsSpace(r) })
	}
	var value strings.Builder
	escaped := false
	for i, r := range text[size:] {
		switch {
		case escaped, r != '\\' && !closes(open, r):
			value.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		default: // it is closed, and nothing may follow
			arg.value = value.String()
			return arg, text, size+i+utf8.RuneLen(r) == len(text)
		}
	}
	arg.value = value.String()
	return arg, text, true
}
