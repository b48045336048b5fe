package conversation

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// A snooze as a person types it: how long, or a day, or a time of the day, or both.
var (
	span     = regexp.MustCompile(`^([0-9]{1,4})(m|h|d|w)$`)
	timeOnly = regexp.MustCompile(`^[0-9]{1,2}:[0-9]{2}$`)
)

// morning is when a day without working hours begins, in minutes.
const morning = 9 * 60

// parseWhen reads when a snooze ends: 30m, 2h, 3d or 2w from now, the next 14:30, or tomorrow,
// monday or 2026-03-02, each with a time behind it or at the beginning of the working hours. All of
// it is in the zone of the team. Whether the time can be snoozed until is for [Service.Snooze].
func parseWhen(text string, now time.Time, team tenancy.Settings) (time.Time, error) {
	words := strings.Fields(strings.ToLower(text))
	local := now.In(team.Location())
	bad := &tenancy.InvalidError{
		Field: "until", Reason: "must be like 30m, 2h, 3d or 2w, a time like 14:30, or tomorrow, a weekday or a date like 2026-03-02, with or without a time",
	}
	if len(words) == 1 {
		if parts := span.FindStringSubmatch(words[0]); parts != nil {
			return after(local, parts), nil
		}
		if timeOnly.MatchString(words[0]) {
			return nextAt(local, words[0], bad)
		}
	}
	if len(words) == 0 || len(words) > 2 {
		return time.Time{}, bad
	}
	day, ok := dayNamed(words[0], local)
	if !ok {
		return time.Time{}, bad
	}
	minutes := team.Hours[day.Weekday()].From
	if team.Hours[day.Weekday()] == (tenancy.Hours{}) {
		minutes = morning
	}
	if len(words) == 2 {
		clock, err := time.Parse("15:04", words[1])
		if err != nil {
			return time.Time{}, bad
		}
		minutes = clock.Hour()*60 + clock.Minute()
	}
	return atMinute(day, minutes), nil
}

// after is a span after now. Days and weeks are those of the calendar.
func after(local time.Time, parts []string) time.Time {
	n, _ := strconv.Atoi(parts[1]) // four digits at most
	switch parts[2] {
	case "m":
		return local.Add(time.Duration(n) * time.Minute)
	case "h":
		return local.Add(time.Duration(n) * time.Hour)
	case "d":
		return local.AddDate(0, 0, n)
	}
	return local.AddDate(0, 0, 7*n)
}

// nextAt is the next moment at which a clock on the wall shows the time.
func nextAt(local time.Time, text string, bad error) (time.Time, error) {
	clock, err := time.Parse("15:04", text)
	if err != nil {
		return time.Time{}, bad
	}
	at := atMinute(local, clock.Hour()*60+clock.Minute())
	if !at.After(local) {
		at = atMinute(local.AddDate(0, 0, 1), clock.Hour()*60+clock.Minute())
	}
	return at, nil
}

// dayNamed is the day that a word stands for: a weekday is the next one after today.
func dayNamed(word string, local time.Time) (time.Time, bool) {
	if word == "tomorrow" {
		return local.AddDate(0, 0, 1), true
	}
	if date, err := time.ParseInLocation(time.DateOnly, word, local.Location()); err == nil {
		return date, true
	}
	for days := 1; days <= 7; days++ {
		if day := local.AddDate(0, 0, days); strings.EqualFold(day.Weekday().String(), word) {
			return day, true
		}
	}
	return time.Time{}, false
}

// atMinute is a minute of a day, as clocks show it.
func atMinute(day time.Time, minutes int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), minutes/60, minutes%60, 0, 0, day.Location())
}
