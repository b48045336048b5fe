package conversation

import (
	"context"
	"strings"

	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Completion is what can be typed at a place of a line.
type Completion struct {
	// From and To are the part of the line, in bytes, that a choice takes the place of. To is the
	// cursor.
	From, To int
	Choices  []Choice
}

// Choice is one thing that can be typed.
type Choice struct {
	// Text is as it is typed, in quotes where it needs them.
	Text string
	// Help says in one line what it is; often empty.
	Help string
}

// Limits of a [Completion].
const (
	MaxChoices = 20
	// MaxOffered is how many members, and how many teams, are looked through: those who joined, and
	// those that were made, first.
	MaxOffered = 1000
)

// Complete answers what can be typed at the cursor of an unfinished command, a place in the line in
// bytes: names of commands and options, statuses, members, teams. It offers what the actor may do to
// the conversation now, and whom and what they may see, and nothing at all for what they may not. In
// text, behind a mistake, and for a cursor that is not in the line or within a character, there are no
// choices. Nothing is changed. It costs a read of the conversation and, for names out of the store, of
// what is offered, so it is made for each key.
//
// Errors: [*tenancy.InvalidError] for a line of more than [MaxText] bytes, and as with [Service.Type]
// [tenancy.ErrNotFound] and, for guests, [rbac.ErrDenied].
func (s *Service) Complete(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, line string, cursor int) (Completion, error) {
	if len(line) > MaxText {
		return Completion{}, validText(line)
	}
	seen, err := s.mayCommand(ctx, actor, id)
	if err != nil {
		return Completion{}, err
	}
	at, ok := s.commands.Spot(line, cursor)
	if !ok {
		return Completion{From: cursor, To: cursor}, nil
	}
	m := menu{typed: at.Typed}
	err = m.fill(ctx, typed{Service: s, actor: actor, id: id, seen: seen}, at)
	return Completion{From: at.From, To: cursor, Choices: m.choices}, err
}

// menu collects the choices that begin as typed.
type menu struct {
	typed   string
	choices []Choice
}

// add takes a value that begins as typed, or is called by one of the names that do, and reports whether
// there is room for more.
func (m *menu) add(value, help string, names ...string) bool {
	for _, name := range append(names, value) {
		if len(m.choices) < MaxChoices && begins(name, m.typed) {
			m.choices = append(m.choices, Choice{Text: command.Write(value), Help: help})
			break
		}
	}
	return len(m.choices) < MaxChoices
}

// begins compares without regard to case.
func begins(name, typed string) bool {
	return strings.HasPrefix(strings.ToLower(name), strings.ToLower(typed))
}

// fill adds what can stand at the spot.
func (m *menu) fill(ctx context.Context, t typed, at command.Spot) error {
	if at.Command == "" {
		return offerCommands(ctx, t, m)
	}
	v := t.verbs[at.Command]
	if !t.seen.can(v.takes) {
		return nil
	}
	for _, value := range at.Param.Values {
		m.add(value, at.Param.Help)
	}
	if offer := v.offers[at.Param.Name]; offer != nil {
		if err := offer(ctx, t, m); err != nil {
			return err
		}
	}
	for _, p := range at.Names {
		if len(m.choices) == MaxChoices {
			break
		}
		option := p.Name + ":"
		if len(p.Values) == 1 {
			option += command.Write(p.Values[0])
		}
		m.choices = append(m.choices, Choice{Text: option, Help: p.Help})
	}
	return nil
}

// offers adds to the menu what a parameter can be.
type offers func(ctx context.Context, t typed, m *menu) error

func offerCommands(_ context.Context, t typed, m *menu) error {
	for _, spec := range t.commands.Specs() {
		if t.seen.can(t.verbs[spec.Name].takes) {
			m.add(spec.Name, spec.Help)
		}
	}
	return nil
}

func offerTimes(_ context.Context, _ typed, m *menu) error {
	for _, until := range []string{"30m", "1h", "2h", "4h", "tomorrow", "monday", "3d", "1w"} {
		m.add(until, "")
	}
	return nil
}

func offerStatuses(ctx context.Context, t typed, m *menu) error {
	for _, l := range labels {
		m.add(string(l.label), string(l.category))
	}
	team, err := t.people.TeamByID(ctx, statuses, t.seen.Team)
	if err != nil {
		return err
	}
	for _, own := range team.Settings.Statuses {
		m.add(own.Label, string(own.Category))
	}
	return nil
}

// offerMembers adds who can be responsible for the team's conversations, to those who may list members.
func offerMembers(ctx context.Context, t typed, m *menu) error {
	m.add("me", "")
	return offerColleagues(ctx, t, m)
}

func offerColleagues(ctx context.Context, t typed, m *menu) error {
	if !t.seen.can(act{rbac.ListMembers, true}) {
		return nil
	}
	able, err := t.people.Able(ctx, t.actor.Team, toAnswer...)
	if err != nil {
		return err
	}
	eligible := make(map[tenancy.UserID]bool, len(able))
	for _, user := range able {
		eligible[user] = true
	}
	read := func(page tenancy.Page) (tenancy.List[tenancy.Member], error) {
		return t.people.Members(ctx, t.actor, page)
	}
	return each(read, func(member tenancy.Member) bool {
		return !eligible[member.User] || m.add(member.Email.Display, member.Name, member.Name)
	})
}

// offerRecipients adds to whom the team may deliver: colleagues, and teams for those who may read teams.
func offerRecipients(ctx context.Context, t typed, m *menu) error {
	if err := offerColleagues(ctx, t, m); err != nil {
		return err
	}
	if !t.seen.can(act{rbac.ReadTeam, true}) {
		return nil
	}
	own, err := t.people.TeamByID(ctx, statuses, t.seen.Team)
	if err != nil {
		return err
	}
	read := func(page tenancy.Page) (tenancy.List[tenancy.Team], error) {
		return t.people.TeamsByAccount(ctx, statuses, own.Account, page)
	}
	return each(read, func(team tenancy.Team) bool { return !reaches(own, team) || m.add(team.Name, "") })
}

// each takes the items of a list one by one, at most [MaxOffered] and until one is refused.
func each[T any](read func(tenancy.Page) (tenancy.List[T], error), take func(T) (more bool)) error {
	page := tenancy.Page{Limit: tenancy.MaxLimit}
	for range MaxOffered / tenancy.MaxLimit {
		list, err := read(page)
		if err != nil {
			return err
		}
		for _, item := range list.Items {
			if !take(item) {
				return nil
			}
		}
		if page.After = list.Next; list.Next == "" {
			break
		}
	}
	return nil
}
