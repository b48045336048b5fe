package invite

import (
	"strconv"

	"github.com/usher-go/usher/tenancy"
)

// The events of this room, on the stream of the team, or of the account that is offered. The
// payload of each but the last is [tenancy.Facts] with invitation, kind, state (after the event) and mailing;
// with role, or account if that is offered; with conversation if
// it is into one; accepted and refused with user, accepted with terms where some were agreed to,
// refused also with reason. The role is the built-in one, or the id of the custom one. Addresses and
// tokens are never in it.
const (
	InvitationCreated  = "invitation.created"
	InvitationResent   = "invitation.resent"
	InvitationMailed   = "invitation.mailed" // a mail was built and handed to the mailer
	InvitationAccepted = "invitation.accepted"
	InvitationDeclined = "invitation.declined"
	InvitationRevoked  = "invitation.revoked"
	InvitationExpired  = "invitation.expired"
	InvitationRefused  = "invitation.refused" // someone with the token was not let in; see [Service.Accept]
	InvitationUsed     = "invitation.used"    // one came in by a link that is still good
	// InvitationBatched asks for the one mail of a batch, on the stream of the account: its payload is
	// account and batch.
	InvitationBatched = "invitation.batched"
)

// recorded is how an event of the table is written down.
var recorded = map[Event]string{
	OnAccept:  InvitationAccepted,
	OnDecline: InvitationDeclined,
	OnRevoke:  InvitationRevoked,
	OnExpire:  InvitationExpired,
	OnResend:  InvitationResent,
	OnMail:    InvitationMailed,
	OnUse:     InvitationUsed,
}

// in is the place of what happens to an invitation.
func (i Invitation) in() tenancy.Place {
	if i.Kind == ToOneAccount {
		return tenancy.Account{ID: i.Account}.In()
	}
	return tenancy.Team{Account: i.Account, ID: i.Team}.In()
}

func (i Invitation) facts() tenancy.Facts {
	f := tenancy.Facts{
		"invitation": i.ID.String(),
		"kind":       string(i.Kind),
		"state":      string(i.State),
		"mailing":    strconv.Itoa(i.Mailing),
	}
	if i.Kind == ToOneAccount {
		f["account"] = i.Account.String()
	} else if i.Role != 0 {
		f["role"] = i.roleName()
	}
	if i.Kind == ToOneConversation {
		f["conversation"] = i.Conversation.String()
	}
	if i.Kind == ByLink {
		f["uses"] = strconv.Itoa(i.Uses)
	}
	if !i.Batch.IsZero() {
		f["batch"] = i.Batch.String()
	}
	if i.State == Accepted || i.Uses > 0 {
		f["user"] = i.AcceptedBy.String()
		if i.Terms != "" {
			f["terms"] = i.Terms
		}
	}
	return f
}

func (i Invitation) roleName() string {
	if !i.Custom.IsZero() {
		return i.Custom.String()
	}
	return i.Role.String()
}
