package tenancy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

func TestAuditIsFilteredAndPaged(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		start := s.now
		for _, name := range []string{"Bob", "Carol", "Dave"} {
			s.now = s.now.Add(time.Minute)
			s.member(team, name, rbac.Member)
		}
		s.now = s.now.Add(time.Minute)
		_, err := s.people.RenameTeam(ctx, manager, "Outreach")
		require.NoError(t, err)

		read := func(f tenancy.AuditFilter) []string {
			t.Helper()
			var kinds []string
			for page := (tenancy.Page{Limit: 2}); ; {
				list, err := s.people.Audit(ctx, manager, f, page)
				require.NoError(t, err)
				for _, e := range list.Items {
					kinds = append(kinds, e.Kind)
				}
				if list.Next == "" {
					return kinds
				}
				page.After = list.Next
			}
		}
		joined, created, renamed := tenancy.MemberJoined, tenancy.TeamCreated, tenancy.TeamRenamed
		assert.Equal(t, []string{renamed, joined, joined, joined, joined, created}, read(tenancy.AuditFilter{}))
		assert.Equal(t, []string{joined, joined, joined, joined}, read(tenancy.AuditFilter{Kind: joined}))
		assert.Equal(t, []string{renamed, joined, created}, read(tenancy.AuditFilter{By: tenancy.Self(alice.ID)}))
		assert.Equal(t, []string{joined, joined, joined}, read(tenancy.AuditFilter{Kind: joined, By: host}))
		assert.Equal(t, []string{joined, joined}, read(tenancy.AuditFilter{Since: start.Add(time.Minute), Until: start.Add(3 * time.Minute)}),
			"since is in, until is out")
		assert.Empty(t, read(tenancy.AuditFilter{Kind: "member.%"}), "a kind is compared whole")

		list, err := s.people.Audit(ctx, manager, tenancy.AuditFilter{Kind: joined}, tenancy.Page{Limit: 1})
		require.NoError(t, err)
		_, err = s.people.Audit(ctx, manager, tenancy.AuditFilter{}, tenancy.Page{After: list.Next})
		require.ErrorIs(t, err, tenancy.ErrInvalid, "F3: a cursor belongs to its filter")
		_, err = s.people.Audit(ctx, manager, tenancy.AuditFilter{By: tenancy.System("two words")}, tenancy.Page{})
		require.ErrorIs(t, err, tenancy.ErrInvalid)
		_, err = s.people.Audit(ctx, s.member(team, "Eve", rbac.Member), tenancy.AuditFilter{}, tenancy.Page{})
		require.ErrorIs(t, err, rbac.ErrDenied)
	})
}

type stranger string

func (s stranger) Principal() string { return string(s) }

// Filters are bounded, and a text that no event has is the same error on every store.
func TestAuditFiltersAreBounded(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		manager := tenancy.Actor{User: alice.ID, Team: s.team(alice, "Sales").ID}
		for name, f := range map[string]tenancy.AuditFilter{
			"one above":       {Kind: strings.Repeat("x", tenancy.MaxKind+1)},
			"1 MiB":           {Kind: strings.Repeat("x", 1<<20)},
			"NUL":             {Kind: "\x00"},
			"no UTF-8":        {Kind: "\xff"},
			"another kind":    {By: stranger(strings.Repeat("x", 1<<20))},
			"pointer":         {By: new(tenancy.System)},
			"since overflows": {Since: time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC)},
			"until overflows": {Until: time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC)},
		} {
			_, err := s.people.Audit(ctx, manager, f, tenancy.Page{})
			var invalid *tenancy.InvalidError
			require.ErrorAs(t, err, &invalid, name)
			assert.Less(t, len(err.Error()), 200, name)
		}
		_, err := s.people.Audit(ctx, manager, tenancy.AuditFilter{Kind: strings.Repeat("x", tenancy.MaxKind)}, tenancy.Page{})
		require.NoError(t, err)
	})
}
