package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type conversationRow struct {
	conversation.Conversation
	team       *teamRow
	messages   thread
	episodes   list[episodeRow]  // by Number
	grants     list[grantRow]    // by user
	deliveries list[deliveryRow] // by (CreatedAt, id)
	stream     stream
}

// threadAddress is a channel identity and a contact's address on that channel.
type threadAddress struct {
	identity tenancy.Identity
	address  string
}

// threadName is what makes two messages belong to one conversation.
type threadName struct {
	account tenancy.AccountID
	threadAddress
}

func pairOf(c conversation.Conversation) threadAddress { return threadAddress{c.Identity, c.Address} }
func threadOf(c conversation.Conversation) threadName  { return threadName{c.Account, pairOf(c)} }

// desk is the conversations that somebody works on, by the key of their scope: those of a team, those
// assigned to one member, or those granted to one guest. Each conversation is in one of its
// lists, so that a filter reads only what it asks for.
type desk struct{ open, snoozed, closed shelf }

// shelf is the conversations in one state.
type shelf struct{ answered, waiting list[conversationRow] }

func (d *desk) shelf(status conversation.Status) *shelf {
	switch status {
	case conversation.Snoozed:
		return &d.snoozed
	case conversation.Closed:
		return &d.closed
	case conversation.Open:
	}
	return &d.open
}

func (d *desk) of(c *conversationRow) *list[conversationRow] {
	shelf := d.shelf(c.Status)
	if c.NeedsReplySince.IsZero() {
		return &shelf.answered
	}
	return &shelf.waiting
}

// admitted are the lists that hold what the filter asks for. The desk may be nil.
func (d *desk) admitted(f conversation.Filter) []*list[conversationRow] {
	if d == nil {
		return nil
	}
	var lists []*list[conversationRow]
	for _, status := range conversation.Statuses() {
		if f.Status != "" && f.Status != status {
			continue
		}
		shelf := d.shelf(status)
		lists = append(lists, &shelf.waiting)
		if !f.Waiting {
			lists = append(lists, &shelf.answered)
		}
	}
	return lists
}

// ids are those of all conversations on the desk, sorted.
func (d *desk) ids() []tenancy.ConversationID {
	var ids []tenancy.ConversationID
	for c := range merged(ascending, ascending.beginning(), d.admitted(conversation.Filter{})...) {
		ids = append(ids, c.ID)
	}
	slices.SortFunc(ids, func(a, b tenancy.ConversationID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// conversationLists are the lists in which the conversation stands: its team's, its
// assignee's or nobody's, those of its guests, who follow it when it moves, that of its address, and that of
// the sweep which may end its state.
func (s *Store) conversationLists(c *conversationRow, visit func(*list[conversationRow], place)) {
	last := placeAt(c.LastAt, c.ID)
	visit(c.team.conversations.of(c), last)
	visit(lazily(s.addressed, pairOf(c.Conversation)), last)
	switch {
	case c.Status == conversation.Snoozed:
		visit(s.snoozed, placeAt(c.SnoozedUntil, c.ID))
	case c.Status == conversation.Open && c.NeedsReplySince.IsZero():
		visit(&c.team.idle, placeAt(c.IdleSince, c.ID))
	}
	visit(lazily(s.assigned, teamUser{c.Team, c.Assignee}).of(c), last)
	for g := range merged(ascending, ascending.beginning(), &c.grants) {
		if g.RevokedAt.IsZero() {
			visit(lazily(s.guests, teamUser{c.Team, g.User}).of(c), placeAt(c.CreatedAt, c.ID))
		}
	}
	s.queueLists(c, visit)
}

// InsertConversation implements [conversation.ThreadStore].
func (s *Store) InsertConversation(ctx context.Context, c conversation.Conversation) error {
	return s.write(ctx, func() error {
		team, err := s.checkConversation(&c)
		if err != nil {
			return err
		}
		c.Version = 1
		row := &conversationRow{Conversation: c, team: team}
		if err := cmp.Or(
			s.conversations.insert(c.ID, row),
			s.threads.move(threadName{}, threadOf(c), row),
		); err != nil {
			return err
		}
		enlist(s.log, row, s.conversationLists)
		return nil
	})
}

// UpdateConversation implements [conversation.ThreadStore].
func (s *Store) UpdateConversation(ctx context.Context, team tenancy.TeamID, c conversation.Conversation) error {
	return s.write(ctx, func() error {
		row, err := s.conversation(team, c.ID)
		if err != nil {
			return err
		}
		if err := sameVersion(row.Version, c.Version); err != nil {
			return err
		}
		return s.changeConversation(row, c)
	})
}

// changeConversation writes the next version of a row.
func (s *Store) changeConversation(row *conversationRow, c conversation.Conversation) error {
	owner, err := s.checkConversation(&c)
	if err != nil {
		return err
	}
	if err := s.threads.move(threadOf(row.Conversation), threadOf(c), row); err != nil {
		return err
	}
	c.Version++
	change := func() {
		set(s.log, &row.Conversation, c)
		set(s.log, &row.team, owner)
	}
	if c.Team != row.Team {
		stay := change
		change = func() { s.takeWords(row, stay) }
	}
	relist(s.log, row, s.conversationLists, change)
	return nil
}

// checkConversation also answers the owning team.
func (s *Store) checkConversation(c *conversation.Conversation) (*teamRow, error) {
	utc(&c.SnoozedUntil)
	utc(&c.LastAt)
	utc(&c.IdleSince)
	utc(&c.NeedsReplySince)
	utc(&c.FirstSentAt)
	utc(&c.ClaimedUntil)
	utc(&c.CreatedAt)
	if err := cmp.Or(
		oneOf("status", c.Status, conversation.Statuses()...),
		channel(c.Identity.Channel),
		s.users.mayHave(c.Assignee),
		s.users.mayHave(c.Claimant),
	); err != nil {
		return nil, err
	}
	if _, err := referred(s.contact(c.Team, c.Contact)); err != nil {
		return nil, err
	}
	return referred(s.teamOf(c.Account, c.Team))
}

// conversation finds one in the team.
func (s *Store) conversation(team tenancy.TeamID, id tenancy.ConversationID) (*conversationRow, error) {
	row, err := s.conversations.get(id)
	if err != nil || row.Team != team {
		return nil, tenancy.ErrNotFound
	}
	return row, nil
}

// LockConversation implements [conversation.ThreadStore].
func (s *Store) LockConversation(ctx context.Context, team tenancy.TeamID, id tenancy.ConversationID) (conversation.Conversation, error) {
	return lock(ctx, s, func() (conversation.Conversation, error) { return thatConversation(s.conversation(team, id)) })
}

// Conversation implements [conversation.ThreadStore].
func (s *Store) Conversation(ctx context.Context, team tenancy.TeamID, id tenancy.ConversationID) (conversation.Conversation, error) {
	return read(ctx, s, func() (conversation.Conversation, error) { return thatConversation(s.conversation(team, id)) })
}

// TeamOf implements [conversation.ThreadStore].
func (s *Store) TeamOf(ctx context.Context, id tenancy.ConversationID) (tenancy.TeamID, error) {
	return read(ctx, s, func() (tenancy.TeamID, error) {
		row, err := s.conversations.get(id)
		if err != nil {
			return tenancy.TeamID{}, err
		}
		return row.Team, nil
	})
}

// LockOpen implements [conversation.ThreadStore].
func (s *Store) LockOpen(ctx context.Context, team tenancy.TeamID) ([]conversation.Conversation, error) {
	return lock(ctx, s, func() ([]conversation.Conversation, error) {
		row := s.teams.rows[team]
		if row == nil {
			return nil, nil
		}
		var open []conversation.Conversation
		desk := &row.conversations
		for _, status := range []conversation.Status{conversation.Open, conversation.Snoozed} {
			for c := range merged(ascending, ascending.beginning(), desk.admitted(conversation.Filter{Status: status})...) {
				open = append(open, c.Conversation)
			}
		}
		slices.SortFunc(open, func(a, b conversation.Conversation) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		return open, nil
	})
}

// ConversationsByAddress implements [conversation.ThreadStore].
func (s *Store) ConversationsByAddress(ctx context.Context, identity tenancy.Identity, address string) ([]conversation.Conversation, error) {
	return read(ctx, s, func() ([]conversation.Conversation, error) {
		addressed := s.addressed[threadAddress{identity, address}]
		if addressed == nil {
			return nil, nil
		}
		var found []conversation.Conversation
		for c := range merged(descending, descending.beginning(), addressed) {
			found = append(found, c.Conversation)
		}
		return found, nil
	})
}

func thatConversation(row *conversationRow, err error) (conversation.Conversation, error) {
	if err != nil {
		return conversation.Conversation{}, err
	}
	return row.Conversation, nil
}

// Conversations implements [conversation.ThreadStore]. It reads the narrowest desk that
// holds the answer and leaves the last word to the scope itself.
func (s *Store) Conversations(ctx context.Context, scope conversation.Scope, filter conversation.Filter, page tenancy.Keyset) ([]conversation.Conversation, error) {
	return read(ctx, s, func() ([]conversation.Conversation, error) {
		if err := filter.Validate(); err != nil {
			return nil, err
		}
		conversations := merged(descending, descending.start(page), s.listsFor(scope, filter)...)
		return paged(conversations, page.Limit, func(c *conversationRow) (conversation.Conversation, bool) {
			return c.Conversation, filter.Admits(c.Conversation, scope.At) && scope.Admits(c.Conversation, c.grantOf(scope.Guest))
		}), nil
	})
}

// listsFor are the shortest lists that hold what scope and filter admit.
func (s *Store) listsFor(scope conversation.Scope, filter conversation.Filter) []*list[conversationRow] {
	var from *desk
	switch {
	case !scope.Guest.IsZero():
		from = s.guests[teamUser{scope.Team, scope.Guest}]
	case !filter.Claimant.IsZero():
		return []*list[conversationRow]{s.claimedBy(scope.Team, filter.Claimant)}
	case !filter.Assignee.IsZero(), filter.Unclaimed:
		from = s.assigned[teamUser{scope.Team, filter.Assignee}]
	default:
		if team := s.teams.rows[scope.Team]; team != nil {
			from = &team.conversations
		}
	}
	return from.admitted(filter)
}

// claimedBy are the conversations that the user has claimed, by (LastAt, id). They are few.
func (s *Store) claimedBy(team tenancy.TeamID, user tenancy.UserID) *list[conversationRow] {
	var claimed list[conversationRow]
	for c := range listed(s.claimed, teamUser{team, user}) {
		claimed.insert(placeAt(c.LastAt, c.ID), c)
	}
	return &claimed
}
