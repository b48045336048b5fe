package tenancy

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
)

// CustomRole is a role that an account has made for itself: a set of permissions on top of one
// of the built-in roles. It holds in all of the account's teams in which somebody has it.
type CustomRole struct {
	ID      RoleID
	Account AccountID
	Name    string
	// NameKey is what names are compared by; a store keeps it unique within the account.
	NameKey string
	// Base is Member or Restricted.
	Base rbac.Role
	// Permissions are the names of what the role may do beyond its base, in their order.
	Permissions []string
	CreatedAt   time.Time
	Version     int64
}

// RoleSpec describes a custom role: Base is Member or Restricted, and Permissions are what it may
// do beyond that in the whole team, named as [rbac.Policy.Name] prints them.
type RoleSpec struct {
	Name        string
	Base        rbac.Role
	Permissions []string
}

// MaxRoles is how many custom roles an account may have.
const MaxRoles = 100

// DefineRole makes a custom role in the holder's account. It can hold what a Manager holds, which
// is what the holder of an account is in every team that they make, and nothing above.
//
// Errors: [*InvalidError], also for a permission that the policy does not have or does not lend,
// and for more than a Manager has; [ErrNotFound] for an account that the user does not hold,
// [ErrAccountInactive], [ErrNameTaken], [ErrLimit] for more than [MaxRoles].
func (s *Service) DefineRole(ctx context.Context, holder Holder, spec RoleSpec) (CustomRole, error) {
	role, err := s.parseRole(spec)
	if err != nil {
		return CustomRole{}, err
	}
	return Do(ctx, s.store, s.env, holder, "DefineRole", []any{holder.Account, role}, func(ctx context.Context) (CustomRole, error) {
		account, others, err := s.enterRoles(ctx, holder)
		if err != nil {
			return CustomRole{}, err
		}
		if len(others) == MaxRoles {
			return CustomRole{}, fmt.Errorf("%w: an account has at most %d custom roles", ErrLimit, MaxRoles)
		}
		if nameTaken(others, role) {
			return CustomRole{}, ErrNameTaken
		}
		role := role
		role.ID, role.Account = NewID[RoleID](s.env), account.ID
		role.CreatedAt, role.Version = s.env.Now(), 1
		if err := s.store.InsertRole(ctx, role); err != nil {
			return CustomRole{}, err
		}
		return role, s.tellRole(ctx, holder, role.CreatedAt, account, role.ID, RoleDefined)
	})
}

// EditRole replaces the name and the permissions of a custom role of the holder's account. Those
// who have it have the new one from the commit on; where it is less than it was and its base is
// Restricted, what they hold is freed in the same transaction, as when [Service.GiveRole] gives them
// the lesser one. What changes nothing writes nothing.
//
// The base stays: another one would turn guests into members, or members into guests who still
// hold what members do. Give people another role instead.
//
// Errors: those of [Service.DefineRole]; [ErrNotFound] also for a role of another account;
// [ErrOwnRole] for more than it holds in a role that the holder has in a team; [ErrConflict] for another
// base; [ErrLastManager] if a team would be left without somebody who may
// change roles.
func (s *Service) EditRole(ctx context.Context, holder Holder, id RoleID, spec RoleSpec) (CustomRole, error) {
	edit, err := s.parseRole(spec)
	if err != nil {
		return CustomRole{}, err
	}
	return Do(ctx, s.store, s.env, holder, "EditRole", []any{holder.Account, id, edit}, func(ctx context.Context) (CustomRole, error) {
		account, roles, err := s.enterRoles(ctx, holder)
		if err != nil {
			return CustomRole{}, err
		}
		at := slices.IndexFunc(roles, func(r CustomRole) bool { return r.ID == id })
		if at < 0 {
			return CustomRole{}, ErrNotFound
		}
		before := roles[at]
		role := edit
		role.ID, role.Account, role.CreatedAt, role.Version = id, account.ID, before.CreatedAt, before.Version
		switch {
		case role.Base != before.Base:
			return CustomRole{}, fmt.Errorf("%w: a custom role keeps its base, which is %s", ErrConflict, before.Base)
		case nameTaken(roles, role):
			return CustomRole{}, ErrNameTaken
		case reflect.DeepEqual(role, before):
			return before, nil
		}
		err = s.editRole(ctx, holder, account, before, &role)
		return role, err
	})
}

// editRole writes a changed role, with every team locked in which somebody has it: who they are
// cannot change while the teams are checked for a manager. Nobody new can get it meanwhile, since
// that takes the account, which is locked.
func (s *Service) editRole(ctx context.Context, holder Holder, account Account, before CustomRole, role *CustomRole) error {
	members, err := s.store.MembersWithRole(ctx, account.ID, role.ID)
	if err != nil {
		return err
	}
	raised := !s.roleRights(before).Covers(s.roleRights(*role))
	if raised && slices.ContainsFunc(members, func(m Membership) bool { return m.User == holder.User }) {
		return ErrOwnRole
	}
	held := places{teams: map[TeamID]Team{}}
	if err := s.lockTeams(ctx, held.teams, teamsOf(members)); err != nil {
		return err
	}
	if err := s.store.UpdateRole(ctx, *role); err != nil {
		return err
	}
	role.Version++
	if s.manages(before) && !s.manages(*role) {
		if err := s.managed(ctx, held.active()...); err != nil {
			return err
		}
	}
	now := s.env.Now()
	if s.frees(before, *role) {
		// Who has it is read once more, now that the teams are locked.
		if held.memberships, err = s.store.MembersWithRole(ctx, account.ID, role.ID); err != nil {
			return err
		}
		if err := s.depart(ctx, held.departures(holder, now)...); err != nil {
			return err
		}
	}
	return s.tellRole(ctx, holder, now, account, role.ID, RoleEdited)
}

// RoleInUseError says in which teams somebody has the role. It is [ErrConflict].
type RoleInUseError struct {
	Teams []TeamID
}

func (e *RoleInUseError) Error() string {
	return fmt.Sprintf("conflict: members of %d teams have the role", len(e.Teams))
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *RoleInUseError) Is(target error) bool { return target == ErrConflict }

// DeleteRole deletes a custom role of the holder's account that nobody has.
//
// Errors: [ErrNotFound], [ErrAccountInactive], [*RoleInUseError].
func (s *Service) DeleteRole(ctx context.Context, holder Holder, id RoleID) error {
	return s.do(ctx, holder, "DeleteRole", []any{holder.Account, id}, func(ctx context.Context) error {
		account, err := s.enterAccount(ctx, holder, rbac.ManageRoles)
		if err != nil {
			return err
		}
		if _, err := s.store.Role(ctx, account.ID, id); err != nil {
			return err
		}
		members, err := s.store.MembersWithRole(ctx, account.ID, id)
		if err != nil {
			return err
		}
		if len(members) > 0 {
			return &RoleInUseError{Teams: teamsOf(members)}
		}
		if err := s.store.DeleteRole(ctx, account.ID, id); err != nil {
			return err
		}
		return s.tellRole(ctx, holder, s.env.Now(), account, id, RoleDeleted)
	})
}

// Roles lists the custom roles of the account of the actor's team, oldest first.
func (s *Service) Roles(ctx context.Context, actor Actor) ([]CustomRole, error) {
	standing, err := s.Standing(ctx, actor)
	if err != nil {
		return nil, err
	}
	if err := standing.Check(rbac.ListMembers); err != nil {
		return nil, err
	}
	return s.store.RolesIn(ctx, standing.Account)
}

// AccountRoles is [Service.Roles] for the holder, who need not be in any of the account's teams.
//
// Errors: those of [Service.Account].
func (s *Service) AccountRoles(ctx context.Context, holder Holder) ([]CustomRole, error) {
	account, err := s.Account(ctx, holder)
	if err != nil {
		return nil, err
	}
	return s.store.RolesIn(ctx, account.ID)
}

// AccountRole reads one custom role of the holder's account.
//
// Errors: those of [Service.Account]; [ErrNotFound] also for a role of another account.
func (s *Service) AccountRole(ctx context.Context, holder Holder, id RoleID) (CustomRole, error) {
	account, err := s.Account(ctx, holder)
	if err != nil {
		return CustomRole{}, err
	}
	return s.store.Role(ctx, account.ID, id)
}

// enterRoles locks the holder's account, which guards the names and the number of its roles.
func (s *Service) enterRoles(ctx context.Context, holder Holder) (Account, []CustomRole, error) {
	account, err := s.enterAccount(ctx, holder, rbac.ManageRoles)
	if err != nil {
		return Account{}, nil, err
	}
	roles, err := s.store.RolesIn(ctx, account.ID)
	return account, roles, err
}

func (s *Service) tellRole(ctx context.Context, holder Holder, at time.Time, account Account, role RoleID, kind string) error {
	return s.store.Append(ctx, s.env.Event(holder, at, account.In(), kind,
		Facts{"account": account.ID.String(), "role": role.String()}))
}

func nameTaken(roles []CustomRole, role CustomRole) bool {
	return slices.ContainsFunc(roles, func(r CustomRole) bool { return r.NameKey == role.NameKey && r.ID != role.ID })
}

// parseRole checks what can be checked without the account.
func (s *Service) parseRole(spec RoleSpec) (CustomRole, error) {
	name, key, err := keyedName("role name", spec.Name)
	if err != nil {
		return CustomRole{}, err
	}
	if spec.Base != rbac.Member && spec.Base != rbac.Restricted {
		return CustomRole{}, &InvalidError{Field: "base", Reason: "must be member or restricted"}
	}
	rights, err := s.policy.Custom(name, spec.Base, spec.Permissions)
	if err != nil {
		return CustomRole{}, &InvalidError{Field: "permissions", Reason: "cannot be used: " + err.Error()}
	}
	if manager := s.policy.Rights(rbac.Manager); !manager.Covers(rights) {
		return CustomRole{}, &InvalidError{Field: "permissions", Reason: "must not be more than a manager has"}
	}
	permissions := slices.Compact(slices.Sorted(slices.Values(spec.Permissions)))
	return CustomRole{Name: name, NameKey: key, Base: spec.Base, Permissions: permissions}, nil
}

// keyedName is a [Name] and what it is compared by.
func keyedName(field, text string) (name, key string, err error) {
	if name, err = Name(field, text); err != nil {
		return "", "", err
	}
	if key = nameKey(name); len(key) > maxNameKey {
		return "", "", &InvalidError{Field: field, Reason: "has ligatures that stand for too many characters"}
	}
	return name, key, nil
}
