package invite

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/usher-go/usher/tenancy"
)

// WriterMailer writes each mail to w as text, link and all: for development, where the console
// is the mailbox. Each mail is one Write, and one at a time.
func WriterMailer(w io.Writer) Mailer { return &writerMailer{w: w} }

type writerMailer struct {
	mu sync.Mutex
	w  io.Writer
}

func (m *writerMailer) Send(ctx context.Context, mail Mail) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "To: %s\nSubject: %s\n\n%s\n", mail.To, mail.Subject(), mail.Text())
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.w.Write(b.Bytes())
	return err
}

// Captured is a mailer for tests: it keeps what it was given. The zero Captured is ready, and
// safe for concurrent use.
type Captured struct {
	mu    sync.Mutex
	mails []Mail
}

// Send implements [Mailer].
func (c *Captured) Send(ctx context.Context, m Mail) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mails = append(c.mails, m)
	return nil
}

// All lists the mails, oldest first.
func (c *Captured) All() []Mail {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.mails)
}

// Last is the newest mail to the address, and the zero Mail if there is none. Addresses are
// compared by their normal form.
func (c *Captured) Last(address string) Mail {
	to, err := tenancy.ParseAddress(address)
	if err != nil {
		return Mail{}
	}
	mails := c.All()
	for _, m := range slices.Backward(mails) {
		if m.To.Normal == to.Normal {
			return m
		}
	}
	return Mail{}
}
