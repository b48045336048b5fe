package command

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error says why a message that begins like a command is none, to the person who typed it. It
// repeats at most 40 characters of what was typed, quoted, so that invisible characters are seen.
type Error struct {
	// Command is the name of the command, in its spelling in the [Spec]; empty if there is no
	// such command.
	Command string
	// Argument is the name of the argument that is wrong: as in the Spec, or what was typed if
	// there is no such argument. It is empty if the error is about none, or about one without
	// a name.
	Argument string
	// Reason says what is wrong and what is allowed.
	Reason string
	// Usage is how the command is written; empty if Command is.
	Usage string
}

// Error reads, for example,
//
//	^deliver: rating must be a whole number from 0 to 5, not "9" (usage: ^deliver TO [rating:0-5])
func (e *Error) Error() string {
	if e.Command == "" {
		return e.Reason
	}
	return fmt.Sprintf("^%s: %s (usage: %s)", e.Command, e.Reason, e.Usage)
}

// escapeHint is for those who did not mean a command.
const escapeHint = "text that begins with ^ is written with ^^"

// invalid returns an error that concerns no known argument.
func invalid(format string, args ...any) *Error {
	return &Error{Reason: fmt.Sprintf(format, args...)}
}

// about returns an error that concerns the argument.
func about(argument, format string, args ...any) *Error {
	e := invalid(format, args...)
	e.Argument = argument
	return e
}

// show quotes foreign text for an error.
func show(text string) string { return strconv.Quote(clip(text)) }

// clip cuts foreign text to 40 characters.
func clip(text string) string {
	const most = 40
	seen := 0
	for i := range text {
		if seen == most {
			return text[:i] + "…"
		}
		seen++
	}
	return text
}

// known names all commands.
func (s Set) known() string {
	if len(s.specs) == 0 {
		return "there are no commands here"
	}
	names := make([]string, len(s.specs))
	for i, spec := range s.specs {
		names[i] = "^" + spec.Name
	}
	return "the commands are " + strings.Join(names, ", ")
}

// near names the commands that were probably meant: those that begin like it, or are spelled
// with up to two letters more, less or other.
func (s Set) near(typed string) string {
	var names []string
	for _, spec := range s.specs {
		d := distance(typed, spec.Name)
		if strings.HasPrefix(spec.Name, typed) || d <= 2 && 2*d <= len(spec.Name) {
			names = append(names, "^"+spec.Name)
		}
	}
	return strings.Join(names, " or ")
}

// distance is the Levenshtein distance in characters. Both are short: see [MaxName].
func distance(a, b string) int {
	row := make([]int, utf8.RuneCountInString(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range []rune(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range []rune(b) {
			substituted := diagonal
			if x != y {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j]+1, row[j+1]+1, substituted)
		}
	}
	return row[len(row)-1]
}
