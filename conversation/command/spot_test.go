package command_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation/command"
)

// What is typed at the bar of the line.
func TestSpot(t *testing.T) {
	s := set(t)
	for _, c := range []struct {
		line           string // with a bar for the cursor
		typed, command string
		param          string
		names          string
	}{
		{"^|", "", "", "", ""},
		{"^de|", "de", "", "", ""},
		{" ＾DE|liver x", "de", "", "", ""},
		{"^nonsense|", "nonsense", "", "", ""},
		{"^deliver |", "", "deliver", "to", "status rating summary keep"},
		{"^deliver  \t|", "", "deliver", "to", "status rating summary keep"},
		{"^deliver s|", "s", "deliver", "to", "status summary"},
		{"^deliver S| rest", "S", "deliver", "to", "status summary"},
		{`^deliver "s|`, "s", "deliver", "to", ""},
		{`^deliver "Night T|`, "Night T", "deliver", "to", ""},
		{`^deliver "Night Team"|`, "Night Team", "deliver", "to", ""},
		{`^deliver “Night T|`, "Night T", "deliver", "to", ""},
		{`^deliver "a \"b\" \\ c|`, `a "b" \ c`, "deliver", "to", ""},
		{`^deliver "a \|`, "a ", "deliver", "to", ""},
		{"^deliver bob |", "", "deliver", "", "status rating summary keep"},
		{"^deliver bob status:New s|", "s", "deliver", "", "summary"},
		{"^deliver status:New |", "", "deliver", "to", "rating summary keep"},
		{"^deliver bob status:|", "", "deliver", "status", ""},
		{"^deliver bob STATUS:ne|", "ne", "deliver", "status", ""},
		{`^deliver bob status:"Not I|`, "Not I", "deliver", "status", ""},
		{`^deliver bob status:"Not Interested" keep:|`, "", "deliver", "keep", ""},
		{"^help |", "", "help", "command", ""},
		{"^help cl|", "cl", "help", "command", ""},
		{"^help close |", "", "help", "", ""},
		{"^snooze 3 bac|", "bac", "snooze", "reason", ""},
		{`^snooze 3 back "soon |`, `back "soon `, "snooze", "reason", ""},
		{"^open |", "", "open", "", ""},
	} {
		line, cursor := strings.Replace(c.line, "|", "", 1), strings.Index(c.line, "|")
		at, ok := s.Spot(line, cursor)
		require.True(t, ok, c.line)
		var names []string
		for _, p := range at.Names {
			names = append(names, p.Name)
		}
		assert.Equal(t, []string{c.typed, c.command, c.param, c.names},
			[]string{at.Typed, at.Command, at.Param.Name, strings.Join(names, " ")}, c.line)
		assert.LessOrEqual(t, at.From, cursor, c.line)
	}
	for line, from := range map[string]int{
		"^de": 1, "^deliver ": 9, "^deliver bo": 9, `^deliver "Night T`: 9, "^deliver bob status:ne": 20, `^deliver bob status:"N I`: 20,
		"^snooze 3  back soon": 11,
	} {
		at, ok := s.Spot(line, len(line))
		require.True(t, ok, line)
		assert.Equal(t, from, at.From, line)
	}
}

func TestWhereNothingCanBeSaid(t *testing.T) {
	s := set(t)
	for _, line := range []string{
		"", "Hello", "^^", "^^deliver ", "Hello ^de", "^nonsense ", "^deliver a b ", "^deliver bob x:", "^deliver bob x:1 ",
		"^deliver to:", "^deliver bob status:a status:", "^deliver bob status:a status:b ", `^deliver "a"b`, `^deliver "a"b `, `^deliver a"b c`,
		"^close\n", "^close \n", "^note a\u2028b", "^deliver \xff", "^open now ", "^open x:", "^" + strings.Repeat("x", command.MaxLine),
	} {
		at, ok := s.Spot(line, len(line))
		assert.False(t, ok, "%.40q: %+v", line, at)
	}
	for _, cursor := range []int{-1, 10, 1 << 30} {
		_, ok := s.Spot("^deliver ", cursor)
		assert.False(t, ok)
	}
	_, ok := s.Spot("^deliver ü", len("^deliver ü")-1)
	assert.False(t, ok, "inside a character")
}

// What completion puts at a spot is read as what it stands for.
func TestWrittenValuesComeBack(t *testing.T) {
	s := set(t)
	for value, want := range map[string]string{
		"bob@x.example": "bob@x.example", "Night Team": `"Night Team"`, "a:b": `"a:b"`, `say "hi"`: `"say \"hi\""`, "é:y": "é:y", `a\b`: `a\b`,
		"“x”": `"“x”"`, "1:2": "1:2", "-": "-", "a\u00A0b": "\"a\u00A0b\"",
	} {
		assert.Equal(t, want, command.Write(value))
		line, err := s.Parse("^deliver " + command.Write(value) + " status:" + command.Write(value))
		require.NoError(t, err, value)
		assert.Equal(t, command.Command{Name: "deliver", Args: command.Args{"to": value, "status": value}}, line)
	}
}

// FuzzSpot: whatever is typed, a spot lies in the line, and what is put there can be completed on.
func FuzzSpot(f *testing.F) {
	s := set(f)
	for _, line := range []string{"^", "^de", "^deliver ", `^deliver "Night T`, "^deliver bob status:", "Hello", "^^", "^close\n", "＾help c"} {
		f.Add(line, len(line))
	}
	f.Fuzz(func(t *testing.T, line string, cursor int) {
		at, ok := s.Spot(line, cursor)
		if !ok {
			return
		}
		require.True(t, 0 < at.From && at.From <= cursor && cursor <= len(line))
		require.True(t, command.IsCommand(line[:cursor]))
		require.LessOrEqual(t, len(at.Typed), cursor-at.From)
		if at.Param.Name == "" && at.Command != "" {
			return
		}
		again := line[:at.From] + at.Typed
		if at.Command != "" && at.Param.Kind != command.Rest {
			again = line[:at.From] + command.Write(at.Typed)
		}
		if at.Typed == "" {
			again = line[:at.From]
		}
		if len(again) > command.MaxLine {
			return
		}
		same, ok := s.Spot(again, len(again))
		require.True(t, ok, "%q", again)
		require.Equal(t, []any{at.From, at.Typed, at.Command, at.Param.Name}, []any{same.From, same.Typed, same.Command, same.Param.Name}, "%q", again)
	})
}
