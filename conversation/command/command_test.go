package command_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation/command"
)

func TestCommands(t *testing.T) {
	type args = command.Args
	s := set(t)
	for _, c := range []struct {
		rule, typed, name string
		args              args
	}{
		{"no arguments", "^open", "open", args{}},
		{"white space and line breaks after it", "^open \t\u00A0\r\n\n\u2028", "open", args{}},
		{"capitals in names", "^CLOSE Rating:2", "close", args{"rating": "2"}},
		{"a word", "^invite carol@client.example", "invite", args{"email": "carol@client.example"}},
		{"a word in quotes", `^invite "carol@client.example"`, "invite", args{"email": "carol@client.example"}},
		{"an optional word", "^help deliver", "help", args{"command": "deliver"}},
		{"an optional word left out", "^help", "help", args{}},
		{
			"the whole of it", `^deliver dana@acme.example status:"Qualified" rating:4 summary:"ready to start" keep:open`, "deliver",
			args{"to": "dana@acme.example", "status": "Qualified", "rating": "4", "summary": "ready to start", "keep": "open"},
		},
		{"named before positional", `^deliver rating:0 "Night Team" status:New`, "deliver", args{"to": "Night Team", "status": "New", "rating": "0"}},
		{"any white space between", "^deliver\tbob\u3000rating:5", "deliver", args{"to": "bob", "rating": "5"}},
		{"leading zeros", "^close rating:005", "close", args{"rating": "5"}},
		{"a number in quotes", `^close rating:"3"`, "close", args{"rating": "3"}},
		{"one of, in its own spelling", "^deliver bob keep:OPEN", "deliver", args{"to": "bob", "keep": "open"}},
		{"one of, with a space", `^mark "not read" until:monday`, "mark", args{"as": "Not Read", "until": "monday"}},
		{"times", "^wait 30m at-most:2H", "wait", args{"for": "30m", "at-most": "2h"}},
		{"times with leading zeros", `^wait "003D" at-most:2w`, "wait", args{"for": "3d", "at-most": "2w"}},
		{"a colon in a quoted value", `^assign "x:y"`, "assign", args{"who": "x:y"}},
		{"a colon that follows no name", `^assign é:y`, "assign", args{"who": "é:y"}},
		{"a colon in a named value", `^close status:a:b`, "close", args{"status": "a:b"}},
		{"a caret in a value", `^assign ^x`, "assign", args{"who": "^x"}},
		{"escapes", `^close summary:"say \"hi\" \\ \“"`, "close", args{"summary": `say "hi" \ “`}},
		{"a backslash without quotes", `^close summary:a\n`, "close", args{"summary": `a\n`}},
		{"smart quotes", `^close status:“Not Interested”`, "close", args{"status": "Not Interested"}},
		{"smart quotes the wrong way round", `^close status:”Not Interested“`, "close", args{"status": "Not Interested"}},
		{"low quotes", `^close status:„Not Interested“`, "close", args{"status": "Not Interested"}},
		{"smart quotes in straight ones", `^close summary:"say “hi” now"`, "close", args{"summary": "say “hi” now"}},
		{"straight quotes in smart ones", `^close summary:“say "hi" now”`, "close", args{"summary": `say "hi" now`}},
		{"escapes in smart quotes", `^close summary:“say \”hi\” \"”`, "close", args{"summary": `say ”hi” "`}},
		{"apostrophes", `^assign O'Neil’s`, "assign", args{"who": "O'Neil’s"}},
		{"joiners in a phrase", "^close summary:\"👩\u200D🔧 ok\"", "close", args{"summary": "👩\u200D🔧 ok"}},
		{"the rest of the line", `^note  he said "call: me\" ^^ rating:2  later `, "note", args{"text": `he said "call: me\" ^^ rating:2  later`}},
		{"an argument before the rest", `^snooze 3 "back" soon`, "snooze", args{"days": "3", "reason": `"back" soon`}},
		{"an optional rest left out", `^snooze 3`, "snooze", args{"days": "3"}},
	} {
		line, err := s.Parse(c.typed)
		require.NoError(t, err, "%s: %s", c.rule, c.typed)
		assert.Equal(t, command.Command{Name: c.name, Args: c.args}, line, "%s: %s", c.rule, c.typed)
		assert.True(t, command.IsCommand(c.typed), c.typed)
	}
}

func TestErrors(t *testing.T) {
	s := set(t)
	const (
		escape  = "; text that begins with ^ is written with ^^"
		all     = "; the commands are ^invite, ^assign, ^deliver, ^close, ^open, ^note, ^help, ^snooze, ^mark, ^wait"
		closing = `^close [status:"…"] [rating:0-5] [summary:"…"]`
		invite  = "^invite EMAIL"
		deliver = `^deliver TO [status:"…"] [rating:0-5] [summary:"…"] [keep:open]`
		mark    = `^mark Read|"Not Read" until:…`
		note    = "^note TEXT…"
		waiting = "^wait FOR [at-most:3d]"
		quoted  = `, and a value that begins like "name:" is written in quotes`
	)
	for _, c := range []struct {
		rule, typed, argument, reason, usage string
	}{
		{"no name", "^", "", "the name of a command must follow the ^ at once" + all + escape, ""},
		{"space before the name", "^ close", "", "the name of a command must follow the ^ at once" + all + escape, ""},
		{"unknown", "^reopen", "", `there is no command "reopen"; the nearest is ^open` + escape, ""},
		{"unknown, letters swapped", "^colse rating:2", "", `there is no command "colse"; the nearest is ^close` + escape, ""},
		{"unknown, cut", "^d", "", `there is no command "d"; the nearest is ^deliver` + escape, ""},
		{"unknown, nothing near", "^frobnicate", "", `there is no command "frobnicate"` + all + escape, ""},
		{"unknown, a face", "^_^ hello", "", `there is no command "_^"` + all + escape, ""},
		{"unknown, in other letters", "^ｏpen", "", `there is no command "ｏpen"; the nearest is ^open` + escape, ""},
		{"unknown, several lines", "^opn\nHello", "", `there is no command "opn"; the nearest is ^open` + escape, ""},
		{"invisible in the name", "^close\u200B", "", `there is no command "close\u200b"; the nearest is ^close` + escape, ""},
		{"not UTF-8", "^close \xff", "", "a command must be UTF-8", ""},
		{"several lines", "^close\nHello", "", "a command is one line, and more lines follow" + escape, closing},
		{"several lines, other breaks", "^note a\u2028b", "", "a command is one line, and more lines follow" + escape, note},
		{"several lines in quotes", "^close summary:\"a\rb\"", "", "a command is one line, and more lines follow" + escape, closing},
		{"stray", "^open sesame", "", `there is no place for "sesame"; a value of several words is written in quotes`, "^open"},
		{"stray, one too many", "^invite bob carol", "", `there is no place for "carol"; a value of several words is written in quotes`, invite},
		{"stray, unquoted", "^close status:Not Interested", "", `there is no place for "Interested"; a value of several words is written in quotes`, closing},
		{"missing positional", "^invite", "email", "EMAIL is missing", invite},
		{"missing positional, named given", "^deliver rating:2", "to", "TO is missing", deliver},
		{"missing named", "^mark read", "until", "until is missing", mark},
		{"missing rest", "^note  ", "text", "TEXT is missing", note},
		{"missing value", "^close rating: 2", "rating", "rating has no value; it is written rating:0-5", closing},
		{"missing value, at the end", "^close rating:", "rating", "rating has no value; it is written rating:0-5", closing},
		{"missing value of an unknown name", "^invite x:", "x", `there is no argument "x:"; there are no named arguments` + quoted, invite},
		{"empty value", `^close status:""`, "status", `status has no value; it is written status:"…"`, closing},
		{"blank value", "^close status:\" \u200B\u3164\"", "status", `status has no value; it is written status:"…"`, closing},
		{"blank rest", "^note \u200B", "text", "TEXT has no value", note},
		{"unknown named", "^close ratng:2", "ratng", `there is no argument "ratng:"; the named arguments are status, rating, summary` + quoted, closing},
		{"unknown named, there are none", "^invite https://x", "https", `there is no argument "https:"; there are no named arguments` + quoted, invite},
		{"positional by name", "^deliver to:bob", "to", `TO is told by its place: write it without "to:"`, deliver},
		{"twice", "^close rating:2 Rating:3", "rating", "rating is given twice", closing},
		{"unterminated", `^close status:"Not Interested`, "status", `the value that opens with " is not closed with "`, closing},
		{"unterminated by an escape", `^close status:"x\"`, "status", `the value that opens with " is not closed with "`, closing},
		{"unterminated by a backslash", `^close status:"x\`, "status", `the value that opens with " is not closed with "`, closing},
		{"unterminated, positional", `^invite “x"`, "", "the value that opens with “ is not closed with ”", invite},
		{"unknown escape", `^close status:"a\b"`, "status", `a backslash in quotes must be followed by a quote or a backslash, not by "b"; \\ stands for one`, closing},
		{"text after a quote", `^close status:"a"b`, "status", `after the closing " there must be a space; a quote in the value is written \"`, closing},
		{"quote in a word", `^close status:a"b"`, "status", `in "a\"b\"", the quotes must go around the whole value`, closing},
		{"not a number", "^close rating:five", "rating", `rating must be a whole number from 0 to 5, not "five"`, closing},
		{"no time", "^wait soon", "for", `FOR must be a time such as 30m, 2h, 3d or 2w, not "soon"`, waiting},
		{"a time without a unit", "^wait 20", "for", `FOR must be a time such as 30m, 2h, 3d or 2w, not "20"`, waiting},
		{"a time without a number", "^wait h", "for", `FOR must be a time such as 30m, 2h, 3d or 2w, not "h"`, waiting},
		{"a time in other units", "^wait 1y", "for", `FOR must be a time such as 30m, 2h, 3d or 2w, not "1y"`, waiting},
		{"a time of two parts", "^wait 1h30m", "for", `FOR must be a time such as 30m, 2h, 3d or 2w, not "1h30m"`, waiting},
		{"a time before now", "^wait 2h at-most:-1h", "at-most", `at-most must be a time such as 30m, 2h, 3d or 2w, not "-1h"`, waiting},
		{"too long a time", "^wait 99999h", "for", `FOR must be a time such as 30m, 2h, 3d or 2w, not "99999h"`, waiting},
		{"a time in other digits", "^wait \u0662h", "for", `FOR must be a time such as 30m, 2h, 3d or 2w, not "٢h"`, waiting},
		{"above the range", "^close rating:6", "rating", `rating must be a whole number from 0 to 5, not "6"`, closing},
		{"below the range", "^snooze 0", "days", `DAYS must be a whole number from 1 to 90, not "0"`, "^snooze 1-90 [REASON…]"},
		{"a sign", "^close rating:-1", "rating", `rating must be a whole number from 0 to 5, not "-1"`, closing},
		{"other digits", "^close rating:３", "rating", `rating must be a whole number from 0 to 5, not "３"`, closing},
		{"overflow", "^close rating:99999999999999999999", "rating", `rating must be a whole number from 0 to 5, not "99999999999999999999"`, closing},
		{"none of", "^deliver bob keep:closed", "keep", `keep must be open, not "closed"`, deliver},
		{"none of several", "^mark unread until:x", "as", `AS must be Read or "Not Read", not "unread"`, mark},
		{"two words", `^invite "bob carol"`, "email", `EMAIL must be one word, not "bob carol"`, invite},
		{"invisible in a word", "^invite \u202Abob@x.example", "email", "EMAIL must not contain invisible characters such as U+202A", invite},
		{"invisible in a name", "^close status:\"a\u200Db\"", "status", "status must not contain invisible characters such as U+200D", closing},
		{"control character", "^note a\x1b[2Jb", "text", "TEXT must not contain control characters such as U+001B", note},
		{"tab in a value", "^close summary:\"a\tb\"", "summary", "summary must not contain control characters such as U+0009", closing},
		{
			"long foreign text is cut", "^open " + strings.Repeat("é", 41), "",
			`there is no place for "` + strings.Repeat("é", 40) + `…"; a value of several words is written in quotes`, "^open",
		},
	} {
		line, err := s.Parse(c.typed)
		assert.Nil(t, line, "%s: %s", c.rule, c.typed)
		var e *command.Error
		require.ErrorAs(t, err, &e, "%s: %s", c.rule, c.typed)
		name := ""
		if c.usage != "" {
			name = strings.TrimPrefix(strings.Fields(c.usage)[0], "^")
		}
		assert.Equal(t, command.Error{Command: name, Argument: c.argument, Reason: c.reason, Usage: c.usage}, *e, "%s: %s", c.rule, c.typed)
	}
}

// Threat F8: each limit at its value, one above, and at 1 MiB.
func TestF8Limits(t *testing.T) {
	const mib = 1 << 20
	s := set(t)
	parse := func(message string) error {
		line, err := s.Parse(message)
		assert.Equal(t, err == nil, line != nil)
		if err != nil {
			assert.Less(t, len(err.Error()), 1000, "an error does not grow with the input")
		}
		return err
	}
	padded := func(front string, size int) string { return front + strings.Repeat("x", size-len(front)) }

	for _, front := range []string{"^note ", `^assign `, "^close summary:"} {
		require.NoError(t, parse(padded(front, command.MaxLine)))
		for _, size := range []int{command.MaxLine + 1, mib} {
			require.EqualError(t, parse(padded(front, size)), fmt.Sprintf(
				"a command has at most 8192 bytes, this one has %d; text that begins with ^ is written with ^^", size))
		}
	}
	require.NoError(t, parse(strings.Repeat(" ", command.MaxLine-5)+"^open"))
	for _, pad := range []int{command.MaxLine - 4, mib} {
		require.ErrorContains(t, parse(strings.Repeat(" ", pad)+"^open"), "at most 8192 bytes")
		require.ErrorContains(t, parse("^open"+strings.Repeat(" ", pad)), "at most 8192 bytes")
		require.ErrorContains(t, parse(strings.Repeat("\u200B", pad/3+2)+"^"), "at most 8192 bytes")
	}

	params := make([]command.Param, command.MaxArguments)
	for i := range params {
		params[i] = command.Param{Name: fmt.Sprintf("p%d", i), Named: i%2 == 0}
	}
	longest := strings.Repeat("n", command.MaxName)
	wide, err := command.NewSet(command.Spec{Name: longest, Help: "has it all", Params: params})
	require.NoError(t, err)
	line := "^" + longest
	for i, p := range params {
		if p.Named {
			line += " " + p.Name + ":v"
		} else {
			line += fmt.Sprintf(" v%d", i)
		}
	}
	got, err := wide.Parse(line)
	require.NoError(t, err)
	c, ok := got.(command.Command)
	require.True(t, ok)
	require.Len(t, c.Args, command.MaxArguments)
	for _, more := range []string{" v", " q:v", strings.Repeat(" v", 1000)} {
		_, err = wide.Parse(line + more)
		require.ErrorContains(t, err, "a command has at most 32 arguments")
	}
	_, err = wide.Parse("^n" + longest)
	require.ErrorContains(t, err, `the name of a command has at most 32 bytes, "n`+longest+`" is longer`)
	require.ErrorContains(t, parse(padded("^", command.MaxLine)), "the name of a command has at most 32 bytes")
	require.ErrorContains(t, parse(padded("^close ", command.MaxLine-1)+":"), "there is no argument")
}

// Only A to Z are the same in small letters: no letter of another script is one of a name.
func TestF7_LettersThatOnlyUnicodeWouldFold(t *testing.T) {
	set, err := command.NewSet(command.Spec{Name: "kick-skills", Help: "x"})
	require.NoError(t, err)
	_, err = set.Parse("^KICK-SKILLS")
	require.NoError(t, err)
	for _, line := range []string{"^\u212Aick-skills", "^kick-\u017Fkills", "^k\u0131ck-skills"} {
		_, err = set.Parse(line)
		require.Error(t, err, line)
	}
}

func TestArgsInt(t *testing.T) {
	args := command.Args{"rating": "0"}
	n, given := args.Int("rating")
	assert.True(t, given)
	assert.Zero(t, n)
	_, given = args.Int("days")
	assert.False(t, given)
	_, given = command.Args(nil).Int("rating")
	assert.False(t, given)
}

// Every command that is written from values, in any order of its arguments and any style of
// quoting, is parsed into the same values.
func TestQuotedValuesComeBack(t *testing.T) {
	s := set(t)
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("ab Z09:^\\\"“”„'«-_.@éß中👩\u00A0\u3000")
	joiners := []rune("\u200C\u200D\u200F\uFE0F")
	value := func(alphabet []rune) string {
		for {
			runes := make([]rune, 1+random.IntN(12))
			for i := range runes {
				runes[i] = alphabet[random.IntN(len(alphabet))]
			}
			if strings.ContainsFunc(string(runes), func(r rune) bool { return !strings.ContainsRune(" \u00A0\u3000\u200C\u200D\u200F\uFE0F", r) }) {
				return string(runes)
			}
		}
	}
	smart := strings.NewReplacer(`\`, `\\`, `“`, `\“`, `”`, `\”`)
	quote := func(value string) string {
		switch open := []string{"“", "”", "„"}[random.IntN(3)]; random.IntN(2) {
		case 0:
			return open + smart.Replace(value) + []string{"“", "”"}[random.IntN(2)]
		default:
			return command.Quote(value)
		}
	}
	for range 5_000 {
		args := command.Args{"to": value(alphabet)}
		typed := []string{quote(args["to"])}
		named := func(name, value string) {
			args[name] = value
			typed = append(typed, name+":"+quote(value))
		}
		if random.IntN(2) == 0 {
			named("status", value(alphabet))
		}
		if random.IntN(2) == 0 {
			named("summary", value(append(joiners, alphabet...)))
		}
		if random.IntN(2) == 0 {
			named("rating", fmt.Sprint(random.IntN(6)))
		}
		if random.IntN(2) == 0 {
			named("keep", "open")
		}
		random.Shuffle(len(typed), func(i, j int) { typed[i], typed[j] = typed[j], typed[i] })
		message := "^deliver " + strings.Join(typed, " ")
		line, err := s.Parse(message)
		require.NoError(t, err, message)
		require.Equal(t, command.Command{Name: "deliver", Args: args}, line, message)
	}
}

func Example() {
	set, err := command.NewSet(
		command.Spec{Name: "note", Help: "write what only the team sees", Params: []command.Param{
			{Name: "text", Kind: command.Rest, Required: true},
		}},
		command.Spec{Name: "close", Help: "close the conversation", Params: []command.Param{
			{Name: "status", Kind: command.Name, Named: true},
			{Name: "rating", Kind: command.Integer, Named: true, Max: 5},
		}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, typed := range []string{
		"Hello, is the job still open?",
		`^close status:“Not Interested” rating:2`,
		"^note call her on Monday",
		"^^ the answer is above",
		"^close rating:9",
		"^colse",
	} {
		line, err := set.Parse(typed)
		switch line := line.(type) {
		case command.Text:
			fmt.Printf("send %q\n", line)
		case command.Command:
			fmt.Printf("run %s %q\n", line.Name, line.Args)
		default:
			fmt.Println("tell the author:", err)
		}
	}
	// Output:
	// send "Hello, is the job still open?"
	// run close map["rating":"2" "status":"Not Interested"]
	// run note map["text":"call her on Monday"]
	// send "^ the answer is above"
	// tell the author: ^close: rating must be a whole number from 0 to 5, not "9" (usage: ^close [status:"…"] [rating:0-5])
	// tell the author: there is no command "colse"; the nearest is ^close; text that begins with ^ is written with ^^
}

func ExampleError() {
	set, err := command.NewSet(command.Spec{Name: "invite", Help: "invite a guest", Params: []command.Param{
		{Name: "email", Kind: command.Word, Required: true},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = set.Parse("^invite")
	var e *command.Error
	if errors.As(err, &e) {
		fmt.Println(e.Reason)
		fmt.Println("write", e.Usage)
	}
	// Output:
	// EMAIL is missing
	// write ^invite EMAIL
}

func ExampleQuote() {
	fmt.Println("^close summary:" + command.Quote(`said "yes" on Monday`))
	// Output:
	// ^close summary:"said \"yes\" on Monday"
}
