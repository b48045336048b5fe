package conversation

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/usher-go/usher/tenancy"
)

// Outcome is what came of the conversation in the eyes of the one who delivers it.
type Outcome struct {
	// Status is one of the labels; the empty one stands for Delivered.
	Status Label
	// Rating is 1 to 5, or 0 where nothing was rated.
	Rating  int
	Summary string
}

// Limits of an [Outcome].
const (
	MaxRating  = 5
	MaxSummary = 1000 // characters
)

// Label is one of the outcome statuses.
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
type Category string

// The categories of outcomes.
const (
	Positive Category = "positive"
	Neutral  Category = "neutral"
	Negative Category = "negative"
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

// Labels lists the statuses in the order that they are offered.
func Labels() []Label {
	all := make([]Label, len(labels))
	for i, l := range labels {
		all[i] = l.label
	}
	return all
}

// ParseLabel reads a status as a person types it: without regard to case.
func ParseLabel(text string) (Label, error) {
	for _, l := range labels {
		if strings.EqualFold(string(l.label), text) {
			return l.label, nil
		}
	}
	return "", invalidLabel()
}

// Category is what the label means; the empty one for an unknown label.
func (l Label) Category() Category {
	for _, known := range labels {
		if known.label == l {
			return known.category
		}
	}
	return ""
}

func (l Label) known() bool { return l.Category() != "" }

// moves reports whether the label becomes the conversation's.
func (l Label) moves() bool {
	for _, known := range labels {
		if known.label == l {
			return known.moves
		}
	}
	return false
}

func invalidLabel() error {
	names := make([]string, len(labels))
	for i, l := range labels {
		names[i] = string(l.label)
	}
	return &tenancy.InvalidError{Field: "status", Reason: "must be one of " + strings.Join(names, ", ")}
}

// checked answers the outcome with its default status.
func (o Outcome) checked() (Outcome, error) {
	if o.Status == "" {
		o.Status = Delivered
	}
	switch {
	case !o.Status.known():
		return o, invalidLabel()
	case o.Rating < 0 || o.Rating > MaxRating:
		return o, &tenancy.InvalidError{Field: "rating", Reason: fmt.Sprintf("must be from 0 to %d", MaxRating)}
	case utf8.RuneCountInString(o.Summary) > MaxSummary:
		return o, &tenancy.InvalidError{Field: "summary", Reason: fmt.Sprintf("must have at most %d characters", MaxSummary)}
	case o.Summary != "":
		return o, validText(o.Summary)
	}
	return o, nil
}
