package usher_test

import (
	"context"
	"encoding/base64"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// lists are all that answer in pages, each reduced to its next cursor. Another one of a method has another filter.
var lists = map[string]func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error){
	"tenancy.Members": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Tenancy.Members(ctx, p.actor, page)
		return list.Next, err
	},
	"tenancy.MyTeams": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Tenancy.MyTeams(ctx, p.self, page)
		return list.Next, err
	},
	"tenancy.MyAccounts": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Tenancy.MyAccounts(ctx, p.self, page)
		return list.Next, err
	},
	"tenancy.Teams": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Tenancy.Teams(ctx, p.holder, page)
		return list.Next, err
	},
	"tenancy.TeamsByAccount": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Tenancy.TeamsByAccount(ctx, p.system, p.holder.Account, page)
		return list.Next, err
	},
	"tenancy.JoinableTeams": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Tenancy.JoinableTeams(ctx, s.stranger, page)
		return list.Next, err
	},
	"tenancy.Audit": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Tenancy.Audit(ctx, p.actor, tenancy.AuditFilter{}, page)
		return list.Next, err
	},
	"tenancy.Audit, of a kind": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Tenancy.Audit(ctx, p.actor, tenancy.AuditFilter{Kind: tenancy.MemberJoined}, page)
		return list.Next, err
	},
	"invite.List": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Invites.List(ctx, p.actor, invite.Filter{}, page)
		return list.Next, err
	},
	"invite.List, of a state": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Invites.List(ctx, p.actor, invite.Filter{State: invite.Pending}, page)
		return list.Next, err
	},
	"invite.MyRequests": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Invites.MyRequests(ctx, s.asker, page)
		return list.Next, err
	},
	"invite.LinkUses": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Invites.LinkUses(ctx, p.actor, s.own.link, page)
		return list.Next, err
	},
	"invite.Offers": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Invites.Offers(ctx, p.holder, page)
		return list.Next, err
	},
	"conversation.List": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.List(ctx, p.actor, conversation.Filter{}, page)
		return list.Next, err
	},
	"conversation.List, of what waits": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.List(ctx, p.actor, conversation.Filter{Waiting: true}, page)
		return list.Next, err
	},
	"conversation.List, of a queue": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.List(ctx, p.actor, conversation.Filter{Queue: conversation.AgentQueue}, page)
		return list.Next, err
	},
	"conversation.Search": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.Search(ctx, p.actor, "hello", page)
		return list.Next, err
	},
	"conversation.Search, for another word": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.Search(ctx, p.actor, "hi", page)
		return list.Next, err
	},
	"conversation.Deliveries": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.Deliveries(ctx, p.actor, page)
		return list.Next, err
	},
	"conversation.Applications": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.Applications(ctx, p.actor, s.own.conversation, page)
		return list.Next, err
	},
	"conversation.Inbox": func(ctx context.Context, s *scene, p principals, page tenancy.Page) (tenancy.Cursor, error) {
		list, err := s.Conversations.Inbox(ctx, p.actor, page)
		return list.Next, err
	},
}

// A method that is new and answers in pages takes its place among them.
func TestF3_EveryListIsForged(t *testing.T) {
	known := map[string]bool{}
	for name := range lists {
		method, _, _ := strings.Cut(name, ",")
		known[method] = true
	}
	for room, service := range map[string]reflect.Type{
		"Usher": reflect.TypeFor[*usher.Usher](), "tenancy": reflect.TypeFor[*tenancy.Service](),
		"invite": reflect.TypeFor[*invite.Service](), "conversation": reflect.TypeFor[*conversation.Service](),
	} {
		for i := range service.NumMethod() {
			method := service.Method(i)
			pages := false
			for in := range method.Type.NumIn() {
				pages = pages || method.Type.In(in) == reflect.TypeFor[tenancy.Page]()
			}
			name := room + "." + method.Name
			assert.Equal(t, pages, known[name], "%s: does it answer in pages, and is it in lists?", name)
		}
	}
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
		_, err = s.Conversations.Apply(ctx, s.proper.actor, s.own.conversation, conversation.ApplicationDetails{Job: "Driver"})
		require.NoError(t, err)
	}
	_, err := s.Tenancy.Admit(ctx, ushertest.System, tenancy.Admission{Team: s.TeamNamed("Only acme").ID, User: s.proper.self, Role: rbac.Member})
	require.NoError(t, err)
	for _, name := range []string{"First", "Second"} {
		_, err = s.Tenancy.CreateAccount(ctx, s.proper.self, name)
		require.NoError(t, err)
	}
	for _, user := range []string{"first-comer", "second-comer"} {
		_, err = s.Invites.Accept(ctx, s.User(user).ID, s.linkToken)
		require.NoError(t, err)
	}
	_, err = s.Invites.RevokeOffer(ctx, s.proper.holder, s.own.offer)
	require.NoError(t, err)
	_, err = s.Invites.Offer(ctx, s.proper.holder, ushertest.Email("another-heir"))
	require.NoError(t, err)
	domain := func(name string) string {
		address, err := tenancy.ParseAddress(ushertest.Email(name))
		require.NoError(t, err)
		return address.Domain()
	}
	_, err = s.Tenancy.Configure(ctx, s.Actor("acme-holder", "Hiring"), tenancy.Settings{JoinDomains: []string{domain("a-asker"), domain("stranger")}})
	require.NoError(t, err)
	s.Asks("a-asker", "Hiring")
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
			if other != name && cursor != cursors[name] { // two methods may answer one list
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
	for _, name := range []string{"tenancy.Members", "tenancy.Audit", "invite.List", "conversation.List", "conversation.Search", "conversation.Deliveries", "conversation.Inbox"} {
		_, err := lists[name](ctx, s, elsewhere, tenancy.Page{Limit: 1, After: cursors[name]})
		require.ErrorIs(t, err, tenancy.ErrInvalid, "the cursor of another team's %s", name)
	}
	assert.Len(t, cursors, len(lists))
}
