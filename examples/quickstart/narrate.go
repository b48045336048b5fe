package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// tell is the deed with its values in place.
func (r rule) tell(a args) string {
	pairs := make([]string, 0, 2*len(a))
	for name, value := range a {
		switch name {
		case "PERSON":
			value = capital(strings.ToLower(value))
		case "PERMISSION", "VALUE":
			value = `"` + value + `"`
		}
		pairs = append(pairs, name, value)
	}
	return strings.NewReplacer(pairs...).Replace(r.deed)
}

// introduce names a person and what they are in the team they act in. A team that they are in
// no more leaves their screen.
func (s *stage) introduce(ctx context.Context, who *person) (string, error) {
	if who.id.IsZero() {
		return who.name, nil
	}
	mine, err := s.teamsOf(ctx, who.id)
	if err != nil {
		return "", err
	}
	if len(mine) == 0 {
		who.team = tenancy.TeamID{}
		return who.name + " (in no team)", nil
	}
	i := max(0, slices.IndexFunc(mine, func(m tenancy.TeamOfUser) bool { return m.Team.ID == who.team }))
	who.team = mine[i].Team.ID
	return fmt.Sprintf("%s (%s of %s)", who.name, calling(mine[i].Role), mine[i].Team.Name), nil
}

// calling is what people call a role.
func calling(role rbac.Role) string {
	if role == rbac.Restricted {
		return "guest"
	}
	return role.String()
}

// reason says why usher refused. usher's own words do, but for errors that carry an id, which
// a host shows as the name that it stands for.
func (s *stage) reason(ctx context.Context, v verdict, err error) string {
	var assigned *conversation.AssignedError
	var claimed *conversation.ClaimedError
	var optOut *conversation.OptedOutError
	var pending *invite.PendingError
	var accepted *invite.AcceptedError
	text := err.Error()
	switch {
	case errors.As(err, &assigned):
		text = "the conversation is assigned to " + s.userName(ctx, assigned.Assignee)
	case errors.As(err, &claimed):
		text = "the conversation is claimed by " + s.userName(ctx, claimed.Claimant)
	case errors.As(err, &optOut):
		text = "the contact must not be written to until they write START"
	case errors.As(err, &pending):
		text = "an invitation to this address is pending"
	case errors.As(err, &accepted):
		text = "the invitation was accepted before"
	case text == tenancy.ErrNotFound.Error():
		text = "as if there were no such thing"
	}
	class := strings.ReplaceAll(string(v), "-", " ")
	return class + ": " + strings.Replace(text, class+": ", "", 1) // a wrapped error has it in the middle
}

// userName is what a person is called, also one whom only an earlier run has seen.
func (s *stage) userName(ctx context.Context, id tenancy.UserID) string {
	user, err := s.usher.Tenancy.User(ctx, id)
	if err != nil {
		return "someone"
	}
	return user.Name
}

func (s *stage) teamName(ctx context.Context, id tenancy.TeamID) string {
	team, err := s.usher.Tenancy.TeamByID(ctx, host, id)
	if err != nil {
		return "another team"
	}
	return team.Name
}

func capital(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(first)) + name[size:]
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// narrator tells the story to the audience.
type narrator struct {
	w *bufio.Writer
	// inScene says that a step was told last.
	inScene bool
}

// pause leaves a line empty between the steps and what is said about them.
func (n *narrator) pause(inScene bool) {
	if n.inScene != inScene {
		fmt.Fprintln(n.w)
	}
	n.inScene = inScene
}

func (n *narrator) heading(text string) {
	n.inScene = false
	fmt.Fprintf(n.w, "\n== %s\n", text)
}

func (n *narrator) remark(text string) {
	n.pause(false)
	fmt.Fprintf(n.w, "   %s\n", text)
}

// step tells who did what, what usher decided and what follows.
func (n *narrator) step(t told) {
	n.pause(true)
	fmt.Fprintf(n.w, "%3d  %s %s\n", t.line, t.who, t.deed)
	switch {
	case t.verdict != ok:
		fmt.Fprintf(n.w, "       ✗ %s\n", t.reason)
	case t.answer.again:
		fmt.Fprintf(n.w, "       = %s\n", t.answer.text)
	default:
		fmt.Fprintf(n.w, "       ✓ %s\n", t.answer.text)
	}
	for _, more := range t.answer.more {
		fmt.Fprintf(n.w, "           %s\n", more)
	}
	for _, m := range t.mails {
		fmt.Fprintf(n.w, "       ✉ to %s: %s%s\n", m.To, m.Subject(), as(m))
	}
	if t.otherwise() {
		fmt.Fprintf(n.w, "       ! the story says !%s here\n", t.mark)
	}
}

// as is the role that a mail offers, where it leaves a choice.
func as(m invite.Mail) string {
	if m.Kind == invite.ToOneConversation {
		return ""
	}
	return ", as " + m.Role.String()
}
