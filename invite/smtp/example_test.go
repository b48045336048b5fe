package smtp_test

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite/smtp"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// A server that mails its invitations through a mail server: port 587, STARTTLS, a password.
func Example() {
	password := "…" // from the host's configuration
	mailer, err := smtp.New("mail.acme.example", "hiring@acme.example",
		smtp.WithName("Acme Hiring"),
		smtp.WithAuth("hiring", password),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	u, err := usher.New(memory.New(), // in a server: its database
		usher.WithMailer(mailer),
		usher.WithInviteURL("https://app.acme.example/join"),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("ready to mail:", u.Relay != nil) // the host calls u.Relay.Step from its own loop
	// Output: ready to mail: true
}

// A mail server that was installed for development needs no TLS, on the same machine only.
func ExampleWithoutTLS() {
	_, err := smtp.New("localhost:1025", "hiring@acme.example", smtp.WithoutTLS())
	fmt.Println(err)
	_, err = smtp.New("mail.acme.example:25", "hiring@acme.example", smtp.WithoutTLS())
	fmt.Println(err, errors.Is(err, tenancy.ErrInvalid))
	// Output:
	// <nil>
	// TLS can be left out for a server on localhost only true
}
