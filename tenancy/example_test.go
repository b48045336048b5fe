package tenancy_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// office is an account with a team, for the examples.
func office(ctx context.Context) (u *usher.Usher, holder tenancy.Holder, alice, bob tenancy.Actor) {
	u, err := usher.New(memory.New())
	must(err)
	register := func(name string) tenancy.UserID {
		user, err := u.Tenancy.Register(ctx, "sign-up", tenancy.Profile{ExternalID: name, Email: name + "@acme.example", Verified: true, Name: name})
		must(err)
		return user.ID
	}
	a, b := register("alice"), register("bob")
	account, err := u.Tenancy.CreateAccount(ctx, a, "Acme")
	must(err)
	team, err := u.Tenancy.CreateTeam(ctx, account.Holder(a), tenancy.TeamSpec{Name: "Sales"})
	must(err)
	_, err = u.Tenancy.Admit(ctx, "seed", tenancy.Admission{Team: team.ID, User: b, Role: rbac.Member})
	must(err)
	return u, account.Holder(a), tenancy.Actor{User: a, Team: team.ID}, tenancy.Actor{User: b, Team: team.ID}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func ExampleService_DefineRole() {
	ctx := context.Background()
	u, holder, alice, bob := office(ctx)
	auditor, err := u.Tenancy.DefineRole(ctx, holder, tenancy.RoleSpec{
		Name: "Auditor", Base: rbac.Restricted, Permissions: []string{"audit: read", "report: read"},
	})
	must(err)
	_, err = u.Tenancy.GiveRole(ctx, alice, bob.User, auditor.ID)
	must(err)

	fmt.Println(u.Check(ctx, bob, rbac.ReadAudit))
	fmt.Println(u.Check(ctx, bob, rbac.SendMessage))
	// Output:
	// <nil>
	// denied: restricted as "Auditor" has "message: send" only in a conversation that was granted to them
}

func ExampleService_SetSeats() {
	ctx := context.Background()
	u, holder, alice, _ := office(ctx)
	_, err := u.Tenancy.SetSeats(ctx, "billing", holder.Account, tenancy.Seats{Rule: tenancy.HardSeats, Limit: 2})
	must(err)
	carol, err := u.Tenancy.Register(ctx, "sign-up", tenancy.Profile{Email: "carol@acme.example", Verified: true})
	must(err)

	_, err = u.Tenancy.Admit(ctx, "seed", tenancy.Admission{Team: alice.Team, User: carol.ID, Role: rbac.Member})
	fmt.Println(err)
	_, err = u.Tenancy.Admit(ctx, "seed", tenancy.Admission{Team: alice.Team, User: carol.ID, Role: rbac.Restricted})
	fmt.Println(err) // a guest takes no seat
	// Output:
	// limit exceeded: the account has 2 seats and would need 3
	// <nil>
}

func ExampleService_Explain() {
	ctx := context.Background()
	u, _, alice, bob := office(ctx)
	_, err := u.Tenancy.Suspend(ctx, alice, bob.User)
	must(err)
	why, err := u.Tenancy.Explain(ctx, bob, rbac.SendMessage, rbac.ByTeam)
	must(err)
	fmt.Print(why)
	// Output:
	// refused: denied: the user or the membership is not active
	// membership: member, suspended
	// user: active
	// team: active
	// account: active
}

func ExampleService_DeleteUser() {
	ctx := context.Background()
	u, holder, alice, bob := office(ctx)
	err := u.Tenancy.DeleteUser(ctx, "erasure", alice.User, tenancy.UserID{})
	fmt.Println(errors.Is(err, tenancy.ErrConflict), err)

	must(u.Tenancy.DeleteUser(ctx, "erasure", alice.User, bob.User))
	account, err := u.Tenancy.Account(ctx, tenancy.Holder{User: bob.User, Account: holder.Account})
	must(err)
	gone, err := u.Tenancy.User(ctx, alice.User)
	must(err)
	fmt.Println(account.HeldBy == bob.User, u.Check(ctx, bob, rbac.ChangeRole), gone.Name)
	// Output:
	// true conflict: the user is the last manager of 1 teams and holds 1 accounts, which somebody else must take first
	// true <nil> Deleted user
}
