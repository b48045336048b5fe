package tenancy

import (
	"context"
	"time"

	"github.com/usher-go/usher/rbac"
)

// Service holds every rule of who is where. Build it with [New]; it is safe for concurrent use.
type Service struct {
	store      Store
	policy     *rbac.Policy
	env        Env
	departures []Departures
	erasures   []Erasures
	archivist  Archivist
}

// New builds the service. It fails when the policy does not name a permission that an
// operation asks for.
func New(store Store, policy *rbac.Policy, env Env) (*Service, error) {
	err := policy.Check(
		rbac.ListMembers, rbac.RemoveMember, rbac.ChangeRole, rbac.SuspendMember, rbac.ReactivateMember,
		rbac.ReadTeam, rbac.ConfigureTeam, rbac.ArchiveTeam, rbac.ReadAudit,
		rbac.ReadAccount, rbac.RenameAccount, rbac.AddService, rbac.RemoveService, rbac.ManageRoles,
		rbac.CreateTeam, rbac.TransferAccount, rbac.CloseAccount,
	)
	if err != nil {
		return nil, err
	}
	return &Service{store: store, policy: policy, env: env, archivist: nothingOpen{}}, nil
}

// Departures hears, inside the transaction, that a member loses what members have: open
// assignments, pending invitations, grants. The rooms that own those things implement it.
type Departures interface {
	// Depart hears of one departure or more, all of them by the same principal at the same time, in
	// teams that are locked.
	Depart(ctx context.Context, departures ...Departure) error
}

// Departure is one member's loss of membership, or of a role above Restricted.
type Departure struct {
	Team Team
	User UserID
	By   Principal
	At   time.Time
}

// Bind adds those who must hear of departures. It belongs to the construction of the rooms,
// before the first call.
func (s *Service) Bind(d ...Departures) { s.departures = append(s.departures, d...) }

func (s *Service) depart(ctx context.Context, departures ...Departure) error {
	if len(departures) == 0 {
		return nil
	}
	for _, room := range s.departures {
		if err := room.Depart(ctx, departures...); err != nil {
			return err
		}
	}
	return nil
}
