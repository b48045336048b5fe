package tenancy_test

import (
	"context"
	"strings"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/tenancy"
)

// B6: external ids that a database or a reader may take for the same are different users, alike on every
// store. Space is refused, since one engine ignores it at the end.
func TestB6_ExternalIDsThatLookAlike(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		register := func(id string) (tenancy.User, error) {
			return s.people.Register(t.Context(), host, tenancy.Profile{ExternalID: id, Email: "x@acme.example"})
		}
		known := map[tenancy.UserID]string{}
		for _, id := range []string{
			"auth0|rene", "AUTH0|rene", "auth0|Rene", "auth0|ren\u00e9", "auth0|rene\u0301", "auth0|rené.", "auth0|rene%", "auth0|ren_",
			"auth0|stra\u00dfe", "auth0|strasse", "auth0|\u0131d", "auth0|id", "auth0|\u212aim", "auth0|kim", "auth0|\uff4bim", "0", "00",
		} {
			user, err := register(id)
			require.NoError(t, err, id)
			assert.Empty(t, known[user.ID], "%q is the user of %q", id, known[user.ID])
			known[user.ID] = id
			again, err := register(id)
			require.NoError(t, err)
			assert.Equal(t, user, again, id)
		}
		for _, id := range []string{"auth0|rene ", " auth0|rene", "auth0|re ne", "auth0|rene\t", "auth0|rene\x00", "auth0|rene\u00a0", "auth0|rene\u200b", "auth0|\xff"} {
			_, err := register(id)
			require.ErrorIs(t, err, tenancy.ErrInvalid, "%q", id)
		}
	})
}

// D5: an idempotency key answers for one request of one principal, whatever the texts are: no two that
// differ are one because they were joined.
func TestD5_NoTwoRequestsAreOneUnderAKey(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx, rounds := t.Context(), 0
		// ask answers whether the operation ran, and not an earlier one in its place.
		ask := func(by, key, name string, request ...any) (ran bool, err error) {
			_, err = tenancy.Do(tenancy.WithKey(ctx, key), s.store, tenancy.Env{}, tenancy.System(by), name, request,
				func(context.Context) (int, error) { ran = true; return 0, nil })
			return ran, err
		}
		apart := func(text string, at, other uint8) bool {
			rounds++
			cut := []rune(clean(text) + "$$\"],[\":|")
			i, j := int(at)%(len(cut)-1)+1, int(other)%(len(cut)-1)+1
			if i == j {
				return true
			}
			a, b := [2]string{string(cut[:i]), string(cut[i:])}, [2]string{string(cut[:j]), string(cut[j:])}
			mark := strings.Repeat("k", rounds) // of this round
			// The same text, cut in two ways: as principal and key, and as name and arguments.
			for _, pair := range [][2]string{a, b} {
				if ran, err := ask(pair[0], pair[1]+mark, "name"); !ran || err != nil {
					return false
				}
			}
			ran, err := ask("host", mark, a[0], a[1])
			if !ran || err != nil {
				return false
			}
			for _, request := range [][]any{{b[0], b[1]}, {a[0] + a[1]}, {a[0], a[1], ""}, {a[0], "", a[1]}, {a[0], []string{a[1]}}} {
				if ran, err := ask("host", mark, request[0].(string), request[1:]...); ran || err == nil {
					return false
				}
			}
			ran, err = ask("host", mark, a[0], a[1])
			return !ran && err == nil
		}
		require.NoError(t, quick.Check(apart, &quick.Config{MaxCount: 40}))
	})
}

// clean is a text that every engine keeps, and short enough for a key.
func clean(text string) string {
	runes := []rune(strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", ""))
	return string(runes[:min(len(runes), 20)])
}

// Who is admitted in a custom role has no other, which must not keep the request from being kept.
func TestACustomRoleIsAdmittedUnderAKey(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		alice := s.managed("Alice")
		admission := tenancy.Admission{Team: alice.Team, User: s.user("Bob").ID, Custom: s.custom(alice.Team, "Auditor", "audit: read").ID}
		ctx := tenancy.WithKey(t.Context(), "hired")
		admitted, err := s.people.Admit(ctx, host, admission)
		require.NoError(t, err)
		again, err := s.people.Admit(ctx, host, admission)
		require.NoError(t, err)
		assert.Equal(t, admitted, again)
	})
}
