package invite_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// outcomes are the results in short.
func outcomes(rows []invite.RowResult) (short []invite.Outcome) {
	for _, r := range rows {
		short = append(short, r.Outcome)
	}
	return short
}

func rowsTo(emails ...string) (rows []invite.Row) {
	for i, email := range emails {
		rows = append(rows, invite.Row{Line: i + 1, Email: email})
	}
	return rows
}

// mixed is a row of each outcome.
func mixed(w *world) []invite.Row {
	w.t.Helper()
	_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("waiting@acme.example", rbac.Manager))
	require.NoError(w.t, err)
	_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("same@acme.example", rbac.Member))
	require.NoError(w.t, err)
	return []invite.Row{
		{Line: 1, Email: " Bob@ACME.example", Role: "manager"},
		{Line: 2, Email: "carol@acme.example"},
		{Line: 3, Email: "carol@acme.example", Role: "member"},
		{Line: 4, Email: "two@acme.example", Role: "member"},
		{Line: 5, Email: "TWO@acme.example", Role: "manager"},
		{Line: 6, Email: "two@acme.example", Role: "member"},
		{Line: 7, Email: "waiting@acme.example"},
		{Line: 8, Email: "same@acme.example"},
		{Line: 9, Email: "nobody"},
		{Line: 10, Email: "dave@acme.example", Role: "Manager "},
		{Line: 11, Email: "erin@acme.example", Role: "restricted"},
		{Line: 12, Email: "mike@" + w.acme.domain},
	}
}

func TestSpec5_11_BulkAnswersEachRow(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		rows := mixed(w)
		before := w.picture(w.acme)
		dry, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rows, DryRun: true}, invite.IfPending(invite.Return))
		require.NoError(t, err)
		assert.Equal(t, before, w.picture(w.acme), "a dry run writes nothing")

		done, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rows}, invite.IfPending(invite.Return))
		require.NoError(t, err)
		assert.Equal(t, []invite.Outcome{
			invite.Invited, invite.Invited, invite.Repeated, invite.Ambiguous, invite.Ambiguous, invite.Ambiguous,
			invite.Waiting, invite.Unchanged, invite.Rejected, invite.Rejected, invite.Invited, invite.InTeam,
		}, outcomes(done))
		assert.Equal(t, outcomes(done), outcomes(dry), "the dry run answers what the real one does")
		for i, r := range done {
			assert.Equal(t, rows[i], r.Row)
			assert.Equal(t, r.Err, dry[i].Err)
		}

		var repeated *invite.RepeatedRowError
		require.ErrorAs(t, done[2].Err, &repeated)
		assert.Equal(t, 2, repeated.Line)
		for i, line := range map[int]int{3: 5, 4: 4, 5: 4} {
			var ambiguous *invite.AmbiguousRowError
			require.ErrorAs(t, done[i].Err, &ambiguous)
			assert.Equal(t, line, ambiguous.Line)
		}
		var pending *invite.PendingError
		require.ErrorAs(t, done[6].Err, &pending)
		single, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("waiting@acme.example", rbac.Member))
		assert.Zero(t, single)
		assert.Equal(t, err, done[6].Err, "as it is told to who invites one")
		require.ErrorIs(t, done[8].Err, tenancy.ErrInvalid)
		require.ErrorIs(t, done[9].Err, tenancy.ErrInvalid)
		var member *tenancy.MemberError
		require.ErrorAs(t, done[11].Err, &member)
		assert.Equal(t, w.acme.mike.User, member.Membership.User)

		first := done[0].Invitation
		assert.Equal(t, invite.Invitation{
			ID: first.ID, Account: w.acme.account.ID, Team: w.acme.team.ID, Kind: invite.ToOneTeam,
			Email: tenancy.Address{Display: "Bob@ACME.example", Normal: bob}, Role: rbac.Manager,
			Inviter: w.acme.alice.User, State: invite.Pending, Mailing: 1,
			CreatedAt: start, ExpiresAt: start.Add(7 * 24 * time.Hour), Version: 1,
		}, first)
		assert.Equal(t, first, w.stored(first).Invitation)
		w.drain()
		for _, email := range []string{bob, "carol@acme.example", "erin@acme.example"} {
			assert.False(t, w.mail.Last(email).Token.IsZero(), "each has a mail of their own: %s", email)
		}
		_, err = w.invites.Accept(w.ctx, w.user(bob).ID, w.mail.Last(bob).Token)
		require.NoError(t, err)
	})
}

func TestSpec5_11_BulkAllOrNothing(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		rows := mixed(w)
		before := w.picture(w.acme)
		for _, dry := range []bool{true, false} {
			done, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rows, DryRun: dry, AllOrNothing: true})
			var held *invite.BulkError
			require.ErrorAs(t, err, &held)
			require.ErrorIs(t, err, tenancy.ErrConflict)
			assert.Nil(t, done)
			assert.Len(t, held.Rows, len(rows))
			assert.Equal(t, invite.Invited, held.Rows[0].Outcome, "what it would have become by itself")
		}
		assert.Equal(t, before, w.picture(w.acme))
		done, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rows[:3], AllOrNothing: true})
		require.NoError(t, err)
		assert.Equal(t, []invite.Outcome{invite.Invited, invite.Invited, invite.Repeated}, outcomes(done))
	})
}

func TestSpec5_11_BulkUnderAKeyAnswersTheFirstResultOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		rows := mixed(w)
		settings := w.acme.team.Settings
		settings.InviteDomains = []string{"acme.example", w.acme.domain}
		w.configure(w.acme, settings)
		rows = append(rows, invite.Row{Line: 13, Email: "eve@evil.example"})
		ctx := tenancy.WithKey(w.ctx, "bulk")
		first, err := w.invites.Bulk(ctx, w.acme.alice, invite.BulkSpec{Rows: rows})
		require.NoError(t, err)
		events := w.events(w.acme)
		w.clock.Advance(time.Hour)
		again, err := w.invites.Bulk(ctx, w.acme.alice, invite.BulkSpec{Rows: rows})
		require.NoError(t, err)
		assert.Equal(t, first, again, "with its errors")
		assert.Equal(t, events, w.events(w.acme))
		var domain *invite.DomainError
		require.ErrorAs(t, again[12].Err, &domain)
		_, err = w.invites.Bulk(ctx, w.acme.alice, invite.BulkSpec{Rows: rows[1:]})
		require.ErrorIs(t, err, tenancy.ErrKeyReused)
		_, err = w.invites.Bulk(ctx, w.acme.alice, invite.BulkSpec{Rows: rows, AllOrNothing: true})
		require.ErrorIs(t, err, tenancy.ErrKeyReused)
	})
}

func TestA8BulkNeverGrantsAboveTheInviter(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		_, err := w.invites.Bulk(w.ctx, w.acme.mike, invite.BulkSpec{Rows: rowsTo(bob)})
		require.ErrorIs(t, err, rbac.ErrDenied, "A17: who may invite guests cannot make members by the hundred")
		holder := w.acme.holder()
		clerk, err := w.people.DefineRole(w.ctx, holder, tenancy.RoleSpec{Name: "Clerk", Base: rbac.Member, Permissions: []string{"member: invite"}})
		require.NoError(t, err)
		scout, err := w.people.DefineRole(w.ctx, holder, tenancy.RoleSpec{Name: "Scout", Base: rbac.Member})
		require.NoError(t, err)
		_, err = w.people.GiveRole(w.ctx, w.acme.alice, w.acme.mike.User, clerk.ID)
		require.NoError(t, err)
		ctx := tenancy.WithKey(w.ctx, "denied")
		for range 2 { // the second time from what was kept
			done, err := w.invites.Bulk(ctx, w.acme.mike, invite.BulkSpec{Rows: []invite.Row{
				{Email: "a@acme.example", Role: "manager"}, {Email: "b@acme.example", Role: "Scout"},
				{Email: "c@acme.example", Role: "scout"}, {Email: "d@acme.example", Role: "Clerk"},
			}})
			require.NoError(t, err)
			assert.Equal(t, []invite.Outcome{invite.Rejected, invite.Invited, invite.Rejected, invite.Invited}, outcomes(done))
			require.ErrorIs(t, done[0].Err, rbac.ErrDenied)
			require.ErrorIs(t, done[2].Err, tenancy.ErrInvalid)
			assert.Equal(t, scout.ID, done[1].Invitation.Custom)
			assert.Equal(t, rbac.Member, done[1].Invitation.Role)
		}
	})
}

func TestA16BulkIsCountedBeforeAnyRow(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		people := func(n int) (rows []invite.Row) {
			for i := range n {
				rows = append(rows, invite.Row{Line: i + 1, Email: fmt.Sprintf("p%d@acme.example", i)})
			}
			return rows
		}
		for _, c := range []struct {
			limits invite.Limits
			quota  invite.Quota
		}{
			{invite.Limits{PerBulk: 3}, invite.BulkQuota},
			{invite.Limits{PerTeam: 3}, invite.TeamQuota},
			{invite.Limits{PerInviter: 3}, invite.InviterQuota},
		} {
			w.bound(c.limits)
			before := w.picture(w.acme)
			for _, dry := range []bool{true, false} {
				_, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: people(4), DryRun: dry})
				var limit *invite.LimitError
				require.ErrorAs(t, err, &limit)
				assert.Equal(t, c.quota, limit.Quota)
				assert.Equal(t, 3, limit.Limit)
				assert.NotEmpty(t, limit.Error())
			}
			assert.Equal(t, before, w.picture(w.acme))
			done, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: people(3), DryRun: true})
			require.NoError(t, err)
			assert.Equal(t, []invite.Outcome{invite.Invited, invite.Invited, invite.Invited}, outcomes(done))
		}
		// The limit of an address is about its row.
		w.bound(invite.Limits{PerAddress: 1})
		_, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation("p1@acme.example", w.acme.conversation))
		require.NoError(t, err)
		done, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: people(2)})
		require.NoError(t, err)
		assert.Equal(t, []invite.Outcome{invite.Invited, invite.Rejected}, outcomes(done))
		require.ErrorIs(t, done[1].Err, tenancy.ErrLimit)
	})
}

// aged is an invitation that was made so long ago, for 90 minutes.
func (w *world) aged(email string, role rbac.Role, age time.Duration) {
	w.t.Helper()
	w.clock.Advance(-age)
	_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(email, role, invite.ExpiresIn(90*time.Minute)))
	require.NoError(w.t, err)
	w.clock.Advance(age)
}

// Each row is decided as one invitation alone would be, whatever was pending for its address.
func TestBulkDecidesAsCreateDoes(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.bound(invite.Limits{PerAddress: 2})
		for i, rule := range []invite.PendingRule{invite.Refuse, invite.Replace, invite.Return} {
			for j, prepare := range []func(email string){
				func(string) {},
				func(email string) { w.aged(email, rbac.Member, time.Hour) },
				func(email string) { w.aged(email, rbac.Manager, 0) },
				func(email string) { w.aged(email, rbac.Member, 2*time.Hour) },
				func(email string) {
					w.aged(email, rbac.Member, 0)
					_, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(email, w.acme.conversation))
					require.NoError(t, err)
				},
			} {
				email := fmt.Sprintf("p%d-%d@acme.example", i, j)
				prepare(email)
				before := w.picture(w.acme)
				rows, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rowsTo(email), DryRun: true}, invite.IfPending(rule))
				require.NoError(t, err)
				assert.Equal(t, before, w.picture(w.acme))
				done, err2 := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rowsTo(email)}, invite.IfPending(rule))
				require.NoError(t, err2)
				assert.Equal(t, rows[0].Outcome, done[0].Outcome, email)
				assert.Equal(t, rows[0].Err, done[0].Err, email)

				twin := fmt.Sprintf("twin%d-%d@acme.example", i, j)
				prepare(twin)
				_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(twin, rbac.Member, invite.IfPending(rule)))
				assert.Equal(t, err == nil, done[0].Err == nil, "%s under rule %d: %v and %v", email, rule, err, done[0].Err)
				if err != nil {
					assert.Equal(t, reflect.TypeOf(err), reflect.TypeOf(done[0].Err))
				}
			}
		}
	})
}

func TestBulkTakesSeats(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		taken, err := w.people.SeatsTaken(w.ctx, w.acme.holder())
		require.NoError(t, err)
		set := func(rule tenancy.SeatRule, limit int) {
			_, err := w.people.SetSeats(w.ctx, host, w.acme.account.ID, tenancy.Seats{Rule: rule, Limit: limit, CountPending: true})
			require.NoError(t, err)
		}
		rows := append(rowsTo(bob, "carol@acme.example"), invite.Row{Email: "guest@acme.example", Role: "restricted"})
		set(tenancy.HardSeats, taken+1)
		before := w.picture(w.acme)
		for _, dry := range []bool{true, false} {
			_, err = w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rows, DryRun: dry})
			var seats *tenancy.SeatsError
			require.ErrorAs(t, err, &seats)
			assert.Equal(t, tenancy.SeatsError{Limit: taken + 1, Needed: taken + 2}, *seats)
		}
		assert.Equal(t, before, w.picture(w.acme))
		set(tenancy.HardSeats, taken+2)
		_, err = w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rows})
		require.NoError(t, err, "a guest takes none")
		done, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rows[:2]}, invite.IfPending(invite.Replace))
		require.NoError(t, err, "who has a seat takes no second one")
		assert.Equal(t, []invite.Outcome{invite.Invited, invite.Invited}, outcomes(done))
		set(tenancy.WarnSeats, taken+2)
		_, err = w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rowsTo("dave@acme.example", "erin@acme.example")})
		require.NoError(t, err)
		told := slices.DeleteFunc(kinds(w.accountLog(w.acme.account.ID)), func(kind string) bool { return kind != tenancy.AccountSeatsExceeded })
		assert.Len(t, told, 1, "the warning is one, however many rows")
	})
}

func TestF8BulkRefusesBadInput(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		before := w.picture(w.acme)
		_, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{})
		require.ErrorIs(t, err, tenancy.ErrInvalid)
		_, err = w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: make([]invite.Row, invite.DefaultPerBulk+1)})
		require.ErrorIs(t, err, tenancy.ErrLimit)
		_, err = w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: rowsTo(bob)}, invite.ExpiresIn(0))
		require.ErrorIs(t, err, tenancy.ErrInvalid)
		done, err := w.invites.Bulk(w.ctx, w.acme.alice, invite.BulkSpec{Rows: []invite.Row{
			{Email: strings.Repeat("a", 1<<20) + "@acme.example"}, {Email: bob, Role: strings.Repeat("m", 1<<20)}, {},
			{Email: bob + "\r\nBcc: eve@evil.example"},
		}})
		require.NoError(t, err)
		for _, r := range done {
			assert.Equal(t, invite.Rejected, r.Outcome)
			require.ErrorIs(t, r.Err, tenancy.ErrInvalid)
		}
		assert.Equal(t, before, w.picture(w.acme))
	})
}

func TestParseBulk(t *testing.T) {
	row := func(line int, email, role string) invite.Row { return invite.Row{Line: line, Email: email, Role: role} }
	for name, c := range map[string]struct {
		file string
		want []invite.Row
	}{
		"nothing":              {"", nil},
		"blank lines":          {"\n \r\n\n", nil},
		"a list":               {"a@x.example\r\n\n  \nb@x.example", []invite.Row{row(1, "a@x.example", ""), row(4, "b@x.example", "")}},
		"a heading alone":      {"email,role\n", nil},
		"a mark and CRLF":      {"\ufeffE-Mail,ROLE\r\na@x.example,manager\r\n", []invite.Row{row(2, "a@x.example", "manager")}},
		"columns in any order": {"role, email\nmember,a@x.example\n", []invite.Row{row(2, "a@x.example", "member")}},
		"quotes":               {"email,role\n\"a@x.example\",\"a, \"\"b\"\"\"\n", []invite.Row{row(2, "a@x.example", `a, "b"`)}},
		"too few cells":        {"role,email\nmember\n", []invite.Row{row(2, "", "member")}},
		"empty cells too many": {"email\na@x.example,,\n", []invite.Row{row(2, "a@x.example", "")}},
	} {
		rows, err := invite.ParseBulk(strings.NewReader(c.file))
		require.NoError(t, err, name)
		assert.Equal(t, c.want, rows, name)
	}
}

func TestF5ParseBulkNamesTheLine(t *testing.T) {
	long := strings.Repeat("x", invite.MaxBulkCell)
	many := strings.Repeat("a@x.example\n", invite.MaxBulkRows)
	for name, c := range map[string]struct{ file, field, reason string }{
		"an unknown heading":  {"\nemail,owner\n", "line 2", `unknown heading "owner"; allowed are email and role`},
		"a heading twice":     {"email,e-mail\n", "line 1", "twice"},
		"no address":          {"role\nmember\n", "line 1", "must have the heading email"},
		"an open quote":       {"email\n\"a@x.example\n", "line", "is not CSV"},
		"a quote inside":      {"email\na@x.example\nb\"@x.example\n", "line 3", "is not CSV"},
		"too many cells":      {"a@x.example,member\nb@x.example\n", "line 1", "more cells"},
		"a byte that is none": {"email\na\xff@x.example\n", "line 2", "UTF-8"},
		"a line break inside": {"email,role\na@x.example,\"a\nb\"\nb@x.example\n", "line 2", "line break"},
		"a return inside":     {"email,role\na@x.example,\"a\rb\"\n", "line 2", "line break"},
		"a cell too long":     {"email\n" + long + "x\n", "line 2", "1000 bytes"},
		"a row too many":      {many + "a@x.example\n", "line 1001", "at most 1000 rows"},
		"a file too long":     {"email,role\n" + strings.Repeat(long+"\n", 2000), "line", "more"},
	} {
		rows, err := invite.ParseBulk(strings.NewReader(c.file))
		var invalid *tenancy.InvalidError
		if name == "a file too long" {
			c.reason = "at most 1000 rows"
		}
		require.ErrorAs(t, err, &invalid, name)
		assert.Nil(t, rows)
		assert.True(t, strings.HasPrefix(invalid.Field, c.field), "%s: %s", name, invalid.Field)
		assert.Contains(t, invalid.Reason, c.reason, name)
	}
	_, err := invite.ParseBulk(strings.NewReader("email\n\"" + strings.Repeat("x", invite.MaxBulkBytes)))
	require.ErrorContains(t, err, "1048576 bytes")
	full := "email\na@x.example" + strings.Repeat("\n", invite.MaxBulkBytes-len("email\na@x.example"))
	rows, err := invite.ParseBulk(strings.NewReader(full))
	require.NoError(t, err)
	assert.Len(t, rows, 1)
	_, err = invite.ParseBulk(strings.NewReader(full + "\n"))
	require.ErrorIs(t, err, tenancy.ErrInvalid)
	rows, err = invite.ParseBulk(strings.NewReader("email,role\na@x.example," + long + "\n" + many[len("a@x.example\n"):]))
	require.NoError(t, err)
	assert.Len(t, rows, invite.MaxBulkRows)
	_, err = invite.ParseBulk(deadFile{})
	require.ErrorIs(t, err, errDead)
}

var errDead = errors.New("the line is dead")

type deadFile struct{}

func (deadFile) Read([]byte) (int, error) { return 0, errDead }

// FuzzParseBulk: whatever comes in, there is no panic, the limits hold, and what was read, written again,
// is read as the same.
func FuzzParseBulk(f *testing.F) {
	f.Add("email,role\na@x.example,manager\n\nb@x.example\n")
	f.Add("a@x.example\r\nB@X.example\r\n")
	f.Fuzz(func(t *testing.T, file string) {
		rows, err := invite.ParseBulk(strings.NewReader(file))
		if err != nil {
			var invalid *tenancy.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Nil(t, rows)
			assert.True(t, strings.HasPrefix(invalid.Field, "line "), invalid.Field)
			assert.True(t, utf8.ValidString(err.Error()))
			return
		}
		require.LessOrEqual(t, len(rows), invite.MaxBulkRows)
		line := 0
		for _, r := range rows {
			require.Greater(t, r.Line, line)
			line = r.Line
			require.LessOrEqual(t, max(len(r.Email), len(r.Role)), invite.MaxBulkCell)
			require.True(t, utf8.ValidString(r.Email+r.Role))
		}
		var again strings.Builder
		w := csv.NewWriter(&again)
		require.NoError(t, w.Write([]string{"email", "role"}))
		for _, r := range rows {
			require.NoError(t, w.Write([]string{r.Email, r.Role}))
		}
		w.Flush()
		if again.Len() > invite.MaxBulkBytes {
			return
		}
		back, err := invite.ParseBulk(strings.NewReader(again.String()))
		require.NoError(t, err)
		require.Len(t, back, len(rows))
		for i := range back {
			assert.Equal(t, rows[i].Email, back[i].Email)
			assert.Equal(t, rows[i].Role, back[i].Role)
		}
	})
}
