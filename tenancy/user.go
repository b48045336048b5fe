package tenancy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// User is a person with one e-mail address, who may be in many teams of many accounts.
type User struct {
	ID UserID
	// ExternalID is the host's own name for the user, such as the subject of a token.
	// It is unique among users, and empty for a user whom the host keeps by ID.
	ExternalID string
	Email      Address
	// VerifiedAt is when the host vouched that the user owns the address; zero means never.
	// Only one user can be verified for an address.
	VerifiedAt time.Time
	Name       string
	Status     UserStatus
	// ActiveTeam is the team last switched to: a preference, never an authority.
	ActiveTeam TeamID
	// Autoclaim says that the user claims a conversation by writing to its contact.
	Autoclaim bool
	CreatedAt time.Time
	Version   int64
}

// Verified reports whether the user has proven to own the address.
func (u User) Verified() bool { return !u.VerifiedAt.IsZero() }

// UserStatus says whether a user may act.
type UserStatus string

// The states of a user.
const (
	UserActive    UserStatus = "active"
	UserSuspended UserStatus = "suspended"
	UserDeleted   UserStatus = "deleted"
)

// Profile is what the host knows of a user when it registers them.
type Profile struct {
	ExternalID string
	Email      string
	// Verified is the host's word that the user owns the address. Nothing but an explicit
	// true counts.
	Verified bool
	Name     string
}

// MaxExternalID is the longest external id, in bytes.
const MaxExternalID = 255

// Register takes note of a user whom the host has authenticated. With an ExternalID it is an
// upsert on it: the first call makes the user, a later one brings name and address up to
// date, and one that changes nothing writes nothing. Without one each call makes a user.
//
// A new address is verified only if this profile says so. An address that was verified stays
// so until it changes: a sign-in that carries no word about it takes nothing away. Two users
// are never joined for having the same address, since that is how accounts get stolen; a
// verified address of another user is [ErrEmailTaken]. Without a name the address stands in.
//
// Errors: [*InvalidError], [ErrEmailTaken].
func (s *Service) Register(ctx context.Context, by System, p Profile) (User, error) {
	if err := by.Validate(); err != nil {
		return User{}, err
	}
	facts, err := p.parse()
	if err != nil {
		return User{}, err
	}
	return Do(ctx, s.store, s.env, by, "Register", []any{facts}, func(ctx context.Context) (User, error) {
		known, err := s.registered(ctx, facts.ExternalID)
		if errors.Is(err, ErrNotFound) {
			user, err := s.insertUser(ctx, by, facts)
			if !errors.Is(err, ErrEmailTaken) {
				return user, err
			}
			// Taken since the first look, perhaps by the same user's other sign-in.
			if known, err = s.registered(ctx, facts.ExternalID); errors.Is(err, ErrNotFound) {
				return User{}, ErrEmailTaken
			}
			if err != nil {
				return User{}, err
			}
		} else if err != nil {
			return User{}, err
		}
		return s.refreshUser(ctx, by, known, facts)
	})
}

// person is a profile that has been checked.
type person struct {
	ExternalID string
	Email      Address
	Verified   bool
	Name       string
}

func (p Profile) parse() (person, error) {
	if err := ValidExternalID(p.ExternalID); err != nil {
		return person{}, err
	}
	email, err := ParseAddress(p.Email)
	if err != nil {
		return person{}, err
	}
	name := p.Name
	if name == "" {
		runes := []rune(email.Display)
		name = string(runes[:min(len(runes), MaxName)])
	}
	name, err = Name("name", name)
	return person{ExternalID: p.ExternalID, Email: email, Verified: p.Verified, Name: name}, err
}

// ValidExternalID checks a name of the host's own for something: at most [MaxExternalID] bytes of UTF-8
// without spaces and control characters, or nothing. The error is an [*InvalidError].
func ValidExternalID(id string) error {
	if len(id) > MaxExternalID {
		return &InvalidError{Field: "external id", Reason: fmt.Sprintf("must have at most %d bytes", MaxExternalID)}
	}
	odd := func(r rune) bool { return unicode.Is(unicode.C, r) || unicode.IsSpace(r) }
	if !utf8.ValidString(id) || strings.ContainsFunc(id, odd) {
		return &InvalidError{Field: "external id", Reason: "must be UTF-8 without spaces and control characters"}
	}
	return nil
}

// registered finds and locks the user with the external id.
func (s *Service) registered(ctx context.Context, externalID string) (User, error) {
	if externalID == "" {
		return User{}, ErrNotFound
	}
	user, err := s.store.UserByExternalID(ctx, externalID)
	if err != nil {
		return User{}, err
	}
	return s.store.LockUser(ctx, user.ID)
}

func (s *Service) insertUser(ctx context.Context, by System, p person) (User, error) {
	now := s.env.Now()
	user := User{
		ID: NewID[UserID](s.env), ExternalID: p.ExternalID, Email: p.Email, Name: p.Name,
		Status: UserActive, CreatedAt: now, Version: 1,
	}
	if p.Verified {
		user.VerifiedAt = now
	}
	if err := s.addressIsFree(ctx, user); err != nil {
		return User{}, err
	}
	if err := s.store.InsertUser(ctx, user); err != nil {
		return User{}, err
	}
	return user, s.store.Append(ctx, s.env.Event(by, now, user.in(), UserRegistered, Facts{"user": user.ID.String()}))
}

// ChangeEmail gives a user another address, and says whether the host vouches that it is theirs:
// for a host that keeps users by id, and for a change between two sign-ins. What changes nothing
// writes nothing.
//
// Errors: [*InvalidError], [ErrNotFound] also for a deleted user, [ErrEmailTaken].
func (s *Service) ChangeEmail(ctx context.Context, by System, user UserID, email string, verified bool) (User, error) {
	if err := by.Validate(); err != nil {
		return User{}, err
	}
	address, err := ParseAddress(email)
	if err != nil {
		return User{}, err
	}
	request := []any{user, address, verified}
	return Do(ctx, s.store, s.env, by, "ChangeEmail", request, func(ctx context.Context) (User, error) {
		u, err := s.lockLiving(ctx, user)
		if err != nil {
			return User{}, err
		}
		now, fresh := s.env.Now(), u
		fresh.Email = address
		switch {
		case !verified:
			fresh.VerifiedAt = time.Time{}
		case !u.Verified() || u.Email.Normal != address.Normal:
			fresh.VerifiedAt = now
		}
		return s.updateUser(ctx, by, now, u, fresh)
	})
}

// lockLiving locks a user who is not deleted.
func (s *Service) lockLiving(ctx context.Context, user UserID) (User, error) {
	u, err := s.store.LockUser(ctx, user)
	if err == nil && u.Status == UserDeleted {
		err = ErrNotFound
	}
	return u, err
}

// refreshUser brings a user up to date with what the host says of them. The user is locked.
func (s *Service) refreshUser(ctx context.Context, by System, user User, p person) (User, error) {
	now, fresh := s.env.Now(), user
	fresh.Name, fresh.Email = p.Name, p.Email
	if p.Email.Normal != user.Email.Normal {
		fresh.VerifiedAt = time.Time{}
	}
	if p.Verified && !fresh.Verified() {
		fresh.VerifiedAt = now
	}
	return s.updateUser(ctx, by, now, user, fresh)
}

// updateUser writes what has changed of a user, and its event. The user is locked.
func (s *Service) updateUser(ctx context.Context, by Principal, at time.Time, old, user User) (User, error) {
	var changed []string
	if user.Name != old.Name {
		changed = append(changed, "name")
	}
	if user.Email != old.Email {
		changed = append(changed, "e-mail")
	}
	if user.VerifiedAt != old.VerifiedAt {
		changed = append(changed, "verified")
	}
	if user.Autoclaim != old.Autoclaim {
		changed = append(changed, "autoclaim")
	}
	if len(changed) == 0 {
		return user, nil
	}
	if user.Email != old.Email || user.VerifiedAt != old.VerifiedAt {
		if err := s.addressIsFree(ctx, user); err != nil {
			return User{}, err
		}
	}
	if err := s.store.UpdateUser(ctx, user); err != nil {
		return User{}, err
	}
	user.Version++
	return user, s.store.Append(ctx, s.env.Event(by, at, user.in(), UserUpdated,
		Facts{"user": user.ID.String(), "changed": strings.Join(changed, ",")}))
}

// addressIsFree refuses an address that another user is verified for. An unverified user
// may carry any address: it gives them nothing.
func (s *Service) addressIsFree(ctx context.Context, user User) error {
	if !user.Verified() {
		return nil
	}
	other, err := s.store.UserByEmail(ctx, user.Email.Normal)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && other.ID == user.ID:
		return nil
	case err != nil:
		return err
	}
	return ErrEmailTaken
}

// SetAutoclaim is the user's own choice whether they claim conversations by writing to their
// contacts, in all of their teams. Choosing the same again changes nothing.
//
// Errors: [ErrNoPrincipal], [ErrNotFound], [ErrInactive].
func (s *Service) SetAutoclaim(ctx context.Context, user UserID, on bool) (User, error) {
	return Do(ctx, s.store, s.env, Self(user), "SetAutoclaim", []any{on}, func(ctx context.Context) (User, error) {
		u, err := s.enterUser(ctx, user)
		if err != nil {
			return User{}, err
		}
		fresh := u
		fresh.Autoclaim = on
		return s.updateUser(ctx, Self(user), s.env.Now(), u, fresh)
	})
}

// User reads the user's own record.
func (s *Service) User(ctx context.Context, user UserID) (User, error) {
	if user.IsZero() {
		return User{}, ErrNoPrincipal
	}
	return s.store.User(ctx, user)
}

// activeUser refuses users who may not act at all.
func (s *Service) activeUser(ctx context.Context, user UserID) (User, error) {
	u, err := s.User(ctx, user)
	if err == nil && u.Status != UserActive {
		err = ErrInactive
	}
	return u, err
}
