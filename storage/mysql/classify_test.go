package mysql

import (
	"errors"
	"fmt"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/sqlstore"
)

func TestClassify(t *testing.T) {
	for code, class := range map[uint16]sqlstore.Class{
		1062: sqlstore.Duplicate,
		1452: sqlstore.Missing, 1216: sqlstore.Missing, 1451: sqlstore.Missing, 1217: sqlstore.Missing,
		3819: sqlstore.Invalid, 4025: sqlstore.Invalid, 1048: sqlstore.Invalid, 1264: sqlstore.Invalid,
		1366: sqlstore.Invalid, 1406: sqlstore.Invalid,
		1213: sqlstore.Retry, 1205: sqlstore.Retry,
		1040: sqlstore.Unknown, 1047: sqlstore.Unknown, 1146: sqlstore.Unknown, 1180: sqlstore.Unknown,
	} {
		err := fmt.Errorf("wrapped: %w", &driver.MySQLError{Number: code, Message: "Duplicate entry"}) // the text decides nothing
		require.Equal(t, sqlstore.Failure{Class: class, Code: fmt.Sprint(code)}, classify(err))
	}
	require.Equal(t, sqlstore.Failure{}, classify(errors.New("Error 1062: Duplicate entry")))
	require.Equal(t, sqlstore.Failure{}, classify(driver.ErrInvalidConn))
}
