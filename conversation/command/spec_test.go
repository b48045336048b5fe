package command_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation/command"
)

func TestHelp(t *testing.T) {
	s := set(t)
	all := s.Help(func(string) bool { return true })
	assert.Equal(t, strings.Join([]string{
		`^invite EMAIL — invite a guest by e-mail`,
		`^assign WHO — make a member responsible, or "me"`,
		`^deliver TO [status:"…"] [rating:0-5] [summary:"…"] [keep:open] — hand the conversation over`,
		`^close [status:"…"] [rating:0-5] [summary:"…"] — close the conversation`,
		`^open — open the conversation again`,
		`^note TEXT… — write what only the team sees`,
		`^help [COMMAND] — show the commands`,
		`^snooze 1-90 [REASON…] — wake it later`,
		`^mark Read|"Not Read" until:… — mark it`,
		`^wait FOR [at-most:3d] — do nothing`,
	}, "\n"), all)

	assert.Equal(t, "^open — open the conversation again\n^help [COMMAND] — show the commands",
		s.Help(func(name string) bool { return name == "help" || name == "open" }))
	assert.Empty(t, s.Help(func(string) bool { return false }))

	for _, name := range []string{"open", "^open", "OPEN", "＾open"} {
		one, err := s.Find(name)
		require.NoError(t, err, name)
		assert.Equal(t, "^open — open the conversation again", one.Explain())
	}
	wait, err := s.Find("wait")
	require.NoError(t, err)
	assert.Equal(t, "^wait FOR [at-most:3d] — do nothing\n  FOR — how long\n  at-most:3d — how long at most", wait.Explain())
	_, err = s.Find("opne")
	var e *command.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, `there is no command "opne"; the nearest is ^open; text that begins with ^ is written with ^^`, e.Reason)
	for _, name := range []string{"^", " ", strings.Repeat("x", 1<<20)} {
		_, err = s.Find(name)
		require.ErrorAs(t, err, &e)
		assert.Less(t, len(e.Error()), 1000)
	}
}

func TestNewSetRefusesMistakes(t *testing.T) {
	spec := func(params ...command.Param) command.Spec {
		return command.Spec{Name: "x", Help: "does x", Params: params}
	}
	long := strings.Repeat("n", command.MaxName+1)
	var tooMany []command.Param
	for i := range command.MaxArguments + 1 {
		tooMany = append(tooMany, command.Param{Name: fmt.Sprintf("p%d", i)})
	}
	for want, bad := range map[string]command.Spec{
		`"": a name is`:                {Help: "x"},
		`"Open": a name is`:            {Name: "Open", Help: "x"},
		`"^x": a name is`:              {Name: "^x", Help: "x"},
		`"1x": a name is`:              {Name: "1x", Help: "x"},
		`"` + long + `": a name is`:    {Name: long, Help: "x"},
		"help must be one line":        {Name: "x"},
		`"y": the help must be`:        {Name: "y", Help: "two\nlines"},
		"at most 32 parameters":        spec(tooMany...),
		`parameter "": a name is`:      spec(command.Param{}),
		`parameter "a b": a name is`:   spec(command.Param{Name: "a b"}),
		`parameter "a" is declared`:    spec(command.Param{Name: "a"}, command.Param{Name: "a", Named: true}),
		`"b" is required and follows`:  spec(command.Param{Name: "a"}, command.Param{Name: "b", Required: true}),
		`"r" takes the rest`:           spec(command.Param{Name: "r", Kind: command.Rest}, command.Param{Name: "b"}),
		`"s" takes the rest`:           spec(command.Param{Name: "b", Named: true}, command.Param{Name: "s", Kind: command.Rest}),
		"rest of the line cannot be":   spec(command.Param{Name: "r", Kind: command.Rest, Named: true}),
		`"i": the bounds of`:           spec(command.Param{Name: "i", Kind: command.Integer, Min: 2, Max: 1}),
		`"j": the bounds of`:           spec(command.Param{Name: "j", Kind: command.Integer, Min: -1}),
		`"k": the bounds of`:           spec(command.Param{Name: "k", Kind: command.Integer, Max: 1_000_000_000}),
		"must be a value to choose":    spec(command.Param{Name: "o", Kind: command.OneOf}),
		`value "" is not one line`:     spec(command.Param{Name: "o", Kind: command.OneOf, Values: []string{""}}),
		`value "a\nb" is not one line`: spec(command.Param{Name: "o", Kind: command.OneOf, Values: []string{"a\nb"}}),
		`value "A" is declared twice`:  spec(command.Param{Name: "o", Kind: command.OneOf, Values: []string{"a", "A"}}),
		"there is no kind 7":           spec(command.Param{Name: "o", Kind: 7}),
		`"h": the help must be one`:    spec(command.Param{Name: "h", Help: "two\nlines"}),
		`"g": the help must be one`:    spec(command.Param{Name: "g", Help: " "}),
	} {
		_, err := command.NewSet(bad)
		require.ErrorContains(t, err, want)
	}
	_, err := command.NewSet(spec(), spec())
	require.EqualError(t, err, `command: "x" is declared twice`)

	var many []command.Spec
	for i := range command.MaxCommands + 1 {
		many = append(many, command.Spec{Name: fmt.Sprintf("c%d", i), Help: "x"})
	}
	_, err = command.NewSet(many[:command.MaxCommands]...)
	require.NoError(t, err)
	_, err = command.NewSet(many...)
	require.EqualError(t, err, "command: a set has at most 100 commands, these are 101")
}

func TestASetDoesNotChange(t *testing.T) {
	given := specs()
	s, err := command.NewSet(given...)
	require.NoError(t, err)
	spoil := func(specs []command.Spec) {
		for i := range specs {
			for j := range specs[i].Params {
				for k := range specs[i].Params[j].Values {
					specs[i].Params[j].Values[k] = "spoiled"
				}
				specs[i].Params[j].Name = "spoiled"
			}
			specs[i].Name = "spoiled"
		}
	}
	spoil(given)
	assert.Equal(t, specs(), s.Specs())
	spoil(s.Specs())
	assert.Equal(t, specs(), s.Specs())
}

func ExampleSpec_Usage() {
	fmt.Println(command.Spec{Name: "deliver", Help: "hand over", Params: []command.Param{
		{Name: "to", Kind: command.Name, Required: true},
		{Name: "status", Kind: command.Name, Named: true},
		{Name: "rating", Kind: command.Integer, Named: true, Max: 5},
		{Name: "keep", Kind: command.OneOf, Named: true, Values: []string{"open"}},
	}}.Usage())
	// Output:
	// ^deliver TO [status:"…"] [rating:0-5] [keep:open]
}

func ExampleSet_Help() {
	set, err := command.NewSet(
		command.Spec{Name: "open", Help: "open the conversation again"},
		command.Spec{Name: "invite", Help: "invite a guest", Params: []command.Param{{Name: "email", Required: true}}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Help(func(name string) bool { return name != "open" }))
	// Output:
	// ^invite EMAIL — invite a guest
}
