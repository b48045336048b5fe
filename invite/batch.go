package invite

import (
	"context"
	"errors"
	"fmt"

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
// It sends some ten statements for each team. Each is decided on top of those before it, which count for the
// limit of the address and take its seat; to write them by set would decide that in a second way, for 20
// teams at most.
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
		batch, mailed := tenancy.NewID[tenancy.BatchID](s.env), false
		now := s.env.Now()
		made := make([]Invitation, len(drafts))
		for _, at := range entered { // in the order in which teams are locked
			for i, inv := range drafts {
				if inv.Team != at.Team.ID {
					continue
				}
				if err := mayBatch(actor, at.Standing); err != nil {
					return nil, err
				}
				inv.Batch = batch
				if made[i], err = s.create(ctx, account, at, inv, choices, now); err != nil {
					return nil, err
				}
				mailed = mailed || made[i].Batch == batch
			}
		}
		if !mailed {
			return made, nil
		}
		facts := tenancy.Facts{"account": account.ID.String(), "batch": batch.String()}
		return made, s.store.Append(ctx, s.env.Event(actor, now, account.In(), InvitationBatched, facts))
	})
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

// mayBatch is the right to invite members. Of other teams than their own the actor learns nothing
// without it.
func mayBatch(actor tenancy.Actor, standing tenancy.Standing) error {
	err := standing.Check(rights[ToOneTeam].offer)
	if standing.Actor != actor && errors.Is(err, rbac.ErrDenied) {
		return tenancy.ErrNotFound
	}
	return err
}
