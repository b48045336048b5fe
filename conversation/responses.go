package conversation

import (
	"slices"
	"time"
)

// Responses are how long the contact and the team's people let each other wait.
type Responses struct {
	// ContactInitial and AgentInitial are one for each episode in which there was one: from the first
	// message of the other side to the first answer.
	ContactInitial, AgentInitial Waits
	// Contact and Agent are one for each answer, the first one included: from the other side's last
	// message before it. A contact who writes three times in a row begins to wait with the third.
	Contact, Agent Waits
}

// Turn is a message that counts as the contact's, or as an answer by a person.
type Turn struct {
	Contact bool
	At      time.Time
}

// Add adds the turns of one episode, in their order. Between says how long a wait was: by the clock,
// or as [tenancy.Settings.WorkingTime] has it. A report adds the episodes of all its conversations.
func (r *Responses) Add(turns []Turn, between func(from, to time.Time) time.Duration) {
	first, answered := map[bool]time.Time{}, map[bool]bool{}
	for i, turn := range turns {
		if _, spoke := first[turn.Contact]; !spoke {
			first[turn.Contact] = turn.At
		}
		if i == 0 || turns[i-1].Contact == turn.Contact {
			continue
		}
		initial, all := &r.AgentInitial, &r.Agent
		if turn.Contact {
			initial, all = &r.ContactInitial, &r.Contact
		}
		*all = append(*all, between(turns[i-1].At, turn.At))
		if !answered[turn.Contact] {
			answered[turn.Contact] = true
			*initial = append(*initial, between(first[!turn.Contact], turn.At))
		}
	}
}

// Waits are how long somebody waited each time.
type Waits []time.Duration

// Mean is the mean of the waits; 0 where there are none.
func (w Waits) Mean() time.Duration {
	var mean, rest time.Duration // the sum of many waits would not fit
	n := time.Duration(len(w))
	for _, wait := range w {
		mean += wait / n
		rest += wait % n
	}
	if n > 0 {
		mean += rest / n
	}
	return mean
}

// Median is the wait in the middle, or halfway between the two that are; 0 where there are none.
func (w Waits) Median() time.Duration {
	if len(w) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(w))
	low, high := sorted[(len(w)-1)/2], sorted[len(w)/2]
	return low + (high-low)/2
}
