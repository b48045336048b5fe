package conversation

import (
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Position is a place in what happens in a team, for [Service.WatchTeam] to go on from. It is opaque to
// its holder, text of 66 letters, digits, - and _, and no measure of having caught up: that of
// [Service.TeamPosition] is never that of an update. It is good in its team for ever, on any instance, and
// refused in any other. It grants nothing. The zero Position is before all that ever happened.
type Position string

// A position is version, team, batch, stream, sequence; all before base64.
const (
	positionVersion = 1
	positionSize    = 1 + 16 + 8 + 16 + 8
)

var positionText = base64.RawURLEncoding.Strict()

func positionOf(team tenancy.TeamID, m outbox.Mark) Position {
	id := team.UUID()
	raw := slices.Concat([]byte{positionVersion}, id[:])
	raw = binary.BigEndian.AppendUint64(raw, uint64(m.Batch)) //nolint:gosec // a round trip of the same bits
	raw = append(raw, m.Stream[:]...)
	raw = binary.BigEndian.AppendUint64(raw, uint64(m.Sequence)) //nolint:gosec // and here
	return Position(positionText.EncodeToString(raw))
}

// in decodes the position for the team.
func (p Position) in(team tenancy.TeamID) (outbox.Mark, error) {
	if p == "" {
		return outbox.Mark{}, nil
	}
	bad := &tenancy.InvalidError{Field: "position", Reason: "must be one that this team gave, unchanged"}
	if len(p) != positionText.EncodedLen(positionSize) {
		return outbox.Mark{}, bad
	}
	raw, err := positionText.DecodeString(string(p))
	if err != nil || raw[0] != positionVersion || tenancy.TeamID(raw[1:17]) != team {
		return outbox.Mark{}, bad
	}
	m := outbox.Mark{
		Batch:    int64(binary.BigEndian.Uint64(raw[17:])), //nolint:gosec // as it was written
		Stream:   uuid.UUID(raw[25:41]),
		Sequence: int64(binary.BigEndian.Uint64(raw[41:])), //nolint:gosec // as it was written
	}
	if m.Batch < 0 || m.Sequence < 0 {
		return outbox.Mark{}, bad
	}
	return m, nil
}
