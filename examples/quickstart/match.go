package main

import (
	"fmt"
	"slices"
	"strings"
)

// word is one word of a line, or several in quotes.
type word struct {
	text  string
	start int // its first byte in the line
}

// words cuts the line from a byte on. Quotes make several words one; there is no escape.
func words(line string, from int) ([]word, *mistake) {
	var list []word
	for at := from; at < len(line); {
		switch rest := line[at:]; rest[0] {
		case ' ', '\t':
			at++
		case '"':
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return list, &mistake{column(line, at), "a closing quote for this one"}
			}
			list = append(list, word{rest[1 : 1+end], at})
			at += end + 2
		default:
			end := strings.IndexAny(rest, " \t\"")
			if end < 0 {
				end = len(rest)
			}
			list = append(list, word{rest[:end], at})
			at += end
		}
	}
	return list, nil
}

// choose finds the rule that the words of a line follow. If there is none, it says what was
// expected by those rules that came furthest.
func choose(rules []rule, line string, list []word) (rule, args, *mistake) {
	furthest, expected := -1, []string(nil)
	for _, r := range rules {
		values, at, want := r.match(line, list)
		switch {
		case want == "":
			return r, values, nil
		case at > furthest:
			furthest, expected = at, []string{want}
		case at == furthest && !slices.Contains(expected, want):
			expected = append(expected, want)
		}
	}
	text := strings.Join(expected, " or ")
	if len(expected) > 2 {
		text = "one of " + strings.Join(expected, ", ")
	}
	if furthest == len(list) {
		return rule{}, nil, &mistake{column(line, len(line)), text}
	}
	found := list[furthest]
	return rule{}, nil, &mistake{column(line, found.start), fmt.Sprintf("%s; found %q", text, clip(found.text))}
}

// match gives each word of the form one of the line. What it wanted instead of the word at an
// index of the list is empty if the line fits.
func (r rule) match(line string, list []word) (values args, at int, want string) {
	values = args{}
	for at, name := range strings.Fields(r.form) {
		place, isPlace := places[name]
		switch {
		case at == len(list) && isPlace:
			return nil, at, place.expected
		case at == len(list), !isPlace && list[at].text != name:
			return nil, at, `"` + name + `"`
		case !isPlace:
			continue
		}
		value := list[at].text
		if rest(name) {
			value = strings.TrimSpace(line[list[at].start:])
			list = list[:at+1]
		}
		if !place.fits(value) {
			return nil, at, place.describe(value)
		}
		values[name] = value
	}
	if n := len(strings.Fields(r.form)); n < len(list) {
		return nil, n, "the end of the line"
	}
	return values, 0, ""
}
