package invite_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// together starts all calls at a barrier.
func together(calls ...func() error) []error {
	errs := make([]error, len(calls))
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for i, call := range calls {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = call()
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errs
}

func TestA6Of64AcceptsAtOnceOneSucceeds(t *testing.T) {
	for _, kind := range []invite.Kind{invite.ToOneTeam, invite.ToOneConversation} {
		t.Run(string(kind), func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				s := w.subject(kind, bob)
				calls := make([]func() error, 64)
				for i := range calls {
					calls[i] = func() error { return accept(w, s) }
				}
				succeeded := 0
				for _, err := range together(calls...) {
					if err == nil {
						succeeded++
						continue
					}
					var accepted *invite.AcceptedError
					require.ErrorAs(t, err, &accepted)
					assert.Equal(t, w.member(w.acme, s.invitee), accepted.Membership)
				}
				assert.Equal(t, 1, succeeded)
				n := count(w.events(w.acme))
				assert.Equal(t, 1, n[invite.InvitationAccepted])
				assert.Equal(t, 1+3, n[tenancy.MemberJoined], "one more than the three of the world")
			})
		})
	}
}

// A6, by two processes: two handles on one database, with a service each.
func TestA6Of64AcceptsOnTwoHandlesOneSucceeds(t *testing.T) {
	everystore.RunTwo(t, func(t *testing.T, a, b storage.Store) {
		w := newWorld(t, a)
		handles := []*world{w, w.on(b)}
		for round := range everystore.Rounds(1) {
			for _, kind := range []invite.Kind{invite.ToOneTeam, invite.ToOneConversation} {
				s := w.subject(kind, fmt.Sprintf("bob.%s.%d@acme.example", kind, round))
				before := count(w.events(w.acme))
				calls := make([]func() error, 64)
				for i := range calls {
					calls[i] = func() error { return accept(handles[i%2], s) }
				}
				succeeded := 0
				for _, err := range together(calls...) {
					if err == nil {
						succeeded++
						continue
					}
					var accepted *invite.AcceptedError
					require.ErrorAs(t, err, &accepted)
					assert.Equal(t, w.member(w.acme, s.invitee), accepted.Membership)
				}
				assert.Equal(t, 1, succeeded)
				after := count(w.events(w.acme))
				assert.Equal(t, before[invite.InvitationAccepted]+1, after[invite.InvitationAccepted])
				assert.Equal(t, before[tenancy.MemberJoined]+1, after[tenancy.MemberJoined])
				assert.Equal(t, tenancy.MembershipActive, w.member(w.acme, s.invitee).Status)
			}
		}
	})
}

func TestOf64CreatesAtOnceOneSucceeds(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		calls := make([]func() error, 64)
		for i := range calls {
			calls[i] = func() error {
				_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
				return err
			}
		}
		succeeded := 0
		for _, err := range together(calls...) {
			if err == nil {
				succeeded++
				continue
			}
			var pending *invite.PendingError
			require.ErrorAs(t, err, &pending)
		}
		assert.Equal(t, 1, succeeded)
		assert.Len(t, w.picture(w.acme).Invitations, 1)
	})
}

// serial is the model that races are held against: an invitation, and whether the token that the
// invited user has is the living one.
type serial struct {
	state invite.State
	token bool
}

func (s serial) after(e invite.Event) (serial, bool) {
	if (e == invite.OnAccept || e == invite.OnDecline) && !s.token {
		return s, false
	}
	next, err := s.state.After(e)
	if err != nil {
		return s, false
	}
	return serial{state: next, token: s.token && e != invite.OnResend}, true
}

// outcome is what can be seen of a race.
type outcome struct {
	first, second bool
	state         invite.State
}

// Every pair of {accept, decline, revoke, resend} at once ends as one of the two orders would, with
// the events of those that succeeded and no others.
func TestA6EveryRacingPairEndsAsInSomeOrder(t *testing.T) {
	racing := []invite.Event{invite.OnAccept, invite.OnDecline, invite.OnRevoke, invite.OnResend}
	for i, first := range racing {
		for _, second := range racing[i+1:] {
			t.Run(fmt.Sprintf("%s against %s", first, second), func(t *testing.T) {
				onEach(t, func(t *testing.T, w *world) {
					pending := serial{invite.Pending, true}
					a, okA := pending.after(first)
					ab, okAB := a.after(second)
					b, okB := pending.after(second)
					ba, okBA := b.after(first)
					allowed := []outcome{{okA, okAB, ab.state}, {okBA, okB, ba.state}}
					for round := range everystore.Rounds(10) {
						s := w.subject(invite.ToOneTeam, fmt.Sprintf("%s.%s.%d@acme.example", first, second, round))
						before := count(w.events(w.acme))
						errs := together(
							func() error { return operations[first](w, s) },
							func() error { return operations[second](w, s) },
						)
						got := outcome{errs[0] == nil, errs[1] == nil, w.stored(s.inv).State}
						require.Contains(t, allowed, got)
						for _, err := range errs {
							if err != nil {
								require.True(t, errors.Is(err, tenancy.ErrConflict) || errors.Is(err, tenancy.ErrNotFound), "%v", err)
							}
						}
						after := count(w.events(w.acme))
						assert.Equal(t, got.first, after[recorded[first]] > before[recorded[first]])
						assert.Equal(t, got.second, after[recorded[second]] > before[recorded[second]])
						joined := w.member(w.acme, s.invitee).Status == tenancy.MembershipActive
						assert.Equal(t, got.state == invite.Accepted, joined)
					}
				})
			})
		}
	}
}
