package conversation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

func typedInvite(ctx context.Context, t typed) (Reply, error) {
	options := []invite.Option{invite.WithHistory(tenancy.HistoryPolicy(t.args["history"]))}
	if lasts, given := t.args.Duration("expires"); given {
		options = append(options, invite.ExpiresIn(lasts))
	}
	inv, err := t.invites.Create(ctx, t.actor, invite.ToConversation(t.args["email"], t.id, options...))
	return answer(err, "%s is invited into this conversation.", inv.Email)
}

func typedAssign(ctx context.Context, t typed) (Reply, error) {
	user, err := t.colleague(ctx, t.args["who"])
	if err != nil {
		return Reply{}, err
	}
	assign := t.Assign
	if t.args["takeover"] != "" {
		assign = t.TakeOver
	}
	who := t.args["who"]
	if user == t.actor.User {
		who = "you"
	}
	_, err = assign(ctx, t.actor, t.id, user)
	return answer(err, "The conversation is assigned to %s.", who)
}

// colleague finds the user whom a command names.
func (t typed) colleague(ctx context.Context, who string) (tenancy.UserID, error) {
	if strings.EqualFold(who, "me") {
		return t.actor.User, nil
	}
	member, err := t.people.MemberByEmail(ctx, t.actor, who)
	if errors.Is(err, tenancy.ErrNotFound) {
		return tenancy.UserID{}, ErrNotRecipient
	}
	return member.User, err
}

func typedDeliver(ctx context.Context, t typed) (Reply, error) {
	outcome := Outcome{Status: Label(t.args["status"]), Summary: t.args["summary"]}
	outcome.Rating, _ = t.args.Int("rating")
	to := ToEmail(t.args["to"])
	if !strings.Contains(t.args["to"], "@") {
		team, err := t.target(ctx, t.args["to"])
		if err != nil {
			return Reply{}, err
		}
		to = ToTeam(team)
	}
	d, err := t.Deliver(ctx, t.actor, t.id, to, outcome, t.terms()...)
	switch {
	case d.State != DeliveryPending:
		return answer(err, "The conversation is delivered to %s: %s.", t.args["to"], d.Outcome.Status)
	case d.Invitation.IsZero():
		return answer(err, "%s is asked; the delivery completes when they accept.", t.args["to"])
	}
	return answer(err, "%s is invited; the delivery completes when they accept.", t.args["to"])
}

// errNoTarget is one answer for a team that is not there, one of another account, one that is archived
// and one that the team may not deliver to: who types names does not learn which there are.
var errNoTarget = fmt.Errorf("%w: there is no team of this name to deliver to", tenancy.ErrNotFound)

// target finds the team that a command names.
func (t typed) target(ctx context.Context, name string) (tenancy.TeamID, error) {
	own, err := t.people.TeamByID(ctx, statuses, t.actor.Team)
	if err != nil {
		return tenancy.TeamID{}, err
	}
	team, err := t.people.TeamByName(ctx, t.actor, name)
	if notFound(err) || err == nil && !reaches(own, team) {
		return tenancy.TeamID{}, errNoTarget
	}
	return team.ID, err
}

// reaches reports whether a team can deliver to another one now.
func reaches(own, target tenancy.Team) bool {
	return target.ID != own.ID && target.Status == tenancy.TeamActive && delivers(own, target)
}

// terms are what the options of a delivery say.
func (t typed) terms() []DeliverOption {
	var options []DeliverOption
	within, timed := t.args.Duration("accept-within")
	if timed || t.args["ask"] != "" {
		options = append(options, AskAcceptance(within))
	}
	if t.args["keep-open"] != "" {
		options = append(options, KeepOpen())
	}
	if t.args["keep-reading"] != "" {
		options = append(options, KeepReading())
	}
	return options
}

func typedClose(ctx context.Context, t typed) (Reply, error) {
	_, err := t.Close(ctx, t.actor, t.id, Label(t.args["status"]))
	return answer(err, "The conversation is closed.")
}

// reminders is the system that looks up how a team tells the time.
const reminders = tenancy.System("snooze")

func typedSnooze(ctx context.Context, t typed) (Reply, error) {
	team, err := t.people.TeamByID(ctx, reminders, t.actor.Team)
	if err != nil {
		return Reply{}, err
	}
	until, err := parseWhen(t.args["until"], t.env.Now(), team.Settings)
	if err != nil {
		return Reply{}, err
	}
	_, err = t.Snooze(ctx, t.actor, t.id, until)
	return answer(err, "The conversation is snoozed until %s.", until.Format("Monday, 2 January 2006, 15:04 MST"))
}

func typedOpen(ctx context.Context, t typed) (Reply, error) {
	_, err := t.Open(ctx, t.actor, t.id)
	return answer(err, "The conversation is open.")
}

func typedClaim(ctx context.Context, t typed) (Reply, error) {
	c, err := t.Claim(ctx, t.actor, t.id)
	return answer(err, "The conversation is yours until %s.", c.ClaimedUntil.Format("15:04 MST"))
}

func typedRelease(ctx context.Context, t typed) (Reply, error) {
	_, err := t.Release(ctx, t.actor, t.id)
	return answer(err, "Your claim has ended.")
}

func typedNote(ctx context.Context, t typed) (Reply, error) {
	m, err := t.Note(ctx, t.actor, t.id, t.args["text"], t.options...)
	if err != nil {
		return Reply{}, err
	}
	return Reply{Message: &m, Text: "Noted; only the team sees it."}, nil
}

func typedRead(ctx context.Context, t typed) (Reply, error) {
	_, err := t.MarkRead(ctx, t.actor, t.id, math.MaxInt64)
	return answer(err, "The conversation is read.")
}

func typedUnread(ctx context.Context, t typed) (Reply, error) {
	from, given := t.args.Int("from")
	if !given {
		c, err := t.Get(ctx, t.actor, t.id)
		if err != nil {
			return Reply{}, err
		}
		from = int(c.LastSeq)
	}
	_, err := t.MarkUnread(ctx, t.actor, t.id, int64(from))
	return answer(err, "Unread from message %d on.", from)
}

func typedOptOut(ctx context.Context, t typed) (Reply, error) {
	_, err := t.OptOut(ctx, t.actor, t.id, t.args["reason"])
	return answer(err, "The contact is opted out: nothing is sent to them from here on.")
}

func typedOptIn(ctx context.Context, t typed) (Reply, error) {
	_, err := t.OptIn(ctx, t.actor, t.id, t.args["reason"])
	return answer(err, "The contact can be written to again.")
}

func typedStat(ctx context.Context, t typed) (Reply, error) {
	timing, which := WorkingHours, "working hours"
	if t.args["hours"] == "all" {
		timing, which = AllHours, "all hours"
	}
	r, err := t.Responses(ctx, t.actor, t.id, timing)
	return answer(err, "Response times, in %s:\n%s", which, r)
}

func typedHelp(_ context.Context, t typed) (Reply, error) {
	name := t.args["command"]
	if name == "" {
		return Reply{Text: t.commands.Help(func(name string) bool { return t.seen.can(t.verbs[name].takes) })}, nil
	}
	spec, err := t.commands.Find(name)
	if err != nil {
		return Reply{}, &CommandError{Err: err}
	}
	text := spec.Explain()
	if err := t.seen.allows(t.verbs[spec.Name].takes); err != nil {
		text += fmt.Sprintf("\n  not here: %v", err)
	}
	return Reply{Text: text}, nil
}

func answer(err error, format string, args ...any) (Reply, error) {
	if err != nil {
		return Reply{}, err
	}
	return Reply{Text: fmt.Sprintf(format, args...)}, nil
}
