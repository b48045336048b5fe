package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/tenancy"
)

func whose(t *testing.T, s sessions, value string) tenancy.UserID {
	t.Helper()
	r := &http.Request{Header: http.Header{"Cookie": {sessionCookie + "=" + value}}}
	user, err := s.user(r)
	require.NoError(t, err)
	return user
}

func TestSession(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	s := newSessions(func() time.Time { return now })
	alice := tenancy.NewID[tenancy.UserID](tenancy.Env{})
	cookie := s.begin(alice)
	assert.True(t, cookie.HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	assert.Equal(t, alice, whose(t, s, cookie.Value))

	assert.Zero(t, whose(t, newSessions(s.now), cookie.Value), "another key")
	now = now.Add(sessionLasts - time.Second)
	assert.Equal(t, alice, whose(t, s, cookie.Value))
	now = now.Add(time.Second)
	assert.Zero(t, whose(t, s, cookie.Value), "its time has passed")
}

// Each byte of a session counts.
func TestSessionForged(t *testing.T) {
	s := newSessions(time.Now)
	value := s.begin(tenancy.NewID[tenancy.UserID](tenancy.Env{})).Value
	for i := range value {
		other := byte('A')
		if value[i] == other {
			other = 'B'
		}
		require.Zero(t, whose(t, s, value[:i]+string(other)+value[i+1:]), i)
		require.Zero(t, whose(t, s, value[:i]), i)
	}
	assert.Zero(t, whose(t, s, value+"A"))
	assert.Zero(t, whose(t, s, strings.Repeat("A", 10_000)))
}
