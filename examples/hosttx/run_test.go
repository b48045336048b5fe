package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/storagetest/everystore"
)

const told = `Acme signs up: committed
  rows added to the host's own table: 1
Globex signs up: rolled back, conflict: the phone number or handle belongs to a team
  rows added to the host's own table: 0
`

func TestOnSQLite(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	assert.Equal(t, told, out.String())
}

func TestOnPostgreSQL(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-dsn", everystore.PostgresDSN(t)}, &out))
	assert.Equal(t, told, out.String())
}

func TestRunRefuses(t *testing.T) {
	var out bytes.Buffer
	require.Error(t, run(t.Context(), []string{"-nonsense"}, &out))
	require.Error(t, run(t.Context(), []string{"-dsn", "no url"}, &out))
}
