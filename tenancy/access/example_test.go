package access_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

// A guard on a route, with the host's sessions in front of it.
func Example() {
	ctx := context.Background()
	u, err := usher.New(memory.New())
	if err != nil {
		panic(err)
	}
	alice, _ := u.Tenancy.Register(ctx, "example", tenancy.Profile{Email: "alice@acme.example", Verified: true})
	carol, _ := u.Tenancy.Register(ctx, "example", tenancy.Profile{Email: "carol@client.example", Verified: true})
	acme, _ := u.Tenancy.CreateAccount(ctx, alice.ID, "Acme")
	sales, _ := u.Tenancy.CreateTeam(ctx, acme.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales"})
	_, _ = u.Tenancy.Admit(ctx, "example", tenancy.Admission{Team: sales.ID, User: carol.ID, Role: rbac.Restricted})

	sessions := map[string]tenancy.UserID{"session of alice": alice.ID, "session of carol": carol.ID}
	signedIn := func(r *http.Request) (tenancy.UserID, error) {
		cookie, err := r.Cookie("session")
		if err != nil {
			return tenancy.UserID{}, tenancy.ErrNoPrincipal
		}
		return sessions[cookie.Value], nil
	}
	send := func(w http.ResponseWriter, r *http.Request) {
		team, err := u.Tenancy.Team(r.Context(), access.Actor(r.Context())) // which asks again
		if err != nil {
			access.Refuse(w, r, err)
			return
		}
		fmt.Fprintln(w, "sent by", team.Name)
	}

	guard := access.New(u.Tenancy, signedIn, access.PathValue("team"))
	mux := http.NewServeMux()
	mux.Handle("POST /teams/{team}/blasts", guard.Require(rbac.SendBlast)(http.HandlerFunc(send)))

	for _, session := range []string{"session of alice", "session of carol", "none"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/teams/"+sales.ID.String()+"/blasts", nil)
		r.AddCookie(&http.Cookie{Name: "session", Value: session, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 sent by Sales
	//
	// 403 {"type":"https://github.com/usher-go/usher/blob/main/docs/http.md#denied","title":"Not allowed","status":403,"detail":"restricted lacks \"blast: send\", which manager and member have","permission":"blast: send"}
	// 401 {"type":"https://github.com/usher-go/usher/blob/main/docs/http.md#signed-out","title":"Nobody is signed in","status":401,"detail":"The request does not say who makes it."}
}

// The host keeps the names; usher keeps the teams.
func ExampleSubdomain() {
	acme := tenancy.NewID[tenancy.TeamID](tenancy.Env{})
	names := map[string]tenancy.TeamID{"acme": acme}
	find := func(_ context.Context, label string) (tenancy.TeamID, error) {
		id, known := names[label]
		if !known {
			return tenancy.TeamID{}, tenancy.ErrNotFound
		}
		return id, nil
	}
	team, err := access.Subdomain("app.example", find)
	if err != nil {
		panic(err)
	}
	for _, host := range []string{"Acme.app.example:8443", "globex.app.example", "acme.evil.example"} {
		id, err := team(&http.Request{Host: host})
		fmt.Println(id == acme, err)
	}
	// Output:
	// true <nil>
	// false not found
	// false not found
}

// An error in the parts that a page needs.
func ExampleProblemOf() {
	p := access.ProblemOf(fmt.Errorf("settings of team 7: %w", tenancy.ErrLastManager))
	fmt.Println(p.Status, p.Title)
	fmt.Println(p.Detail)
	// Output:
	// 409 Not in this state
	// a team keeps at least one active manager whose membership does not expire
}
