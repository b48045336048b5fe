//go:build !unix

package testdb

import "errors"

var errNoServer = errors.New("a server can only be started on Unix")

func startPostgres() (string, error) { return "", errNoServer }

func startMySQL() (string, error) { return "", errNoServer }
