package conversation

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/tenancy"
)

// Apply makes an application of the conversation's contact, as the chat shows that they are here for it.
// It begins as [NewLabel], and is for members to edit. What the host knows from elsewhere it says by
// [Service.RecordApplication].
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied].
func (s *Service) Apply(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, details ApplicationDetails) (Application, error) {
	details, err := details.checked()
	if err != nil {
		return Application{}, err
	}
	asked := []any{actor.Team, id, details}
	return tenancy.Do(ctx, s.store, s.env, actor, "Apply", asked, func(ctx context.Context) (Application, error) {
		v, err := s.enter(ctx, actor, id, applying)
		if err != nil {
			return Application{}, err
		}
		a := Application{
			ID: tenancy.NewID[tenancy.ApplicationID](s.env), Account: v.Account, Team: v.Team, Contact: v.Contact,
			ApplicationDetails: details, Origin: FromChat, Status: NewLabel, CreatedAt: s.env.Now(), Version: 1,
		}
		return a, s.insertApplication(ctx, actor, a)
	})
}

// ApplicationEdit says what to change; nil leaves as it is, and the empty text takes away.
type ApplicationEdit struct {
	Source, Medium, Campaign, Job, Location, Keyword *string
}

// apply is the details with the changes.
func (e ApplicationEdit) apply(d ApplicationDetails) ApplicationDetails {
	edits := []*string{e.Source, e.Medium, e.Campaign, e.Job, e.Location, e.Keyword}
	for i, f := range d.fields() {
		if edits[i] != nil {
			*f.text = *edits[i]
		}
	}
	return d
}

// EditApplication changes what an application of the conversation's contact says, if it was made in the
// chat. What it does not change it does not write.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied], [ErrRecorded].
func (s *Service) EditApplication(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, application tenancy.ApplicationID, edit ApplicationEdit) (Application, error) {
	if _, err := edit.apply(ApplicationDetails{}).checked(); err != nil {
		return Application{}, err
	}
	return s.amend(ctx, actor, id, application, amending, "EditApplication", edit, func(ctx context.Context, a *Application) error {
		if a.Origin != FromChat {
			return ErrRecorded
		}
		details, err := edit.apply(a.ApplicationDetails).checked()
		if err != nil {
			return err
		}
		return s.restate(ctx, actor, a, details, a.Status)
	})
}

// SetApplicationStatus says where an application of the conversation's contact stands now, whatever its
// origin: one of [Labels] or of the team's own statuses, without regard to case. The conversation must
// not be closed, and neither its own label nor its state changes: that is for [Service.Deliver] and
// [Service.Close]. The status that the application has already writes nothing.
//
// Errors: [*tenancy.InvalidError], which lists the statuses, [tenancy.ErrNotFound], [rbac.ErrDenied],
// [ErrClosed].
func (s *Service) SetApplicationStatus(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, application tenancy.ApplicationID, status Label) (Application, error) {
	return s.amend(ctx, actor, id, application, grading, "SetApplicationStatus", status, func(ctx context.Context, a *Application) error {
		known, _, err := s.status(ctx, a.Team, status)
		if err != nil {
			return err
		}
		return s.restate(ctx, actor, a, a.ApplicationDetails, known)
	})
}

// amend runs fn on an application of a conversation that the actor may act on, in one transaction, and
// answers the application as fn left it. The zero id is none.
func (s *Service) amend(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, application tenancy.ApplicationID, what act, name string, request any,
	fn func(ctx context.Context, a *Application) error,
) (Application, error) {
	asked := []any{actor.Team, id, application, request}
	return tenancy.Do(ctx, s.store, s.env, actor, name, asked, func(ctx context.Context) (Application, error) {
		v, err := s.enter(ctx, actor, id, what)
		if err != nil {
			return Application{}, err
		}
		if application.IsZero() {
			return Application{}, tenancy.ErrNotFound
		}
		a, err := s.lockApplication(ctx, v.Conversation, application)
		if err != nil {
			return Application{}, err
		}
		err = fn(ctx, &a)
		return a, err
	})
}

// Applications lists the applications of the conversation's contact, newest first. They tell what the
// team knows of the contact from elsewhere, so that guests get none.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied].
func (s *Service) Applications(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, page tenancy.Page) (tenancy.List[Application], error) {
	keyset, err := page.Keyset("applications", actor.Team, id)
	if err != nil {
		return tenancy.List[Application]{}, err
	}
	v, err := s.lookIntoFile(ctx, actor, id)
	if err != nil {
		return tenancy.List[Application]{}, err
	}
	found, err := s.store.Applications(ctx, v.Team, v.Contact, keyset)
	if err != nil {
		return tenancy.List[Application]{}, err
	}
	return tenancy.Paged(found, keyset, applicationKey, "applications", actor.Team, id), nil
}

// ActiveApplication reads the one application of the conversation's contact that a delivery is about
// where it names none: the first, or the latest where the team's [tenancy.Settings] say so.
//
// Errors: [tenancy.ErrNotFound], [rbac.ErrDenied] as those of [Service.Applications], [ErrNoApplication].
func (s *Service) ActiveApplication(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (Application, error) {
	v, err := s.lookIntoFile(ctx, actor, id)
	if err != nil {
		return Application{}, err
	}
	return s.active(ctx, v.Conversation)
}

// lookIntoFile reads a conversation for what the team knows of its contact.
func (s *Service) lookIntoFile(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (view, error) {
	v, err := s.look(ctx, actor, id, readContact)
	if err == nil && v.guest() {
		err = whole(v.standing)
	}
	return v, err
}

// applicationKey is where an application stands in a list.
func applicationKey(a Application) (time.Time, uuid.UUID) { return a.CreatedAt, a.ID.UUID() }
