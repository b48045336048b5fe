package outbox

import (
	"fmt"
	"slices"
)

// Lanes say who has to be told of what: for each lane, by its name, the kinds of events that it
// takes; one that names none takes all. A lane is a way out of the log to one sink, with a progress of its own:
// what fails in one, waits in it or is buried there is nothing to the others.
//
// Which lanes an event takes is decided when it is written. So every process that writes must
// know the same lanes, whether it runs a relay or not; a lane that is added takes events from
// then on, and one that is given up keeps what is left in it until [Source.ForgetLane].
type Lanes map[string][]string

// MaxLane is the longest name of a lane, in bytes.
const MaxLane = 64

// Check answers an error unless each lane has a name of 1 to 64 of the characters a-z, 0-9 and
// hyphen.
func (l Lanes) Check() error {
	for name := range l {
		if !validLane(name) {
			return fmt.Errorf("outbox: the name of a lane must have 1 to %d of a-z, 0-9 and '-'", MaxLane)
		}
	}
	return nil
}

func validLane(name string) bool {
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-':
		default:
			return false
		}
	}
	return name != "" && len(name) <= MaxLane
}

// Of lists the lanes that take events of the kind, by name.
func (l Lanes) Of(kind string) []string {
	var names []string
	for name, kinds := range l {
		if len(kinds) == 0 || slices.Contains(kinds, kind) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
