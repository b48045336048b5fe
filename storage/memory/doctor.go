package memory

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// flaws says of each kind of broken invariant where it is, in any order.
var flaws = map[tenancy.Flaw]func(s *Store, now time.Time) iter.Seq[tenancy.Finding]{
	tenancy.FlawNoManager: func(s *Store, _ time.Time) iter.Seq[tenancy.Finding] {
		return findings(s.teams.rows, func(t *teamRow) (tenancy.Finding, bool) {
			needed := t.Status == tenancy.TeamActive && t.account.Status != tenancy.AccountClosed
			broken := needed && !t.hasOtherManager(tenancy.UserID{})
			return tenancy.Finding{Account: t.Account.UUID(), Team: t.ID.UUID(), Subject: t.ID.UUID()}, broken
		})
	},
	tenancy.FlawNoHolder: func(s *Store, _ time.Time) iter.Seq[tenancy.Finding] {
		return findings(s.accounts.rows, func(a *accountRow) (tenancy.Finding, bool) {
			broken := a.Status != tenancy.AccountClosed && a.holder.Status == tenancy.UserDeleted
			return tenancy.Finding{Account: a.ID.UUID(), Subject: a.ID.UUID()}, broken
		})
	},
	tenancy.FlawGhostMember: func(s *Store, _ time.Time) iter.Seq[tenancy.Finding] {
		return findings(s.memberships.rows, func(m *membershipRow) (tenancy.Finding, bool) {
			return m.finding(), m.Status != tenancy.MembershipRemoved && m.user.Status == tenancy.UserDeleted
		})
	},
	tenancy.FlawNamedTombstone: func(s *Store, _ time.Time) iter.Seq[tenancy.Finding] {
		return findings(s.users.rows, func(u *userRow) (tenancy.Finding, bool) {
			named := u.ExternalID != "" || u.Email != tenancy.Address{} || u.Verified() || u.Name != tenancy.Tombstone
			return tenancy.Finding{Subject: u.ID.UUID()}, u.Status == tenancy.UserDeleted && named
		})
	},
	invite.FlawOrphanInvitation: func(s *Store, now time.Time) iter.Seq[tenancy.Finding] {
		return findings(s.invitations.rows, func(i *invitationRow) (tenancy.Finding, bool) {
			if i.team == nil || i.Kind == invite.ByRequest || i.team.Settings.KeepInvitations || i.StateAt(now) != invite.Pending {
				return tenancy.Finding{}, false
			}
			return tenancy.Finding{Account: i.Account.UUID(), Team: i.Team.UUID(), Subject: i.ID.UUID()}, s.absent(i.Team, i.Inviter)
		})
	},
	tenancy.FlawForeignRole: func(s *Store, _ time.Time) iter.Seq[tenancy.Finding] {
		return findings(s.memberships.rows, func(m *membershipRow) (tenancy.Finding, bool) {
			return m.finding(), m.custom != nil && m.custom.Account != m.team.Account
		})
	},
	conversation.FlawAssignee: func(s *Store, _ time.Time) iter.Seq[tenancy.Finding] {
		return findings(s.conversations.rows, func(c *conversationRow) (tenancy.Finding, bool) {
			return c.finding(), s.strange(c.Team, c.Assignee)
		})
	},
	conversation.FlawClaimant: func(s *Store, _ time.Time) iter.Seq[tenancy.Finding] {
		return findings(s.conversations.rows, func(c *conversationRow) (tenancy.Finding, bool) {
			return c.finding(), s.strange(c.Team, c.Claimant)
		})
	},
	conversation.FlawDelivery: func(s *Store, _ time.Time) iter.Seq[tenancy.Finding] {
		return findings(s.pendingDeliveries.rows, func(d *deliveryRow) (tenancy.Finding, bool) {
			return d.conversation.finding(), d.conversation.Status == conversation.Closed || !s.waitsFor(d)
		})
	},
	conversation.FlawGrant: func(s *Store, now time.Time) iter.Seq[tenancy.Finding] {
		return findings(s.conversations.rows, func(c *conversationRow) (tenancy.Finding, bool) {
			for g := range merged(ascending, ascending.beginning(), &c.grants) {
				m := s.memberships.rows[teamUser{c.Team, g.User}]
				if g.LiveAt(now) && (m == nil || m.Status == tenancy.MembershipRemoved) {
					return c.finding(), true
				}
			}
			return tenancy.Finding{}, false
		})
	},
	conversation.FlawCounter: func(s *Store, _ time.Time) iter.Seq[tenancy.Finding] {
		return findings(s.conversations.rows, func(c *conversationRow) (tenancy.Finding, bool) {
			var count, last int64
			for m := range merged(ascending, placeOf(0), &c.messages.public, &c.messages.notes) {
				count, last = count+1, m.Seq
			}
			return c.finding(), c.LastSeq != count || c.LastSeq != last
		})
	},
}

// absent reports whether the user is no active member of the team.
func (s *Store) absent(team tenancy.TeamID, user tenancy.UserID) bool {
	m := s.memberships.rows[teamUser{team, user}]
	return m == nil || m.Status != tenancy.MembershipActive || m.user.Status != tenancy.UserActive
}

// strange reports whether somebody, and not nobody, is absent.
func (s *Store) strange(team tenancy.TeamID, user tenancy.UserID) bool {
	return !user.IsZero() && s.absent(team, user)
}

func (c *conversationRow) finding() tenancy.Finding {
	return tenancy.Finding{Account: c.Account.UUID(), Team: c.Team.UUID(), Subject: c.ID.UUID()}
}

func (m *membershipRow) finding() tenancy.Finding {
	return tenancy.Finding{Account: m.team.Account.UUID(), Team: m.Team.UUID(), Subject: m.User.UUID()}
}

// findings looks through all rows of a kind.
func findings[K comparable, R any](rows map[K]*R, examine func(*R) (tenancy.Finding, bool)) iter.Seq[tenancy.Finding] {
	return func(yield func(tenancy.Finding) bool) {
		for row := range maps.Values(rows) {
			if finding, broken := examine(row); broken && !yield(finding) {
				return
			}
		}
	}
}

// Broken implements [tenancy.Store]. It looks at every row of a kind: data that is broken is
// not in the lists that the rules are looked up in.
func (s *Store) Broken(ctx context.Context, flaw tenancy.Flaw, now time.Time, after tenancy.Finding, limit int) ([]tenancy.Finding, error) {
	return read(ctx, s, func() ([]tenancy.Finding, error) {
		look, known := flaws[flaw]
		if !known {
			return nil, &tenancy.InvalidError{Field: "flaw", Reason: "must be one that the store knows"}
		}
		var found []tenancy.Finding
		for finding := range look(s, now) {
			if finding.Flaw = flaw; byFinding(finding, after) > 0 {
				found = append(found, finding)
			}
		}
		slices.SortFunc(found, byFinding)
		return found[:max(0, min(limit, len(found)))], nil
	})
}

func byFinding(a, b tenancy.Finding) int {
	byID := func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }
	return cmp.Or(byID(a.Subject, b.Subject), byID(a.Team, b.Team))
}

// waitsFor reports whether there is somebody or something that a pending delivery can wait for.
func (s *Store) waitsFor(d *deliveryRow) bool {
	switch {
	case !d.Recipient.User.IsZero():
		return !s.strange(d.FromTeam, d.Recipient.User)
	case d.to != nil:
		return d.to.Status == tenancy.TeamActive
	}
	invitation := s.invitations.rows[d.Invitation]
	return invitation != nil && invitation.State == invite.Pending
}
