package invite

import (
	"context"
	"fmt"
	"slices"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// MaxBatch is how many teams one batch can invite into.
const MaxBatch = 20

// TeamRole is a role in a team, to be invited to: one of the built-in ones or, if Custom is set, a
// custom role of the account.
type TeamRole struct {
	Team   tenancy.TeamID
	Role   rbac.Role
	Custom tenancy.RoleID
}

// Batch invites the owner of an address into several teams of the account of the actor's team, with one
// mail that lists a link for each. They are invitations like those of [Service.Create], one for each
// team, with the same Batch: each is accepted, declined, revoked and sent again by itself, and from a
// resend on has a mail of its own. What happens in one team is told to that team alone.
//
// Each takes in its team what Create takes there; the actor's own team need not be among them. A team
// where the actor may not invite, or that is of another account, is not found. All are made in one
// transaction, or none. They are answered in the order of the teams given.
//
// Each is decided on top of those before it, in the order in which the teams are locked, that of their ids:
// those count for the limit of the address and take its seat, and the first that is refused is the one that
// the error is about. What it costs in statements does not grow with the number of teams.
//
// Errors: those of Create; [*tenancy.InvalidError] for no team, one that is named twice, or more than
// [MaxBatch].
func (s *Service) Batch(ctx context.Context, actor tenancy.Actor, email string, into []TeamRole, options ...Option) ([]Invitation, error) {
	drafts, choices, err := batched(email, into, options)
	if err != nil {
		return nil, err
	}
	request := []any{actor.Team, drafts, choices.lasts, choices.pending}
	return tenancy.Do(ctx, s.store, s.env, actor, "Batch", request, func(ctx context.Context) ([]Invitation, error) {
		account, entered, err := s.people.EnterTeams(ctx, actor, teamsOf(drafts)...)
		if err != nil {
			return nil, err
		}
		batch := tenancy.NewID[tenancy.BatchID](s.env)
		m, err := s.create(ctx, actor, account, choices, openingsOf(batch, drafts, entered)...)
		if err != nil {
			return nil, err
		}
		if len(m.made) > 0 {
			facts := tenancy.Facts{"account": account.ID.String(), "batch": batch.String()}
			err = s.store.Append(ctx, s.env.Event(actor, m.now, account.In(), InvitationBatched, facts))
		}
		return inOrderOf(drafts, m.answers), err
	})
}

// openingsOf are the invitations of a batch in the order in which their teams are locked.
func openingsOf(batch tenancy.BatchID, drafts []Invitation, entered []tenancy.Entered) (openings []opening) {
	for _, in := range entered {
		for _, inv := range drafts {
			if inv.Batch = batch; inv.Team == in.Team.ID {
				openings = append(openings, opening{in, inv})
			}
		}
	}
	return openings
}

// inOrderOf are the answers, one for each draft, in the order of the drafts.
func inOrderOf(drafts, answers []Invitation) []Invitation {
	ordered := make([]Invitation, len(drafts))
	for i, draft := range drafts {
		ordered[i] = answers[slices.IndexFunc(answers, func(inv Invitation) bool { return inv.Team == draft.Team })]
	}
	return ordered
}

// batched are the invitations of a batch without an inviter. The error is a [*tenancy.InvalidError].
func batched(email string, into []TeamRole, options []Option) (drafts []Invitation, c choices, err error) {
	bad := func(reason string) ([]Invitation, choices, error) {
		return nil, choices{}, &tenancy.InvalidError{Field: "teams", Reason: reason}
	}
	if len(into) == 0 || len(into) > MaxBatch {
		return bad(fmt.Sprintf("must be 1 to %d", MaxBatch))
	}
	for _, to := range into {
		r := ToTeam(email, to.Role, options...)
		r.custom = to.Custom
		var draft Invitation
		if draft, c, err = r.checked(); err != nil {
			return nil, choices{}, err
		}
		draft.Team = to.Team
		drafts = append(drafts, draft)
	}
	if len(tenancy.InOrder(teamsOf(drafts)...)) < len(drafts) {
		return bad("must be named once each")
	}
	return drafts, c, nil
}

func teamsOf(drafts []Invitation) (teams []tenancy.TeamID) {
	for _, inv := range drafts {
		teams = append(teams, inv.Team)
	}
	return teams
}
