package sqlstore

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type conversationStatements struct {
	insert, update, lock, lockOpen, open, exists, byID, teamOf, byAddress string
	lockMany, byIDs, unassign, release, closeMany, move, held             manyIDs
	snoozeEnded, idle                                                     string
	// listed has a form for each combination of scope and filter.
	listed map[listForm]pages
}

// listForm is which conditions a list of conversations has.
type listForm struct {
	guest, status, waiting, assignee, claimant, unclaimed bool
	// queue stands for itself.
	queue conversation.Queue
}

// findConversation is the beginning of what reads conversations; a condition follows.
const findConversation = `SELECT c.id, c.account_id, c.team_id, c.contact_id, c.channel, c.identity, c.address,
	c.status, c.snoozed_until, c.episode, c.label, c.outcome, c.assignee_id, c.claimant_id, c.claimed_until, c.last_seq,
	c.last_at, c.idle_since, c.needs_reply_since, c.first_sent_at, c.created_at, c.version FROM usher_conversations c WHERE`

// atWork says of a team and its account that there is more to do than to read.
const atWork = `AND t.status = 'active' AND a.status = 'active'`

func (c *compiler) conversations() conversationStatements {
	const find = findConversation
	s := conversationStatements{
		insert: c.sql(`INSERT INTO usher_conversations (id, account_id, team_id, contact_id, channel, identity,
			address, status, snoozed_until, episode, label, outcome, assignee_id, claimant_id, claimed_until,
			last_seq, last_at, idle_since, needs_reply_since, first_sent_at, created_at, version) VALUES (`, list("?", 21), `, 1)`),
		update: c.sql(`UPDATE usher_conversations SET team_id = ?, contact_id = ?, channel = ?, identity = ?,
			address = ?, status = ?, snoozed_until = ?, episode = ?, label = ?, outcome = ?, assignee_id = ?, claimant_id = ?,
			claimed_until = ?, last_seq = ?, last_at = ?, idle_since = ?, needs_reply_since = ?, first_sent_at = ?, version = version + 1 WHERE id = ? AND team_id = ? AND version = ?`),
		lock:      c.sql(`UPDATE usher_conversations {by key} SET locks = locks + 1 WHERE id = ? AND team_id = ?`),
		lockOpen:  c.sql(`UPDATE usher_conversations SET locks = locks + 1 WHERE team_id = ? AND status IN ('open', 'snoozed')`),
		open:      c.sql(find, `c.team_id = ? AND c.status IN ('open', 'snoozed') ORDER BY c.id`),
		exists:    c.sql(`SELECT 1 FROM usher_conversations WHERE id = ? AND team_id = ?`),
		byID:      c.sql(find, `c.id = ? AND c.team_id = ?`),
		teamOf:    c.sql(`SELECT team_id FROM usher_conversations WHERE id = ?`),
		byAddress: c.sql(find, `c.channel = ? AND c.identity = ? AND c.address = ? ORDER BY c.last_at DESC, c.id DESC`),
		lockMany:  c.manyIDs(`UPDATE usher_conversations {by key} SET locks = locks + 1 WHERE {team_id, id}`),
		byIDs:     c.manyIDs(find, `{c.team_id, c.id} ORDER BY c.id`),
		unassign: c.manyIDs(`UPDATE usher_conversations SET assignee_id = NULL, version = version + 1
			WHERE {team_id, id}`),
		release: c.manyIDs(`UPDATE usher_conversations SET claimant_id = NULL, claimed_until = ?, version = version + 1
			WHERE {team_id, id}`),
		held: c.manyIDs(`SELECT c.team_id, c.id FROM usher_conversations c WHERE {c.team_id, c.assignee_id}
			UNION ALL SELECT c.team_id, c.id FROM usher_conversations c WHERE {c.team_id, c.claimant_id}
			UNION ALL SELECT c.team_id, c.id FROM usher_grants g JOIN usher_conversations c ON c.id = g.conversation_id
				WHERE g.user_id IN ({ids}) AND g.revoked_at IS NULL AND {c.team_id, g.user_id}
			UNION ALL SELECT d.from_team_id, d.pending_conversation FROM usher_deliveries d
				WHERE {d.from_team_id, d.by_id} AND d.pending_conversation IS NOT NULL
			UNION ALL SELECT d.from_team_id, d.pending_conversation FROM usher_deliveries d
				WHERE {d.from_team_id, d.user_id} AND d.pending_conversation IS NOT NULL`),
		closeMany: c.manyIDs(`UPDATE usher_conversations SET status = 'closed', snoozed_until = NULL, outcome = ?,
			claimant_id = NULL, claimed_until = ?, version = version + 1
			WHERE team_id = ? AND id IN ({ids})`),
		// Where there is no contact it names none, as a write that refers to nothing does.
		move: c.manyIDs(`UPDATE usher_conversations SET contact_id = COALESCE((SELECT p.id FROM usher_contacts p
			WHERE p.team_id = ? AND p.channel = usher_conversations.channel AND p.address = usher_conversations.address), ?),
			team_id = ?, assignee_id = NULL, claimant_id = NULL, claimed_until = ?, version = version + 1 WHERE team_id = ? AND id IN ({ids})`),
		snoozeEnded: c.sql(`SELECT c.team_id, c.id FROM usher_conversations c
			JOIN usher_teams t ON t.id = c.team_id JOIN usher_accounts a ON a.id = t.account_id
			WHERE c.status = 'snoozed' AND c.snoozed_until <= ?`, atWork, `ORDER BY c.snoozed_until, c.id LIMIT ?`),
		idle: c.sql(`SELECT c.team_id, c.id FROM usher_teams t JOIN usher_conversations c ON c.team_id = t.id
			JOIN usher_accounts a ON a.id = t.account_id
			WHERE t.auto_close IS NOT NULL AND c.status = 'open' AND c.needs_reply_since IS NULL
			AND c.idle_since <= ? - t.auto_close`, atWork, `LIMIT ?`),
		listed: map[listForm]pages{},
	}
	newest := map[bool]order{false: newestFirst("c.last_at", "c.id"), true: newestFirst("c.created_at", "c.id")} // conversation.Scope.Key
	for bits := range 1 << 6 {
		form := listForm{
			guest: bits&1 != 0, status: bits&2 != 0, waiting: bits&4 != 0, assignee: bits&8 != 0,
			claimant: bits&16 != 0, unclaimed: bits&32 != 0,
		}
		s.listed[form] = c.pages(newest[form.guest], append([]string{find}, form.conditions()...)...)
	}
	for queue := range conversation.AgentQueue {
		for _, guest := range []bool{false, true} {
			form := listForm{guest: guest, queue: queue + 1}
			s.listed[form] = c.pages(newest[guest], append([]string{find}, form.conditions()...)...)
		}
	}
	return s
}

func (f listForm) conditions() []string {
	conditions := []string{teamScope}
	if f.guest {
		conditions = []string{guestScope}
	}
	if f.status {
		conditions = append(conditions, `AND c.status = ?`)
	}
	if f.waiting {
		conditions = append(conditions, `AND c.needs_reply_since IS NOT NULL`)
	}
	if f.assignee {
		conditions = append(conditions, `AND c.assignee_id = ?`)
	}
	if f.claimant {
		conditions = append(conditions, `AND `+lineClaimed)
	}
	if f.unclaimed {
		conditions = append(conditions, `AND `+lineFree)
	}
	if f.queue != 0 {
		var parts []string
		for _, part := range queueParts {
			if f.queue&part.is != 0 {
				parts = append(parts, part.condition)
			}
		}
		conditions = append(conditions, lineWaits, `AND (`+strings.Join(parts, " OR ")+`)`)
	}
	return conditions
}

// queueParts are the parts of a queue with what they bind.
var queueParts = []struct {
	is        conversation.Queue
	condition string
	args      func(user tenancy.UserID, at int64) []any
}{
	{conversation.Unclaimed, lineFree, func(_ tenancy.UserID, at int64) []any { return []any{at} }},
	{conversation.ClaimedByMe, lineClaimed, func(user tenancy.UserID, at int64) []any { return []any{user, at} }},
	{conversation.AssignedToMe, lineAssigned, func(user tenancy.UserID, at int64) []any { return []any{user, at, user} }},
}

func scanConversation(r row) (conversation.Conversation, error) {
	var c conversation.Conversation
	err := r.Scan(id(&c.ID), id(&c.Account), id(&c.Team), id(&c.Contact), &c.Identity.Channel,
		&c.Identity.Value, &c.Address, &c.Status, at(&c.SnoozedUntil), &c.Episode, &c.Label, &c.Outcome, id(&c.Assignee), id(&c.Claimant),
		at(&c.ClaimedUntil), &c.LastSeq, at(&c.LastAt), at(&c.IdleSince), at(&c.NeedsReplySince), at(&c.FirstSentAt), at(&c.CreatedAt), &c.Version)
	return c, err
}

// InsertConversation implements [conversation.ThreadStore].
func (s *Store) InsertConversation(ctx context.Context, c conversation.Conversation) error {
	_, err := s.exec(ctx, s.conversations.insert, c.ID, c.Account, c.Team, c.Contact, c.Identity.Channel,
		c.Identity.Value, c.Address, c.Status, c.SnoozedUntil, c.Episode, c.Label, c.Outcome, c.Assignee, c.Claimant,
		micros(c.ClaimedUntil), c.LastSeq, micros(c.LastAt), micros(c.IdleSince), c.NeedsReplySince, c.FirstSentAt, micros(c.CreatedAt))
	return err
}

// UpdateConversation implements [conversation.ThreadStore].
func (s *Store) UpdateConversation(ctx context.Context, team tenancy.TeamID, c conversation.Conversation) error {
	err := s.update(ctx, s.conversations.update, []any{
		c.Team, c.Contact, c.Identity.Channel, c.Identity.Value, c.Address, c.Status, c.SnoozedUntil, c.Episode, c.Label,
		c.Outcome, c.Assignee, c.Claimant, micros(c.ClaimedUntil), c.LastSeq, micros(c.LastAt), micros(c.IdleSince), c.NeedsReplySince, c.FirstSentAt, c.ID, team, c.Version,
	}, s.conversations.exists, c.ID, team)
	if err != nil || c.Team == team {
		return err
	}
	_, err = execMany(ctx, s, s.words.move, []tenancy.ConversationID{c.ID}, c.Team, c.Team)
	return err
}

// LockConversation implements [conversation.ThreadStore].
func (s *Store) LockConversation(ctx context.Context, team tenancy.TeamID, id tenancy.ConversationID) (conversation.Conversation, error) {
	if err := s.lock(ctx, s.conversations.lock, id, team); err != nil {
		return conversation.Conversation{}, err
	}
	return s.Conversation(ctx, team, id)
}

// Conversation implements [conversation.ThreadStore].
func (s *Store) Conversation(ctx context.Context, team tenancy.TeamID, id tenancy.ConversationID) (conversation.Conversation, error) {
	return one(ctx, s, scanConversation, s.conversations.byID, id, team)
}

// TeamOf implements [conversation.ThreadStore].
func (s *Store) TeamOf(ctx context.Context, id tenancy.ConversationID) (tenancy.TeamID, error) {
	return one(ctx, s, scanID[tenancy.TeamID], s.conversations.teamOf, id)
}

// LockOpen implements [conversation.ThreadStore].
func (s *Store) LockOpen(ctx context.Context, team tenancy.TeamID) ([]conversation.Conversation, error) {
	return lockAll(ctx, s,
		func() (int64, error) { return s.exec(ctx, s.conversations.lockOpen, team) },
		func() ([]conversation.Conversation, error) {
			return all(ctx, s, scanConversation, s.conversations.open, team)
		})
}

// threads are the pairs that name conversations in their teams.
func threads(in []conversation.Thread) []pair {
	return pairs(in, func(t conversation.Thread) (identified, identified) { return t.Team, t.Conversation })
}

// LockConversations implements [conversation.ThreadSetStore].
func (s *Store) LockConversations(ctx context.Context, in ...conversation.Thread) ([]conversation.Conversation, error) {
	ids := threads(in)
	return lockAll(ctx, s,
		func() (int64, error) { return execMany(ctx, s, s.conversations.lockMany, ids) },
		func() ([]conversation.Conversation, error) {
			return allMany(ctx, s, scanConversation, s.conversations.byIDs, ids)
		})
}

// HeldBy implements [conversation.ThreadSetStore]. What somebody has in several ways is found as often,
// and told once.
func (s *Store) HeldBy(ctx context.Context, who ...tenancy.Actor) ([]conversation.Thread, error) {
	var held []conversation.Thread
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for query, places := range calls(s.conversations.held, those(who)) {
		var users []any
		for i := 1; i < len(places); i += 2 {
			users = append(users, places[i])
		}
		found, err := all(ctx, s, scanThread, query, slices.Concat(places, places, users, places, places, places)...)
		if err != nil {
			return nil, err
		}
		held = append(held, found...)
	}
	slices.SortFunc(held, func(a, b conversation.Thread) int {
		return bytes.Compare(a.Conversation[:], b.Conversation[:])
	})
	return slices.Compact(held), nil
}

// UnassignConversations implements [conversation.ThreadSetStore].
func (s *Store) UnassignConversations(ctx context.Context, in ...conversation.Thread) error {
	_, err := execMany(ctx, s, s.conversations.unassign, threads(in))
	return err
}

// ReleaseConversations implements [conversation.ThreadSetStore].
func (s *Store) ReleaseConversations(ctx context.Context, in ...conversation.Thread) error {
	_, err := execMany(ctx, s, s.conversations.release, threads(in), micros(time.Time{}))
	return err
}

// CloseConversations implements [conversation.ThreadSetStore].
func (s *Store) CloseConversations(ctx context.Context, team tenancy.TeamID, outcome conversation.Label, ids ...tenancy.ConversationID) error {
	_, err := execMany(ctx, s, s.conversations.closeMany, tenancy.InOrder(ids...), outcome, micros(time.Time{}), team)
	return err
}

// MoveConversations implements [conversation.ThreadSetStore].
func (s *Store) MoveConversations(ctx context.Context, from, to tenancy.TeamID, ids ...tenancy.ConversationID) error {
	ids = tenancy.InOrder(ids...)
	_, err := execMany(ctx, s, s.conversations.move, ids, to, s.dialect.id(uuid.Nil), to, micros(time.Time{}), from)
	if err == nil {
		_, err = execMany(ctx, s, s.words.move, ids, to, to)
	}
	return err
}

// ConversationsByAddress implements [conversation.ThreadStore].
func (s *Store) ConversationsByAddress(ctx context.Context, identity tenancy.Identity, address string) ([]conversation.Conversation, error) {
	return all(ctx, s, scanConversation, s.conversations.byAddress, identity.Channel, identity.Value, address)
}

// Conversations implements [conversation.ThreadStore].
func (s *Store) Conversations(ctx context.Context, scope conversation.Scope, filter conversation.Filter, page tenancy.Keyset) ([]conversation.Conversation, error) {
	if err := filter.Validate(); err != nil {
		return nil, err
	}
	form := listForm{
		guest: !scope.Guest.IsZero(), status: filter.Status != "",
		waiting: filter.Waiting, assignee: !filter.Assignee.IsZero(),
		claimant: !filter.Claimant.IsZero(), unclaimed: filter.Unclaimed, queue: filter.Queue,
	}
	_, args := scopeForm(scope)
	if form.status {
		args = append(args, filter.Status)
	}
	if form.assignee {
		args = append(args, filter.Assignee)
	}
	if form.claimant {
		args = append(args, filter.Claimant, micros(scope.At))
	}
	if form.unclaimed {
		args = append(args, micros(scope.At))
	}
	for _, part := range queueParts {
		if form.queue&part.is != 0 {
			args = append(args, part.args(filter.QueueOf, micros(scope.At))...)
		}
	}
	return paged(ctx, s, scanConversation, s.conversations.listed[form], page, args...)
}

// SnoozeEnded implements [conversation.ThreadSweepStore].
func (s *Store) SnoozeEnded(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return all(ctx, s, scanThread, s.conversations.snoozeEnded, micros(now), limit)
}

// Idle implements [conversation.ThreadSweepStore].
func (s *Store) Idle(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return all(ctx, s, scanThread, s.conversations.idle, micros(now), limit)
}

func scanThread(r row) (conversation.Thread, error) {
	var t conversation.Thread
	err := r.Scan(id(&t.Team), id(&t.Conversation))
	return t, err
}
