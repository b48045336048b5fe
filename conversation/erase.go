package conversation

import (
	"context"

	"github.com/usher-go/usher/tenancy"
)

// Erase implements [tenancy.Erasures]: deliveries to the address of a user who is deleted lose it.
// Messages stay, as does who wrote them: a user who is a tombstone. It must run inside a
// transaction.
func (s *Service) Erase(ctx context.Context, e tenancy.Erasure) error {
	if e.Email == "" {
		return nil
	}
	return s.store.EraseRecipient(ctx, e.Email)
}
