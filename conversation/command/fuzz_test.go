package command_test

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation/command"
)

// FuzzParse holds whatever is typed against what the documentation promises. The corpus is in
// testdata/fuzz; go test -fuzz=FuzzParse searches for more.
func FuzzParse(f *testing.F) {
	s := set(f)
	byName := make(map[string]command.Spec)
	for _, spec := range s.Specs() {
		byName[spec.Name] = spec
	}
	f.Fuzz(func(t *testing.T, message string) {
		line, err := s.Parse(message)
		again, errAgain := s.Parse(message)
		require.Equal(t, line, again, "the same message gives the same line")
		require.Equal(t, err, errAgain, "the same message gives the same error")
		require.Equal(t, err == nil, line != nil, "a line or an error")

		_, isText := line.(command.Text)
		require.Equal(t, !command.IsCommand(message), isText, "text exactly if it is no command")
		// A second, simpler opinion on what must not be sent.
		visible := strings.TrimLeftFunc(message, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) })
		if strings.HasPrefix(visible, "^") && !strings.HasPrefix(visible, "^^") {
			require.False(t, isText, "what begins with one caret is not sent")
		}

		switch line := line.(type) {
		case command.Text:
			require.LessOrEqual(t, len(line), len(message))
		case command.Command:
			holds(t, byName[line.Name], line, message)
		default:
			var e *command.Error
			require.ErrorAs(t, err, &e)
			require.NotEmpty(t, e.Reason)
			require.Equal(t, e.Command == "", e.Usage == "")
			require.Equal(t, byName[e.Command].Name, e.Command)
			require.Less(t, len(e.Error()), 1000, "an error is short")
			require.False(t, strings.ContainsFunc(e.Error(), func(r rune) bool { return !unicode.IsPrint(r) }), "an error is printable")
		}

		text, err := s.Parse(command.Escape(message))
		require.NoError(t, err)
		require.Equal(t, command.Text(message), text, "escaped text comes back")
	})
}

// holds checks a command against its spec, and that it can be written again.
func holds(t *testing.T, spec command.Spec, c command.Command, message string) {
	require.LessOrEqual(t, len(message), command.MaxLine)
	require.NotEmpty(t, spec.Name, "the command is in the set")
	size := 0
	again := "^" + c.Name
	for _, p := range spec.Params {
		value, given := c.Args[p.Name]
		require.True(t, given || !p.Required)
		if !given {
			continue
		}
		size++
		require.NotEmpty(t, value)
		require.True(t, utf8.ValidString(value))
		require.False(t, strings.ContainsFunc(value, unicode.IsControl))
		require.False(t, strings.ContainsAny(value, "\u2028\u2029"))
		switch p.Kind {
		case command.Integer:
			n, ok := c.Args.Int(p.Name)
			require.True(t, ok && p.Min <= n && n <= p.Max)
		case command.OneOf:
			require.Contains(t, p.Values, value)
		case command.Duration:
			d, ok := c.Args.Duration(p.Name)
			require.True(t, ok && 0 <= d && d <= 9999*7*24*time.Hour)
		case command.Word:
			require.False(t, strings.ContainsFunc(value, unicode.IsSpace))
		case command.Name, command.Phrase, command.Rest:
		}
		switch {
		case p.Kind == command.Rest:
			again += " " + value
		case p.Named:
			again += " " + p.Name + ":" + command.Quote(value)
		default:
			again += " " + command.Quote(value)
		}
	}
	require.Len(t, c.Args, size, "only arguments of the spec")
	if len(again) > command.MaxLine {
		return
	}
	line, err := set(t).Parse(again)
	require.NoError(t, err)
	require.Equal(t, c, line, "a command that is written again is the same")
}
