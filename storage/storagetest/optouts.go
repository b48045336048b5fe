package storagetest

import (
	"context"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

const ruleOptOutKey rule = "conversation.OptOutStore — OptOutStore keeps opt-outs, one for each identity and address, over all accounts."

func optOuts() kind[conversation.OptOut] {
	type row = conversation.OptOut
	return kind[row]{
		name: "opt-out", methods: []string{"InsertOptOut", "UpdateOptOut", "OptOut", "LockOptOut"},
		fresh:  func(w *world) row { return w.anOptOut() },
		insert: storage.Store.InsertOptOut, update: storage.Store.UpdateOptOut,
		lock: func(s storage.Store, ctx context.Context, o row) (row, error) {
			return s.LockOptOut(ctx, o.Identity, o.Address)
		},
		get: func(s storage.Store, ctx context.Context, o row) (row, error) {
			return s.OptOut(ctx, o.Identity, o.Address)
		},
		version: func(o *row) *int64 { return &o.Version },
		stray:   func(w *world, _ row) row { return w.anOptOut() },
		rival: func(w *world, o row) row {
			rival := w.anOptOut()
			rival.Identity, rival.Address = o.Identity, o.Address
			return rival
		},
		changes: []change[row]{
			{"lifting", func(w *world, o *row) { o.LiftedAt, o.LiftedBy = w.now(), tenancy.System("gateway").Principal() }},
			{"another one", func(w *world, o *row) {
				o.Cause, o.By, o.At = conversation.ByContact, tenancy.System("gateway").Principal(), w.now()
				o.Reason, o.Evidence, o.LiftedAt, o.LiftedBy = "", newID[tenancy.MessageID](w), time.Time{}, ""
				o.Account = newID[tenancy.AccountID](w)
			}},
			{"no evidence", func(w *world, o *row) { o.Evidence = tenancy.MessageID{} }},
		},
		times: []timeField[row]{
			{"At", false, func(o *row) *time.Time { return &o.At }},
			{"LiftedAt", true, func(o *row) *time.Time { return &o.LiftedAt }},
		},
		enums: []enumField[row]{
			{"Cause", "contact", func(o *row, v string) { o.Cause = conversation.OptOutCause(v) }, nil},
		},
	}
}

func optOutCases() []testCase {
	return append(optOuts().cases(), testCase{
		name: "opt-out is of one identity and one address", rule: ruleOptOutKey,
		covers: []string{"InsertOptOut", "OptOut"}, run: optOutKeyCase,
	})
}

// optOutKeyCase stores opt-outs whose keys differ in one part, by what a sloppy comparison takes for
// the same.
func optOutKeyCase(w *world) {
	first := optOuts().store(w, w.anOptOut())
	for _, near := range []struct {
		identity tenancy.Identity
		address  string
	}{
		{first.Identity, first.Address + " "},
		{first.Identity, first.Address + "0"},
		{tenancy.Phone(first.Identity.Value + "0"), first.Address},
		{tenancy.Chat(first.Identity.Value), first.Address},
		{tenancy.Phone(first.Address), first.Identity.Value},
	} {
		nothing[conversation.OptOut](w, "OptOut of %v and %q", near.identity, near.address)(w.store.OptOut(w.ctx, near.identity, near.address))
		o := w.anOptOut()
		o.Identity, o.Address = near.identity, near.address
		optOuts().store(w, o)
		optOuts().holds(w, o, "an insert beside a similar one")
	}
	optOuts().holds(w, first, "inserts of similar ones")
}
