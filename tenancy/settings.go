package tenancy

import (
	"slices"
	"time"
)

// Settings are what a team's managers decide about it. The zero value is what every team
// starts with, and the safe one.
type Settings struct {
	// TimeZone is the IANA name of the zone of the working hours, such as Europe/Berlin. Empty
	// means UTC.
	TimeZone string `json:"time_zone,omitempty"`
	// Hours are the working hours by weekday, Sunday first as in [time.Weekday].
	Hours [7]Hours `json:"hours"`
	// Statuses are the team's own outcome statuses, beside the built-in ones, in their order.
	Statuses []OutcomeStatus `json:"statuses,omitempty"`
	// DeliverTo are the teams that conversations may be delivered to. Nil means all active teams
	// of the account, empty means none.
	DeliverTo []TeamID `json:"deliver_to"`
	// AutoClose closes conversations that are answered once nothing has happened in them for so
	// long; zero never does.
	AutoClose time.Duration `json:"auto_close,omitempty"`
	// History is how much of a conversation its guests see; empty means all of it.
	History HistoryPolicy `json:"history,omitempty"`
	// ActiveApplication says which of a contact's applications is the active one: the one that a
	// delivery is about where it names none.
	ActiveApplication ApplicationPolicy `json:"active_application,omitempty"`
	// Capacity is how many open conversations one member may have in hand at once, assigned or
	// claimed, when another is given to them: 1 to [MaxCapacity], or 0 for any number.
	Capacity int `json:"capacity,omitempty"`
	// AutoAssign gives each conversation that a contact begins, or opens again, to a member by itself;
	// empty leaves it with the team.
	AutoAssign Rotation `json:"auto_assign,omitempty"`
	// OptOutText is what the first message to an address carries below its text, so that the contact
	// knows how to opt out. Empty means the library's own, in English.
	OptOutText string `json:"opt_out_text,omitempty"`
	// KeepInvitations leaves pending invitations as they are when their sender leaves the team,
	// is removed or suspended; otherwise they are revoked.
	KeepInvitations bool `json:"keep_invitations,omitempty"`
	// JoinDomains are the domains whose people can ask to join the team: a user who is verified for an
	// address of one of them, and who finds the team in [Service.JoinableTeams]. None means nobody. A domain is itself and not those below it; the
	// domains of public mail services are refused, since anybody has an address there.
	JoinDomains []string `json:"join_domains,omitempty"`
	// TrustInviters lets an invitation be accepted whatever has become of its sender's rights
	// since; otherwise they are checked again.
	TrustInviters bool `json:"trust_inviters,omitempty"`
	// InviteDomains are the only domains whose addresses can be invited to the team and to its
	// conversations, in the form of [ParseDomain]; none means all. A domain is itself and not those
	// below it. Who is in the team already stays.
	InviteDomains []string `json:"invite_domains,omitempty"`
	// Terms is the version of the terms that whoever accepts an invitation to the team, or to one of
	// its conversations, has to agree to, such as "2026-01"; empty means none. Who is in the team
	// already is not asked.
	Terms string `json:"terms,omitempty"`
}

// Hours are working hours of one day, in minutes since midnight of the team's time zone: From
// is in, To is out. A day with both 0 is free.
type Hours struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// HistoryPolicy says from where on guests see a conversation. It holds for those who come in while
// it is set.
type HistoryPolicy string

// The policies.
const (
	HistoryAll            HistoryPolicy = ""           // from the first message
	HistoryFromInvitation HistoryPolicy = "invitation" // from what was written since they were invited
	HistoryFromNow        HistoryPolicy = "now"        // from what is written once they have accepted
)

// histories are the policies, from the one that shows most to the one that shows least.
var histories = []HistoryPolicy{HistoryAll, HistoryFromInvitation, HistoryFromNow}

// Known reports whether there is such a policy.
func (p HistoryPolicy) Known() bool { return slices.Contains(histories, p) }

// Narrower is the one of two policies that shows less.
func (p HistoryPolicy) Narrower(other HistoryPolicy) HistoryPolicy {
	return histories[max(slices.Index(histories, p), slices.Index(histories, other), 0)]
}

// ApplicationPolicy says which of a contact's applications is the active one.
type ApplicationPolicy string

// The policies.
const (
	KeepFirstApplication ApplicationPolicy = ""       // the one that was there first
	LatestApplication    ApplicationPolicy = "latest" // the one that was made last
)

// Known reports whether there is such a policy.
func (p ApplicationPolicy) Known() bool { return p == KeepFirstApplication || p == LatestApplication }

// Rotation is how it is chosen who is given a conversation.
type Rotation string

// The rotations.
const (
	// RoundRobin gives to whoever has had no turn for longest.
	RoundRobin Rotation = "round-robin"
	// LeastLoaded gives to whoever has the fewest open conversations in hand, and among several of
	// them in turn.
	LeastLoaded Rotation = "least-loaded"
)

// Known reports whether it is one of the rotations.
func (r Rotation) Known() bool { return r == RoundRobin || r == LeastLoaded }

// OutcomeStatus is an outcome that a team has made for itself.
type OutcomeStatus struct {
	Label string `json:"label"`
	// Category is positive, neutral or negative.
	Category OutcomeCategory `json:"category"`
}

// OutcomeCategory says which way an outcome went.
type OutcomeCategory string

// The categories.
const (
	Positive OutcomeCategory = "positive"
	Neutral  OutcomeCategory = "neutral"
	Negative OutcomeCategory = "negative"
)

// Status finds one of the team's own outcome statuses by its label, compared as names are: without
// regard to case, width and spacing.
func (s Settings) Status(label string) (OutcomeStatus, bool) {
	_, asked, err := keyedName("status", label)
	if err != nil {
		return OutcomeStatus{}, false
	}
	for _, status := range s.Statuses {
		if nameKey(status.Label) == asked {
			return status, true
		}
	}
	return OutcomeStatus{}, false
}

// Location is the team's time zone. It is UTC where the zone's name is unknown on this machine.
func (s Settings) Location() *time.Location {
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Working reports whether the time is within the team's working hours.
func (s Settings) Working(at time.Time) bool {
	local := at.In(s.Location())
	hours, minute := s.Hours[local.Weekday()], local.Hour()*60+local.Minute()
	return hours.From <= minute && minute < hours.To
}
