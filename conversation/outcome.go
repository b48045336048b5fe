package conversation

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/usher-go/usher/tenancy"
)

// Outcome is what came of the conversation in the eyes of the one who delivers it.
type Outcome struct {
	// Status is one of [Labels] or of the team's own statuses, without regard to case; the empty
	// one stands for Delivered.
	Status Label
	// Application is what the outcome is about: one of the contact's applications. The zero id stands
	// for the active one, and for none where the contact has none.
	Application tenancy.ApplicationID
	// Rating is 1 to 5, or 0 where nothing was rated.
	Rating  int
	Summary string
}

// Limits of an [Outcome].
const (
	MaxRating  = 5
	MaxSummary = 1000 // characters
)

// Label is one of the outcome statuses: a built-in one, or one that a team has in its
// [tenancy.Settings].
type Label string

// The built-in outcome statuses.
const (
	NewLabel           Label = "New"
	Engaged            Label = "Engaged"
	Disengaged         Label = "Disengaged"
	Delivered          Label = "Delivered"
	InterviewScheduled Label = "Interview Scheduled"
	Qualified          Label = "Qualified"
	InformationMissing Label = "Information Missing"
	NotQualified       Label = "Not Qualified"
	NotInterested      Label = "Not Interested"
	NotEligible        Label = "Not Eligible for Hire"
	Archived           Label = "Archived"
)

// Category is what an outcome means for the work.
type Category = tenancy.OutcomeCategory

// The categories of outcomes.
const (
	Positive = tenancy.Positive
	Neutral  = tenancy.Neutral
	Negative = tenancy.Negative
)

// labels says of each status, in the order that they are offered, what it means and whether
// it becomes the conversation's own label. A negative one closes the conversation.
var labels = []struct {
	label    Label
	category Category
	moves    bool
}{
	{NewLabel, Neutral, false},
	{Engaged, Positive, true},
	{Disengaged, Negative, true},
	{Delivered, Positive, true},
	{InterviewScheduled, Positive, false},
	{Qualified, Positive, false},
	{InformationMissing, Neutral, false},
	{NotQualified, Negative, false},
	{NotInterested, Negative, false},
	{NotEligible, Negative, false},
	{Archived, Neutral, false},
}

// Labels lists the built-in statuses in the order that they are offered; a team's own come after
// them.
func Labels() []Label {
	all := make([]Label, len(labels))
	for i, l := range labels {
		all[i] = l.label
	}
	return all
}

// status finds what a label stands for in a team, as a person may have typed it: a built-in status,
// or else one of the team's own.
func (s *Service) status(ctx context.Context, team tenancy.TeamID, label Label) (Label, Category, error) {
	for _, l := range labels {
		if strings.EqualFold(string(l.label), string(label)) {
			return l.label, l.category, nil
		}
	}
	owner, err := s.people.TeamByID(ctx, statuses, team)
	if err != nil {
		return "", "", err
	}
	if own, found := owner.Settings.Status(string(label)); found {
		return Label(own.Label), own.Category, nil
	}
	return "", "", unknownLabel(owner.Settings)
}

// statuses is the system that looks up what a team has made for itself.
const statuses = tenancy.System("outcome")

// Category is what a built-in label means; the empty one for any other.
func (l Label) Category() Category {
	for _, known := range labels {
		if known.label == l {
			return known.category
		}
	}
	return ""
}

// moves reports whether the label becomes the conversation's.
func (l Label) moves() bool {
	for _, known := range labels {
		if known.label == l {
			return known.moves
		}
	}
	return false
}

// unknownLabel says what is allowed in the team.
func unknownLabel(settings tenancy.Settings) error {
	names := make([]string, 0, len(labels)+len(settings.Statuses))
	for _, l := range labels {
		names = append(names, string(l.label))
	}
	for _, own := range settings.Statuses {
		names = append(names, own.Label)
	}
	return &tenancy.InvalidError{Field: "status", Reason: "must be one of " + strings.Join(names, ", ")}
}

// checked answers the outcome with its default status; whether the team has the status is for
// [Service.status] to say.
func (o Outcome) checked() (Outcome, error) {
	if o.Status == "" {
		o.Status = Delivered
	}
	switch {
	case o.Rating < 0 || o.Rating > MaxRating:
		return o, &tenancy.InvalidError{Field: "rating", Reason: fmt.Sprintf("must be from 0 to %d", MaxRating)}
	case utf8.RuneCountInString(o.Summary) > MaxSummary:
		return o, &tenancy.InvalidError{Field: "summary", Reason: fmt.Sprintf("must have at most %d characters", MaxSummary)}
	case o.Summary != "":
		return o, validText(o.Summary)
	}
	return o, nil
}
