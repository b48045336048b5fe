package memory

import (
	"cmp"
	"context"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type optOutRow struct{ conversation.OptOut }

func optOutKey(o conversation.OptOut) threadAddress { return threadAddress{o.Identity, o.Address} }

// InsertOptOut implements [conversation.OptOutStore].
func (s *Store) InsertOptOut(ctx context.Context, o conversation.OptOut) error {
	return s.write(ctx, func() error {
		if err := checkOptOut(&o); err != nil {
			return err
		}
		o.Version = 1
		return s.optOuts.insert(optOutKey(o), &optOutRow{o})
	})
}

// UpdateOptOut implements [conversation.OptOutStore].
func (s *Store) UpdateOptOut(ctx context.Context, o conversation.OptOut) error {
	return s.write(ctx, func() error {
		row, err := s.optOuts.get(optOutKey(o))
		if err != nil {
			return err
		}
		if err := cmp.Or(sameVersion(row.Version, o.Version), checkOptOut(&o)); err != nil {
			return err
		}
		o.Version++
		set(s.log, &row.OptOut, o)
		return nil
	})
}

func checkOptOut(o *conversation.OptOut) error {
	utc(&o.At)
	utc(&o.LiftedAt)
	if o.Account.IsZero() {
		return &tenancy.InvalidError{Field: "account", Reason: "must not be zero"}
	}
	return cmp.Or(channel(o.Identity.Channel), oneOf("cause", o.Cause, conversation.ByContact, conversation.ByUser))
}

// LockOptOut implements [conversation.OptOutStore].
func (s *Store) LockOptOut(ctx context.Context, identity tenancy.Identity, address string) (conversation.OptOut, error) {
	return lock(ctx, s, func() (conversation.OptOut, error) { return s.optOut(identity, address) })
}

// OptOut implements [conversation.OptOutStore].
func (s *Store) OptOut(ctx context.Context, identity tenancy.Identity, address string) (conversation.OptOut, error) {
	return read(ctx, s, func() (conversation.OptOut, error) { return s.optOut(identity, address) })
}

func (s *Store) optOut(identity tenancy.Identity, address string) (conversation.OptOut, error) {
	row, err := s.optOuts.get(threadAddress{identity, address})
	if err != nil {
		return conversation.OptOut{}, err
	}
	return row.OptOut, nil
}
