package access_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

var update = flag.Bool("update", false, "write the table of problems into the docs")

func TestProblemOf(t *testing.T) {
	_, badID := tenancy.ParseID[tenancy.TeamID]("x")
	_, badRole := rbac.ParseRole("boss")
	_, badToken := invite.ParseToken("x")
	policy, err := rbac.NewPolicy()
	require.NoError(t, err)
	expired := &invite.StateError{State: invite.Expired, Event: invite.OnAccept}
	for _, c := range []struct {
		err    error
		status int
		detail string
	}{
		{tenancy.ErrNoPrincipal, 401, "The request does not say who makes it."},
		{&access.SignInError{}, 401, "The request does not say who makes it."},
		{policy.Denied(rbac.Member, rbac.InviteMember), 403, `member lacks "member: invite", which manager has`},
		{tenancy.ErrInactive, 403, "the user or the membership is not active"},
		{invite.ErrWrongUser, 403, "the invitation is for someone else"},
		{invite.ErrUnverified, 403, "the invitation is for someone else, or for you once your e-mail address is verified"},
		{tenancy.ErrNotFound, 404, "There is nothing here for you."},
		{badToken, 404, "There is nothing here for you."},
		{tenancy.ErrLastManager, 409, "a team keeps at least one active manager whose membership does not expire"},
		{tenancy.ErrAccountInactive, 409, "the account is not active"},
		{tenancy.ErrTeamArchived, 409, "the team is archived"},
		{tenancy.ErrKeyReused, 409, "this key was used for another request"},
		{conversation.ErrClosed, 409, "the conversation is closed, and a member has to open it first"},
		{&invite.AcceptedError{}, 409, "the invitation is accepted, which does not allow: accept"},
		{tenancy.ErrConflict, 409, ""},
		{expired, 410, "conflict: the invitation is expired, which does not allow: accept"},
		{badID, 422, "id must be a UUID of 36 characters, such as 01890a5d-ac96-774b-bcce-b302099a8057"},
		{badRole, 422, `"boss" is not one of manager, member, restricted`},
		{&conversation.CommandError{Err: &command.Error{Reason: "there is no command ^nonsense"}}, 422, "there is no command ^nonsense"},
		{tenancy.ErrLimit, 429, ""},
		{fmt.Errorf("%w: at most 50 people can be invited at once", tenancy.ErrLimit), 429, "at most 50 people can be invited at once"},
		{tenancy.ErrUnavailable, 503, "Try again later."},
		{context.Canceled, 503, "Try again later."},
		{context.DeadlineExceeded, 503, "Try again later."},
		{nil, 500, ""},
		{tenancy.ErrNoTx, 500, ""},
	} {
		// As it is, and with what hosts put around errors.
		for _, err := range []error{c.err, fmt.Errorf("secret: %w", c.err), errors.Join(errors.New("secret"), c.err), fmt.Errorf("secret: %w: %w", c.err, sql.ErrConnDone)} {
			if c.err == nil && err != nil {
				continue
			}
			p := access.ProblemOf(err)
			assert.Equal(t, c.status, p.Status, "%v", err)
			assert.Equal(t, c.detail, p.Detail, "%v", err)
			assert.NotEmpty(t, p.Title)
		}
	}
	assert.Equal(t, "member: invite", access.ProblemOf(fmt.Errorf("x: %w", policy.Denied(rbac.Member, rbac.InviteMember))).Permission)
	assert.Equal(t, "id", access.ProblemOf(fmt.Errorf("x: %w", badID)).Field)
}

// What is not found is nothing else beside.
func TestNotFoundComesBeforeWhatTellsMore(t *testing.T) {
	policy, err := rbac.NewPolicy()
	require.NoError(t, err)
	plain := access.ProblemOf(tenancy.ErrNotFound)
	for _, other := range []error{policy.Denied(rbac.Member, rbac.InviteMember), tenancy.ErrLastManager, &tenancy.InvalidError{Field: "x", Reason: "y"}} {
		assert.Equal(t, plain, access.ProblemOf(errors.Join(other, tenancy.ErrNotFound)))
	}
}

// What a host says beside a class, and not in an error of its own, is not told.
func TestNothingBesideAClassIsTold(t *testing.T) {
	for _, class := range []error{rbac.ErrDenied, tenancy.ErrConflict, tenancy.ErrExpired, tenancy.ErrInvalid, tenancy.ErrLimit} {
		for _, err := range []error{class, errors.Join(class, errors.New("secret")), fmt.Errorf("%w: %w", class, errors.New("secret"))} {
			assert.Empty(t, access.ProblemOf(err).Detail, "%v", err)
		}
	}
}

// A store tells no driver text, and in an answer there is no trace of the engine either.
func TestNoTraceOfTheDatabase(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "usher.db"))
	require.NoError(t, err)
	store, err := sqlite.New(db)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	var seen []string
	note := func(err error, status int) {
		var known *sqlstore.Error
		require.ErrorAs(t, err, &known)
		p := access.ProblemOf(err)
		assert.Equal(t, status, p.Status, err)
		seen = append(seen, p.Title, p.Detail)
	}
	user := tenancy.User{ID: tenancy.NewID[tenancy.UserID](tenancy.Env{}), Status: tenancy.UserActive, Version: 1}
	insert := func(ctx context.Context) error { return store.InsertUser(ctx, user) }
	require.NoError(t, store.InTx(t.Context(), insert))
	twice := store.InTx(t.Context(), insert)
	note(twice, http.StatusConflict)
	require.NoError(t, db.Close())
	_, err = store.User(t.Context(), user.ID)
	note(err, http.StatusServiceUnavailable)
	for _, text := range seen {
		assert.NotContains(t, strings.ToLower(text), "sql")
		assert.NotContains(t, text, "UNIQUE")
	}
}

func TestRefuse(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Length", "12345")
	w.Header().Set("Content-Type", "text/html")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	policy, err := rbac.NewPolicy()
	require.NoError(t, err)
	access.Refuse(w, r, policy.Denied(rbac.Member, rbac.InviteMember))
	assert.Equal(t, http.StatusForbidden, w.Code)
	assert.Equal(t, http.Header{
		"Content-Type":           {"application/problem+json"},
		"X-Content-Type-Options": {"nosniff"},
		"Cache-Control":          {"no-store"},
	}, w.Header())
	var p access.Problem
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	assert.Equal(t, access.Problem{
		Type: "https://github.com/usher-go/usher/blob/main/docs/http.md#denied", Title: "Not allowed", Status: http.StatusForbidden,
		Detail: `member lacks "member: invite", which manager has`, Permission: "member: invite",
	}, p)
}

// Foreign text in an error cannot break out of the answer.
func TestRefuseEscapes(t *testing.T) {
	w := httptest.NewRecorder()
	access.Refuse(w, nil, &tenancy.InvalidError{Field: "name", Reason: "\"}</script>\r\n\xff must not hold that"})
	assert.True(t, json.Valid(w.Body.Bytes()))
	assert.NotContains(t, w.Body.String(), "</script>")
}

const begin, end = "<!-- problems:begin -->\n", "<!-- problems:end -->\n"

// The page in the docs shows the table in the code; `go generate ./tenancy/access` writes it. Each
// type has a heading there, since its URI leads to it.
func TestStatusTableInTheDocs(t *testing.T) {
	const page = "../../docs/http.md"
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(text), begin)
	require.True(t, found, "%s needs the line %s", page, begin)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found, "%s needs the line %s", page, end)
	var table strings.Builder
	table.WriteString("| status | type | title | error |\n|---|---|---|---|\n")
	for _, c := range access.Classes() {
		fmt.Fprintf(&table, "| %d | [%s](#%s) | %s | %s |\n", c.Status, c.Anchor, c.Anchor, c.Title, c.Err)
		assert.Contains(t, after, "\n### "+c.Anchor+"\n")
	}
	table.WriteString("| 500 | about:blank | Internal Server Error | any other |\n")
	want := before + begin + table.String() + end + after
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o600))
		return
	}
	assert.Equal(t, want, string(text), "go generate ./tenancy/access brings it up to date")
}
