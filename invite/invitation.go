package invite

import (
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Invitation asks the owner of an e-mail address into a team, or into one conversation, or to
// become the holder of an account. It is kept after its end, with who did what and when. It never
// holds the token.
type Invitation struct {
	ID      tenancy.InvitationID
	Account tenancy.AccountID
	// Team is zero for the kind ToOneAccount.
	Team tenancy.TeamID
	Kind Kind
	// Conversation is set for the kind ToOneConversation.
	Conversation tenancy.ConversationID
	// Email is zero once the user whose address it was is deleted; see [Service.Erase].
	Email tenancy.Address
	// Role is what accepting grants in the team; a guest of a conversation is Restricted. It is
	// zero for the kind ToOneAccount.
	Role rbac.Role `json:",omitzero"`
	// Custom is the custom role of the account that accepting grants, on top of Role, its base; zero
	// for one of the built-in roles.
	Custom  tenancy.RoleID
	Inviter tenancy.UserID
	State   State
	// Mailing counts the mails asked for: 1 when created, one more for each resend. Only the
	// token of the newest mail works.
	Mailing   int
	CreatedAt time.Time
	ExpiresAt time.Time
	// MailedAt is when the newest mail was built and given to the mailer; zero until then.
	MailedAt time.Time
	// EndedAt and EndedBy tell when and by whom it left the state pending.
	EndedAt time.Time
	EndedBy string
	// AcceptedBy is the user who accepted.
	AcceptedBy tenancy.UserID
	// Terms is the version of the terms that they agreed to; empty where the team asked for none.
	Terms   string
	Version int64
}

// Kind is what an invitation opens.
type Kind string

// The kinds of invitations.
const (
	ToOneTeam         Kind = "team"
	ToOneConversation Kind = "conversation"
	// ToOneAccount offers the account itself: whoever accepts becomes its holder.
	ToOneAccount Kind = "account"
)
