package tenancy

import "time"

// WorkingTime is how much of the time from one instant to another is within the team's working hours,
// as [Settings.Working] has them: with in at 21:00, out at 09:05 the next day and a start of work at
// 09:00, it is 5 minutes. A team without any working hours works all the time. Where the clocks are set
// forward or back, the time that really passed counts. It is 0 if to is not after from.
//
// What it costs grows with the days in between.
func (s Settings) WorkingTime(from, to time.Time) time.Duration {
	if s.Hours == ([7]Hours{}) {
		return max(0, to.Sub(from))
	}
	var sum time.Duration
	for local := from.In(s.Location()); local.Before(to); {
		end := to
		if _, change := local.ZoneBounds(); !change.IsZero() && change.Before(to) {
			end = change
		}
		sum += s.workingIn(local, end)
		local = end.In(local.Location())
	}
	return sum
}

// workingIn is WorkingTime as long as nobody sets the clocks: each day then has 24 hours.
func (s Settings) workingIn(local, end time.Time) (sum time.Duration) {
	for local.Before(end) {
		hour, minute, second := local.Clock()
		since := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(local.Nanosecond())
		hours := s.Hours[local.Weekday()]
		rest := min(24*time.Hour, since+end.Sub(local))
		in, out := time.Duration(hours.From)*time.Minute, time.Duration(hours.To)*time.Minute
		sum += max(0, min(rest, out)-max(since, in))
		local = local.Add(24*time.Hour - since)
	}
	return sum
}
