package conversation

import (
	"context"
	"strings"
	"time"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Application is one reason why a contact is here: a job that they applied for, an import that brought
// them, a keyword that they sent. A contact may have many, and the active one is what the team is at:
// see [Service.ActiveApplication]. The applications belong to the contact, so that each of their
// conversations in the team shows the same; when a conversation moves to another team they go along.
type Application struct {
	ID      tenancy.ApplicationID
	Account tenancy.AccountID
	Team    tenancy.TeamID
	Contact tenancy.ContactID
	ApplicationDetails
	Origin Origin
	// ExternalID is the host's own name for the application, unique within the account; empty for one
	// that was made in the chat.
	ExternalID string
	// Status is where the application stands: one of [Labels], or of the own statuses of the team that gave
	// it, which need not be those of the team that it has gone along to.
	Status    Label
	CreatedAt time.Time
	Version   int64
}

// ApplicationDetails are what an application says. Each is a line of text with the rules of
// [tenancy.Name] and its limit, [tenancy.MaxName] characters, or empty.
type ApplicationDetails struct {
	Source   string // where the contact comes from, such as a job board
	Medium   string // how: e-mail, print, social
	Campaign string
	Job      string
	Location string
	Keyword  string // that the contact sent
}

// field is one of the details with its name.
type field struct {
	name string
	text *string
}

func (d *ApplicationDetails) fields() []field {
	return []field{
		{"source", &d.Source},
		{"medium", &d.Medium},
		{"campaign", &d.Campaign},
		{"job", &d.Job},
		{"location", &d.Location},
		{"keyword", &d.Keyword},
	}
}

// checked answers the details in the form in which they are kept.
func (d ApplicationDetails) checked() (ApplicationDetails, error) {
	for _, f := range d.fields() {
		if *f.text == "" {
			continue
		}
		var err error
		if *f.text, err = tenancy.Name(f.name, *f.text); err != nil {
			return ApplicationDetails{}, err
		}
	}
	return d, nil
}

// differs names the details that are not those of the other, as a comma-separated list.
func (d ApplicationDetails) differs(other ApplicationDetails) string {
	var changed []string
	others := other.fields()
	for i, f := range d.fields() {
		if *f.text != *others[i].text {
			changed = append(changed, f.name)
		}
	}
	return strings.Join(changed, ",")
}

// Origin is how an application came about.
type Origin string

// The origins. Members make and edit those of the chat; the others are recorded by the host.
const (
	FromChat        Origin = "chat"
	FromImport      Origin = "import"
	FromKeyword     Origin = "keyword"
	FromIntegration Origin = "integration"
)

// Origins lists them.
func Origins() []Origin { return []Origin{FromChat, FromImport, FromKeyword, FromIntegration} }

// applicationEvent is one of the application, on the stream of its contact.
func (s *Service) applicationEvent(by tenancy.Principal, at time.Time, a Application, kind string, facts tenancy.Facts) outbox.Event {
	facts["contact"], facts["application"] = a.Contact.String(), a.ID.String()
	return s.env.Event(by, at, Contact{ID: a.Contact, Team: a.Team}.in(a.Account), kind, facts)
}

// insertApplication writes a new application with its event.
func (s *Service) insertApplication(ctx context.Context, by tenancy.Principal, a Application) error {
	if err := s.store.InsertApplication(ctx, a); err != nil {
		return err
	}
	return s.store.Append(ctx, s.applicationEvent(by, a.CreatedAt, a, ApplicationCreated, tenancy.Facts{"origin": string(a.Origin)}))
}

// restate writes what is new of an application, with an event for each of its details and its status;
// where nothing is, it writes nothing. The contact is locked.
func (s *Service) restate(ctx context.Context, by tenancy.Principal, a *Application, details ApplicationDetails, status Label) error {
	before, now := *a, s.env.Now()
	a.ApplicationDetails, a.Status = details, status
	var events []outbox.Event
	if changed := details.differs(before.ApplicationDetails); changed != "" {
		events = append(events, s.applicationEvent(by, now, *a, ApplicationEdited, tenancy.Facts{"changed": changed}))
	}
	if status != before.Status {
		events = append(events, s.applicationEvent(by, now, *a, ApplicationStatusSet, tenancy.Facts{"status": string(status)}))
	}
	if events == nil {
		return nil
	}
	if err := s.store.UpdateApplication(ctx, *a); err != nil {
		return err
	}
	a.Version++
	return s.store.Append(ctx, events...)
}

// applicationOf finds an application of the contact of a conversation: the one with the id, or the active
// one for the zero id.
func (s *Service) applicationOf(ctx context.Context, c Conversation, id tenancy.ApplicationID) (Application, error) {
	if id.IsZero() {
		return s.active(ctx, c)
	}
	a, err := s.store.Application(ctx, c.Team, id)
	if err == nil && a.Contact != c.Contact {
		err = tenancy.ErrNotFound
	}
	return a, err
}

// active is the application that the team's policy chooses. Most contacts have one at most, and then there
// is nothing to choose.
func (s *Service) active(ctx context.Context, c Conversation) (Application, error) {
	newest, err := s.store.Applications(ctx, c.Team, c.Contact, tenancy.Keyset{Limit: 2})
	switch {
	case err != nil:
		return Application{}, err
	case len(newest) == 0:
		return Application{}, ErrNoApplication
	case len(newest) == 1:
		return newest[0], nil
	}
	team, err := s.people.TeamByID(ctx, statuses, c.Team)
	if err != nil {
		return Application{}, err
	}
	if team.Settings.ActiveApplication == tenancy.LatestApplication {
		return newest[0], nil
	}
	return s.store.FirstApplication(ctx, c.Team, c.Contact)
}

// lockApplication locks the contact of a locked conversation, and reads one of its applications then.
func (s *Service) lockApplication(ctx context.Context, c Conversation, id tenancy.ApplicationID) (Application, error) {
	if _, err := s.store.LockContact(ctx, c.Team, c.Contact); err != nil {
		return Application{}, err
	}
	return s.applicationOf(ctx, c, id)
}

// about says on a card which application it is about.
func (s *Service) about(ctx context.Context, c Conversation, d *Delivery) error {
	a, err := s.applicationOf(ctx, c, d.Outcome.Application)
	switch {
	case err == nil:
		d.Outcome.Application, d.About = a.ID, a.ApplicationDetails
	case d.Outcome.Application.IsZero() && notFound(err):
		return nil
	}
	return err
}

// grade gives the application that a completed delivery is about the status of its outcome. It may have gone
// along with another conversation of the contact, while the delivery was pending or at this very moment: a
// move locks no contacts, of which a team's archival would have to lock them all.
func (s *Service) grade(ctx context.Context, by tenancy.Principal, c Conversation, d Delivery) error {
	if d.Outcome.Application.IsZero() {
		return nil
	}
	a, err := s.lockApplication(ctx, c, d.Outcome.Application)
	if err == nil {
		err = s.restate(ctx, by, &a, a.ApplicationDetails, d.Outcome.Status)
	}
	if notFound(err) {
		return nil
	}
	return err
}
