package invite

import "github.com/usher-go/usher/tenancy"

// FlawOrphanInvitation: a pending invitation of a team, whose time has not passed, was sent by
// someone who has no active membership in it, though the team does not keep such invitations. A
// membership that the clock has ended counts until that is written down; one of a user who is
// suspended as a whole does not.
const FlawOrphanInvitation tenancy.Flaw = "pending invitation whose sender has gone"

// Flaws are the flaws of this room, for [tenancy.Service.Diagnose].
func Flaws() []tenancy.Flaw { return []tenancy.Flaw{FlawOrphanInvitation} }
