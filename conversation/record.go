package conversation

import (
	"context"
	"slices"

	"github.com/usher-go/usher/tenancy"
)

// ApplicationRecord is an application as the host knows it: from an import, from a keyword, from the
// applicant system that it is integrated with.
type ApplicationRecord struct {
	// To and From are whose it is, as those of [Inbound] are: the identity of a team, and the address of
	// the contact on its channel.
	To   tenancy.Identity
	From string
	// ExternalID is the host's own name for the application, unique within the account: 1 to
	// [tenancy.MaxExternalID] bytes without spaces. Where several systems name theirs, put the system
	// first.
	ExternalID string
	// Origin is any but [FromChat]. It stays what it was at first.
	Origin Origin
	ApplicationDetails
	// Status is one of [Labels] or of the own statuses of the team that it is in now, without regard to
	// case. The empty one leaves it as it is, and is [NewLabel] for a new application.
	Status Label
}

// RecordApplication keeps an application that the host knows of: a new external id makes one, and a known
// one is brought up to the record, all its details and its status. The same record again writes nothing.
// It belongs to the contact of the conversation between the identity and the address, wherever that is
// now; where there is none, the contact is found or made in the team that has the identity.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound] where there is no conversation and no active
// team has the identity, [tenancy.ErrAccountInactive], [ErrOtherContact] for an external id that is
// taken, also by the same person as another team's contact, to which it has gone along with another
// conversation of theirs, and [ErrClosed] for another status while the conversation is closed; then
// nothing is written.
func (s *Service) RecordApplication(ctx context.Context, by tenancy.System, r ApplicationRecord) (Application, error) {
	r, err := r.checked(by)
	if err != nil {
		return Application{}, err
	}
	return tenancy.Do(ctx, s.store, s.env, by, "RecordApplication", []any{r}, func(ctx context.Context) (Application, error) {
		c, err := s.contacted(ctx, by, r)
		if err != nil {
			return Application{}, err
		}
		account, err := s.people.AccountByID(ctx, by, c.Account)
		switch {
		case err != nil:
			return Application{}, err
		case account.Status != tenancy.AccountActive:
			return Application{}, tenancy.ErrAccountInactive
		}
		if r.Status != "" {
			if r.Status, _, err = s.status(ctx, c.Team, r.Status); err != nil {
				return Application{}, err
			}
		}
		return s.recordIn(ctx, by, c, r)
	})
}

// recordIn writes a record that is the contact's of a locked conversation.
func (s *Service) recordIn(ctx context.Context, by tenancy.System, c Conversation, r ApplicationRecord) (Application, error) {
	if _, err := s.store.LockContact(ctx, c.Team, c.Contact); err != nil {
		return Application{}, err
	}
	a, err := s.store.ApplicationByExternalID(ctx, c.Account, r.ExternalID)
	switch {
	case notFound(err):
		a = Application{
			ID: tenancy.NewID[tenancy.ApplicationID](s.env), Account: c.Account, Team: c.Team, Contact: c.Contact,
			ApplicationDetails: r.ApplicationDetails, Origin: r.Origin, ExternalID: r.ExternalID,
			Status: r.Status, CreatedAt: s.env.Now(), Version: 1,
		}
		if a.Status == "" {
			a.Status = NewLabel
		}
		return a, s.insertApplication(ctx, by, a)
	case err != nil:
		return Application{}, err
	case a.Team != c.Team || a.Contact != c.Contact:
		return Application{}, ErrOtherContact
	}
	status := r.Status
	if status == "" {
		status = a.Status
	}
	if status != a.Status && c.Status == Closed {
		return Application{}, ErrClosed
	}
	err = s.restate(ctx, by, &a, r.ApplicationDetails, status)
	return a, err
}

// contacted locks the conversation whose contact a record is about. Where there is none it is what there
// would be of one: the team that has the identity, and the contact there.
func (s *Service) contacted(ctx context.Context, by tenancy.System, r ApplicationRecord) (Conversation, error) {
	owner, err := s.people.TeamByIdentity(ctx, by, r.To)
	if err != nil && !notFound(err) {
		return Conversation{}, err
	}
	c, err := s.lockFound(ctx, func() (tenancy.TeamID, tenancy.ConversationID, error) {
		c, err := s.known(ctx, owner, Inbound{To: r.To, From: r.From})
		return c.Team, c.ID, err
	})
	if !notFound(err) || owner.ID.IsZero() {
		return c, err
	}
	there := Contact{Channel: r.To.Channel, Address: r.From}
	contacts, err := s.contactsIn(ctx, by, owner, s.env.Now(), there)
	return Conversation{Account: owner.Account, Team: owner.ID, Contact: contacts[there.address()].ID}, err
}

// checked answers the record with its details in the form in which they are kept.
func (r ApplicationRecord) checked(by tenancy.System) (ApplicationRecord, error) {
	if err := by.Validate(); err != nil {
		return r, err
	}
	if err := r.To.Validate(); err != nil {
		return r, err
	}
	if err := validAddress(r.To.Channel, r.From); err != nil {
		return r, err
	}
	if r.ExternalID == "" {
		return r, &tenancy.InvalidError{Field: "external id", Reason: "must not be empty"}
	}
	if err := tenancy.ValidExternalID(r.ExternalID); err != nil {
		return r, err
	}
	if r.Origin == FromChat || !slices.Contains(Origins(), r.Origin) {
		return r, &tenancy.InvalidError{Field: "origin", Reason: "must be import, keyword or integration"}
	}
	var err error
	r.ApplicationDetails, err = r.ApplicationDetails.checked()
	return r, err
}
