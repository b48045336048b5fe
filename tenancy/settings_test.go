package tenancy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

func TestSpec2_SettingsOfATeam(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		foreign := s.team(s.user("Oscar"), "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		hiring, err := s.people.CreateTeam(ctx, s.holder(team.ID), tenancy.TeamSpec{Name: "Hiring"})
		require.NoError(t, err)
		before := len(s.events(team.ID))

		var hours [7]tenancy.Hours
		hours[time.Monday] = tenancy.Hours{From: 9 * 60, To: 21 * 60}
		settings := tenancy.Settings{
			TimeZone: "Europe/Berlin", Hours: hours,
			Statuses:  []tenancy.OutcomeStatus{{Label: " Second interview ", Category: tenancy.Positive}},
			DeliverTo: []tenancy.TeamID{hiring.ID, hiring.ID}, History: tenancy.HistoryFromNow, Capacity: 5, AutoAssign: tenancy.RoundRobin, KeepInvitations: true, TrustInviters: true,
			InviteDomains: []string{"Client.example", "bücher.example", "acme.example", "client.example"}, Terms: "2026-01",
		}
		set, err := s.people.Configure(ctx, manager, settings)
		require.NoError(t, err)
		settings.Statuses[0].Label, settings.DeliverTo = "Second interview", settings.DeliverTo[:1]
		settings.InviteDomains = []string{"acme.example", "client.example", "xn--bcher-kva.example"}
		assert.Equal(t, settings, set.Settings)
		read, err := s.people.Team(ctx, manager)
		require.NoError(t, err)
		assert.Equal(t, set, read)
		same, err := s.people.Configure(ctx, manager, settings)
		require.NoError(t, err)
		assert.Equal(t, set, same, "what changes nothing writes nothing")

		settings.DeliverTo = []tenancy.TeamID{}
		set, err = s.people.Configure(ctx, manager, settings)
		require.NoError(t, err)
		assert.NotNil(t, set.Settings.DeliverTo, "none is not the same as all")
		for _, id := range []tenancy.TeamID{foreign.ID, tenancy.NewID[tenancy.TeamID](tenancy.Env{})} {
			_, err = s.people.Configure(ctx, manager, tenancy.Settings{DeliverTo: []tenancy.TeamID{id}})
			require.ErrorIs(t, err, tenancy.ErrNotFound, "C2: a foreign team like a random one")
		}
		_, err = s.people.Configure(ctx, s.member(team, "Bob", rbac.Member), tenancy.Settings{})
		require.ErrorIs(t, err, rbac.ErrDenied)
		set, err = s.people.Configure(ctx, manager, tenancy.Settings{})
		require.NoError(t, err)
		assert.Zero(t, set.Settings)
		assert.Equal(t, []string{tenancy.TeamConfigured, tenancy.TeamConfigured, tenancy.MemberJoined, tenancy.TeamConfigured}, s.events(team.ID)[before:])
	})
}

func TestSettingsAreChecked(t *testing.T) {
	s := newScene(t)
	team := s.team(s.user("Alice"), "Sales")
	manager := tenancy.Actor{User: s.holder(team.ID).User, Team: team.ID}
	monday := func(from, to int) (h [7]tenancy.Hours) {
		h[time.Monday] = tenancy.Hours{From: from, To: to}
		return h
	}
	statuses := func(n int) []tenancy.OutcomeStatus {
		all := make([]tenancy.OutcomeStatus, n)
		for i := range all {
			all[i] = tenancy.OutcomeStatus{Label: strings.Repeat("x", i+1), Category: tenancy.Neutral}
		}
		return all
	}
	domains := func(n int) []string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("d%d.example", i)
		}
		return all
	}
	for name, bad := range map[string]tenancy.Settings{
		"unknown zone":         {TimeZone: "Mars/Olympus"},
		"the machine's zone":   {TimeZone: "Local"},
		"a path":               {TimeZone: "../../etc/passwd"},
		"1 MiB":                {TimeZone: strings.Repeat("x", 1<<20)},
		"from before midnight": {Hours: monday(-1, 60)},
		"to before from":       {Hours: monday(60, 60)},
		"past midnight":        {Hours: monday(0, 24*60+1)},
		"no label":             {Statuses: []tenancy.OutcomeStatus{{Category: tenancy.Positive}}},
		"no category":          {Statuses: []tenancy.OutcomeStatus{{Label: "Hired"}}},
		"twice":                {Statuses: []tenancy.OutcomeStatus{{Label: "Hired", Category: tenancy.Positive}, {Label: "HIRED", Category: tenancy.Negative}}},
		"too many statuses":    {Statuses: statuses(tenancy.MaxStatuses + 1)},
		"a pattern":            {InviteDomains: []string{"*.client.example"}},
		"an address":           {InviteDomains: []string{"bob@client.example"}},
		"one label":            {InviteDomains: []string{"example"}},
		"a dot in front":       {InviteDomains: []string{".client.example"}},
		"no domain":            {InviteDomains: []string{""}},
		"a long domain":        {InviteDomains: []string{strings.Repeat("x", 1<<20) + ".example"}},
		"too many domains":     {InviteDomains: domains(tenancy.MaxDomains + 1)},
		"long terms":           {Terms: strings.Repeat("x", tenancy.MaxTerms+1)},
		"terms with a space":   {Terms: "2026 01"},
		"terms with a bidi":    {Terms: "2026\u202e"},
		"too many teams":       {DeliverTo: make([]tenancy.TeamID, tenancy.MaxDeliverTo+1)},
	} {
		_, err := s.people.Configure(t.Context(), manager, bad)
		require.ErrorIs(t, err, tenancy.ErrInvalid, name)
	}
	_, err := s.people.Configure(t.Context(), manager, tenancy.Settings{Hours: monday(0, 24*60), Statuses: statuses(tenancy.MaxStatuses),
		InviteDomains: domains(tenancy.MaxDomains), Terms: strings.Repeat("x", tenancy.MaxTerms)})
	require.NoError(t, err)
}

func TestWorkingHours(t *testing.T) {
	var s tenancy.Settings
	s.TimeZone = "Europe/Berlin"
	s.Hours[time.Monday] = tenancy.Hours{From: 9 * 60, To: 21 * 60}
	for at, want := range map[string]bool{
		"2030-01-07T07:59:59Z": false, // 08:59:59 in Berlin, a Monday
		"2030-01-07T08:00:00Z": true,
		"2030-01-07T19:59:59Z": true,
		"2030-01-07T20:00:00Z": false,
		"2030-07-01T07:00:00Z": true, // 09:00 in summer
		"2030-07-01T06:59:00Z": false,
		"2030-01-08T10:00:00Z": false, // a Tuesday
	} {
		moment, err := time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		assert.Equal(t, want, s.Working(moment), at)
	}
	assert.Equal(t, time.UTC, tenancy.Settings{}.Location())
	assert.Equal(t, time.UTC, tenancy.Settings{TimeZone: "gone"}.Location())
}

func TestRenameTeam(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		_, err := s.people.CreateTeam(ctx, s.holder(team.ID), tenancy.TeamSpec{Name: "Hiring"})
		require.NoError(t, err)
		_, err = s.people.RenameTeam(ctx, manager, " HIRING ")
		require.ErrorIs(t, err, tenancy.ErrNameTaken)
		renamed, err := s.people.RenameTeam(ctx, manager, "SALES")
		require.NoError(t, err, "its own name in another spelling")
		assert.Equal(t, "SALES", renamed.Name)
		same, err := s.people.RenameTeam(ctx, manager, " SALES ")
		require.NoError(t, err)
		assert.Equal(t, renamed, same)
		_, err = s.people.RenameTeam(ctx, manager, "Outreach")
		require.NoError(t, err)
		found, err := s.people.TeamByName(ctx, manager, "outreach")
		require.NoError(t, err)
		assert.Equal(t, team.ID, found.ID)
		_, err = s.people.TeamByName(ctx, manager, "Sales")
		require.ErrorIs(t, err, tenancy.ErrNotFound, "the old name is free")
	})
}
