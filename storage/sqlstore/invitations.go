package sqlstore

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

type invitationStatements struct {
	insert                              inserts
	update, lock, exists, byID, byToken string
	offer                               offerStatements
	erase                               string
	pendingBy, pendingInto, lockMany    manyIDs
	byIDs, end, to, loads               manyIDs
	links                               linkStatements
	requests                            requestStatements
	lapsed                              pages
	batch, history                      string
	// listed has a form for each way to filter by state, and by what else.
	listed map[stateForm][3]pages
}

// linkStatements are for who came in by a link.
type linkStatements struct {
	insert, byUser string
	listed         pages
}

// requestStatements are for the requests to join.
type requestStatements struct {
	pending, load string
	listed        pages
}

// What a list is filtered by beside the state.
const (
	byNothing = iota
	byConversation
	byKind
)

// offerStatements are for the invitations that offer an account: they have no team, and no other
// statement with a team finds them.
type offerStatements struct {
	update, lock, exists, byID, pending, history string
	listed                                       pages
}

// stateForm is how a filter by state reads: a pending invitation whose time has passed counts
// as expired.
type stateForm int

const (
	anyState stateForm = iota
	pendingState
	expiredState
	endedState
)

var stateConditions = map[stateForm]string{
	anyState:     ``,
	pendingState: `AND i.state = 'pending' AND i.expires_at > ?`,
	expiredState: `AND (i.state = 'expired' OR i.state = 'pending' AND i.expires_at <= ?)`,
	endedState:   `AND i.state = ?`,
}

func (c *compiler) invitations() invitationStatements {
	newest := newestFirst("i.created_at", "i.id")
	const find = `SELECT i.id, i.account_id, i.team_id, i.kind, i.conversation_id, i.email, i.email_display,
		i.role, i.role_id, i.inviter_id, i.state, i.mailing, i.token_hash, i.created_at, i.expires_at, i.mailed_at,
		i.ended_at, i.ended_by, i.accepted_by, i.terms, i.lasts, i.resends, i.resends_from, i.domain, i.uses, i.max_uses, i.batch_id,
		i.history, i.version FROM usher_invitations i WHERE`
	const findUse = `SELECT u.team_id, u.invitation_id, u.user_id, u.used_at FROM usher_invitation_uses u WHERE`
	const change = `UPDATE usher_invitations SET kind = ?, conversation_id = ?, email = ?, email_display = ?,
		role = ?, role_id = ?, inviter_id = ?, state = ?, mailing = ?, token_hash = ?, pending_scope = ?, pending_offer = ?,
		pending_asker = ?, domain = ?, uses = ?, max_uses = ?, expires_at = ?, mailed_at = ?, ended_at = ?, ended_by = ?, accepted_by = ?, terms = ?,
		history = ?, lasts = ?, resends = ?, resends_from = ?, version = version + 1 WHERE`
	s := invitationStatements{
		insert: c.inserts(`INSERT INTO usher_invitations (id, account_id, team_id, kind, conversation_id, email,
			email_display, role, role_id, inviter_id, state, mailing, token_hash, pending_scope, offered_id, pending_offer,
			asker_id, pending_asker, domain, uses, max_uses, batch_id, created_at, expires_at, mailed_at,
			ended_at, ended_by, accepted_by, terms, history, lasts, resends, resends_from, version)`, `(`+list("?", 33)+`, 1)`),
		update:    c.sql(change, `id = ? AND team_id = ? AND version = ?`),
		lock:      c.sql(`UPDATE usher_invitations {by key} SET locks = locks + 1 WHERE id = ? AND team_id = ?`),
		exists:    c.sql(`SELECT 1 FROM usher_invitations WHERE id = ? AND team_id = ?`),
		byID:      c.sql(find, `i.id = ? AND i.team_id = ?`),
		byToken:   c.sql(find, `i.token_hash = ?`),
		pendingBy: c.manyIDs(`SELECT team_id, id FROM usher_invitations WHERE {team_id, inviter_id} AND state = 'pending'`),
		pendingInto: c.manyIDs(`SELECT team_id, id FROM usher_invitations
			WHERE team_id = ? AND state = 'pending' AND conversation_id IN ({ids})`),
		lockMany: c.manyIDs(`UPDATE usher_invitations {by key} SET locks = locks + 1 WHERE {team_id, id}`),
		byIDs:    c.manyIDs(find, `{i.team_id, i.id} ORDER BY i.id`),
		end: c.manyIDs(`UPDATE usher_invitations SET state = ?, ended_at = ?, ended_by = ?, pending_scope = NULL,
			pending_asker = NULL, version = version + 1 WHERE {team_id, id} AND state = 'pending'`),
		to: c.manyIDs(find, `i.account_id = ? AND (i.state = 'pending' OR i.state = 'revoked' AND i.created_at > ?) AND i.email IN ({ids})`),
		// One pass over what is pending in the teams, of which the inviter's are a part.
		loads: c.manyIDs(`SELECT i.team_id, COUNT(*), MIN(i.expires_at), COUNT(CASE WHEN i.inviter_id = ? THEN 1 END),
				MIN(CASE WHEN i.inviter_id = ? THEN i.expires_at END)
			FROM usher_invitations i WHERE i.state = 'pending' AND i.expires_at > ? AND i.kind <> 'request'
			AND i.team_id IN ({ids}) GROUP BY i.team_id ORDER BY i.team_id`),
		listed: map[stateForm][3]pages{},
		links: linkStatements{
			insert: c.sql(`INSERT INTO usher_invitation_uses (team_id, invitation_id, user_id, used_at) VALUES (?, ?, ?, ?)`),
			byUser: c.sql(findUse, `u.invitation_id = ? AND u.team_id = ? AND u.user_id = ?`),
			listed: c.pages(oldestFirst("u.used_at", "u.user_id"), findUse, `u.invitation_id = ? AND u.team_id = ?`),
		},
		requests: requestStatements{
			pending: c.sql(find, `i.team_id = ? AND i.pending_asker = ?`),
			listed:  c.pages(newest, find, `i.asker_id = ?`),
			load: c.sql(`SELECT 0, COUNT(*), MIN(i.expires_at) FROM usher_invitations i
					WHERE i.team_id = ? AND i.state = 'pending' AND i.expires_at > ? AND i.kind = 'request'
				UNION ALL SELECT 1, COUNT(*), MIN(i.created_at + 86400000000) FROM usher_invitations i
					WHERE i.asker_id = ? AND i.created_at > ?`),
		},
		batch: c.sql(find, `i.batch_id = ? AND i.account_id = ? ORDER BY i.team_id`),
		offer: offerStatements{
			update:  c.sql(change, `id = ? AND offered_id = ? AND version = ?`),
			lock:    c.sql(`UPDATE usher_invitations {by key} SET locks = locks + 1 WHERE id = ? AND offered_id = ?`),
			exists:  c.sql(`SELECT 1 FROM usher_invitations WHERE id = ? AND offered_id = ?`),
			byID:    c.sql(find, `i.id = ? AND i.offered_id = ?`),
			pending: c.sql(find, `i.pending_offer = ?`),
			listed:  c.pages(newest, find, `i.offered_id = ?`),
			history: c.sql(`SELECT`, eventColumns, `FROM usher_events e
				WHERE e.stream_kind = 'account' AND e.stream_id = ? AND e.occurred_at >= ?
				AND e.kind LIKE 'invitation.%' AND e.payload LIKE ?
				ORDER BY e.seq DESC LIMIT ?`),
		},
		erase: c.sql(`UPDATE usher_invitations SET email = '', email_display = '', version = version + 1
			WHERE state <> 'pending' AND email <> '' AND (accepted_by = ? OR asker_id = ? OR email = ?)`),
		lapsed: c.pages(oldestFirst("i.expires_at", "i.id"), `SELECT i.id, i.account_id, i.team_id, i.expires_at
			FROM usher_invitations i WHERE i.state = 'pending' AND i.expires_at <= ?`),
		history: c.sql(`SELECT`, eventColumns, `FROM usher_events e
			WHERE e.team_id = ? AND e.occurred_at >= ? AND e.kind LIKE 'invitation.%' AND e.payload LIKE ?
			ORDER BY e.seq DESC LIMIT ?`),
	}
	for form, condition := range stateConditions {
		s.listed[form] = [3]pages{
			byNothing:      c.pages(newest, find, `i.team_id = ?`, condition),
			byConversation: c.pages(newest, find, `i.team_id = ? AND i.conversation_id = ?`, condition),
			byKind:         c.pages(newest, find, `i.team_id = ? AND i.kind = ?`, condition),
		}
	}
	return s
}

func scanInvitation(r row) (invite.Record, error) {
	var i invite.Record
	var lasts int64
	err := r.Scan(id(&i.ID), id(&i.Account), id(&i.Team), &i.Kind, id(&i.Conversation), &i.Email.Normal,
		&i.Email.Display, role(&i.Role), id(&i.Custom), id(&i.Inviter), &i.State, &i.Mailing, hash((*[32]byte)(&i.Hash)), at(&i.CreatedAt),
		at(&i.ExpiresAt), at(&i.MailedAt), at(&i.EndedAt), &i.EndedBy, id(&i.AcceptedBy), &i.Terms, &lasts,
		&i.Resends, at(&i.ResendsFrom), &i.Domain, &i.Uses, &i.MaxUses, id(&i.Batch), &i.History, &i.Version)
	i.Lasts = time.Duration(lasts) * time.Microsecond
	return i, err
}

// pendingScope is the key that, with the address, is unique among pending invitations, NULL for
// all others: what the invitation opens. Ids are unique over all kinds, so a team and a
// conversation never have the same.
func (s *Store) pendingScope(i invite.Invitation) any {
	switch {
	case i.State != invite.Pending:
		return nil
	case i.Kind == invite.ToOneConversation:
		return s.id(i.Conversation.UUID())
	case i.Kind == invite.ToOneTeam:
		return s.id(i.Team.UUID())
	default:
		return nil
	}
}

// pendingOffer is the key that is unique among pending offers, NULL for all other invitations.
func (s *Store) pendingOffer(i invite.Invitation) any {
	if i.State != invite.Pending {
		return nil
	}
	return s.offered(i)
}

// offered is the account that the invitation offers, NULL for one that offers none.
func (s *Store) offered(i invite.Invitation) any {
	if i.Kind != invite.ToOneAccount {
		return nil
	}
	return s.id(i.Account.UUID())
}

// pendingAsker is the key that, with the team, is unique among pending requests, NULL for all other
// invitations.
func (s *Store) pendingAsker(i invite.Invitation) any {
	if i.State != invite.Pending {
		return nil
	}
	return s.asker(i)
}

// asker is the user who asks to join, NULL for what is no request.
func (s *Store) asker(i invite.Invitation) any {
	if i.Kind != invite.ByRequest {
		return nil
	}
	return s.id(i.Inviter.UUID())
}

// grantedRole is NULL for no role at all.
func grantedRole(r rbac.Role) any {
	if r == 0 {
		return nil
	}
	return r.String()
}

// InsertInvitation implements [invite.InvitationStore].
func (s *Store) InsertInvitation(ctx context.Context, records ...invite.Record) error {
	return insertAll(ctx, s, s.invitations.insert, records, func(i invite.Record) []any {
		return []any{
			i.ID, i.Account, i.Team, i.Kind, i.Conversation, i.Email.Normal,
			i.Email.Display, grantedRole(i.Role), i.Custom, i.Inviter, i.State, i.Mailing, digest(i.Hash),
			s.pendingScope(i.Invitation), s.offered(i.Invitation), s.pendingOffer(i.Invitation), s.asker(i.Invitation), s.pendingAsker(i.Invitation),
			i.Domain, i.Uses, i.MaxUses, i.Batch, micros(i.CreatedAt), micros(i.ExpiresAt), i.MailedAt, i.EndedAt, i.EndedBy,
			i.AcceptedBy, i.Terms, i.History, i.Lasts.Microseconds(), i.Resends, i.ResendsFrom,
		}
	})
}

// UpdateInvitation implements [invite.InvitationStore].
func (s *Store) UpdateInvitation(ctx context.Context, i invite.Record) error {
	change, exists, scope := s.invitations.update, s.invitations.exists, i.Team.UUID()
	if i.Team.IsZero() {
		change, exists, scope = s.invitations.offer.update, s.invitations.offer.exists, i.Account.UUID()
	}
	return s.update(ctx, change, []any{
		i.Kind, i.Conversation, i.Email.Normal, i.Email.Display, grantedRole(i.Role), i.Custom, i.Inviter, i.State,
		i.Mailing, digest(i.Hash), s.pendingScope(i.Invitation), s.pendingOffer(i.Invitation), s.pendingAsker(i.Invitation),
		i.Domain, i.Uses, i.MaxUses, micros(i.ExpiresAt),
		i.MailedAt, i.EndedAt, i.EndedBy, i.AcceptedBy, i.Terms, i.History, i.Lasts.Microseconds(), i.Resends, i.ResendsFrom,
		i.ID, scope, i.Version,
	}, exists, i.ID, scope)
}

// LockInvitation implements [invite.InvitationStore].
func (s *Store) LockInvitation(ctx context.Context, team tenancy.TeamID, id tenancy.InvitationID) (invite.Record, error) {
	if err := s.lock(ctx, s.invitations.lock, id, team); err != nil {
		return invite.Record{}, err
	}
	return s.Invitation(ctx, team, id)
}

// Invitation implements [invite.InvitationStore].
func (s *Store) Invitation(ctx context.Context, team tenancy.TeamID, id tenancy.InvitationID) (invite.Record, error) {
	return one(ctx, s, scanInvitation, s.invitations.byID, id, team)
}

// InvitationByToken implements [invite.InvitationStore].
func (s *Store) InvitationByToken(ctx context.Context, hash invite.TokenHash) (invite.Record, error) {
	found, err := one(ctx, s, scanInvitation, s.invitations.byToken, digest(hash))
	if err == nil && !found.Hash.Equal(hash) {
		return invite.Record{}, tenancy.ErrNotFound
	}
	return found, err
}

// Invitations implements [invite.InvitationStore].
func (s *Store) Invitations(ctx context.Context, team tenancy.TeamID, filter invite.Filter, page tenancy.Keyset) ([]invite.Record, error) {
	args := []any{team}
	by := byNothing
	switch {
	case !filter.Conversation.IsZero():
		by = byConversation
		args = append(args, filter.Conversation)
	case filter.Kind != "":
		by = byKind
		args = append(args, filter.Kind)
	}
	var form stateForm
	switch filter.State {
	case "":
		form = anyState
	case invite.Pending:
		form = pendingState
		args = append(args, micros(filter.Now))
	case invite.Expired:
		form = expiredState
		args = append(args, micros(filter.Now))
	default:
		form = endedState
		args = append(args, filter.State)
	}
	return paged(ctx, s, scanInvitation, s.invitations.listed[form][by], page, args...)
}

// invited are the pairs that name invitations in their teams.
func invited(in []invite.Whereabouts) []pair {
	return pairs(in, func(i invite.Whereabouts) (identified, identified) { return i.Team, i.ID })
}

// byInvitation sorts what was found in several statements.
func byInvitation(found []invite.Whereabouts, err error) ([]invite.Whereabouts, error) {
	slices.SortFunc(found, func(a, b invite.Whereabouts) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return found, err
}

func scanInvited(r row) (invite.Whereabouts, error) {
	var i invite.Whereabouts
	err := r.Scan(id(&i.Team), id(&i.ID))
	return i, err
}

// PendingBy implements [invite.SetStore].
func (s *Store) PendingBy(ctx context.Context, inviters ...tenancy.Actor) ([]invite.Whereabouts, error) {
	return byInvitation(allMany(ctx, s, scanInvited, s.invitations.pendingBy, those(inviters)))
}

// PendingInto implements [invite.SetStore].
func (s *Store) PendingInto(ctx context.Context, team tenancy.TeamID, conversations ...tenancy.ConversationID) ([]invite.Whereabouts, error) {
	return byInvitation(allMany(ctx, s, scanInvited, s.invitations.pendingInto, tenancy.InOrder(conversations...), team))
}

// LockInvitations implements [invite.SetStore].
func (s *Store) LockInvitations(ctx context.Context, in ...invite.Whereabouts) ([]invite.Record, error) {
	ids := invited(in)
	return lockAll(ctx, s,
		func() (int64, error) { return execMany(ctx, s, s.invitations.lockMany, ids) },
		func() ([]invite.Record, error) { return allMany(ctx, s, scanInvitation, s.invitations.byIDs, ids) })
}

// EndInvitations implements [invite.SetStore].
func (s *Store) EndInvitations(ctx context.Context, state invite.State, at time.Time, by string, in ...invite.Whereabouts) error {
	_, err := execMany(ctx, s, s.invitations.end, invited(in), state, micros(at), by)
	return err
}

// InvitationLoads implements [invite.AddressStore].
func (s *Store) InvitationLoads(ctx context.Context, inviter tenancy.UserID, now time.Time, teams ...tenancy.TeamID) ([]invite.TeamLoad, error) {
	return allMany(ctx, s, scanTeamLoad, s.invitations.loads, tenancy.InOrder(teams...), inviter, inviter, micros(now))
}

func scanTeamLoad(r row) (invite.TeamLoad, error) {
	var l invite.TeamLoad
	err := r.Scan(id(&l.In), &l.Team.N, at(&l.Team.Until), &l.Inviter.N, at(&l.Inviter.Until))
	return l, err
}

// InvitationsTo implements [invite.AddressStore].
func (s *Store) InvitationsTo(ctx context.Context, account tenancy.AccountID, since time.Time, normals ...string) ([]invite.Record, error) {
	found, err := allMany(ctx, s, scanInvitation, s.invitations.to, eachOnce(normals), account, micros(since))
	slices.SortFunc(found, func(a, b invite.Record) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return found, err
}

// tallies reads the parts of a statement that counts.
func (s *Store) tallies(ctx context.Context, query string, args ...any) (invite.Load, error) {
	tallies, err := all(ctx, s, scanTally, query, args...)
	if err != nil {
		return invite.Load{}, err
	}
	var load invite.Load
	for _, t := range tallies {
		*[]*invite.Tally{&load.Team, &load.Inviter}[t.part] = t.Tally
	}
	return load, nil
}

// tally is one part of the statement that counts.
type tally struct {
	part int
	invite.Tally
}

func scanTally(r row) (tally, error) {
	var t tally
	err := r.Scan(&t.part, &t.N, at(&t.Until))
	return t, err
}

// LapsedInvitations implements [invite.SweepStore].
func (s *Store) LapsedInvitations(ctx context.Context, now time.Time, page tenancy.Keyset) ([]invite.Lapsed, error) {
	return paged(ctx, s, scanLapsed, s.invitations.lapsed, page, micros(now))
}

func scanLapsed(r row) (invite.Lapsed, error) {
	var l invite.Lapsed
	err := r.Scan(id(&l.ID), id(&l.Account), id(&l.Team), at(&l.ExpiresAt))
	return l, err
}

// InvitationEvents implements [invite.InvitationStore].
func (s *Store) InvitationEvents(ctx context.Context, i invite.Invitation, limit int) ([]outbox.Event, error) {
	query, scope := s.invitations.history, i.Team.UUID()
	if i.Team.IsZero() {
		query, scope = s.invitations.offer.history, i.Account.UUID()
	}
	return all(ctx, s, scanEvent, query, scope, micros(i.CreatedAt), "%"+i.ID.String()+"%", limit)
}

// LockOffer implements [invite.Store].
func (s *Store) LockOffer(ctx context.Context, account tenancy.AccountID, id tenancy.InvitationID) (invite.Record, error) {
	if err := s.lock(ctx, s.invitations.offer.lock, id, account); err != nil {
		return invite.Record{}, err
	}
	return s.Offer(ctx, account, id)
}

// Offer implements [invite.Store].
func (s *Store) Offer(ctx context.Context, account tenancy.AccountID, id tenancy.InvitationID) (invite.Record, error) {
	return one(ctx, s, scanInvitation, s.invitations.offer.byID, id, account)
}

// PendingOffer implements [invite.Store].
func (s *Store) PendingOffer(ctx context.Context, account tenancy.AccountID) (invite.Record, error) {
	return one(ctx, s, scanInvitation, s.invitations.offer.pending, account)
}

// Offers implements [invite.Store].
func (s *Store) Offers(ctx context.Context, account tenancy.AccountID, page tenancy.Keyset) ([]invite.Record, error) {
	return paged(ctx, s, scanInvitation, s.invitations.offer.listed, page, account)
}

// EraseInvitations implements [invite.AddressStore] with one statement.
func (s *Store) EraseInvitations(ctx context.Context, user tenancy.UserID, normal string) error {
	_, err := s.exec(ctx, s.invitations.erase, user, user, normal)
	return err
}
