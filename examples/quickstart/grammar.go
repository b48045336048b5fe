package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// args are the values of a step by the name of their place, such as ADDRESS.
type args map[string]string

// rule is one kind of step.
type rule struct {
	// form is how it is written: small letters stand for themselves, capitals for a value.
	form string
	// deed is how it is told, after the name of who does it.
	deed string
	help string
	play func(s *stage, ctx context.Context, who *person, a args) (answer, error)
}

// actions are all that a person can do but speak.
var actions = []rule{
	{"sign up as ADDRESS", "signs up as ADDRESS", "the host has checked the address and registers the person", (*stage).signUp},
	{"create account NAME", "creates the account NAME", "whoever creates an account holds it", (*stage).createAccount},
	{"create team TEAM", "creates the team TEAM", "in the account of the last line that was about one", (*stage).createTeam},
	{"create team TEAM with number NUMBER", "creates the team TEAM with the number NUMBER", "contacts can write to this one", (*stage).createTeam},
	{"invite ADDRESS as ROLE", "invites ADDRESS as ROLE", "into the team; ^invite ADDRESS invites into a conversation", (*stage).invite},
	{"resend invitation ADDRESS", "sends the invitation of ADDRESS again", "the link in the old mail stops working", (*stage).resend},
	{"revoke invitation ADDRESS", "revokes the invitation of ADDRESS", "take back what nobody has accepted yet", (*stage).revoke},
	{"read mail", "reads the newest mail", "what an invitation shows before it is answered", (*stage).readMail},
	{"accept", "accepts the invitation", "the one in the newest mail", (*stage).accept},
	{"decline", "declines the invitation", "the one in the newest mail", (*stage).decline},
	{"switch to TEAM", "switches to TEAM", "act in another of one's teams", (*stage).switchTeam},
	{"list teams", "lists the teams", "one's own", (*stage).listTeams},
	{"list members", "lists the members", "of the team", (*stage).listMembers},
	{"make PERSON ROLE", "makes PERSON ROLE", "change a member's role", (*stage).changeRole},
	{"remove PERSON", "removes PERSON from the team", "from the team that one acts in", (*stage).remove},
	{"leave", "leaves the team", "the team that one acts in", (*stage).leave},
	{"read NUMBER", "reads the conversation with NUMBER", "what is typed next goes there", (*stage).read},
	{"take the next", "takes the next conversation", "the one that has waited longest; nobody else is given it then", (*stage).next},
	{"revoke guest PERSON", "shows PERSON out of the conversation", "a guest of the conversation that one is in", (*stage).revokeGuest},
	{"edit contact FIELD VALUE", "sets the contact's FIELD to VALUE", "FIELD is name, email or notes", (*stage).editContact},
	{"check PERMISSION", "asks for PERMISSION", "may they? such as: dashboard: read", (*stage).check},
	speech,
}

// speech is for what does not begin with a capital letter.
var speech = rule{"say TEXT", "types: TEXT", "type TEXT, also if it begins with a small letter", (*stage).say}

// Contacts are nobody's users; all they can do is write.
var letters = []rule{
	{"contact NUMBER", "writes: TEXT", "", (*stage).receive},
	{"contact NUMBER to TEAM", "writes to TEAM: TEXT", "", (*stage).receive},
}

// place is what can stand where a form has a word in capitals.
type place struct {
	expected string
	fits     func(value string) bool
	// like suggests values to someone who gave another; mostly nil.
	like func(value string) string
}

// describe says what was expected instead of a value.
func (p place) describe(value string) string {
	if p.like == nil || p.like(value) == "" {
		return p.expected
	}
	expected, _, _ := strings.Cut(p.expected, ",")
	return expected + " (did you mean " + p.like(value) + "?)"
}

// rest are the places whose values run to the end of the line, quotes and all.
func rest(name string) bool { return name == "TEXT" || name == "PERMISSION" }

var (
	number    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	anything  = func(value string) bool { return strings.TrimSpace(value) != "" }
	isAddress = func(value string) bool { _, err := tenancy.ParseAddress(value); return err == nil }
	isRole    = func(value string) bool { _, err := rbac.ParseRole(value); return err == nil }
)

var places = map[string]place{
	"ADDRESS":    {"an e-mail address, such as bob@acme.example", isAddress, nil},
	"NUMBER":     {"a phone number, such as +15551230001", number.MatchString, nil},
	"ROLE":       {"a role: manager, member or restricted", isRole, nil},
	"PERSON":     {"the name of someone who has signed up", isPerson, nil},
	"FIELD":      {"name, email or notes", func(v string) bool { return v == "name" || v == "email" || v == "notes" }, nil},
	"NAME":       {`a name, in "quotes" if it has several words`, anything, nil},
	"TEAM":       {`the name of a team, in "quotes" if it has several words`, anything, nil},
	"VALUE":      {`a value, in "quotes" if it has several words`, func(string) bool { return true }, nil},
	"TEXT":       {"something to say", anything, nil},
	"PERMISSION": {"the name of a permission, such as dashboard: read", func(v string) bool { return permission(v) != 0 }, like},
}

// permission finds a built-in permission by its name; zero is none.
func permission(name string) rbac.Permission {
	for _, p := range rbac.Permissions() {
		if p.String() == name {
			return p
		}
	}
	return 0
}

// like lists the permissions whose names share a word with the text, for those who guessed.
func like(text string) string {
	guess := strings.FieldsFunc(text, notLetter)
	var names []string
	for _, p := range rbac.Permissions() {
		shares := func(word string) bool { return slices.Contains(strings.FieldsFunc(p.String(), notLetter), word) }
		if slices.ContainsFunc(guess, shares) {
			names = append(names, p.String())
		}
	}
	return strings.Join(names, ", ")
}

func notLetter(r rune) bool { return r < 'a' || r > 'z' }

// explain prints how a story is written.
func explain(w io.Writer) {
	fmt.Fprint(w, `A story is a text file that is read like a play, line by line:

  == HEADING               a new scene; printed
  > REMARK                 an aside to the audience; printed
  # COMMENT                not printed
  NAME: ACTION             someone does something; actions begin with a small letter
  NAME: TEXT               anything else is typed into the conversation they are in
  NAME: ^COMMAND           and so are commands to usher; ^help lists them
  contact NUMBER to TEAM: TEXT
                           a contact writes to a team's number; without "to TEAM" to the one
                           they wrote to last, or to the first team that has a number

The actions:

`)
	for _, r := range actions {
		fmt.Fprintf(w, "  %-37s  %s\n", r.form, r.help)
	}
	fmt.Fprintf(w, `
A step may end with a mark, which says how it must turn out:

  !ok !denied !not-found !conflict !invalid !expired !limit !opted-out

If it does not, the story is told to its end and the exit code is 1. What an earlier run on
the same database (-db) has done already counts as ok. Steps without a mark may turn out
either way.

Whoever is in no team yet acts at the door of the team that the line before was about. Whoever
has read no conversation yet types into the one that a contact wrote in last.

A story has at most %d bytes and a line at most %d.
`, maxStory, maxLine)
}
