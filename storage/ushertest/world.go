package ushertest

import (
	"testing"
	"time"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// System is the principal of what the world does by itself.
const System = tenancy.System("ushertest")

// World is usher with people in it. It is built in one expression, by the operations that a
// server calls:
//
//	w := ushertest.NewWorld(t).
//		Account("acme").
//		Team("sales", ushertest.Manager("alice"), ushertest.Manager("bob").Suspended()).
//		Team("support", ushertest.Member("dave"), ushertest.Invited("carol", rbac.Member).Expired())
//
// The methods that build and look end the test when something goes wrong. Those that assert,
// such as [World.Allowed], let it fail and go on.
type World struct {
	*usher.Usher
	// Store is what the world lives on.
	Store storage.Store
	// Clock stands at 2030-01-02 03:04:05 UTC until it is moved.
	Clock *Clock
	// Mail has what was mailed; see [World.Post]. It stays empty in a world whose options
	// name another mailer.
	Mail *invite.Captured
	// Sent has what was sent to contacts; see [World.Post]. It stays empty in a world whose options
	// name another sender, or none, as usher.WithSender(nil) does.
	Sent *conversation.Captured

	t        testing.TB
	account  tenancy.Account // the one that was made last
	team     tenancy.Team    // the one that was made last
	accounts []tenancy.Account
	teams    map[string]tenancy.Team
	users    map[string]tenancy.User
	roles    map[string]tenancy.CustomRole // of that account
	inbound  int
}

// NewWorld makes an empty world on a new in-memory store.
//
// Its ids are made of its clock and a count, so they are the same in every run of a test that
// does the same things in the same order, and can stand in golden files. Two worlds have the
// same ids. What stays random are the tokens in mail, which are secrets.
func NewWorld(t testing.TB, options ...usher.Option) *World {
	t.Helper()
	return NewWorldOn(t, memory.New(), options...)
}

// NewWorldOn makes an empty world on the store given, which must be empty and migrated. For a
// second world on one store, whose ids must be others, the option is usher.WithIDs(uuid.New).
func NewWorldOn(t testing.TB, store storage.Store, options ...usher.Option) *World {
	t.Helper()
	clock := &Clock{now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	w := &World{
		Store: store,
		Clock: clock,
		Mail:  new(invite.Captured),
		Sent:  new(conversation.Captured),
		t:     t,
		teams: map[string]tenancy.Team{},
		users: map[string]tenancy.User{},
	}
	options = append([]usher.Option{
		usher.WithClock(clock.Now),
		usher.WithIDs((&ids{clock: clock}).next),
		usher.WithMailer(w.Mail),
		usher.WithSender(w.Sent),
		usher.WithInviteURL("https://app.example/join"),
	}, options...)
	var err error
	w.Usher, err = usher.New(store, options...)
	w.must(err)
	return w
}

func (w *World) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("ushertest: %v", err)
	}
}

// Account makes an account, to which what follows belongs. Its holder is the user
// "<name>-holder", who is also the first manager of each team.
func (w *World) Account(name string) *World {
	w.t.Helper()
	account, err := w.Tenancy.CreateAccount(w.t.Context(), w.User(name+"-holder").ID, name)
	w.must(err)
	w.account, w.accounts = account, append(w.accounts, account)
	w.roles = map[string]tenancy.CustomRole{}
	return w
}

// Seats gives the account that was made last so many seats and no more; see
// [tenancy.HardSeats]. Its holder takes one with the first team.
func (w *World) Seats(limit int) *World {
	w.t.Helper()
	_, err := w.Tenancy.SetSeats(w.t.Context(), System, w.account.ID, tenancy.Seats{Rule: tenancy.HardSeats, Limit: limit})
	w.must(err)
	return w
}

// Role makes a custom role in the account that was made last, for people to come in [Person.As]:
// what the base may do, and in the whole team the permissions.
func (w *World) Role(name string, base rbac.Role, perms ...rbac.Permission) *World {
	w.t.Helper()
	spec := tenancy.RoleSpec{Name: name, Base: base}
	for _, perm := range perms {
		spec.Permissions = append(spec.Permissions, w.Policy.Name(perm))
	}
	role, err := w.Tenancy.DefineRole(w.t.Context(), w.holder(), spec)
	w.must(err)
	w.roles[name] = role
	return w
}

// SuspendAccount suspends the account that was made last.
func (w *World) SuspendAccount() *World {
	w.t.Helper()
	_, err := w.Tenancy.SuspendAccount(w.t.Context(), System, w.account.ID)
	w.must(err)
	return w
}

// Team makes a team with people in it, in the account that was made last. Its identity is
// the chat handle "<team>.<account>".
//
// Where somebody is Expired, they come in first; then the clock moves on by an hour, and then
// the others come.
func (w *World) Team(name string, people ...Somebody) *World {
	w.t.Helper()
	team, err := w.Tenancy.CreateTeam(w.t.Context(), w.holder(), tenancy.TeamSpec{
		Name: name, Identity: tenancy.Chat(handle(name) + "." + handle(w.account.Name)),
	})
	w.must(err)
	w.team, w.teams[name] = team, team
	var others []Somebody
	for _, one := range people {
		if one.lapsed() {
			one.comeInto(w)
		} else {
			others = append(others, one)
		}
	}
	if len(others) < len(people) {
		w.Clock.Advance(anHour)
	}
	for _, one := range others {
		one.comeInto(w)
	}
	return w
}

// ArchiveTeam archives the team that was made last, and closes its conversations.
func (w *World) ArchiveTeam() *World {
	w.t.Helper()
	_, err := w.Tenancy.Archive(w.t.Context(), w.boss(), tenancy.Leftovers{Close: true})
	w.must(err)
	return w
}

// holder holds the account that was made last.
func (w *World) holder() tenancy.Holder {
	w.t.Helper()
	if w.account.ID.IsZero() {
		w.t.Fatalf("ushertest: make an account first")
	}
	return w.account.Holder(w.account.HeldBy)
}

// boss may do everything in the team that was made last.
func (w *World) boss() tenancy.Actor { return tenancy.Actor{User: w.account.HeldBy, Team: w.team.ID} }
