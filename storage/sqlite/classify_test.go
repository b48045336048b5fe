package sqlite

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/sqlstore"
)

type coded int

func (c coded) Code() int { return int(c) }

func (coded) Error() string { return "UNIQUE constraint failed" } // the text decides nothing

func TestClassify(t *testing.T) {
	for code, class := range map[int]sqlstore.Class{
		2067: sqlstore.Duplicate, 1555: sqlstore.Duplicate, 2579: sqlstore.Duplicate,
		787: sqlstore.Missing,
		275: sqlstore.Invalid, 1299: sqlstore.Invalid, 3091: sqlstore.Invalid,
		5: sqlstore.Retry, 261: sqlstore.Retry, 517: sqlstore.Retry, 773: sqlstore.Retry, // the BUSY family
		6: sqlstore.Retry, 262: sqlstore.Retry, // the LOCKED family
		1: sqlstore.Unknown, 9: sqlstore.Unknown, 10: sqlstore.Unknown, 13: sqlstore.Unknown, 19: sqlstore.Unknown,
		1811: sqlstore.Unknown, // a trigger
	} {
		require.Equal(t, sqlstore.Failure{Class: class, Code: fmt.Sprint(code)}, classify(fmt.Errorf("wrapped: %w", coded(code))))
	}
	require.Equal(t, sqlstore.Failure{}, classify(errors.New("UNIQUE constraint failed (2067)")))
}
