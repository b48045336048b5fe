package tenancy

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

// Env is what the rooms draw from outside: the clock, the source of ids, and who has to be told
// of what happens. The zero Env uses the system's clock and random UUIDv7, and tells nobody.
type Env struct {
	Clock func() time.Time
	IDs   func() uuid.UUID
	Lanes outbox.Lanes
}

// Now reads the clock: UTC, cut to microseconds, which every store keeps exactly. An
// operation reads it once.
func (e Env) Now() time.Time {
	if e.Clock == nil {
		return time.Now().UTC().Truncate(time.Microsecond)
	}
	return e.Clock().UTC().Truncate(time.Microsecond)
}

func (e Env) newUUID() uuid.UUID {
	if e.IDs == nil {
		return uuid.Must(uuid.NewV7()) // fails only when the system has no randomness
	}
	return e.IDs()
}

// NewID makes an id, whose kind follows from where it is used.
func NewID[I ~[16]byte](e Env) I { return I(e.newUUID()) }

// Facts are the payload of an event: ids and states by name, never personal data.
type Facts map[string]string

// Place is where a change happened: its stream and the account and team that own it.
type Place struct {
	Account AccountID
	Team    TeamID
	Stream  outbox.Stream
}

// Event describes one change, ready to be appended.
func (e Env) Event(by Principal, at time.Time, where Place, kind string, facts Facts) outbox.Event {
	payload, err := json.Marshal(facts)
	if err != nil {
		panic(err) // a map of strings always marshals
	}
	return outbox.Event{
		ID: e.newUUID(), Stream: where.Stream,
		Account: where.Account.UUID(), Team: where.Team.UUID(),
		Kind: kind, Version: 1, Principal: by.Principal(), At: at, Payload: payload, Lanes: e.Lanes.Of(kind),
	}
}
