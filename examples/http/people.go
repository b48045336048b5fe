package main

import (
	"context"

	"github.com/usher-go/usher/tenancy"
)

// person is an entry of the host's own directory of people. The host authenticates; usher does
// not know how. That this host believes whoever clicks on a name is the one thing in it not to
// copy.
type person struct{ Handle, Name, Email string }

// directory is whom the host knows, and whose addresses it vouches for.
func directory() []person {
	return []person{
		{"alice", "Alice", "alice@acme.example"},
		{"bob", "Bob", "bob@acme.example"},
		{"carol", "Carol", "carol@client.example"},
		{"mallory", "Mallory", "mallory@rival.example"},
	}
}

// register tells usher who has signed in: the first time it makes the user, later it brings name and
// address up to date.
func (s *server) register(ctx context.Context, handle string) (tenancy.User, error) {
	for _, p := range directory() {
		if p.Handle == handle {
			return s.usher.Tenancy.Register(ctx, "sign-in", tenancy.Profile{
				ExternalID: "directory:" + p.Handle, Email: p.Email, Verified: true, Name: p.Name,
			})
		}
	}
	return tenancy.User{}, tenancy.ErrNoPrincipal
}
