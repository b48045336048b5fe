package ushertest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Events lists what has happened in the team and its conversations, oldest first, as kinds such
// as [tenancy.MemberJoined].
func (w *World) Events(team string) []string {
	w.t.Helper()
	var kinds []string
	for _, e := range w.log(team) {
		kinds = append(kinds, e.kind)
	}
	return kinds
}

// HasEvent asserts that something of the kind has happened in the team or its conversations,
// with the facts given, if any, among its own.
func (w *World) HasEvent(team, kind string, facts tenancy.Facts) {
	w.t.Helper()
	wanted := event{kind, facts}
	told := []string{w.tell(wanted)}
	for _, e := range w.log(team) {
		if e.is(wanted) {
			return
		}
		told = append(told, w.tell(e))
	}
	w.t.Errorf("ushertest: in %s should have happened the first of these, but only the others have:\n  %s", team, strings.Join(told, "\n  "))
}

// HasNoEvent asserts that nothing of the kind has happened in the team or its conversations.
func (w *World) HasNoEvent(team, kind string) {
	w.t.Helper()
	for _, e := range w.log(team) {
		if e.kind == kind {
			w.t.Errorf("ushertest: in %s should not have happened:\n  %s", team, w.tell(e))
		}
	}
}

// event is what tests ask about of an event.
type event struct {
	kind  string
	facts tenancy.Facts
}

// is reports whether the event is of the kind that is wanted, with the facts among its own.
func (e event) is(wanted event) bool {
	for name, value := range wanted.facts {
		if told, ok := e.facts[name]; !ok || told != value {
			return false
		}
	}
	return e.kind == wanted.kind
}

// tell prints an event on one line, with people and teams by name.
func (w *World) tell(e event) string {
	line := []string{e.kind}
	for _, fact := range slices.Sorted(maps.Keys(e.facts)) {
		line = append(line, fact+"="+w.name(e.facts[fact]))
	}
	return strings.Join(line, " ")
}

// log has the events of the team, oldest first.
func (w *World) log(team string) []event {
	w.t.Helper()
	found, err := w.Store.TeamEvents(w.t.Context(), w.TeamNamed(team).ID.UUID(), outbox.LogFilter{}, time.Time{}, [16]byte{}, everything.Limit)
	w.must(err)
	var log []event
	for _, e := range slices.Backward(found) {
		told := event{kind: e.Kind}
		w.must(json.Unmarshal(e.Payload, &told.facts))
		log = append(log, told)
	}
	return log
}
