package tenancy

import (
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
)

// ChangeRole gives a member of the actor's team another of the built-in roles, in place of the
// one that they have, be it custom. The actor must hold all that the present and the new role
// hold. Someone who becomes Restricted loses what members have, in the same transaction. The
// same role again changes nothing.
//
// Errors: [*InvalidError], [rbac.ErrDenied], [ErrNotFound], [ErrLastManager], [*SeatsError].
func (s *Service) ChangeRole(ctx context.Context, actor Actor, user UserID, role rbac.Role) (Membership, error) {
	if !role.InTeam() {
		return Membership{}, &InvalidError{Field: "role", Reason: "must be manager, member or restricted"}
	}
	request := []any{actor.Team, user, role}
	return Do(ctx, s.store, s.env, actor, "ChangeRole", request, func(ctx context.Context) (Membership, error) {
		return s.giveRole(ctx, actor, user, func(context.Context, AccountID) (CustomRole, error) {
			return CustomRole{Base: role}, nil
		})
	})
}

// GiveRole gives a member of the actor's team a custom role of the account, as
// [Service.ChangeRole] gives a built-in one.
//
// Errors: those of ChangeRole; [ErrNotFound] also for a role of another account.
func (s *Service) GiveRole(ctx context.Context, actor Actor, user UserID, role RoleID) (Membership, error) {
	request := []any{actor.Team, user, role}
	return Do(ctx, s.store, s.env, actor, "GiveRole", request, func(ctx context.Context) (Membership, error) {
		return s.giveRole(ctx, actor, user, func(ctx context.Context, account AccountID) (CustomRole, error) {
			return s.store.Role(ctx, account, role)
		})
	})
}

// giveRole replaces a member's role by the one that find answers: a custom one, or a built-in one
// as its own base.
func (s *Service) giveRole(ctx context.Context, actor Actor, user UserID,
	find func(context.Context, AccountID) (CustomRole, error),
) (Membership, error) {
	account, team, standing, err := s.EnterAccount(ctx, actor)
	if err != nil {
		return Membership{}, err
	}
	m, err := s.target(ctx, standing, rbac.ChangeRole, user)
	if err != nil {
		return Membership{}, err
	}
	role, err := find(ctx, team.Account)
	if err != nil {
		return Membership{}, err
	}
	if err := standing.covers(rbac.ChangeRole, s.rights(role.Base, role.Name, role.Permissions)); err != nil {
		return Membership{}, err
	}
	if m.Role == role.Base && m.Custom == role.ID {
		return m, nil
	}
	return s.changeRole(ctx, actor, s.env.Now(), account, team, m, role)
}

// changeRole writes another role. The account and the team are locked.
func (s *Service) changeRole(ctx context.Context, by Principal, at time.Time, account Account, team Team, m Membership, role CustomRole) (Membership, error) {
	if !s.manages(role) {
		if err := s.keepManager(ctx, team, m); err != nil {
			return Membership{}, err
		}
	}
	before, err := s.customOf(ctx, team.Account, m)
	if err != nil {
		return Membership{}, err
	}
	before.Base = m.Role
	from := m.roleName()
	m.Role, m.Custom = role.Base, role.ID
	if m.ActiveAt(at) {
		if err := s.seatFor(ctx, by, at, account, m); err != nil {
			return Membership{}, err
		}
	}
	m, err = s.updateMembership(ctx, by, at, team, m, MemberRoleChanged, Facts{"from": from, "to": m.roleName()})
	if err != nil {
		return Membership{}, err
	}
	if !s.frees(before, role) {
		return m, nil
	}
	return m, s.depart(ctx, Departure{Team: team, User: m.User, By: by, At: at})
}

// frees reports whether whoever passes from one role to the other loses what they hold by it: a
// guest now, they have fewer rights than before. A guest who gets more rights stays the guest that
// they are.
func (s *Service) frees(before, after CustomRole) bool {
	return after.Base == rbac.Restricted && !s.roleRights(after).Covers(s.roleRights(before))
}

// roleRights are the rights of a custom role, or of a built-in one as its own base.
func (s *Service) roleRights(role CustomRole) rbac.Rights {
	return s.rights(role.Base, role.Name, role.Permissions)
}

// roleName is the role as events tell it: the built-in one, or the id of the custom one.
func (m Membership) roleName() string {
	if m.Custom.IsZero() {
		return m.Role.String()
	}
	return m.Custom.String()
}

// customOf reads the custom role of a membership; the zero role for a membership without one.
func (s *Service) customOf(ctx context.Context, account AccountID, m Membership) (CustomRole, error) {
	if m.Custom.IsZero() {
		return CustomRole{}, nil
	}
	return s.store.Role(ctx, account, m.Custom)
}

// coversMember answers nil if the actor holds all that the member's present role holds.
func (s *Service) coversMember(ctx context.Context, standing Standing, perm rbac.Permission, m Membership) error {
	theirs, err := s.rightsOf(ctx, standing.Account, m)
	if err != nil {
		return err
	}
	return standing.covers(perm, theirs)
}

// rightsOf are the rights of a membership's present role.
func (s *Service) rightsOf(ctx context.Context, account AccountID, m Membership) (rbac.Rights, error) {
	role, err := s.customOf(ctx, account, m)
	if err != nil {
		return rbac.Rights{}, err
	}
	return s.rights(m.Role, role.Name, role.Permissions), nil
}

// rights are those of a role with what a custom role adds. A permission that the policy does not
// know any more adds nothing.
func (s *Service) rights(base rbac.Role, custom string, permissions []string) rbac.Rights {
	return rightsOfRole(s.policy, base, custom, permissions)
}

func rightsOfRole(policy *rbac.Policy, base rbac.Role, custom string, permissions []string) rbac.Rights {
	if len(permissions) == 0 {
		return policy.Rights(base)
	}
	rights, _ := policy.Custom(custom, base, permissions)
	return rights
}

// manages reports whether the last-manager rule counts the role: it is Manager, or a custom role
// that holds "member: change role" by the policy in force. That is not kept with the role, since a
// policy can be reloaded. Member and Restricted do not count, whatever a host's rows let them do: to count
// them was rejected, since it would take reading all of a team's people to find somebody who stays.
func (s *Service) manages(role CustomRole) bool {
	return role.Base == rbac.Manager || !role.ID.IsZero() && s.roleRights(role).Allows(rbac.ChangeRole, rbac.ByTeam)
}

// keepManager is the last-manager rule: the member may stop managing only if the team has another
// lasting manager. Since time alone must not break the rule, a manager whose membership expires
// does not count, and since the team is locked, two who go at the same instant go one after the
// other.
func (s *Service) keepManager(ctx context.Context, team Team, m Membership) error {
	needed, err := s.lastManagerIn(ctx, m.User, places{[]Membership{m}, map[TeamID]Team{team.ID: team}})
	if err == nil && len(needed) > 0 {
		return ErrLastManager
	}
	return err
}

// lastManagerIn lists those of a user's teams that need the user, as their last lasting manager, by id. An
// archived team needs none, and neither does a team of an account that is closed: nothing is left to
// manage there, and it would keep somebody captive for ever.
func (s *Service) lastManagerIn(ctx context.Context, user UserID, p places) ([]TeamID, error) {
	var all, custom []TeamID
	for _, m := range p.memberships {
		if p.teams[m.Team].Status != TeamActive || m.Status != MembershipActive {
			continue
		}
		if !m.Custom.IsZero() {
			custom = append(custom, m.Team)
		} else if m.Role != rbac.Manager {
			continue
		}
		all = append(all, m.Team)
	}
	left, err := s.unmanaged(ctx, user, all)
	if err != nil {
		return nil, err
	}
	if left, err = s.notClosed(ctx, p, left); err != nil {
		return nil, err
	}
	// What a custom role may do is asked last, since most teams have somebody else: where nobody manages
	// with the user either, theirs is none that does.
	custom = slices.DeleteFunc(custom, func(id TeamID) bool { return !slices.Contains(left, id) })
	idle, err := s.unmanaged(ctx, UserID{}, custom)
	return without(left, idle), err
}

// notClosed are those of the teams whose account is not closed. Closed is for good, so no lock has to keep
// it so.
func (s *Service) notClosed(ctx context.Context, p places, teams []TeamID) ([]TeamID, error) {
	if len(teams) == 0 {
		return nil, nil
	}
	var ids []AccountID
	for _, id := range teams {
		ids = append(ids, p.teams[id].Account)
	}
	accounts, err := s.store.Accounts(ctx, ids...)
	closed := map[AccountID]bool{}
	for _, a := range accounts {
		closed[a.ID] = a.Status == AccountClosed
	}
	return slices.DeleteFunc(teams, func(id TeamID) bool { return closed[p.teams[id].Account] }), err
}

// managed answers [ErrLastManager] if one of the teams has no lasting manager.
func (s *Service) managed(ctx context.Context, teams ...TeamID) error {
	unmanaged, err := s.unmanaged(ctx, UserID{}, teams)
	if err == nil && len(unmanaged) > 0 {
		return ErrLastManager
	}
	return err
}

// unmanaged lists those of the teams that have no lasting manager but the user, in whatever role, by id.
// Most teams have somebody who is simply Manager.
func (s *Service) unmanaged(ctx context.Context, but UserID, teams []TeamID) ([]TeamID, error) {
	if len(teams) == 0 {
		return nil, nil
	}
	managed, err := s.store.Managed(ctx, but, teams...)
	left := without(InOrder(teams...), managed)
	if err != nil || len(left) == 0 {
		return nil, err
	}
	roles, err := s.store.LastingRoles(ctx, but, left...)
	managed = nil
	for _, r := range roles {
		if s.manages(r.CustomRole) {
			managed = append(managed, r.Team)
		}
	}
	return without(left, managed), err
}

// without are the ids but the others, of which there can be as many.
func without(ids, others []TeamID) []TeamID {
	out := map[TeamID]bool{}
	for _, id := range others {
		out[id] = true
	}
	return slices.DeleteFunc(ids, func(id TeamID) bool { return out[id] })
}
