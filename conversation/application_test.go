package conversation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// applies makes an application in the chat.
func (w *world) applies(id tenancy.ConversationID, job string) conversation.Application {
	w.t.Helper()
	a, err := w.Conversations.Apply(w.t.Context(), w.bob, id, conversation.ApplicationDetails{Job: job})
	require.NoError(w.t, err)
	return a
}

// applications are those of the conversation's contact, newest first, as the actor's team has them.
func (w *world) applications(actor tenancy.Actor, id tenancy.ConversationID) []conversation.Application {
	w.t.Helper()
	list, err := w.Conversations.Applications(w.t.Context(), actor, id, tenancy.Page{})
	require.NoError(w.t, err)
	return list.Items
}

// record is one of the host's about the contact of hello.
func (w *world) record(externalID string) conversation.ApplicationRecord {
	return conversation.ApplicationRecord{
		To: w.TeamNamed("Sales").Identity, From: "visitor-1", ExternalID: externalID, Origin: conversation.FromIntegration,
	}
}

func (w *world) records(r conversation.ApplicationRecord) conversation.Application {
	w.t.Helper()
	a, err := w.Conversations.RecordApplication(w.t.Context(), ushertest.System, r)
	require.NoError(w.t, err)
	return a
}

func TestSpec7_AnApplicationIsMadeAndEditedInTheChat(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		details := conversation.ApplicationDetails{Source: " board ", Medium: "e-mail", Campaign: "spring", Job: "Cafe\u0301", Location: "Köln", Keyword: "DRIVE"}
		a, err := w.Conversations.Apply(t.Context(), w.bob, c.ID, details)
		require.NoError(t, err)
		details.Source, details.Job = "board", "Café"
		assert.Equal(t, details, a.ApplicationDetails)
		assert.Equal(t, conversation.FromChat, a.Origin)
		assert.Equal(t, conversation.NewLabel, a.Status)
		assert.Equal(t, []conversation.Application{a}, w.applications(w.maria, c.ID))

		edited, err := w.Conversations.EditApplication(t.Context(), w.maria, c.ID, a.ID, conversation.ApplicationEdit{Job: ptr("Waiter"), Medium: ptr("")})
		require.NoError(t, err)
		a.Job, a.Medium, a.Version = "Waiter", "", 2
		assert.Equal(t, a, edited)
		events := len(w.log(w.bob.Team))
		again, err := w.Conversations.EditApplication(t.Context(), w.bob, c.ID, a.ID, conversation.ApplicationEdit{Job: ptr(" Waiter")})
		require.NoError(t, err)
		assert.Equal(t, a, again, "nothing new is written")
		assert.Len(t, w.log(w.bob.Team), events)

		last := w.log(w.bob.Team)[events-2:]
		assert.Equal(t, []string{conversation.ApplicationCreated, conversation.ApplicationEdited}, []string{last[0].Kind, last[1].Kind})
		for _, e := range last {
			assert.Equal(t, outbox.Stream{Kind: outbox.ContactStream, ID: c.Contact.UUID()}, e.Stream)
			assert.Contains(t, string(e.Payload), a.ID.String())
			for _, text := range []string{"Caf", "Waiter", "Köln", "DRIVE", "board"} {
				assert.NotContains(t, string(e.Payload), text, "events hold no text")
			}
		}
	})
}

func TestSpec7_OnlyWhatWasMadeInTheChatIsEditable(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		for i, origin := range []conversation.Origin{conversation.FromImport, conversation.FromKeyword, conversation.FromIntegration} {
			r := w.record(fmt.Sprint("ats-", i))
			r.Origin = origin
			a := w.records(r)
			_, err := w.Conversations.EditApplication(t.Context(), w.alice, c.ID, a.ID, conversation.ApplicationEdit{Job: ptr("Waiter")})
			require.ErrorIs(t, err, conversation.ErrRecorded, origin)
			require.ErrorIs(t, err, tenancy.ErrConflict)
			a, err = w.Conversations.SetApplicationStatus(t.Context(), w.bob, c.ID, a.ID, "qualified")
			require.NoError(t, err, "where it stands is the team's to say")
			assert.Equal(t, conversation.Qualified, a.Status)
		}
	})
}

func TestSpec7_RecordingAnApplicationIsAnUpsert(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		r := w.record("ats-1")
		r.Job = "Driver"
		a := w.records(r)
		assert.Equal(t, c.Contact, a.Contact)
		assert.Equal(t, conversation.NewLabel, a.Status)
		events := len(w.log(w.bob.Team))
		assert.Equal(t, a, w.records(r), "the same again")
		assert.Len(t, w.log(w.bob.Team), events, "which writes nothing")

		r.Job, r.Location, r.Status, r.Origin = "", "Bonn", "engaged", conversation.FromImport
		a.Job, a.Location, a.Status, a.Version = "", "Bonn", conversation.Engaged, 2
		assert.Equal(t, a, w.records(r), "all but the origin is as the record has it")
		r.Status = ""
		assert.Equal(t, a, w.records(r), "no status leaves it as it is")
		assert.Equal(t, []conversation.Application{a}, w.applications(w.bob, c.ID))

		r.From = "visitor-2"
		events = len(w.log(w.bob.Team))
		_, err := w.Conversations.RecordApplication(t.Context(), ushertest.System, r)
		require.ErrorIs(t, err, conversation.ErrOtherContact)
		assert.Len(t, w.log(w.bob.Team), events, "no contact was made for it")
		assert.Equal(t, []conversation.Application{a}, w.applications(w.bob, c.ID))
	})
}

func TestSpec7_ARecordFindsOrMakesTheContact(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		a := w.records(w.record("ats-1"))
		c := w.hello()
		assert.Equal(t, c.Contact, a.Contact, "who was recorded before they wrote")
		assert.Equal(t, []conversation.Application{a}, w.applications(w.bob, c.ID))

		_, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
		require.NoError(t, err)
		later := w.records(w.record("ats-2"))
		assert.Equal(t, w.TeamNamed("Hiring").ID, later.Team, "wherever the conversation is now")

		r := w.record("ats-3")
		r.To = tenancy.Chat("nobody")
		_, err = w.Conversations.RecordApplication(t.Context(), ushertest.System, r)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		_, err = w.Tenancy.SuspendAccount(t.Context(), ushertest.System, c.Account)
		require.NoError(t, err)
		_, err = w.Conversations.RecordApplication(t.Context(), ushertest.System, w.record("ats-4"))
		require.ErrorIs(t, err, tenancy.ErrAccountInactive)
	})
}

func TestSpec7_RecordsAtOnceMakeOneApplication(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		const writers = 8
		var wg sync.WaitGroup
		start := make(chan struct{})
		made := make([]conversation.Application, writers)
		errs := make([]error, writers)
		for i := range writers {
			wg.Go(func() {
				<-start
				made[i], errs[i] = w.Conversations.RecordApplication(t.Context(), ushertest.System, w.record("ats-1"))
			})
		}
		close(start)
		wg.Wait()
		for i := range writers {
			require.NoError(t, errs[i])
			assert.Equal(t, made[0], made[i])
		}
		assert.Equal(t, 1, w.kinds(w.bob.Team)[conversation.ApplicationCreated])
		assert.Equal(t, 1, w.kinds(w.bob.Team)[conversation.ContactCreated])
	})
}

// One external id that is recorded for two contacts at once is one's, and refused to the other.
func TestSpec7_AnExternalIDAtOnceForTwoContactsIsOnes(t *testing.T) {
	onTwoInstances(t, func(t *testing.T, w *world, second *usher.Usher) {
		for round := range 5 {
			var calls []func() (bool, error)
			for i, on := range []*conversation.Service{w.Conversations, second.Conversations} {
				r := w.record(fmt.Sprint("ats-", round))
				r.From = fmt.Sprint("visitor-", i)
				calls = append(calls, func() (bool, error) {
					_, err := on.RecordApplication(t.Context(), ushertest.System, r)
					if errors.Is(err, conversation.ErrOtherContact) {
						return false, nil
					}
					return err == nil, err
				})
			}
			assert.ElementsMatch(t, []bool{true, false}, together(t, calls...))
			assert.Equal(t, round+1, w.kinds(w.bob.Team)[conversation.ApplicationCreated])
		}
	})
}

// twice is a second conversation of the contact of hello in Sales: they had written to Hiring.
func (w *world) twice() conversation.Conversation {
	w.t.Helper()
	c := w.Receive("Hiring", "visitor-1", "Hi")
	_, err := w.Conversations.Deliver(w.t.Context(), w.Actor("dana", "Hiring"), c.ID, conversation.ToTeam(w.bob.Team), conversation.Outcome{})
	require.NoError(w.t, err)
	return w.get(w.bob, c.ID)
}

// Two conversations have one contact, and so the same applications: what is said of one in both at once is
// said one after the other, and nothing of it is lost.
func TestSpec7_WhatIsSaidOfAnApplicationAtOnceIsNotLost(t *testing.T) {
	onTwoInstances(t, func(t *testing.T, w *world, second *usher.Usher) {
		c, other := w.hello(), w.twice()
		require.Equal(t, c.Contact, other.Contact)
		a := w.applies(c.ID, "Driver")
		deliver := func(on *conversation.Service, id tenancy.ConversationID, status conversation.Label) func() (string, error) {
			return func() (string, error) {
				_, err := on.Deliver(t.Context(), w.bob, id, conversation.ToUser(w.maria.User), conversation.Outcome{Status: status})
				return "", err
			}
		}
		for round := range 5 {
			job := fmt.Sprint("Job ", round)
			together(t,
				deliver(w.Conversations, c.ID, conversation.Qualified),
				deliver(second.Conversations, other.ID, conversation.InterviewScheduled),
				func() (string, error) {
					_, err := second.Conversations.EditApplication(t.Context(), w.bob, c.ID, a.ID, conversation.ApplicationEdit{Job: &job})
					return "", err
				},
				func() (string, error) {
					_, err := w.Conversations.EditApplication(t.Context(), w.maria, other.ID, a.ID, conversation.ApplicationEdit{Location: &job})
					return "", err
				})
			now := w.applications(w.bob, other.ID)
			require.Len(t, now, 1)
			assert.Equal(t, job, now[0].Job)
			assert.Equal(t, job, now[0].Location)
			assert.Contains(t, []conversation.Label{conversation.Qualified, conversation.InterviewScheduled}, now[0].Status)
		}
		assert.Equal(t, 10, w.kinds(w.bob.Team)[conversation.ApplicationEdited])
	})
}

func TestSpec7_TheActiveApplicationFollowsTheTeamsPolicy(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		active := func() (conversation.Application, error) {
			return w.Conversations.ActiveApplication(t.Context(), w.bob, c.ID)
		}
		_, err := active()
		require.ErrorIs(t, err, conversation.ErrNoApplication)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		var made []conversation.Application
		for _, job := range []string{"Driver", "Waiter", "Welder"} {
			made = append(made, w.applies(c.ID, job))
			w.Clock.Advance(time.Second)
		}
		for _, row := range []struct {
			policy tenancy.ApplicationPolicy
			want   conversation.Application
		}{
			{tenancy.KeepFirstApplication, made[0]}, {tenancy.LatestApplication, made[2]}, {tenancy.KeepFirstApplication, made[0]},
		} {
			_, err := w.Tenancy.Configure(t.Context(), w.alice, tenancy.Settings{ActiveApplication: row.policy})
			require.NoError(t, err)
			got, err := active()
			require.NoError(t, err)
			assert.Equal(t, row.want, got, "the policy %q", row.policy)
			d, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{Status: conversation.NewLabel})
			require.NoError(t, err)
			assert.Equal(t, row.want.ID, d.Outcome.Application)
		}
		_, err = w.Tenancy.Configure(t.Context(), w.alice, tenancy.Settings{ActiveApplication: "newest"})
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	})
}

func TestSpec6_AnOutcomeNamesTheApplicationAndGivesItItsStatus(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		none, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{})
		require.NoError(t, err)
		assert.Zero(t, none.Outcome.Application, "the contact has none")
		driver := w.applies(c.ID, "Driver")
		w.Clock.Advance(time.Second)
		waiter := w.applies(c.ID, "Waiter")
		deliver := func(outcome conversation.Outcome) conversation.Delivery {
			d, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User), outcome)
			require.NoError(t, err)
			return d
		}
		label := w.get(w.bob, c.ID).Label
		d := deliver(conversation.Outcome{Status: conversation.Qualified, Application: waiter.ID})
		assert.Equal(t, waiter.ID, d.Outcome.Application)
		assert.Equal(t, waiter.ApplicationDetails, d.About)
		assert.Equal(t, label, w.get(w.bob, c.ID).Label, "that status is the application's, and no label of the conversation")
		d = deliver(conversation.Outcome{Status: conversation.InterviewScheduled})
		assert.Equal(t, driver.ID, d.Outcome.Application, "the active one")
		waiter.Status, waiter.Version = conversation.Qualified, 2
		driver.Status, driver.Version = conversation.InterviewScheduled, 2
		assert.Equal(t, []conversation.Application{waiter, driver}, w.applications(w.bob, c.ID))

		_, err = w.Conversations.EditApplication(t.Context(), w.bob, c.ID, waiter.ID, conversation.ApplicationEdit{Job: ptr("Cook")})
		require.NoError(t, err)
		cards, err := w.Conversations.History(t.Context(), w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, "Waiter", cards[1].About.Job, "the card stays as it was")
		assert.Equal(t, waiter.ID, cards[1].Outcome.Application)

		foreign := w.applies(w.Receive("Sales", "visitor-2", "Hi").ID, "Driver")
		_, err = w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{Application: foreign.ID})
		require.ErrorIs(t, err, tenancy.ErrNotFound, "another contact's")
	})
}

func TestSpec6_APendingDeliveryLeavesTheApplicationAsItIs(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		a := w.applies(c.ID, "Driver")
		ask := func() conversation.Delivery {
			d, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User),
				conversation.Outcome{Status: conversation.Qualified}, conversation.AskAcceptance(0))
			require.NoError(t, err)
			return d
		}
		d := ask()
		assert.Equal(t, []conversation.Application{a}, w.applications(w.bob, c.ID))
		_, err := w.Conversations.DeclineDelivery(t.Context(), w.maria, d.ID, "")
		require.NoError(t, err)
		assert.Equal(t, []conversation.Application{a}, w.applications(w.bob, c.ID))
		_, err = w.Conversations.AcceptDelivery(t.Context(), w.maria, ask().ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.Qualified, w.applications(w.bob, c.ID)[0].Status)
	})
}

// Who is invited by a delivery accepts it, and then the application has the outcome's status.
func TestSpec6_AnEmailDeliveryGivesItsStatusAtAccept(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		a := w.applies(c.ID, "Driver")
		d, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToEmail("carol@carol.example"), conversation.Outcome{Status: conversation.Qualified})
		require.NoError(t, err)
		assert.Equal(t, a.ID, d.Outcome.Application)
		assert.Equal(t, []conversation.Application{a}, w.applications(w.bob, c.ID))
		_, err = w.Invites.Accept(t.Context(), w.User("carol").ID, w.Token("carol"))
		require.NoError(t, err)
		assert.Equal(t, conversation.Qualified, w.applications(w.bob, c.ID)[0].Status)
	})
}

// The application may go along with another conversation of the contact while the delivery is pending: then it
// is the other team's, and the delivery completes without it.
func TestSpec6_ADeliveryCompletesWithoutAnApplicationThatHasGoneAlong(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c, other := w.hello(), w.twice()
		a := w.applies(c.ID, "Driver")
		d := w.offers(c.ID, conversation.ToUser(w.maria.User))
		hiring := w.Actor("dana", "Hiring")
		_, err := w.Conversations.Deliver(t.Context(), w.bob, other.ID, conversation.ToTeam(hiring.Team), conversation.Outcome{Status: conversation.Qualified})
		require.NoError(t, err)
		there := w.applications(hiring, other.ID)
		require.Len(t, there, 1)
		assert.Equal(t, conversation.Qualified, there[0].Status)
		assert.Empty(t, w.applications(w.bob, c.ID), "the contact of both is the same")

		d, err = w.Conversations.AcceptDelivery(t.Context(), w.maria, d.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.DeliveryCompleted, d.State)
		assert.Equal(t, a.ID, d.Outcome.Application, "the card stays as it is")
		assert.Equal(t, "Driver", d.About.Job)
		assert.Equal(t, there, w.applications(hiring, other.ID), "and the other team's is not touched")

		r := w.record("ats-1")
		r.To = w.TeamNamed("Hiring").Identity
		w.records(r)
		r.To = w.TeamNamed("Sales").Identity
		_, err = w.Conversations.RecordApplication(t.Context(), ushertest.System, r)
		require.ErrorIs(t, err, conversation.ErrOtherContact, "what is in another team now")
	})
}

// gone is a store in which a move is always faster: an application has left its team when it is written.
type gone struct{ storage.Store }

func (gone) UpdateApplication(context.Context, conversation.Application) error {
	return tenancy.ErrNotFound
}

func TestSpec6_ADeliveryCompletesBesideAMoveOfItsApplication(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	a := w.applies(c.ID, "Driver")
	u, err := usher.New(gone{w.Store}, usher.WithClock(w.Clock.Now))
	require.NoError(t, err)
	d, err := u.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{Status: conversation.Qualified})
	require.NoError(t, err)
	assert.Equal(t, conversation.DeliveryCompleted, d.State)
	assert.Equal(t, w.maria.User, w.get(w.bob, c.ID).Assignee)
	assert.Zero(t, w.kinds(w.bob.Team)[conversation.ApplicationStatusSet])
	_, err = u.Conversations.SetApplicationStatus(t.Context(), w.bob, c.ID, a.ID, conversation.Qualified)
	require.ErrorIs(t, err, tenancy.ErrNotFound)
}

func TestSpec6_AClosedConversationRefusesApplicationStatusChanges(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		a := w.records(w.record("ats-1"))
		_, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{Status: conversation.NotQualified})
		require.NoError(t, err)
		a.Status, a.Version = conversation.NotQualified, 2
		require.Equal(t, conversation.Closed, w.get(w.bob, c.ID).Status)
		_, err = w.Conversations.SetApplicationStatus(t.Context(), w.bob, c.ID, a.ID, conversation.Qualified)
		require.ErrorIs(t, err, conversation.ErrClosed)
		r := w.record("ats-1")
		r.Job, r.Status = "Driver", conversation.Qualified
		_, err = w.Conversations.RecordApplication(t.Context(), ushertest.System, r)
		require.ErrorIs(t, err, conversation.ErrClosed)
		assert.Equal(t, []conversation.Application{a}, w.applications(w.bob, c.ID), "nothing of the record was written")
		r.Status = conversation.NotQualified
		assert.Equal(t, "Driver", w.records(r).Job, "which changes no status")
		_, err = w.Conversations.Open(t.Context(), w.bob, c.ID)
		require.NoError(t, err)
		_, err = w.Conversations.SetApplicationStatus(t.Context(), w.bob, c.ID, a.ID, conversation.Qualified)
		require.NoError(t, err)
	})
}

func TestSpec6_ApplicationsGoAlongToAnotherTeam(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		a := w.applies(c.ID, "Driver")
		other := w.Receive("Sales", "visitor-2", "Hi")
		stays := w.applies(other.ID, "Cook")
		dana, hiring := w.Actor("dana", "Hiring"), w.TeamNamed("Hiring")
		d, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToTeam(hiring.ID), conversation.Outcome{Status: conversation.Qualified})
		require.NoError(t, err)
		there := w.applications(dana, c.ID)
		require.Len(t, there, 1)
		assert.Equal(t, a.ID, there[0].ID)
		assert.Equal(t, hiring.ID, there[0].Team)
		assert.Equal(t, w.get(dana, c.ID).Contact, there[0].Contact)
		assert.Equal(t, conversation.Qualified, there[0].Status, "the outcome's status arrives there")
		assert.Equal(t, []conversation.Application{stays}, w.applications(w.bob, other.ID))

		_, err = w.Conversations.Applications(t.Context(), w.bob, c.ID, tenancy.Page{})
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		cards, err := w.Conversations.Deliveries(t.Context(), w.bob, tenancy.Page{})
		require.NoError(t, err)
		assert.Equal(t, d.ID, cards.Items[0].ID)
		assert.Equal(t, "Driver", cards.Items[0].About.Job, "the team that delivered keeps its card")

		_, err = w.Conversations.Deliver(t.Context(), dana, c.ID, conversation.ToTeam(w.bob.Team), conversation.Outcome{})
		require.NoError(t, err)
		back := w.applications(w.bob, c.ID)
		require.Len(t, back, 1, "and back again")
		assert.Equal(t, a.ID, back[0].ID)
		assert.Equal(t, c.Contact, back[0].Contact)

		_, err = w.Tenancy.Archive(t.Context(), tenancy.Actor{User: w.mover(), Team: w.bob.Team}, tenancy.Leftovers{MoveTo: hiring.ID})
		require.NoError(t, err)
		assert.Equal(t, a.ID, w.applications(dana, c.ID)[0].ID, "and with a team that is archived")
		assert.Equal(t, stays.ID, w.applications(dana, other.ID)[0].ID)
		assert.Equal(t, stays.Status, w.applications(dana, other.ID)[0].Status, "which says nothing of what came of them")
		cards, err = w.Conversations.Deliveries(t.Context(), dana, tenancy.Page{Limit: 2})
		require.NoError(t, err)
		for _, card := range cards.Items {
			assert.Equal(t, conversation.Archived, card.Outcome.Status)
			assert.Zero(t, card.Outcome.Application)
			assert.Zero(t, card.About)
		}
	})
}

// mover is alice, who is a member of Hiring as well.
func (w *world) mover() tenancy.UserID {
	w.t.Helper()
	_, err := w.Tenancy.Admit(w.t.Context(), ushertest.System, tenancy.Admission{Team: w.TeamNamed("Hiring").ID, User: w.alice.User, Role: rbac.Member})
	require.NoError(w.t, err)
	return w.alice.User
}

// C1: an application of another contact, of the team or of another account, is answered like none at all.
func TestC1_AForeignApplicationIsNotFound(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		beside := w.applies(w.Receive("Sales", "visitor-2", "Hi").ID, "Driver")
		ours := w.TeamNamed("Sales")
		w.Account("initech").Team("Sales", ushertest.Manager("ida"))
		foreign, err := w.Conversations.Apply(t.Context(), w.Actor("ida", "Sales"), w.Receive("Sales", "visitor-1", "Hi").ID, conversation.ApplicationDetails{})
		require.NoError(t, err)
		events := len(w.log(ours.ID))
		for _, id := range []tenancy.ApplicationID{beside.ID, foreign.ID, tenancy.NewID[tenancy.ApplicationID](tenancy.Env{})} {
			_, edit := w.Conversations.EditApplication(t.Context(), w.bob, c.ID, id, conversation.ApplicationEdit{Job: ptr("Cook")})
			_, set := w.Conversations.SetApplicationStatus(t.Context(), w.bob, c.ID, id, conversation.Qualified)
			_, deliver := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{Application: id})
			for _, err := range []error{edit, set, deliver} {
				require.ErrorIs(t, err, tenancy.ErrNotFound)
				assert.EqualError(t, err, tenancy.ErrNotFound.Error())
			}
		}
		assert.Len(t, w.log(ours.ID), events)
	})
}

func TestApplicationsAreListedByPages(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		var want []conversation.Application
		for i := range 7 {
			want = append([]conversation.Application{w.applies(c.ID, fmt.Sprint("Job ", i))}, want...)
			w.Clock.Advance(time.Second)
		}
		var all []conversation.Application
		page := tenancy.Page{Limit: 3}
		for {
			list, err := w.Conversations.Applications(t.Context(), w.bob, c.ID, page)
			require.NoError(t, err)
			if all = append(all, list.Items...); list.Next == "" {
				break
			}
			page.After = list.Next
		}
		assert.Equal(t, want, all)
		other := w.Receive("Sales", "visitor-2", "Hi")
		_, err := w.Conversations.Applications(t.Context(), w.bob, other.ID, page)
		require.ErrorIs(t, err, tenancy.ErrInvalid, "the cursor of another list")
	})
}

func TestF7_AndF8_WhatAnApplicationSaysIsBounded(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	details := map[string]func(*conversation.ApplicationDetails) *string{
		"source": func(d *conversation.ApplicationDetails) *string { return &d.Source }, "medium": func(d *conversation.ApplicationDetails) *string { return &d.Medium },
		"campaign": func(d *conversation.ApplicationDetails) *string { return &d.Campaign }, "job": func(d *conversation.ApplicationDetails) *string { return &d.Job },
		"location": func(d *conversation.ApplicationDetails) *string { return &d.Location }, "keyword": func(d *conversation.ApplicationDetails) *string { return &d.Keyword },
	}
	made := w.applies(c.ID, "Driver")
	for name, field := range details {
		say := func(text string) (apply, edit, record error) {
			var d conversation.ApplicationDetails
			*field(&d) = text
			_, apply = w.Conversations.Apply(t.Context(), w.bob, c.ID, d)
			_, edit = w.Conversations.EditApplication(t.Context(), w.bob, c.ID, made.ID, conversation.ApplicationEdit{
				Source: &d.Source, Medium: &d.Medium, Campaign: &d.Campaign, Job: &d.Job, Location: &d.Location, Keyword: &d.Keyword,
			})
			r := w.record("ats-" + name)
			r.ApplicationDetails = d
			_, record = w.Conversations.RecordApplication(t.Context(), ushertest.System, r)
			return apply, edit, record
		}
		apply, edit, record := say(strings.Repeat("é", tenancy.MaxName))
		require.NoError(t, apply, name)
		require.NoError(t, edit, name)
		require.NoError(t, record, name)
		for _, text := range []string{strings.Repeat("é", tenancy.MaxName+1), strings.Repeat("x", 1<<20), "\u202egnp", "\u200b", " ", "a\x00b", "a\nb", "\xff"} {
			apply, edit, record := say(text)
			for _, err := range []error{apply, edit, record} {
				var invalid *tenancy.InvalidError
				require.ErrorAs(t, err, &invalid, "%s: %.10q", name, text)
				assert.Equal(t, name, invalid.Field)
			}
		}
	}
	record := func(change func(*conversation.ApplicationRecord)) error {
		r := w.record("ats")
		change(&r)
		_, err := w.Conversations.RecordApplication(t.Context(), ushertest.System, r)
		return err
	}
	require.NoError(t, record(func(r *conversation.ApplicationRecord) { r.ExternalID = strings.Repeat("x", tenancy.MaxExternalID) }))
	for _, id := range []string{"", strings.Repeat("x", tenancy.MaxExternalID+1), "a b", "a\x00", "\xff"} {
		require.ErrorIs(t, record(func(r *conversation.ApplicationRecord) { r.ExternalID = id }), tenancy.ErrInvalid, "%.10q", id)
	}
	for _, origin := range []conversation.Origin{"", conversation.FromChat, "Import", "import "} {
		require.ErrorIs(t, record(func(r *conversation.ApplicationRecord) { r.Origin = origin }), tenancy.ErrInvalid, origin)
	}
	require.ErrorIs(t, record(func(r *conversation.ApplicationRecord) { r.To = tenancy.Identity{} }), tenancy.ErrInvalid)
	require.ErrorIs(t, record(func(r *conversation.ApplicationRecord) { r.From = "" }), tenancy.ErrInvalid)
	require.ErrorIs(t, record(func(r *conversation.ApplicationRecord) { r.Status = "Hired" }), tenancy.ErrInvalid)
	_, err := w.Conversations.SetApplicationStatus(t.Context(), w.bob, c.ID, made.ID, "Hired")
	require.ErrorIs(t, err, tenancy.ErrInvalid)
	_, err = w.Conversations.SetApplicationStatus(t.Context(), w.bob, c.ID, tenancy.ApplicationID{}, conversation.Qualified)
	require.ErrorIs(t, err, tenancy.ErrNotFound, "the zero id is not the active one")
}

func TestAnApplicationIsMadeOnceUnderAKey(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		ctx := tenancy.WithKey(context.WithoutCancel(t.Context()), "k")
		first, err := w.Conversations.Apply(ctx, w.bob, c.ID, conversation.ApplicationDetails{Job: "Driver"})
		require.NoError(t, err)
		again, err := w.Conversations.Apply(ctx, w.bob, c.ID, conversation.ApplicationDetails{Job: "Driver"})
		require.NoError(t, err)
		assert.Equal(t, first, again)
		assert.Len(t, w.applications(w.bob, c.ID), 1)
		_, err = w.Conversations.Apply(ctx, w.bob, c.ID, conversation.ApplicationDetails{Job: "Cook"})
		require.ErrorIs(t, err, tenancy.ErrKeyReused)
	})
}
