package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

// stage is what a host is to usher: it knows who is signed in, which team and conversation they
// have on their screen, and where mail arrives. It decides nothing about rights.
type stage struct {
	usher *usher.Usher
	store storage.Store
	mail  *invite.Captured
	// began tells what this run makes from what an earlier one left in the database.
	began time.Time

	people  map[string]*person
	teams   map[tenancy.TeamID]tenancy.Team
	named   map[string]tenancy.TeamID   // the team that was last seen by a name
	letters map[string]tenancy.Identity // where each contact wrote to last, by their number
	threads map[string]tenancy.ConversationID
	numbers map[tenancy.ConversationID]string

	// What the last lines were about, for those who are nowhere yet.
	account tenancy.AccountID
	team    tenancy.TeamID
	thread  tenancy.ConversationID
	first   tenancy.Identity
}

// person is someone who is signed in at the host.
type person struct {
	name   string
	id     tenancy.UserID
	email  string
	team   tenancy.TeamID
	thread tenancy.ConversationID
}

// host is on whose behalf usher is called where no user acts.
const host = tenancy.System("quickstart")

// answer is what came of a step that was allowed.
type answer struct {
	text string
	more []string
	// again says that an earlier run had done it.
	again bool
}

func done(format string, a ...any) answer { return answer{text: fmt.Sprintf(format, a...)} }

func before(format string, a ...any) answer {
	return answer{text: fmt.Sprintf(format, a...), again: true}
}

// told is a step as it turned out.
type told struct {
	line    int
	who     string // with what they are in their team
	deed    string
	verdict verdict
	mark    verdict
	answer  answer
	reason  string // why it was refused
	mails   []invite.Mail
}

// otherwise reports whether the step turned out other than its mark says.
func (t told) otherwise() bool { return t.mark != "" && t.mark != t.verdict }

func newStage(u *usher.Usher, store storage.Store, mail *invite.Captured) *stage {
	return &stage{
		usher: u, store: store, mail: mail, began: time.Now().UTC().Truncate(time.Microsecond),
		people: map[string]*person{}, teams: map[tenancy.TeamID]tenancy.Team{},
		named: map[string]tenancy.TeamID{}, letters: map[string]tenancy.Identity{}, threads: map[string]tenancy.ConversationID{},
		numbers: map[tenancy.ConversationID]string{},
	}
}

// perform does one step and lets the mail go out that it caused. The error is a failure, not
// a refusal.
func (s *stage) perform(ctx context.Context, number int, step step) (told, error) {
	who := s.person(step.who)
	t := told{line: number, who: step.args["NUMBER"], deed: step.rule.tell(step.args), mark: step.mark}
	if step.who != "" {
		var err error
		if t.who, err = s.introduce(ctx, who); err != nil {
			return told{}, err
		}
	}
	mails := len(s.mail.All())
	answer, err := step.rule.play(s, ctx, who, step.args)
	refusal := err
	if t.verdict, err = judge(refusal); err != nil {
		return told{}, err
	}
	if t.verdict == ok {
		t.answer = answer
	} else {
		t.reason = s.reason(ctx, t.verdict, refusal)
	}
	// An interrupt must not come between a step and its mail, which would then wait a minute.
	if _, err := s.usher.Relay.Drain(context.WithoutCancel(ctx)); err != nil {
		return told{}, err
	}
	t.mails = s.mail.All()[mails:]
	if !who.team.IsZero() {
		s.team = who.team
	}
	return t, nil
}

// person finds someone on the stage. Who has not signed up, or was refused, has no id, and so
// is nobody to usher.
func (s *stage) person(name string) *person {
	name = strings.ToLower(name)
	if who, known := s.people[name]; known {
		return who
	}
	return &person{name: capital(name)}
}

// actor is the principal for what the person does in a team.
func (s *stage) actor(who *person) tenancy.Actor {
	team := who.team
	if team.IsZero() {
		team = s.team
	}
	return tenancy.Actor{User: who.id, Team: team}
}

// all reads every page of a list.
func all[T any](read func(tenancy.Page) (tenancy.List[T], error)) ([]T, error) {
	var items []T
	page := tenancy.Page{Limit: tenancy.MaxLimit}
	for {
		list, err := read(page)
		if err != nil {
			return nil, err
		}
		items = append(items, list.Items...)
		if page.After = list.Next; page.After == "" {
			return items, nil
		}
	}
}

// teamsOf lists the teams that the person is in, and takes note of them.
func (s *stage) teamsOf(ctx context.Context, user tenancy.UserID) ([]tenancy.TeamOfUser, error) {
	mine, err := all(func(p tenancy.Page) (tenancy.List[tenancy.TeamOfUser], error) {
		return s.usher.Tenancy.MyTeams(ctx, user, p)
	})
	for _, m := range mine {
		s.note(m.Team)
	}
	return mine, err
}

func (s *stage) note(team tenancy.Team) {
	s.teams[team.ID] = team
	s.named[strings.ToLower(team.Name)] = team.ID
}

// earlier reports whether something was there before this run.
func (s *stage) earlier(at time.Time) bool { return at.Before(s.began) }
