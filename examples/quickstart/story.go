package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of a story.
const (
	maxStory    = 256 << 10 // bytes
	maxLine     = 4 << 10   // bytes
	maxProblems = 10        // that are shown; a story with more is probably something else
)

// story is a play to perform.
type story struct {
	name  string
	lines []line
}

// line is one line of a story that is not a comment: a heading, a remark or a step.
type line struct {
	number          int
	heading, remark string
	step            *step
}

// step is one thing that someone does.
type step struct {
	// who is the name of a person in small letters, empty for a contact.
	who  string
	rule rule
	args args
	// mark is how the step must turn out; empty if either way will do.
	mark verdict
}

// problem is one mistake in a story.
type problem struct {
	line, column int
	text         string
}

// storyError lists the mistakes in a story, as file:line:column: what was expected.
type storyError struct {
	name     string
	problems []problem
	more     int
}

func (e *storyError) Error() string {
	var b strings.Builder
	b.WriteString("the story cannot be read")
	for _, p := range e.problems {
		fmt.Fprintf(&b, "\n%s:%d:%d: %s", e.name, p.line, p.column, p.text)
	}
	if e.more > 0 {
		fmt.Fprintf(&b, "\n%s: and %d more", e.name, e.more)
	}
	return b.String()
}

// parser reads a story line by line and goes on after a mistake.
type parser struct {
	story
	problems []problem
	more     int
	// addresses are those that people have signed up with, by name.
	addresses map[string]string
}

// parseStory reads a whole story. Its mistakes are a *storyError.
func parseStory(name string, r io.Reader) (story, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxStory+1))
	if err != nil {
		return story{}, fmt.Errorf("%s: %w", name, err)
	}
	p := parser{story: story{name: name}, addresses: map[string]string{}}
	if len(text) > maxStory {
		p.expected(1, 1, fmt.Sprintf("a story of at most %d bytes", maxStory))
		return story{}, p.failed()
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	number, steps := 0, 0
	for raw := range bytes.SplitSeq(text, []byte("\n")) {
		number++
		l, wrong := p.line(strings.TrimSuffix(string(raw), "\r"))
		l.number = number
		switch {
		case wrong != nil:
			p.expected(number, wrong.column, wrong.text)
		case l.step != nil:
			steps++
			p.lines = append(p.lines, l)
		case l.heading != "" || l.remark != "":
			p.lines = append(p.lines, l)
		}
	}
	if steps == 0 && p.problems == nil {
		p.expected(number, 1, "at least one step, such as alice: sign up as alice@acme.example")
	}
	if p.problems != nil {
		return story{}, p.failed()
	}
	return p.story, nil
}

func (p *parser) expected(line, column int, what string) {
	if len(p.problems) == maxProblems {
		p.more++
		return
	}
	p.problems = append(p.problems, problem{line, column, "expected " + what})
}

func (p *parser) failed() error { return &storyError{p.name, p.problems, p.more} }

// mistake is what was expected at a column of the line.
type mistake struct {
	column int
	text   string
}

// line reads one line, without its line break.
func (p *parser) line(text string) (line, *mistake) {
	if wrong := plain(text); wrong != nil {
		return line{}, wrong
	}
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "", strings.HasPrefix(trimmed, "#"):
		return line{}, nil
	case strings.HasPrefix(trimmed, "=="):
		if heading := strings.Trim(trimmed, "= \t"); heading != "" {
			return line{heading: heading}, nil
		}
		return line{}, &mistake{len(text) + 1, "a heading after =="}
	case strings.HasPrefix(trimmed, ">"):
		return line{remark: strings.TrimSpace(trimmed[1:])}, nil
	}
	s, wrong := p.step(text)
	return line{step: s}, wrong
}

// plain refuses what cannot be shown on a terminal as it is.
func plain(text string) *mistake {
	if len(text) > maxLine {
		return &mistake{maxLine + 1, fmt.Sprintf("a line of at most %d bytes", maxLine)}
	}
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return &mistake{column(text, i), fmt.Sprintf("UTF-8; found the byte %#x", text[i])}
		case unicode.IsControl(r) && r != '\t':
			return &mistake{column(text, i), fmt.Sprintf("no control characters; found %U", r)}
		}
	}
	return nil
}

// column counts characters from 1.
func column(text string, at int) int { return utf8.RuneCountInString(text[:at]) + 1 }

var markForm = regexp.MustCompile(`(?:^|[ \t])!([\pL-]+)[ \t]*$`)

// step reads "who: what !mark".
func (p *parser) step(text string) (*step, *mistake) {
	var s step
	if at := markForm.FindStringSubmatchIndex(text); at != nil {
		word := text[at[2]:at[3]]
		var known bool
		if s.mark, known = parseMark(word); !known {
			return nil, &mistake{column(text, at[2]-1), fmt.Sprintf(
				"a mark: !ok, !denied, !not-found, !conflict, !invalid, !expired, !limit or !opted-out; found %q", "!"+clip(word))}
		}
		text = text[:at[0]]
	}
	colon := strings.IndexByte(text, ':')
	if colon < 0 {
		return nil, &mistake{column(text, len(text)), "who: what, such as bob: accept; a comment begins with #"}
	}
	head, wrong := words(text[:colon], 0)
	if wrong != nil {
		return nil, wrong
	}
	if len(head) > 0 && head[0].text == "contact" {
		return &s, p.letter(&s, text, head, colon)
	}
	return &s, p.deed(&s, text, head, colon)
}

// letter reads what a contact writes.
func (p *parser) letter(s *step, text string, head []word, colon int) *mistake {
	var wrong *mistake
	if s.rule, s.args, wrong = choose(letters, text[:colon], head); wrong != nil {
		return wrong
	}
	s.args["TEXT"] = strings.TrimSpace(text[colon+1:])
	if s.args["TEXT"] == "" {
		return &mistake{column(text, len(text)), "what the contact writes"}
	}
	return nil
}

var nameForm = regexp.MustCompile(`^\pL[\pL\pN-]{0,39}$`)

func isPerson(name string) bool { return nameForm.MatchString(name) }

// deed reads what a person does or says.
func (p *parser) deed(s *step, text string, head []word, colon int) *mistake {
	if len(head) != 1 || !isPerson(head[0].text) {
		return &mistake{1, "one name or contact NUMBER before the colon, such as bob: accept"}
	}
	s.who = strings.ToLower(head[0].text)
	body := strings.TrimSpace(text[colon+1:])
	start := colon + 1 + strings.Index(text[colon+1:], body)
	if body == "" {
		return &mistake{column(text, len(text)), "an action or something to say after the colon"}
	}
	said, says := strings.CutPrefix(body, "say ")
	if first, _ := utf8.DecodeRuneInString(body); says || !unicode.IsLower(first) {
		s.rule, s.args = speech, args{"TEXT": strings.TrimSpace(said)}
		return p.cast(s, column(text, start))
	}
	list, wrong := words(text, start)
	if wrong == nil {
		s.rule, s.args, wrong = choose(actions, text, list)
	}
	if wrong == nil {
		return p.cast(s, column(text, start))
	}
	if _, known := p.addresses[s.who]; !known && strings.HasPrefix(body, "sign") {
		p.addresses[s.who] = "" // so that one mistake here is not one in every line below
	}
	return wrong
}

// cast sees to it that only people who have signed up are on the stage, each with one address.
func (p *parser) cast(s *step, col int) *mistake {
	if address, signs := s.args["ADDRESS"]; signs && s.rule.form == actions[0].form {
		if known, twice := p.addresses[s.who]; twice && known != "" && known != address {
			return &mistake{col, fmt.Sprintf("one address for %s, who signed up as %s above", s.who, known)}
		}
		p.addresses[s.who] = address
		return nil
	}
	for _, name := range []string{s.who, strings.ToLower(s.args["PERSON"])} {
		if _, known := p.addresses[name]; name != "" && !known {
			return &mistake{col, fmt.Sprintf("%s: sign up as %s@… in a line above", name, name)}
		}
	}
	return nil
}

// clip cuts foreign text for an error.
func clip(text string) string {
	const most = 40
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
