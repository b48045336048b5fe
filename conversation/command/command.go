package command

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The limits of one command.
const (
	// MaxLine is the length of a message that is a command, in bytes and with the white space
	// around it. Text has no limit here: the one who sends it sets that.
	MaxLine = 8 << 10
	// MaxArguments is the number of arguments; text to the end of the line is one.
	MaxArguments = 32
	// MaxName is the length of the name of a command or parameter, in bytes.
	MaxName = 32
)

// Line is a message that was understood: a [Text] or a [Command]. There are no others.
type Line interface{ line() }

// Text is a message for the contact, as it is to be sent: of two carets at its beginning, one
// is gone. It may therefore begin with a caret; do not parse it again.
type Text string

// Command is a command of the set with arguments that follow its [Spec].
type Command struct {
	// Name is the name in the Spec.
	Name string
	Args Args
}

// Args are the values of a command by the name of the parameter. A parameter that was not given
// has no entry, and no entry is empty. An [Integer] is in plain decimal, a [OneOf] is spelled as
// in the Spec, a [Duration] is such as 3d.
type Args map[string]string

// Int returns the value of an [Integer], and whether it was given.
func (a Args) Int(name string) (int, bool) {
	n, err := strconv.Atoi(a[name])
	return n, err == nil
}

// Duration returns the value of a [Duration], and whether it was given. A day has 24 hours.
func (a Args) Duration(name string) (time.Duration, bool) {
	value := a[name]
	if value == "" {
		return 0, false
	}
	n, unit, ok := duration(value)
	return time.Duration(n) * unit, ok
}

func (Text) line()    {}
func (Command) line() {}

// Parse reads a whole message. It returns a [Text] exactly if [IsCommand] is false, and a
// [Command] whose arguments fit its [Spec]; every other message gets an [*Error] and a nil Line,
// and must not be sent.
func (s Set) Parse(message string) (Line, error) {
	at, end := caret(message)
	switch {
	case at < 0:
		return Text(message), nil
	case strings.HasPrefix(message[end:], message[at:end]):
		return Text(message[:at] + message[end:]), nil
	}
	command, wrong := s.parse(message, message[end:])
	if wrong != nil {
		return nil, wrong
	}
	return command, nil
}

// parse reads a command; line is what follows the caret in the message.
func (s Set) parse(message, line string) (Command, *Error) {
	if len(message) > MaxLine {
		return Command{}, invalid("a command has at most %d bytes, this one has %d; %s", MaxLine, len(message), escapeHint)
	}
	if !utf8.ValidString(line) {
		return Command{}, invalid("a command must be UTF-8")
	}
	line = strings.TrimRightFunc(line, unicode.IsSpace)
	name := line
	if i := strings.IndexFunc(line, unicode.IsSpace); i >= 0 {
		name = line[:i]
	}
	spec, wrong := s.find(name)
	if wrong != nil {
		return Command{}, wrong
	}
	args, wrong := spec.bind(line[len(name):])
	if wrong != nil {
		wrong.Command, wrong.Usage = spec.Name, spec.Usage()
		return Command{}, wrong
	}
	return Command{Name: spec.Name, Args: args}, nil
}

// find looks up a name as it was typed.
func (s Set) find(typed string) (Spec, *Error) {
	switch {
	case typed == "":
		return Spec{}, invalid("the name of a command must follow the ^ at once; %s; %s", s.known(), escapeHint)
	case len(typed) > MaxName:
		return Spec{}, invalid("the name of a command has at most %d bytes, %s is longer; %s; %s",
			MaxName, show(typed), s.known(), escapeHint)
	}
	name := lower(typed)
	for _, spec := range s.specs {
		if spec.Name == name {
			return spec, nil
		}
	}
	if near := s.near(name); near != "" {
		return Spec{}, invalid("there is no command %s; the nearest is %s; %s", show(typed), near, escapeHint)
	}
	return Spec{}, invalid("there is no command %s; %s; %s", show(typed), s.known(), escapeHint)
}

// bind gives each argument of the line to its parameter.
func (s Spec) bind(line string) (Args, *Error) {
	if strings.ContainsFunc(line, breaksLine) {
		return nil, invalid("a command is one line, and more lines follow; %s", escapeHint)
	}
	args := make(Args)
	places := s.positional()
	lex := lexer{rest: line}
	for given := 0; lex.more(); given++ {
		if given == MaxArguments {
			return nil, invalid("a command has at most %d arguments", MaxArguments)
		}
		var param Param
		var arg argument
		if len(places) > 0 && places[0].Kind == Rest {
			arg.value = lex.all()
		} else {
			var wrong *Error
			if arg, wrong = lex.next(); wrong != nil {
				return nil, wrong
			}
		}
		switch {
		case arg.name != "":
			var wrong *Error
			if param, wrong = s.named(arg.name); wrong != nil {
				return nil, wrong
			}
		case len(places) == 0:
			return nil, invalid("there is no place for %s; a value of several words is written in quotes", show(arg.value))
		default:
			param, places = places[0], places[1:]
		}
		if _, ok := args[param.Name]; ok {
			return nil, about(param.Name, "%s is given twice", param.label())
		}
		value, wrong := param.check(arg.value)
		if wrong != nil {
			return nil, wrong
		}
		args[param.Name] = value
	}
	for _, param := range s.Params {
		if _, ok := args[param.Name]; param.Required && !ok {
			return nil, about(param.Name, "%s is missing", param.label())
		}
	}
	return args, nil
}

// named finds the parameter of a named argument.
func (s Spec) named(name string) (Param, *Error) {
	var names []string
	for _, p := range s.Params {
		switch {
		case p.Named && p.Name == name:
			return p, nil
		case p.Named:
			names = append(names, p.label())
		case p.Name == name:
			return Param{}, about(name, `%s is told by its place: write it without "%s:"`, p.label(), name)
		}
	}
	allowed := "there are no named arguments"
	if names != nil {
		allowed = "the named arguments are " + strings.Join(names, ", ")
	}
	return Param{}, about(clip(name), `there is no argument %s; %s, and a value that begins like "name:" is written in quotes`,
		show(name+":"), allowed)
}

// check returns the value in the form in which [Args] holds it.
func (p Param) check(value string) (string, *Error) {
	switch {
	case !isBlank(value):
	case p.Named:
		return "", about(p.Name, "%s has no value; it is written %s", p.label(), p.usage())
	default:
		return "", about(p.Name, "%s has no value", p.label())
	}
	if i := strings.IndexFunc(value, unicode.IsControl); i >= 0 {
		r, _ := utf8.DecodeRuneInString(value[i:])
		return "", about(p.Name, "%s must not contain control characters such as %U", p.label(), r)
	}
	switch p.Kind {
	case Integer:
		n, ok := integer(value)
		if !ok || n < p.Min || n > p.Max {
			return "", about(p.Name, "%s must be a whole number from %d to %d, not %s", p.label(), p.Min, p.Max, show(value))
		}
		return strconv.Itoa(n), nil
	case OneOf:
		for _, allowed := range p.Values {
			if lower(allowed) == lower(value) {
				return allowed, nil
			}
		}
		return "", about(p.Name, "%s must be %s, not %s", p.label(), p.choices(" or "), show(value))
	case Duration:
		n, _, ok := duration(value)
		if !ok {
			return "", about(p.Name, "%s must be a time such as 30m, 2h, 3d or 2w, not %s", p.label(), show(value))
		}
		return strconv.Itoa(n) + lower(value[len(value)-1:]), nil
	case Word, Name:
		if i := strings.IndexFunc(value, func(r rune) bool { return !unicode.IsGraphic(r) }); i >= 0 {
			r, _ := utf8.DecodeRuneInString(value[i:])
			return "", about(p.Name, "%s must not contain invisible characters such as %U", p.label(), r)
		}
		if p.Kind == Word && strings.ContainsFunc(value, unicode.IsSpace) {
			return "", about(p.Name, "%s must be one word, not %s", p.label(), show(value))
		}
	case Phrase, Rest:
	}
	return value, nil
}

// integer reads up to nine ASCII digits: no sign, no other script, no overflow.
func integer(value string) (int, bool) {
	if len(value) > 9 || strings.ContainsFunc(value, func(r rune) bool { return r < '0' || r > '9' }) {
		return 0, false
	}
	n, err := strconv.Atoi(value)
	return n, err == nil
}

// units are what a [Duration] is counted in.
var units = map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

// duration reads up to four ASCII digits and a unit.
func duration(value string) (n int, unit time.Duration, ok bool) {
	if len(value) < 2 || len(value) > 5 {
		return 0, 0, false
	}
	digits := value[:len(value)-1]
	n, ok = integer(digits)
	unit = units[lower(value[len(digits):])]
	return n, unit, ok && unit > 0
}
