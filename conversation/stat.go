package conversation

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Timing says which time counts as waiting.
type Timing int

// The timings. A team that has set no working hours works all the time.
const (
	AllHours     Timing = iota
	WorkingHours        // those of the team that has the conversation now
)

// statistics is the system that looks up how a team tells the time.
const statistics = tenancy.System("report")

// Responses measures how long the contact and the team let each other wait in a conversation, from its
// messages. What the contact wrote counts, unless it was a stop or start word and nothing else, and
// what a person answered, guests included; notes, automatic texts and lines of systems do not.
// Where an episode ends nobody waits any more, so what the contact writes a year later is no slow
// answer.
//
// What it costs grows with the length of the conversation.
//
// Errors: [*tenancy.InvalidError] for another timing, [tenancy.ErrNotFound], [rbac.ErrDenied].
func (s *Service) Responses(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, timing Timing) (Responses, error) {
	if timing != AllHours && timing != WorkingHours {
		return Responses{}, &tenancy.InvalidError{Field: "timing", Reason: "must be all or working hours"}
	}
	v, err := s.look(ctx, actor, id, measuring)
	if err != nil {
		return Responses{}, err
	}
	between := func(from, to time.Time) time.Duration { return to.Sub(from) }
	if timing == WorkingHours {
		team, err := s.people.TeamByID(ctx, statistics, v.Team)
		if err != nil {
			return Responses{}, err
		}
		between = team.Settings.WorkingTime
	}
	begins, err := s.beginnings(ctx, id)
	if err != nil {
		return Responses{}, err
	}
	var r Responses
	var turns []Turn
	for after, more := int64(0), true; more; {
		page, err := s.store.Messages(ctx, id, Range{After: after, Limit: tenancy.MaxLimit})
		if err != nil {
			return Responses{}, err
		}
		for _, m := range page {
			for len(begins) > 0 && begins[0] <= m.Seq {
				r.Add(turns, between)
				turns, begins = nil, begins[1:]
			}
			if contact := m.Kind == InboundMessage; m.Kind == OutboundMessage || contact && s.words.said(m.Text) == nothing {
				turns = append(turns, Turn{Contact: contact, At: m.At})
			}
			after = m.Seq
		}
		more = len(page) == tenancy.MaxLimit
	}
	r.Add(turns, between)
	return r, nil
}

// beginnings are the sequences with which the episodes of a conversation begin.
func (s *Service) beginnings(ctx context.Context, id tenancy.ConversationID) (begins []int64, err error) {
	for after, more := int64(0), true; more; {
		page, err := s.store.Episodes(ctx, id, after, tenancy.MaxLimit)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			begins, after = append(begins, e.FirstSeq), e.Number
		}
		more = len(page) == tenancy.MaxLimit
	}
	return begins, nil
}

// String tells the times in lines, as ^stat does.
func (r Responses) String() string {
	var b strings.Builder
	for _, line := range []struct {
		who   string
		waits Waits
	}{
		{"initial contact response", r.ContactInitial},
		{"initial agent response", r.AgentInitial},
		{"contact response", r.Contact},
		{"agent response", r.Agent},
	} {
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		if len(line.waits) == 0 {
			fmt.Fprintf(&b, "%s: none", line.who)
			continue
		}
		fmt.Fprintf(&b, "%s: median %s, mean %s, of %d", line.who, spelled(line.waits.Median()), spelled(line.waits.Mean()), len(line.waits))
	}
	return b.String()
}

// spelled writes how long somebody waited: in seconds below a minute, and to the minute above.
func spelled(wait time.Duration) string {
	hours, minutes := wait/time.Hour, wait%time.Hour/time.Minute
	switch {
	case wait < time.Minute:
		return fmt.Sprintf("%d s", wait/time.Second)
	case hours == 0:
		return fmt.Sprintf("%d min", minutes)
	case minutes == 0:
		return fmt.Sprintf("%d h", hours)
	}
	return fmt.Sprintf("%d h %d min", hours, minutes)
}
