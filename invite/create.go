package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Create invites the owner of an address into the actor's team, or into one of its
// conversations. The mail is not sent here: the event asks for it, see [Service.Mailing].
//
// Into a team it takes the right to invite members, and a role that is not above the actor's
// own, nor a custom role with a right that the actor lacks. Into a conversation it takes the right to invite guests, and a conversation that the
// actor may offer. A registered and an unknown address are treated alike, except that the actor
// is told of people in their own team. Guests of its conversations are such people: to take one into the
// team is [tenancy.Service.ChangeRole], by which they keep all that they had, and no invitation.
//
// A pending invitation whose time has passed makes room: it is written down as expired in the
// same transaction. One that still stands is in the way, unless [IfPending] says otherwise. There is
// no way to edit an invitation, so that nobody accepts another thing than they were mailed: to change
// the role, replace it. Where the account counts pending invitations, one above Restricted takes a
// seat, unless the owner of the address has one in another of its teams.
//
// In a transaction of the caller, a conversation must not be locked before the team is, nor a team
// before an invitation into a team.
//
// Errors: [*tenancy.InvalidError], [rbac.ErrDenied], [tenancy.ErrNotFound] for a conversation that
// the actor cannot see and for a role of another account, [*PendingError], [*tenancy.MemberError] for
// someone who is in the team, [*GuestError], [*DomainError], [tenancy.ErrAccountInactive], [tenancy.ErrTeamArchived], [*tenancy.SeatsError],
// [*LimitError].
func (s *Service) Create(ctx context.Context, actor tenancy.Actor, r Request) (Invitation, error) {
	draft, choices, err := r.checked()
	if err != nil {
		return Invitation{}, err
	}
	request := []any{actor.Team, draft, choices.lasts, choices.pending}
	return tenancy.Do(ctx, s.store, s.env, actor, "Invite", request, func(ctx context.Context) (Invitation, error) {
		account, in, err := s.enter(ctx, actor, draft)
		if err != nil {
			return Invitation{}, err
		}
		m, err := s.create(ctx, actor, account, choices, opening{in, draft})
		if err != nil {
			return Invitation{}, err
		}
		return m.answers[0], nil
	})
}

// opening is an invitation to make, and the team that it is into or of, which is entered.
type opening struct {
	in  tenancy.Entered
	inv Invitation
}

// making is what becomes of invitations to one address from several teams of an account, decided as of one
// moment: each on top of those before it, which count for the limit of the address and take its seat. Only
// what they are decided by is read, and what comes of it written, for all of them at once.
type making struct {
	actor   tenancy.Actor
	account tenancy.Account // locked where one of them may take a seat
	choices choices
	now     time.Time

	roles   customRoles
	members map[tenancy.TeamID]map[string]tenancy.Membership
	others  others
	loads   map[tenancy.TeamID]Load

	// lapsed and replaced are pending invitations that are to end, made are those that are to begin.
	lapsed, replaced, made []Record
	// seated says that the owner of the address has a seat, if they need one.
	seated bool
	// answers are what is answered for each: the invitation that is made, or the one that stays.
	answers []Invitation
}

// create makes the invitations in the order given, or answers the first refusal. Where one of them may
// take a seat, the account is locked before the teams. Of what the actor has no right to in the first
// team nothing is read.
func (s *Service) create(ctx context.Context, actor tenancy.Actor, account tenancy.Account, c choices, openings ...opening) (*making, error) {
	m := &making{actor: actor, account: account, choices: c, now: s.env.Now()}
	if err := mayInvite(actor, openings[0]); err != nil {
		return nil, err
	}
	for i, o := range openings {
		inv := &openings[i].inv
		inv.Account, inv.Team, inv.Inviter = o.in.Team.Account, o.in.Team.ID, actor.User
	}
	if err := s.read(ctx, m, openings); err != nil {
		return nil, err
	}
	for _, o := range openings {
		if err := s.decide(ctx, m, o); err != nil {
			return nil, err
		}
	}
	if err := s.end(ctx, m); err != nil {
		return nil, err
	}
	return m, s.begin(ctx, actor, m.now, m.made)
}

// read reads what the invitations are decided by.
func (s *Service) read(ctx context.Context, m *making, openings []opening) (err error) {
	var drafts []Invitation
	var standings []tenancy.Standing
	var teams []tenancy.TeamID
	for _, o := range openings {
		drafts, standings, teams = append(drafts, o.inv), append(standings, o.in.Standing), append(teams, o.in.Team.ID)
	}
	account, normal := drafts[0].Account, drafts[0].Email.Normal
	if m.roles, err = s.rolesOf(ctx, drafts...); err != nil {
		return err
	}
	if m.members, err = s.people.MembersIn(ctx, []string{normal}, standings...); err != nil {
		return err
	}
	if m.others, err = s.othersTo(ctx, account, m.now, normal); err != nil {
		return err
	}
	m.loads, err = s.loads(ctx, m.now, m.actor.User, teams...)
	return err
}

// decide says what becomes of one of the invitations, or why all are refused.
func (s *Service) decide(ctx context.Context, m *making, o opening) error {
	if err := mayInvite(m.actor, o); err != nil {
		return err
	}
	standing := o.in.Standing
	inv, err := s.mayGrant(ctx, standing, o.inv, m.roles)
	if err != nil {
		return err
	}
	if m.choices.pending == Replace {
		if err := standing.Check(rights[inv.Kind].revoke); err != nil {
			return err
		}
	}
	if err := invitable(o.in.Team, inv.Email); err != nil {
		return err
	}
	if err := s.conflict(ctx, inv, m.members[inv.Team][inv.Email.Normal], m.now); err != nil {
		return err
	}
	load, other := m.loads[inv.Team], m.others.beside(inv)
	switch m.choices.pending.meets(other, inv, m.now) {
	case free:
	case lapses:
		m.lapsed = append(m.lapsed, other)
	case yields:
		m.replaced = append(m.replaced, other)
		m.others.revoke(other)
		load = load.without(other, inv.Inviter)
	case stays:
		m.answers = append(m.answers, other.Invitation)
		return nil
	case blocks:
		return s.stands(ctx, other)
	}
	if err := s.limits.room(load, m.others.load(m.now)); err != nil {
		return err
	}
	if err := s.takeSeat(ctx, m, inv); err != nil {
		return err
	}
	inv.Mailing = 1
	r := s.opened(Record{Invitation: inv}, m.now, m.choices.lasts)
	m.others, m.made, m.answers = append(m.others, r), append(m.made, r), append(m.answers, r.Invitation)
	return nil
}

// takeSeat is seat for the first that takes one: the owner of the address has it then. They may have one
// by a pending invitation already, which is looked for when those that are replaced up to here have ended.
func (s *Service) takeSeat(ctx context.Context, m *making, inv Invitation) error {
	if m.seated || !inv.takesSeat() || !m.account.Seats.CountPending {
		return nil
	}
	m.seated = true
	if err := s.end(ctx, m); err != nil {
		return err
	}
	return s.seat(ctx, m.actor, m.now, m.account, inv)
}

// end ends the pending invitations that are in the way.
func (s *Service) end(ctx context.Context, m *making) error {
	if err := s.stepAll(ctx, system, m.now, m.lapsed, OnExpire); err != nil {
		return err
	}
	if err := s.stepAll(ctx, m.actor, m.now, m.replaced, OnRevoke); err != nil {
		return err
	}
	m.lapsed, m.replaced = nil, nil
	return nil
}

// enter locks the actor's team, and the account before it where the invitation may take a seat.
func (s *Service) enter(ctx context.Context, actor tenancy.Actor, inv Invitation) (tenancy.Account, tenancy.Entered, error) {
	if inv.takesSeat() {
		account, team, standing, err := s.people.EnterAccount(ctx, actor)
		return account, tenancy.Entered{Team: team, Standing: standing}, err
	}
	team, standing, err := s.people.Enter(ctx, actor)
	return tenancy.Account{}, tenancy.Entered{Team: team, Standing: standing}, err
}

// takesSeat reports whether accepting makes the user more than a guest. A custom role does.
func (i Invitation) takesSeat() bool {
	return i.Kind == ToOneTeam && (i.Role != rbac.Restricted || !i.Custom.IsZero())
}

// seat sees to it that there is one for a pending invitation, if the account counts those. The
// account is locked, and the invitation not among the pending ones yet; or it is, and then has the
// seat that it took.
func (s *Service) seat(ctx context.Context, by tenancy.Principal, now time.Time, account tenancy.Account, inv Invitation) error {
	if !inv.takesSeat() || !account.Seats.CountPending {
		return nil
	}
	return s.people.Seat(ctx, by, now, account, tenancy.Newcomer{Email: inv.Email.Normal})
}

// insert writes a new invitation, and the event that asks for its mail.
func (s *Service) insert(ctx context.Context, by tenancy.Principal, inv Invitation, now time.Time, lasts time.Duration) (Invitation, error) {
	inv.Mailing = 1
	return s.open(ctx, by, Record{Invitation: inv}, now, lasts)
}

// open writes a new invitation of whatever kind, and its event.
func (s *Service) open(ctx context.Context, by tenancy.Principal, r Record, now time.Time, lasts time.Duration) (Invitation, error) {
	r = s.opened(r, now, lasts)
	return r.Invitation, s.begin(ctx, by, now, []Record{r})
}

// begin writes new invitations, and an event for each.
func (s *Service) begin(ctx context.Context, by tenancy.Principal, now time.Time, opened []Record) error {
	if len(opened) == 0 {
		return nil
	}
	if err := s.store.InsertInvitation(ctx, opened...); err != nil {
		return err
	}
	var events []outbox.Event
	for _, r := range opened {
		events = append(events, s.env.Event(by, now, r.in(), InvitationCreated, r.facts()))
	}
	return s.store.Append(ctx, events...)
}

// opened is a new invitation as it is stored first.
func (s *Service) opened(r Record, now time.Time, lasts time.Duration) Record {
	r.ID = tenancy.NewID[tenancy.InvitationID](s.env)
	r.State, r.Version, r.Lasts = Pending, 1, lasts
	r.CreatedAt, r.ExpiresAt = now, now.Add(lasts)
	return r
}
