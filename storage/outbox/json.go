package outbox

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// jsonTime is RFC 3339 with microseconds, all six digits of them, so that texts sort as times do.
const jsonTime = "2006-01-02T15:04:05.000000Z07:00"

// jsonEvent is an event as [Event.MarshalJSON] describes it.
type jsonEvent struct {
	Type      string          `json:"type"`
	ID        uuid.UUID       `json:"id"`
	Stream    jsonStream      `json:"stream"`
	Sequence  int64           `json:"sequence"`
	Account   uuid.NullUUID   `json:"account"`
	Team      uuid.NullUUID   `json:"team"`
	Version   int             `json:"version"`
	Principal string          `json:"principal"`
	Time      string          `json:"time"`
	Data      json.RawMessage `json:"data"`
}

type jsonStream struct {
	Kind StreamKind `json:"kind"`
	ID   uuid.UUID  `json:"id"`
}

// MarshalJSON is the form in which events leave the process:
//
//	{
//	  "type": "member.joined",
//	  "id": "0195d3a0-…",
//	  "stream": {"kind": "team", "id": "0195d39f-…"},
//	  "sequence": 7,
//	  "account": "0195d39e-…",
//	  "team": "0195d39f-…",
//	  "version": 1,
//	  "principal": "user:0195d39d-…",
//	  "time": "2026-03-01T09:00:00.000000Z",
//	  "data": {"role": "manager"}
//	}
//
// Type is the Kind, data the Payload, and version the version of the shape of data. Time is when
// the change happened, in RFC 3339, UTC, with six digits for microseconds. Account and team are
// null where there is none, and data is null where the payload is empty. All fields are always
// there and in this order.
//
// The form is stable: fields may be added, so a reader passes over those that it does not know;
// none is taken away, renamed or given another meaning within a major version of usher. A payload
// that is not JSON is an error.
func (e Event) MarshalJSON() ([]byte, error) {
	j := jsonEvent{
		Type: e.Kind, ID: e.ID, Stream: jsonStream(e.Stream), Sequence: e.Sequence,
		Account: uuid.NullUUID{UUID: e.Account, Valid: e.Account != uuid.Nil},
		Team:    uuid.NullUUID{UUID: e.Team, Valid: e.Team != uuid.Nil},
		Version: e.Version, Principal: e.Principal, Time: e.At.UTC().Format(jsonTime),
	}
	if len(e.Payload) > 0 {
		j.Data = e.Payload
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes, for consumers in Go on the other side. It passes
// over unknown fields and does not ask whether anything is missing.
func (e *Event) UnmarshalJSON(text []byte) error {
	var j jsonEvent
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	at := time.Time{}
	if j.Time != "" {
		var err error
		if at, err = time.Parse(time.RFC3339Nano, j.Time); err != nil {
			return err
		}
	}
	if string(j.Data) == "null" {
		j.Data = nil
	}
	*e = Event{
		ID: j.ID, Stream: Stream(j.Stream), Sequence: j.Sequence, Account: j.Account.UUID, Team: j.Team.UUID,
		Kind: j.Type, Version: j.Version, Principal: j.Principal, At: at.UTC(), Payload: j.Data,
	}
	return nil
}
