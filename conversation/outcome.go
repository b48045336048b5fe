package conversation

// Outcome is what came of the conversation in the eyes of the one who delivers or closes it.
type Outcome struct {
	Status Label
	// Rating is 0 (not rated) to 5.
	Rating  int
	Summary string
}

// Label is one of the outcome statuses.
type Label string

// The built-in outcome statuses.
const (
	New                Label = "New"
	Engaged            Label = "Engaged"
	Disengaged         Label = "Disengaged"
	Delivered          Label = "Delivered"
	InterviewScheduled Label = "Interview Scheduled"
	InformationMissing Label = "Information Missing"
	Qualified          Label = "Qualified"
	NotQualified       Label = "Not Qualified"
	NotInterested      Label = "Not Interested"
	NotEligible        Label = "Not Eligible for Hire"
	Archived           Label = "Archived"
)
