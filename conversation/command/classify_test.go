package command_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation/command"
)

// What cannot be seen in front of a caret, and what looks like one.
var (
	unseen = []string{
		" ", "\t", "\n", "\r\n", "\v", "\f", "\x00", "\x1b", "\x7f", "\u0085", "\u00A0", "\u00AD", "\u034F",
		"\u061C", "\u115F", "\u1160", "\u17B4", "\u180E", "\u2003", "\u200B", "\u200C", "\u200D", "\u200E", "\u200F", "\u2028",
		"\u2029", "\u202A", "\u202E", "\u202F", "\u2060", "\u2066", "\u2069", "\u206F", "\u2800", "\u3000", "\u3164",
		"\uE000", "\uFE0F", "\uFEFF", "\uFFA0", "\uFFF9", "\uFFFC", "\uFFFD", "\U000E0001", "\U000E005E", "\U000E0100",
		"\xff", "\xc3", "\xed\xa0\x80", "\u0301", "\u20DD",
	}
	carets = []string{
		"^", "\u02C4", "\u02C6", "\u02F0", "\u0302", "\u2038", "\u2041", "\u2227", "\u22C0", "\u2303", "\uA788",
		"\uFE3F", "\uFF3E",
	}
)

func TestWhatLooksLikeACommandIsNeverText(t *testing.T) {
	s := set(t)
	for _, front := range append(unseen, "", strings.Join(unseen, ""), strings.Repeat(" ", 100)) {
		for _, caret := range carets {
			for _, rest := range []string{"", "open", "open now", "opne", " open", "open\nHello", "\nopen", "_^", "\u200Bopen", "\u200B" + caret + "open", "\xff"} {
				message := front + caret + rest
				assert.True(t, command.IsCommand(message), "%+q", message)
				line, err := s.Parse(message)
				if rest == "open" {
					require.NoError(t, err, "%+q", message)
					assert.Equal(t, command.Command{Name: "open", Args: command.Args{}}, line, "%+q", message)
					continue
				}
				assert.Nil(t, line, "%+q", message)
				assert.Error(t, err, "%+q", message)
			}
		}
	}
}

func TestTwoCaretsOfDifferentKindsAreACommand(t *testing.T) {
	s := set(t)
	for _, first := range carets {
		for _, second := range carets {
			message := first + second + "open"
			assert.Equal(t, first != second, command.IsCommand(message), "%+q", message)
			line, err := s.Parse(message)
			if first == second {
				require.NoError(t, err)
				assert.Equal(t, command.Text(second+"open"), line, "%+q", message)
				continue
			}
			assert.Nil(t, line, "%+q", message)
			assert.Error(t, err, "%+q", message)
		}
	}
}

func TestText(t *testing.T) {
	s := set(t)
	for typed, sent := range map[string]string{
		"":                      "",
		"  \n":                  "  \n",
		"Hello":                 "Hello",
		"2^8 is 256":            "2^8 is 256",
		"Hello\n^close":         "Hello\n^close",
		"ê":                     "ê",
		"e\u0302tre":            "e\u0302tre",
		"\u2191 up":             "\u2191 up",
		"^^":                    "^",
		"^^close":               "^close",
		"^^^close":              "^^close",
		" \u200B^^ up\n there ": " \u200B^ up\n there ",
		"＾＾":                    "＾",
		"\xffbroken":            "\xffbroken",
		"x" + strings.Repeat("^", command.MaxLine): "x" + strings.Repeat("^", command.MaxLine),
	} {
		assert.False(t, command.IsCommand(typed), "%+q", typed)
		line, err := s.Parse(typed)
		require.NoError(t, err, "%+q", typed)
		assert.Equal(t, command.Text(sent), line, "%+q", typed)
	}
}

func TestEscapedTextComesBack(t *testing.T) {
	s := set(t)
	bodies := []string{"", "x", "open", "^", "^^", "＾", "\u200B^", "\n^close", "\xff"}
	for _, front := range append(unseen, "") {
		for _, caret := range append(carets, "") {
			for _, body := range bodies {
				text := front + caret + body
				line, err := s.Parse(command.Escape(text))
				require.NoError(t, err, "%+q", text)
				assert.Equal(t, command.Text(text), line, "%+q", text)
			}
		}
	}
	assert.Equal(t, "plain ^ text", command.Escape("plain ^ text"))
	assert.Equal(t, " ^^x", command.Escape(" ^x"))
}

func TestTheZeroSetKnowsNoCommand(t *testing.T) {
	var none command.Set
	line, err := none.Parse("^open")
	assert.Nil(t, line)
	require.EqualError(t, err, `there is no command "open"; there are no commands here; text that begins with ^ is written with ^^`)
	line, err = none.Parse("open")
	require.NoError(t, err)
	assert.Equal(t, command.Text("open"), line)
}

func ExampleIsCommand() {
	for _, message := range []string{"Hello", "^close", " ＾clsoe", "^^ look up", "3^2"} {
		fmt.Println(message, command.IsCommand(message))
	}
	// Output:
	// Hello false
	// ^close true
	//  ＾clsoe true
	// ^^ look up false
	// 3^2 false
}

func ExampleEscape() {
	fmt.Println(command.Escape("^_^ thank you"))
	fmt.Println(command.Escape("thank you ^_^"))
	// Output:
	// ^^_^ thank you
	// thank you ^_^
}
