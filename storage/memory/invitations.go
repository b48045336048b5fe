package memory

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

type invitationRow struct {
	invite.Record
	// One of them is nil: an offer of an account has no team, and all others have one.
	team    *teamRow
	offered *accountRow
	uses    list[useRow] // of a link, by (At, user)
}

// invitationLists are invitations by (CreatedAt, id), one list for each of [invite.States].
type invitationLists [5]list[invitationRow]

// pendingInvite is what two pending invitations may not share. The scope is the conversation
// if there is one, wherever that conversation lives, and else the team. Offers share nothing of it:
// see pendingOffer.
type pendingInvite struct {
	team         tenancy.TeamID
	conversation tenancy.ConversationID
	normal       string
}

func pendingKey(r invite.Record) pendingInvite {
	switch {
	case r.State != invite.Pending:
		return pendingInvite{}
	case r.Kind == invite.ToOneConversation:
		return pendingInvite{conversation: r.Conversation, normal: r.Email.Normal}
	case r.Kind == invite.ToOneTeam:
		return pendingInvite{team: r.Team, normal: r.Email.Normal}
	}
	return pendingInvite{}
}

// pendingAsk is who asks to join which team, for a request that is pending.
func pendingAsk(r invite.Record) teamUser {
	if r.State != invite.Pending || r.Kind != invite.ByRequest {
		return teamUser{}
	}
	return teamUser{r.Team, r.Inviter}
}

func (s *Store) invitationLists(row *invitationRow, visit func(*list[invitationRow], place)) {
	created := placeAt(row.CreatedAt, row.ID)
	visit(lazily(s.invitedAs, invitee{row.Account, row.Email.Normal}), placeByID(row.ID))
	if row.State == invite.Pending {
		visit(s.lapsing, placeAt(row.ExpiresAt, row.ID))
	}
	if row.offered != nil {
		visit(&row.offered.offers, created)
		return
	}
	for i, state := range invite.States() {
		if row.State != state {
			continue
		}
		visit(&row.team.invitations[i], created)
		if !row.Conversation.IsZero() {
			visit(&lazily(s.invitedTo, row.Conversation)[i], created)
		}
	}
	if row.Kind == invite.ByRequest {
		visit(lazily(s.requestsOf, row.Inviter), created)
	}
	if !row.Batch.IsZero() {
		visit(lazily(s.batches, row.Batch), place{id: row.Team, also: row.ID})
	}
	if row.State == invite.Pending {
		visit(lazily(s.invitedBy, teamUser{row.Team, row.Inviter}), placeByID(row.ID))
	}
}

// InsertInvitation implements [invite.InvitationStore].
func (s *Store) InsertInvitation(ctx context.Context, records ...invite.Record) error {
	return insertAll(ctx, s, records, func(r invite.Record) error {
		row, err := s.checkInvitation(&r)
		if err != nil {
			return err
		}
		r.Version = 1
		row.Record = r
		if err := cmp.Or(
			s.invitations.insert(r.ID, row),
			s.tokens.move(invite.TokenHash{}, r.Hash, row),
			s.pendingInvites.move(pendingInvite{}, pendingKey(r), row),
			s.pendingOffers.move(tenancy.AccountID{}, pendingOffer(r), row),
			s.pendingAsks.move(teamUser{}, pendingAsk(r), row),
		); err != nil {
			return err
		}
		enlist(s.log, row, s.invitationLists)
		return nil
	})
}

// UpdateInvitation implements [invite.InvitationStore].
func (s *Store) UpdateInvitation(ctx context.Context, r invite.Record) error {
	return s.write(ctx, func() error {
		row, err := s.invitation(r.Team, r.ID)
		if r.Team.IsZero() {
			row, err = s.offer(r.Account, r.ID)
		}
		if err != nil {
			return err
		}
		if err := sameVersion(row.Version, r.Version); err != nil {
			return err
		}
		if _, err := s.checkInvitation(&r); err != nil {
			return err
		}
		r.Version++
		return s.changeInvitation(row, r)
	})
}

func (s *Store) changeInvitation(row *invitationRow, r invite.Record) error {
	if err := cmp.Or(
		s.tokens.move(row.Hash, r.Hash, row),
		s.pendingInvites.move(pendingKey(row.Record), pendingKey(r), row),
		s.pendingOffers.move(pendingOffer(row.Record), pendingOffer(r), row),
		s.pendingAsks.move(pendingAsk(row.Record), pendingAsk(r), row),
	); err != nil {
		return err
	}
	relist(s.log, row, s.invitationLists, func() { set(s.log, &row.Record, r) })
	return nil
}

// checkInvitation also answers a row that stands where the invitation belongs.
func (s *Store) checkInvitation(r *invite.Record) (*invitationRow, error) {
	utc(&r.CreatedAt)
	utc(&r.ExpiresAt)
	utc(&r.MailedAt)
	utc(&r.EndedAt)
	utc(&r.ResendsFrom)
	conversation := s.conversations.mayHave
	if r.Kind == invite.ToOneConversation {
		conversation = s.conversations.has
	}
	if err := cmp.Or(
		oneOf("kind", r.Kind, invite.ToOneTeam, invite.ToOneConversation, invite.ToOneAccount, invite.ByLink, invite.ByRequest),
		oneOf("state", r.State, invite.States()...),
		oneOf("history", r.History, tenancy.HistoryAll, tenancy.HistoryFromInvitation, tenancy.HistoryFromNow),
		offeredRole(r.Invitation),
		linkUse(r.Invitation),
		conversation(r.Conversation),
		s.users.has(r.Inviter),
		s.users.mayHave(r.AcceptedBy),
	); err != nil {
		return nil, err
	}
	if r.Kind == invite.ToOneAccount {
		account, err := referred(s.accounts.get(r.Account))
		return &invitationRow{offered: account}, err
	}
	team, err := referred(s.teamOf(r.Account, r.Team))
	return &invitationRow{team: team}, err
}

// offeredRole checks that what is granted is a role in a team, or an account and none.
func offeredRole(i invite.Invitation) error {
	if i.Kind == invite.ByRequest && i.Role == 0 {
		return nil
	}
	if i.Kind != invite.ToOneAccount {
		return teamRole(i.Role)
	}
	if i.Role != 0 || !i.Team.IsZero() {
		return &tenancy.InvalidError{Field: "offer", Reason: "must have no team and no role"}
	}
	return nil
}

// linkUse checks the numbers of a link, which nothing else has.
func linkUse(i invite.Invitation) error {
	least := 0
	if i.Kind == invite.ByLink {
		least = 1
	}
	if i.MaxUses < least || least == 0 && i.MaxUses != 0 {
		return &tenancy.InvalidError{Field: "uses of a link", Reason: "must be at least 1, and 0 for what is no link"}
	}
	return between("uses", i.Uses, 0, i.MaxUses)
}

// invitation finds one in the team.
func (s *Store) invitation(team tenancy.TeamID, id tenancy.InvitationID) (*invitationRow, error) {
	row, err := s.invitations.get(id)
	if err != nil || row.team == nil || row.Team != team {
		return nil, tenancy.ErrNotFound
	}
	return row, nil
}

// LockInvitation implements [invite.InvitationStore].
func (s *Store) LockInvitation(ctx context.Context, team tenancy.TeamID, id tenancy.InvitationID) (invite.Record, error) {
	return lock(ctx, s, func() (invite.Record, error) { return record(s.invitation(team, id)) })
}

// Invitation implements [invite.InvitationStore].
func (s *Store) Invitation(ctx context.Context, team tenancy.TeamID, id tenancy.InvitationID) (invite.Record, error) {
	return read(ctx, s, func() (invite.Record, error) { return record(s.invitation(team, id)) })
}

// InvitationByToken implements [invite.InvitationStore].
func (s *Store) InvitationByToken(ctx context.Context, hash invite.TokenHash) (invite.Record, error) {
	return read(ctx, s, func() (invite.Record, error) { return record(s.tokens.get(hash)) })
}

func record(row *invitationRow, err error) (invite.Record, error) {
	if err != nil {
		return invite.Record{}, err
	}
	return row.Record, nil
}

// Invitations implements [invite.InvitationStore]. Asked for expired ones it passes over the pending
// ones whose time has not come, and the other way round: the clock moves no row.
func (s *Store) Invitations(ctx context.Context, team tenancy.TeamID, filter invite.Filter, page tenancy.Keyset) ([]invite.Record, error) {
	return read(ctx, s, func() ([]invite.Record, error) {
		row := s.teams.rows[team]
		if row == nil {
			return nil, nil
		}
		from := &row.invitations
		if !filter.Conversation.IsZero() {
			if from = s.invitedTo[filter.Conversation]; from == nil {
				return nil, nil
			}
		}
		var lists []*list[invitationRow]
		for i, state := range invite.States() {
			if filter.State == "" || filter.State == state || filter.State == invite.Expired && state == invite.Pending {
				lists = append(lists, &from[i])
			}
		}
		invitations := merged(descending, descending.start(page), lists...)
		return paged(invitations, page.Limit, func(i *invitationRow) (invite.Record, bool) {
			ofKind := filter.Kind == "" || filter.Kind == i.Kind || !filter.Conversation.IsZero()
			return i.Record, i.Team == team && ofKind && (filter.State == "" || filter.State == i.StateAt(filter.Now))
		}), nil
	})
}

// LapsedInvitations implements [invite.SweepStore].
func (s *Store) LapsedInvitations(ctx context.Context, now time.Time, page tenancy.Keyset) ([]invite.Lapsed, error) {
	return read(ctx, s, func() ([]invite.Lapsed, error) {
		lapsed := func(yield func(*invitationRow) bool) {
			for i := range merged(ascending, ascending.start(page), s.lapsing) {
				if i.ExpiresAt.After(now) || !yield(i) {
					return
				}
			}
		}
		return paged(lapsed, page.Limit, func(i *invitationRow) (invite.Lapsed, bool) {
			return invite.Lapsed{ID: i.ID, Account: i.Account, Team: i.Team, ExpiresAt: i.ExpiresAt}, true
		}), nil
	})
}

// InvitationEvents implements [invite.InvitationStore].
func (s *Store) InvitationEvents(ctx context.Context, i invite.Invitation, limit int) ([]outbox.Event, error) {
	return read(ctx, s, func() ([]outbox.Event, error) {
		var found []outbox.Event
		for e := range s.eventsSince(i) {
			if strings.HasPrefix(e.Kind, "invitation.") && bytes.Contains(e.Payload, []byte(i.ID.String())) {
				found = append(found, e.copy())
			}
		}
		slices.SortFunc(found, func(a, b outbox.Event) int { return cmp.Compare(b.Sequence, a.Sequence) })
		return found[:min(len(found), max(limit, 0))], nil
	})
}

// eventsSince are the events of the invitation's team, or of the account that it offers, from its CreatedAt on.
func (s *Store) eventsSince(i invite.Invitation) iter.Seq[*eventRow] {
	created := i.CreatedAt.UTC().Truncate(time.Microsecond)
	return func(yield func(*eventRow) bool) {
		if i.Team.IsZero() {
			account, err := s.stream(outbox.Stream{Kind: outbox.AccountStream, ID: i.Account.UUID()})
			if err != nil {
				return
			}
			for _, e := range account.events {
				if !e.At.Before(created) && !yield(e) {
					return
				}
			}
			return
		}
		for e := range merged(descending, descending.beginning(), s.teamEvents[i.Team.UUID()]) {
			if e.At.Before(created) || !yield(e) {
				return
			}
		}
	}
}
