package storagetest

import (
	"context"
	"time"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func users() kind[tenancy.User] {
	return kind[tenancy.User]{
		name: "user", methods: []string{"InsertUser", "UpdateUser", "User", "LockUser"},
		fresh:  func(w *world) tenancy.User { u := w.aUser(); u.ActiveTeam = w.team().ID; return u },
		insert: storage.Store.InsertUser, update: storage.Store.UpdateUser,
		lock: func(s storage.Store, ctx context.Context, u tenancy.User) (tenancy.User, error) {
			return s.LockUser(ctx, u.ID)
		},
		get: func(s storage.Store, ctx context.Context, u tenancy.User) (tenancy.User, error) {
			return s.User(ctx, u.ID)
		},
		version: func(u *tenancy.User) *int64 { return &u.Version },
		stray: func(w *world, u tenancy.User) tenancy.User {
			stray := w.aUser()
			stray.Name = u.Name
			return stray
		},
		rival: func(w *world, u tenancy.User) tenancy.User {
			rival := w.aUser()
			rival.ID = u.ID
			return rival
		},
		changes: []change[tenancy.User]{
			{"the name", func(w *world, u *tenancy.User) { u.Name = "Anna Łukasz 李" }},
			{"the status", func(w *world, u *tenancy.User) { u.Status = tenancy.UserSuspended }},
			{"the address", func(w *world, u *tenancy.User) {
				u.Email = tenancy.Address{Display: "New@Acme.example", Normal: "new@acme.example"}
			}},
			{"the verification", func(w *world, u *tenancy.User) { u.VerifiedAt = w.now() }},
			{"the active team", func(w *world, u *tenancy.User) { u.ActiveTeam = w.team().ID }},
			{"to no active team", func(w *world, u *tenancy.User) { u.ActiveTeam = tenancy.TeamID{} }},
			{"autoclaim", func(_ *world, u *tenancy.User) { u.Autoclaim = false }},
			{"the external id", func(w *world, u *tenancy.User) { u.ExternalID = "auth0|another" }},
			{"to what deletion leaves", func(w *world, u *tenancy.User) {
				u.ExternalID, u.Email, u.VerifiedAt, u.Name = "", tenancy.Address{}, time.Time{}, ""
				u.Status = tenancy.UserDeleted
			}},
		},
		times: []timeField[tenancy.User]{
			{"CreatedAt", false, func(u *tenancy.User) *time.Time { return &u.CreatedAt }},
			{"VerifiedAt", true, func(u *tenancy.User) *time.Time { return &u.VerifiedAt }},
		},
		enums: []enumField[tenancy.User]{
			{"Status", "active", func(u *tenancy.User, v string) { u.Status = tenancy.UserStatus(v) }, nil},
		},
	}
}

func userCases() []testCase {
	return append(users().cases(),
		testCase{
			name: "user external ids are unique unless empty", rule: ruleExternalID,
			covers: []string{"InsertUser", "UpdateUser", "UserByExternalID"}, run: externalIDCase,
		},
		testCase{
			name: "user addresses are unique among the verified", rule: ruleVerified,
			covers: []string{"InsertUser", "UpdateUser", "UserByEmail"}, run: verifiedCase,
		},
		testCase{
			name: "user look-ups by text inside a transaction", rule: ruleReads,
			covers: []string{"UserByExternalID", "UserByEmail"}, run: userLookupsCase,
		},
	)
}

func externalIDCase(w *world) {
	a, b := w.user(), w.user()
	answers(w, a, "UserByExternalID")(w.store.UserByExternalID(w.ctx, a.ExternalID))
	answers(w, b, "UserByExternalID")(w.store.UserByExternalID(w.ctx, b.ExternalID))
	nothing[tenancy.User](w, "UserByExternalID of an id that nobody has")(w.store.UserByExternalID(w.ctx, "auth0|nobody"))

	rival := w.aUser()
	rival.ExternalID = a.ExternalID
	w.is(insertUser(w, rival), tenancy.ErrDuplicate, "InsertUser with an external id that is taken")
	nothing[tenancy.User](w, "User after a refused insert")(w.store.User(w.ctx, rival.ID))
	rival = b
	rival.ExternalID = a.ExternalID
	w.is(updateUser(w, rival), tenancy.ErrDuplicate, "UpdateUser to an external id that is taken")
	answers(w, b, "User after a refused update")(w.store.User(w.ctx, b.ID))

	// Users whom the host keeps by id have no external id, and are not each other.
	for range 2 {
		local := w.aUser()
		local.ExternalID = ""
		w.must(insertUser(w, local), "InsertUser without an external id")
		answers(w, local, "User without an external id")(w.store.User(w.ctx, local.ID))
	}
	nothing[tenancy.User](w, "UserByExternalID of the empty id")(w.store.UserByExternalID(w.ctx, ""))

	// An id that was given up is free.
	a.ExternalID = ""
	w.must(updateUser(w, a), "UpdateUser that gives the external id up")
	nothing[tenancy.User](w, "UserByExternalID of an id that was given up")(w.store.UserByExternalID(w.ctx, rival.ExternalID))
	b.ExternalID = rival.ExternalID
	w.must(updateUser(w, b), "UpdateUser to an external id that was given up")
	b.Version++
	answers(w, b, "UserByExternalID of an id with a new owner")(w.store.UserByExternalID(w.ctx, b.ExternalID))
}

func verifiedCase(w *world) {
	a := w.user()
	answers(w, a, "UserByEmail")(w.store.UserByEmail(w.ctx, a.Email.Normal))
	nothing[tenancy.User](w, "UserByEmail of the display form")(w.store.UserByEmail(w.ctx, a.Email.Display))

	// An address that nobody has proven to own finds nobody, whoever wrote it down.
	claimed := w.aUser()
	claimed.VerifiedAt = time.Time{}
	w.must(insertUser(w, claimed), "InsertUser without a verification")
	nothing[tenancy.User](w, "UserByEmail of an address that nobody is verified for")(w.store.UserByEmail(w.ctx, claimed.Email.Normal))
	squatter := w.aUser()
	squatter.Email, squatter.VerifiedAt = a.Email, time.Time{}
	w.must(insertUser(w, squatter), "InsertUser without a verification, with the address of a verified user")
	answers(w, a, "UserByEmail of an address that a second user claims")(w.store.UserByEmail(w.ctx, a.Email.Normal))

	// Only one can prove it.
	rival := w.aUser()
	rival.Email = a.Email
	w.is(insertUser(w, rival), tenancy.ErrDuplicate, "InsertUser verified for another verified user's address")
	squatter.VerifiedAt = w.now()
	w.is(updateUser(w, squatter), tenancy.ErrDuplicate, "UpdateUser that verifies another verified user's address")
	squatter.VerifiedAt = time.Time{}
	answers(w, squatter, "User after a refused update")(w.store.User(w.ctx, squatter.ID))

	// When the owner gives it up, the claim can be proven.
	a.VerifiedAt = time.Time{}
	w.must(updateUser(w, a), "UpdateUser that takes the verification back")
	nothing[tenancy.User](w, "UserByEmail of an address that nobody is verified for any more")(w.store.UserByEmail(w.ctx, a.Email.Normal))
	squatter.VerifiedAt = w.now()
	w.must(updateUser(w, squatter), "UpdateUser that verifies a free address")
	squatter.Version++
	answers(w, squatter, "UserByEmail of an address with a new owner")(w.store.UserByEmail(w.ctx, squatter.Email.Normal))
}

func userLookupsCase(w *world) {
	u := w.aUser()
	w.discard("a transaction that registers a user", func(ctx context.Context) error {
		if err := w.store.InsertUser(ctx, u); err != nil {
			return err
		}
		answers(w, u, "UserByExternalID inside")(w.store.UserByExternalID(ctx, u.ExternalID))
		answers(w, u, "UserByEmail inside")(w.store.UserByEmail(ctx, u.Email.Normal))
		return nil
	})
	nothing[tenancy.User](w, "UserByExternalID after the rollback")(w.store.UserByExternalID(w.ctx, u.ExternalID))
	nothing[tenancy.User](w, "UserByEmail after the rollback")(w.store.UserByEmail(w.ctx, u.Email.Normal))
	w.must(insertUser(w, u), "InsertUser with keys that were rolled back")
}

func insertUser(w *world, u tenancy.User) error { return users().put(w, u) }
func updateUser(w *world, u tenancy.User) error { return users().write(w, u) }
