package signup

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// stranger is Carol in front of her browser: she was invited, and has no account yet. The host, its
// provider and the post are in this process.
type stranger struct {
	site, invitation string
	client           *http.Client
	provider         *provider
	letter           string // the newest that the host has mailed her
	leave            func()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// invitedStranger opens a host and has Alice invite Carol.
func invitedStranger() *stranger {
	ctx, mails, carol := context.Background(), &invite.Captured{}, &stranger{}
	u, err := usher.New(memory.New(), usher.WithMailer(mails), usher.WithInviteURL("https://app.acme.example/join"))
	check(err)
	alice, err := u.Tenancy.Register(ctx, "sign-up", tenancy.Profile{Email: "alice@acme.example", Verified: true, Name: "Alice"})
	check(err)
	acme, err := u.Tenancy.CreateAccount(ctx, alice.ID, "Acme")
	check(err)
	sales, err := u.Tenancy.CreateTeam(ctx, acme.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales"})
	check(err)
	_, err = u.Invites.Create(ctx, tenancy.Actor{User: alice.ID, Team: sales.ID}, invite.ToTeam("carol@client.example", rbac.Member))
	check(err)
	_, err = u.Relay.Drain(ctx)
	check(err)
	carol.invitation = "/join?token=" + mails.Last("carol@client.example").Token.Reveal()

	idp, stop := newProvider(time.Now)
	carol.provider = idp
	var host *Host
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { host.Handler().ServeHTTP(w, r) }))
	post := func(_ tenancy.Address, text string) { carol.letter = text }
	host = New(u, post, Provider{
		Issuer: idp.url, Authorize: idp.url + "/authorize", Token: idp.url + "/token",
		ClientID: "acme", ClientSecret: clientSecret, Callback: server.URL + "/provider", Client: server.Client(),
	}, time.Now)
	carol.site, carol.client = server.URL, server.Client()
	carol.client.Jar, err = cookiejar.New(nil)
	check(err)
	carol.leave = func() { server.Close(); stop() }
	return carol
}

// opens follows a link, and prints the page.
func (s *stranger) opens(path string) { s.asks(http.MethodGet, path, nil) }

// sends presses the button of a form, and prints the page that it leads to.
func (s *stranger) sends(path string, form url.Values) { s.asks(http.MethodPost, path, form) }

func (s *stranger) asks(method, path string, form url.Values) {
	r, err := http.NewRequestWithContext(context.Background(), method, s.site+path, strings.NewReader(form.Encode()))
	check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := s.client.Do(r)
	check(err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	check(err)
	fmt.Fprintln(os.Stdout, strings.TrimSpace(string(page)))
}

// A host with passwords: the code in its own mail makes the address hers, and the password comes with
// the code.
func Example_password() {
	carol := invitedStranger()
	defer carol.leave()
	carol.opens(carol.invitation)
	carol.sends("/password/sign-up", url.Values{"email": {"carol@client.example"}, "name": {"Carol"}, "password": {"correct horse battery"}})
	carol.sends("/password/confirm", url.Values{"code": {carol.letter}, "password": {"correct horse battery"}})
	carol.sends("/join", nil)
	// Output:
	// Alice invites you to Sales as member. Sign in, or sign up, with the address that it was mailed to.
	// We have mailed you a code.
	// Alice invites you to Sales as member. Accept?
	// Welcome to Sales.
}

// A host that signs people in by a link in a mail of its own: to open that is to verify the address.
func Example_magicLink() {
	carol := invitedStranger()
	defer carol.leave()
	carol.opens(carol.invitation)
	carol.sends("/letters", url.Values{"email": {"carol@client.example"}})
	carol.opens(carol.letter)
	_, key, _ := strings.Cut(carol.letter, "?key=")
	carol.sends("/letter", url.Values{"key": {key}})
	carol.sends("/join", nil)
	// Output:
	// Alice invites you to Sales as member. Sign in, or sign up, with the address that it was mailed to.
	// We have mailed you a link.
	// Sign in?
	// Alice invites you to Sales as member. Accept?
	// Welcome to Sales.
}

// A host with an OpenID provider: the address is verified if the provider says true, and else the host
// asks for it before she can come in.
func Example_provider() {
	for _, verified := range []any{true, "true"} {
		carol := invitedStranger()
		carol.provider.says = map[string]any{"sub": "42", "email": "carol@client.example", "email_verified": verified, "name": "Carol"}
		carol.opens(carol.invitation)
		carol.sends("/provider", nil) // she goes to the provider, agrees there, and comes back
		carol.sends("/join", nil)
		carol.leave()
	}
	// Output:
	// Alice invites you to Sales as member. Sign in, or sign up, with the address that it was mailed to.
	// Alice invites you to Sales as member. Accept?
	// Welcome to Sales.
	// Alice invites you to Sales as member. Sign in, or sign up, with the address that it was mailed to.
	// Alice invites you to Sales as member. Accept?
	// Show first that your address is yours.
}
