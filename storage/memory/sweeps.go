package memory

import (
	"context"
	"iter"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// SnoozeEnded implements [conversation.ThreadSweepStore].
func (s *Store) SnoozeEnded(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return read(ctx, s, func() ([]conversation.Thread, error) {
		return paged(until(s.snoozed, now), limit, func(c *conversationRow) (conversation.Thread, bool) {
			thread, _ := showThread(c)
			return thread, c.team.works()
		}), nil
	})
}

// Idle implements [conversation.ThreadSweepStore].
func (s *Store) Idle(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return read(ctx, s, func() ([]conversation.Thread, error) {
		idle := func(yield func(*conversationRow) bool) {
			for team := range merged(ascending, ascending.beginning(), s.autoClosing) {
				if !team.works() {
					continue
				}
				for c := range until(&team.idle, now.Add(-team.Settings.AutoClose)) {
					if !yield(c) {
						return
					}
				}
			}
		}
		return paged(idle, limit, showThread), nil
	})
}

// works reports whether the team can do more than be read.
func (t *teamRow) works() bool {
	return t.Status == tenancy.TeamActive && t.account.Status == tenancy.AccountActive
}

// until reads a list from its beginning up to the time, inclusive.
func until[R any](l *list[R], at time.Time) iter.Seq[*R] {
	return func(yield func(*R) bool) {
		for c := l.seek(ascending.beginning(), ascending); c.ok() && c.entry().at <= at.UnixMicro(); c.next() {
			if !yield(c.entry().row) {
				return
			}
		}
	}
}

func showThread(c *conversationRow) (conversation.Thread, bool) {
	return conversation.Thread{Team: c.Team, Conversation: c.ID}, true
}
