package usher_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

func TestInviteLimitsAreThoseOfTheInvitations(t *testing.T) {
	_, err := usher.New(memory.New(), usher.WithInviteLimits(invite.Limits{PerTeam: -1}))
	require.ErrorIs(t, err, tenancy.ErrInvalid)
}
