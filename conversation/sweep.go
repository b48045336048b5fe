package conversation

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Two kinds of sweep. What the clock has ended by itself (a claim, a guest's time, a deadline, and in the
// other rooms a membership and an invitation) is written down wherever it is, since it holds already.
// What a sweep does for the team, to wake and to close, is an operation like any other: in a suspended
// or closed account and in an archived team it waits for the team to be back at work.

// Wake opens the conversations whose snooze has run out, each with its event, once however many
// instances run it. Each is a transaction of its own, and one that fails holds up no other; the answer
// is how many there were, also next to the errors of those that failed, which the next call tries
// again. Call it as often as a snooze may be late. A team that can only be read, since it is archived
// or its account is not active, sleeps on; what its contacts write still wakes their conversations.
func (s *Service) Wake(ctx context.Context, by tenancy.System) (woken int, err error) {
	return sweep(ctx, s, by, s.store.SnoozeEnded, Thread.thread, func(ctx context.Context, _ Thread, c *Conversation, now time.Time) (bool, error) {
		_, works, err := s.atWork(ctx, by, c.Team)
		if err != nil || !works || c.Status != Snoozed || now.Before(c.SnoozedUntil) {
			return false, err
		}
		if err := s.resume(ctx, by, c, OnTimer, now); err != nil {
			return false, err
		}
		return true, s.update(ctx, c)
	})
}

// CloseIdle closes the open conversations in which nobody waits for a reply and nothing has
// happened for as long as the team's settings say, each with its event, once however many
// instances run it. Each is a transaction of its own; the answer is as that of [Service.Wake], and so
// are the teams that are left alone. A step costs one look at each team that closes what is idle.
func (s *Service) CloseIdle(ctx context.Context, by tenancy.System) (closed int, err error) {
	return sweep(ctx, s, by, s.store.Idle, Thread.thread, func(ctx context.Context, _ Thread, c *Conversation, now time.Time) (bool, error) {
		team, works, err := s.atWork(ctx, by, c.Team)
		if err != nil || !works {
			return false, err
		}
		after := team.Settings.AutoClose
		if after == 0 || c.Status != Open || !c.NeedsReplySince.IsZero() || now.Before(c.IdleSince.Add(after)) {
			return false, nil
		}
		return true, s.close(ctx, by, c, OnIdle, "", now)
	})
}

// ExpireGuests tidies up after grants whose expiry has come: it revokes each and writes its event,
// once however many instances run it. A guest sees nothing any more from that time on, without it.
// The answer is as that of [Service.Wake].
func (s *Service) ExpireGuests(ctx context.Context, by tenancy.System) (expired int, err error) {
	return sweep(ctx, s, by, s.store.LapsedGrants, ThreadUser.thread, func(ctx context.Context, t ThreadUser, c *Conversation, now time.Time) (bool, error) {
		g, err := s.store.Grant(ctx, c.ID, t.User)
		if err != nil || g.LiveAt(now) || !g.RevokedAt.IsZero() {
			return false, err
		}
		return true, s.revoke(ctx, by, *c, g, now)
	})
}

// atWork reads a team, and reports whether it can do more than be read. It locks neither the team nor
// its account: a suspension that commits meanwhile comes after.
func (s *Service) atWork(ctx context.Context, by tenancy.System, id tenancy.TeamID) (team tenancy.Team, works bool, err error) {
	if team, err = s.people.TeamByID(ctx, by, id); err != nil || team.Status != tenancy.TeamActive {
		return team, false, err
	}
	account, err := s.people.AccountByID(ctx, by, team.Account)
	return team, account.Status == tenancy.AccountActive, err
}

func (t Thread) thread() Thread     { return t }
func (t ThreadUser) thread() Thread { return t.Thread }

// sweep is [tenancy.Sweep] of what is due now, where end is called with the conversation locked.
func sweep[D comparable](ctx context.Context, s *Service, by tenancy.System,
	due func(ctx context.Context, now time.Time, limit int) ([]D, error), in func(D) Thread,
	end func(ctx context.Context, d D, c *Conversation, now time.Time) (bool, error),
) (ended int, err error) {
	if err := by.Validate(); err != nil {
		return 0, err
	}
	now := s.env.Now()
	find := func(ctx context.Context, limit int) ([]D, error) { return due(ctx, now, limit) }
	return tenancy.Sweep(ctx, find, func(ctx context.Context, d D) (done bool, err error) {
		err = s.store.InTx(ctx, func(ctx context.Context) error {
			done = false
			c, err := s.store.LockConversation(ctx, in(d).Team, in(d).Conversation)
			if notFound(err) {
				return nil // it has moved to another team, and is found there if it is still due
			}
			if err == nil {
				done, err = end(ctx, d, &c, s.env.Now())
			}
			return err
		})
		return done, err
	})
}
