package sqlstore

import (
	"context"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type optOutStatements struct {
	insert, update, lock, exists, byKey string
}

func (c *compiler) optOuts() optOutStatements {
	const key = `channel = ? AND identity = ? AND address = ?`
	return optOutStatements{
		insert: c.sql(`INSERT INTO usher_opt_outs (channel, identity, address, account_id, cause, caused_by, caused_at,
			reason, message_id, lifted_at, lifted_by, version) VALUES (`, list("?", 11), `, 1)`),
		update: c.sql(`UPDATE usher_opt_outs SET account_id = ?, cause = ?, caused_by = ?, caused_at = ?, reason = ?,
			message_id = ?, lifted_at = ?, lifted_by = ?, version = version + 1 WHERE`, key, `AND version = ?`),
		lock:   c.sql(`UPDATE usher_opt_outs SET locks = locks + 1 WHERE`, key),
		exists: c.sql(`SELECT 1 FROM usher_opt_outs WHERE`, key),
		byKey: c.sql(`SELECT channel, identity, address, account_id, cause, caused_by, caused_at, reason, message_id,
			lifted_at, lifted_by, version FROM usher_opt_outs WHERE`, key),
	}
}

func scanOptOut(r row) (conversation.OptOut, error) {
	var o conversation.OptOut
	err := r.Scan(&o.Identity.Channel, &o.Identity.Value, &o.Address, id(&o.Account), &o.Cause, &o.By, at(&o.At),
		&o.Reason, id(&o.Evidence), at(&o.LiftedAt), &o.LiftedBy, &o.Version)
	return o, err
}

// InsertOptOut implements [conversation.OptOutStore].
func (s *Store) InsertOptOut(ctx context.Context, o conversation.OptOut) error {
	_, err := s.exec(ctx, s.optOuts.insert, o.Identity.Channel, o.Identity.Value, o.Address, o.Account, o.Cause, o.By,
		micros(o.At), o.Reason, o.Evidence, o.LiftedAt, o.LiftedBy)
	return err
}

// UpdateOptOut implements [conversation.OptOutStore].
func (s *Store) UpdateOptOut(ctx context.Context, o conversation.OptOut) error {
	return s.update(ctx, s.optOuts.update, []any{
		o.Account, o.Cause, o.By, micros(o.At), o.Reason, o.Evidence, o.LiftedAt, o.LiftedBy,
		o.Identity.Channel, o.Identity.Value, o.Address, o.Version,
	}, s.optOuts.exists, o.Identity.Channel, o.Identity.Value, o.Address)
}

// LockOptOut implements [conversation.OptOutStore].
func (s *Store) LockOptOut(ctx context.Context, identity tenancy.Identity, address string) (conversation.OptOut, error) {
	if err := s.lock(ctx, s.optOuts.lock, identity.Channel, identity.Value, address); err != nil {
		return conversation.OptOut{}, err
	}
	return s.OptOut(ctx, identity, address)
}

// OptOut implements [conversation.OptOutStore].
func (s *Store) OptOut(ctx context.Context, identity tenancy.Identity, address string) (conversation.OptOut, error) {
	return one(ctx, s, scanOptOut, s.optOuts.byKey, identity.Channel, identity.Value, address)
}
