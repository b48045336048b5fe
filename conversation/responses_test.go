package conversation_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

func byTheClock(from, to time.Time) time.Duration { return to.Sub(from) }

// The minutes of turns, negative ones the contact's.
func turns(minutes ...int) []conversation.Turn {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var all []conversation.Turn
	for _, m := range minutes {
		all = append(all, conversation.Turn{Contact: m < 0, At: at.Add(time.Duration(max(m, -m)) * time.Minute)})
	}
	return all
}

func minutes(waits ...int) conversation.Waits {
	var all conversation.Waits
	for _, wait := range waits {
		all = append(all, time.Duration(wait)*time.Minute)
	}
	return all
}

func TestSpec7_ResponseTimes(t *testing.T) {
	for name, c := range map[string]struct {
		episodes [][]int
		want     conversation.Responses
	}{
		"nothing":        {nil, conversation.Responses{}},
		"nobody answers": {[][]int{{-1, -2, -3}}, conversation.Responses{}},
		"an agent's counts from the contact's last message, the initial one from the first": {
			[][]int{{-1, -5, -10, 12}},
			conversation.Responses{AgentInitial: minutes(11), Agent: minutes(2)},
		},
		"a contact's likewise": {
			[][]int{{1, 5, -10}},
			conversation.Responses{ContactInitial: minutes(9), Contact: minutes(5)},
		},
		"a dialogue": {
			[][]int{{-1, 3, -6, 10, 11, -20, -21, 26}},
			conversation.Responses{
				AgentInitial: minutes(2), ContactInitial: minutes(3), Agent: minutes(2, 4, 5), Contact: minutes(3, 9),
			},
		},
		"an agent who wrote first and is answered, answers from the contact's first": {
			[][]int{{1, -2, -4, 8}},
			conversation.Responses{ContactInitial: minutes(1), AgentInitial: minutes(6), Contact: minutes(1), Agent: minutes(4)},
		},
		"each episode begins anew": {
			[][]int{{-1, 2}, {-1000, 1003, -1004}},
			conversation.Responses{AgentInitial: minutes(1, 3), ContactInitial: minutes(1), Agent: minutes(1, 3), Contact: minutes(1)},
		},
	} {
		var r conversation.Responses
		for _, episode := range c.episodes {
			r.Add(turns(episode...), byTheClock)
		}
		assert.Equal(t, c.want, r, name)
	}
}

func TestMeanAndMedian(t *testing.T) {
	for _, c := range []struct {
		waits        conversation.Waits
		mean, median time.Duration
	}{
		{nil, 0, 0},
		{minutes(4), 4 * time.Minute, 4 * time.Minute},
		{minutes(9, 1), 5 * time.Minute, 5 * time.Minute},
		{minutes(100, 1, 4), 35 * time.Minute, 4 * time.Minute},
		{minutes(100, 1, 4, 8), 28*time.Minute + 15*time.Second, 6 * time.Minute},
		{conversation.Waits{1, 2, 2}, 1, 2},
		{conversation.Waits{math.MaxInt64, math.MaxInt64, math.MaxInt64 - 3}, math.MaxInt64 - 1, math.MaxInt64},
	} {
		before := append(conversation.Waits(nil), c.waits...)
		assert.Equal(t, c.mean, c.waits.Mean(), c.waits)
		assert.Equal(t, c.median, c.waits.Median(), c.waits)
		assert.Equal(t, before, c.waits, "they stay in their order")
	}
}

func TestResponsesOfAConversation(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		at := func(day, hour, minute int) {
			w.Clock.Advance(time.Date(2030, 1, day, hour, minute, 0, 0, time.UTC).Sub(w.Clock.Now()))
		}
		w.configure(w.alice, func(s *tenancy.Settings) {
			for day := time.Monday; day <= time.Friday; day++ {
				s.Hours[day] = tenancy.Hours{From: 9 * 60, To: 17 * 60}
			}
		})
		at(2, 21, 0) // a Wednesday
		c := w.hello()
		_, err := w.Conversations.Post(ctx, ushertest.System, c.ID, conversation.AutomaticMessage, "We are closed.")
		require.NoError(t, err)
		w.types(w.bob, c.ID, "^note to be answered")
		at(3, 9, 5)
		w.say(w.bob, c.ID, "It is!")
		carol := w.Guest(w.bob, c.ID, "carol")
		at(3, 9, 15)
		w.Receive("Sales", "visitor-1", "And where?")
		at(3, 9, 17)
		w.say(carol, c.ID, "In Berlin.")
		w.Receive("Sales", "visitor-1", "STOP")
		w.Receive("Sales", "visitor-1", "START")
		w.types(w.bob, c.ID, "^close")
		at(4, 10, 0)
		w.Receive("Sales", "visitor-1", "Hello again")
		at(4, 10, 4)
		w.say(w.bob, c.ID, "Hello!")

		working, err := w.Conversations.Responses(ctx, w.bob, c.ID, conversation.WorkingHours)
		require.NoError(t, err)
		assert.Equal(t, conversation.Responses{
			AgentInitial: minutes(5, 4), Agent: minutes(5, 2, 4), ContactInitial: minutes(10), Contact: minutes(10),
		}, working)
		all, err := w.Conversations.Responses(ctx, w.bob, c.ID, conversation.AllHours)
		require.NoError(t, err)
		assert.Equal(t, conversation.Responses{
			AgentInitial: minutes(12*60+5, 4), Agent: minutes(12*60+5, 2, 4), ContactInitial: minutes(10), Contact: minutes(10),
		}, all)
		assert.Equal(t, `Response times, in working hours:
initial contact response: median 10 min, mean 10 min, of 1
initial agent response: median 4 min, mean 4 min, of 2
contact response: median 10 min, mean 10 min, of 1
agent response: median 4 min, mean 3 min, of 3`, w.types(w.bob, c.ID, "^stat").Text)
		assert.Contains(t, w.types(w.bob, c.ID, "^stat all").Text, "in all hours:\ninitial contact response: median 10 min, mean 10 min, of 1\ninitial agent response: median 6 h 4 min, mean 6 h 4 min, of 2\n")

		for name, actor := range map[string]tenancy.Actor{"a guest": carol, "a reader": w.custom(rbac.Restricted, w.maria, "conversation: read all", "conversation: read")} {
			_, err := w.Conversations.Responses(ctx, actor, c.ID, conversation.AllHours)
			require.ErrorIs(t, err, rbac.ErrDenied, name)
		}
		_, err = w.Conversations.Responses(ctx, w.other, c.ID, conversation.AllHours)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		_, err = w.Conversations.Responses(ctx, w.bob, c.ID, 2)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	})
}

// More messages and episodes than one page has are all measured.
func TestResponsesOfALongConversation(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	const rounds = tenancy.MaxLimit + 1
	for range rounds {
		w.Clock.Advance(time.Minute)
		w.say(w.bob, c.ID, "Hello!")
		w.types(w.bob, c.ID, "^close")
		w.Clock.Advance(time.Hour)
		w.Receive("Sales", "visitor-1", "Hi again")
	}
	r, err := w.Conversations.Responses(t.Context(), w.bob, c.ID, conversation.AllHours)
	require.NoError(t, err)
	assert.Len(t, r.Agent, rounds)
	assert.Len(t, r.AgentInitial, rounds)
	assert.Equal(t, time.Minute, r.Agent.Mean())
	assert.Empty(t, r.Contact, "each time the contact began")
}

func TestSpelledTimes(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		0: "0 s", 59*time.Second + 999*time.Millisecond: "59 s", time.Minute: "1 min", 119 * time.Second: "1 min", time.Hour: "1 h",
		25*time.Hour + 30*time.Minute + 59*time.Second: "25 h 30 min",
	} {
		assert.Contains(t, conversation.Responses{Agent: conversation.Waits{wait}}.String(), "\nagent response: median "+want+", mean "+want+", of 1")
	}
	assert.Contains(t, conversation.Responses{}.String(), "initial contact response: none\n")
}
