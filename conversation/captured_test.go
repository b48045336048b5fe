package conversation_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

func TestCapturedKeepsWhatItIsGiven(t *testing.T) {
	var c conversation.Captured
	first := conversation.Outgoing{ID: tenancy.NewID[tenancy.MessageID](tenancy.Env{}), To: "visitor-1", Text: "One"}
	second := conversation.Outgoing{ID: tenancy.NewID[tenancy.MessageID](tenancy.Env{}), To: "visitor-2", Text: "Two"}
	for _, m := range []conversation.Outgoing{first, second} {
		id, err := c.Send(t.Context(), m)
		require.NoError(t, err)
		assert.Equal(t, m.ID.String(), id)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Send(ctx, first)
	require.ErrorIs(t, err, context.Canceled)

	assert.Equal(t, []conversation.Outgoing{first}, c.To("visitor-1"))
	all := c.All()
	assert.Equal(t, []conversation.Outgoing{first, second}, all)
	all[0].Text = "scribbled"
	assert.Equal(t, "One", c.All()[0].Text)
	assert.Empty(t, c.To("visitor-3"))
}
