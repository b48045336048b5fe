package conversation

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Reply is what [Service.Type] made of a line.
type Reply struct {
	// Message is what was written to the conversation; nil where nothing was.
	Message *Message
	// Text is the answer to a command. It is for its author only and is stored nowhere.
	Text string
}

// CommandError says that a line begins a command and is none. It is [tenancy.ErrInvalid] and
// wraps a [*command.Error].
type CommandError struct{ Err error }

func (e *CommandError) Error() string { return e.Err.Error() }

// Unwrap is the parser's error.
func (e *CommandError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, tenancy.ErrInvalid) true.
func (e *CommandError) Is(target error) bool { return target == tenancy.ErrInvalid }

// Type takes a line as a person typed it: ^name begins a command, ^^ a text that begins with
// a caret, and all else is sent like [Service.Send]. A command calls the same methods as the
// host would, so the same checks run. One that is unknown or fails is an error; in no case is
// it sent to the contact. Guests cannot run any.
//
// The same line with the same [ClientID], or under the same key of [tenancy.WithKey], runs once, and
// answers the first reply from then on, for as long as the actor sees the conversation; another
// command with that id or key is [tenancy.ErrKeyReused]. What failed runs anew. Such a command is one
// transaction as a whole. The client id of a command is kept like a key, until
// [tenancy.Service.ForgetKeys].
//
// Errors: [*CommandError], [tenancy.ErrKeyReused], and those of the method that the command calls.
func (s *Service) Type(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, line string, options ...SendOption) (Reply, error) {
	if len(line) > MaxText { // before it is read at all
		return Reply{}, validText(line)
	}
	parsed, err := s.commands.Parse(line)
	if text, ok := parsed.(command.Text); ok {
		m, err := s.say(ctx, actor, id, OutboundMessage, string(text), options)
		if err != nil {
			return Reply{}, err
		}
		return Reply{Message: &m}, nil
	}
	if err := s.mayCommand(ctx, actor, id); err != nil {
		return Reply{}, err
	}
	if err != nil {
		return Reply{}, &CommandError{Err: err}
	}
	c, _ := parsed.(command.Command) // without an error there is nothing else left
	return s.perform(ctx, c, line, typed{Service: s, actor: actor, id: id, args: c.Args, options: options})
}

// perform runs a command, and once for each key and for each client id, whichever it is given. The
// request is the line and not what the command makes of it: ^snooze 2h is another time each time.
func (s *Service) perform(ctx context.Context, c command.Command, line string, t typed) (Reply, error) {
	run := func(ctx context.Context) (Reply, error) { return s.runs[c.Name](ctx, t) }
	once := func(next func(context.Context) (Reply, error)) func(context.Context) (Reply, error) {
		return func(ctx context.Context) (Reply, error) {
			return tenancy.Do(ctx, s.store, s.env, t.actor, "Type", []any{t.actor.Team, t.id, line}, next)
		}
	}
	client, given, err := clientID(t.options)
	if err != nil {
		return Reply{}, err
	}
	if given {
		key, keyed := keyOf("command", t.id.String(), client), once(run)
		run = func(ctx context.Context) (Reply, error) {
			return keyed(tenancy.WithKey(ctx, "command:"+hex.EncodeToString(key[:])))
		}
	}
	if tenancy.Keyed(ctx) {
		run = once(run)
	}
	return run(ctx)
}

// mayCommand refuses who may not see the conversation, and guests, before anything is said
// about the command.
func (s *Service) mayCommand(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) error {
	v, err := s.look(ctx, actor, id, reading)
	if err != nil {
		return err
	}
	if err := v.standing.Check(rbac.ReadConversations); err != nil {
		return fmt.Errorf("commands are not for guests: %w", err)
	}
	return nil
}

// Commands lists the commands, for a user interface to offer.
func (s *Service) Commands() []command.Spec { return s.commands.Specs() }

// typed is one command with all that it needs to run.
type typed struct {
	*Service
	actor   tenancy.Actor
	id      tenancy.ConversationID
	args    command.Args
	options []SendOption
}

// outcomeParams are the arguments that make up an [Outcome].
var outcomeParams = []command.Param{
	{Name: "status", Kind: command.Name, Named: true},
	{Name: "rating", Kind: command.Integer, Named: true, Max: MaxRating},
	{Name: "summary", Kind: command.Phrase, Named: true},
}

// run is what a command does.
type run func(context.Context, typed) (Reply, error)

// verb is a command: how it is written and what it does.
type verb struct {
	command.Spec
	run run
}

// vocabulary is every command.
var vocabulary = []verb{
	{command.Spec{Name: "invite", Help: "invite someone by e-mail into this conversation, as a guest", Params: []command.Param{
		{Name: "email", Kind: command.Word, Required: true},
	}}, typedInvite},
	{command.Spec{Name: "assign", Help: "make a member of the team responsible: an e-mail address, or me", Params: []command.Param{
		{Name: "who", Kind: command.Word, Required: true},
		{Name: "takeover", Kind: command.OneOf, Named: true, Values: []string{"yes"}},
	}}, typedAssign},
	{command.Spec{Name: "deliver", Help: "hand the conversation over: to an e-mail address, or to a team by its name", Params: append([]command.Param{
		{Name: "to", Kind: command.Name, Required: true},
		{Name: "keep", Kind: command.OneOf, Named: true, Values: []string{"open"}},
	}, outcomeParams...)}, typedDeliver},
	{command.Spec{Name: "close", Help: "end the work on the conversation", Params: []command.Param{
		{Name: "status", Kind: command.Name, Named: true},
	}}, typedClose},
	{command.Spec{Name: "snooze", Help: "put the conversation out of the way: for 2h or 3d, until 14:30, tomorrow, monday 14:30 or 2026-03-02", Params: []command.Param{
		{Name: "until", Kind: command.Rest, Required: true},
	}}, typedSnooze},
	{command.Spec{Name: "open", Help: "take a closed or snoozed conversation up again"}, typedOpen},
	{command.Spec{Name: "claim", Help: "say that you are answering: nobody else can, for a while"}, typedClaim},
	{command.Spec{Name: "release", Help: "end your claim"}, typedRelease},
	{command.Spec{Name: "note", Help: "write a note that only the team sees", Params: []command.Param{
		{Name: "text", Kind: command.Rest, Required: true},
	}}, typedNote},
	{command.Spec{Name: "read", Help: "mark the conversation as read, for yourself"}, typedRead},
	{command.Spec{Name: "unread", Help: "mark the newest message as unread, or all from a message on, for yourself", Params: []command.Param{
		{Name: "from", Kind: command.Integer, Min: 1, Max: 999_999_999},
	}}, typedUnread},
	{command.Spec{Name: "opt-out", Help: "note that the contact does not want to be written to, and why", Params: []command.Param{
		{Name: "reason", Kind: command.Rest, Required: true},
	}}, typedOptOut},
	{command.Spec{Name: "opt-in", Help: "take back an ^opt-out of the team, and say why", Params: []command.Param{
		{Name: "reason", Kind: command.Rest, Required: true},
	}}, typedOptIn},
	{command.Spec{Name: "help", Help: "show the commands, or how one is written", Params: []command.Param{
		{Name: "command", Kind: command.Word},
	}}, typedHelp},
}

// learn prepares the vocabulary for the parser and the dispatcher.
func (s *Service) learn(verbs []verb) error {
	specs := make([]command.Spec, len(verbs))
	s.runs = make(map[string]run, len(verbs))
	for i, v := range verbs {
		specs[i], s.runs[v.Name] = v.Spec, v.run
	}
	var err error
	s.commands, err = command.NewSet(specs...)
	return err
}

func typedInvite(ctx context.Context, t typed) (Reply, error) {
	inv, err := t.invites.Create(ctx, t.actor, invite.ToConversation(t.args["email"], t.id))
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
	_, err = assign(ctx, t.actor, t.id, user)
	return answer(err, "The conversation is assigned to %s.", t.args["who"])
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
	outcome := Outcome{Summary: t.args["summary"]}
	outcome.Rating, _ = t.args.Int("rating")
	outcome.Status = Label(t.args["status"])
	to := ToEmail(t.args["to"])
	if !strings.Contains(t.args["to"], "@") {
		team, err := t.people.TeamByName(ctx, t.actor, t.args["to"])
		if err != nil {
			return Reply{}, err
		}
		to = ToTeam(team.ID)
	}
	var options []DeliverOption
	if t.args["keep"] != "" {
		options = append(options, KeepOpen())
	}
	d, err := t.Deliver(ctx, t.actor, t.id, to, outcome, options...)
	if d.State == DeliveryPending {
		return answer(err, "%s is invited; the delivery completes when they accept.", t.args["to"])
	}
	return answer(err, "The conversation is delivered to %s: %s.", t.args["to"], d.Outcome.Status)
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

func typedHelp(_ context.Context, t typed) (Reply, error) {
	text, err := t.commands.Help(t.args["command"])
	if err != nil {
		return Reply{}, &CommandError{Err: err}
	}
	return Reply{Text: text}, nil
}

func answer(err error, format string, args ...any) (Reply, error) {
	if err != nil {
		return Reply{}, err
	}
	return Reply{Text: fmt.Sprintf(format, args...)}, nil
}
