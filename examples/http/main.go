// Command http is a small server with usher behind it: people sign in at the host, have teams,
// switch between them, invite others, change roles. It serves until it is interrupted.
//
//	go run ./examples/http
//	go run ./examples/http -addr localhost:9000 -db acme.db
//
// Mails, with the links of invitations, are written to standard output.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "http:", err)
		os.Exit(1)
	}
}
