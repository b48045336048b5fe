package postgres

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/sqlstore"
)

func TestClassify(t *testing.T) {
	const text = "duplicate key value violates unique constraint" // decides nothing
	for code, class := range map[string]sqlstore.Class{
		"23505": sqlstore.Duplicate,
		"23503": sqlstore.Missing,
		"23514": sqlstore.Invalid, "23502": sqlstore.Invalid, "22021": sqlstore.Invalid, "22003": sqlstore.Invalid,
		"22P02": sqlstore.Invalid, "54000": sqlstore.Invalid,
		"40001": sqlstore.Retry, "40P01": sqlstore.Retry,
		"40002": sqlstore.Unknown, "40003": sqlstore.Unknown, "08006": sqlstore.Unknown, "25P02": sqlstore.Unknown,
		"42P01": sqlstore.Unknown, "53300": sqlstore.Unknown, "57014": sqlstore.Unknown, "57P01": sqlstore.Unknown,
	} {
		want := sqlstore.Failure{Class: class, Code: code}
		require.Equal(t, want, classify(fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code, Message: text})))
		require.Equal(t, want, classify(fmt.Errorf("wrapped: %w", &pq.Error{Code: pqerror.Code(code), Message: text})))
	}
	require.Equal(t, sqlstore.Failure{}, classify(errors.New(text)))
}
