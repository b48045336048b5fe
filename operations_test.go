package usher_test

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// principals are one of each kind.
type principals struct {
	actor  tenancy.Actor
	holder tenancy.Holder
	self   tenancy.UserID
	system tenancy.System
}

// targets are what an operation can be aimed at.
type targets struct {
	conversation tenancy.ConversationID
	user         tenancy.UserID
	team         tenancy.TeamID
	sibling      tenancy.TeamID // another one of the account, in which the actor is as well
	role         tenancy.RoleID
	invitation   tenancy.InvitationID
	offer        tenancy.InvitationID // of an account
	link         tenancy.InvitationID
	request      tenancy.InvitationID  // to join the team
	delivery     tenancy.DeliveryID    // that waits for the team to accept it
	sent         tenancy.DeliveryID    // of the team's, that waits for a colleague
	application  tenancy.ApplicationID // of the conversation's contact
	identity     tenancy.Identity
	email        string
	teamName     string
}

// operation is one exported operation, called in a scene.
type operation struct {
	// asks is the permission that it takes in the whole team, or, for a guest, by a grant, or on
	// the account; zero where it takes none.
	asks rbac.Permission
	// aims says that it acts on something in particular, which can be foreign.
	aims bool
	call func(ctx context.Context, s *scene, p principals, x targets) error
}

// operations are all of them, by service and method. A method that is missing here fails
// TestEveryOperationIsEnumerated, so that no operation goes without these tests.
var operations = map[string]operation{
	"Usher.Check": {rbac.SendBlast, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		return s.Check(ctx, p.actor, rbac.SendBlast)
	}},
	"Usher.Doctor": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		for _, err := range s.Doctor(ctx, p.system) {
			if err != nil {
				return err
			}
		}
		return nil
	}},

	"Usher.Can": {rbac.SendBlast, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		return yes(s.Can(ctx, p.actor, rbac.SendBlast)).or(s.Check(ctx, p.actor, rbac.SendBlast))
	}},
	"Usher.Explain": {rbac.SendBlast, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		why, err := s.Explain(ctx, p.actor, rbac.SendBlast)
		return cmp.Or(err, why.Err)
	}},
	"Usher.Capabilities": {rbac.SendBlast, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		can, err := s.Capabilities(ctx, p.actor)
		return cmp.Or(err, can.Of(rbac.SendBlast))
	}},

	"tenancy.Register": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Register(ctx, p.system, tenancy.Profile{Email: "new@new.example", Verified: true})
		return err
	}},
	"tenancy.User": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.User(ctx, p.self)
		return err
	}},
	"tenancy.SetAutoclaim": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.SetAutoclaim(ctx, p.self, true)
		return err
	}},
	"tenancy.CreateAccount": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.CreateAccount(ctx, p.self, "Another")
		return err
	}},
	"tenancy.CreateTeam": {rbac.CreateTeam, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.CreateTeam(ctx, p.holder, tenancy.TeamSpec{Name: "Another"})
		return err
	}},
	"tenancy.Account": {rbac.ReadAccount, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Account(ctx, p.holder)
		return err
	}},
	"tenancy.MyAccounts": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.MyAccounts(ctx, p.self, tenancy.Page{})
		return err
	}},
	"tenancy.Teams": {rbac.ReadAccount, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Teams(ctx, p.holder, tenancy.Page{})
		return err
	}},
	"tenancy.TeamsByAccount": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.TeamsByAccount(ctx, p.system, s.proper.holder.Account, tenancy.Page{})
		return err
	}},
	"tenancy.RenameAccount": {rbac.RenameAccount, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.RenameAccount(ctx, p.holder, "Another")
		return err
	}},
	"tenancy.AddService": {rbac.AddService, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.AddService(ctx, p.holder, "sms", 1)
		return err
	}},
	"tenancy.RemoveService": {rbac.RemoveService, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.RemoveService(ctx, p.holder, "sms")
		return err
	}},
	"tenancy.SeatsTaken": {rbac.ReadAccount, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.SeatsTaken(ctx, p.holder)
		return err
	}},
	"tenancy.SetSeats": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.SetSeats(ctx, p.system, s.proper.holder.Account, tenancy.Seats{Rule: tenancy.HardSeats, Limit: 9})
		return err
	}},
	"tenancy.SuspendAccount": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.SuspendAccount(ctx, p.system, s.proper.holder.Account)
		return err
	}},
	"tenancy.ReactivateAccount": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.ReactivateAccount(ctx, p.system, s.proper.holder.Account)
		return err
	}},
	"tenancy.CloseAccount": {rbac.CloseAccount, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.CloseAccount(ctx, p.holder)
		return err
	}},
	"tenancy.DefineRole": {rbac.ManageRoles, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.DefineRole(ctx, p.holder, tenancy.RoleSpec{Name: "Another", Base: rbac.Member})
		return err
	}},
	"tenancy.EditRole": {rbac.ManageRoles, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.EditRole(ctx, p.holder, x.role, tenancy.RoleSpec{Name: "Edited", Base: rbac.Member})
		return err
	}},
	"tenancy.DeleteRole": {rbac.ManageRoles, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		return s.Tenancy.DeleteRole(ctx, p.holder, x.role)
	}},
	"tenancy.Roles": {rbac.ListMembers, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Roles(ctx, p.actor)
		return err
	}},
	"tenancy.AccountRoles": {rbac.ReadAccount, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.AccountRoles(ctx, p.holder)
		return err
	}},
	"tenancy.AccountRole": {rbac.ReadAccount, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.AccountRole(ctx, p.holder, x.role)
		return err
	}},
	"tenancy.GiveRole": {rbac.ChangeRole, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.GiveRole(ctx, p.actor, x.user, x.role)
		return err
	}},
	"tenancy.GiveRole, a foreign one": {rbac.ChangeRole, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.GiveRole(ctx, p.actor, s.own.user, x.role)
		return err
	}},
	"tenancy.Suspend": {rbac.SuspendMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.Suspend(ctx, p.actor, x.user)
		return err
	}},
	"tenancy.Reactivate": {rbac.ReactivateMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.Reactivate(ctx, p.actor, x.user)
		return err
	}},
	"tenancy.SetExpiry": {rbac.SuspendMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.SetExpiry(ctx, p.actor, x.user, s.Clock.Now().Add(time.Hour))
		return err
	}},
	"tenancy.ExpireMembers": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.ExpireMembers(ctx, p.system)
		return err
	}},
	"tenancy.RenameTeam": {rbac.ConfigureTeam, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.RenameTeam(ctx, p.actor, "Another")
		return err
	}},
	"tenancy.Configure": {rbac.ConfigureTeam, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Configure(ctx, p.actor, tenancy.Settings{TimeZone: "Europe/Berlin"})
		return err
	}},
	"tenancy.Configure, with a team": {rbac.ConfigureTeam, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.Configure(ctx, p.actor, tenancy.Settings{DeliverTo: []tenancy.TeamID{x.team}})
		return err
	}},
	"tenancy.Archive": {rbac.ArchiveTeam, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Archive(ctx, p.actor, tenancy.Leftovers{Close: true})
		return err
	}},
	"tenancy.Archive, moving what is open": {rbac.ArchiveTeam, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.Archive(ctx, p.actor, tenancy.Leftovers{MoveTo: x.sibling})
		return err
	}},
	"tenancy.Restore": {rbac.ArchiveTeam, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Restore(ctx, p.actor)
		return err
	}},
	"tenancy.ChangeEmail": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.ChangeEmail(ctx, p.system, s.stranger, "new@new.example", true)
		return err
	}},
	"tenancy.SuspendUser": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.SuspendUser(ctx, p.system, s.member.User)
		return err
	}},
	"tenancy.ReactivateUser": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.ReactivateUser(ctx, p.system, s.member.User)
		return err
	}},
	"tenancy.DeleteUser": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		return s.Tenancy.DeleteUser(ctx, p.system, s.stranger, tenancy.UserID{})
	}},
	"tenancy.Diagnose": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		for _, err := range s.Tenancy.Diagnose(ctx, p.system, tenancy.Flaws()...) {
			return err
		}
		return nil
	}},
	"tenancy.Can": {rbac.ExportData, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		return yes(s.Tenancy.Can(ctx, p.actor, rbac.ExportData)).or(s.Tenancy.Check(ctx, p.actor, rbac.ExportData))
	}},
	"tenancy.Explain": {rbac.ExportData, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		why, err := s.Tenancy.Explain(ctx, p.actor, rbac.ExportData, rbac.ByTeam)
		return cmp.Or(err, why.Err)
	}},
	"tenancy.Explain, of a holder": {rbac.RenameAccount, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		why, err := s.Tenancy.Explain(ctx, p.holder, rbac.RenameAccount, rbac.ByAccount)
		return cmp.Or(err, why.Err)
	}},
	"tenancy.Capabilities": {rbac.ExportData, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		can, err := s.Tenancy.Capabilities(ctx, p.actor)
		return cmp.Or(err, can.Of(rbac.ExportData))
	}},
	"tenancy.CapabilitiesOn": {rbac.ListMembers, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.CapabilitiesOn(ctx, p.actor, x.user)
		return err
	}},
	"tenancy.Team": {rbac.ReadTeam, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Team(ctx, p.actor)
		return err
	}},
	"tenancy.TeamByName": {rbac.ReadTeam, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.TeamByName(ctx, p.actor, x.teamName)
		return err
	}},
	"tenancy.TeamByIdentity": {0, false, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.TeamByIdentity(ctx, p.system, s.own.identity)
		return err
	}},
	"tenancy.TeamByID": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.TeamByID(ctx, p.system, s.own.team)
		return err
	}},
	"tenancy.AccountByID": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.AccountByID(ctx, p.system, s.proper.holder.Account)
		return err
	}},
	"tenancy.MyTeams": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.MyTeams(ctx, p.self, tenancy.Page{})
		return err
	}},
	"tenancy.JoinableTeams": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.JoinableTeams(ctx, p.self, tenancy.Page{})
		return err
	}},
	"tenancy.Switch": {0, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.Switch(ctx, p.self, x.team)
		return err
	}},
	"tenancy.Members": {rbac.ListMembers, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Members(ctx, p.actor, tenancy.Page{})
		return err
	}},
	"tenancy.MembersByEmail": {rbac.ListMembers, false, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.MembersByEmail(ctx, p.actor, x.email)
		return err
	}},
	"tenancy.MemberByEmail": {rbac.ListMembers, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.MemberByEmail(ctx, p.actor, x.email)
		return err
	}},
	"tenancy.ChangeRole": {rbac.ChangeRole, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Tenancy.ChangeRole(ctx, p.actor, x.user, rbac.Restricted)
		return err
	}},
	"tenancy.Remove": {rbac.RemoveMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		return s.Tenancy.Remove(ctx, p.actor, x.user)
	}},
	"tenancy.Leave": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		return s.Tenancy.Leave(ctx, p.actor)
	}},
	"tenancy.Audit": {rbac.ReadAudit, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Audit(ctx, p.actor, tenancy.AuditFilter{}, tenancy.Page{})
		return err
	}},
	"tenancy.Admit": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Admit(ctx, p.system, tenancy.Admission{Team: s.own.team, User: s.stranger, Role: rbac.Member})
		return err
	}},
	"tenancy.AdmitGuests": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		return s.Tenancy.AdmitGuests(ctx, p.system, s.own.team, s.stranger)
	}},
	"tenancy.ForgetKeys": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.ForgetKeys(ctx, p.system, s.Clock.Now())
		return err
	}},
	"tenancy.Check": {rbac.ExportData, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		return s.Tenancy.Check(ctx, p.actor, rbac.ExportData)
	}},
	"tenancy.Standing": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.Standing(ctx, p.actor)
		return err
	}},
	"tenancy.EnterAccount": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		return s.Store.InTx(ctx, func(ctx context.Context) error {
			_, _, _, err := s.Tenancy.EnterAccount(ctx, p.actor)
			return err
		})
	}},
	"tenancy.Enter": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		return s.Store.InTx(ctx, func(ctx context.Context) error {
			_, _, err := s.Tenancy.Enter(ctx, p.actor)
			return err
		})
	}},

	"invite.Create": {rbac.InviteMember, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.Create(ctx, p.actor, invite.ToTeam("new@new.example", rbac.Restricted))
		return err
	}},
	"invite.Create, of a guest": {rbac.InviteGuest, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.Create(ctx, p.actor, invite.ToConversation("new@new.example", x.conversation))
		return err
	}},
	"invite.Bulk": {rbac.InviteMember, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.Bulk(ctx, p.actor, invite.BulkSpec{Rows: []invite.Row{{Email: "new@new.example", Role: "restricted"}}})
		return err
	}},
	"invite.Bulk, dry": {rbac.InviteMember, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.Bulk(ctx, p.actor, invite.BulkSpec{Rows: []invite.Row{{Email: "new@new.example", Role: "restricted"}}, DryRun: true})
		return err
	}},
	"invite.Batch": {rbac.InviteMember, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.Batch(ctx, p.actor, "new@new.example", []invite.TeamRole{{Team: p.actor.Team, Role: rbac.Restricted}})
		return err
	}},
	"invite.Batch, into another team": {rbac.InviteMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.Batch(ctx, p.actor, "new@new.example", []invite.TeamRole{{Team: x.team, Role: rbac.Restricted}})
		return err
	}},
	"invite.Preview": {0, false, func(ctx context.Context, s *scene, _ principals, _ targets) error {
		_, err := s.Invites.Preview(ctx, s.token)
		return err
	}},
	"invite.Accept": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		if p.self == s.proper.self {
			p.self = s.invited
		}
		_, err := s.Invites.Accept(ctx, p.self, s.token)
		return err
	}},
	"invite.Decline": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		if p.self == s.proper.self {
			p.self = s.invited
		}
		_, err := s.Invites.Decline(ctx, p.self, s.token)
		return err
	}},
	"invite.Revoke": {rbac.InviteMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.Revoke(ctx, p.actor, x.invitation)
		return err
	}},
	"invite.Resend": {rbac.InviteMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.Resend(ctx, p.actor, x.invitation)
		return err
	}},
	"invite.Get": {rbac.InviteMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.Get(ctx, p.actor, x.invitation)
		return err
	}},
	"invite.List": {rbac.InviteMember, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.List(ctx, p.actor, invite.Filter{}, tenancy.Page{})
		return err
	}},
	"invite.Expire": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.Expire(ctx, p.system, s.own.team, s.own.invitation)
		return err
	}},

	"invite.CreateLink": {rbac.InviteMember, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.CreateLink(ctx, p.actor, invite.LinkSpec{Uses: 3})
		return err
	}},
	"invite.RenewLink": {rbac.InviteMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.RenewLink(ctx, p.actor, x.link)
		return err
	}},
	"invite.LinkUses": {rbac.InviteMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.LinkUses(ctx, p.actor, x.link, tenancy.Page{})
		return err
	}},
	"invite.List, of a kind": {rbac.InviteMember, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.List(ctx, p.actor, invite.Filter{Kind: invite.ByLink}, tenancy.Page{})
		return err
	}},
	"invite.Accept, of a link": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		if p.self == s.proper.self {
			p.self = s.stranger
		}
		_, err := s.Invites.Accept(ctx, p.self, s.linkToken)
		return err
	}},
	"invite.Ask": {0, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		if p.self == s.proper.self {
			p.self = s.stranger
		}
		_, err := s.Invites.Ask(ctx, p.self, x.team)
		return err
	}},
	"invite.AcceptRequest": {rbac.InviteMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.AcceptRequest(ctx, p.actor, x.request, rbac.Member)
		return err
	}},
	"invite.DeclineRequest": {rbac.InviteMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.DeclineRequest(ctx, p.actor, x.request)
		return err
	}},
	"invite.WithdrawRequest": {0, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		if p.self == s.proper.self {
			p.self = s.asker
		}
		_, err := s.Invites.WithdrawRequest(ctx, p.self, x.team, x.request)
		return err
	}},
	"invite.MyRequests": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		if p.self == s.proper.self {
			p.self = s.asker
		}
		_, err := s.Invites.MyRequests(ctx, p.self, tenancy.Page{})
		return err
	}},
	"invite.Create, in a role": {rbac.InviteMember, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.Create(ctx, p.actor, invite.ToTeamAs("new@new.example", x.role))
		return err
	}},
	"invite.Sweep": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.Sweep(ctx, p.system)
		return err
	}},
	"invite.Inspect": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.Inspect(ctx, p.system, s.own.team, s.own.invitation)
		return err
	}},
	"invite.InspectOffer": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.InspectOffer(ctx, p.system, s.proper.holder.Account, s.own.offer)
		return err
	}},
	"invite.History": {rbac.ReadAudit, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.History(ctx, p.actor, x.invitation)
		return err
	}},
	"tenancy.RolesByAccount": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.RolesByAccount(ctx, p.system, s.proper.holder.Account)
		return err
	}},
	"tenancy.RoleByID": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Tenancy.RoleByID(ctx, p.system, s.proper.holder.Account, s.own.role)
		return err
	}},

	"invite.Offer": {rbac.TransferAccount, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		if _, err := s.Invites.RevokeOffer(context.Background(), s.proper.holder, s.own.offer); err != nil { // one can be pending
			return err
		}
		_, err := s.Invites.Offer(ctx, p.holder, "new@new.example")
		return err
	}},
	"invite.ResendOffer": {rbac.TransferAccount, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.ResendOffer(ctx, p.holder, x.offer)
		return err
	}},
	"invite.RevokeOffer": {rbac.TransferAccount, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Invites.RevokeOffer(ctx, p.holder, x.offer)
		return err
	}},
	"invite.Offers": {rbac.ReadAccount, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.Offers(ctx, p.holder, tenancy.Page{})
		return err
	}},
	"invite.ExpireOffer": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Invites.ExpireOffer(ctx, p.system, s.proper.holder.Account, s.own.offer)
		return err
	}},

	"conversation.Receive": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.Receive(ctx, p.system, conversation.Inbound{To: s.own.identity, From: "visitor-9", ID: "new", Text: "Hi"})
		return err
	}},
	"conversation.Check": {rbac.SendMessage, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		return s.Conversations.Check(ctx, p.actor, x.conversation, rbac.SendMessage)
	}},
	"conversation.Can": {rbac.SendMessage, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		return yes(s.Conversations.Can(ctx, p.actor, x.conversation, rbac.SendMessage)).
			or(s.Conversations.Check(ctx, p.actor, x.conversation, rbac.SendMessage))
	}},
	"conversation.Explain": {rbac.SendMessage, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		why, err := s.Conversations.Explain(ctx, p.actor, x.conversation, rbac.SendMessage)
		return cmp.Or(err, why.Err)
	}},
	"conversation.Capabilities": {rbac.SendMessage, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		can, err := s.Conversations.Capabilities(ctx, p.actor, x.conversation)
		return cmp.Or(err, can.Of(rbac.SendMessage))
	}},
	"conversation.Scope": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.Scope(ctx, p.actor)
		return err
	}},
	"conversation.Get": {rbac.ReadConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Get(ctx, p.actor, x.conversation)
		return err
	}},
	"conversation.List": {rbac.ReadConversation, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.List(ctx, p.actor, conversation.Filter{}, tenancy.Page{})
		return err
	}},
	"conversation.Messages": {rbac.ReadConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Messages(ctx, p.actor, x.conversation, 0, 0)
		return err
	}},
	"conversation.Watch": {rbac.ReadConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		for _, err := range s.Conversations.Watch(ctx, p.actor, x.conversation, 0) {
			return err
		}
		return nil
	}},
	"conversation.WatchTeam": {rbac.ReadConversations, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		for _, err := range s.Conversations.WatchTeam(ctx, p.actor, "") {
			return err
		}
		return nil
	}},
	"conversation.TeamPosition": {rbac.ReadConversations, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.TeamPosition(ctx, p.actor)
		return err
	}},
	"conversation.MessagesBefore": {rbac.ReadConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.MessagesBefore(ctx, p.actor, x.conversation, 0, 0)
		return err
	}},
	"conversation.Search": {rbac.ReadConversations, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.Search(ctx, p.actor, "hello", tenancy.Page{})
		return err
	}},
	"conversation.EditMessage": {rbac.SendMessage, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.EditMessage(ctx, p.actor, x.conversation, s.said[p.actor.User], "Hello again")
		return err
	}},
	"conversation.DeleteMessage": {rbac.DeleteMessage, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.DeleteMessage(ctx, p.actor, x.conversation, s.said[tenancy.UserID{}])
		return err
	}},
	"conversation.DeleteMessage, own": {rbac.SendMessage, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.DeleteMessage(ctx, p.actor, x.conversation, s.said[p.actor.User])
		return err
	}},
	"conversation.Post": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.Post(ctx, p.system, s.own.conversation, conversation.AutomaticMessage, "Hello")
		return err
	}},
	"conversation.Receipt": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.Receipt(ctx, p.system, conversation.Receipt{Message: s.handed, Status: conversation.StatusRead})
		return err
	}},
	"conversation.Send": {rbac.SendMessage, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Send(ctx, p.actor, x.conversation, "Hello")
		return err
	}},
	"conversation.Note": {rbac.WriteNote, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Note(ctx, p.actor, x.conversation, "Hello")
		return err
	}},
	"conversation.Type": {rbac.SendMessage, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Type(ctx, p.actor, x.conversation, "Hello")
		return err
	}},
	"conversation.Type, of a command": {rbac.CloseConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Type(ctx, p.actor, x.conversation, "^close")
		return err
	}},
	"conversation.Preview": {rbac.CloseConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Preview(ctx, p.actor, x.conversation, "^close")
		return err
	}},
	"conversation.Complete": {rbac.ReadConversations, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Complete(ctx, p.actor, x.conversation, "^deliver ", 9)
		return err
	}},
	"conversation.Responses": {rbac.ReadReport, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Responses(ctx, p.actor, x.conversation, conversation.WorkingHours)
		return err
	}},
	"conversation.Assign": {rbac.AssignConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Assign(ctx, p.actor, x.conversation, s.own.user)
		return err
	}},
	"conversation.AssignNext": {rbac.AssignConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.AssignNext(ctx, p.actor, x.conversation, conversation.LeastLoaded)
		return err
	}},
	"conversation.TakeOver": {rbac.AssignConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.TakeOver(ctx, p.actor, x.conversation, s.own.user)
		return err
	}},
	"conversation.Claim": {rbac.ClaimConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Claim(ctx, p.actor, x.conversation)
		return err
	}},
	"conversation.Release": {rbac.ClaimConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Release(ctx, p.actor, x.conversation)
		return err
	}},
	"conversation.Skip": {rbac.ClaimConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Skip(ctx, p.actor, x.conversation, conversation.SkipLater, 0)
		return err
	}},
	"conversation.Next": {rbac.ClaimConversation, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.Next(ctx, p.actor, conversation.AgentQueue)
		return err
	}},
	"conversation.EndClaims": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.EndClaims(ctx, p.system)
		return err
	}},
	"conversation.Unassign": {rbac.AssignConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Unassign(ctx, p.actor, x.conversation)
		return err
	}},
	"conversation.Deliver": {rbac.DeliverConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Deliver(ctx, p.actor, x.conversation, conversation.ToUser(s.own.user), conversation.Outcome{})
		return err
	}},
	"conversation.Deliver, to a team": {rbac.DeliverConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Deliver(ctx, p.actor, x.conversation, conversation.ToTeam(s.TeamNamed("Hiring").ID), conversation.Outcome{})
		return err
	}},
	"conversation.Deliver, to an e-mail": {rbac.DeliverConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Deliver(ctx, p.actor, x.conversation, conversation.ToEmail("new@new.example"), conversation.Outcome{})
		return err
	}},
	"conversation.Deliver, to who is asked": {rbac.DeliverConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Deliver(ctx, p.actor, x.conversation, conversation.ToTeam(s.TeamNamed("Hiring").ID), conversation.Outcome{}, conversation.AskAcceptance(0))
		return err
	}},
	"conversation.AcceptDelivery": {rbac.AssignConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.AcceptDelivery(ctx, p.actor, x.delivery)
		return err
	}},
	"conversation.DeclineDelivery": {rbac.AssignConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.DeclineDelivery(ctx, p.actor, x.delivery, "not ours")
		return err
	}},
	"conversation.CancelDelivery": {rbac.DeliverConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.CancelDelivery(ctx, p.actor, x.sent)
		return err
	}},
	"conversation.Inbox": {rbac.ReadConversations, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.Inbox(ctx, p.actor, tenancy.Page{})
		return err
	}},
	"conversation.ExpireDeliveries": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.ExpireDeliveries(ctx, p.system)
		return err
	}},
	"conversation.Deliveries": {rbac.ListConversations, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.Deliveries(ctx, p.actor, tenancy.Page{})
		return err
	}},
	"conversation.History": {rbac.ReadConversations, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.History(ctx, p.actor, x.conversation)
		return err
	}},
	"conversation.Close": {rbac.CloseConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Close(ctx, p.actor, x.conversation, "")
		return err
	}},
	"conversation.Open": {rbac.OpenConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Open(ctx, p.actor, x.conversation)
		return err
	}},
	"conversation.Snooze": {rbac.SnoozeConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Snooze(ctx, p.actor, x.conversation, s.Clock.Now().Add(time.Hour))
		return err
	}},
	"conversation.Start": {rbac.StartConversation, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.Start(ctx, p.actor, "visitor-new")
		return err
	}},
	"conversation.Episodes": {rbac.ReadConversations, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Episodes(ctx, p.actor, x.conversation, 0, 0)
		return err
	}},
	"conversation.Wake": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.Wake(ctx, p.system)
		return err
	}},
	"conversation.ExpireGuests": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.ExpireGuests(ctx, p.system)
		return err
	}},
	"conversation.CloseIdle": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.CloseIdle(ctx, p.system)
		return err
	}},
	"conversation.Contact": {rbac.ReadContact, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Contact(ctx, p.actor, x.conversation)
		return err
	}},
	"conversation.EditContact": {rbac.EditContact, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		name := "Vera"
		_, err := s.Conversations.EditContact(ctx, p.actor, x.conversation, conversation.ContactEdit{Name: &name})
		return err
	}},
	"conversation.Apply": {rbac.CreateApplication, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Apply(ctx, p.actor, x.conversation, conversation.ApplicationDetails{Job: "Driver"})
		return err
	}},
	"conversation.EditApplication": {rbac.EditApplication, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		job := "Welder"
		_, err := s.Conversations.EditApplication(ctx, p.actor, x.conversation, x.application, conversation.ApplicationEdit{Job: &job})
		return err
	}},
	"conversation.SetApplicationStatus": {rbac.SetApplicationStatus, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.SetApplicationStatus(ctx, p.actor, x.conversation, x.application, conversation.Qualified)
		return err
	}},
	"conversation.Applications": {rbac.ReadConversations, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Applications(ctx, p.actor, x.conversation, tenancy.Page{})
		return err
	}},
	"conversation.ActiveApplication": {rbac.ReadConversations, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.ActiveApplication(ctx, p.actor, x.conversation)
		return err
	}},
	"conversation.RecordApplication": {0, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.RecordApplication(ctx, p.system, conversation.ApplicationRecord{
			To: s.own.identity, From: "visitor-1", ExternalID: "ats-1", Origin: conversation.FromIntegration,
		})
		return err
	}},
	"conversation.OptOut": {rbac.OptOutContact, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.OptOut(ctx, p.actor, x.conversation, "said so on the phone")
		return err
	}},
	"conversation.OptIn": {rbac.OptInContact, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.OptIn(ctx, p.actor, x.conversation, "said so on the phone")
		return err
	}},
	"conversation.OptOutOf": {rbac.OptOutContact, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.OptOutOf(ctx, p.actor, x.conversation)
		return err
	}},
	"conversation.MarkRead": {rbac.MarkConversationRead, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.MarkRead(ctx, p.actor, x.conversation, 1)
		return err
	}},
	"conversation.MarkUnread": {rbac.MarkConversationRead, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.MarkUnread(ctx, p.actor, x.conversation, 1)
		return err
	}},
	"conversation.ReadMark": {rbac.ReadConversation, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.ReadMark(ctx, p.actor, x.conversation)
		return err
	}},
	"conversation.Unread": {rbac.ReadConversation, false, func(ctx context.Context, s *scene, p principals, _ targets) error {
		_, err := s.Conversations.Unread(ctx, p.actor, s.own.conversation)
		return err
	}},
	"conversation.Guests": {rbac.ListMembers, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		_, err := s.Conversations.Guests(ctx, p.actor, x.conversation)
		return err
	}},
	"conversation.RevokeGuest": {rbac.RevokeGuest, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		return s.Conversations.RevokeGuest(ctx, p.actor, x.conversation, s.guest.User)
	}},
	"conversation.Offer": {rbac.InviteGuest, true, func(ctx context.Context, s *scene, p principals, x targets) error {
		return s.Store.InTx(ctx, func(ctx context.Context) error { return s.Conversations.Offer(ctx, p.actor, x.conversation) })
	}},
}

// answer is what a Can answered.
type answer struct {
	can bool
	err error
}

func yes(can bool, err error) answer { return answer{can, err} }

// or is the error of a Can, or, where it said no, that of the check which it stands for. The two
// must agree.
func (a answer) or(check error) error {
	if a.err == nil && a.can != (check == nil) {
		return errors.New("Can and Check disagree")
	}
	return cmp.Or(a.err, check)
}

// steps are the methods that are no operations of their own: they run inside the transaction
// of an operation that has checked its principal.
var steps = map[string]string{
	"tenancy.Lock":            "takes a team for another room's operation",
	"tenancy.Seat":            "takes a seat in an operation that has locked the account",
	"tenancy.SeatsFor":        "part of invite.Bulk",
	"tenancy.EnterTeams":      "part of invite.Batch",
	"tenancy.Overbook":        "part of invite.Bulk",
	"tenancy.NamesOf":         "part of invite.Bulk",
	"tenancy.Arrive":          "takes a user and a team for invite.Accept and Decline",
	"tenancy.ArriveAtAccount": "takes a user and an account for invite.Accept and Decline",
	"tenancy.Able":            "lists a team's members for another room's operation",
	"tenancy.ActiveIn":        "lists a team's members for another room's operation",
	"tenancy.LockAccount":     "takes an account for another room's operation",
	"tenancy.LockTeams":       "part of invite.Erase",
	"tenancy.EnterTransfer":   "takes the holder's account for invite.Offer",
	"tenancy.TransferAccount": "part of invite.Accept",
	"tenancy.MembersIn":       "part of invite.Create",
	"invite.Depart":           "part of every departure",
	"invite.Erase":            "part of tenancy.DeleteUser",
	"invite.Withdraw":         "part of conversation.Deliver",
	"conversation.Archive":    "part of tenancy.Archive",
	"conversation.Erase":      "part of tenancy.DeleteUser",
	"conversation.Depart":     "part of every departure",
	"conversation.Admitted":   "part of invite.Create and Accept",
	"conversation.Seen":       "part of every read of an invitation into a conversation",
	"conversation.Settle":     "part of every end of an invitation",
}

// A new method of a service is an operation until somebody says why not.
func TestEveryOperationIsEnumerated(t *testing.T) {
	known := map[string]bool{}
	for name := range operations {
		known[strings.Split(name, ",")[0]] = true
	}
	found := map[string]bool{}
	ctx := reflect.TypeFor[context.Context]()
	for room, service := range map[string]reflect.Type{
		"Usher": reflect.TypeFor[*usher.Usher](), "tenancy": reflect.TypeFor[*tenancy.Service](),
		"invite": reflect.TypeFor[*invite.Service](), "conversation": reflect.TypeFor[*conversation.Service](),
	} {
		for i := range service.NumMethod() {
			method := service.Method(i)
			if method.Type.NumIn() < 2 || method.Type.In(1) != ctx {
				continue
			}
			name := room + "." + method.Name
			found[name] = true
			assert.True(t, known[name] || steps[name] != "", "%s is neither in operations nor in steps", name)
			assert.False(t, known[name] && steps[name] != "", "%s is in both", name)
		}
	}
	for name := range known {
		assert.True(t, found[name], "%s is no method", name)
	}
	for name := range steps {
		assert.True(t, found[name], "%s is no method", name)
	}
}

// scene is a world with two accounts that hold the same things under the same names.
type scene struct {
	*ushertest.World
	proper   principals // who may do everything in own
	own      targets
	foreign  targets
	member   tenancy.Actor
	guest    tenancy.Actor // of own.conversation
	stranger tenancy.UserID
	invited  tenancy.UserID
	// said is a message of each of the three in own.conversation, and under the zero id the contact's.
	said map[tenancy.UserID]tenancy.MessageID
	// handed is one that the sender has taken.
	handed tenancy.MessageID
	token  invite.Token // of own.invitation, for invited
	// linkToken is of own.link.
	linkToken invite.Token
	asker     tenancy.UserID // of own.request
}

func newScene(t *testing.T, store storage.Store) *scene {
	t.Helper()
	s := &scene{World: ushertest.NewWorldOn(t, store, usher.WithSender(nil))} // so that what is said can be edited
	side := func(account string) targets {
		mark := account[:1]
		s.Account(account).
			Team("Sales", ushertest.Manager(mark+"-manager"), ushertest.Member(mark+"-member"), ushertest.Member(mark+"-target")).
			Team("Hiring", ushertest.Member(mark+"-hirer"), ushertest.Member(mark+"-manager")).
			Team("Only " + account)
		manager := s.Actor(mark+"-manager", "Sales")
		inv, err := s.Invites.Create(t.Context(), manager, invite.ToTeam(ushertest.Email(mark+"-invited"), rbac.Member))
		require.NoError(t, err)
		role, err := s.Tenancy.DefineRole(t.Context(), s.holder(account), tenancy.RoleSpec{Name: "Auditor", Base: rbac.Member, Permissions: []string{"audit: read"}})
		require.NoError(t, err)
		offer, err := s.Invites.Offer(t.Context(), s.holder(account), ushertest.Email(mark+"-heir"))
		require.NoError(t, err)
		link := s.Link(manager, invite.LinkSpec{Uses: 2})
		s.linkToken = link.Token
		stranger, err := tenancy.ParseAddress(ushertest.Email("stranger"))
		require.NoError(t, err)
		_, err = s.Tenancy.Configure(t.Context(), manager, tenancy.Settings{JoinDomains: []string{mark + "-asker.example"}})
		require.NoError(t, err)
		request := s.Asks(mark+"-asker", "Sales")
		if account == "acme" {
			_, err = s.Tenancy.Configure(t.Context(), manager, tenancy.Settings{JoinDomains: []string{stranger.Domain()}})
			require.NoError(t, err)
		}
		c := s.Receive("Sales", "visitor-1", "Hi")
		s.Guest(s.Actor(mark+"-member", "Sales"), c.ID, mark+"-guest")
		applied, err := s.Conversations.Apply(t.Context(), manager, c.ID, conversation.ApplicationDetails{Job: "Driver"})
		require.NoError(t, err)
		deliver := func(from, visitor string, to conversation.Recipient) tenancy.DeliveryID {
			d, err := s.Conversations.Deliver(t.Context(), s.Actor(mark+"-manager", from), s.Receive(from, visitor, "Hi").ID, to, conversation.Outcome{}, conversation.AskAcceptance(time.Hour))
			require.NoError(t, err)
			return d.ID
		}
		return targets{
			delivery:     deliver("Hiring", "visitor-asked", conversation.ToTeam(s.TeamNamed("Sales").ID)),
			sent:         deliver("Sales", "visitor-sent", conversation.ToUser(s.User(mark+"-target").ID)),
			conversation: c.ID, user: s.User(mark + "-target").ID, team: s.TeamNamed("Sales").ID, sibling: s.TeamNamed("Hiring").ID, role: role.ID, invitation: inv.ID, offer: offer.ID,
			link: link.ID, request: request.ID, application: applied.ID,
			identity: s.TeamNamed("Sales").Identity, email: ushertest.Email(mark + "-target"), teamName: "Only " + account,
		}
	}
	s.foreign = side("globex")
	s.own = side("acme")
	s.proper = principals{
		actor:  s.Actor("a-manager", "Sales"),
		holder: s.holder("acme"),
		self:   s.User("a-manager").ID,
		system: ushertest.System,
	}
	s.member, s.guest = s.Actor("a-member", "Sales"), s.Actor("a-guest", "Sales")
	s.stranger, s.invited = s.User("stranger").ID, s.User("a-invited").ID
	s.asker = s.User("a-asker").ID
	s.token = s.Token("a-invited")
	s.speak(t)
	return s
}

// speak gives everybody in own.conversation a message that is theirs; the contact has the last word.
func (s *scene) speak(t *testing.T) {
	t.Helper()
	first, err := s.Conversations.Messages(t.Context(), s.proper.actor, s.own.conversation, 0, 1)
	require.NoError(t, err)
	s.said = map[tenancy.UserID]tenancy.MessageID{{}: first[0].ID}
	for _, actor := range []tenancy.Actor{s.proper.actor, s.member, s.guest} {
		m, err := s.Conversations.Send(t.Context(), actor, s.own.conversation, "Hello")
		require.NoError(t, err)
		s.said[actor.User] = m.ID
	}
	m, err := s.Conversations.Send(t.Context(), s.proper.actor, s.own.conversation, "Hello")
	require.NoError(t, err)
	m.HandedAt, s.handed = s.Clock.Now(), m.ID
	require.NoError(t, s.Store.InTx(t.Context(), func(ctx context.Context) error { return s.Store.UpdateMessage(ctx, m) }))
	s.Receive("Sales", "visitor-1", "And when?") // and waits again
}

// holder holds the account of that name, which was made last.
func (s *scene) holder(account string) tenancy.Holder {
	return tenancy.Holder{User: s.User(account + "-holder").ID, Account: s.TeamNamed("Sales").Account}
}

// random are targets that do not exist.
func random() targets {
	return targets{
		conversation: tenancy.NewID[tenancy.ConversationID](tenancy.Env{}),
		user:         tenancy.NewID[tenancy.UserID](tenancy.Env{}),
		team:         tenancy.NewID[tenancy.TeamID](tenancy.Env{}),
		sibling:      tenancy.NewID[tenancy.TeamID](tenancy.Env{}),
		role:         tenancy.NewID[tenancy.RoleID](tenancy.Env{}),
		invitation:   tenancy.NewID[tenancy.InvitationID](tenancy.Env{}),
		offer:        tenancy.NewID[tenancy.InvitationID](tenancy.Env{}),
		link:         tenancy.NewID[tenancy.InvitationID](tenancy.Env{}),
		request:      tenancy.NewID[tenancy.InvitationID](tenancy.Env{}),
		delivery:     tenancy.NewID[tenancy.DeliveryID](tenancy.Env{}),
		sent:         tenancy.NewID[tenancy.DeliveryID](tenancy.Env{}),
		application:  tenancy.NewID[tenancy.ApplicationID](tenancy.Env{}),
		email:        "nobody@nowhere.example",
		teamName:     "No such team",
	}
}

// events counts what has happened in both accounts.
func (s *scene) events(t *testing.T) int {
	t.Helper()
	n := 0
	for _, team := range []tenancy.TeamID{s.own.team, s.foreign.team, s.TeamNamed("Hiring").ID} {
		found, err := s.Store.TeamEvents(t.Context(), team.UUID(), outbox.LogFilter{}, time.Time{}, [16]byte{}, 10_000)
		require.NoError(t, err)
		n += len(found)
	}
	return n
}

// ofHolder says that the operation is the account's holder's.
func (op operation) ofHolder() bool {
	return strings.HasPrefix(op.asks.String(), "account: ")
}

func eachOperation(t *testing.T, test func(t *testing.T, s *scene, op operation)) {
	t.Helper()
	for name, op := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newScene(t, memory.New()), op)
		})
	}
}

func TestOperationAllowed(t *testing.T) {
	eachOperation(t, func(t *testing.T, s *scene, op operation) {
		require.NoError(t, op.call(t.Context(), s, s.proper, s.own))
	})
}

func TestOperationWithoutAPrincipal(t *testing.T) {
	eachOperation(t, func(t *testing.T, s *scene, op operation) {
		before := s.events(t)
		err := op.call(t.Context(), s, principals{}, s.own)
		if strings.HasSuffix(t.Name(), "/invite.Preview") {
			require.NoError(t, err, "whoever has the token may see the preview")
			return
		}
		require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
		assert.Equal(t, before, s.events(t))
		for _, half := range []principals{
			{actor: tenancy.Actor{User: s.proper.actor.User}, holder: tenancy.Holder{User: s.proper.holder.User}},
			{actor: tenancy.Actor{Team: s.proper.actor.Team}, holder: tenancy.Holder{Account: s.proper.holder.Account}},
		} {
			require.ErrorIs(t, op.call(t.Context(), s, half, s.own), tenancy.ErrNoPrincipal)
		}
	})
}

// C1: a foreign id is answered exactly like a random one, and nothing changes anywhere. The
// same holds for an actor in a team that is not theirs.
func TestC1_ForeignScope(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		s := newScene(t, open(t))
		before := s.events(t)
		outside := func(team tenancy.TeamID, account tenancy.AccountID) principals {
			p := s.proper
			p.actor.Team, p.holder.Account = team, account
			return p
		}
		foreignTeam, err := s.Store.Team(t.Context(), s.foreign.team)
		require.NoError(t, err)
		for name, op := range operations {
			if op.aims {
				err := op.call(t.Context(), s, s.proper, s.foreign)
				require.ErrorIs(t, err, tenancy.ErrNotFound, name)
				assert.EqualError(t, op.call(t.Context(), s, s.proper, random()), err.Error(), name)
			}
			if op.asks == 0 && name != "tenancy.Leave" {
				continue // the principal has no scope
			}
			err := op.call(t.Context(), s, outside(s.foreign.team, foreignTeam.Account), s.foreign)
			require.ErrorIs(t, err, tenancy.ErrNotFound, name)
			x := random()
			again := op.call(t.Context(), s, outside(x.team, tenancy.NewID[tenancy.AccountID](tenancy.Env{})), x)
			assert.EqualError(t, again, err.Error(), name)
		}
		assert.Equal(t, before, s.events(t))
	})
}

// Every role gets exactly what the policy gives it, in every operation.
func TestOperationByRole(t *testing.T) {
	eachOperation(t, func(t *testing.T, _ *scene, op operation) {
		if op.asks == 0 || op.ofHolder() {
			t.Log("takes no permission in a team")
			return
		}
		for _, role := range rbac.TeamRoles() {
			s := newScene(t, memory.New())
			p := s.proper
			allowed := s.Policy.Allows(role, op.asks, rbac.ByTeam)
			if role == rbac.Member {
				p.actor = s.member
			}
			if role == rbac.Restricted {
				p.actor = s.guest
				allowed = s.Policy.Allows(role, op.asks, rbac.ByGrant)
			}
			before := s.events(t)
			err := op.call(t.Context(), s, p, s.own)
			if allowed {
				require.NoError(t, err, role)
				continue
			}
			require.ErrorIs(t, err, rbac.ErrDenied, role)
			var denied *rbac.DeniedError
			require.ErrorAs(t, err, &denied, "it says what was missing")
			assert.Equal(t, role, denied.Role)
			assert.Equal(t, before, s.events(t))
			if !op.aims {
				continue
			}
			again := op.call(t.Context(), s, p, random())
			require.Error(t, again)
			if role == rbac.Restricted && !strings.Contains(t.Name(), "/tenancy.") && !strings.Contains(t.Name(), "/invite.") &&
				!strings.HasSuffix(t.Name(), "Delivery") { // whose card is no guest's, so that all are denied alike
				require.ErrorIs(t, op.call(t.Context(), s, p, s.another(t)), tenancy.ErrNotFound, "a guest knows of nothing that was not granted")
			}
		}
	})
}

// another is a conversation of the same team that the guest was not granted.
func (s *scene) another(t *testing.T) targets {
	t.Helper()
	x := s.own
	x.conversation = s.Receive("Sales", "visitor-2", "Hi").ID
	return x
}

func TestOperationWithACancelledContext(t *testing.T) {
	eachOperation(t, func(t *testing.T, s *scene, op operation) {
		before := s.events(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, op.call(ctx, s, s.proper, s.own), context.Canceled)
		assert.Equal(t, before, s.events(t))
	})
}

// A second call under the same idempotency key answers like the first and changes nothing; the
// key with another request is a conflict.
func TestOperationUnderAKey(t *testing.T) {
	eachOperation(t, func(t *testing.T, s *scene, op operation) {
		ctx := tenancy.WithKey(t.Context(), "key-1")
		before := s.events(t)
		require.NoError(t, op.call(ctx, s, s.proper, s.own))
		after := s.events(t)
		if strings.HasSuffix(t.Name(), "/tenancy.Enter") || strings.HasSuffix(t.Name(), "/tenancy.EnterAccount") || strings.HasSuffix(t.Name(), "/conversation.Offer") {
			return // parts of an operation, which keep nothing
		}
		require.NoError(t, op.call(ctx, s, s.proper, s.own), "the first result again")
		assert.Equal(t, after, s.events(t), "and no second event")
		if after > before && op.aims && !strings.HasSuffix(t.Name(), "_of_a_command") { // which looks for the conversation first
			require.ErrorIs(t, op.call(ctx, s, s.proper, random()), tenancy.ErrKeyReused)
		}
	})
}

// ends are all the ways in which an access ends, and the answer from then on.
var ends = map[string]struct {
	answer error
	// frozen says that only what writes is answered so, and reading goes on.
	frozen bool
	end    func(t *testing.T, s *scene, who tenancy.UserID)
}{
	"removed": {tenancy.ErrNotFound, false, func(t *testing.T, s *scene, who tenancy.UserID) {
		require.NoError(t, s.Tenancy.Remove(t.Context(), s.proper.actor, who))
	}},
	"left": {tenancy.ErrNotFound, false, func(t *testing.T, s *scene, who tenancy.UserID) {
		require.NoError(t, s.Tenancy.Leave(t.Context(), tenancy.Actor{User: who, Team: s.own.team}))
	}},
	"deleted": {tenancy.ErrNotFound, false, func(t *testing.T, s *scene, who tenancy.UserID) {
		require.NoError(t, s.Tenancy.DeleteUser(t.Context(), ushertest.System, who, tenancy.UserID{}))
	}},
	"suspended": {tenancy.ErrInactive, false, func(t *testing.T, s *scene, who tenancy.UserID) {
		_, err := s.Tenancy.Suspend(t.Context(), s.proper.actor, who)
		require.NoError(t, err)
	}},
	"suspended everywhere": {tenancy.ErrInactive, false, func(t *testing.T, s *scene, who tenancy.UserID) {
		_, err := s.Tenancy.SuspendUser(t.Context(), ushertest.System, who)
		require.NoError(t, err)
	}},
	"expired": {tenancy.ErrInactive, false, func(t *testing.T, s *scene, who tenancy.UserID) {
		_, err := s.Tenancy.SetExpiry(t.Context(), s.proper.actor, who, s.Clock.Now().Add(time.Hour))
		require.NoError(t, err)
		s.Clock.Advance(time.Hour)
	}},
	"account suspended": {tenancy.ErrAccountInactive, true, func(t *testing.T, s *scene, _ tenancy.UserID) {
		_, err := s.Tenancy.SuspendAccount(t.Context(), ushertest.System, s.proper.holder.Account)
		require.NoError(t, err)
	}},
	"account closed": {tenancy.ErrAccountInactive, true, func(t *testing.T, s *scene, _ tenancy.UserID) {
		_, err := s.Tenancy.CloseAccount(t.Context(), s.proper.holder)
		require.NoError(t, err)
	}},
	"team archived": {tenancy.ErrTeamArchived, true, func(t *testing.T, s *scene, _ tenancy.UserID) {
		_, err := s.Tenancy.Archive(t.Context(), s.proper.actor, tenancy.Leftovers{Close: true})
		require.NoError(t, err)
	}},
}

// inTeam says that the operation takes a permission that a role in a team may have.
func (op operation) inTeam() bool { return op.asks != 0 && !op.ofHolder() }

// onTwo runs the test on each store with what happens in one instance and what asks in another: two handles
// on a database, or two services on the memory store, which has but one.
func onTwo(t *testing.T, test func(t *testing.T, here, there *scene)) {
	t.Helper()
	run := func(t *testing.T, a, b storage.Store) {
		here := newScene(t, a)
		second, err := usher.New(b, usher.WithClock(here.Clock.Now), usher.WithMailer(here.Mail), usher.WithInviteURL("https://app.example/join"))
		require.NoError(t, err)
		there, world := *here, *here.World
		world.Usher, world.Store = second, b
		there.World = &world
		test(t, here, &there)
	}
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		store := memory.New()
		run(t, store, store)
	})
	everystore.RunTwo(t, run)
}

// D1: what was taken away is denied from the first call on that starts after the commit, on every
// instance. The matrix is every end of a membership or account × every operation × a member and a guest,
// on every store; what is refused changes nothing, so all of it is asked of one world for each end.
func TestD1_NoAccessOutlivesItsEnd(t *testing.T) {
	type side struct {
		role rbac.Role
		by   rbac.Reach
		who  func(s *scene) tenancy.Actor
	}
	sides := []side{
		{rbac.Member, rbac.ByTeam, func(s *scene) tenancy.Actor { return s.member }},
		{rbac.Restricted, rbac.ByGrant, func(s *scene) tenancy.Actor { return s.guest }},
	}
	for how, ending := range ends {
		t.Run(how, func(t *testing.T) {
			onTwo(t, func(t *testing.T, here, there *scene) {
				for _, side := range sides {
					may := there.proper // the other instance has read all of it before
					may.actor = side.who(there)
					require.NoError(t, operations["conversation.Get"].call(t.Context(), there, may, there.own))
				}
				for _, side := range sides {
					ending.end(t, here, side.who(here).User)
				}
				before := here.events(t)
				for name, op := range operations {
					if !op.inTeam() {
						continue
					}
					for _, side := range sides {
						p := there.proper
						p.actor = side.who(there)
						err := op.call(t.Context(), there, p, there.own)
						may := there.Policy.Allows(side.role, op.asks, side.by)
						switch {
						case ending.frozen && !may:
							require.ErrorIs(t, err, rbac.ErrDenied, "%s, %s", name, side.role)
						case ending.frozen && op.asks.Reads():
							require.NoError(t, err, "%s, %s", name, side.role)
						default:
							require.ErrorIs(t, err, ending.answer, "%s, %s", name, side.role)
						}
					}
				}
				require.Equal(t, before, here.events(t))
			})
		})
	}
}

// D1, for those who stay in the team with less: a member who becomes a guest has nothing left of
// the team, a guest who is revoked nothing of the conversation.
func TestD1_NoAccessOutlivesADemotion(t *testing.T) {
	onTwo(t, func(t *testing.T, here, there *scene) {
		ctx := t.Context()
		_, err := here.Tenancy.ChangeRole(ctx, here.proper.actor, here.member.User, rbac.Restricted)
		require.NoError(t, err)
		require.NoError(t, here.Conversations.RevokeGuest(ctx, here.proper.actor, here.own.conversation, here.guest.User))
		before := here.events(t)
		for name, op := range operations {
			if !op.inTeam() {
				continue
			}
			for _, actor := range []tenancy.Actor{there.member, there.guest} {
				p := there.proper
				p.actor = actor
				switch name {
				case "conversation.Unread":
					counts, err := there.Conversations.Unread(ctx, actor, there.own.conversation)
					require.NoError(t, err)
					require.Empty(t, counts)
				case "conversation.List":
					list, err := there.Conversations.List(ctx, actor, conversation.Filter{}, tenancy.Page{})
					require.NoError(t, err)
					require.Empty(t, list.Items)
				default:
					err := op.call(ctx, there, p, there.own)
					require.True(t, errors.Is(err, rbac.ErrDenied) || errors.Is(err, tenancy.ErrNotFound), "%s: %v", name, err)
				}
			}
		}
		require.Equal(t, before, here.events(t))
	})
}
