package storagetest

import (
	"context"
	"reflect"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func lockCases() []testCase {
	return []testCase{{
		name: "a locked user cannot change underneath", rule: ruleLocks, needs: RowLocks, covers: []string{"LockUser"},
		run: func(w *world) { held(w, users().store(w, w.aUser()), users(), "LockUser", users().lockOf(w)) },
	}, {
		name: "a locked account cannot change underneath", rule: ruleLocks, needs: RowLocks, covers: []string{"LockAccount"},
		run: func(w *world) { held(w, w.account(), accounts(), "LockAccount", accounts().lockOf(w)) },
	}, {
		name: "a locked team cannot change underneath", rule: ruleLocks, needs: RowLocks, covers: []string{"LockTeam"},
		run: func(w *world) { held(w, w.team(), teams(), "LockTeam", teams().lockOf(w)) },
	}, {
		name: "a locked invitation cannot change underneath", rule: ruleLocks, needs: RowLocks, covers: []string{"LockInvitation"},
		run: func(w *world) {
			held(w, w.invitation(w.team()), invitations(), "LockInvitation", invitations().lockOf(w))
		},
	}, {
		name: "a locked offer cannot change underneath", rule: ruleLocks, needs: RowLocks, covers: []string{"LockOffer"},
		run: func(w *world) { held(w, w.offer(w.account().ID), offers(), "LockOffer", offers().lockOf(w)) },
	}, {
		name: "a locked contact cannot change underneath", rule: ruleLocks, needs: RowLocks, covers: []string{"LockContact"},
		run: func(w *world) { held(w, w.contact(w.team().ID), contacts(), "LockContact", contacts().lockOf(w)) },
	}, {
		name: "a locked conversation cannot change underneath", rule: ruleLocks, needs: RowLocks, covers: []string{"LockConversation"},
		run: func(w *world) {
			held(w, w.conversation(w.team()), conversations(), "LockConversation", conversations().lockOf(w))
		},
	}, {
		name: "a membership under authority cannot change underneath", rule: ruleShared, needs: RowLocks, covers: []string{"Authority"},
		run: func(w *world) {
			held(w, w.member(w.team().ID, rbac.Manager), memberships(), "Authority", func(ctx context.Context, m tenancy.Membership) (tenancy.Membership, error) {
				if _, err := w.store.Authority(ctx, m.Team, m.User); err != nil {
					return tenancy.Membership{}, err
				}
				return w.store.Membership(ctx, m.Team, m.User)
			})
		},
	}, {
		name: "a stream under append cannot be appended to by another", rule: ruleAppend, needs: RowLocks, covers: []string{"Append"},
		run: heldStream,
	}}
}

func (k kind[R]) lockOf(w *world) func(context.Context, R) (R, error) {
	return func(ctx context.Context, r R) (R, error) { return k.lock(w.store, ctx, r) }
}

// held locks a row in one transaction, changes it in another, and looks again in the first.
// The other may wait for as long as it likes; a store with one writer does not even begin it.
// It must not get through before the first has ended.
func held[R any](w *world, r R, k kind[R], method string, lock func(ctx context.Context, r R) (R, error)) {
	changed := k.changed(w, r)
	var other *job
	w.tx("a transaction that locks", func(ctx context.Context) error {
		first, err := lock(ctx, r)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(first, r) {
			w.breaks("%s answered:\n%s", method, difference(first, r))
		}
		if other == nil {
			other = w.start(func() error { return k.write(w, changed) })
		}
		if other.early(w) && other.err == nil {
			w.breaks("%s: another transaction changed the row and committed while it was locked", method)
		}
		again, err := k.get(w.store, ctx, r)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(again, first) {
			w.breaks("%s: the row changed underneath:\n%s", method, difference(again, first))
		}
		return nil
	})
	w.must(other.wait(w), "a transaction that waited for the lock of %s", method)
	k.holds(w, k.next(changed), "the transaction that waited for the lock")
}

// heldStream appends to one stream from two transactions. If the first then rolls back, the
// second must have the number that it had drawn: a gap would say that an event was lost.
func heldStream(w *world) {
	team := w.team()
	first, second, third := w.aTeamEvent(team), w.aTeamEvent(team), w.aTeamEvent(team)
	var other *job
	w.discard("a transaction that appends", func(ctx context.Context) error {
		if err := w.store.Append(ctx, first); err != nil {
			return err
		}
		if other == nil {
			other = w.start(func() error {
				return w.store.InTx(w.ctx, func(ctx context.Context) error { return w.store.Append(ctx, second) })
			})
		}
		other.early(w)
		return nil
	})
	w.must(other.wait(w), "a transaction that waited for another's append")
	w.append(third)
	second.Sequence, third.Sequence = 1, 2
	lists(w, []outbox.Event{third, second}, "TeamEvents after a rolled back append beside another")(
		w.store.TeamEvents(w.ctx, team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 10))
}
