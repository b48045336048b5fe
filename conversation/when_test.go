package conversation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// What people type is read in the zone and the working hours of their team.
func TestWhen(t *testing.T) {
	team := tenancy.Settings{TimeZone: "Europe/Berlin", Hours: [7]tenancy.Hours{
		time.Monday: {From: 8*60 + 30, To: 17 * 60}, time.Sunday: {From: 0, To: 60},
	}}
	// A Friday evening, and two days before the clocks go forward.
	now := time.Date(2026, 3, 27, 18, 0, 0, 0, team.Location())
	for text, want := range map[string]string{
		"30m":              "2026-03-27T18:30:00+01:00",
		"2H":               "2026-03-27T20:00:00+01:00",
		"48h":              "2026-03-29T19:00:00+02:00", // by the watch
		"2d":               "2026-03-29T18:00:00+02:00", // by the calendar
		"1w":               "2026-04-03T18:00:00+02:00",
		"18:30":            "2026-03-27T18:30:00+01:00",
		"18:00":            "2026-03-28T18:00:00+01:00", // now is over
		"9:05":             "2026-03-28T09:05:00+01:00",
		"tomorrow":         "2026-03-28T09:00:00+01:00", // a free day
		" Tomorrow  7:15 ": "2026-03-28T07:15:00+01:00",
		"monday":           "2026-03-30T08:30:00+02:00",
		"sunday":           "2026-03-29T00:00:00+01:00", // working hours may begin at midnight
		"friday":           "2026-04-03T09:00:00+02:00", // never today
		"MONDAY 14:30":     "2026-03-30T14:30:00+02:00",
		"2026-03-30":       "2026-03-30T08:30:00+02:00",
		"2026-07-01 06:00": "2026-07-01T06:00:00+02:00",
	} {
		got, err := conversation.ParseWhen(text, now.UTC(), team)
		require.NoError(t, err, text)
		assert.Equal(t, want, got.Format(time.RFC3339), text)
	}
	for _, text := range []string{
		"", "soon", "2", "2 h", "-2h", "99999h", "1y", "24:00", "9:60", "9:5", "today", "mon", "2026-02-30", "30.3.2026", "2026-3-3",
		"tomorrow morning", "tomorrow 14:30 please", "14:30 tomorrow", "2h 14:30", strings.Repeat("1", 1000) + "h", "\u0662h", "tomorrow\u00a09:00x",
	} {
		_, err := conversation.ParseWhen(text, now, team)
		require.ErrorIs(t, err, tenancy.ErrInvalid, text)
	}
}
