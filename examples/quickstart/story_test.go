package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseErrors(t *testing.T) {
	t.Parallel()
	const alice = "alice: sign up as alice@acme.example\n"
	for name, c := range map[string]struct{ text, want string }{
		"no colon":          {alice + "alice leave", "2:12: expected who: what, such as bob: accept; a comment begins with #"},
		"nobody":            {alice + ": leave", "2:1: expected one name or contact NUMBER before the colon, such as bob: accept"},
		"two names":         {alice + "alice and bob: leave", "2:1: expected one name or contact NUMBER before the colon, such as bob: accept"},
		"nothing":           {alice + "alice:", "2:7: expected an action or something to say after the colon"},
		"only a mark":       {alice + "alice: !ok", "2:7: expected an action or something to say after the colon"},
		"unknown mark":      {alice + "alice: leave !okay", `2:14: expected a mark: !ok, !denied, !not-found, !conflict, !invalid, !expired, !limit or !opted-out; found "!okay"`},
		"stranger":          {alice + "bob: leave", "2:6: expected bob: sign up as bob@… in a line above"},
		"about a stranger":  {alice + "alice: remove bob", "2:8: expected bob: sign up as bob@… in a line above"},
		"two addresses":     {alice + "alice: sign up as al@acme.example", "2:8: expected one address for alice, who signed up as alice@acme.example above"},
		"no address":        {"alice: sign up as alice", `1:19: expected an e-mail address, such as bob@acme.example; found "alice"`},
		"one word missing":  {alice + "alice: invite bob@acme.example", `2:31: expected "as"`},
		"one value missing": {alice + "alice: switch to", `2:17: expected the name of a team, in "quotes" if it has several words`},
		"one word more":     {alice + "alice: leave now", `2:14: expected the end of the line; found "now"`},
		"or two":            {alice + "alice: create team Sales as", `2:26: expected the end of the line or "with"; found "as"`},
		"no role":           {alice + "alice: invite bob@acme.example as boss", `2:35: expected a role: manager, member or restricted; found "boss"`},
		"no permission":     {alice + "alice: check blast", `2:14: expected the name of a permission (did you mean blast: create, blast: send, blast: cancel?); found "blast"`},
		"nor like one":      {alice + "alice: check magic", `2:14: expected the name of a permission, such as dashboard: read; found "magic"`},
		"no field":          {alice + "alice: edit contact age 7", `2:21: expected name, email or notes; found "age"`},
		"open quote":        {alice + `alice: create account "Acme`, "2:23: expected a closing quote for this one"},
		"no number":         {alice + "contact 555: Hi", `2:9: expected a phone number, such as +15551230001; found "555"`},
		"no team":           {alice + "contact +15551230001 to: Hi", `2:24: expected the name of a team, in "quotes" if it has several words`},
		"nothing written":   {alice + "contact +15551230001:  ", "2:24: expected what the contact writes"},
		"no heading":        {alice + "== ==", "2:6: expected a heading after =="},
		"not UTF-8":         {alice + "alice: H\xe4llo", "2:9: expected UTF-8; found the byte 0xe4"},
		"control character": {alice + "alice: H\x1b[31m", "2:9: expected no control characters; found U+001B"},
		"carriage return":   {alice + "alice: a\rb", "2:9: expected no control characters; found U+000D"},
		"column in letters": {alice + "alice: create account Äpfel & Söhne", `2:29: expected the end of the line; found "&"`},
		"empty":             {"", "1:1: expected at least one step, such as alice: sign up as alice@acme.example"},
		"only remarks":      {"== A\n> b\n", "3:1: expected at least one step, such as alice: sign up as alice@acme.example"},
		"long line":         {alice + "alice: A" + strings.Repeat("a", maxLine), "2:4097: expected a line of at most 4096 bytes"},
		"long story":        {strings.Repeat("#\n", maxStory/2) + "#", "1:1: expected a story of at most 262144 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := play(t, c.text, "-story", "-")
			assert.Equal(t, otherwise, got.code)
			assert.Equal(t, "quickstart: the story cannot be read\nstandard input:"+c.want+"\n", got.errors)
			assert.Empty(t, got.out, "nothing is played of a story with a mistake")
		})
	}
}

func TestUnknownActionNamesAllActions(t *testing.T) {
	t.Parallel()
	_, err := parseStory("a", strings.NewReader("alice: sign up as a@b.example\nalice: invte bob@b.example as member"))
	require.Error(t, err)
	assert.Contains(t, err.Error(), "\na:2:8: expected one of ")
	for _, r := range actions {
		assert.Contains(t, err.Error(), `"`+strings.Fields(r.form)[0]+`"`)
	}
}

func TestMistakesAreListedTogether(t *testing.T) {
	t.Parallel()
	_, err := parseStory("a", strings.NewReader(strings.Repeat("nonsense\n", maxProblems+5)))
	var wrong *storyError
	require.ErrorAs(t, err, &wrong)
	assert.Len(t, wrong.problems, maxProblems)
	assert.Contains(t, err.Error(), "\na: and 5 more")

	_, err = parseStory("a", strings.NewReader("al: sign up as al\nal: leave\nal: leave"))
	require.ErrorAs(t, err, &wrong)
	assert.Len(t, wrong.problems, 1, "one mistake is told once")
}

// The longest story and line that are allowed.
func TestLimits(t *testing.T) {
	t.Parallel()
	text := "alice: sign up as alice@acme.example\nalice: " + strings.Repeat("A", maxLine-len("alice: ")) + "\n"
	text += strings.Repeat("#", maxLine) + "\n"
	text += strings.Repeat("\n", maxStory-len(text))
	s, err := parseStory("a", strings.NewReader(text))
	require.NoError(t, err)
	assert.Len(t, s.lines, 2)
}

func TestFormsOfText(t *testing.T) {
	t.Parallel()
	plain := "== One\nalice: sign up as alice@acme.example\n> two\nalice: Hello!  !ok\n"
	want, err := parseStory("a", strings.NewReader(plain))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"CRLF":              strings.ReplaceAll(plain, "\n", "\r\n"),
		"byte order mark":   "\uFEFF" + plain,
		"no last line end":  strings.TrimSuffix(plain, "\n"),
		"space at the ends": strings.ReplaceAll("\t"+strings.ReplaceAll(plain, "\n", " \t\n\t"), "\t== One", "== One =="),
	} {
		got, err := parseStory("a", strings.NewReader(text))
		require.NoError(t, err, name)
		assert.Equal(t, lines(want), lines(got), name)
	}
}

// lines is what there is to tell of a story, in a form that can be compared.
func lines(s story) []string {
	var all []string
	for _, l := range s.lines {
		text := l.heading + "|" + l.remark
		if l.step != nil {
			text = l.step.who + "|" + l.step.rule.form + "|" + l.step.rule.tell(l.step.args) + "|" + string(l.step.mark)
		}
		all = append(all, text)
	}
	return all
}

func TestWhatIsSaid(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Hello: are you there?": "Hello: are you there?",
		`"Quoted`:               `"Quoted`,
		"^note a !b c":          "^note a !b c",
		"Great!":                "Great!",
		"Really ! !ok":          "Really !",
		"say hello \"you":       `hello "you`,
		"say  Hello":            "Hello",
		"東京から":                  "東京から",
		"7 o'clock":             "7 o'clock",
	} {
		s, err := parseStory("a", strings.NewReader("alice: sign up as alice@acme.example\nAlice:"+text+"\n"))
		require.NoError(t, err, text)
		said := s.lines[1].step
		assert.Equal(t, "alice", said.who)
		assert.Equal(t, speech.form, said.rule.form)
		assert.Equal(t, want, said.args["TEXT"])
	}
}

func FuzzParseStory(f *testing.F) {
	f.Add(defaultStory)
	f.Add(strings.Join(house, "\r\n"))
	f.Add("\uFEFF== A\n> b\n# c\nalice: sign up as alice@acme.example !ok")
	f.Add("contact +15551230001 to \"Night Shift\": Hi !denied\nalice: check blast\nalice: create team \"\" with number +1")
	f.Add("alice:\"\xff\x00\nalice: say\nalice: !ok !ok")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseStory("a", strings.NewReader(text))
		if err != nil {
			var wrong *storyError
			if !errors.As(err, &wrong) || len(wrong.problems) == 0 || len(wrong.problems) > maxProblems {
				t.Fatalf("not a list of mistakes: %v", err)
			}
			for _, p := range wrong.problems {
				if p.line < 1 || p.column < 1 || !strings.HasPrefix(p.text, "expected ") {
					t.Fatalf("not a place and what was expected: %+v", p)
				}
			}
			return
		}
		known := map[string]bool{"": true}
		for _, l := range s.lines {
			if l.step == nil {
				continue
			}
			if l.step.rule.play == nil || l.step.rule.deed == "" {
				t.Fatalf("line %d cannot be played", l.number)
			}
			if l.step.rule.form == actions[0].form {
				known[l.step.who] = true
			}
			if !known[l.step.who] {
				t.Fatalf("line %d: %s has not signed up", l.number, l.step.who)
			}
			for name, value := range l.step.args {
				if !places[name].fits(value) {
					t.Fatalf("line %d: %q is no %s", l.number, value, name)
				}
			}
		}
	})
}
