package conversation_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// machine is two conversations with which everybody may do anything, in any order.
type machine struct {
	*world
	rt       *rapid.T
	n        int
	visitors []string
	threads  []tenancy.ConversationID
	users    []string // who may act, in either team, whether they are in it or not
	names    map[tenancy.UserID]string
	said     int
	// words are the contact's messages that only opt out or in, which wait for no reply. One that is deleted
	// has no text any more.
	words map[tenancy.MessageID]bool
}

// Spec 6: whatever happens to a conversation, it has one open delivery at most and somebody who
// sees it; list, get, check and scope agree for every actor; its sequences have no gap; what waits and
// what is unread is what its messages say; and its events fold to its row.
func TestSpec6_WhateverHappens(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		n, left := 0, 6 // on a database each look is some hundred statements
		if strings.HasSuffix(t.Name(), "memory") {
			left = math.MaxInt
		}
		w.configure(w.alice, func(s *tenancy.Settings) { s.AutoClose = time.Hour })
		rapid.Check(t, func(rt *rapid.T) {
			if left--; left < 0 {
				return
			}
			n++
			m := newMachine(w, rt, n)
			for range rapid.IntRange(10, 60).Draw(rt, "steps") {
				m.step(rapid.SampledFrom(slices.Sorted(maps.Keys(moves))).Draw(rt, "move"))
			}
			for _, id := range m.threads {
				m.look(id)
			}
		})
	})
}

func newMachine(w *world, rt *rapid.T, n int) *machine {
	m := &machine{world: w, rt: rt, n: n, names: map[tenancy.UserID]string{}, words: map[tenancy.MessageID]bool{}}
	temp := fmt.Sprint("ted-", n)
	w.join(temp)
	m.users = []string{"alice", "bob", "maria", "dana", "oscar", temp, fmt.Sprint("gil-", n), fmt.Sprint("gus-", n)}
	for _, name := range m.users {
		m.names[w.User(name).ID] = name
	}
	for i := range 2 {
		visitor := fmt.Sprintf("visitor-%d-%d", n, i)
		m.visitors = append(m.visitors, visitor)
		m.threads = append(m.threads, w.Receive("Sales", visitor, "Hi").ID)
	}
	return m
}

// pick draws one of several, by its number, so that a failure stays short.
func pick[T any](rt *rapid.T, what string, of []T) T {
	return of[rapid.IntRange(0, len(of)-1).Draw(rt, what)]
}

func (m *machine) thread() tenancy.ConversationID { return pick(m.rt, "thread", m.threads) }
func (m *machine) team() string                   { return pick(m.rt, "team", []string{"Sales", "Sales", "Hiring"}) }
func (m *machine) name() string                   { return pick(m.rt, "user", m.users) }
func (m *machine) actor() tenancy.Actor {
	return pick(m.rt, "actor", []func() tenancy.Actor{
		func() tenancy.Actor { return m.bob },
		func() tenancy.Actor { return m.maria },
		func() tenancy.Actor { return m.Actor("dana", "Hiring") },
		func() tenancy.Actor { return m.Actor(m.users[5], "Sales") },
		func() tenancy.Actor { return m.Actor(m.guest(), m.team()) },
		func() tenancy.Actor { return m.Actor(m.name(), m.team()) },
	})()
}
func (m *machine) guest() string { return pick(m.rt, "guest", m.users[6:]) }

// somebody is a guest as often as one of all.
func (m *machine) somebody() string {
	return pick(m.rt, "somebody", []func() string{m.guest, m.name})()
}
func (m *machine) temp() tenancy.UserID { return m.User(m.users[5]).ID }
func (m *machine) outcome() conversation.Outcome {
	return conversation.Outcome{Status: pick(m.rt, "status", []conversation.Label{"", conversation.Engaged, conversation.NotInterested})}
}

// message is one of a conversation's messages, by whoever wrote it.
func (m *machine) message(id tenancy.ConversationID) tenancy.MessageID {
	all := m.written(id)
	return pick(m.rt, "message", all).ID
}

// written are all messages of a conversation.
func (m *machine) written(id tenancy.ConversationID) (all []conversation.Message) {
	for {
		after := int64(len(all))
		more, err := m.Store.Messages(m.t.Context(), id, conversation.Range{After: after, Notes: true, Limit: tenancy.MaxLimit})
		require.NoError(m.rt, err)
		if all = append(all, more...); len(more) < tenancy.MaxLimit {
			return all
		}
	}
}

// drop forgets what a move answers beside its error.
func drop[T any](_ T, err error) error { return err }

var moves = map[string]func(m *machine) error{
	"time passes": func(m *machine) error {
		m.Clock.Advance(time.Duration(rapid.IntRange(1, 90).Draw(m.rt, "minutes")) * time.Minute)
		return nil
	},
	"receive": func(m *machine) error {
		m.said++
		return drop(m.Conversations.Receive(m.t.Context(), ushertest.System, conversation.Inbound{
			To: m.TeamNamed("Sales").Identity, From: pick(m.rt, "visitor", m.visitors),
			ID:   fmt.Sprint(m.n, "-", m.said-rapid.IntRange(0, 1).Draw(m.rt, "again")),
			Text: pick(m.rt, "text", []string{"Hello", "Hello", "STOP", "START"}),
		}))
	},
	"send": func(m *machine) error {
		m.said++
		return drop(m.Conversations.Send(m.t.Context(), m.actor(), m.thread(), "Hello", conversation.ClientID(
			fmt.Sprint(m.n, "-", m.said-rapid.IntRange(0, 1).Draw(m.rt, "again")))))
	},
	"note": func(m *machine) error {
		return drop(m.Conversations.Note(m.t.Context(), m.actor(), m.thread(), "filed"))
	},
	"post": func(m *machine) error {
		return drop(m.Conversations.Post(m.t.Context(), ushertest.System, m.thread(), conversation.AutomaticMessage, "We are closed."))
	},
	"type": func(m *machine) error {
		line := pick(m.rt, "line", []string{"^note filed", "^claim", "^release", "^close", "^open", "^snooze 1h", "^read", "^unread", "^help", "^assign me", "^nonsense"})
		return drop(m.Conversations.Type(m.t.Context(), m.actor(), m.thread(), line))
	},
	"edit": func(m *machine) error {
		id := m.thread()
		return drop(m.Conversations.EditMessage(m.t.Context(), m.actor(), id, m.message(id), pick(m.rt, "text", []string{"Hello", "Bye"})))
	},
	"delete": func(m *machine) error {
		id := m.thread()
		return drop(m.Conversations.DeleteMessage(m.t.Context(), m.actor(), id, m.message(id)))
	},
	"mark read": func(m *machine) error {
		return drop(m.Conversations.MarkRead(m.t.Context(), m.actor(), m.thread(), rapid.Int64Range(0, 9).Draw(m.rt, "seq")))
	},
	"mark unread": func(m *machine) error {
		return drop(m.Conversations.MarkUnread(m.t.Context(), m.actor(), m.thread(), rapid.Int64Range(0, 9).Draw(m.rt, "seq")))
	},
	"assign": func(m *machine) error {
		return drop(m.Conversations.Assign(m.t.Context(), m.actor(), m.thread(), m.User(m.name()).ID))
	},
	"take over": func(m *machine) error {
		return drop(m.Conversations.TakeOver(m.t.Context(), m.actor(), m.thread(), m.User(m.name()).ID))
	},
	"unassign": func(m *machine) error { return drop(m.Conversations.Unassign(m.t.Context(), m.actor(), m.thread())) },
	"claim":    func(m *machine) error { return drop(m.Conversations.Claim(m.t.Context(), m.actor(), m.thread())) },
	"release":  func(m *machine) error { return drop(m.Conversations.Release(m.t.Context(), m.actor(), m.thread())) },
	"next": func(m *machine) error {
		return drop(m.Conversations.Next(m.t.Context(), m.actor(), pick(m.rt, "queue", []conversation.Queue{
			conversation.AgentQueue, conversation.RecruiterQueue, conversation.Unclaimed,
		})))
	},
	"skip": func(m *machine) error {
		return drop(m.Conversations.Skip(m.t.Context(), m.actor(), m.thread(), "later", 0))
	},
	"close": func(m *machine) error {
		return drop(m.Conversations.Close(m.t.Context(), m.actor(), m.thread(), m.outcome().Status))
	},
	"open": func(m *machine) error { return drop(m.Conversations.Open(m.t.Context(), m.actor(), m.thread())) },
	"start": func(m *machine) error {
		return drop(m.Conversations.Start(m.t.Context(), m.actor(), pick(m.rt, "visitor", m.visitors)))
	},
	"snooze": func(m *machine) error {
		return drop(m.Conversations.Snooze(m.t.Context(), m.actor(), m.thread(), m.Clock.Now().Add(time.Hour)))
	},
	"wake":       func(m *machine) error { return drop(m.Conversations.Wake(m.t.Context(), ushertest.System)) },
	"close idle": func(m *machine) error { return drop(m.Conversations.CloseIdle(m.t.Context(), ushertest.System)) },
	"end claims": func(m *machine) error { return drop(m.Conversations.EndClaims(m.t.Context(), ushertest.System)) },
	"expire":     func(m *machine) error { return drop(m.Conversations.ExpireGuests(m.t.Context(), ushertest.System)) },
	"opt out": func(m *machine) error {
		return drop(m.Conversations.OptOut(m.t.Context(), m.actor(), m.thread(), "asked on the phone"))
	},
	"opt in": func(m *machine) error {
		return drop(m.Conversations.OptIn(m.t.Context(), m.actor(), m.thread(), "asked on the phone"))
	},
	"deliver": func(m *machine) error {
		to := pick(m.rt, "to", []conversation.Recipient{
			conversation.ToUser(m.User(m.name()).ID), conversation.ToEmail(ushertest.Email(m.somebody())), conversation.ToTeam(m.TeamNamed(m.team()).ID),
		})
		return drop(m.Conversations.Deliver(m.t.Context(), m.actor(), m.thread(), to, m.outcome()))
	},
	"invite": func(m *machine) error {
		return drop(m.Invites.Create(m.t.Context(), m.actor(), invite.ToConversation(ushertest.Email(m.somebody()), m.thread())))
	},
	"accept": func(m *machine) error {
		name := m.somebody()
		m.Post()
		if len(m.Mails(name)) == 0 {
			return nil
		}
		token := m.Token(name)
		if rapid.Bool().Draw(m.rt, "decline") {
			return drop(m.Invites.Decline(m.t.Context(), m.User(name).ID, token))
		}
		return drop(m.Invites.Accept(m.t.Context(), m.User(name).ID, token))
	},
	"revoke guest": func(m *machine) error {
		return m.Conversations.RevokeGuest(m.t.Context(), m.actor(), m.thread(), m.User(m.somebody()).ID)
	},
	"suspend":    func(m *machine) error { return drop(m.Tenancy.Suspend(m.t.Context(), m.alice, m.temp())) },
	"reactivate": func(m *machine) error { return drop(m.Tenancy.Reactivate(m.t.Context(), m.alice, m.temp())) },
	"remove":     func(m *machine) error { return m.Tenancy.Remove(m.t.Context(), m.alice, m.temp()) },
}

// step makes one move. A refusal is typed, and leaves the conversations as they were.
func (m *machine) step(name string) {
	before := m.rows()
	err := moves[name](m)
	if err == nil {
		m.waits(name)
		return
	}
	classes := []error{rbac.ErrDenied, tenancy.ErrNotFound, tenancy.ErrConflict, tenancy.ErrInvalid, tenancy.ErrLimit, conversation.ErrClosed}
	if !slices.ContainsFunc(classes, func(class error) bool { return errors.Is(err, class) }) {
		m.rt.Fatalf("%s: %v is of no class", name, err)
	}
	require.Equal(m.rt, before, m.rows(), "%s was refused (%v) and changed something", name, err)
}

// row is a conversation as it is, wherever it is.
func (m *machine) row(id tenancy.ConversationID) conversation.Conversation {
	team, err := m.Store.TeamOf(m.t.Context(), id)
	require.NoError(m.rt, err)
	c, err := m.Store.Conversation(m.t.Context(), team, id)
	require.NoError(m.rt, err)
	return c
}

func (m *machine) rows() (all []conversation.Conversation) {
	for _, id := range m.threads {
		all = append(all, m.row(id))
	}
	return all
}

// waits compares what a move left with the messages.
func (m *machine) waits(name string) {
	for _, id := range m.threads {
		var since time.Time
		all := m.written(id)
		for i, said := range all {
			require.EqualValues(m.rt, i+1, said.Seq, "after %s the sequence has a gap", name)
			if said.Text == "STOP" || said.Text == "START" {
				m.words[said.ID] = true
			}
			switch {
			case said.Kind == conversation.InboundMessage && !m.words[said.ID] && since.IsZero():
				since = said.At
			case said.Kind == conversation.OutboundMessage:
				since = time.Time{}
			}
		}
		c := m.row(id)
		require.EqualValues(m.rt, len(all), c.LastSeq, "after %s", name)
		require.Equal(m.rt, since, c.NeedsReplySince, "after %s", name)
	}
}

// look compares all that can be seen of a conversation.
func (m *machine) look(id tenancy.ConversationID) {
	c := m.row(id)
	cards, err := m.Store.Deliveries(m.t.Context(), id)
	require.NoError(m.rt, err)
	open := 0
	for _, d := range cards {
		if d.State == conversation.DeliveryPending {
			open++
		}
	}
	require.LessOrEqual(m.rt, open, 1, "open deliveries")
	seen := 0
	for _, name := range m.users {
		for _, team := range []string{"Sales", "Hiring"} {
			if m.sees(name, team, c) {
				seen++
			}
		}
	}
	require.Positive(m.rt, seen, "nobody sees it")
	m.folds(c)
}

// sees asks every way in which somebody may see the conversation; they must agree.
func (m *machine) sees(name, team string, c conversation.Conversation) bool {
	ctx, actor := m.t.Context(), m.Actor(name, team)
	_, err := m.Conversations.Get(ctx, actor, c.ID)
	got := err == nil
	checked := m.Conversations.Check(ctx, actor, c.ID, rbac.ReadConversation) == nil
	scope, err := m.Conversations.Scope(ctx, actor)
	admitted := false
	if err == nil {
		g, grantErr := m.Store.Grant(ctx, c.ID, actor.User)
		if grantErr != nil {
			require.ErrorIs(m.rt, grantErr, tenancy.ErrNotFound)
		}
		admitted = scope.Admits(c, g)
	}
	unread, err := m.Conversations.Unread(ctx, actor, c.ID)
	if err != nil {
		require.False(m.rt, got, "%s in %s sees it and cannot count", name, team)
	}
	who := fmt.Sprintf("%s in %s: get, check, list, scope", name, team)
	require.Equal(m.rt, []bool{got, got, got, got}, []bool{got, checked, m.lists(actor, c.ID), admitted}, who)
	require.Equal(m.rt, m.unread(actor, c, got), unread[c.ID], "%s in %s has unread", name, team)
	return got
}

func (m *machine) lists(actor tenancy.Actor, id tenancy.ConversationID) bool {
	var page tenancy.Page
	page.Limit = tenancy.MaxLimit
	for {
		list, err := m.Conversations.List(m.t.Context(), actor, conversation.Filter{}, page)
		if err != nil {
			return false
		}
		if slices.ContainsFunc(list.Items, func(c conversation.Conversation) bool { return c.ID == id }) {
			return true
		}
		if page.After = list.Next; page.After == "" {
			return false
		}
	}
}

// unread counts by hand what the actor sees and has not read.
func (m *machine) unread(actor tenancy.Actor, c conversation.Conversation, sees bool) (count int) {
	if !sees {
		return 0
	}
	mark, err := m.Conversations.ReadMark(m.t.Context(), actor, c.ID)
	require.NoError(m.rt, err)
	shown, err := m.Conversations.Messages(m.t.Context(), actor, c.ID, 0, tenancy.MaxLimit)
	require.NoError(m.rt, err)
	for _, said := range shown {
		counts := said.Kind == conversation.InboundMessage || said.Kind == conversation.OutboundMessage || said.Kind == conversation.NoteMessage
		if counts && said.Seq > mark.Seq && said.Author != actor.User && said.DeletedAt.IsZero() {
			count++
		}
	}
	return count
}

// folded is what the events say of a conversation.
type folded struct {
	Team     string
	Status   conversation.Status
	Assignee string
	Claimant string
	LastSeq  string
	Episode  string
}

// folds goes through the events of a conversation, in the order of their sequence.
func (m *machine) folds(c conversation.Conversation) {
	f := folded{Team: m.TeamNamed("Sales").ID.String()}
	for i, e := range m.stream(c.ID) {
		require.EqualValues(m.rt, i+1, e.Sequence, "the stream has a gap")
		var facts tenancy.Facts
		require.NoError(m.rt, json.Unmarshal(e.Payload, &facts))
		f.apply(e.Kind, facts)
	}
	text := func(user tenancy.UserID) string {
		if user.IsZero() {
			return ""
		}
		return user.String()
	}
	assert.Equal(m.rt, folded{
		Team: c.Team.String(), Status: c.Status, Assignee: text(c.Assignee), Claimant: text(c.Claimant),
		LastSeq: fmt.Sprint(c.LastSeq), Episode: fmt.Sprint(c.Episode),
	}, f)
}

func (f *folded) apply(kind string, facts tenancy.Facts) {
	if episode, told := facts["episode"]; told {
		f.Episode = episode
	}
	switch kind {
	case conversation.ConversationStarted, conversation.ConversationWoken, conversation.ConversationOpened:
		f.Status = conversation.Open
	case conversation.ConversationSnoozed:
		f.Status = conversation.Snoozed
	case conversation.ConversationClosed:
		f.Status = conversation.Closed
	case conversation.ConversationAssigned:
		f.Assignee = facts["user"]
	case conversation.ConversationUnassigned:
		f.Assignee = ""
	case conversation.ConversationClaimed:
		f.Claimant = facts["user"]
	case conversation.ConversationReleased:
		f.Claimant = ""
	case conversation.ConversationMoved:
		f.Team, f.Assignee = facts["to"], ""
	case conversation.MessageReceived, conversation.MessageSent, conversation.MessagePosted, conversation.NoteWritten:
		f.LastSeq = facts["seq"]
	}
}

// stream are the events of a conversation, which stay with the teams that it was in.
func (m *machine) stream(id tenancy.ConversationID) (all []outbox.Event) {
	for _, team := range []string{"Sales", "Hiring"} {
		for _, e := range m.log(m.TeamNamed(team).ID) {
			if e.Stream == (outbox.Stream{Kind: outbox.ConversationStream, ID: id.UUID()}) {
				all = append(all, e)
			}
		}
	}
	slices.SortFunc(all, func(a, b outbox.Event) int { return int(a.Sequence - b.Sequence) })
	return all
}
