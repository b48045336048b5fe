package invite

import (
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Invitation is a way in that stands open: for the owner of an e-mail address into a team, into one
// conversation, or to become the holder of an account; for whoever has a link; or for a user who
// asks to be let in. It is kept after its end, with who did what and when. It never holds the token.
type Invitation struct {
	ID      tenancy.InvitationID
	Account tenancy.AccountID
	// Team is zero for the kind ToOneAccount.
	Team tenancy.TeamID
	Kind Kind
	// Conversation is set for the kind ToOneConversation.
	Conversation tenancy.ConversationID
	// History bounds how much of the conversation its guest will see, beside the team's own policy; see
	// [WithHistory].
	History tenancy.HistoryPolicy `json:",omitempty"`
	// Email is zero for a link, and once the user whose address it was is deleted; see
	// [Service.Erase].
	Email tenancy.Address
	// Role is what accepting grants in the team; a guest of a conversation is Restricted. It is
	// zero for the kind ToOneAccount, and for a request that was not accepted.
	Role rbac.Role `json:",omitzero"`
	// Custom is the custom role of the account that accepting grants, on top of Role, its base; zero
	// for one of the built-in roles.
	Custom tenancy.RoleID
	// Domain is the e-mail domain whose people a link lets in; empty where it asks for none.
	Domain string `json:",omitempty"`
	// Uses is how many have come in by a link, of the MaxUses who can. Both are 0 for the other kinds.
	Uses    int `json:",omitzero"`
	MaxUses int `json:",omitzero"`
	// Inviter sent the invitation or made the link; it is who asks, for a request.
	Inviter tenancy.UserID
	// Batch is what the invitations share that go out in one mail; zero for one by itself.
	Batch tenancy.BatchID `json:",omitzero"`
	State State
	// Mailing counts the mails asked for: 1 when created, one more for each resend. Only the
	// token of the newest mail works. It is 0 for links and requests, which are not mailed.
	Mailing   int
	CreatedAt time.Time
	ExpiresAt time.Time
	// MailedAt is when the newest mail was built and given to the mailer; zero until then.
	MailedAt time.Time
	// EndedAt and EndedBy tell when and by whom it left the state pending.
	EndedAt time.Time
	EndedBy string
	// AcceptedBy is the user who accepted; of a link, whoever came in by it last.
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
	// ByLink lets in whoever has the link, as often as it says; see [Service.CreateLink].
	ByLink Kind = "link"
	// ByRequest is the other way round: a user asks, and the team accepts; see [Service.Ask].
	ByRequest Kind = "request"
)
