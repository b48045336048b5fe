package conversation

import (
	"context"
	"fmt"

	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// verb is a command: all that the parser, ^help, completion, the docs and the dispatcher know of it.
type verb struct {
	command.Spec
	// takes is what the author must be allowed to do to the conversation now. The method asks it
	// again, in its transaction.
	takes act
	// calls is the method that the command is another way to call; empty for a host's own.
	calls string
	// offers completes the values of parameters, by their names.
	offers map[string]offers
	run    run
}

// writes reports whether the command writes a message.
func (v verb) writes() bool { return v.calls == "Note" }

// run is what a command does.
type run func(context.Context, typed) (Reply, error)

// typed is one command with all that it needs to run.
type typed struct {
	*Service
	actor   tenancy.Actor
	id      tenancy.ConversationID
	args    command.Args
	options []SendOption
	// seen is the conversation as the author saw it before the command ran.
	seen view
	// rehearsed says that nothing will be left of it.
	rehearsed bool
}

// yes are the values of an option that is given or not.
var yes = []string{"yes"}

// outcomeParams are the arguments that make up an [Outcome].
var outcomeParams = []command.Param{
	{Name: "status", Kind: command.Name, Named: true, Help: "what came of it: a built-in status or one of the team's; Delivered where nothing is said"},
	{Name: "rating", Kind: command.Integer, Named: true, Max: MaxRating, Help: "0 for none"},
	{Name: "summary", Kind: command.Phrase, Named: true, Help: "a few words for the recipient"},
}

// vocabulary is every command of usher's own.
var vocabulary = []verb{
	{command.Spec{Name: "assign", Help: "make a member of the team responsible", Params: []command.Param{
		{Name: "who", Kind: command.Word, Required: true, Help: "an e-mail address, or me"},
		{Name: "takeover", Kind: command.OneOf, Named: true, Values: yes, Help: "whoever is responsible now, or at it"},
	}}, assigning, "Assign", map[string]offers{"who": offerMembers}, typedAssign},

	{command.Spec{Name: "claim", Help: "say that you are answering: nobody else can, for a while"}, claiming, "Claim", nil, typedClaim},

	{command.Spec{Name: "release", Help: "end your claim"}, releasing, "Release", nil, typedRelease},

	{command.Spec{Name: "close", Help: "end the work on the conversation", Params: []command.Param{
		{Name: "status", Kind: command.Name, Named: true, Help: "what came of it: a built-in status or one of the team's"},
	}}, closing, "Close", map[string]offers{"status": offerStatuses}, typedClose},

	{command.Spec{Name: "open", Help: "take a closed or snoozed conversation up again"}, opening, "Open", nil, typedOpen},

	{command.Spec{Name: "snooze", Help: "put the conversation out of the way for a while", Params: []command.Param{
		{Name: "until", Kind: command.Rest, Required: true, Help: "in the team's time zone: 30m, 2h, 3d or 2w, 14:30, tomorrow, monday 14:30 or 2026-03-02"},
	}}, snoozing, "Snooze", map[string]offers{"until": offerTimes}, typedSnooze},

	{command.Spec{Name: "deliver", Help: "hand the conversation over, with an outcome", Params: append([]command.Param{
		{Name: "to", Kind: command.Name, Required: true, Help: "an e-mail address, of a colleague or anybody else, or the name of a team"},
	}, append(outcomeParams,
		command.Param{Name: "ask", Kind: command.OneOf, Named: true, Values: yes, Help: "leave it where it is until the recipient has accepted"},
		command.Param{Name: "accept-within", Kind: command.Duration, Named: true, Help: "ask, and until when"},
		command.Param{Name: "keep-open", Kind: command.OneOf, Named: true, Values: yes, Help: "do not close it, although the outcome is negative"},
		command.Param{Name: "keep-reading", Kind: command.OneOf, Named: true, Values: yes, Help: "go on reading after it has moved to another team"},
	)...)}, delivering, "Deliver", map[string]offers{"to": offerRecipients, "status": offerStatuses}, typedDeliver},

	{command.Spec{Name: "invite", Help: "invite someone into this conversation, as a guest", Params: []command.Param{
		{Name: "email", Kind: command.Word, Required: true, Help: "an e-mail address"},
		{Name: "history", Kind: command.OneOf, Named: true, Values: []string{"invitation", "now"}, Help: "what they see: from the invitation on, or from its acceptance on; as the team has it where nothing is said"},
		{Name: "expires", Kind: command.Duration, Named: true, Help: "how long the invitation can be accepted; 7d where nothing is said"},
	}}, inviting, "invite.Create", nil, typedInvite},

	{command.Spec{Name: "note", Help: "write a note that only the team sees", Params: []command.Param{
		{Name: "text", Kind: command.Rest, Required: true},
	}}, noting, "Note", nil, typedNote},

	{command.Spec{Name: "read", Help: "mark the conversation as read, for yourself"}, marking, "MarkRead", nil, typedRead},

	{command.Spec{Name: "unread", Help: "mark the newest message as unread, for yourself", Params: []command.Param{
		{Name: "from", Kind: command.Integer, Min: 1, Max: 999_999_999, Help: "the number of the message from which on all are unread"},
	}}, marking, "MarkUnread", nil, typedUnread},

	{command.Spec{Name: "opt-out", Help: "note that the contact does not want to be written to", Params: []command.Param{
		{Name: "reason", Kind: command.Rest, Required: true},
	}}, optingOut, "OptOut", nil, typedOptOut},

	{command.Spec{Name: "opt-in", Help: "take back an ^opt-out of the team", Params: []command.Param{
		{Name: "reason", Kind: command.Rest, Required: true},
	}}, optingIn, "OptIn", nil, typedOptIn},

	{command.Spec{Name: "stat", Help: "show how long the contact and the team let each other wait", Params: []command.Param{
		{Name: "hours", Kind: command.OneOf, Values: []string{"working", "all"}, Help: "which hours count; the working ones where nothing is said"},
	}}, measuring, "Responses", nil, typedStat},

	{command.Spec{Name: "help", Help: "show what can be done here, or how one command is written", Params: []command.Param{
		{Name: "command", Kind: command.Word},
	}}, reading, "Commands", map[string]offers{"command": offerCommands}, typedHelp},
}

// learn prepares usher's commands and the host's for the parser and the dispatcher.
func (s *Service) learn(policy *rbac.Policy, own []Command) error {
	verbs := append([]verb(nil), vocabulary...)
	for _, c := range own {
		v, err := s.hosted(policy, c)
		if err != nil {
			return fmt.Errorf("the command %q: %w", c.Name, err)
		}
		verbs = append(verbs, v)
	}
	specs := make([]command.Spec, len(verbs))
	s.verbs = make(map[string]verb, len(verbs))
	for i, v := range verbs {
		specs[i], s.verbs[v.Name] = v.Spec, v
	}
	var err error
	s.commands, err = command.NewSet(specs...)
	return err
}

// Commands lists the commands, for a user interface to offer. What of them an actor may do in a
// conversation, ^help and [Service.Complete] tell.
func (s *Service) Commands() []command.Spec { return s.commands.Specs() }
