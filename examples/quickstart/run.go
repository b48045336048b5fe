package main

import (
	"bufio"
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/sqlite"
)

// The exit codes.
const (
	asTold    = 0 // every marked step turned out as the story says
	otherwise = 1 // a marked step did not, or the story could not be told to its end
	misused   = 2 // the command line is wrong
)

//go:embed stories/default.story
var defaultStory string

const usage = `usage: quickstart [-story FILE] [-db FILE]

Plays a story against usher on an SQLite database and tells what usher decided.

  -story FILE   the story to play; - reads standard input (default: one that shows it all)
  -db FILE      keep the database in this file; a second run goes on with it
                (default: a temporary one)

Exit code: 0 if every marked step turned out as the story says, 1 if one did not or the story
could not be told to its end, 2 for a wrong command line.

`

// run is the program: it answers the exit code.
func run(ctx context.Context, arguments []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	storyFile := flags.String("story", "", "")
	database := flags.String("db", "", "")
	err := flags.Parse(arguments)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		explain(stdout)
		return asTold
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(stderr, "quickstart: %v\n%s", err, usage)
		return misused
	}
	play, err := readStory(*storyFile, stdin)
	if err == nil {
		err = tell(ctx, play, *database, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "quickstart: %v\n", err)
		return otherwise
	}
	return asTold
}

// readStory reads the story from where the flag says.
func readStory(file string, stdin io.Reader) (story, error) {
	switch file {
	case "":
		return parseStory("default.story", strings.NewReader(defaultStory))
	case "-":
		return parseStory("standard input", stdin)
	}
	f, err := os.Open(file) //nolint:gosec // named by the person who runs the program
	if err != nil {
		return story{}, err
	}
	defer f.Close()
	return parseStory(file, f)
}

// tell plays the story on a database and prints it.
func tell(ctx context.Context, play story, file string, stdout io.Writer) (err error) {
	where := "a new database"
	if file == "" {
		folder, err := os.MkdirTemp("", "usher-quickstart-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(folder) }()
		file = filepath.Join(folder, "story.db")
	} else if used, err := os.Stat(file); err == nil && used.Size() > 0 {
		where = "the database that an earlier run left in " + file
	}
	s, closeDB, err := open(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB()) }()

	out := bufio.NewWriter(stdout)
	fmt.Fprintf(out, "usher quickstart: %s, on %s\n", play.name, where)
	err = s.play(ctx, play, out)
	if full := out.Flush(); err == nil {
		err = full
	}
	return err
}

// open wires usher on an SQLite file, as a host would.
func open(ctx context.Context, file string) (s *stage, closeDB func() error, err error) {
	name, err := dataSource(file)
	if err != nil {
		return nil, nil, err
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", file, errors.Join(err, db.Close()))
		}
	}()
	store, err := sqlite.New(db) //nolint:contextcheck // it takes none, and waits no longer than a moment
	if err != nil {
		return nil, nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, nil, err
	}
	mail := &invite.Captured{}
	u, err := usher.New(store, usher.WithMailer(mail), usher.WithInviteURL("https://acme.example/join"))
	if err != nil {
		return nil, nil, err
	}
	return newStage(u, store, mail), db.Close, nil
}

// dataSource names a file so that no character of its name means anything to the driver.
func dataSource(file string) (string, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/stories has a root of its own
	}
	return (&url.URL{Scheme: "file", Path: path}).String(), nil
}

// play performs the story line by line and ends with the tables.
func (s *stage) play(ctx context.Context, play story, out *bufio.Writer) error {
	n := narrator{w: out}
	var steps []told
	for _, l := range play.lines {
		switch {
		case l.heading != "":
			n.heading(l.heading)
		case l.step == nil:
			n.remark(l.remark)
		default:
			t, err := s.perform(ctx, l.number, *l.step)
			if err != nil && ctx.Err() != nil {
				err = errors.New("interrupted")
			}
			if err != nil {
				return fmt.Errorf("%s:%d: the story ends before this line: %w", play.name, l.number, err)
			}
			n.step(t)
			steps = append(steps, t)
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	if err := s.outcomes(ctx, out); err != nil {
		return err
	}
	refused(out, steps)
	return compared(play.name, steps, out)
}

// compared says how the story's marks fared. The error names the steps that turned out
// otherwise.
func compared(name string, steps []told, out *bufio.Writer) error {
	var wrong []string
	marked, again := 0, 0
	for _, t := range steps {
		if t.mark != "" {
			marked++
		}
		if t.answer.again {
			again++
		}
		if t.otherwise() {
			wrong = append(wrong, fmt.Sprintf("%s:%d: marked !%s, turned out %s", name, t.line, t.mark, t.verdict))
		}
	}
	fmt.Fprintf(out, "\n%s, %d marked, %d of these as the story says", count(len(steps), "step"), marked, marked-len(wrong))
	if again > 0 {
		fmt.Fprintf(out, "; %d done by an earlier run", again)
	}
	fmt.Fprint(out, ".\n")
	if wrong == nil {
		return nil
	}
	if again > 0 {
		wrong = append(wrong, "(what an earlier run left in the database may be why)")
	}
	return errors.New("the story turned out otherwise\n" + strings.Join(wrong, "\n"))
}
