package conversation_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

var update = flag.Bool("update", false, "write what is generated into the docs")

// spec6 is the table of SPEC 6, typed by hand and not derived from the code. An event that leaves
// the state as it is changes nothing, but for a snooze until another time.
const spec6 = `
from    | start | inbound | snooze  | timer | open | close  | idle
        | open  | open    | -       | -     | -    | -      | -
open    | open  | open    | snoozed | -     | open | closed | closed
snoozed | open  | open    | snoozed | open  | open | closed | -
closed  | open  | open    | -       | -     | open | closed | -
`

func TestTableIsThatOfTheSpec(t *testing.T) {
	var rows [][]string
	for line := range strings.Lines(strings.TrimSpace(spec6)) {
		cells := strings.Split(line, "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	require.Len(t, rows, 2+len(conversation.Statuses()))
	require.Len(t, rows[0], 1+len(conversation.Events()))
	for _, row := range rows[1:] {
		for i, cell := range row[1:] {
			status, event := conversation.Status(row[0]), conversation.Event(rows[0][i+1])
			next, err := status.After(event)
			assert.Equal(t, cell != "-", status.Can(event), "%s, %s", status, event)
			if cell != "-" {
				assert.NoError(t, err, "%s, %s", status, event)
				assert.Equal(t, conversation.Status(cell), next, "%s, %s", status, event)
				continue
			}
			var refused *conversation.StateError
			require.ErrorAs(t, err, &refused, "%s, %s", status, event)
			assert.Equal(t, conversation.StateError{Status: status, Event: event}, *refused)
			require.ErrorIs(t, err, tenancy.ErrConflict)
			assert.Equal(t, status == conversation.Closed, errors.Is(err, conversation.ErrClosed))
			assert.Empty(t, next)
		}
	}
}

func TestUnknownStatusAndEventAreRefused(t *testing.T) {
	for _, status := range []conversation.Status{"Open", "open ", "\u200bopen", "archived"} {
		for _, event := range conversation.Events() {
			assert.False(t, status.Can(event), "%q", status)
		}
	}
	assert.False(t, conversation.Open.Can("accept"))
}

// The page in the docs is drawn from the tables. `go generate ./conversation` writes it.
func TestStatesInTheDocs(t *testing.T) {
	const page = "../docs/conversation-states.md"
	want := statesPage(t)
	if *update {
		require.NoError(t, os.WriteFile(page, want, 0o600))
	}
	got, err := os.ReadFile(page)
	require.NoError(t, err, "go generate ./conversation writes it")
	assert.Equal(t, string(want), string(got), "go generate ./conversation brings it up to date")
}

func statesPage(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("# The states of a conversation\n\n" +
		"Written by `go generate ./conversation` from the tables in `conversation/state.go` and\n" +
		"`conversation/access.go`; do not edit. What the states mean is in [conversations](conversations.md).\n\n" +
		"```mermaid\nstateDiagram-v2\n")
	from := append([]conversation.Status{""}, conversation.Statuses()...)
	for _, status := range from {
		var events []string
		to := map[conversation.Status][]string{}
		for _, event := range conversation.Events() {
			if next, err := status.After(event); err == nil && (next != status || event == conversation.OnSnooze) {
				to[next] = append(to[next], string(event))
				events = append(events, string(event))
			}
		}
		require.NotEmpty(t, events)
		for _, next := range conversation.Statuses() {
			if to[next] != nil {
				name := string(status)
				if status == "" {
					name = "[*]"
				}
				fmt.Fprintf(&b, "    %s --> %s: %s\n", name, next, strings.Join(to[next], ", "))
			}
		}
	}
	b.WriteString("```\n\n| from \\ event |")
	for _, event := range conversation.Events() {
		fmt.Fprintf(&b, " %s |", event)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(conversation.Events())) + "\n")
	for _, status := range from {
		name := string(status)
		if status == "" {
			name = "(none yet)"
		}
		fmt.Fprintf(&b, "| %s |", name)
		for _, event := range conversation.Events() {
			cell := "–"
			if next, err := status.After(event); err == nil {
				cell = string(next)
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	b.WriteString("\nAn event that leaves the state as it is changes nothing, but for a snooze until another time.\n\n" +
		"## What each state allows\n\n" +
		"Where a role may do something at all, this is what is left of it. The same rows hold for members and\n" +
		"guests: – is `conversation.ErrClosed`, and a blank what the role lacks in any state.\n\n" +
		"| permission | member: open | snoozed | closed | guest: open | snoozed | closed |\n|---|:-:|:-:|:-:|:-:|:-:|:-:|\n")
	for _, row := range allowances(t) {
		b.WriteString(row)
	}
	return b.Bytes()
}

// allowances asks a conversation in each state what its member and its guest may do to it.
func allowances(t *testing.T) []string {
	t.Helper()
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	actors := []tenancy.Actor{w.bob, w.Guest(w.bob, c.ID, "carol")}
	may := map[tenancy.Actor][]tenancy.Capabilities{}
	for _, event := range []func() (conversation.Conversation, error){
		func() (conversation.Conversation, error) { return w.Conversations.Open(t.Context(), w.bob, c.ID) },
		func() (conversation.Conversation, error) {
			return w.Conversations.Snooze(t.Context(), w.bob, c.ID, w.Clock.Now().Add(time.Hour))
		},
		func() (conversation.Conversation, error) { return w.Conversations.Close(t.Context(), w.bob, c.ID, "") },
	} {
		_, err := event()
		require.NoError(t, err)
		for _, actor := range actors {
			can, err := w.Conversations.Capabilities(t.Context(), actor, c.ID)
			require.NoError(t, err)
			may[actor] = append(may[actor], can)
		}
	}
	var rows []string
	for _, one := range may[w.bob][0] {
		row := "| " + one.Permission.String() + " |"
		for _, actor := range actors {
			for _, can := range may[actor] {
				err := can.Of(one.Permission)
				cell := map[bool]string{true: "✓"}[err == nil]
				if errors.Is(err, conversation.ErrClosed) {
					cell = "–"
				} else if err != nil {
					require.ErrorIs(t, err, rbac.ErrDenied)
				}
				row += " " + cell + " |"
			}
		}
		rows = append(rows, row+"\n")
	}
	return rows
}
