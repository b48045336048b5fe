package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// played is how a run went.
type played struct {
	code        int
	out, errors string
}

func play(t *testing.T, stdin string, arguments ...string) played {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), arguments, strings.NewReader(stdin), &out, &errs)
	return played{code, out.String(), errs.String()}
}

// telling is a run of a story that the test writes.
func telling(t *testing.T, lines ...string) played {
	t.Helper()
	return play(t, strings.Join(lines, "\n")+"\n", "-story", "-")
}

// house is a story's beginning: Alice manages Sales, and Bob is a member.
var house = []string{
	"alice: sign up as alice@acme.example !ok",
	"alice: create account Acme !ok",
	"alice: create team Sales with number +15550100 !ok",
	"alice: invite bob@acme.example as member !ok",
	"bob: sign up as bob@acme.example !ok",
	"bob: accept !ok",
}

func in(lines ...string) []string { return append(append([]string{}, house...), lines...) }

func TestDefaultStory(t *testing.T) {
	t.Parallel()
	got := play(t, "")
	require.Empty(t, got.errors)
	require.Equal(t, asTold, got.code)
	golden := filepath.Join("testdata", "default.golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got.out), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err, "go test ./examples/quickstart -update writes it")
	told, expected := strings.Split(got.out, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(told), len(expected)) {
		require.Equal(t, expected[i], told[i], "line %d of %s; -update writes it anew", i+1, golden)
	}
	require.Len(t, told, len(expected))

	// What begins with a caret is seen by no contact: it is on nobody's screen.
	for line := range strings.Lines(got.out) {
		if strings.HasPrefix(line, strings.Repeat(" ", 11)) {
			assert.NotContains(t, line, "^")
		}
	}
}

func TestSecondRunContinues(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "we?ird #1 %20.db")
	first := play(t, "", "-db", db)
	require.Equal(t, asTold, first.code, first.errors)
	require.FileExists(t, db)
	assert.NotContains(t, first.out, "earlier run")
	again := play(t, "", "-db", db)
	require.Equal(t, asTold, again.code, again.errors)
	for _, told := range []string{
		"on the database that an earlier run left in " + db,
		"= Alice is known from an earlier run",
		"= Alice holds it from an earlier run",
		"= Sales is there from an earlier run",
		"= bob@acme.example is in the team from an earlier run",
		"= Bob is a member of Sales from an earlier run",
		"; 13 done by an earlier run.",
	} {
		assert.Contains(t, again.out, told)
	}
	cards := func(out string) int { return strings.Count(out, " wants a contract\n") }
	assert.Equal(t, 1, cards(first.out))
	assert.Equal(t, 2, cards(again.out), "the cards of both runs")
	healthy(t, db)
}

// What an earlier run did is ok only if it is what the step asks for.
func TestEarlierRunIsNoExcuse(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "story.db")
	stdin := strings.Join(house, "\n")
	require.Equal(t, asTold, play(t, stdin, "-story", "-", "-db", db).code)

	for _, lines := range [][]string{
		in("alice: invite bob@acme.example as manager !ok"),
		in("alice: create team Sales with number +15550199 !ok"),
		in("alice: create team Sales with number +15550100 !ok", "bob: leave", "bob: accept !ok"),
		in("eve: sign up as eve@acme.example", "eve: accept !ok"),
	} {
		got := play(t, strings.Join(lines, "\n"), "-story", "-", "-db", db)
		assert.Equal(t, otherwise, got.code, lines)
		assert.Contains(t, got.errors, "(what an earlier run left in the database may be why)")
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line, errors string
	}{
		"as it is":              {"bob: check dashboard: read !ok", ""},
		"without a mark":        {"bob: check member: invite", ""},
		"refused":               {"bob: check member: invite !denied", ""},
		"not as hoped":          {"bob: check member: invite !ok", "standard input:7: marked !ok, turned out denied"},
		"not as feared":         {"bob: check dashboard: read !denied", "standard input:7: marked !denied, turned out ok"},
		"refused for another":   {"alice: leave !denied", "standard input:7: marked !denied, turned out conflict"},
		"of the host's own":     {"alice: switch to Nowhere !not-found", ""},
		"nobody has written":    {"bob: Hello? !not-found", ""},
		"an unknown command":    {"bob: ^frobnicate !not-found", ""},
		"what is said ends !so": {"contact +15551230001: Great! !ok", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := telling(t, in(c.line)...)
			if c.errors == "" {
				assert.Equal(t, asTold, got.code, got.errors)
				assert.Empty(t, got.errors)
				return
			}
			assert.Equal(t, otherwise, got.code)
			assert.Equal(t, "quickstart: the story turned out otherwise\n"+c.errors+"\n", got.errors)
			assert.Contains(t, got.out, "! the story says !")
			assert.Contains(t, got.out, "What was refused", "a story is told to its end")
		})
	}
}

// Every action is played at least once, here or in the default story.
func TestEveryAction(t *testing.T) {
	t.Parallel()
	lines := in(
		"alice: create team Quiet !ok",
		"contact +15551230001 to Quiet: Is anybody there? !not-found",
		"alice: switch to sales !ok",
		"alice: list teams !ok",
		"bob: list members !ok",
		"alice: make bob manager !ok",
		"bob: make alice member !ok",
		"alice: check audit: read !denied",
		"bob: make bob member !conflict",
		"bob: invite carol@client.example as restricted !ok",
		"bob: invite carol@client.example as member !conflict",
		"bob: resend invitation carol@client.example !ok",
		"carol: sign up as carol@client.example",
		"carol: read mail !ok",
		"bob: revoke invitation carol@client.example !ok",
		"carol: accept !conflict",
		"bob: invite dana@acme.example as member !ok",
		"dana: sign up as dana@acme.example",
		"dana: decline !ok",
		"dana: accept !conflict",
		"contact +15551230001: Hello",
		"alice: take the next !ok",
		"bob: ^claim !conflict",
		"alice: ^release !ok",
		"bob: say hi, what can we do for you? !ok",
		"bob: ^invite carol@client.example !ok",
		"carol: accept !ok",
		"carol: accept !conflict",
		"carol: read +15551230001 !ok",
		"bob: ^help !ok",
		"bob: ^help deliver !ok",
		"bob: ^assign me !ok",
		"alice: ^assign me !conflict",
		"bob: edit contact email maya@home.example !ok",
		"bob: edit contact email nonsense !invalid",
		`bob: edit contact email "" !ok`,
		`bob: edit contact notes "calls back" !ok`,
		"bob: revoke guest carol !ok",
		"carol: read +15551230001 !not-found",
		"bob: ^deliver eve@rival.example !ok",
		"bob: ^deliver dana@acme.example !conflict",
		"bob: revoke invitation eve@rival.example !ok",
		"bob: remove carol !ok",
		"alice: leave !ok",
		"alice: switch to Quiet !ok",
	)
	got := telling(t, lines...)
	require.Equal(t, asTold, got.code, "%s\n%s", got.errors, got.out)
	assert.Contains(t, got.out, "conflict: an invitation to this address is pending")
	assert.Contains(t, got.out, "conflict: the invitation was accepted before")
	assert.Contains(t, got.out, "conflict: the conversation is assigned to Bob")
	assert.NotRegexp(t, `[0-9a-f]{8}-[0-9a-f]{4}-`, got.out, "no ids in what people read")

	told := map[string]bool{}
	for _, text := range []string{strings.Join(lines, "\n"), defaultStory} {
		s, err := parseStory("story", strings.NewReader(text))
		require.NoError(t, err)
		for _, l := range s.lines {
			if l.step != nil {
				told[l.step.rule.form] = true
			}
		}
	}
	for _, r := range append(actions, letters...) {
		assert.True(t, told[r.form], "no story here plays %q", r.form)
	}
}

// pen writes what the story tells, and does something once it has told a text.
type pen struct {
	bytes.Buffer
	until string
	then  func()
}

func (p *pen) Write(text []byte) (int, error) {
	n, err := p.Buffer.Write(text)
	if strings.Contains(p.String(), p.until) {
		p.then()
	}
	return n, err
}

// An interrupt leaves nothing half done: the story can be told again on the same database,
// also where an invitation or a delivery was waiting for its answer.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for name, until := range map[string]string{
		"invited to a team": "invites bob@acme.example",
		"guest invited":     "types: ^invite carol@client.example",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := filepath.Join(t.TempDir(), "story.db")
			ctx, cancel := context.WithCancel(t.Context())
			out, errs := &pen{until: until, then: cancel}, &bytes.Buffer{}
			require.Equal(t, otherwise, run(ctx, []string{"-db", db}, strings.NewReader(""), out, errs))
			assert.Regexp(t, `^quickstart: default\.story:\d+: the story ends before this line: interrupted\n$`, errs.String())
			healthy(t, db)

			again := play(t, "", "-db", db)
			assert.Equal(t, asTold, again.code, again.errors)
			healthy(t, db)
		})
	}
}

// A delivery whose answer an interrupted run did not wait for is asked for again.
func TestInterruptedDelivery(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "story.db")
	lines := in(
		"contact +15551230001: Hello",
		"bob: ^deliver eve@rival.example !ok",
	)
	require.Equal(t, asTold, play(t, strings.Join(lines, "\n"), "-story", "-", "-db", db).code)
	lines = append(lines, "bob: ^deliver eve@rival.example !conflict", "eve: sign up as eve@rival.example", "eve: accept !ok", "eve: read +15551230001 !ok")
	got := play(t, strings.Join(lines, "\n"), "-story", "-", "-db", db)
	require.Equal(t, asTold, got.code, got.errors)
	assert.Contains(t, got.out, "the invitation is sent again")
	assert.Regexp(t, `eve@rival\.example +Delivered +- +completed`, got.out)
}

// healthy asks SQLite whether the file is sound.
func healthy(t *testing.T, file string) {
	t.Helper()
	name, err := dataSource(file)
	require.NoError(t, err)
	db, err := sql.Open("sqlite", name)
	require.NoError(t, err)
	defer db.Close()
	var verdict string
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict))
	assert.Equal(t, "ok", verdict)
	var orphans int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM pragma_foreign_key_check").Scan(&orphans))
	assert.Zero(t, orphans)
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	help := play(t, "", "-h")
	assert.Equal(t, asTold, help.code)
	assert.Empty(t, help.errors)
	for _, r := range actions {
		assert.Contains(t, help.out, "  "+r.form+" ")
	}
	for _, arguments := range [][]string{{"-tale", "x"}, {"my.story"}, {"-db"}} {
		got := play(t, "", arguments...)
		assert.Equal(t, misused, got.code, arguments)
		assert.Contains(t, got.errors, "usage: quickstart", arguments)
		assert.Empty(t, got.out)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "my.story")
	require.NoError(t, os.WriteFile(file, []byte("alice: sign up as alice@acme.example !ok\n"), 0o600))
	assert.Equal(t, asTold, play(t, "", "-story", file).code)

	missing := play(t, "", "-story", filepath.Join(folder, "none.story"))
	assert.Equal(t, otherwise, missing.code)
	assert.Contains(t, missing.errors, "none.story")
	assert.Empty(t, missing.out)

	for _, bad := range []string{folder, file, filepath.Join(folder, "none", "story.db")} {
		got := play(t, "", "-db", bad)
		assert.Equal(t, otherwise, got.code)
		assert.Contains(t, got.errors, bad)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	assert.Equal(t, otherwise, run(t.Context(), nil, strings.NewReader(""), full{}, &errs))
	assert.Contains(t, errs.String(), "no space left")
}
