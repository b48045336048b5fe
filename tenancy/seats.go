package tenancy

// Seats is how many people an account may have, and what happens beyond that.
//
// A seat is taken by each user who is more than a guest in any of the account's active teams:
// an active, unexpired membership as Manager, Member or in a custom role. Somebody in several
// teams takes one. Guests take none.
type Seats struct {
	Rule SeatRule
	// Limit is how many seats there are where the Rule is not [Unlimited]; 0 is a limit.
	Limit int
	// CountPending says that the address of each pending invitation into an active team takes a
	// seat, unless it invites a guest or somebody who has one.
	CountPending bool
}

// SeatRule says what happens when an account has more people than seats.
type SeatRule string

// The rules.
const (
	// Unlimited is the rule of an account for which none was set.
	Unlimited SeatRule = ""
	// WarnSeats lets everybody in, and writes an [AccountSeatsExceeded] event with whoever is
	// one too many.
	WarnSeats SeatRule = "warn"
	// HardSeats refuses whoever would be one too many, with a [*SeatsError].
	HardSeats SeatRule = "hard"
)

// SeatQuery asks a store how many seats of an account are taken at a time.
type SeatQuery struct {
	// But and ButEmail are the user and the address that are not counted: those of whoever is
	// to take a seat. Both may be zero.
	But      UserID
	ButEmail string
	// Pending says that pending invitations count.
	Pending bool
}
