package conversation

import (
	"context"
	"slices"
	"sync"
)

// Captured is a [Sender] for tests: it keeps what it was given. The provider's id of a message, by which
// a [Receipt] names it, is the text of its own. The zero Captured is ready, and safe for concurrent use.
type Captured struct {
	mu   sync.Mutex
	sent []Outgoing
}

// Send implements [Sender].
func (c *Captured) Send(ctx context.Context, m Outgoing) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, m)
	return m.ID.String(), nil
}

// All lists the messages, oldest first.
func (c *Captured) All() []Outgoing {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sent)
}

// To lists the messages to a contact's address, oldest first.
func (c *Captured) To(address string) []Outgoing {
	return slices.DeleteFunc(c.All(), func(m Outgoing) bool { return m.To != address })
}
