package outbox_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
)

func anEvent() outbox.Event {
	id := func(last byte) uuid.UUID { return uuid.UUID{0: 1, 15: last} }
	return outbox.Event{
		ID: id(1), Stream: outbox.Stream{Kind: outbox.TeamStream, ID: id(2)}, Sequence: 7, Account: id(3), Team: id(2),
		Kind: "member.joined", Version: 1, Principal: "user:" + id(4).String(),
		At: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Payload: json.RawMessage(`{"role":"manager"}`),
	}
}

// What others read must not change: a failure here is a new major version.
func TestTheJSONFormIsStable(t *testing.T) {
	text, err := json.Marshal(anEvent())
	require.NoError(t, err)
	exactly(t, text, `{"type":"member.joined","id":"01000000-0000-0000-0000-000000000001",`+
		`"stream":{"kind":"team","id":"01000000-0000-0000-0000-000000000002"},"sequence":7,`+
		`"account":"01000000-0000-0000-0000-000000000003","team":"01000000-0000-0000-0000-000000000002",`+
		`"version":1,"principal":"user:01000000-0000-0000-0000-000000000004",`+
		`"time":"2026-03-01T09:00:00.000000Z","data":{"role":"manager"}}`)

	text, err = json.Marshal(outbox.Event{
		At:      time.Date(2026, 3, 1, 9, 0, 0, 123456789, time.FixedZone("", 3600)),
		Payload: json.RawMessage{}, Lanes: []string{"mail"},
	})
	require.NoError(t, err)
	exactly(t, text, `{"type":"","id":"00000000-0000-0000-0000-000000000000",`+
		`"stream":{"kind":"","id":"00000000-0000-0000-0000-000000000000"},"sequence":0,`+
		`"account":null,"team":null,"version":0,"principal":"","time":"2026-03-01T08:00:00.123456Z","data":null}`)
}

// exactly compares bytes: the order of the fields is promised too.
func exactly(t *testing.T, got []byte, want string) {
	t.Helper()
	assert.Equal(t, want, string(got))
}

func TestJSONComesBack(t *testing.T) {
	bare := anEvent()
	bare.Account, bare.Team, bare.Payload = uuid.Nil, uuid.Nil, nil
	fine := anEvent()
	fine.At = fine.At.Add(999999 * time.Microsecond)
	for _, e := range []outbox.Event{anEvent(), bare, fine} {
		text, err := json.Marshal(e)
		require.NoError(t, err)
		var got outbox.Event
		require.NoError(t, json.Unmarshal(text, &got))
		assert.Equal(t, e, got)
	}
}

func TestJSONOfAnotherYear(t *testing.T) {
	var e outbox.Event
	require.NoError(t, json.Unmarshal([]byte(`{"type":"a","galaxy":{"arm":3},"time":"2026-03-01T10:00:00+01:00"}`), &e))
	assert.Equal(t, outbox.Event{Kind: "a", At: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}, e)
	for _, text := range []string{`[]`, `{"id":"x"}`, `{"time":"yesterday"}`, `{"sequence":"1"}`, `{`} {
		require.Error(t, json.Unmarshal([]byte(text), &e), text)
	}
	require.NoError(t, json.Unmarshal([]byte(`{}`), &e))
	assert.Equal(t, outbox.Event{}, e)
}

func TestAPayloadThatIsNotJSONIsAnError(t *testing.T) {
	for _, payload := range []string{"{", "\xff", "{} {}", strings.Repeat("[", 20000)} {
		e := anEvent()
		e.Payload = json.RawMessage(payload)
		_, err := json.Marshal(e)
		require.Error(t, err)
	}
}
