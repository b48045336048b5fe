// Command quickstart plays a story against usher and tells what usher decided: who may do what,
// who sees what, and why not. The story is a text file; -h shows how one is written.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -db acme.db -story my.story
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
