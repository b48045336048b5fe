package usher_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// lists are all that answer in pages, each reduced to its next cursor.
var lists = map[string]func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error){
	"members": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Tenancy.Members(ctx, p.actor, page)
		return list.Next, err
	},
	"my teams": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Tenancy.MyTeams(ctx, p.self, page)
		return list.Next, err
	},
	"audit": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Tenancy.Audit(ctx, p.actor, tenancy.AuditFilter{}, page)
		return list.Next, err
	},
	"invitations": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Invites.List(ctx, p.actor, invite.Filter{}, page)
		return list.Next, err
	},
	"conversations": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.List(ctx, p.actor, conversation.Filter{}, page)
		return list.Next, err
	},
	"waiting conversations": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.List(ctx, p.actor, conversation.Filter{Waiting: true}, page)
		return list.Next, err
	},
	"deliveries": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.Deliveries(ctx, p.actor, page)
		return list.Next, err
	},
	"inbox": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.Inbox(ctx, p.actor, page)
		return list.Next, err
	},
}

// F3: a forged, cut or foreign cursor is invalid; never an answer, never a panic. A cursor is
// bound to its list, its scope and its filter.
func TestF3_ForgedCursors(t *testing.T) {
	s := newScene(t, memory.New())
	ctx := t.Context()
	for i := range 2 { // two of everything, so that each list has a second page
		name := string(rune('y' + i))
		_, err := s.Invites.Create(ctx, s.proper.actor, invite.ToTeam("new-"+name+"@new.example", rbac.Member))
		require.NoError(t, err)
		c := s.Receive("Sales", "visitor-"+name, "Hi")
		_, err = s.Conversations.Deliver(ctx, s.proper.actor, c.ID, conversation.ToUser(s.own.user), conversation.Outcome{})
		require.NoError(t, err)
		_, err = s.Conversations.Deliver(ctx, s.proper.actor, s.Receive("Sales", "asked-"+name, "Hi").ID,
			conversation.ToUser(s.proper.actor.User), conversation.Outcome{}, conversation.AskAcceptance(0))
		require.NoError(t, err)
	}
	_, err := s.Tenancy.Admit(ctx, ushertest.System, tenancy.Admission{Team: s.TeamNamed("Only acme").ID, User: s.proper.self, Role: rbac.Member})
	require.NoError(t, err)
	cursors := map[string]tenancy.Cursor{}
	for name, list := range lists {
		next, err := list(ctx, s, s.proper, tenancy.Page{Limit: 1})
		require.NoError(t, err, name)
		require.NotEmpty(t, next, name)
		cursors[name] = next
	}
	for name, list := range lists {
		own := string(cursors[name])
		_, err := list(ctx, s, s.proper, tenancy.Page{Limit: 1, After: cursors[name]})
		require.NoError(t, err, name)

		forged := []string{
			"x", "'; DROP TABLE usher_users; --", own[:len(own)-1], own + "A", strings.ToLower(own), own + "=",
			base64.RawURLEncoding.EncodeToString(make([]byte, 33)), strings.Repeat("A", 1<<20), "\x00", "é",
		}
		for other, cursor := range cursors {
			if other != name {
				forged = append(forged, string(cursor))
			}
		}
		for _, cursor := range forged {
			_, err := list(ctx, s, s.proper, tenancy.Page{Limit: 1, After: tenancy.Cursor(cursor)})
			require.ErrorIs(t, err, tenancy.ErrInvalid, "%s with %.40q", name, cursor)
		}
		for _, limit := range []int{-1, tenancy.MaxLimit + 1, 1 << 30} {
			_, err := list(ctx, s, s.proper, tenancy.Page{Limit: limit})
			require.ErrorIs(t, err, tenancy.ErrInvalid, name)
		}
	}

	elsewhere := s.proper
	elsewhere.actor = s.Actor("acme-holder", "Hiring")
	for _, name := range []string{"members", "audit", "invitations", "conversations", "deliveries", "inbox"} {
		_, err := lists[name](ctx, s, elsewhere, tenancy.Page{Limit: 1, After: cursors[name]})
		require.ErrorIs(t, err, tenancy.ErrInvalid, "the cursor of another team's %s", name)
	}
	assert.Len(t, cursors, len(lists))
}
