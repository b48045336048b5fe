package tenancy

// Principal is on whose behalf an operation runs. There are four, each its own type: an
// [Actor] in a team, a [Holder] of an account, a [UserID] for acts on oneself, and a named
// [System]. They are plain values, built without loading anything; authority is checked in
// each operation, every time.
type Principal interface {
	// Principal is the form written to events: "user:<id>" or "system:<name>".
	Principal() string
}

// Actor is a user acting in a team. Every operation on a team's things takes one: the team
// that a user last switched to is a preference, never an authority.
type Actor struct {
	User UserID
	Team TeamID
}

// Principal implements [Principal].
func (a Actor) Principal() string { return Self(a.User).Principal() }

// actorsIn are users in one team.
func actorsIn(team TeamID, users ...UserID) []Actor {
	var who []Actor
	for _, user := range users {
		who = append(who, Actor{User: user, Team: team})
	}
	return who
}

// Holder is a user acting as the holder of an account.
type Holder struct {
	User    UserID
	Account AccountID
}

// Principal implements [Principal].
func (h Holder) Principal() string { return Self(h.User).Principal() }

// Self is a user acting for themselves: operations on oneself take the plain [UserID], and
// write it to their events in this form.
type Self UserID

// Principal implements [Principal].
func (s Self) Principal() string { return "user:" + UserID(s).String() }

// System is the host, or a part of it, acting on its own authority: signing users up,
// receiving messages, sweeping. Its name shows in the audit log.
type System string

// MaxSystemName is the longest name of a [System], in bytes.
const MaxSystemName = 60

// Principal implements [Principal].
func (s System) Principal() string { return "system:" + string(s) }

// Validate refuses names that could be taken for something else in a log: the error is
// [ErrNoPrincipal] or an [*InvalidError].
func (s System) Validate() error {
	if s == "" {
		return ErrNoPrincipal
	}
	if len(s) > MaxSystemName {
		return &InvalidError{Field: "system", Reason: "must have at most 60 bytes"}
	}
	if !printable(string(s)) {
		return &InvalidError{Field: "system", Reason: "must be printable ASCII without spaces, such as sign-up"}
	}
	return nil
}

// printable reports whether the text is ASCII that prints, without spaces.
func printable(text string) bool {
	for _, r := range text {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return true
}
