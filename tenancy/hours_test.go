package tenancy_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/tenancy"
)

// weekdays are the same hours from Monday to Friday.
func weekdays(from, to int) (hours [7]tenancy.Hours) {
	for day := time.Monday; day <= time.Friday; day++ {
		hours[day] = tenancy.Hours{From: from, To: to}
	}
	return hours
}

func TestSpec7_WorkingTime(t *testing.T) {
	office := tenancy.Settings{TimeZone: "Europe/Berlin", Hours: weekdays(9*60, 17*60)}
	for name, c := range map[string]struct {
		in, out string
		want    time.Duration
	}{
		"in at 21:00, out at 09:05":      {"2026-03-03T21:00:00+01:00", "2026-03-04T09:05:00+01:00", 5 * time.Minute},
		"within a day":                   {"2026-03-03T10:00:00+01:00", "2026-03-03T10:07:30+01:00", 7*time.Minute + 30*time.Second},
		"before work":                    {"2026-03-03T06:00:00+01:00", "2026-03-03T08:59:59+01:00", 0},
		"after work":                     {"2026-03-03T17:00:00+01:00", "2026-03-03T23:00:00+01:00", 0},
		"over a night":                   {"2026-03-03T16:50:00+01:00", "2026-03-04T09:10:00+01:00", 20 * time.Minute},
		"over a weekend":                 {"2026-03-06T16:00:00+01:00", "2026-03-09T10:00:00+01:00", 2 * time.Hour},
		"a whole week":                   {"2026-03-02T00:00:00+01:00", "2026-03-09T00:00:00+01:00", 40 * time.Hour},
		"over the start of summer time":  {"2026-03-27T16:00:00+01:00", "2026-03-30T10:00:00+02:00", 2 * time.Hour},
		"over the end of summer time":    {"2026-10-23T16:00:00+02:00", "2026-10-26T10:00:00+01:00", 2 * time.Hour},
		"said in another zone":           {"2026-03-03T20:00:00Z", "2026-03-04T08:05:00Z", 5 * time.Minute},
		"no time":                        {"2026-03-03T10:00:00+01:00", "2026-03-03T10:00:00+01:00", 0},
		"backwards":                      {"2026-03-03T12:00:00+01:00", "2026-03-03T10:00:00+01:00", 0},
		"the last moment of work counts": {"2026-03-03T16:59:59+01:00", "2026-03-03T17:30:00+01:00", time.Second},
	} {
		in, err := time.Parse(time.RFC3339, c.in)
		require.NoError(t, err)
		out, err := time.Parse(time.RFC3339, c.out)
		require.NoError(t, err)
		assert.Equal(t, c.want, office.WorkingTime(in, out), name)
	}
	always := tenancy.Settings{TimeZone: "Europe/Berlin"}
	at := time.Date(2026, 3, 8, 3, 0, 0, 0, time.UTC)
	assert.Equal(t, 36*time.Hour, always.WorkingTime(at, at.Add(36*time.Hour)), "who says nothing of hours works all the time")
	assert.Zero(t, always.WorkingTime(at, at.Add(-time.Hour)))
}

// The hours that the clock skips or shows twice are worth what really passed.
func TestWorkingTimeWhereTheClocksAreSet(t *testing.T) {
	nights := tenancy.Settings{TimeZone: "Europe/Berlin"}
	nights.Hours[time.Sunday] = tenancy.Hours{From: 0, To: 24 * 60}
	night := func(month time.Month, day int) time.Duration {
		from := time.Date(2026, month, day, 0, 0, 0, 0, nights.Location())
		return nights.WorkingTime(from, from.AddDate(0, 0, 1))
	}
	assert.Equal(t, 24*time.Hour, night(time.March, 22))
	assert.Equal(t, 23*time.Hour, night(time.March, 29))
	assert.Equal(t, 25*time.Hour, night(time.October, 25))
	nights.Hours[time.Sunday] = tenancy.Hours{From: 2*60 + 15, To: 2*60 + 45}
	assert.Equal(t, 30*time.Minute, night(time.March, 22))
	assert.Zero(t, night(time.March, 29), "there is no half past two")
	assert.Equal(t, time.Hour, night(time.October, 25), "there are two")
}

// Whatever the zone and the hours, it is the sum of the minutes of which Working says so.
func TestWorkingTimeIsTheSumOfWorking(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, zone := range []string{"", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"} {
		for range 20 {
			team := tenancy.Settings{TimeZone: zone}
			for day := range team.Hours {
				if from := r.IntN(24 * 60); r.IntN(4) > 0 {
					team.Hours[day] = tenancy.Hours{From: from, To: from + 1 + r.IntN(24*60-from)}
				}
			}
			// Samoa left out a whole day at the end of 2011; the others set their clocks within these weeks.
			from := time.Date(2011, []time.Month{3, 4, 9, 10, 12}[r.IntN(5)], 20+r.IntN(12), r.IntN(24), r.IntN(60), 0, 0, time.UTC)
			to := from.Add(time.Duration(r.IntN(20*24*60)) * time.Minute)
			var want time.Duration
			for at := from; at.Before(to); at = at.Add(time.Minute) {
				if team.Working(at) || team.Hours == ([7]tenancy.Hours{}) {
					want += time.Minute
				}
			}
			require.Equal(t, want, team.WorkingTime(from, to), "%s %v from %s to %s", zone, team.Hours, from, to)
		}
	}
}
