package invite

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Limits bound how many mails can be asked for. Each counts at the time of the call, and an
// invitation whose time has passed counts nowhere. Zero is the default.
//
// The address is counted over the teams of one account and no further, so that nobody learns
// whether another account invited it. Its account is not locked for that, since a delivery has
// locked the team by then: invitations that are made in the same instant by several teams do not
// see each other and can exceed it, by one for each team. The other limits are exact.
type Limits struct {
	// PerTeam is how many invitations can be pending in a team; [DefaultPerTeam].
	PerTeam int
	// PerInviter is how many of those one user can have sent; [DefaultPerInviter].
	PerInviter int
	// PerAddress is how many invitations from the teams of an account, offers of it included, can be
	// pending for one address; [DefaultPerAddress]. One that is revoked counts until an hour after
	// it was created, so that taking it back and making it anew does not go round this.
	PerAddress int
	// ResendsPerHour is how often one invitation can be sent again in the hour that begins with
	// the first time; [DefaultResendsPerHour].
	ResendsPerHour int
	// PerBulk is how many rows [Service.Bulk] takes; [DefaultPerBulk]. [ParseBulk] reads no more than
	// [MaxBulkRows].
	PerBulk int
	// RequestsPerTeam is how many requests to join a team can be pending; [DefaultRequestsPerTeam].
	RequestsPerTeam int
	// RequestsPerDay is how many requests a user can make in 24 hours, to whatever team and whatever
	// became of them; [DefaultRequestsPerDay].
	RequestsPerDay int
}

// The limits where nothing is said.
const (
	DefaultPerTeam         = 1000
	DefaultPerInviter      = 200
	DefaultPerAddress      = 20
	DefaultResendsPerHour  = 5
	DefaultPerBulk         = 200
	DefaultRequestsPerTeam = 200
	DefaultRequestsPerDay  = 10
)

// orDefault replaces what is zero by the default. The error is a [*tenancy.InvalidError].
func (l Limits) orDefault() (Limits, error) {
	for _, one := range []struct {
		is        *int
		otherwise int
	}{
		{&l.PerTeam, DefaultPerTeam},
		{&l.PerInviter, DefaultPerInviter},
		{&l.PerAddress, DefaultPerAddress},
		{&l.ResendsPerHour, DefaultResendsPerHour},
		{&l.PerBulk, DefaultPerBulk},
		{&l.RequestsPerTeam, DefaultRequestsPerTeam},
		{&l.RequestsPerDay, DefaultRequestsPerDay},
	} {
		if *one.is < 0 {
			return Limits{}, &tenancy.InvalidError{Field: "limit of invitations", Reason: "must not be negative"}
		}
		if *one.is == 0 {
			*one.is = one.otherwise
		}
	}
	return l, nil
}

// Quota is which of the [Limits] is meant.
type Quota string

// The quotas.
const (
	TeamQuota    Quota = "pending invitations in a team"
	InviterQuota Quota = "pending invitations from one inviter in a team"
	AddressQuota Quota = "pending invitations to one address"
	ResendQuota  Quota = "resends of an invitation in an hour"
	BulkQuota    Quota = "rows of a bulk invitation"
	AskedQuota   Quota = "pending requests to join a team"
	AskingQuota  Quota = "requests to join from one user in a day"
)

// LimitError says that one of the [Limits] would be exceeded. It is [tenancy.ErrLimit].
type LimitError struct {
	Quota Quota
	Limit int
	// Until is when the next one stops counting, if nothing else ends it before; zero for the rows of
	// a bulk invitation, which waiting makes no fewer.
	Until time.Time
}

func (e *LimitError) Error() string {
	if e.Until.IsZero() {
		return fmt.Sprintf("limit exceeded: at most %d %s", e.Limit, e.Quota)
	}
	return fmt.Sprintf("limit exceeded: at most %d %s; the next place is free at %s at the latest",
		e.Limit, e.Quota, e.Until.Format(time.RFC3339))
}

// Is makes errors.Is(err, tenancy.ErrLimit) true.
func (e *LimitError) Is(target error) bool { return target == tenancy.ErrLimit }

// room answers a [*LimitError] if the invitation, which is not pending yet, would be one too many. An offer
// is of no team, and a link to no address.
func (s *Service) room(ctx context.Context, inv Invitation, now time.Time) error {
	var load Load
	if !inv.Team.IsZero() {
		loads, err := s.loads(ctx, now, inv.Inviter, inv.Team)
		if err != nil {
			return err
		}
		load = loads[inv.Team]
	}
	var to others
	if !inv.Email.IsZero() {
		var err error
		if to, err = s.othersTo(ctx, inv.Account, now, inv.Email.Normal); err != nil {
			return err
		}
	}
	return s.limits.room(load, to.load(now))
}

// loads are what new invitations from the inviter would come on top of, by the team.
func (s *Service) loads(ctx context.Context, now time.Time, inviter tenancy.UserID, teams ...tenancy.TeamID) (map[tenancy.TeamID]Load, error) {
	found, err := s.store.InvitationLoads(ctx, inviter, now, teams...)
	loads := map[tenancy.TeamID]Load{}
	for _, l := range found {
		loads[l.In] = l.Load
	}
	return loads, err
}

// room is that for one more.
func (l Limits) room(load Load, address Tally) error {
	return within(
		quota{TeamQuota, load.Team, l.PerTeam, 1},
		quota{InviterQuota, load.Inviter, l.PerInviter, 1},
		quota{AddressQuota, address, l.PerAddress, 1},
	)
}

// without is the load when a pending invitation in the team has ended, for the inviter of the next. When
// the first of the others stops counting is not known then: it is left as it was.
func (l Load) without(r Record, inviter tenancy.UserID) Load {
	l.Team.N--
	if r.Inviter == inviter {
		l.Inviter.N--
	}
	return l
}

// countsUntil says whether an invitation counts for the limit of its address, and how long: while it is
// pending, and when it was revoked until an hour after it was created. A request does not.
func (r Record) countsUntil(now time.Time) (until time.Time, counts bool) {
	again := r.CreatedAt.Add(time.Hour)
	switch {
	case r.Kind == ByRequest:
		return time.Time{}, false
	case r.State == Revoked:
		return again, now.Before(again)
	}
	return r.ExpiresAt, r.StateAt(now) == Pending
}

// with is one more, which counts until the time given.
func (t Tally) with(until time.Time) Tally {
	t.N++
	if t.Until.IsZero() || until.Before(t.Until) {
		t.Until = until
	}
	return t
}

// roomToAsk is room for a request to join.
func (s *Service) roomToAsk(ctx context.Context, inv Invitation, now time.Time) error {
	load, err := s.store.RequestLoad(ctx, inv, now)
	if err != nil {
		return err
	}
	return within(
		quota{AskedQuota, load.Team, s.limits.RequestsPerTeam, 1},
		quota{AskingQuota, load.Inviter, s.limits.RequestsPerDay, 1},
	)
}

// quota is what counts for one of the limits.
type quota struct {
	of     Quota
	counts Tally
	limit  int
	more   int
}

// within answers a [*LimitError] if so many more would be too many for one of the quotas.
func within(quotas ...quota) error {
	for _, q := range quotas {
		if q.counts.N+q.more > q.limit {
			return &LimitError{Quota: q.of, Limit: q.limit, Until: q.counts.Until}
		}
	}
	return nil
}

// resent notes one more resend, or answers a [*LimitError].
func (l Limits) resent(r Record, now time.Time) (Record, error) {
	if ends := r.ResendsFrom.Add(time.Hour); !now.Before(ends) {
		r.Resends, r.ResendsFrom = 0, now
	} else if r.Resends >= l.ResendsPerHour {
		return Record{}, &LimitError{Quota: ResendQuota, Limit: l.ResendsPerHour, Until: ends}
	}
	r.Resends++
	return r, nil
}
