package memory

import (
	"cmp"
	"context"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type grantRow struct {
	conversation.Grant
	thread *conversationRow
}

// grantLists are those in which the grant stands.
func (s *Store) grantLists(g *grantRow, visit func(*list[grantRow], place)) {
	visit(&g.thread.grants, placeByID(g.User))
	if g.RevokedAt.IsZero() && !g.ExpiresAt.IsZero() {
		visit(s.lapsingGrants, place{at: g.ExpiresAt.UnixMicro(), id: g.Conversation, also: g.User})
	}
}

// grantOf answers the user's grant, the zero one if there is none.
func (c *conversationRow) grantOf(user tenancy.UserID) conversation.Grant {
	if row := c.grants.get(placeByID(user)); row != nil {
		return row.Grant
	}
	return conversation.Grant{}
}

// InsertGrant implements [conversation.GrantStore].
func (s *Store) InsertGrant(ctx context.Context, g conversation.Grant) error {
	return s.write(ctx, func() error {
		cutGrant(&g)
		c, err := referred(s.conversations.get(g.Conversation))
		if err != nil {
			return err
		}
		if err := cmp.Or(s.users.has(g.User), s.users.mayHave(g.Inviter)); err != nil {
			return err
		}
		if c.grants.get(placeByID(g.User)) != nil {
			return tenancy.ErrDuplicate
		}
		g.Version = 1
		row := &grantRow{g, c}
		// The conversation is listed anew, now also for the guest.
		relist(s.log, c, s.conversationLists, func() { enlist(s.log, row, s.grantLists) })
		return nil
	})
}

// UpdateGrant implements [conversation.GrantStore].
func (s *Store) UpdateGrant(ctx context.Context, g conversation.Grant) error {
	return s.write(ctx, func() error {
		cutGrant(&g)
		c, err := s.conversations.get(g.Conversation)
		if err != nil {
			return err
		}
		row := c.grants.get(placeByID(g.User))
		if row == nil {
			return tenancy.ErrNotFound
		}
		if err := cmp.Or(sameVersion(row.Version, g.Version), s.users.mayHave(g.Inviter)); err != nil {
			return err
		}
		g.Version++
		relist(s.log, c, s.conversationLists, func() {
			relist(s.log, row, s.grantLists, func() { set(s.log, &row.Grant, g) })
		})
		return nil
	})
}

func cutGrant(g *conversation.Grant) {
	utc(&g.AcceptedAt)
	utc(&g.ExpiresAt)
	utc(&g.RevokedAt)
}

// Grant implements [conversation.GrantStore].
func (s *Store) Grant(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (conversation.Grant, error) {
	return read(ctx, s, func() (conversation.Grant, error) {
		c, err := s.conversations.get(id)
		if err != nil {
			return conversation.Grant{}, err
		}
		row := c.grants.get(placeByID(user))
		if row == nil {
			return conversation.Grant{}, tenancy.ErrNotFound
		}
		return row.Grant, nil
	})
}

// RevokeGrants implements [conversation.GrantStore].
func (s *Store) RevokeGrants(ctx context.Context, at time.Time, by string, keys ...conversation.GrantKey) error {
	return s.write(ctx, func() error {
		for _, k := range keys {
			c := s.conversations.rows[k.Conversation]
			if c == nil {
				continue
			}
			row := c.grants.get(placeByID(k.User))
			if row == nil || !row.RevokedAt.IsZero() {
				continue
			}
			g := row.Grant
			g.RevokedAt, g.RevokedBy, g.Version = at, by, g.Version+1
			cutGrant(&g)
			relist(s.log, c, s.conversationLists, func() {
				relist(s.log, row, s.grantLists, func() { set(s.log, &row.Grant, g) })
			})
		}
		return nil
	})
}

// Grants implements [conversation.GrantStore].
func (s *Store) Grants(ctx context.Context, ids ...tenancy.ConversationID) ([]conversation.Grant, error) {
	return read(ctx, s, func() ([]conversation.Grant, error) {
		var grants []conversation.Grant
		for _, c := range those(s.conversations.get, ids) {
			for g := range merged(ascending, ascending.beginning(), &c.grants) {
				grants = append(grants, g.Grant)
			}
		}
		return grants, nil
	})
}

// LapsedGrants implements [conversation.GrantStore].
func (s *Store) LapsedGrants(ctx context.Context, now time.Time, limit int) ([]conversation.ThreadUser, error) {
	return read(ctx, s, func() ([]conversation.ThreadUser, error) {
		return paged(until(s.lapsingGrants, now), limit, func(g *grantRow) (conversation.ThreadUser, bool) {
			thread, _ := showThread(g.thread)
			return conversation.ThreadUser{Thread: thread, User: g.User}, true
		}), nil
	})
}
