package memory

import (
	"cmp"
	"context"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type applicationRow struct {
	conversation.Application
	contact *contactRow
}

// recordedApplication is what the host calls an application.
type recordedApplication struct {
	account    tenancy.AccountID
	externalID string
}

// recordedAs is the zero name for an application that the host has not named.
func recordedAs(a conversation.Application) recordedApplication {
	if a.ExternalID == "" {
		return recordedApplication{}
	}
	return recordedApplication{a.Account, a.ExternalID}
}

func applicationLists(a *applicationRow, visit func(*list[applicationRow], place)) {
	visit(&a.contact.applications, placeAt(a.CreatedAt, a.ID))
}

// InsertApplication implements [conversation.ApplicationStore].
func (s *Store) InsertApplication(ctx context.Context, a conversation.Application) error {
	return s.write(ctx, func() error {
		utc(&a.CreatedAt)
		if err := oneOf("origin", a.Origin, conversation.Origins()...); err != nil {
			return err
		}
		if _, err := referred(s.teamOf(a.Account, a.Team)); err != nil {
			return err
		}
		contact, err := referred(s.contact(a.Team, a.Contact))
		if err != nil {
			return err
		}
		a.Version = 1
		row := &applicationRow{a, contact}
		if err := cmp.Or(
			s.applications.insert(a.ID, row),
			s.recordedApplications.move(recordedApplication{}, recordedAs(a), row),
		); err != nil {
			return err
		}
		enlist(s.log, row, applicationLists)
		return nil
	})
}

// UpdateApplication implements [conversation.ApplicationStore].
func (s *Store) UpdateApplication(ctx context.Context, a conversation.Application) error {
	return s.write(ctx, func() error {
		row, err := s.application(a.Team, a.ID)
		if err != nil {
			return err
		}
		if err := sameVersion(row.Version, a.Version); err != nil {
			return err
		}
		next := row.Application
		next.ApplicationDetails, next.Status = a.ApplicationDetails, a.Status
		next.Version++
		set(s.log, &row.Application, next)
		return nil
	})
}

// application finds one in the team.
func (s *Store) application(team tenancy.TeamID, id tenancy.ApplicationID) (*applicationRow, error) {
	row, err := s.applications.get(id)
	if err != nil || row.Team != team {
		return nil, tenancy.ErrNotFound
	}
	return row, nil
}

func application(row *applicationRow, err error) (conversation.Application, error) {
	if err != nil {
		return conversation.Application{}, err
	}
	return row.Application, nil
}

// Application implements [conversation.ApplicationStore].
func (s *Store) Application(ctx context.Context, team tenancy.TeamID, id tenancy.ApplicationID) (conversation.Application, error) {
	return read(ctx, s, func() (conversation.Application, error) { return application(s.application(team, id)) })
}

// ApplicationByExternalID implements [conversation.ApplicationStore].
func (s *Store) ApplicationByExternalID(ctx context.Context, account tenancy.AccountID, externalID string) (conversation.Application, error) {
	return read(ctx, s, func() (conversation.Application, error) {
		return application(s.recordedApplications.get(recordedApplication{account, externalID}))
	})
}

// FirstApplication implements [conversation.ApplicationStore].
func (s *Store) FirstApplication(ctx context.Context, team tenancy.TeamID, contact tenancy.ContactID) (conversation.Application, error) {
	return read(ctx, s, func() (conversation.Application, error) {
		c, err := s.contact(team, contact)
		if err != nil {
			return conversation.Application{}, err
		}
		first := c.applications.first()
		if first == nil {
			return conversation.Application{}, tenancy.ErrNotFound
		}
		return first.Application, nil
	})
}

// Applications implements [conversation.ApplicationStore].
func (s *Store) Applications(ctx context.Context, team tenancy.TeamID, contact tenancy.ContactID, page tenancy.Keyset) ([]conversation.Application, error) {
	return read(ctx, s, func() ([]conversation.Application, error) {
		c, err := s.contact(team, contact)
		if err != nil {
			return nil, nil //nolint:nilerr // a contact that is not there has none
		}
		return paged(merged(descending, descending.start(page), &c.applications), page.Limit, func(a *applicationRow) (conversation.Application, bool) {
			return a.Application, true
		}), nil
	})
}

// MoveApplications implements [conversation.ApplicationStore].
func (s *Store) MoveApplications(ctx context.Context, from, to tenancy.TeamID, contacts ...tenancy.ContactID) error {
	return s.write(ctx, func() error {
		find := func(id tenancy.ContactID) (*contactRow, error) { return s.contact(from, id) }
		for _, c := range those(find, contacts) {
			if err := s.moveApplications(c, to); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) moveApplications(c *contactRow, to tenancy.TeamID) error {
	for a := c.applications.first(); a != nil; a = c.applications.first() {
		there, err := referred(s.addresses.get(contactAddress{to, c.Channel, c.Address}))
		if err != nil {
			return err
		}
		if there == c {
			return nil
		}
		next := *a
		next.Team, next.Contact, next.contact = to, there.ID, there
		next.Version++
		relist(s.log, a, applicationLists, func() { set(s.log, a, next) })
	}
	return nil
}
