package tenancy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/tenancy"
)

func TestIDText(t *testing.T) {
	id := tenancy.NewID[tenancy.TeamID](tenancy.Env{})
	parsed, err := tenancy.ParseID[tenancy.TeamID](id.String())
	require.NoError(t, err)
	assert.Equal(t, id, parsed)
	assert.EqualValues(t, 7, id.UUID().Version())

	text, err := json.Marshal(map[string]tenancy.TeamID{"team": id, "none": {}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"team":"`+id.String()+`","none":""}`, string(text))
	var back map[string]tenancy.TeamID
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, id, back["team"])
	assert.True(t, back["none"].IsZero())
}

// C12: what is not the one spelling of an id is refused.
func TestC12_OddIDs(t *testing.T) {
	good := tenancy.NewID[tenancy.UserID](tenancy.Env{}).String()
	for _, text := range []string{
		"", "*", "::", "$$", " ", "manager", good + " ", " " + good, "{" + good + "}", "urn:uuid:" + good,
		strings.ReplaceAll(good, "-", ""), good[:35], good + "0", strings.Replace(good, "-", "x", 1), strings.Repeat("0", 1<<20),
	} {
		_, err := tenancy.ParseID[tenancy.UserID](text)
		require.ErrorIs(t, err, tenancy.ErrInvalid, "%.60q", text)
	}
	for _, external := range []string{"a b", "a\x00", "a\nb", "\u200b", "\xff", strings.Repeat("x", tenancy.MaxExternalID+1), strings.Repeat("x", 1<<20)} {
		s := newScene(t)
		_, err := s.people.Register(t.Context(), host, tenancy.Profile{ExternalID: external, Email: "bob@acme.example"})
		require.ErrorIs(t, err, tenancy.ErrInvalid, "%.60q", external)
	}
}
