package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// signUp is what a host does when someone has signed in with it. Registering is an upsert on
// the external id, so it may be done every time.
func (s *stage) signUp(ctx context.Context, who *person, a args) (answer, error) {
	user, err := s.usher.Tenancy.Register(ctx, host, tenancy.Profile{
		ExternalID: a["ADDRESS"], Email: a["ADDRESS"], Verified: true, Name: who.name,
	})
	if err != nil {
		return answer{}, err
	}
	who.id, who.email = user.ID, a["ADDRESS"]
	s.people[strings.ToLower(who.name)] = who
	mine, err := s.teamsOf(ctx, user.ID)
	if err != nil {
		return answer{}, err
	}
	if len(mine) > 0 {
		who.team = mine[0].Team.ID
	}
	if slices.ContainsFunc(mine, func(m tenancy.TeamOfUser) bool { return m.Team.ID == user.ActiveTeam }) {
		who.team = user.ActiveTeam
	}
	if s.earlier(user.CreatedAt) {
		return before("%s is known from an earlier run", who.name), nil
	}
	return done("%s is registered", who.name), nil
}

func (s *stage) createAccount(ctx context.Context, who *person, a args) (answer, error) {
	account, err := s.heldAccount(ctx, who, a["NAME"])
	if err != nil {
		return answer{}, err
	}
	if !account.IsZero() {
		s.account = account
		return before("%s holds it from an earlier run", who.name), nil
	}
	made, err := s.usher.Tenancy.CreateAccount(ctx, who.id, a["NAME"])
	if err != nil {
		return answer{}, err
	}
	s.account = made.ID
	return done("%s holds it", who.name), nil
}

// heldAccount finds an account that the person made in an earlier run and has a team in. A real
// host keeps the ids of its customers' accounts; this one asks the store.
func (s *stage) heldAccount(ctx context.Context, who *person, name string) (tenancy.AccountID, error) {
	mine, err := s.teamsOf(ctx, who.id)
	if err != nil {
		return tenancy.AccountID{}, err
	}
	for _, m := range mine {
		account, err := s.store.Account(ctx, m.Team.Account)
		if err != nil {
			return tenancy.AccountID{}, err
		}
		if account.Name == name && account.HeldBy == who.id && s.earlier(account.CreatedAt) {
			return account.ID, nil
		}
	}
	return tenancy.AccountID{}, nil
}

func (s *stage) createTeam(ctx context.Context, who *person, a args) (answer, error) {
	spec := tenancy.TeamSpec{Name: a["TEAM"]}
	if a["NUMBER"] != "" {
		spec.Identity = tenancy.Phone(a["NUMBER"])
	}
	team, err := s.usher.Tenancy.CreateTeam(ctx, tenancy.Holder{User: who.id, Account: s.account}, spec)
	taken := errors.Is(err, tenancy.ErrNameTaken)
	if taken {
		known, listErr := s.teamsOf(ctx, who.id)
		if listErr != nil {
			return answer{}, listErr
		}
		same := func(m tenancy.TeamOfUser) bool {
			return m.Team.Account == s.account && m.Team.Name == spec.Name && m.Team.Identity == spec.Identity && s.earlier(m.Team.CreatedAt)
		}
		if i := slices.IndexFunc(known, same); i >= 0 {
			team, err = known[i].Team, nil
		}
	}
	if err != nil {
		return answer{}, err
	}
	s.note(team)
	who.team = team.ID
	if s.first.IsZero() {
		s.first = team.Identity
	}
	if taken {
		return before("%s is there from an earlier run", team.Name), nil
	}
	return done("%s is its first manager", who.name), nil
}

func (s *stage) invite(ctx context.Context, who *person, a args) (answer, error) {
	role, err := rbac.ParseRole(a["ROLE"])
	if err != nil {
		return answer{}, err
	}
	_, err = s.usher.Invites.Create(ctx, s.actor(who), invite.ToTeam(a["ADDRESS"], role))
	var member *tenancy.MemberError
	if errors.As(err, &member) && s.earlier(member.Membership.JoinedAt) &&
		member.Membership.Role == role && member.Membership.Status == tenancy.MembershipActive {
		return before("%s is in the team from an earlier run", a["ADDRESS"]), nil
	}
	if err != nil {
		return s.leftOver(ctx, who, err)
	}
	return done("the invitation waits for an answer"), nil
}

// leftOver takes up an invitation that an interrupted run left waiting, by sending it again:
// its mail went to a mailbox that is gone. Any other error stays what it is.
func (s *stage) leftOver(ctx context.Context, who *person, err error) (answer, error) {
	var pending *invite.PendingError
	if !errors.As(err, &pending) || slices.ContainsFunc(s.mail.All(), func(m invite.Mail) bool { return m.Invitation == pending.Invitation.ID }) {
		return answer{}, err
	}
	if _, err := s.usher.Invites.Resend(ctx, s.actor(who), pending.Invitation.ID); err != nil {
		return answer{}, err
	}
	return before("an earlier run did that and ended before the answer; the invitation is sent again"), nil
}

// mailed finds the newest invitation that was mailed to an address in this run.
func (s *stage) mailed(address string) (invite.Mail, error) {
	m := s.mail.Last(address)
	if m.Token.IsZero() {
		return m, fmt.Errorf("%w: no invitation was mailed to %s", tenancy.ErrNotFound, address)
	}
	return m, nil
}

func (s *stage) resend(ctx context.Context, who *person, a args) (answer, error) {
	m, err := s.mailed(a["ADDRESS"])
	if err != nil {
		return answer{}, err
	}
	_, err = s.usher.Invites.Resend(ctx, s.actor(who), m.Invitation)
	return done("a new link replaces the old one"), err
}

func (s *stage) revoke(ctx context.Context, who *person, a args) (answer, error) {
	m, err := s.mailed(a["ADDRESS"])
	if err != nil {
		return answer{}, err
	}
	_, err = s.usher.Invites.Revoke(ctx, s.actor(who), m.Invitation)
	return done("its link opens nothing any more"), err
}

// click does what the host's page does when someone follows the link in their newest mail: it
// takes the token out of it.
func (s *stage) click(who *person) (invite.Token, error) {
	m, err := s.mailed(who.email)
	if err != nil {
		return invite.Token{}, err
	}
	link, err := url.Parse(m.Link())
	if err != nil {
		return invite.Token{}, err
	}
	return invite.ParseToken(link.Query().Get("token"))
}

func (s *stage) readMail(ctx context.Context, who *person, _ args) (answer, error) {
	token, err := s.click(who)
	if err != nil {
		return answer{}, err
	}
	p, err := s.usher.Invites.Preview(ctx, token)
	if err != nil {
		return answer{}, err
	}
	return done("%s invites to %s as %s; the invitation is %s", p.Inviter, p.Team, p.Role, p.State), nil
}

func (s *stage) accept(ctx context.Context, who *person, _ args) (answer, error) {
	token, err := s.click(who)
	if errors.Is(err, tenancy.ErrNotFound) {
		return s.acceptedBefore(ctx, who, err)
	}
	if err != nil {
		return answer{}, err
	}
	inv, err := s.usher.Invites.Accept(ctx, who.id, token)
	if err != nil {
		return answer{}, err
	}
	who.team, who.thread = inv.Team, inv.Conversation
	if _, err := s.teamsOf(ctx, who.id); err != nil {
		return answer{}, err
	}
	if inv.Kind == invite.ToOneConversation {
		return done("%s is a guest of one conversation of %s, with the role %s", who.name, s.teamName(ctx, inv.Team), inv.Role), nil
	}
	return done("%s is a %s of %s", who.name, calling(inv.Role), s.teamName(ctx, inv.Team)), nil
}

// acceptedBefore is for those who were not invited again because they are in already.
func (s *stage) acceptedBefore(ctx context.Context, who *person, missing error) (answer, error) {
	mine, err := s.teamsOf(ctx, who.id)
	if err != nil {
		return answer{}, err
	}
	for _, m := range mine {
		if m.Team.ID == who.team && s.earlier(m.JoinedAt) {
			return before("%s is a %s of %s from an earlier run", who.name, calling(m.Role), m.Team.Name), nil
		}
	}
	return answer{}, missing
}

func (s *stage) decline(ctx context.Context, who *person, _ args) (answer, error) {
	token, err := s.click(who)
	if err != nil {
		return answer{}, err
	}
	_, err = s.usher.Invites.Decline(ctx, who.id, token)
	return done("nothing has changed for %s", who.name), err
}

func (s *stage) switchTeam(ctx context.Context, who *person, a args) (answer, error) {
	id, err := s.teamNamed(a["TEAM"])
	if err != nil {
		return answer{}, err
	}
	team, err := s.usher.Tenancy.Switch(ctx, who.id, id)
	if err != nil {
		return answer{}, err
	}
	who.team = team.ID
	return done("%s acts in %s from here on", who.name, team.Name), nil
}

// teamNamed finds a team that someone in the story has seen. Whether this person may see it,
// usher decides.
func (s *stage) teamNamed(name string) (tenancy.TeamID, error) {
	id, known := s.named[strings.ToLower(name)]
	if !known {
		return id, fmt.Errorf("%w: there is no team %s in this story", tenancy.ErrNotFound, name)
	}
	return id, nil
}

func (s *stage) listTeams(ctx context.Context, who *person, _ args) (answer, error) {
	mine, err := s.teamsOf(ctx, who.id)
	list := done("%s", count(len(mine), "team"))
	for _, m := range mine {
		list.more = append(list.more, m.Team.Name+": "+m.Role.String())
	}
	return list, err
}

func (s *stage) listMembers(ctx context.Context, who *person, _ args) (answer, error) {
	members, err := all(func(p tenancy.Page) (tenancy.List[tenancy.Member], error) {
		return s.usher.Tenancy.Members(ctx, s.actor(who), p)
	})
	list := done("%s", count(len(members), "member"))
	for _, m := range members {
		list.more = append(list.more, m.Name+": "+m.Role.String())
	}
	return list, err
}

func (s *stage) changeRole(ctx context.Context, who *person, a args) (answer, error) {
	role, err := rbac.ParseRole(a["ROLE"])
	if err != nil {
		return answer{}, err
	}
	other := s.person(a["PERSON"])
	_, err = s.usher.Tenancy.ChangeRole(ctx, s.actor(who), other.id, role)
	return done("%s is a %s of %s", other.name, calling(role), s.teamName(ctx, s.actor(who).Team)), err
}

func (s *stage) remove(ctx context.Context, who *person, a args) (answer, error) {
	other := s.person(a["PERSON"])
	err := s.usher.Tenancy.Remove(ctx, s.actor(who), other.id)
	return done("%s has no access to %s any more", other.name, s.teamName(ctx, s.actor(who).Team)), err
}

func (s *stage) leave(ctx context.Context, who *person, _ args) (answer, error) {
	left := s.actor(who)
	if err := s.usher.Tenancy.Leave(ctx, left); err != nil {
		return answer{}, err
	}
	return done("%s has no access to %s any more", who.name, s.teamName(ctx, left.Team)), nil
}

func (s *stage) check(ctx context.Context, who *person, a args) (answer, error) {
	err := s.usher.Check(ctx, s.actor(who), permission(a["PERMISSION"]))
	return done("allowed"), err
}
