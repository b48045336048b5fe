// Package invite asks people in by e-mail: into a team with a role, into one conversation as a
// guest, or to become the holder of an account.
//
// [Service.Create] makes an [Invitation] and asks, through the outbox, for a mail. The sink that
// [Service.Mailing] returns mints the [Token] when the mail is built, and hands the mail to the
// host's [Mailer]. Whoever has the link sees a [Preview]; the user whom the invitation is for,
// signed in at the host and verified for the invited address, says [Service.Accept] or
// [Service.Decline]. Until then its senders can take it back with [Service.Revoke] or mail it
// anew with [Service.Resend]. Who holds an account does the same with [Service.Offer],
// [Service.RevokeOffer] and [Service.ResendOffer].
//
// [Service.Bulk] invites many into a team, as [ParseBulk] reads them from a file, and answers what became
// of each row; [Service.Batch] invites one into several teams of an account, with one mail.
//
// There are two more ways in. A link, made with [Service.CreateLink], lets in several users, whoever
// has it; a user whose address is of one of the team's domains says [Service.Ask], and a manager
// [Service.AcceptRequest]. They are invitations of their own kinds, with the same states and rules.
//
// # What can happen when
//
// One table in state.go says it for all kinds of invitations; docs/invitation-states.md draws
// it. Expiry holds by the clock, to the microsecond, and waits for no sweep; [Service.Sweep] tidies up.
// [Service.Inspect] tells support people what happened to one.
//
// # Who learns what
//
// The inviter learns of people in their own team only, never whether an address is registered.
// The holder of the token learns what the [Preview] shows. The user whom it is for learns why
// they cannot accept; any other user with the token is told that it is not theirs, and that is
// recorded. The token itself is nowhere but in the mail.
//
// # Seats and policies
//
// Where an account has fewer seats than people who want in, that is told when they are invited, if
// pending invitations count, and when they accept; see [tenancy.Seats]. A team says what becomes of
// the invitations of those who go, and whether their authority is asked for again; see
// [tenancy.Settings].
//
// A team can also say which domains it invites, and ask whoever accepts for their consent to its terms;
// see [DomainError] and [Terms].
//
// # Limits
//
// How many invitations can be pending in a team, from one inviter and to one address, and how often
// each can be sent again, is bounded by [Limits]; what is over is refused with a [*LimitError] before
// anything is written or mailed.
//
// # Conversations
//
// The room that owns the conversations implements [Admitter]: it says who sees one, whether
// access may be offered, and gives it, in the invitation's own transaction.
package invite

//go:generate go run github.com/matryer/moq@v0.8.1 -out invitetest/invite_moq.go -pkg invitetest . Store Mailer Admitter
//go:generate go test -run TestStateDiagramInTheDocs . -update
