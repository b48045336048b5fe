// Command hosttx shows usher inside the host's own transaction: a customer of the host, their
// account and team, and the first invitation are written together or not at all.
//
//	go run ./examples/hosttx -dsn postgres://localhost/app
//
// Without -dsn it runs on a temporary SQLite file; the code is the same.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hosttx:", err)
		os.Exit(1)
	}
}
