//go:build cluster

package mysql_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

const (
	loadWorkers = 6   // two for each node
	loadSteps   = 150 // of each worker
	loadLimit   = 5 * time.Minute
	threads     = 4 // conversations that all write to
)

// clusterKill writes from several goroutines through all nodes, and kills one of them in the
// middle. Whoever is answered that something is unavailable repeats it under the same key on the
// next node. Then everything is there exactly once, on the nodes that are left and on the killed
// one once it is back.
func clusterKill(t *testing.T, c *cluster) {
	l := newLoad(t, c)
	left := c.nodes[:clusterSize-1]
	before := c.conflicts(left...)
	l.run(t, c)
	t.Logf("%d operations acknowledged, %d of them repeated after %d answers of unavailable; %d conflicts between the nodes left",
		l.acknowledged.Load(), l.repeated.Load(), l.unavailable.Load(), c.conflicts(left...)-before)
	c.await(clusterSize - 1)
	l.check(t, l.w.sites[0])
	l.check(t, l.w.sites[1])

	c.boot(c.nodes[clusterSize-1]) // with its data taken from another node
	c.await(clusterSize)
	l.check(t, l.w.sites[clusterSize-1])
}

// load is what was asked of usher and acknowledged.
type load struct {
	w                                   *clusterWorld
	threads                             []conversation.Conversation
	acknowledged, repeated, unavailable atomic.Int64
	half                                chan struct{}

	mu       sync.Mutex
	teams    []tenancy.Team
	members  map[tenancy.UserID]rbac.Role
	joins    int
	changes  int
	received map[string]tenancy.ConversationID // by text
	sent     []conversation.Message
}

func newLoad(t *testing.T, c *cluster) *load {
	t.Helper()
	l := &load{
		w: newClusterWorld(t, c), half: make(chan struct{}),
		members: map[tenancy.UserID]rbac.Role{}, received: map[string]tenancy.ConversationID{},
	}
	l.members[l.w.holder.User] = rbac.Manager
	for i := range threads {
		l.threads = append(l.threads, l.w.receive(fmt.Sprintf("visitor-%d", i)))
		l.received["Hi "+l.threads[i].ID.String()] = l.threads[i].ID
	}
	return l
}

func (l *load) run(t *testing.T, c *cluster) {
	ctx, cancel := context.WithTimeout(t.Context(), loadLimit)
	defer cancel()
	errs := make(chan error, loadWorkers)
	for i := range loadWorkers {
		go func() { errs <- (&worker{load: l, id: i, at: i % clusterSize}).work(ctx) }()
	}
	select {
	case <-l.half:
		c.kill(c.nodes[clusterSize-1])
	case <-ctx.Done():
	}
	for range loadWorkers {
		require.NoError(t, <-errs)
	}
}

// worker is one client: it talks to one node for as long as that answers.
type worker struct {
	*load
	id, at, serial int
}

func (w *worker) work(ctx context.Context) error {
	steps := []func(context.Context) error{w.createTeam, w.admit, w.receive, w.receive, w.send, w.send, w.send, w.assign, w.deliver}
	for range loadSteps {
		if err := steps[rand.N(len(steps))](ctx); err != nil {
			return err
		}
	}
	return nil
}

// call does one thing under a key of its own until it is acknowledged or refused.
func (w *worker) call(ctx context.Context, do func(ctx context.Context, s *site) error) error {
	w.serial++
	ctx = tenancy.WithKey(ctx, fmt.Sprintf("worker %d, %d", w.id, w.serial))
	for attempt := 1; ; attempt++ {
		err := do(ctx, w.w.sites[w.at])
		if !errors.Is(err, tenancy.ErrUnavailable) {
			if attempt > 1 {
				w.repeated.Add(1)
			}
			if w.acknowledged.Add(1) == loadWorkers*loadSteps/2 {
				close(w.half)
			}
			return err
		}
		w.unavailable.Add(1)
		w.at = (w.at + 1) % clusterSize
		timer := time.NewTimer(50 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

func (w *worker) name() string { return fmt.Sprintf("%d of worker %d", w.serial, w.id) }

func (w *worker) createTeam(ctx context.Context) error {
	var team tenancy.Team
	err := w.call(ctx, func(ctx context.Context, s *site) (err error) {
		team, err = s.Tenancy.CreateTeam(ctx, w.w.holder, tenancy.TeamSpec{Name: "Team " + w.name()})
		return err
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.teams = append(w.teams, team)
	return err
}

// admit takes somebody new into the team, and then gives them another role.
func (w *worker) admit(ctx context.Context) error {
	var u tenancy.User
	err := w.call(ctx, func(ctx context.Context, s *site) (err error) {
		u, err = s.Tenancy.Register(ctx, ushertest.System, tenancy.Profile{
			Email: fmt.Sprintf("load-%d-%d@example.com", w.id, w.serial), Verified: true,
		})
		return err
	})
	if err != nil {
		return err
	}
	if err := w.call(ctx, func(ctx context.Context, s *site) error {
		_, err := s.Tenancy.Admit(ctx, ushertest.System, tenancy.Admission{Team: w.w.team.ID, User: u.ID, Role: rbac.Member})
		return err
	}); err != nil {
		return err
	}
	role := []rbac.Role{rbac.Manager, rbac.Restricted}[rand.N(2)]
	if err := w.call(ctx, func(ctx context.Context, s *site) error {
		_, err := s.Tenancy.ChangeRole(ctx, w.w.manager, u.ID, role)
		return err
	}); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.members[u.ID] = role
	w.joins++
	w.changes++
	return nil
}

func (w *worker) thread() conversation.Conversation { return w.threads[rand.N(len(w.threads))] }

// receive takes a message of a contact, which opens the conversation again if it was closed.
func (w *worker) receive(ctx context.Context) error {
	thread := w.thread()
	var text string
	var c conversation.Conversation
	err := w.call(ctx, func(ctx context.Context, s *site) (err error) {
		text = "Inbound " + w.name()
		c, err = s.Conversations.Receive(ctx, ushertest.System, conversation.Inbound{
			To: thread.Identity, From: thread.Address, ID: text, Text: text,
		})
		return err
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.received[text] = c.ID
	return err
}

func (w *worker) send(ctx context.Context) error {
	thread := w.thread()
	var m conversation.Message
	err := w.call(ctx, func(ctx context.Context, s *site) (err error) {
		m, err = s.Conversations.Send(ctx, w.w.manager, thread.ID, "Outbound "+w.name())
		return err
	})
	if errors.Is(err, conversation.ErrClosed) {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, m)
	return err
}

func (w *worker) assign(ctx context.Context) error {
	thread := w.thread()
	err := w.call(ctx, func(ctx context.Context, s *site) error {
		_, err := s.Conversations.TakeOver(ctx, w.w.manager, thread.ID, w.w.holder.User)
		return err
	})
	if err == nil {
		err = w.call(ctx, func(ctx context.Context, s *site) error {
			_, err := s.Conversations.Unassign(ctx, w.w.manager, thread.ID)
			return err
		})
	}
	if errors.Is(err, conversation.ErrClosed) {
		return nil
	}
	return err
}

// deliver closes a conversation with an outcome.
func (w *worker) deliver(ctx context.Context) error {
	thread := w.thread()
	outcomes := []conversation.Label{conversation.NotQualified, conversation.NotInterested, conversation.NotEligible}
	err := w.call(ctx, func(ctx context.Context, s *site) error {
		_, err := s.Conversations.Deliver(ctx, w.w.manager, thread.ID, conversation.ToUser(w.w.holder.User),
			conversation.Outcome{Status: outcomes[w.id%len(outcomes)]})
		return err
	})
	if errors.Is(err, conversation.ErrClosed) {
		return nil
	}
	return err
}

// check looks on one node for everything that was acknowledged, and for nothing else.
func (l *load) check(t *testing.T, s *site) {
	t.Helper()
	ctx := t.Context()
	members, err := s.store.Members(ctx, l.w.team.ID, tenancy.Keyset{Limit: 10_000})
	require.NoError(t, err)
	found := map[tenancy.UserID]rbac.Role{}
	for _, m := range members {
		found[m.User] = m.Role
	}
	assert.Equal(t, l.members, found, s.name)
	assert.Len(t, members, len(l.members), s.name)

	teams, err := s.store.TeamsOf(ctx, l.w.holder.User, tenancy.Keyset{Limit: 10_000})
	require.NoError(t, err)
	assert.Len(t, teams, len(l.teams)+1, s.name)
	for _, want := range l.teams {
		assert.True(t, slices.ContainsFunc(teams, func(have tenancy.TeamOfUser) bool { return reflect.DeepEqual(have.Team, want) }), "%s: %s", s.name, want.Name)
	}
	l.checkMessages(t, s)
	l.checkEvents(t, s)
	l.checkOutcomes(t, s)
}

func (l *load) checkMessages(t *testing.T, s *site) {
	t.Helper()
	received, sent := map[string]tenancy.ConversationID{}, 0
	for _, thread := range l.threads {
		c, err := s.store.Conversation(t.Context(), l.w.team.ID, thread.ID)
		require.NoError(t, err)
		messages, err := s.store.Messages(t.Context(), c.ID, conversation.Range{Notes: true, Limit: 10_000})
		require.NoError(t, err)
		assert.EqualValues(t, len(messages), c.LastSeq, s.name)
		for i, m := range messages {
			assert.EqualValues(t, i+1, m.Seq, "%s: a gap", s.name)
			switch {
			case m.Kind == conversation.OutboundMessage:
				sent++
				assert.Contains(t, l.sent, m, s.name)
			case i == 0:
				received["Hi "+c.ID.String()] = c.ID
			default:
				assert.NotContains(t, received, m.Text, "%s: twice", s.name)
				received[m.Text] = c.ID
			}
		}
	}
	assert.Equal(t, l.received, received, s.name)
	assert.Len(t, l.sent, sent, s.name)
}

// checkEvents counts: each stream from 1 on without a gap, as far as its row has counted, and one
// event for each thing that was done.
func (l *load) checkEvents(t *testing.T, s *site) {
	t.Helper()
	count := func(query string, args ...any) (n int) {
		require.NoError(t, s.db.QueryRowContext(t.Context(), query, args...).Scan(&n))
		return n
	}
	streams := 0
	for kind, table := range map[string]string{
		"account": "usher_accounts", "user": "usher_users", "team": "usher_teams", "contact": "usher_contacts", "conversation": "usher_conversations",
	} {
		streams += count("SELECT COUNT(*) FROM " + table + " WHERE events > 0")
		broken := count("SELECT COUNT(*) FROM "+table+` r LEFT JOIN (SELECT stream_id, COUNT(*) AS n, MIN(seq) AS lowest, MAX(seq) AS highest
			FROM usher_events WHERE stream_kind = ? GROUP BY stream_id) e ON e.stream_id = r.id
			WHERE r.events <> COALESCE(e.n, 0) OR r.events <> COALESCE(e.highest, 0) OR e.lowest <> 1`, kind)
		assert.Zero(t, broken, "%s: streams of kind %s with a gap", s.name, kind)
	}
	assert.Equal(t, streams, count("SELECT COUNT(DISTINCT stream_kind, stream_id) FROM usher_events"), s.name)
	for kind, want := range map[string]int{
		tenancy.TeamCreated:          len(l.teams) + 1,
		tenancy.MemberJoined:         len(l.teams) + 1 + l.joins,
		tenancy.MemberRoleChanged:    l.changes,
		conversation.MessageReceived: len(l.received),
		conversation.MessageSent:     len(l.sent),
	} {
		assert.Equal(t, want, count("SELECT COUNT(*) FROM usher_events WHERE kind = ?", kind), "%s: %s", s.name, kind)
	}
}

// checkOutcomes follows each conversation: between two ends it was opened again, each end is one
// delivery's, and the last one is the conversation's.
func (l *load) checkOutcomes(t *testing.T, s *site) {
	t.Helper()
	for _, thread := range l.threads {
		closed, outcome := s.ends(t, thread.ID)
		c, err := s.store.Conversation(t.Context(), l.w.team.ID, thread.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.Label(outcome), c.Outcome, s.name)
		history, err := s.Conversations.History(t.Context(), l.w.manager, thread.ID)
		require.NoError(t, err)
		assert.Len(t, history, closed, s.name)
	}
}

// ends counts how often a conversation was closed, and tells the outcome that it is closed with,
// empty for an open one.
func (s *site) ends(t *testing.T, id tenancy.ConversationID) (closed int, outcome string) {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), `SELECT kind, COALESCE(JSON_VALUE(payload, '$.outcome'), '') FROM usher_events
		WHERE stream_kind = 'conversation' AND stream_id = ? AND kind IN (?, ?) ORDER BY seq`,
		id[:], conversation.ConversationClosed, conversation.ConversationOpened)
	require.NoError(t, err)
	defer rows.Close() // rows.Err tells all that matters
	for rows.Next() {
		var kind, label string
		require.NoError(t, rows.Scan(&kind, &label))
		if kind == conversation.ConversationOpened {
			assert.NotEmpty(t, outcome, "%s: opened twice", s.name)
			outcome = ""
			continue
		}
		assert.Empty(t, outcome, "%s: closed twice", s.name)
		outcome = label
		closed++
	}
	require.NoError(t, rows.Err())
	return closed, outcome
}
