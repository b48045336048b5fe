package tenancy

import "time"

// AccountService is something that an account has booked and pays for, under a key that the
// host chose: usher keeps it and tells of its changes, and reads no meaning into it.
type AccountService struct {
	Key      string    `json:"key"`
	Quantity int       `json:"quantity"`
	AddedAt  time.Time `json:"added_at"`
	// AddedBy is the principal who added it.
	AddedBy string `json:"added_by"`
}
