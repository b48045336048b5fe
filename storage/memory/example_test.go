package memory_test

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// A store needs no setting up and no closing.
func Example() {
	ctx := context.Background()
	store := memory.New()

	alice := tenancy.User{
		ID: tenancy.NewID[tenancy.UserID](tenancy.Env{}), Name: "Alice", Status: tenancy.UserActive,
		ExternalID: "auth0|42", CreatedAt: time.Now(),
	}
	err := store.InTx(ctx, func(ctx context.Context) error {
		return store.InsertUser(ctx, alice)
	})
	fmt.Println("committed:", err == nil)

	found, err := store.UserByExternalID(ctx, "auth0|42")
	fmt.Println(found.Name, found.Version, err)

	// Output:
	// committed: true
	// Alice 1 <nil>
}
