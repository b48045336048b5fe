package command

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxCommands is the number of commands in a [Set].
const MaxCommands = 100

// Spec describes a command.
type Spec struct {
	// Name is in small letters, digits and hyphens, without the caret.
	Name string
	// Help says in one line what the command does.
	Help string
	// Params are in the order in which the usage shows them.
	Params []Param
}

// Param describes an argument of a command.
type Param struct {
	// Name is in small letters, digits and hyphens. It is the key in [Args].
	Name string
	// Help says in one line what the value is for. It may be empty.
	Help string
	Kind Kind
	// Required parameters must be given; positional ones stand before those that need not.
	Required bool
	// Named parameters are given as "name:value", the others by their place.
	Named bool
	// Min and Max bound an [Integer], both included: 0 ≤ Min ≤ Max ≤ 999,999,999.
	Min, Max int
	// Values are what a [OneOf] can be. ASCII capitals and small letters are the same.
	Values []string
}

// Kind says which values a parameter takes. Whether an address, a person or a status exists is
// not a question for this package.
type Kind uint8

// The kinds of values.
const (
	// Word has no white space and no invisible characters: an address, an id, a duration.
	Word Kind = iota
	// Name has no invisible characters: what [Word] has, or the name of a person, team or status.
	Name
	// Phrase is free text: it may also have the joiners that emoji and some scripts need.
	Phrase
	// Rest is free text to the end of the line, without quoting. It is the last positional
	// parameter of a command that has no named ones.
	Rest
	// Integer is a whole number in ASCII digits between Min and Max.
	Integer
	// OneOf is one of Values.
	OneOf
	// Duration is a whole number of minutes, hours, days or weeks: 30m, 2h, 3d, 2w.
	Duration
)

// Set is the commands that a message may hold. It does not change and can be used by several
// goroutines at once. The zero Set has no commands: each one typed is unknown.
type Set struct {
	specs []Spec
}

// NewSet checks the specs and returns their set. An error is a mistake in the program.
func NewSet(specs ...Spec) (Set, error) {
	if len(specs) > MaxCommands {
		return Set{}, fmt.Errorf("command: a set has at most %d commands, these are %d", MaxCommands, len(specs))
	}
	seen := make(map[string]bool)
	for _, spec := range specs {
		if err := spec.valid(); err != nil {
			return Set{}, fmt.Errorf("command: %q: %w", clip(spec.Name), err)
		}
		if seen[spec.Name] {
			return Set{}, fmt.Errorf("command: %q is declared twice", spec.Name)
		}
		seen[spec.Name] = true
	}
	return Set{specs: clone(specs)}, nil
}

// Specs returns the commands in the order of [NewSet], for user interfaces.
func (s Set) Specs() []Spec { return clone(s.specs) }

// clone copies all that the specs refer to, so that nobody changes what another holds.
func clone(specs []Spec) []Spec {
	specs = slices.Clone(specs)
	for i := range specs {
		specs[i].Params = slices.Clone(specs[i].Params)
		for j := range specs[i].Params {
			specs[i].Params[j].Values = slices.Clone(specs[i].Params[j].Values)
		}
	}
	return specs
}

// Help returns the usage and purpose of each command for which listed is true, one on each line.
func (s Set) Help(listed func(name string) bool) string {
	var lines []string
	for _, spec := range s.specs {
		if listed(spec.Name) {
			lines = append(lines, spec.help())
		}
	}
	return strings.Join(lines, "\n")
}

// Find looks up a command by its name as a person types it, with or without the caret. The error is an
// [*Error].
func (s Set) Find(name string) (Spec, error) {
	if _, end := caret(name); end > 0 {
		name = name[end:]
	}
	spec, wrong := s.find(name)
	if wrong != nil {
		return Spec{}, wrong
	}
	return clone([]Spec{spec})[0], nil
}

func (s Spec) help() string { return s.Usage() + " — " + s.Help }

// Explain returns the usage and purpose of a command, and below it a line for each parameter that has
// a Help.
func (s Spec) Explain() string {
	var b strings.Builder
	b.WriteString(s.help())
	for _, p := range s.Params {
		if p.Help != "" {
			fmt.Fprintf(&b, "\n  %s — %s", p.usage(), p.Help)
		}
	}
	return b.String()
}

// Usage returns how the command is written, such as
//
//	^deliver TO [status:"…"] [rating:0-5] [keep:open]
//
// Capitals stand for a value, brackets for what can be left out.
func (s Spec) Usage() string {
	var b strings.Builder
	b.WriteString("^" + s.Name)
	for _, p := range s.Params {
		usage := p.usage()
		if !p.Required {
			usage = "[" + usage + "]"
		}
		b.WriteString(" " + usage)
	}
	return b.String()
}

func (p Param) usage() string {
	var value string
	switch p.Kind {
	case OneOf:
		value = p.choices("|")
	case Integer:
		value = fmt.Sprintf("%d-%d", p.Min, p.Max)
	case Name, Phrase:
		value = `"…"`
	case Duration:
		value = "3d"
	case Word, Rest:
		value = "…"
	}
	switch {
	case p.Named:
		return p.Name + ":" + value
	case p.Kind == OneOf || p.Kind == Integer:
		return value
	case p.Kind == Rest:
		return p.label() + "…"
	default:
		return p.label()
	}
}

// label is what the person who types calls the parameter.
func (p Param) label() string {
	if p.Named {
		return p.Name
	}
	return strings.ToUpper(p.Name)
}

// choices are the values of a OneOf as they can be typed.
func (p Param) choices(separator string) string {
	typed := make([]string, len(p.Values))
	for i, value := range p.Values {
		typed[i] = value
		if nameLen(value) != len(value) {
			typed[i] = Quote(value)
		}
	}
	return strings.Join(typed, separator)
}

// positional returns the parameters that are told by their place.
func (s Spec) positional() []Param {
	var places []Param
	for _, p := range s.Params {
		if !p.Named {
			places = append(places, p)
		}
	}
	return places
}

func (s Spec) valid() error {
	switch {
	case !validName(s.Name):
		return fmt.Errorf("a name is a small letter and up to %d small letters, digits and hyphens", MaxName-1)
	case isBlank(s.Help) || !isPlain(s.Help):
		return fmt.Errorf("the help must be one line of text")
	case len(s.Params) > MaxArguments:
		return fmt.Errorf("a command has at most %d parameters", MaxArguments)
	}
	seen := make(map[string]bool)
	for _, p := range s.Params {
		if err := p.valid(); err != nil {
			return fmt.Errorf("parameter %q: %w", clip(p.Name), err)
		}
		if seen[p.Name] {
			return fmt.Errorf("parameter %q is declared twice", p.Name)
		}
		seen[p.Name] = true
	}
	places := s.positional()
	for i, p := range places {
		if p.Kind == Rest && (i < len(places)-1 || len(places) < len(s.Params)) {
			return fmt.Errorf("parameter %q takes the rest of the line: none can follow, and none can be named", p.Name)
		}
		if p.Required && i > 0 && !places[i-1].Required {
			return fmt.Errorf("parameter %q is required and follows one that is not", p.Name)
		}
	}
	return nil
}

func (p Param) valid() error {
	if !validName(p.Name) {
		return fmt.Errorf("a name is a small letter and up to %d small letters, digits and hyphens", MaxName-1)
	}
	if p.Help != "" && (isBlank(p.Help) || !isPlain(p.Help)) {
		return fmt.Errorf("the help must be one line of text")
	}
	switch p.Kind {
	case Word, Name, Phrase, Duration:
	case Rest:
		if p.Named {
			return fmt.Errorf("the rest of the line cannot be named")
		}
	case Integer:
		if p.Min < 0 || p.Min > p.Max || p.Max > 999_999_999 {
			return fmt.Errorf("the bounds of an integer are 0 ≤ Min ≤ Max ≤ 999,999,999")
		}
	case OneOf:
		return p.validValues()
	default:
		return fmt.Errorf("there is no kind %d", p.Kind)
	}
	return nil
}

func (p Param) validValues() error {
	if len(p.Values) == 0 {
		return fmt.Errorf("there must be a value to choose")
	}
	seen := make(map[string]bool)
	for _, value := range p.Values {
		if isBlank(value) || !isPlain(value) {
			return fmt.Errorf("the value %s is not one line of text", show(value))
		}
		if seen[lower(value)] {
			return fmt.Errorf("the value %s is declared twice", show(value))
		}
		seen[lower(value)] = true
	}
	return nil
}

func validName(name string) bool {
	return name != "" && len(name) <= MaxName && nameLen(name) == len(name) && name == lower(name)
}

// isPlain reports text in UTF-8 without line breaks and control characters.
func isPlain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || breaksLine(r)
	})
}
