package command_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation/command"
)

// specs are the commands of the conversation room, and three more to have every kind of parameter.
func specs() []command.Spec {
	outcome := []command.Param{
		{Name: "status", Kind: command.Name, Named: true},
		{Name: "rating", Kind: command.Integer, Named: true, Min: 0, Max: 5},
		{Name: "summary", Kind: command.Phrase, Named: true},
	}
	deliver := append([]command.Param{{Name: "to", Kind: command.Name, Required: true}}, outcome...)
	deliver = append(deliver, command.Param{Name: "keep", Kind: command.OneOf, Named: true, Values: []string{"open"}})
	return []command.Spec{
		{Name: "invite", Help: "invite a guest by e-mail", Params: []command.Param{{Name: "email", Required: true}}},
		{Name: "assign", Help: `make a member responsible, or "me"`, Params: []command.Param{{Name: "who", Kind: command.Name, Required: true}}},
		{Name: "deliver", Help: "hand the conversation over", Params: deliver},
		{Name: "close", Help: "close the conversation", Params: outcome},
		{Name: "open", Help: "open the conversation again"},
		{Name: "note", Help: "write what only the team sees", Params: []command.Param{{Name: "text", Kind: command.Rest, Required: true}}},
		{Name: "help", Help: "show the commands", Params: []command.Param{{Name: "command"}}},
		{Name: "snooze", Help: "wake it later", Params: []command.Param{
			{Name: "days", Kind: command.Integer, Required: true, Min: 1, Max: 90},
			{Name: "reason", Kind: command.Rest},
		}},
		{Name: "mark", Help: "mark it", Params: []command.Param{
			{Name: "as", Kind: command.OneOf, Required: true, Values: []string{"Read", "Not Read"}},
			{Name: "until", Named: true, Required: true},
		}},
		{Name: "wait", Help: "do nothing", Params: []command.Param{
			{Name: "for", Kind: command.Duration, Required: true, Help: "how long"},
			{Name: "at-most", Kind: command.Duration, Named: true, Help: "how long at most"},
		}},
	}
}

func set(tb testing.TB) command.Set {
	tb.Helper()
	s, err := command.NewSet(specs()...)
	require.NoError(tb, err)
	return s
}
