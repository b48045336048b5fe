package storagetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// A fault is a mistake that an adapter's author could make, put into a store that is right.
type fault struct {
	name  string
	spoil func(s storage.Store) storage.Store
	// caught names a case that must fail with it; others may as well.
	caught string
}

func TestSeededFaultsAreCaught(t *testing.T) {
	cases := map[string]testCase{}
	for _, c := range allCases() {
		cases[c.name] = c
	}
	for _, f := range append(faults(), readingFaults()...) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c, ok := cases[f.caught]
			if !ok {
				t.Fatalf("there is no case %q", f.caught)
			}
			found := failuresOf(t, c, func() storage.Store { return f.spoil(memory.New()) })
			if len(found) == 0 {
				t.Fatalf("the case %q did not notice", f.caught)
			}
			first, _, _ := strings.Cut(found[0], "\n")
			t.Logf("%s: %s", f.caught, first)
		})
	}
}

// faultRounds is how often a race gets the chance to go wrong; the first time ends the case.
const faultRounds = 200

// failuresOf runs a case where its failures are noted and not shown.
func failuresOf(t *testing.T, c testCase, open func() storage.Store) []string {
	t.Helper()
	n := &notebook{TB: t}
	done := make(chan struct{})
	go func() { // of its own, since FailNow ends it
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				t.Errorf("the fault, not the case, is broken: panic: %v", v)
			}
		}()
		c.on(n, open, faultRounds)
	}()
	<-done
	return n.found
}

// A notebook is a testing.TB that takes failures down. The embedded one serves what is no
// failure; it also makes the interface's unexported method.
type notebook struct {
	testing.TB
	mu    sync.Mutex
	found []string
}

func (n *notebook) add(failure string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.found = append(n.found, failure)
}

func (n *notebook) Failed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.found) > 0
}

func (n *notebook) Error(args ...any)                 { n.add(fmt.Sprint(args...)) }
func (n *notebook) Errorf(format string, args ...any) { n.add(fmt.Sprintf(format, args...)) }
func (n *notebook) Fail()                             { n.add("failed") }
func (n *notebook) FailNow()                          { n.Fail(); runtime.Goexit() }
func (n *notebook) Fatal(args ...any)                 { n.Error(args...); runtime.Goexit() }
func (n *notebook) Fatalf(format string, args ...any) { n.Errorf(format, args...); runtime.Goexit() }

// Each fault is the store with one or a few methods replaced. What a replaced InTx needs to
// know of the transaction around it rides in the context.
type inTx struct{}

// spoiled embeds a store under a name that reads well in the types below.
type spoiled struct{ storage.Store }

// --- transactions

// noRollback commits what should be rolled back.
type noRollback struct{ spoiled }

func (s noRollback) InTx(ctx context.Context, fn func(context.Context) error) error {
	var failed error
	if err := s.Store.InTx(ctx, func(ctx context.Context) error { failed = fn(ctx); return nil }); err != nil {
		return err
	}
	return failed
}

// noDoom forgets a nested error that the outer closure swallows.
type noDoom struct{ spoiled }

func (s noDoom) InTx(ctx context.Context, fn func(context.Context) error) error {
	if ctx.Value(inTx{}) != nil {
		return fn(ctx)
	}
	return s.Store.InTx(ctx, func(ctx context.Context) error { return fn(context.WithValue(ctx, inTx{}, true)) })
}

// anyTx takes the transaction of any store for its own.
type anyTx struct{ noDoom }

// noNesting commits each nested transaction by itself. With one writer that can only be
// shown by losing what the inner one says: the outer's failure does not undo it.
type noNesting struct {
	spoiled
	kept *[]tenancy.User
}

func (s noNesting) InsertUser(ctx context.Context, u tenancy.User) error {
	err := s.Store.InsertUser(ctx, u)
	if err == nil && ctx.Value(inTx{}) == 2 {
		*s.kept = append(*s.kept, u)
	}
	return err
}

func (s noNesting) InTx(ctx context.Context, fn func(context.Context) error) error {
	depth, _ := ctx.Value(inTx{}).(int)
	err := s.Store.InTx(ctx, func(ctx context.Context) error { return fn(context.WithValue(ctx, inTx{}, depth+1)) })
	if depth == 0 {
		for _, u := range *s.kept {
			_ = s.Store.InTx(ctx, func(ctx context.Context) error { return s.Store.InsertUser(ctx, u) })
		}
		*s.kept = nil
	}
	return err
}

// swallowsPanic turns a panic into an error.
type swallowsPanic struct{ spoiled }

func (s swallowsPanic) InTx(ctx context.Context, fn func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return s.Store.InTx(ctx, fn)
}

// commitsOnPanic lets the panic go on, after a commit.
type commitsOnPanic struct{ spoiled }

func (s commitsOnPanic) InTx(ctx context.Context, fn func(context.Context) error) error {
	var value any
	err := s.Store.InTx(ctx, func(ctx context.Context) (err error) {
		defer func() { value = recover() }()
		return fn(ctx)
	})
	if value != nil {
		panic(value)
	}
	return err
}

// commitsOnGoexit takes the end of the closure's goroutine for success.
type commitsOnGoexit struct{ spoiled }

func (s commitsOnGoexit) InTx(ctx context.Context, fn func(context.Context) error) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		var err error
		done := make(chan struct{})
		go func() { defer close(done); err = fn(ctx) }()
		<-done
		return err
	})
}

// commitsCancelled does not look at the context before it commits.
type commitsCancelled struct{ spoiled }

// endsWith has the values of one context and the end of another.
type endsWith struct {
	context.Context
	end context.Context
}

func (c endsWith) Done() <-chan struct{}       { return c.end.Done() }
func (c endsWith) Err() error                  { return c.end.Err() }
func (c endsWith) Deadline() (time.Time, bool) { return c.end.Deadline() }

func (s commitsCancelled) InTx(ctx context.Context, fn func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.InTx(context.WithoutCancel(ctx), func(inner context.Context) error { return fn(endsWith{inner, ctx}) })
}

// ignoresCancelled reads on a context that has ended.
type ignoresCancelled struct{ spoiled }

func (s ignoresCancelled) Conversations(ctx context.Context, scope conversation.Scope, f conversation.Filter, p tenancy.Keyset) ([]conversation.Conversation, error) {
	return s.Store.Conversations(context.WithoutCancel(ctx), scope, f, p)
}

// runsTwice runs the closure again after any error.
type runsTwice struct{ spoiled }

func (s runsTwice) InTx(ctx context.Context, fn func(context.Context) error) error {
	err := s.Store.InTx(ctx, fn)
	if err != nil && ctx.Err() == nil {
		err = s.Store.InTx(ctx, fn)
	}
	return err
}

// writesAlone commits a write outside a transaction by itself.
type writesAlone struct{ spoiled }

func (s writesAlone) InsertGrant(ctx context.Context, g conversation.Grant) error {
	err := s.Store.InsertGrant(ctx, g)
	if errors.Is(err, tenancy.ErrNoTx) {
		return s.Store.InTx(ctx, func(ctx context.Context) error { return s.Store.InsertGrant(ctx, g) })
	}
	return err
}

// locksAlone takes a lock that ends before anyone can use it.
type locksAlone struct{ spoiled }

func (s locksAlone) LockContact(ctx context.Context, team tenancy.TeamID, id tenancy.ContactID) (conversation.Contact, error) {
	return s.Store.Contact(ctx, team, id)
}

// revives answers on the context of a transaction that has ended, from outside of it.
type revives struct{ spoiled }

func (s revives) Account(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	a, err := s.Store.Account(ctx, id)
	if errors.Is(err, tenancy.ErrTxDone) {
		return s.Store.Account(context.Background(), id)
	}
	return a, err
}

// readsDirty shows what is not committed.
type readsDirty struct {
	spoiled
	seen *sync.Map
}

func (s readsDirty) InsertUser(ctx context.Context, u tenancy.User) error {
	err := s.Store.InsertUser(ctx, u)
	if err == nil {
		s.seen.Store(u.ID, u)
	}
	return err
}

func (s readsDirty) User(ctx context.Context, id tenancy.UserID) (tenancy.User, error) {
	if u, ok := s.seen.Load(id); ok {
		return u.(tenancy.User), nil
	}
	return s.Store.User(ctx, id)
}

// autocommit has no transactions: each step of a closure is one by itself. It has no version
// check either, so that nothing but luck keeps two writers apart.
type autocommit struct{ spoiled }

func (s autocommit) InTx(ctx context.Context, fn func(context.Context) error) error {
	return fn(context.WithValue(ctx, inTx{}, true))
}

func alone[V any](ctx context.Context, s autocommit, fn func(context.Context) (V, error)) (v V, err error) {
	runtime.Gosched() // what a network does
	err = s.Store.InTx(ctx, func(ctx context.Context) error { v, err = fn(ctx); return err })
	return v, err
}

func step(ctx context.Context, s autocommit, fn func(context.Context) error) error {
	_, err := alone(ctx, s, func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) })
	return err
}

func (s autocommit) InsertUser(ctx context.Context, u tenancy.User) error {
	return step(ctx, s, func(ctx context.Context) error { return s.Store.InsertUser(ctx, u) })
}

func (s autocommit) InsertAccount(ctx context.Context, a tenancy.Account) error {
	return step(ctx, s, func(ctx context.Context) error { return s.Store.InsertAccount(ctx, a) })
}

func (s autocommit) InsertTeam(ctx context.Context, t tenancy.Team) error {
	return step(ctx, s, func(ctx context.Context) error { return s.Store.InsertTeam(ctx, t) })
}

func (s autocommit) InsertMembership(ctx context.Context, m ...tenancy.Membership) error {
	return step(ctx, s, func(ctx context.Context) error { return s.Store.InsertMembership(ctx, m...) })
}

func (s autocommit) UpdateMembership(ctx context.Context, m tenancy.Membership) error {
	return step(ctx, s, func(ctx context.Context) error { return s.Store.UpdateMembership(ctx, m) })
}

func (s autocommit) InsertInvitation(ctx context.Context, records ...invite.Record) error {
	return step(ctx, s, func(ctx context.Context) error { return s.Store.InsertInvitation(ctx, records...) })
}

func (s autocommit) InsertContact(ctx context.Context, c ...conversation.Contact) error {
	return step(ctx, s, func(ctx context.Context) error { return s.Store.InsertContact(ctx, c...) })
}

func (s autocommit) InsertConversation(ctx context.Context, c conversation.Conversation) error {
	return step(ctx, s, func(ctx context.Context) error { return s.Store.InsertConversation(ctx, c) })
}

func (s autocommit) InsertMessage(ctx context.Context, m conversation.Message) error {
	return step(ctx, s, func(ctx context.Context) error { return s.Store.InsertMessage(ctx, m) })
}

func (s autocommit) Append(ctx context.Context, events ...outbox.Event) error {
	return step(ctx, s, func(ctx context.Context) error { return s.Store.Append(ctx, events...) })
}

func (s autocommit) UpdateInvitation(ctx context.Context, r invite.Record) error {
	return step(ctx, s, func(ctx context.Context) error {
		present, err := s.Store.LockInvitation(ctx, r.Team, r.ID)
		r.Version = present.Version
		return errors.Join(err, s.Store.UpdateInvitation(ctx, r))
	})
}

func (s autocommit) UpdateConversation(ctx context.Context, team tenancy.TeamID, c conversation.Conversation) error {
	return step(ctx, s, func(ctx context.Context) error {
		present, err := s.Store.LockConversation(ctx, team, c.ID)
		c.Version = present.Version
		return errors.Join(err, s.Store.UpdateConversation(ctx, team, c))
	})
}

func (s autocommit) LockTeam(ctx context.Context, id tenancy.TeamID) (tenancy.Team, error) {
	return alone(ctx, s, func(ctx context.Context) (tenancy.Team, error) { return s.Store.LockTeam(ctx, id) })
}

func (s autocommit) LockInvitation(ctx context.Context, team tenancy.TeamID, id tenancy.InvitationID) (invite.Record, error) {
	return alone(ctx, s, func(ctx context.Context) (invite.Record, error) { return s.Store.LockInvitation(ctx, team, id) })
}

func (s autocommit) LockConversation(ctx context.Context, team tenancy.TeamID, id tenancy.ConversationID) (conversation.Conversation, error) {
	return alone(ctx, s, func(ctx context.Context) (conversation.Conversation, error) {
		return s.Store.LockConversation(ctx, team, id)
	})
}

// --- rows

// noVersion writes over whatever is there.
type noVersion struct{ spoiled }

func (s noVersion) UpdateContact(ctx context.Context, c conversation.Contact) error {
	if present, err := s.Store.Contact(ctx, c.Team, c.ID); err == nil {
		c.Version = present.Version
	}
	return s.Store.UpdateContact(ctx, c)
}

// keepsVersion trusts the version that an insert gives.
type keepsVersion struct{ spoiled }

func (s keepsVersion) Account(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	a, err := s.Store.Account(ctx, id)
	a.Version = 1
	return a, err
}

// silentMissing takes an update of nothing for done, as a statement without a look at the
// number of rows does.
type silentMissing struct{ spoiled }

func (s silentMissing) UpdateGrant(ctx context.Context, g conversation.Grant) error {
	err := s.Store.UpdateGrant(ctx, g)
	if errors.Is(err, tenancy.ErrNotFound) {
		return nil
	}
	return err
}

// forgetsField leaves a column out of its UPDATE.
type forgetsField struct{ spoiled }

func (s forgetsField) UpdateTeam(ctx context.Context, t tenancy.Team) error {
	if present, err := s.Store.Team(ctx, t.ID); err == nil {
		t.Identity = present.Identity
	}
	return s.Store.UpdateTeam(ctx, t)
}

// takesDuplicates stores a repeated message without its key.
type takesDuplicates struct{ spoiled }

func (s takesDuplicates) InsertMessage(ctx context.Context, m conversation.Message) error {
	if _, err := s.Store.MessageByKey(ctx, m.Key); err == nil {
		m.Key = conversation.MessageKey{}
	}
	return s.Store.InsertMessage(ctx, m)
}

// ignoresDuplicates does as INSERT … ON CONFLICT DO NOTHING does.
type ignoresDuplicates struct{ spoiled }

func (s ignoresDuplicates) InsertDelivery(ctx context.Context, list ...conversation.Delivery) error {
	list = slices.DeleteFunc(slices.Clone(list), func(d conversation.Delivery) bool {
		_, err := s.Store.PendingDelivery(ctx, d.Conversation)
		return err == nil && d.State == conversation.DeliveryPending
	})
	return s.Store.InsertDelivery(ctx, list...)
}

// noReferences does not check foreign keys, as SQLite does unless it is told to.
type noReferences struct{ spoiled }

func (s noReferences) InsertMembership(ctx context.Context, list ...tenancy.Membership) error {
	for _, m := range list {
		if _, err := s.Store.Team(ctx, m.Team); err != nil {
			return nil //nolint:nilerr // the fault is to take the row all the same
		}
	}
	return s.Store.InsertMembership(ctx, list...)
}

// goesOn forgets that a statement has failed: the rest of the transaction is committed.
type goesOn struct{ spoiled }

func (s goesOn) InsertUser(ctx context.Context, u tenancy.User) error {
	if _, err := s.Store.UserByExternalID(ctx, u.ExternalID); err == nil {
		return tenancy.ErrDuplicate
	}
	return s.Store.InsertUser(ctx, u)
}

// anyWord takes every status.
type anyWord struct{ spoiled }

func (s anyWord) InsertTeam(ctx context.Context, t tenancy.Team) error {
	t.Status = tenancy.TeamStatus(strings.ToLower(strings.TrimSpace(string(t.Status))))
	return s.Store.InsertTeam(ctx, t)
}

// milliseconds loses the last three digits of a time.
type milliseconds struct{ spoiled }

func (s milliseconds) InsertMessage(ctx context.Context, m conversation.Message) error {
	m.At = m.At.Truncate(time.Millisecond)
	return s.Store.InsertMessage(ctx, m)
}

// roundsUp rounds a time to the microsecond, as PostgreSQL's timestamps do.
type roundsUp struct{ spoiled }

func (s roundsUp) InsertGrant(ctx context.Context, g conversation.Grant) error {
	g.AcceptedAt = g.AcceptedAt.Round(time.Microsecond)
	return s.Store.InsertGrant(ctx, g)
}

// localTimes answers in the zone of the server.
type localTimes struct{ spoiled }

func (s localTimes) User(ctx context.Context, id tenancy.UserID) (tenancy.User, error) {
	u, err := s.Store.User(ctx, id)
	u.CreatedAt = u.CreatedAt.In(time.FixedZone("CET", 3600))
	return u, err
}

// epochForZero stores no time as the time 0.
type epochForZero struct{ spoiled }

func (s epochForZero) Membership(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) (tenancy.Membership, error) {
	m, err := s.Store.Membership(ctx, team, user)
	if m.EndedAt.IsZero() {
		m.EndedAt = time.Unix(0, 0).UTC()
	}
	return m, err
}

// zeroForEpoch stores no time as the time 0, and takes the time 0 for none.
type zeroForEpoch struct{ spoiled }

func (s zeroForEpoch) Grant(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (conversation.Grant, error) {
	g, err := s.Store.Grant(ctx, id, user)
	if g.ExpiresAt.UnixMicro() == 0 {
		g.ExpiresAt = time.Time{}
	}
	return g, err
}

// --- keys

// foldsCase looks addresses up in lower case, of which Unicode has its own idea.
type foldsCase struct{ spoiled }

func (s foldsCase) UserByEmail(ctx context.Context, normal string) (tenancy.User, error) {
	u, err := s.Store.UserByEmail(ctx, normal)
	if errors.Is(err, tenancy.ErrNotFound) {
		return s.Store.UserByEmail(ctx, strings.ToLower(normal))
	}
	return u, err
}

// pads compares as CHAR columns do: without the spaces at the end.
type pads struct{ spoiled }

func (s pads) InsertContact(ctx context.Context, list ...conversation.Contact) error {
	list = slices.Clone(list)
	for i := range list {
		list[i].Address = strings.TrimRight(list[i].Address, " ")
	}
	return s.Store.InsertContact(ctx, list...)
}

// cuts stores as much of a text as its column holds.
type cuts struct{ spoiled }

func (s cuts) InsertMessage(ctx context.Context, m conversation.Message) error {
	if len(m.Text) > 4000 {
		m.Text = m.Text[:4000]
	}
	return s.Store.InsertMessage(ctx, m)
}

// replaces mends what is not UTF-8, and so takes two texts for one.
type replaces struct{ spoiled }

func (s replaces) InsertUser(ctx context.Context, u tenancy.User) error {
	u.ExternalID = strings.ToValidUTF8(u.ExternalID, "")
	return s.Store.InsertUser(ctx, u)
}

// zeroToken finds an invitation without a token by the hash of none.
type zeroToken struct {
	spoiled
	last *invite.Record
}

func (s zeroToken) UpdateInvitation(ctx context.Context, r invite.Record) error {
	err := s.Store.UpdateInvitation(ctx, r)
	if err == nil && r.Hash == (invite.TokenHash{}) {
		*s.last = r
	}
	return err
}

func (s zeroToken) InvitationByToken(ctx context.Context, hash invite.TokenHash) (invite.Record, error) {
	if hash == (invite.TokenHash{}) && !s.last.ID.IsZero() {
		return *s.last, nil
	}
	return s.Store.InvitationByToken(ctx, hash)
}

// anyTeam finds a contact by its id alone.
type anyTeam struct {
	spoiled
	teams *sync.Map
}

func (s anyTeam) InsertContact(ctx context.Context, list ...conversation.Contact) error {
	for _, c := range list {
		s.teams.Store(c.ID, c.Team)
	}
	return s.Store.InsertContact(ctx, list...)
}

func (s anyTeam) Contact(ctx context.Context, team tenancy.TeamID, id tenancy.ContactID) (conversation.Contact, error) {
	if own, ok := s.teams.Load(id); ok {
		team = own.(tenancy.TeamID)
	}
	return s.Store.Contact(ctx, team, id)
}

// rowsTeam updates a conversation in the team that the row names, whatever team is given.
type rowsTeam struct {
	spoiled
	at *sync.Map
}

func (s rowsTeam) InsertConversation(ctx context.Context, c conversation.Conversation) error {
	s.at.Store(c.ID, c.Team)
	return s.Store.InsertConversation(ctx, c)
}

func (s rowsTeam) UpdateConversation(ctx context.Context, _ tenancy.TeamID, c conversation.Conversation) error {
	own, _ := s.at.Load(c.ID)
	team, _ := own.(tenancy.TeamID)
	return s.Store.UpdateConversation(ctx, team, c)
}

// --- lists

// offByOne begins a page with the row that the last one ended with.
type offByOne struct{ spoiled }

func (s offByOne) Members(ctx context.Context, team tenancy.TeamID, p tenancy.Keyset) ([]tenancy.Member, error) {
	for i := len(p.ID) - 1; i >= 0; i-- { // one less
		p.ID[i]--
		if p.ID[i] != 0xff {
			break
		}
	}
	return s.Store.Members(ctx, team, p)
}

// losesTies goes on after the time of the last row, and passes over others of that time.
type losesTies struct{ spoiled }

func (s losesTies) Conversations(ctx context.Context, scope conversation.Scope, f conversation.Filter, p tenancy.Keyset) ([]conversation.Conversation, error) {
	p.ID = uuid.UUID{}
	return s.Store.Conversations(ctx, scope, f, p)
}

// mixesTies orders by time alone; rows of one time come as they come.
type mixesTies struct{ spoiled }

func (s mixesTies) Invitations(ctx context.Context, team tenancy.TeamID, f invite.Filter, p tenancy.Keyset) ([]invite.Record, error) {
	list, err := s.Store.Invitations(ctx, team, f, p)
	for i := 1; i < len(list); i++ {
		if list[i].CreatedAt.Equal(list[i-1].CreatedAt) {
			list[i], list[i-1] = list[i-1], list[i]
		}
	}
	return list, err
}

// filtersLate cuts to the page first and drops what the filter does not admit then.
type filtersLate struct{ spoiled }

func (s filtersLate) Conversations(ctx context.Context, scope conversation.Scope, f conversation.Filter, p tenancy.Keyset) ([]conversation.Conversation, error) {
	all, err := s.Store.Conversations(ctx, scope, conversation.Filter{}, p)
	var list []conversation.Conversation
	for _, c := range all {
		if f.Admits(c, scope.At) {
			list = append(list, c)
		}
	}
	return list, err
}

// keepsClaims lists what somebody has claimed whether the claim has ended or not.
type keepsClaims struct{ spoiled }

func (s keepsClaims) Conversations(ctx context.Context, scope conversation.Scope, f conversation.Filter, p tenancy.Keyset) ([]conversation.Conversation, error) {
	if scope.Guest.IsZero() && !f.Claimant.IsZero() {
		scope.At = time.Time{}.Add(time.Microsecond)
	}
	return s.Store.Conversations(ctx, scope, f, p)
}

// freesAssigned takes what is assigned for nobody's, as long as nobody is at it.
type freesAssigned struct{ spoiled }

func (s freesAssigned) Conversations(ctx context.Context, scope conversation.Scope, f conversation.Filter, p tenancy.Keyset) ([]conversation.Conversation, error) {
	if !f.Unclaimed {
		return s.Store.Conversations(ctx, scope, f, p)
	}
	f.Unclaimed = false
	all, err := s.Store.Conversations(ctx, scope, f, p)
	return slices.DeleteFunc(all, func(c conversation.Conversation) bool { return !c.ClaimantAt(scope.At).IsZero() }), err
}

// queuesAll lists what is assigned to a user whoever else is at it.
type queuesAll struct{ spoiled }

func (s queuesAll) Conversations(ctx context.Context, scope conversation.Scope, f conversation.Filter, p tenancy.Keyset) ([]conversation.Conversation, error) {
	if f.Queue == conversation.AssignedToMe && !f.QueueOf.IsZero() {
		f = conversation.Filter{Status: conversation.Open, Waiting: true, Assignee: f.QueueOf}
	}
	return s.Store.Conversations(ctx, scope, f, p)
}

// countsClosed counts what is assigned whatever its state.
type countsClosed struct{ spoiled }

func (s countsClosed) LockLoads(ctx context.Context, team tenancy.TeamID, at time.Time, users ...tenancy.UserID) ([]conversation.Load, error) {
	loads, err := s.Store.LockLoads(ctx, team, at, users...)
	for i := range loads {
		assigned, err := heldBy(ctx, s.Store, team, loads[i].User)
		if err != nil {
			return nil, err
		}
		loads[i].Open = max(loads[i].Open, len(assigned))
	}
	return loads, err
}

// countsLate counts a claim in the microsecond in which it ends.
type countsLate struct{ spoiled }

func (s countsLate) LockLoads(ctx context.Context, team tenancy.TeamID, at time.Time, users ...tenancy.UserID) ([]conversation.Load, error) {
	return s.Store.LockLoads(ctx, team, at.Add(-time.Microsecond), users...)
}

// loadsAnybody answers loads of those who are in no team.
type loadsAnybody struct{ spoiled }

func (s loadsAnybody) LockLoads(ctx context.Context, team tenancy.TeamID, at time.Time, users ...tenancy.UserID) ([]conversation.Load, error) {
	var loads []conversation.Load
	known, err := s.Store.LockLoads(ctx, team, at, users...)
	for _, user := range tenancy.InOrder(users...) {
		load := conversation.Load{User: user}
		for _, k := range known {
			if k.User == user {
				load = k
			}
		}
		loads = append(loads, load)
	}
	return loads, err
}

// looseLoads reads loads in a transaction of their own, before it takes them.
type looseLoads struct {
	spoiled
	last *sync.Map
}

func (s looseLoads) LockLoads(ctx context.Context, team tenancy.TeamID, at time.Time, users ...tenancy.UserID) ([]conversation.Load, error) {
	loads, err := s.Store.LockLoads(ctx, team, at, users...)
	for i, load := range loads {
		if turn, ok := s.last.Swap(load.User, load.Turn); ok {
			loads[i].Turn, _ = turn.(int64)
		}
	}
	return loads, err
}

// losesTurns forgets whose turn it was.
type losesTurns struct{ spoiled }

func (losesTurns) UpdateTurn(context.Context, tenancy.TeamID, tenancy.UserID, int64) error {
	return nil
}

// guestsAreStaff takes everybody who is in the team for its staff.
type guestsAreStaff struct{ spoiled }

func (s guestsAreStaff) Staff(ctx context.Context, team tenancy.TeamID) ([]tenancy.Colleague, error) {
	members, err := s.Members(ctx, team, tenancy.Keyset{Limit: 1000})
	var staff []tenancy.Colleague
	for _, m := range members {
		a, err := s.Authority(ctx, team, m.User)
		if err != nil {
			return nil, err
		}
		if m.Status == tenancy.MembershipActive && a.UserStatus == tenancy.UserActive {
			staff = append(staff, tenancy.Colleague{User: m.User, Authority: a})
		}
	}
	slices.SortFunc(staff, func(a, b tenancy.Colleague) int { return slices.Compare(a.User[:], b.User[:]) })
	return staff, err
}

// ignoresExpiry shows a guest what their grant once showed.
type ignoresExpiry struct{ spoiled }

func (s ignoresExpiry) Conversations(ctx context.Context, scope conversation.Scope, f conversation.Filter, p tenancy.Keyset) ([]conversation.Conversation, error) {
	scope.At = time.Time{}
	return s.Store.Conversations(ctx, scope, f, p)
}

// lateExpiry lets a grant live in the microsecond in which it ends.
type lateExpiry struct{ spoiled }

func (s lateExpiry) Conversations(ctx context.Context, scope conversation.Scope, f conversation.Filter, p tenancy.Keyset) ([]conversation.Conversation, error) {
	scope.At = scope.At.Add(-time.Microsecond)
	return s.Store.Conversations(ctx, scope, f, p)
}

// storedState filters invitations by what is stored and not by the clock.
type storedState struct{ spoiled }

func (s storedState) Invitations(ctx context.Context, team tenancy.TeamID, f invite.Filter, p tenancy.Keyset) ([]invite.Record, error) {
	f.Now = time.Time{}
	return s.Store.Invitations(ctx, team, f, p)
}

// showsNotes answers notes to those who must not see them.
type showsNotes struct{ spoiled }

func (s showsNotes) Messages(ctx context.Context, id tenancy.ConversationID, r conversation.Range) ([]conversation.Message, error) {
	r.Notes = true
	return s.Store.Messages(ctx, id, r)
}

// readsForward takes the first messages where the last are asked for.
type readsForward struct{ spoiled }

func (s readsForward) Messages(ctx context.Context, id tenancy.ConversationID, r conversation.Range) ([]conversation.Message, error) {
	r.Newest = false
	return s.Store.Messages(ctx, id, r)
}

// includesBefore reads one message too many.
type includesBefore struct{ spoiled }

func (s includesBefore) Messages(ctx context.Context, id tenancy.ConversationID, r conversation.Range) ([]conversation.Message, error) {
	if r.Before > 0 && r.Before < 1<<62 {
		r.Before++
	}
	return s.Store.Messages(ctx, id, r)
}

// rewrites takes an update for the whole row.
type rewrites struct {
	spoiled
	kinds *sync.Map
}

func (s rewrites) UpdateMessage(ctx context.Context, m conversation.Message) error {
	s.kinds.Store(m.ID, m.Kind)
	return s.Store.UpdateMessage(ctx, m)
}

func (s rewrites) Message(ctx context.Context, id tenancy.ConversationID, message tenancy.MessageID) (conversation.Message, error) {
	m, err := s.Store.Message(ctx, id, message)
	if kind, ok := s.kinds.Load(message); ok {
		m.Kind, _ = kind.(conversation.MessageKind)
	}
	return m, err
}

// dropsReceipts keeps the first message that has a receipt and passes over that of the next.
type dropsReceipts struct{ spoiled }

func (s dropsReceipts) UpdateMessage(ctx context.Context, m conversation.Message) error {
	if at, err := s.Store.FindReceipt(ctx, m.Receipt); err == nil && at.Message != m.ID {
		m.Receipt = conversation.MessageKey{}
	}
	return s.Store.UpdateMessage(ctx, m)
}

// findsNotes searches notes for those who must not see them.
type findsNotes struct{ spoiled }

func (s findsNotes) Search(ctx context.Context, team tenancy.TeamID, words []conversation.Word, _ bool, p tenancy.Keyset) ([]conversation.Message, error) {
	return s.Store.Search(ctx, team, words, true, p)
}

// findsSome looks for the first word and for no other.
type findsSome struct{ spoiled }

func (s findsSome) Search(ctx context.Context, team tenancy.TeamID, words []conversation.Word, notes bool, p tenancy.Keyset) ([]conversation.Message, error) {
	return s.Store.Search(ctx, team, words[:min(1, len(words))], notes, p)
}

// leavesWords finds in the old team what has moved to another.
type leavesWords struct {
	spoiled
	words *sync.Map // the team for which a message got its words
}

func (s leavesWords) InsertWords(ctx context.Context, team tenancy.TeamID, m conversation.Message, words []conversation.Word) error {
	s.words.Store(m.ID, team)
	return s.Store.InsertWords(ctx, team, m, words)
}

func (s leavesWords) Search(ctx context.Context, team tenancy.TeamID, words []conversation.Word, notes bool, p tenancy.Keyset) ([]conversation.Message, error) {
	found, err := s.Store.Search(ctx, team, words, notes, p)
	return slices.DeleteFunc(found, func(m conversation.Message) bool {
		first, ok := s.words.Load(m.ID)
		return ok && first != team
	}), err
}

// keepsWords deletes no words.
type keepsWords struct{ spoiled }

func (s keepsWords) DeleteWords(context.Context, tenancy.MessageID) error { return nil }

// editsAll writes all that an update of an application gives.
type editsAll struct{ spoiled }

func (s editsAll) UpdateApplication(ctx context.Context, a conversation.Application) error {
	if err := s.Store.UpdateApplication(ctx, a); err != nil || a.Origin != "nothing" {
		return err
	}
	return tenancy.ErrInvalid
}

// anyAccounts finds an application by an external id, whoever's it is.
type anyAccounts struct {
	spoiled
	seen *sync.Map
}

func (s anyAccounts) InsertApplication(ctx context.Context, a conversation.Application) error {
	s.seen.Store(a.ExternalID, a)
	return s.Store.InsertApplication(ctx, a)
}

func (s anyAccounts) ApplicationByExternalID(_ context.Context, _ tenancy.AccountID, externalID string) (conversation.Application, error) {
	if a, ok := s.seen.Load(externalID); ok {
		return a.(conversation.Application), nil
	}
	return conversation.Application{}, tenancy.ErrNotFound
}

// lastFirst takes the newest application for the first, and lists the oldest first.
type lastFirst struct{ spoiled }

func (s lastFirst) FirstApplication(ctx context.Context, team tenancy.TeamID, contact tenancy.ContactID) (conversation.Application, error) {
	all, err := s.Store.Applications(ctx, team, contact, tenancy.Keyset{Limit: 1})
	if err != nil || len(all) == 0 {
		return conversation.Application{}, cmp.Or(err, tenancy.ErrNotFound)
	}
	return all[0], nil
}

func (s lastFirst) Applications(ctx context.Context, team tenancy.TeamID, contact tenancy.ContactID, page tenancy.Keyset) ([]conversation.Application, error) {
	all, err := s.Store.Applications(ctx, team, contact, page)
	slices.Reverse(all)
	return all, err
}

// onlyFrom lists the deliveries of the team that delivered.
type onlyFrom struct{ spoiled }

func (s onlyFrom) DeliveriesOf(ctx context.Context, team tenancy.TeamID, p tenancy.Keyset) ([]conversation.Delivery, error) {
	all, err := s.Store.DeliveriesOf(ctx, team, p)
	var list []conversation.Delivery
	for _, d := range all {
		if d.FromTeam == team {
			list = append(list, d)
		}
	}
	return list, err
}

// locksClosed takes closed conversations for open ones.
type locksClosed struct{ spoiled }

func (s locksClosed) LockOpen(ctx context.Context, team tenancy.TeamID) ([]conversation.Conversation, error) {
	if _, err := s.Store.LockOpen(ctx, team); err != nil {
		return nil, err
	}
	all, err := s.Store.Conversations(ctx, conversation.Scope{Team: team}, conversation.Filter{}, tenancy.Keyset{Limit: 1000})
	slices.SortFunc(all, func(a, b conversation.Conversation) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return all, err
}

// newestFirst goes through a line from its end.
type newestFirst struct{ spoiled }

func (s newestFirst) LockNext(ctx context.Context, team tenancy.TeamID, line conversation.Line) (conversation.Conversation, error) {
	next, err := s.Store.LockNext(ctx, team, line)
	if err != nil {
		return next, err
	}
	all, err := s.Store.Conversations(ctx, conversation.Scope{Team: team}, conversation.Filter{Status: conversation.Open, Waiting: true}, tenancy.Keyset{Limit: 1})
	if err == nil && all[0].Assignee == next.Assignee && all[0].ClaimedUntil.Equal(next.ClaimedUntil) {
		next = all[0]
	}
	return next, err
}

// lateClaims ends claims a microsecond late.
type lateClaims struct{ spoiled }

func (s lateClaims) LockNext(ctx context.Context, team tenancy.TeamID, line conversation.Line) (conversation.Conversation, error) {
	line.At = line.At.Add(-time.Microsecond)
	return s.Store.LockNext(ctx, team, line)
}

func (s lateClaims) ClaimsEnded(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return s.Store.ClaimsEnded(ctx, now.Add(-time.Microsecond), limit)
}

// skipsForAll keeps what one user has skipped from everybody.
type skipsForAll struct {
	spoiled
	skipped *sync.Map
}

func (s skipsForAll) InsertSkip(ctx context.Context, skip conversation.Skip) error {
	s.skipped.Store(skip.Conversation, skip.EndsAt)
	return s.Store.InsertSkip(ctx, skip)
}

func (s skipsForAll) LockNext(ctx context.Context, team tenancy.TeamID, line conversation.Line) (conversation.Conversation, error) {
	next, err := s.Store.LockNext(ctx, team, line)
	if until, ok := s.skipped.Load(next.ID); ok && line.At.Before(until.(time.Time)) {
		return conversation.Conversation{}, tenancy.ErrNotFound
	}
	return next, err
}

// firstSkip keeps the first skip and passes over those that follow.
type firstSkip struct {
	spoiled
	skipped *sync.Map
}

func (s firstSkip) InsertSkip(ctx context.Context, skip conversation.Skip) error {
	key := skip
	key.EndsAt = time.Time{}
	if _, kept := s.skipped.LoadOrStore(key, true); kept {
		return nil
	}
	return s.Store.InsertSkip(ctx, skip)
}

// seesClaimsOnly takes what is claimed for what does not wait.
type seesClaimsOnly struct{ spoiled }

func (s seesClaimsOnly) Waits(ctx context.Context, team tenancy.TeamID, line conversation.Line) (bool, error) {
	waits := false
	err := s.Store.InTx(ctx, func(ctx context.Context) error {
		_, err := s.Store.LockNext(ctx, team, line)
		waits = err == nil
		if errors.Is(err, tenancy.ErrNotFound) {
			err = nil
		}
		return err
	})
	return waits, err
}

// onlyLasting knows only part of what a user has claimed, and takes what is answered for waiting.
type onlyLasting struct{ spoiled }

func (s onlyLasting) HeldBy(ctx context.Context, who ...tenancy.Actor) ([]conversation.Thread, error) {
	held, err := s.Store.HeldBy(ctx, who...)
	ended, failed := s.Store.ClaimsEnded(ctx, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), 1000)
	return slices.DeleteFunc(held, func(t conversation.Thread) bool { return slices.Contains(ended, t) }), errors.Join(err, failed)
}

func (s onlyLasting) LockAnswered(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) ([]conversation.Conversation, error) {
	list, err := s.Store.LockAnswered(ctx, team, user)
	return list[:max(0, len(list)-1)], err
}

func (s onlyLasting) Hand(ctx context.Context, team tenancy.TeamID, line conversation.Line) (conversation.Hand, error) {
	line.Free = true
	hand, err := s.Store.Hand(ctx, team, line)
	hand.Waiting = hand.Waiting || hand.Answered
	return hand, err
}

// wakesLate finds the end of a snooze when it has been over for a microsecond.
type wakesLate struct{ spoiled }

func (s wakesLate) SnoozeEnded(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return s.Store.SnoozeEnded(ctx, now.Add(-time.Microsecond), limit)
}

// lapsesGrantsLate finds a guest's end when it has been over for a microsecond.
type lapsesGrantsLate struct{ spoiled }

func (s lapsesGrantsLate) LapsedGrants(ctx context.Context, now time.Time, limit int) ([]conversation.ThreadUser, error) {
	return s.Store.LapsedGrants(ctx, now.Add(-time.Microsecond), limit)
}

// closesEarly finds what will be idle in a microsecond.
type closesEarly struct{ spoiled }

func (s closesEarly) Idle(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return s.Store.Idle(ctx, now.Add(time.Microsecond), limit)
}

// endsAgain lets an episode end as often as it is asked to, without a word.
type endsAgain struct{ spoiled }

func (s endsAgain) EndEpisode(ctx context.Context, e conversation.Episode) error {
	if err := s.Store.EndEpisode(ctx, e); !errors.Is(err, tenancy.ErrNotFound) {
		return err
	}
	return nil
}

// oneAccount finds the newest conversation of an address, whoever asks.
type oneAccount struct{ spoiled }

func (s oneAccount) ConversationsByAddress(ctx context.Context, identity tenancy.Identity, address string) ([]conversation.Conversation, error) {
	list, err := s.Store.ConversationsByAddress(ctx, identity, address)
	return list[:min(1, len(list))], err
}

// endedDeliveries lists what a user has delivered as if they still had it before them.
type endedDeliveries struct{ spoiled }

func (s endedDeliveries) HeldBy(ctx context.Context, who ...tenancy.Actor) ([]conversation.Thread, error) {
	held, err := s.Store.HeldBy(ctx, who...)
	for _, a := range who {
		all, failed := s.Store.DeliveriesOf(ctx, a.Team, tenancy.Keyset{Limit: 1000})
		err = errors.Join(err, failed)
		for _, d := range all {
			t := conversation.Thread{Team: a.Team, Conversation: d.Conversation}
			if (d.By == a.User || d.Recipient.User == a.User) && !slices.Contains(held, t) {
				held = append(held, t)
			}
		}
	}
	return sorted(held, func(t conversation.Thread) tenancy.ConversationID { return t.Conversation }), err
}

// onlySent reads a delivery only for the team that delivered.
type onlySent struct{ spoiled }

func (s onlySent) Delivery(ctx context.Context, team tenancy.TeamID, id tenancy.DeliveryID) (conversation.Delivery, error) {
	d, err := s.Store.Delivery(ctx, team, id)
	if err == nil && d.FromTeam != team {
		return conversation.Delivery{}, tenancy.ErrNotFound
	}
	return d, err
}

// offersLate lists deliveries to accept until just after their deadline.
type offersLate struct{ spoiled }

func (s offersLate) DeliveriesTo(ctx context.Context, team tenancy.TeamID, user tenancy.UserID, at time.Time, page tenancy.Keyset) ([]conversation.Delivery, error) {
	return s.Store.DeliveriesTo(ctx, team, user, at.Add(-time.Microsecond), page)
}

func (s offersLate) LapsedDeliveries(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return s.Store.LapsedDeliveries(ctx, now.Add(-time.Microsecond), limit)
}

// leavesEnded leaves the address in deliveries that have ended.
type leavesEnded struct {
	spoiled
	pending *sync.Map
}

func (s leavesEnded) InsertDelivery(ctx context.Context, list ...conversation.Delivery) error {
	for _, d := range list {
		if d.State == conversation.DeliveryPending {
			s.pending.Store(d.Conversation, d.Recipient.Email.Normal)
		}
	}
	return s.Store.InsertDelivery(ctx, list...)
}

func (s leavesEnded) EraseRecipient(ctx context.Context, normal string) error {
	var err error
	s.pending.Range(func(id, email any) bool {
		d, missing := s.PendingDelivery(ctx, id.(tenancy.ConversationID))
		if missing == nil && email == normal {
			d.Recipient = conversation.Recipient{}
			err = errors.Join(err, s.UpdateDelivery(ctx, d))
		}
		return true
	})
	return err
}

// anyManager counts managers whose membership will end.
type anyManager struct{ spoiled }

func (s anyManager) Managed(ctx context.Context, but tenancy.UserID, teams ...tenancy.TeamID) (managed []tenancy.TeamID, err error) {
	for _, team := range teams {
		members, failed := s.Store.Members(ctx, team, tenancy.Keyset{Limit: 1000})
		err = errors.Join(err, failed)
		if slices.ContainsFunc(members, func(m tenancy.Member) bool {
			return m.Role == rbac.Manager && m.Status == tenancy.MembershipActive && m.User != but
		}) {
			managed = append(managed, team)
		}
	}
	return managed, err
}

// sharesPayload keeps what it was given, and gives it away.
type sharesPayload struct {
	spoiled
	payloads *sync.Map
}

func (s sharesPayload) Append(ctx context.Context, events ...outbox.Event) error {
	for _, e := range events {
		s.payloads.Store(e.ID, e.Payload)
	}
	return s.Store.Append(ctx, events...)
}

func (s sharesPayload) TeamEvents(ctx context.Context, team uuid.UUID, filter outbox.LogFilter, before time.Time, id uuid.UUID, limit int) ([]outbox.Event, error) {
	list, err := s.Store.TeamEvents(ctx, team, filter, before, id, limit)
	for i := range list {
		if p, ok := s.payloads.Load(list[i].ID); ok {
			list[i].Payload = p.(json.RawMessage)
		}
	}
	return list, err
}

// sharesList answers a part of an array that it keeps.
type sharesList struct {
	spoiled
	kept *sync.Map
}

func (s sharesList) HeldBy(ctx context.Context, who ...tenancy.Actor) ([]conversation.Thread, error) {
	if list, ok := s.kept.Load(who[0]); ok {
		return list.([]conversation.Thread), nil
	}
	list, err := s.Store.HeldBy(ctx, who...)
	if len(list) > 0 {
		s.kept.Store(who[0], list)
	}
	return list, err
}

// --- outbox

// gaps draws sequences that a rollback does not give back, as database sequences do.
type gaps struct {
	spoiled
	mu    *sync.Mutex
	next  map[outbox.Stream]int64
	drawn map[uuid.UUID]int64
}

func (s gaps) Append(ctx context.Context, events ...outbox.Event) error {
	err := s.Store.Append(ctx, events...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		if err == nil {
			s.next[e.Stream]++
			s.drawn[e.ID] = s.next[e.Stream]
		}
	}
	return err
}

func (s gaps) TeamEvents(ctx context.Context, team uuid.UUID, filter outbox.LogFilter, before time.Time, id uuid.UUID, limit int) ([]outbox.Event, error) {
	list, err := s.Store.TeamEvents(ctx, team, filter, before, id, limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list {
		list[i].Sequence = s.drawn[list[i].ID]
	}
	return list, err
}

// bumps takes the stream's counter for a change of its row.
type bumps struct{ spoiled }

func (s bumps) Append(ctx context.Context, events ...outbox.Event) error {
	if err := s.Store.Append(ctx, events...); err != nil {
		return err
	}
	for _, e := range events {
		if e.Stream.Kind == outbox.TeamStream {
			t, err := s.Store.LockTeam(ctx, tenancy.TeamID(e.Stream.ID))
			if err != nil {
				return err
			}
			if err := s.Store.UpdateTeam(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// reformats stores payloads as a database's own type does.
type reformats struct{ spoiled }

func (s reformats) Append(ctx context.Context, events ...outbox.Event) error {
	events = append([]outbox.Event(nil), events...)
	for i := range events {
		events[i].Payload = []byte(strings.ReplaceAll(string(events[i].Payload), "\": ", "\":"))
	}
	return s.Store.Append(ctx, events...)
}

// noLease hands out what another relay holds.
type noLease struct{ spoiled }

func (s noLease) Take(ctx context.Context, lane string, now, until time.Time, limit int) ([]outbox.Due, error) {
	return s.Store.Take(ctx, lane, now.AddDate(1, 0, 0), until, limit)
}

// longLease keeps a lease for a microsecond more than was asked for.
type longLease struct{ spoiled }

func (s longLease) Take(ctx context.Context, lane string, now, until time.Time, limit int) ([]outbox.Due, error) {
	return s.Store.Take(ctx, lane, now.Add(-time.Microsecond), until, limit)
}

// limitFirst looks for heads among the oldest events only, and passes over the others.
type limitFirst struct {
	spoiled
	oldest *[]uuid.UUID
}

func (s limitFirst) Append(ctx context.Context, events ...outbox.Event) error {
	for _, e := range events {
		*s.oldest = append(*s.oldest, e.ID)
	}
	return s.Store.Append(ctx, events...)
}

func (s limitFirst) Take(ctx context.Context, lane string, now, until time.Time, limit int) ([]outbox.Due, error) {
	all, err := s.Store.Take(ctx, lane, now, until, 1000)
	var due []outbox.Due
	for _, d := range all {
		if slices.Contains((*s.oldest)[:min(limit, len(*s.oldest))], d.ID) {
			due = append(due, d)
		} else {
			err = errors.Join(err, s.Store.Retry(ctx, d, now))
		}
	}
	return due, err
}

// wholeStream hands out the event after the head as well.
type wholeStream struct{ spoiled }

func (s wholeStream) Take(ctx context.Context, lane string, now, until time.Time, limit int) ([]outbox.Due, error) {
	due, err := s.Store.Take(ctx, lane, now, until, limit)
	for _, d := range due {
		err = errors.Join(err, s.Store.Done(ctx, d))
	}
	more, moreErr := s.Store.Take(ctx, lane, now, until, limit)
	return append(due, more...), errors.Join(err, moreErr)
}

// forgetsLease lets whoever once held a lease end the present one.
type forgetsLease struct {
	spoiled
	last *sync.Map
}

func (s forgetsLease) Take(ctx context.Context, lane string, now, until time.Time, limit int) ([]outbox.Due, error) {
	due, err := s.Store.Take(ctx, lane, now, until, limit)
	for _, d := range due {
		s.last.Store(d.ID, d)
	}
	return due, err
}

func (s forgetsLease) Done(ctx context.Context, due ...outbox.Due) error {
	for i, d := range due {
		if last, ok := s.last.Load(d.ID); ok {
			due[i] = last.(outbox.Due)
		}
	}
	return s.Store.Done(ctx, due...)
}

// allOrNone takes no event out if the lease of one is lost.
type allOrNone struct{ spoiled }

func (s allOrNone) Done(ctx context.Context, due ...outbox.Due) error {
	if len(due) < 2 {
		return s.Store.Done(ctx, due...)
	}
	return outbox.ErrLeaseLost
}

// hidesLoss says nothing of a lease that is lost among others.
type hidesLoss struct{ spoiled }

func (s hidesLoss) Done(ctx context.Context, due ...outbox.Due) error {
	err := s.Store.Done(ctx, due...)
	if len(due) > 1 {
		return nil
	}
	return err
}

// retriesAtOnce does not wait.
type retriesAtOnce struct{ spoiled }

func (s retriesAtOnce) Retry(ctx context.Context, d outbox.Due, at time.Time) error {
	return s.Store.Retry(ctx, d, at.AddDate(-1, 0, 0))
}

// takesInside hands events out inside a transaction.
type takesInside struct{ spoiled }

func (s takesInside) Take(ctx context.Context, lane string, now, until time.Time, limit int) ([]outbox.Due, error) {
	due, err := s.Store.Take(ctx, lane, now, until, limit)
	if err != nil && ctx.Err() == nil {
		return nil, nil
	}
	return due, err
}

// --- lanes

// oneLane has one progress for all who are to be told.
type oneLane struct{ spoiled }

func (s oneLane) Append(ctx context.Context, events ...outbox.Event) error {
	for i, e := range events {
		events[i].Lanes = e.Lanes[:min(1, len(e.Lanes))]
		if len(e.Lanes) > 0 {
			events[i].Lanes = []string{lane}
		}
	}
	return s.Store.Append(ctx, events...)
}

func (s oneLane) Take(ctx context.Context, asked string, now, until time.Time, limit int) ([]outbox.Due, error) {
	due, err := s.Store.Take(ctx, lane, now, until, limit)
	for i := range due {
		due[i].Lane = asked
	}
	return due, err
}

// anyLease lets whoever holds an event in one lane settle it in another.
type anyLease struct {
	spoiled
	held *sync.Map
}

func (s anyLease) Take(ctx context.Context, lane string, now, until time.Time, limit int) ([]outbox.Due, error) {
	due, err := s.Store.Take(ctx, lane, now, until, limit)
	for _, d := range due {
		s.held.Store(d.ID, d)
	}
	return due, err
}

func (s anyLease) Done(ctx context.Context, due ...outbox.Due) error {
	for i, d := range due {
		if held, ok := s.held.Load(d.ID); ok {
			due[i].Lane = held.(outbox.Due).Lane
		}
	}
	return s.Store.Done(ctx, due...)
}

// waitsAnyway lets every event wait, whether it names a lane or not.
type waitsAnyway struct{ spoiled }

func (s waitsAnyway) Append(ctx context.Context, events ...outbox.Event) error {
	for i, e := range events {
		if len(e.Lanes) == 0 {
			events[i].Lanes = []string{"a"}
		}
	}
	return s.Store.Append(ctx, events...)
}

// cutsLanes keeps as much of a lane's name as fits.
type cutsLanes struct{ spoiled }

func (s cutsLanes) Append(ctx context.Context, events ...outbox.Event) error {
	for i, e := range events {
		for j, name := range e.Lanes {
			events[i].Lanes[j] = name[:min(len(name), outbox.MaxLane-1)]
		}
	}
	return s.Store.Append(ctx, events...)
}

// fewLanes writes one statement's worth.
type fewLanes struct{ spoiled }

func (s fewLanes) Append(ctx context.Context, events ...outbox.Event) error {
	for i, e := range events {
		events[i].Lanes = e.Lanes[:min(len(e.Lanes), 16)]
	}
	return s.Store.Append(ctx, events...)
}

// setOfLanes passes over a lane that is named again.
type setOfLanes struct{ spoiled }

func (s setOfLanes) Append(ctx context.Context, events ...outbox.Event) error {
	for i, e := range events {
		events[i].Lanes = slices.Compact(slices.Sorted(slices.Values(e.Lanes)))
	}
	return s.Store.Append(ctx, events...)
}

// showsLanes has the lanes in the log.
type showsLanes struct{ spoiled }

func (s showsLanes) TeamEvents(ctx context.Context, team uuid.UUID, filter outbox.LogFilter, before time.Time, id uuid.UUID, limit int) ([]outbox.Event, error) {
	list, err := s.Store.TeamEvents(ctx, team, filter, before, id, limit)
	for i := range list {
		list[i].Lanes = []string{lane}
	}
	return list, err
}

// keepsDead forgets what waits in a lane, and not what is buried there.
type keepsDead struct{ spoiled }

func (s keepsDead) ForgetLane(ctx context.Context, lane string) (int, error) {
	dead, err := s.Buried(ctx, lane, time.Time{}, uuid.Nil, 100)
	if err != nil {
		return 0, err
	}
	forgotten, err := s.Store.ForgetLane(ctx, lane)
	if err != nil || len(dead) == 0 {
		return forgotten, err
	}
	again := dead[0].Event
	again.ID = uuid.New()
	if err := s.InTx(ctx, func(ctx context.Context) error { return s.Append(ctx, along([]outbox.Event{again}, lane)...) }); err != nil {
		return 0, err
	}
	far := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	due, err := s.Take(ctx, lane, far, far.Add(time.Minute), 1)
	for _, d := range due {
		err = errors.Join(err, s.Bury(ctx, d, far))
	}
	return forgotten, err
}

// forgetsLanes forgets every lane.
type forgetsLanes struct{ spoiled }

func (s forgetsLanes) ForgetLane(ctx context.Context, lane string) (int, error) {
	forgotten, err := s.Store.ForgetLane(ctx, lane)
	if forgotten > 0 {
		_, err = s.Store.ForgetLane(ctx, "kept")
	}
	return forgotten, err
}

// --- dead letters, inbox, operations

// again takes an event that the relay holds anew, whoever has the lease.
func again(ctx context.Context, s storage.Store, lane string, id uuid.UUID) (outbox.Due, error) {
	far := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	due, err := s.Take(ctx, lane, far, far.Add(time.Minute), 100)
	var found outbox.Due
	for _, d := range due {
		if d.ID == id {
			found = d
		} else {
			err = errors.Join(err, s.Retry(ctx, d, time.Time{}))
		}
	}
	return found, err
}

// buriesAnyway does not ask for the lease.
type buriesAnyway struct{ spoiled }

func (s buriesAnyway) Bury(ctx context.Context, d outbox.Due, at time.Time) error {
	if err := s.Store.Bury(ctx, d, at); !errors.Is(err, outbox.ErrLeaseLost) {
		return err
	}
	d, err := again(ctx, s.Store, d.Lane, d.ID)
	return errors.Join(err, s.Store.Bury(ctx, d, at))
}

// buryIsDone forgets what is buried.
type buryIsDone struct{ spoiled }

func (s buryIsDone) Bury(ctx context.Context, d outbox.Due, _ time.Time) error {
	return s.Store.Done(ctx, d)
}

// replaysAtOnce is due when it was asked for, whatever is under a lease.
type replaysAtOnce struct{ spoiled }

func (s replaysAtOnce) Replay(ctx context.Context, lane string, id uuid.UUID, at time.Time) error {
	if err := s.Store.Replay(ctx, lane, id, at); err != nil {
		return err
	}
	d, err := again(ctx, s.Store, lane, id)
	return errors.Join(err, s.Store.Retry(ctx, d, at))
}

// replaysTwice has no objection to a second replay.
type replaysTwice struct{ spoiled }

func (s replaysTwice) Replay(ctx context.Context, lane string, id uuid.UUID, at time.Time) error {
	if err := s.Store.Replay(ctx, lane, id, at); !errors.Is(err, outbox.ErrNotBuried) {
		return err
	}
	return nil
}

// seenDooms notes with an insert that fails.
type seenDooms struct{ spoiled }

func (s seenDooms) MarkSeen(ctx context.Context, consumer string, event uuid.UUID, at time.Time) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error { return s.Store.MarkSeen(ctx, consumer, event, at) })
}

// seenByAll has one note for all consumers.
type seenByAll struct{ spoiled }

func (s seenByAll) MarkSeen(ctx context.Context, _ string, event uuid.UUID, at time.Time) error {
	return s.Store.MarkSeen(ctx, "all", event, at)
}

// seenBlindly passes over a key that exists and does not tell.
type seenBlindly struct{ spoiled }

func (s seenBlindly) MarkSeen(ctx context.Context, consumer string, event uuid.UUID, at time.Time) error {
	if err := s.Store.MarkSeen(ctx, consumer, event, at); !errors.Is(err, outbox.ErrSeen) {
		return err
	}
	return nil
}

// seenWhole passes over errors of every kind, as INSERT IGNORE does.
type seenWhole struct{ spoiled }

func (s seenWhole) MarkSeen(ctx context.Context, consumer string, event uuid.UUID, at time.Time) error {
	if event == uuid.Nil {
		event = uuid.Max
	}
	return s.Store.MarkSeen(ctx, consumer, event, at)
}

// forgetsAll forgets whatever there is.
type forgetsAll struct{ spoiled }

func (s forgetsAll) ForgetOperations(ctx context.Context, before time.Time) (int, error) {
	return s.Store.ForgetOperations(ctx, before.AddDate(1000, 0, 0))
}

// forgetsOneMore takes "before" for "not after".
type forgetsOneMore struct{ spoiled }

func (s forgetsOneMore) ForgetOperations(ctx context.Context, before time.Time) (int, error) {
	return s.Store.ForgetOperations(ctx, before.Add(time.Microsecond))
}

// sightsAll forgets whatever there is.
type sightsAll struct{ spoiled }

func (s sightsAll) ForgetSeen(ctx context.Context, consumer string, before time.Time) (int, error) {
	return s.Store.ForgetSeen(ctx, consumer, before.AddDate(1000, 0, 0))
}

// sightsOneMore takes "before" for "not after".
type sightsOneMore struct{ spoiled }

func (s sightsOneMore) ForgetSeen(ctx context.Context, consumer string, before time.Time) (int, error) {
	return s.Store.ForgetSeen(ctx, consumer, before.Add(time.Microsecond))
}

// sightsOthers forgets also what another consumer has seen.
type sightsOthers struct{ spoiled }

func (s sightsOthers) ForgetSeen(ctx context.Context, consumer string, before time.Time) (int, error) {
	n, err := s.Store.ForgetSeen(ctx, consumer, before)
	return n, errors.Join(err, only(s.Store.ForgetSeen(ctx, consumer+"2", before)))
}

// sightsLast lets a repeated mark replace the time of the first.
type sightsLast struct {
	spoiled
	last *sync.Map
}

func (s sightsLast) MarkSeen(ctx context.Context, consumer string, event uuid.UUID, at time.Time) error {
	s.last.Store(consumer, at)
	return s.Store.MarkSeen(ctx, consumer, event, at)
}

func (s sightsLast) ForgetSeen(ctx context.Context, consumer string, before time.Time) (int, error) {
	if at, ok := s.last.Load(consumer); ok && !at.(time.Time).Before(before) {
		return 0, nil
	}
	return s.Store.ForgetSeen(ctx, consumer, before)
}

// anyPrincipal finds an operation by its key alone.
type anyPrincipal struct {
	spoiled
	owners *sync.Map
}

func (s anyPrincipal) InsertOperation(ctx context.Context, o tenancy.Operation) error {
	s.owners.LoadOrStore(o.Key, o.Principal)
	return s.Store.InsertOperation(ctx, o)
}

func (s anyPrincipal) Operation(ctx context.Context, principal, key string) (tenancy.Operation, error) {
	o, err := s.Store.Operation(ctx, principal, key)
	if owner, ok := s.owners.Load(key); ok && errors.Is(err, tenancy.ErrNotFound) {
		return s.Store.Operation(ctx, owner.(string), key)
	}
	return o, err
}

// sharesResult hands out what it keeps.
type sharesResult struct {
	spoiled
	kept *sync.Map
}

func (s sharesResult) Operation(ctx context.Context, principal, key string) (tenancy.Operation, error) {
	o, err := s.Store.Operation(ctx, principal, key)
	if kept, loaded := s.kept.LoadOrStore(key, o.Result); loaded {
		o.Result = kept.([]byte)
	}
	return o, err
}

// anyOffer finds offers in the name of any account.
type anyOffer struct {
	spoiled
	accounts *sync.Map
}

func (s anyOffer) InsertInvitation(ctx context.Context, records ...invite.Record) error {
	for _, r := range records {
		s.accounts.Store(r.ID, r.Account)
	}
	return s.Store.InsertInvitation(ctx, records...)
}

func (s anyOffer) LockOffer(ctx context.Context, account tenancy.AccountID, id tenancy.InvitationID) (invite.Record, error) {
	if owner, known := s.accounts.Load(id); known {
		account = owner.(tenancy.AccountID)
	}
	return s.Store.LockOffer(ctx, account, id)
}

// manyOffers lets every offer but the first of an account be pending without taking its place.
type manyOffers struct{ spoiled }

func (s manyOffers) InsertInvitation(ctx context.Context, records ...invite.Record) error {
	for _, r := range records {
		if r.Kind == invite.ToOneAccount && r.State == invite.Pending {
			if _, err := s.Store.PendingOffer(ctx, r.Account); err == nil {
				return nil
			}
		}
	}
	return s.Store.InsertInvitation(ctx, records...)
}

// usedTwice lets a user come in by one link as often as they like.
type usedTwice struct{ spoiled }

func (s usedTwice) InsertUse(ctx context.Context, u invite.Use) error {
	if _, err := s.Store.Use(ctx, u.Team, u.Link, u.User); err == nil {
		return nil
	}
	return s.Store.InsertUse(ctx, u)
}

// asksTwice takes a second request of a user for the first.
type asksTwice struct{ spoiled }

func (s asksTwice) InsertInvitation(ctx context.Context, records ...invite.Record) error {
	for _, r := range records {
		if r.Kind == invite.ByRequest && r.State == invite.Pending {
			if _, err := s.Store.PendingRequest(ctx, r.Team, r.Inviter); err == nil {
				return nil
			}
		}
	}
	return s.Store.InsertInvitation(ctx, records...)
}

// overfull counts a link down where it should refuse.
type overfull struct{ spoiled }

func (s overfull) UpdateInvitation(ctx context.Context, r invite.Record) error {
	if r.Kind == invite.ByLink {
		r.Uses = min(r.Uses, r.MaxUses)
	}
	return s.Store.UpdateInvitation(ctx, r)
}

// anyKind filters invitations by all but their kind.
type anyKind struct{ spoiled }

func (s anyKind) Invitations(ctx context.Context, team tenancy.TeamID, f invite.Filter, p tenancy.Keyset) ([]invite.Record, error) {
	f.Kind = ""
	return s.Store.Invitations(ctx, team, f, p)
}

// forgetfulAsks counts the requests of a user that are pending only.
type forgetfulAsks struct{ spoiled }

func (s forgetfulAsks) RequestLoad(ctx context.Context, like invite.Invitation, now time.Time) (invite.Load, error) {
	load, err := s.Store.RequestLoad(ctx, like, now)
	if _, none := s.Store.PendingRequest(ctx, like.Team, like.Inviter); none != nil {
		load.Inviter = invite.Tally{}
	}
	return load, err
}

// anyBatch answers a batch only as far as it is pending.
type anyBatch struct{ spoiled }

func (s anyBatch) Batch(ctx context.Context, account tenancy.AccountID, batch tenancy.BatchID) ([]invite.Record, error) {
	list, err := s.Store.Batch(ctx, account, batch)
	return slices.DeleteFunc(list, func(r invite.Record) bool { return r.State != invite.Pending }), err
}

// erasesPending takes the address out of pending invitations, too, by ending them first.
type erasesPending struct {
	spoiled
	pending *sync.Map
}

func (s erasesPending) InsertInvitation(ctx context.Context, records ...invite.Record) error {
	for _, r := range records {
		if r.State == invite.Pending {
			s.pending.Store(r.ID, r)
		}
	}
	return s.Store.InsertInvitation(ctx, records...)
}

func (s erasesPending) EraseInvitations(ctx context.Context, user tenancy.UserID, normal string) error {
	var failed error
	s.pending.Range(func(_, value any) bool {
		r := value.(invite.Record)
		if r.Email.Normal == normal {
			r.Email = tenancy.Address{}
			failed = errors.Join(failed, s.Store.UpdateInvitation(ctx, r))
		}
		return true
	})
	return errors.Join(failed, s.Store.EraseInvitations(ctx, user, normal))
}

// erasesByAddress forgets what the user accepted under another address.
type erasesByAddress struct{ spoiled }

func (s erasesByAddress) EraseInvitations(ctx context.Context, _ tenancy.UserID, normal string) error {
	return s.Store.EraseInvitations(ctx, tenancy.UserID{}, normal)
}

// lateLoad counts what has just expired.
type lateLoad struct{ spoiled }

func (s lateLoad) InvitationLoads(ctx context.Context, inviter tenancy.UserID, now time.Time, teams ...tenancy.TeamID) ([]invite.TeamLoad, error) {
	return s.Store.InvitationLoads(ctx, inviter, now.Add(-time.Microsecond), teams...)
}

func (s lateLoad) InvitationsTo(ctx context.Context, account tenancy.AccountID, since time.Time, normals ...string) ([]invite.Record, error) {
	return s.Store.InvitationsTo(ctx, account, since.Add(-time.Microsecond), normals...)
}

// sweepsLate finds an invitation when it has been over for a microsecond.
type sweepsLate struct{ spoiled }

func (s sweepsLate) LapsedInvitations(ctx context.Context, now time.Time, page tenancy.Keyset) ([]invite.Lapsed, error) {
	return s.Store.LapsedInvitations(ctx, now.Add(-time.Microsecond), page)
}

// tellsAll tells of every invitation in the team.
type tellsAll struct{ spoiled }

func (s tellsAll) InvitationEvents(ctx context.Context, i invite.Invitation, limit int) ([]outbox.Event, error) {
	if i.Team.IsZero() {
		return s.Store.InvitationEvents(ctx, i, limit)
	}
	return s.TeamEvents(ctx, i.Team.UUID(), outbox.LogFilter{Since: i.CreatedAt}, time.Time{}, uuid.Nil, limit)
}

// wideLoad counts the inviter in all of the team.
type wideLoad struct{ spoiled }

func (s wideLoad) InvitationLoads(ctx context.Context, inviter tenancy.UserID, now time.Time, teams ...tenancy.TeamID) ([]invite.TeamLoad, error) {
	loads, err := s.Store.InvitationLoads(ctx, inviter, now, teams...)
	for i := range loads {
		loads[i].Inviter = loads[i].Load.Team
	}
	return loads, err
}

// staleOrphans takes no account of the time of an invitation.
type staleOrphans struct{ spoiled }

func (s staleOrphans) Broken(ctx context.Context, flaw tenancy.Flaw, _ time.Time, after tenancy.Finding, limit int) ([]tenancy.Finding, error) {
	return s.Store.Broken(ctx, flaw, time.Time{}, after, limit)
}

// --- services, seats, settings, custom roles, flaws

// sharesServices hands out what it keeps.
type sharesServices struct {
	spoiled
	kept *sync.Map
}

func (s sharesServices) Account(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	a, err := s.Store.Account(ctx, id)
	if kept, loaded := s.kept.LoadOrStore(id, a.Services); loaded {
		a.Services = kept.([]tenancy.AccountService)
	}
	return a, err
}

// emptyServices tells an empty list from none.
type emptyServices struct{ spoiled }

func (s emptyServices) Account(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	a, err := s.Store.Account(ctx, id)
	if a.Services == nil {
		a.Services = []tenancy.AccountService{}
	}
	return a, err
}

// anySeatRule takes whatever is no rule for none.
type anySeatRule struct{ spoiled }

func (s anySeatRule) InsertAccount(ctx context.Context, a tenancy.Account) error {
	if a.Seats.Rule != tenancy.WarnSeats && a.Seats.Rule != tenancy.HardSeats {
		a.Seats.Rule = tenancy.Unlimited
	}
	return s.Store.InsertAccount(ctx, a)
}

// onlyOpen lists the accounts that work.
type onlyOpen struct{ spoiled }

func (s onlyOpen) AccountsOf(ctx context.Context, user tenancy.UserID, p tenancy.Keyset) ([]tenancy.Account, error) {
	list, err := s.Store.AccountsOf(ctx, user, p)
	return slices.DeleteFunc(list, func(a tenancy.Account) bool { return a.Status != tenancy.AccountActive }), err
}

func (s onlyOpen) Accounts(ctx context.Context, ids ...tenancy.AccountID) ([]tenancy.Account, error) {
	list, err := s.Store.Accounts(ctx, ids...)
	return slices.DeleteFunc(list, func(a tenancy.Account) bool { return a.Status != tenancy.AccountActive }), err
}

// plainTeamsOf lists a user's teams without their custom roles there.
type plainTeamsOf struct{ spoiled }

func (s plainTeamsOf) TeamsOf(ctx context.Context, user tenancy.UserID, p tenancy.Keyset) ([]tenancy.TeamOfUser, error) {
	list, err := s.Store.TeamsOf(ctx, user, p)
	for i := range list {
		list[i].CustomName, list[i].CustomPermissions = "", nil
	}
	return list, err
}

// onlyLive lists the teams that work.
type onlyLive struct{ spoiled }

func (s onlyLive) TeamsIn(ctx context.Context, account tenancy.AccountID, p tenancy.Keyset) ([]tenancy.Team, error) {
	list, err := s.Store.TeamsIn(ctx, account, p)
	return slices.DeleteFunc(list, func(t tenancy.Team) bool { return t.Status != tenancy.TeamActive }), err
}

// forgetsDomains finds teams by the domains that they were made with.
type forgetsDomains struct {
	spoiled
	first *sync.Map
}

func (s forgetsDomains) InsertTeam(ctx context.Context, t tenancy.Team) error {
	s.first.Store(t.ID, t.Settings.JoinDomains)
	return s.Store.InsertTeam(ctx, t)
}

func (s forgetsDomains) JoinableTeams(ctx context.Context, domain string, user tenancy.UserID, p tenancy.Keyset) ([]tenancy.Team, error) {
	var found []tenancy.Team
	s.first.Range(func(id, domains any) bool {
		if slices.Contains(domains.([]string), domain) {
			t, err := s.Team(ctx, id.(tenancy.TeamID))
			if err == nil {
				found = append(found, t)
			}
		}
		return true
	})
	return found, nil
}

// showsAllDoors lists a team also to those who are in it.
type showsAllDoors struct{ spoiled }

func (s showsAllDoors) JoinableTeams(ctx context.Context, domain string, _ tenancy.UserID, p tenancy.Keyset) ([]tenancy.Team, error) {
	return s.Store.JoinableTeams(ctx, domain, tenancy.UserID{}, p)
}

// backwardDoors lists the newest team first.
type backwardDoors struct{ spoiled }

func (s backwardDoors) JoinableTeams(ctx context.Context, domain string, user tenancy.UserID, p tenancy.Keyset) ([]tenancy.Team, error) {
	list, err := s.Store.JoinableTeams(ctx, domain, user, p)
	slices.Reverse(list)
	return list, err
}

// deliversToAll takes an empty list for none.
type deliversToAll struct{ spoiled }

func (s deliversToAll) InsertTeam(ctx context.Context, t tenancy.Team) error {
	if len(t.Settings.DeliverTo) == 0 {
		t.Settings.DeliverTo = nil
	}
	return s.Store.InsertTeam(ctx, t)
}

// lateSeats gives a seat back a microsecond late.
type lateSeats struct{ spoiled }

func (s lateSeats) SeatsTaken(ctx context.Context, now time.Time, q tenancy.SeatQuery, accounts ...tenancy.AccountID) (map[tenancy.AccountID]int, error) {
	return s.Store.SeatsTaken(ctx, now.Add(-time.Microsecond), q, accounts...)
}

func (s lateSeats) Seated(ctx context.Context, account tenancy.AccountID, now time.Time, normals ...string) ([]string, error) {
	return s.Store.Seated(ctx, account, now.Add(-time.Microsecond), normals...)
}

// anySeat counts pending invitations whether they are asked for or not.
type anySeat struct{ spoiled }

func (s anySeat) SeatsTaken(ctx context.Context, now time.Time, q tenancy.SeatQuery, accounts ...tenancy.AccountID) (map[tenancy.AccountID]int, error) {
	q.Pending = true
	return s.Store.SeatsTaken(ctx, now, q, accounts...)
}

// seatsByPlace counts memberships and not people, guests among them.
type seatsByPlace struct{ spoiled }

func (s seatsByPlace) SeatsTaken(ctx context.Context, now time.Time, q tenancy.SeatQuery, accounts ...tenancy.AccountID) (map[tenancy.AccountID]int, error) {
	taken, err := s.Store.SeatsTaken(ctx, now, q, accounts...)
	for account := range taken {
		teams, teamsErr := s.TeamsIn(ctx, account, tenancy.Keyset{Limit: 100})
		places := 0
		for _, t := range teams {
			members, membersErr := s.Members(ctx, t.ID, tenancy.Keyset{Limit: 100})
			err = errors.Join(err, membersErr)
			for _, m := range members {
				if m.ActiveAt(now) && m.User != q.But && t.Status == tenancy.TeamActive {
					places++
				}
			}
		}
		taken[account], err = max(taken[account], places), errors.Join(err, teamsErr)
	}
	return taken, err
}

// seatsTogether counts the seats of all accounts as one's.
type seatsTogether struct{ spoiled }

func (s seatsTogether) SeatsTaken(ctx context.Context, now time.Time, q tenancy.SeatQuery, accounts ...tenancy.AccountID) (map[tenancy.AccountID]int, error) {
	taken, err := s.Store.SeatsTaken(ctx, now, q, accounts...)
	sum := 0
	for _, n := range taken {
		sum += n
	}
	for account := range taken {
		taken[account] = sum
	}
	return taken, err
}

// forgetsAddress does not leave out whoever is to take a seat.
type forgetsAddress struct{ spoiled }

func (s forgetsAddress) SeatsTaken(ctx context.Context, now time.Time, q tenancy.SeatQuery, accounts ...tenancy.AccountID) (map[tenancy.AccountID]int, error) {
	q.ButEmail = ""
	return s.Store.SeatsTaken(ctx, now, q, accounts...)
}

// onlyActive lists the memberships that give rights.
type onlyActive struct{ spoiled }

func (s onlyActive) MembershipsOf(ctx context.Context, user tenancy.UserID) ([]tenancy.Membership, error) {
	list, err := s.Store.MembershipsOf(ctx, user)
	return slices.DeleteFunc(list, func(m tenancy.Membership) bool { return m.Status != tenancy.MembershipActive }), err
}

// formerRoles lists the roles of those who have left as well.
type formerRoles struct{ spoiled }

func (s formerRoles) LastingRoles(ctx context.Context, but tenancy.UserID, teams ...tenancy.TeamID) (list []tenancy.TeamRole, err error) {
	for _, team := range teams {
		t, err := s.Team(ctx, team)
		if err != nil {
			return s.Store.LastingRoles(ctx, but, teams...)
		}
		roles, err := s.RolesIn(ctx, t.Account)
		if err != nil {
			return nil, err
		}
		for _, r := range roles {
			members, err := s.MembersWithRole(ctx, t.Account, r.ID)
			if err == nil && slices.ContainsFunc(members, func(m tenancy.Membership) bool { return m.Team == team }) {
				list = append(list, tenancy.TeamRole{Team: team, CustomRole: r})
			}
		}
	}
	return list, nil
}

// keepsIdentities forgets that an account gives them up.
type keepsIdentities struct{ spoiled }

func (keepsIdentities) ReleaseIdentities(context.Context, tenancy.AccountID) error { return nil }

// lapsesLate finds an expiry when it has been over for a microsecond.
type lapsesLate struct{ spoiled }

func (s lapsesLate) Lapsed(ctx context.Context, now time.Time, limit int) ([]tenancy.Membership, error) {
	return s.Store.Lapsed(ctx, now.Add(-time.Microsecond), limit)
}

// forgetsRights reads the role and not what it may do.
type forgetsRights struct{ spoiled }

func (s forgetsRights) Authority(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) (tenancy.Authority, error) {
	a, err := s.Store.Authority(ctx, team, user)
	a.CustomPermissions = nil
	return a, err
}

func (s forgetsRights) Authorities(ctx context.Context, user tenancy.UserID, teams ...tenancy.TeamID) ([]tenancy.TeamAuthority, error) {
	found, err := s.Store.Authorities(ctx, user, teams...)
	for i := range found {
		found[i].CustomPermissions = nil
	}
	return found, err
}

// anyAccount finds a role by its id alone.
type anyAccount struct {
	spoiled
	owners *sync.Map
}

func (s anyAccount) InsertRole(ctx context.Context, r tenancy.CustomRole) error {
	s.owners.Store(r.ID, r.Account)
	return s.Store.InsertRole(ctx, r)
}

func (s anyAccount) Role(ctx context.Context, account tenancy.AccountID, id tenancy.RoleID) (tenancy.CustomRole, error) {
	if own, ok := s.owners.Load(id); ok {
		account = own.(tenancy.AccountID)
	}
	return s.Store.Role(ctx, account, id)
}

// deletesRoles takes a role from those who have it.
type deletesRoles struct{ spoiled }

func (s deletesRoles) DeleteRole(ctx context.Context, account tenancy.AccountID, id tenancy.RoleID) error {
	err := s.Store.DeleteRole(ctx, account, id)
	if errors.Is(err, tenancy.ErrConflict) {
		return nil
	}
	return err
}

// rolesByName lists roles by their name.
type rolesByName struct{ spoiled }

func (s rolesByName) RolesIn(ctx context.Context, account tenancy.AccountID) ([]tenancy.CustomRole, error) {
	list, err := s.Store.RolesIn(ctx, account)
	slices.SortFunc(list, func(a, b tenancy.CustomRole) int { return strings.Compare(a.NameKey, b.NameKey) })
	return list, err
}

// activeOnly finds only those who have the role to some effect.
type activeOnly struct{ spoiled }

func (s activeOnly) MembersWithRole(ctx context.Context, account tenancy.AccountID, id tenancy.RoleID) ([]tenancy.Membership, error) {
	list, err := s.Store.MembersWithRole(ctx, account, id)
	return slices.DeleteFunc(list, func(m tenancy.Membership) bool { return m.Status != tenancy.MembershipActive }), err
}

// oneTeamEach goes on after the subject, and passes over their other teams.
type oneTeamEach struct{ spoiled }

func (s oneTeamEach) Broken(ctx context.Context, flaw tenancy.Flaw, now time.Time, after tenancy.Finding, limit int) ([]tenancy.Finding, error) {
	if after.Subject != uuid.Nil {
		after.Team = uuid.Max
	}
	return s.Store.Broken(ctx, flaw, now, after, limit)
}

// seesNoFlaw does not find one kind.
type seesNoFlaw struct {
	spoiled
	blind tenancy.Flaw
}

func (s seesNoFlaw) Broken(ctx context.Context, flaw tenancy.Flaw, now time.Time, after tenancy.Finding, limit int) ([]tenancy.Finding, error) {
	list, err := s.Store.Broken(ctx, flaw, now, after, limit)
	if flaw == s.blind {
		list = nil
	}
	return list, err
}

// noSuchFlaw finds nothing of what it does not know.
type noSuchFlaw struct{ spoiled }

func (s noSuchFlaw) Broken(ctx context.Context, flaw tenancy.Flaw, now time.Time, after tenancy.Finding, limit int) ([]tenancy.Finding, error) {
	list, err := s.Store.Broken(ctx, flaw, now, after, limit)
	if errors.Is(err, tenancy.ErrInvalid) {
		return nil, nil
	}
	return list, err
}

// filtersLogLate cuts the page first and drops what the filter does not admit then.
type filtersLogLate struct{ spoiled }

func (s filtersLogLate) TeamEvents(ctx context.Context, team uuid.UUID, f outbox.LogFilter, before time.Time, id uuid.UUID, limit int) ([]outbox.Event, error) {
	list, err := s.Store.TeamEvents(ctx, team, outbox.LogFilter{Since: f.Since, Until: f.Until}, before, id, limit)
	return slices.DeleteFunc(list, func(e outbox.Event) bool {
		return f.Kind != "" && f.Kind != e.Kind || f.Principal != "" && f.Principal != e.Principal
	}), err
}

// untilIsIn takes in the events of the end.
type untilIsIn struct{ spoiled }

func (s untilIsIn) TeamEvents(ctx context.Context, team uuid.UUID, f outbox.LogFilter, before time.Time, id uuid.UUID, limit int) ([]outbox.Event, error) {
	if !f.Until.IsZero() {
		f.Until = f.Until.Add(time.Microsecond)
	}
	return s.Store.TeamEvents(ctx, team, f, before, id, limit)
}

// mendsDocuments keeps JSON as encoders write it.
type mendsDocuments struct{ spoiled }

func (s mendsDocuments) InsertRole(ctx context.Context, r tenancy.CustomRole) error {
	text, err := json.Marshal(r.Permissions)
	r.Permissions = nil
	return errors.Join(err, json.Unmarshal(text, &r.Permissions), s.Store.InsertRole(ctx, r))
}

// cutSets takes as many ids or rows as a statement holds, and forgets the rest.
type cutSets struct{ spoiled }

func cutTo[V any](most int, list []V) []V { return list[:min(most, len(list))] }

func (s cutSets) Users(ctx context.Context, ids ...tenancy.UserID) ([]tenancy.User, error) {
	return s.Store.Users(ctx, cutTo(256, ids)...)
}

func (s cutSets) Accounts(ctx context.Context, ids ...tenancy.AccountID) ([]tenancy.Account, error) {
	return s.Store.Accounts(ctx, cutTo(256, ids)...)
}

func (s cutSets) Memberships(ctx context.Context, who ...tenancy.Actor) ([]tenancy.Membership, error) {
	return s.Store.Memberships(ctx, cutTo(256, who)...)
}

func (s cutSets) Authorities(ctx context.Context, user tenancy.UserID, teams ...tenancy.TeamID) ([]tenancy.TeamAuthority, error) {
	return s.Store.Authorities(ctx, user, cutTo(256, teams)...)
}

func (s cutSets) InvitationLoads(ctx context.Context, inviter tenancy.UserID, now time.Time, teams ...tenancy.TeamID) ([]invite.TeamLoad, error) {
	return s.Store.InvitationLoads(ctx, inviter, now, cutTo(256, teams)...)
}

func (s cutSets) TransferAccounts(ctx context.Context, to tenancy.UserID, ids ...tenancy.AccountID) error {
	return s.Store.TransferAccounts(ctx, to, cutTo(256, ids)...)
}

func (s cutSets) AppointMemberships(ctx context.Context, role rbac.Role, who ...tenancy.Actor) error {
	return s.Store.AppointMemberships(ctx, role, cutTo(256, who)...)
}

func (s cutSets) SeatsTaken(ctx context.Context, now time.Time, q tenancy.SeatQuery, accounts ...tenancy.AccountID) (map[tenancy.AccountID]int, error) {
	return s.Store.SeatsTaken(ctx, now, q, cutTo(256, accounts)...)
}

func (s cutSets) PendingInto(ctx context.Context, team tenancy.TeamID, ids ...tenancy.ConversationID) ([]invite.Whereabouts, error) {
	return s.Store.PendingInto(ctx, team, cutTo(256, ids)...)
}

func (s cutSets) UsersByEmail(ctx context.Context, normals ...string) ([]tenancy.User, error) {
	return s.Store.UsersByEmail(ctx, cutTo(256, normals)...)
}

func (s cutSets) InvitationsTo(ctx context.Context, account tenancy.AccountID, since time.Time, normals ...string) ([]invite.Record, error) {
	return s.Store.InvitationsTo(ctx, account, since, cutTo(256, normals)...)
}

func (s cutSets) Seated(ctx context.Context, account tenancy.AccountID, now time.Time, normals ...string) ([]string, error) {
	return s.Store.Seated(ctx, account, now, cutTo(256, normals)...)
}

func (s cutSets) InsertInvitation(ctx context.Context, list ...invite.Record) error {
	return s.Store.InsertInvitation(ctx, cutTo(16, list)...)
}

func (s cutSets) Contacts(ctx context.Context, team tenancy.TeamID, ids ...tenancy.ContactID) ([]conversation.Contact, error) {
	return s.Store.Contacts(ctx, team, cutTo(256, ids)...)
}

func (s cutSets) MoveApplications(ctx context.Context, from, to tenancy.TeamID, contacts ...tenancy.ContactID) error {
	return s.Store.MoveApplications(ctx, from, to, cutTo(256, contacts)...)
}

func (s cutSets) ContactsByAddress(ctx context.Context, team tenancy.TeamID, channel tenancy.Channel, addresses ...string) ([]conversation.Contact, error) {
	return s.Store.ContactsByAddress(ctx, team, channel, cutTo(4, addresses)...)
}

func (s cutSets) Grants(ctx context.Context, ids ...tenancy.ConversationID) ([]conversation.Grant, error) {
	return s.Store.Grants(ctx, cutTo(256, ids)...)
}

func (s cutSets) PendingDeliveries(ctx context.Context, ids ...tenancy.ConversationID) ([]conversation.Delivery, error) {
	return s.Store.PendingDeliveries(ctx, cutTo(256, ids)...)
}

func (s cutSets) EndDeliveries(ctx context.Context, state conversation.DeliveryState, at time.Time, ids ...tenancy.ConversationID) error {
	return s.Store.EndDeliveries(ctx, state, at, cutTo(256, ids)...)
}

func (s cutSets) EndEpisodes(ctx context.Context, end conversation.Episode, ids ...tenancy.ConversationID) error {
	return s.Store.EndEpisodes(ctx, end, cutTo(256, ids)...)
}

func (s cutSets) UnassignConversations(ctx context.Context, in ...conversation.Thread) error {
	return s.Store.UnassignConversations(ctx, cutTo(256, in)...)
}

func (s cutSets) InsertMembership(ctx context.Context, list ...tenancy.Membership) error {
	return s.Store.InsertMembership(ctx, cutTo(16, list)...)
}

func (s cutSets) InsertContact(ctx context.Context, list ...conversation.Contact) error {
	return s.Store.InsertContact(ctx, cutTo(16, list)...)
}

func (s cutSets) InsertDelivery(ctx context.Context, list ...conversation.Delivery) error {
	return s.Store.InsertDelivery(ctx, cutTo(16, list)...)
}

func (s cutSets) Append(ctx context.Context, events ...outbox.Event) error {
	return s.Store.Append(ctx, cutTo(16, events)...)
}

// locksAsTheyCome takes conversations in the order in which they were named.
type locksAsTheyCome struct{ spoiled }

func (s locksAsTheyCome) LockConversations(ctx context.Context, in ...conversation.Thread) ([]conversation.Conversation, error) {
	var locked []conversation.Conversation
	seen := map[conversation.Thread]bool{}
	for _, t := range in {
		if c, err := s.LockConversation(ctx, t.Team, t.Conversation); err == nil && !seen[t] {
			seen[t] = true
			locked = append(locked, c)
		}
	}
	return locked, nil
}

func (s locksAsTheyCome) LockInvitations(ctx context.Context, in ...invite.Whereabouts) ([]invite.Record, error) {
	var locked []invite.Record
	for _, i := range in {
		if r, err := s.LockInvitation(ctx, i.Team, i.ID); err == nil {
			locked = append(locked, r)
		}
	}
	return locked, nil
}

func (s locksAsTheyCome) LockTeams(ctx context.Context, ids ...tenancy.TeamID) ([]tenancy.Team, error) {
	var locked []tenancy.Team
	for _, id := range ids {
		if t, err := s.LockTeam(ctx, id); err == nil {
			locked = append(locked, t)
		}
	}
	return locked, nil
}

func (s locksAsTheyCome) LockAccounts(ctx context.Context, ids ...tenancy.AccountID) ([]tenancy.Account, error) {
	var locked []tenancy.Account
	for _, id := range ids {
		if a, err := s.LockAccount(ctx, id); err == nil {
			locked = append(locked, a)
		}
	}
	return locked, nil
}

// anyOfTheTeams takes what is named in one team for named in all of those that are.
type anyOfTheTeams struct{ spoiled }

func (s anyOfTheTeams) UnassignConversations(ctx context.Context, in ...conversation.Thread) error {
	var all []conversation.Thread
	for _, t := range in {
		for _, other := range in {
			all = append(all, conversation.Thread{Team: other.Team, Conversation: t.Conversation})
		}
	}
	return s.Store.UnassignConversations(ctx, all...)
}

func (s anyOfTheTeams) EndInvitations(ctx context.Context, state invite.State, at time.Time, by string, in ...invite.Whereabouts) error {
	var all []invite.Whereabouts
	for _, i := range in {
		for _, other := range in {
			all = append(all, invite.Whereabouts{Team: other.Team, ID: i.ID})
		}
	}
	return s.Store.EndInvitations(ctx, state, at, by, all...)
}

func everywhere(who []tenancy.Actor) (all []tenancy.Actor) {
	for _, a := range who {
		for _, other := range who {
			all = append(all, tenancy.Actor{User: a.User, Team: other.Team})
		}
	}
	return all
}

func (s anyOfTheTeams) HeldBy(ctx context.Context, who ...tenancy.Actor) ([]conversation.Thread, error) {
	return s.Store.HeldBy(ctx, everywhere(who)...)
}

func (s anyOfTheTeams) Memberships(ctx context.Context, who ...tenancy.Actor) ([]tenancy.Membership, error) {
	return s.Store.Memberships(ctx, everywhere(who)...)
}

func (s anyOfTheTeams) RenewMemberships(ctx context.Context, role rbac.Role, at time.Time, by string, who ...tenancy.Actor) error {
	return s.Store.RenewMemberships(ctx, role, at, by, everywhere(who)...)
}

func (s anyOfTheTeams) AppointMemberships(ctx context.Context, role rbac.Role, who ...tenancy.Actor) error {
	return s.Store.AppointMemberships(ctx, role, everywhere(who)...)
}

func (s anyOfTheTeams) EndMemberships(ctx context.Context, at time.Time, by string, who ...tenancy.Actor) error {
	return s.Store.EndMemberships(ctx, at, by, everywhere(who)...)
}

// changesEnded writes the end of what has ended once more.
type changesEnded struct{ spoiled }

func (s changesEnded) EndInvitations(ctx context.Context, state invite.State, at time.Time, by string, in ...invite.Whereabouts) error {
	pending, err := s.LockInvitations(ctx, in...)
	for _, r := range pending {
		r.State, r.EndedAt, r.EndedBy = state, at, by
		err = errors.Join(err, s.UpdateInvitation(ctx, r))
	}
	return err
}

func (s changesEnded) RevokeGrants(ctx context.Context, at time.Time, by string, keys ...conversation.GrantKey) (err error) {
	for _, k := range keys {
		g, missing := s.Grant(ctx, k.Conversation, k.User)
		if missing == nil {
			g.RevokedAt, g.RevokedBy = at, by
			err = errors.Join(err, s.UpdateGrant(ctx, g))
		}
	}
	return err
}

func (s changesEnded) EndMemberships(ctx context.Context, at time.Time, by string, who ...tenancy.Actor) (err error) {
	for _, a := range who {
		m, missing := s.Membership(ctx, a.Team, a.User)
		if missing == nil {
			m.Status, m.Custom, m.EndedAt, m.EndedBy = tenancy.MembershipRemoved, tenancy.RoleID{}, at, by
			err = errors.Join(err, s.UpdateMembership(ctx, m))
		}
	}
	return err
}

func (s changesEnded) RenewMemberships(ctx context.Context, role rbac.Role, at time.Time, by string, who ...tenancy.Actor) error {
	all, err := s.Memberships(ctx, who...)
	for _, m := range all {
		if m.Status != tenancy.MembershipActive {
			m = tenancy.Membership{Team: m.Team, User: m.User, Role: role, Status: tenancy.MembershipActive, JoinedAt: at, JoinedBy: by, Version: m.Version}
			err = errors.Join(err, s.UpdateMembership(ctx, m))
		}
	}
	return err
}

// renewedByNobody forgets by whom a membership is renewed.
type renewedByNobody struct{ spoiled }

func (s renewedByNobody) RenewMemberships(ctx context.Context, role rbac.Role, at time.Time, _ string, who ...tenancy.Actor) error {
	return s.Store.RenewMemberships(ctx, role, at, "", who...)
}

// appointsAnybody revives who is suspended, and keepsCustom leaves custom roles as they are.
type (
	appointsAnybody struct{ spoiled }
	keepsCustom     struct{ spoiled }
)

func (s appointsAnybody) AppointMemberships(ctx context.Context, role rbac.Role, who ...tenancy.Actor) error {
	return appointEach(ctx, s.Store, who, func(m *tenancy.Membership) bool {
		m.Role, m.Custom, m.ExpiresAt = role, tenancy.RoleID{}, time.Time{}
		suspended := m.Status == tenancy.MembershipSuspended
		m.Status = tenancy.MembershipActive
		return suspended
	}, s.Store.AppointMemberships(ctx, role, who...))
}

func (s keepsCustom) AppointMemberships(ctx context.Context, role rbac.Role, who ...tenancy.Actor) error {
	return appointEach(ctx, s.Store, who, func(m *tenancy.Membership) bool {
		m.Role, m.ExpiresAt = role, time.Time{}
		return m.Status == tenancy.MembershipActive
	}, nil)
}

func appointEach(ctx context.Context, s storage.Store, who []tenancy.Actor, change func(*tenancy.Membership) bool, err error) error {
	all, unread := s.Memberships(ctx, who...)
	err = errors.Join(err, unread)
	for _, m := range all {
		if change(&m) {
			err = errors.Join(err, s.UpdateMembership(ctx, m))
		}
	}
	return err
}

// movesAsTheyAre moves conversations with who was responsible for them, and closes them without a
// word.
type movesAsTheyAre struct{ spoiled }

func (s movesAsTheyAre) MoveConversations(ctx context.Context, from, to tenancy.TeamID, ids ...tenancy.ConversationID) error {
	threads, err := s.LockConversations(ctx, inTeam(from, ids...)...)
	for _, c := range threads {
		there, missing := s.ContactsByAddress(ctx, to, c.Identity.Channel, c.Address)
		if err = errors.Join(err, missing); len(there) == 0 {
			return errors.Join(err, tenancy.ErrNotFound)
		}
		c.Team, c.Contact = to, there[0].ID
		err = errors.Join(err, s.UpdateConversation(ctx, from, c))
	}
	return err
}

func (s movesAsTheyAre) CloseConversations(ctx context.Context, team tenancy.TeamID, _ conversation.Label, ids ...tenancy.ConversationID) error {
	return s.Store.CloseConversations(ctx, team, "", ids...)
}

func faults() []fault {
	of := func(name string, spoil func(s spoiled) storage.Store, caught string) fault {
		return fault{name, func(s storage.Store) storage.Store { return spoil(spoiled{s}) }, caught}
	}
	return []fault{
		of("an error does not roll back", func(s spoiled) storage.Store { return noRollback{s} }, "commit and rollback span all rooms"),
		of("a swallowed inner error does not doom", func(s spoiled) storage.Store { return noDoom{s} }, "a swallowed inner error dooms the outer"),
		of("an inner transaction commits by itself", func(s spoiled) storage.Store { return noNesting{s, new([]tenancy.User)} }, "nested transactions commit and roll back as one"),
		of("a transaction of any store is joined", func(s spoiled) storage.Store { return anyTx{noDoom{s}} }, "two stores do not share a transaction"),
		of("a swallowed duplicate commits the rest", func(s spoiled) storage.Store { return goesOn{s} }, "a swallowed failure of a write commits nothing"),
		of("a panic becomes an error", func(s spoiled) storage.Store { return swallowsPanic{s} }, "a panic rolls back and goes on"),
		of("a panic commits", func(s spoiled) storage.Store { return commitsOnPanic{s} }, "a panic rolls back and goes on"),
		of("the end of the goroutine commits", func(s spoiled) storage.Store { return commitsOnGoexit{s} }, "a goroutine that ends in the closure rolls back"),
		of("a cancelled transaction commits", func(s spoiled) storage.Store { return commitsCancelled{s} }, "cancelling before inside and at the commit keeps the old state"),
		of("a read ignores its context", func(s spoiled) storage.Store { return ignoresCancelled{s} }, "methods end with a cancelled context and change nothing"),
		of("any error runs the closure again", func(s spoiled) storage.Store { return runsTwice{s} }, "the closure's error is the answer and it ran once"),
		of("a write outside commits by itself", func(s spoiled) storage.Store { return writesAlone{s} }, "methods that write or lock want a transaction"),
		of("a lock outside is a read", func(s spoiled) storage.Store { return locksAlone{s} }, "methods that write or lock want a transaction"),
		of("a dead transaction's context reads on", func(s spoiled) storage.Store { return revives{s} }, "methods refuse the context of an ended transaction"),
		of("uncommitted rows are seen outside", func(s spoiled) storage.Store { return readsDirty{s, new(sync.Map)} }, "what is not committed is not seen outside"),
		of("the outer context sees the transaction", func(s spoiled) storage.Store { return readsDirty{s, new(sync.Map)} }, "the outer context inside the closure is outside"),
		of("no lock is held: accept once", func(s spoiled) storage.Store { return autocommit{s} }, "races for a locked row have one winner"),
		of("no version is checked: accept once", func(s spoiled) storage.Store { return autocommit{s} }, "races for a version have one winner"),
		of("no lock is held: last manager", func(s spoiled) storage.Store { return autocommit{s} }, "races for a last manager leave one"),
		of("no lock is held: lost update", func(s spoiled) storage.Store { return autocommit{s} }, "races under a lock lose no update"),
		of("a taken key is not run again", func(s spoiled) storage.Store { return autocommit{s} }, "races for a unique key run the closure again"),
		of("a taken key is not run again, slowly", func(s spoiled) storage.Store { return autocommit{s} }, "races of a slow and a fast writer of one key"),

		of("an update ignores the version", func(s spoiled) storage.Store { return noVersion{s} }, "contact update of another version is stale"),
		of("an update keeps the version", func(s spoiled) storage.Store { return keepsVersion{s} }, "account update writes every field of one row and the next version"),
		of("an update of nothing succeeds", func(s spoiled) storage.Store { return silentMissing{s} }, "grant missing rows are not found"),
		of("an update forgets a column", func(s spoiled) storage.Store { return forgetsField{s} }, "team update writes every field of one row and the next version"),
		of("a duplicate key is taken", func(s spoiled) storage.Store { return takesDuplicates{s} }, "message sequence and key are unique"),
		of("a duplicate is passed over", func(s spoiled) storage.Store { return ignoresDuplicates{s} }, "delivery pending is one for each conversation"),
		of("references are not checked", func(s spoiled) storage.Store { return noReferences{s} }, "membership references must exist"),
		of("a status is mended", func(s spoiled) storage.Store { return anyWord{s} }, "team values outside the set are invalid"),
		of("times have milliseconds", func(s spoiled) storage.Store { return milliseconds{s} }, "message insert stores version 1 whatever the version given"),
		of("times are rounded", func(s spoiled) storage.Store { return roundsUp{s} }, "grant times are UTC to the microsecond and zero times stay zero"),
		of("times are local", func(s spoiled) storage.Store { return localTimes{s} }, "user insert stores version 1 whatever the version given"),
		of("no time comes back as the epoch", func(s spoiled) storage.Store { return epochForZero{s} }, "membership times are UTC to the microsecond and zero times stay zero"),
		of("the epoch comes back as no time", func(s spoiled) storage.Store { return zeroForEpoch{s} }, "grant times are UTC to the microsecond and zero times stay zero"),

		of("look-ups fold case", func(s spoiled) storage.Store { return foldsCase{s} }, "text of User.Email.Normal is compared byte for byte"),
		of("trailing spaces do not count", func(s spoiled) storage.Store { return pads{s} }, "text of Contact.Address is compared byte for byte"),
		of("texts are cut", func(s spoiled) storage.Store { return cuts{s} }, "text as long as the rooms allow"),
		of("broken UTF-8 is mended", func(s spoiled) storage.Store { return replaces{s} }, "text of User.ExternalID that a database cannot hold"),
		of("the zero hash finds an invitation", func(s spoiled) storage.Store { return zeroToken{s, new(invite.Record)} }, "invitation is found by its token whatever its state"),
		of("an offer is any account's", func(s spoiled) storage.Store { return anyOffer{s, new(sync.Map)} }, "offers are found by their account alone"),
		of("an account is offered twice", func(s spoiled) storage.Store { return manyOffers{s} }, "offer stays one pending for each account"),
		of("a link is used twice by one user", func(s spoiled) storage.Store { return usedTwice{s} }, "use of a link an id is taken once"),
		of("a link is used more often than it may", func(s spoiled) storage.Store { return overfull{s} }, "link values outside the set are invalid"),
		of("a user asks twice", func(s spoiled) storage.Store { return asksTwice{s} }, "request stays one pending for each team and user"),
		of("requests that have ended are forgotten", func(s spoiled) storage.Store { return forgetfulAsks{s} }, "requests are counted for their limits"),
		of("a list has every kind", func(s spoiled) storage.Store { return anyKind{s} }, "invitations are filtered by their kind"),
		of("a batch forgets what has ended", func(s spoiled) storage.Store { return anyBatch{s} }, "invitations of a batch"),
		of("pending invitations are erased", func(s spoiled) storage.Store { return erasesPending{s, new(sync.Map)} }, "invitations that have ended forget an address"),
		of("what a user accepted is not erased", func(s spoiled) storage.Store { return erasesByAddress{s} }, "invitations that have ended forget an address"),
		of("an expired invitation counts a microsecond longer", func(s spoiled) storage.Store { return lateLoad{s} }, "invitations are counted for their limits"),
		of("an invitation lapses a microsecond late", func(s spoiled) storage.Store { return sweepsLate{s} }, "lapsed invitations are pending and past their expiry"),
		of("an invitation's events are the team's", func(s spoiled) storage.Store { return tellsAll{s} }, "events of an invitation are those that name it"),
		of("everybody's invitations count for each inviter", func(s spoiled) storage.Store { return wideLoad{s} }, "invitations are counted for their limits"),
		of("an invitation whose time has passed is an orphan", func(s spoiled) storage.Store { return staleOrphans{s} }, "broken finds invitations whose sender has gone"),
		of("a read ignores the team", func(s spoiled) storage.Store { return anyTeam{s, new(sync.Map)} }, "methods do not reach into another team"),
		of("an update ignores the team", func(s spoiled) storage.Store { return rowsTeam{s, new(sync.Map)} }, "methods do not reach into another team"),

		of("a page repeats a row", func(s spoiled) storage.Store { return offByOne{s} }, "pages of members"),
		of("a page loses ties", func(s spoiled) storage.Store { return losesTies{s} }, "pages of conversations"),
		of("ties have no order", func(s spoiled) storage.Store { return mixesTies{s} }, "pages of invitations"),
		of("a page is filtered after it is cut", func(s spoiled) storage.Store { return filtersLate{s} }, "pages of conversations"),
		of("a guest's grant does not expire", func(s spoiled) storage.Store { return ignoresExpiry{s} }, "scope and filter list what the predicate admits"),
		of("a guest's grant ends a microsecond late", func(s spoiled) storage.Store { return lateExpiry{s} }, "scope turns to the microsecond"),
		of("invitations expire by sweep only", func(s spoiled) storage.Store { return storedState{s} }, "invitations are filtered by their state at a time"),
		of("notes are shown", func(s spoiled) storage.Store { return showsNotes{s} }, "messages are listed by sequence"),
		of("the last messages are the first", func(s spoiled) storage.Store { return readsForward{s} }, "messages are listed by sequence"),
		of("the message that ends a range is in it", func(s spoiled) storage.Store { return includesBefore{s} }, "messages are listed by sequence"),
		of("an update changes the kind of a message", func(s spoiled) storage.Store { return rewrites{s, new(sync.Map)} }, "message update leaves alone what no operation changes"),
		of("a receipt that is taken is passed over", func(s spoiled) storage.Store { return dropsReceipts{s} }, "message is found wherever it is"),
		of("notes are found", func(s spoiled) storage.Store { return findsNotes{s} }, "words find the messages that have all of them"),
		of("one word is enough", func(s spoiled) storage.Store { return findsSome{s} }, "words find the messages that have all of them"),
		of("words stay in the old team", func(s spoiled) storage.Store { return leavesWords{s, new(sync.Map)} }, "words move with their conversation"),
		of("words are not deleted", func(s spoiled) storage.Store { return keepsWords{s} }, "words are taken from one message"),
		of("deliveries are the deliverer's only", func(s spoiled) storage.Store { return onlyFrom{s} }, "pages of deliveries"),
		of("a line is gone through from its end", func(s spoiled) storage.Store { return newestFirst{s} }, "line is gone through from its first on"),
		of("a claim that has ended is listed", func(s spoiled) storage.Store { return keepsClaims{s} }, "scope and filter list what the predicate admits"),
		of("what somebody else is at is listed in a queue", func(s spoiled) storage.Store { return queuesAll{s} }, "queues are listed as hops go through them"),
		of("what is assigned is listed as nobody's", func(s spoiled) storage.Store { return freesAssigned{s} }, "scope and filter list what the predicate admits"),
		of("what is closed is a load", func(s spoiled) storage.Store { return countsClosed{s} }, "loads are what their users have in hand"),
		of("a claim that ends is a load", func(s spoiled) storage.Store { return countsLate{s} }, "loads are what their users have in hand"),
		of("anybody has a load", func(s spoiled) storage.Store { return loadsAnybody{s} }, "loads of those who are not in the team"),
		of("a load is read before it is taken", func(s spoiled) storage.Store { return looseLoads{s, new(sync.Map)} }, "loads are taken one after the other"),
		of("a turn is lost", func(s spoiled) storage.Store { return losesTurns{s} }, "turn is written, and goes with a rollback"),
		of("guests are staff", func(s spoiled) storage.Store { return guestsAreStaff{s} }, "staff of a team"),
		of("a claim ends a microsecond late for the line", func(s spoiled) storage.Store { return lateClaims{s} }, "line is gone through from its first on"),
		of("a claim ends a microsecond late for the sweep", func(s spoiled) storage.Store { return lateClaims{s} }, "claims that have ended by the clock"),
		of("a skip is everybody's", func(s spoiled) storage.Store { return skipsForAll{s, new(sync.Map)} }, "skip takes the place of an earlier one"),
		of("a second skip is passed over", func(s spoiled) storage.Store { return firstSkip{s, new(sync.Map)} }, "skip takes the place of an earlier one"),
		of("a skip outlives a rollback", func(s spoiled) storage.Store { return skipsForAll{s, new(sync.Map)} }, "skip that is rolled back is none"),
		of("what is claimed does not wait", func(s spoiled) storage.Store { return seesClaimsOnly{s} }, "line that waits is told from none"),
		of("a claim that has ended is nobody's", func(s spoiled) storage.Store { return onlyLasting{s} }, "claimed and assigned conversations of a user"),
		of("one answered conversation is left out", func(s spoiled) storage.Store { return onlyLasting{s} }, "answered conversations that a user has claimed are locked"),
		of("what is answered waits in hand", func(s spoiled) storage.Store { return onlyLasting{s} }, "hand is what the user has claimed or is assigned"),
		of("no claim is of somebody who has gone", func(s spoiled) storage.Store { return seesNoFlaw{s, conversation.FlawClaimant} }, "broken: a conversation claimed by somebody who is not in the team"),
		of("closed conversations are locked as open", func(s spoiled) storage.Store { return locksClosed{s} }, "conversations that are not closed are locked all at once"),
		of("a snooze ends a microsecond late", func(s spoiled) storage.Store { return wakesLate{s} }, "snoozes that have ended are found by their time"),
		of("a guest's end is found a microsecond late", func(s spoiled) storage.Store { return lapsesGrantsLate{s} }, "grants whose expiry has come are found once"),
		of("a conversation is idle a microsecond early", func(s spoiled) storage.Store { return closesEarly{s} }, "idle conversations are found by their team's patience"),
		of("an episode ends twice", func(s spoiled) storage.Store { return endsAgain{s} }, "episode ends once and keeps how it began"),
		of("an address is in one account", func(s spoiled) storage.Store { return oneAccount{s} }, "conversation is one for each identity and address"),
		of("deliveries that have ended are pending", func(s spoiled) storage.Store { return endedDeliveries{s} }, "deliveries that a user has begun"),
		of("an update of an application looks at all of it", func(s spoiled) storage.Store { return editsAll{s} }, "application keeps what an update does not write"),
		of("an external id is anybody's", func(s spoiled) storage.Store { return anyAccounts{s, new(sync.Map)} }, "application external ids are unique in the account"),
		of("the last application is the first", func(s spoiled) storage.Store { return lastFirst{s} }, "application that is first"),
		of("the oldest application is listed first", func(s spoiled) storage.Store { return lastFirst{s} }, "pages of applications"),
		of("a set of applications to move is cut", func(s spoiled) storage.Store { return cutSets{s} }, "applications are moved together"),
		of("a delivery is the deliverer's only", func(s spoiled) storage.Store { return onlySent{s} }, "delivery is read from either team"),
		of("a delivery can be accepted too long", func(s spoiled) storage.Store { return offersLate{s} }, "deliveries that wait for a user or a team"),
		of("a delivery lapses late", func(s spoiled) storage.Store { return offersLate{s} }, "deliveries whose deadline has come"),
		of("an erasure passes over what has ended", func(s spoiled) storage.Store { return leavesEnded{s, new(sync.Map)} }, "deliveries lose the address of a deleted user"),
		of("a manager who will expire counts", func(s spoiled) storage.Store { return anyManager{s} }, "other manager must be lasting and active"),
		of("a user's teams leave out their custom roles", func(s spoiled) storage.Store { return plainTeamsOf{s} }, "teams of a user are those of active memberships"),
		of("a set of users is cut", func(s spoiled) storage.Store { return cutSets{s} }, "users by their ids"),
		of("closed accounts are not there", func(s spoiled) storage.Store { return onlyOpen{s} }, "accounts by their ids"),
		of("a set of accounts is cut", func(s spoiled) storage.Store { return cutSets{s} }, "accounts by their ids"),
		of("a set of authorities is cut", func(s spoiled) storage.Store { return cutSets{s} }, "authorities in several teams"),
		of("a set of loads is cut", func(s spoiled) storage.Store { return cutSets{s} }, "invitations are counted for their limits"),
		of("custom roles grant nothing in several teams", func(s spoiled) storage.Store { return forgetsRights{s} }, "authorities in several teams"),
		of("a set of memberships is cut", func(s spoiled) storage.Store { return cutSets{s} }, "memberships by their users"),
		of("a set of invitations is cut", func(s spoiled) storage.Store { return cutSets{s} }, "invitations pending into conversations"),
		of("a set of users' addresses is cut", func(s spoiled) storage.Store { return cutSets{s} }, "users by their addresses"),
		of("a set of invited addresses is cut", func(s spoiled) storage.Store { return cutSets{s} }, "invitations to addresses"),
		of("a set of addresses with seats is cut", func(s spoiled) storage.Store { return cutSets{s} }, "addresses that have a seat"),
		of("a seat is free a microsecond late for its address", func(s spoiled) storage.Store { return lateSeats{s} }, "addresses that have a seat"),
		of("revoked invitations to addresses count a microsecond late", func(s spoiled) storage.Store { return lateLoad{s} }, "invitations to addresses"),
		of("new invitations are cut", func(s spoiled) storage.Store { return cutSets{s} }, "invitation insert of several is all or none"),
		of("a set of contacts is cut", func(s spoiled) storage.Store { return cutSets{s} }, "contacts by their ids"),
		of("a set of addresses is cut", func(s spoiled) storage.Store { return cutSets{s} }, "contacts by their addresses"),
		of("a set of grants is cut", func(s spoiled) storage.Store { return cutSets{s} }, "grants of several conversations"),
		of("a set of deliveries is cut", func(s spoiled) storage.Store { return cutSets{s} }, "deliveries pending in conversations"),
		of("a set of deliveries to end is cut", func(s spoiled) storage.Store { return cutSets{s} }, "deliveries that are pending end"),
		of("a set of episodes is cut", func(s spoiled) storage.Store { return cutSets{s} }, "episodes end together"),
		of("a set of conversations is cut", func(s spoiled) storage.Store { return cutSets{s} }, "conversations lose their assignee"),
		of("new memberships are cut", func(s spoiled) storage.Store { return cutSets{s} }, "membership insert of several is all or none"),
		of("new contacts are cut", func(s spoiled) storage.Store { return cutSets{s} }, "contact insert of several is all or none"),
		of("new deliveries are cut", func(s spoiled) storage.Store { return cutSets{s} }, "delivery insert of several is all or none"),
		of("events are cut", func(s spoiled) storage.Store { return cutSets{s} }, "append of many events to many streams"),
		of("conversations are locked in any order", func(s spoiled) storage.Store { return locksAsTheyCome{s} }, "conversations are locked by their ids"),
		of("invitations are locked in any order", func(s spoiled) storage.Store { return locksAsTheyCome{s} }, "invitations are locked by their ids"),
		of("teams are locked in any order", func(s spoiled) storage.Store { return locksAsTheyCome{s} }, "teams are locked by their ids"),
		of("accounts are locked in any order", func(s spoiled) storage.Store { return locksAsTheyCome{s} }, "accounts are locked by their ids"),
		of("a conversation is found in another of the teams", func(s spoiled) storage.Store { return anyOfTheTeams{s} }, "conversations of several teams lose their assignees and claims"),
		of("an invitation is found in another of the teams", func(s spoiled) storage.Store { return anyOfTheTeams{s} }, "invitations of several teams end"),
		of("what is held in another of the teams is listed", func(s spoiled) storage.Store { return anyOfTheTeams{s} }, "conversations that several users hold in several teams"),
		of("a membership in another of the teams ends", func(s spoiled) storage.Store { return anyOfTheTeams{s} }, "memberships in several teams end"),
		of("a membership ends twice", func(s spoiled) storage.Store { return changesEnded{s} }, "memberships in several teams end"),
		of("an invitation ends twice", func(s spoiled) storage.Store { return changesEnded{s} }, "invitations that are pending end"),
		of("a grant is revoked twice", func(s spoiled) storage.Store { return changesEnded{s} }, "grants of a user are revoked"),
		of("memberships are those of any of the teams", func(s spoiled) storage.Store { return anyOfTheTeams{s} }, "memberships by their users"),
		of("memberships are renewed in any of the teams", func(s spoiled) storage.Store { return anyOfTheTeams{s} }, "memberships that were removed are renewed"),
		of("memberships are appointed in any of the teams", func(s spoiled) storage.Store { return anyOfTheTeams{s} }, "memberships in several teams are appointed"),
		of("a set of memberships to appoint is cut", func(s spoiled) storage.Store { return cutSets{s} }, "memberships in several teams are appointed"),
		of("who is suspended is appointed", func(s spoiled) storage.Store { return appointsAnybody{s} }, "memberships in several teams are appointed"),
		of("a custom role outlives the appointment", func(s spoiled) storage.Store { return keepsCustom{s} }, "memberships in several teams are appointed"),
		of("a set of accounts to pass on is cut", func(s spoiled) storage.Store { return cutSets{s} }, "accounts pass to another holder together"),
		of("a set of accounts with seats is cut", func(s spoiled) storage.Store { return cutSets{s} }, "seats of several accounts are counted in each"),
		of("seats are counted over all accounts", func(s spoiled) storage.Store { return seatsTogether{s} }, "seats of several accounts are counted in each"),
		of("a membership is renewed by nobody", func(s spoiled) storage.Store { return renewedByNobody{s} }, "memberships that were removed are renewed"),
		of("a suspended membership is renewed", func(s spoiled) storage.Store { return changesEnded{s} }, "memberships that were removed are renewed"),
		of("a move keeps the assignee", func(s spoiled) storage.Store { return movesAsTheyAre{s} }, "conversations are moved together"),
		of("a close has no outcome", func(s spoiled) storage.Store { return movesAsTheyAre{s} }, "conversations are closed together"),
		of("payloads are shared", func(s spoiled) storage.Store { return sharesPayload{s, new(sync.Map)} }, "memory of payloads is the caller's"),
		of("lists are shared", func(s spoiled) storage.Store { return sharesList{s, new(sync.Map)} }, "memory of lists is the caller's"),

		of("a rollback leaves a gap", func(s spoiled) storage.Store {
			return gaps{s, new(sync.Mutex), map[outbox.Stream]int64{}, map[uuid.UUID]int64{}}
		}, "append that is rolled back leaves no gap"),
		of("an append is a new version of the row", func(s spoiled) storage.Store { return bumps{s} }, "append and updates of the row leave each other alone"),
		of("payloads are reformatted", func(s spoiled) storage.Store { return reformats{s} }, "events come back as they were appended"),
		of("a stream is followed from one event too early", func(s spoiled) storage.Store { return followsBadly{s, before, as} }, "follow yields a stream from a sequence on"),
		of("a page of a stream that is followed is cut", func(s spoiled) storage.Store { return followsBadly{s, exactly, cut} }, "followers beside writers see a stream without a gap"),
		of("a stream is not followed to its end", func(s spoiled) storage.Store { return followsBadly{s, exactly, first} }, "follow yields what is committed while it waits"),
		of("who follows does not say that they wait", func(s spoiled) storage.Store { return followsBadly{s, exactly, silently} }, "follow says that it waits"),
		of("a stream is followed inside a transaction", func(s spoiled) storage.Store { return followsInside{s} }, "follow takes no part in a transaction"),
		of("a team is followed from one event too early", func(s spoiled) storage.Store { return followsTeamBadly{s, beforeMark, asFed} }, "follow team yields the team's events and resumes at each"),
		of("a team's streams are followed backwards", func(s spoiled) storage.Store { return followsTeamBadly{s, atMark, backwards} }, "follow team yields more than a batch in order"),
		of("a team is followed by ids", func(s spoiled) storage.Store { return followsByID{s, new(sync.Map)} }, "follow team yields what comes late"),
		of("who follows a team does not say that they wait", func(s spoiled) storage.Store { return followsTeamBadly{s, atMark, silentlyFed} }, "follow team waits, says so and ends with its context"),
		of("the mark of a team is that of its beginning", func(s spoiled) storage.Store { return marksTheBeginning{s} }, "team mark is the mark of now"),
		of("a team's mark is answered inside a transaction", func(s spoiled) storage.Store { return marksInside{s} }, "follow team and team mark take no part in a transaction"),
		of("a page of a team that is followed is cut", func(s spoiled) storage.Store { return followsTeamBadly{s, atMark, cutFed} }, "followers of a team beside writers to many streams lose nothing"),
		of("a lease is ignored", func(s spoiled) storage.Store { return noLease{s} }, "take honours leases to the microsecond"),
		of("a lease ends a microsecond late", func(s spoiled) storage.Store { return longLease{s} }, "take honours leases to the microsecond"),
		of("a blocked stream blocks the others", func(s spoiled) storage.Store { return limitFirst{s, new([]uuid.UUID)} }, "take passes by streams that are blocked"),
		of("more than the head is handed out", func(s spoiled) storage.Store { return wholeStream{s} }, "take leases the heads of streams"),
		of("a lost lease still counts", func(s spoiled) storage.Store { return forgetsLease{s, new(sync.Map)} }, "done and retry with a lost lease change nothing"),
		of("one lost lease keeps all", func(s spoiled) storage.Store { return allOrNone{s} }, "done with several takes out those that are held"),
		of("a lost lease among others is hidden", func(s spoiled) storage.Store { return hidesLoss{s} }, "done with several takes out those that are held"),
		of("a retry does not wait", func(s spoiled) storage.Store { return retriesAtOnce{s} }, "retry waits and blocks its stream alone"),
		of("events are taken inside a transaction", func(s spoiled) storage.Store { return takesInside{s} }, "relaying takes no part in a transaction"),

		of("a burial ignores the lease", func(s spoiled) storage.Store { return buriesAnyway{s} }, "bury with a lost lease changes nothing"),
		of("all lanes are one", func(s spoiled) storage.Store { return oneLane{s} }, "lanes go their own way"),
		of("a lease is of all lanes", func(s spoiled) storage.Store { return anyLease{s, new(sync.Map)} }, "lanes share no lease"),
		of("events wait that name no lane", func(s spoiled) storage.Store { return waitsAnyway{s} }, "lanes take the events that name them"),
		of("the name of a lane is cut", func(s spoiled) storage.Store { return cutsLanes{s} }, "lanes are told apart by their whole names"),
		of("some lanes of many are told", func(s spoiled) storage.Store { return fewLanes{s} }, "lanes may be many for one event, and events for one lane"),
		of("a lane is named twice", func(s spoiled) storage.Store { return setOfLanes{s} }, "lanes are named once by an event"),
		of("lanes are part of the log", func(s spoiled) storage.Store { return showsLanes{s} }, "lanes take the events that name them"),
		of("a forgotten lane keeps its dead letters", func(s spoiled) storage.Store { return keepsDead{s} }, "lanes that are forgotten are empty and no other is"),
		of("all lanes are forgotten", func(s spoiled) storage.Store { return forgetsLanes{s} }, "lanes that are forgotten are empty and no other is"),
		of("a burial needs no lease", func(s spoiled) storage.Store { return buriesAnyway{s} }, "bury without a lease changes nothing"),
		of("a burial is a delivery", func(s spoiled) storage.Store { return buryIsDone{s} }, "bury lets the stream go on"),
		of("a replay keeps the attempts", func(s spoiled) storage.Store { return replaysAtOnce{s} }, "replay makes a dead letter an event again"),
		of("a replay ignores a lease", func(s spoiled) storage.Store { return replaysAtOnce{s} }, "replay waits for a lease in its stream"),
		of("a replay ignores leases and attempts", func(s spoiled) storage.Store { return replaysAtOnce{s} }, "relaying at random does what the smallest model does"),
		of("a replay of nothing succeeds", func(s spoiled) storage.Store { return replaysTwice{s} }, "replay wants a dead letter"),
		of("replays all win", func(s spoiled) storage.Store { return replaysTwice{s} }, "replays of one dead letter have one winner"),
		of("a repeated mark dooms", func(s spoiled) storage.Store { return seenDooms{s} }, "mark seen of a repeated event leaves the transaction whole"),
		of("consumers share their marks", func(s spoiled) storage.Store { return seenByAll{s} }, "mark seen notes an event once for each consumer"),
		of("a repeated mark is not told", func(s spoiled) storage.Store { return seenBlindly{s} }, "mark seen notes an event once for each consumer"),
		of("a repeated event is handled again", func(s spoiled) storage.Store { return seenBlindly{s} }, "inbox lets one of many handle an event"),
		of("a mark passes over all errors", func(s spoiled) storage.Store { return seenWhole{s} }, "mark seen refuses what names nothing"),
		of("marks outlive a rollback", func(s spoiled) storage.Store { return noRollback{s} }, "mark seen that is rolled back has noted nothing"),
		of("all sightings are forgotten", func(s spoiled) storage.Store { return sightsAll{s} }, "sightings from before a time are forgotten"),
		of("sightings are forgotten a microsecond early", func(s spoiled) storage.Store { return sightsOneMore{s} }, "sightings from before a time are forgotten"),
		of("sightings of others are forgotten", func(s spoiled) storage.Store { return sightsOthers{s} }, "sightings from before a time are forgotten"),
		of("the last sighting counts", func(s spoiled) storage.Store { return sightsLast{s, new(sync.Map)} }, "a repeated sighting does not make it younger"),
		of("all operations are forgotten", func(s spoiled) storage.Store { return forgetsAll{s} }, "operations from before a time are forgotten"),
		of("operations are forgotten a microsecond early", func(s spoiled) storage.Store { return forgetsOneMore{s} }, "operations from before a time are forgotten"),
		of("an operation is anybody's", func(s spoiled) storage.Store { return anyPrincipal{s, new(sync.Map)} }, "operation keys are unique for each principal"),
		of("results are shared", func(s spoiled) storage.Store { return sharesResult{s, new(sync.Map)} }, "operations keep their result byte for byte and their own"),

		of("services are shared", func(s spoiled) storage.Store { return sharesServices{s, new(sync.Map)} }, "memory of what rows hold is the caller's"),
		of("no services are an empty list", func(s spoiled) storage.Store { return emptyServices{s} }, "account services come back as they were"),
		of("any seat rule is taken", func(s spoiled) storage.Store { return anySeatRule{s} }, "account values outside the set are invalid"),
		of("accounts that do not work are left out", func(s spoiled) storage.Store { return onlyOpen{s} }, "accounts of a user are those that they hold"),
		of("a page of accounts is short", func(s spoiled) storage.Store { return onlyOpen{s} }, "pages of a user's accounts"),
		of("archived teams are left out", func(s spoiled) storage.Store { return onlyLive{s} }, "teams of an account are listed in every state"),
		of("a page of teams is short", func(s spoiled) storage.Store { return onlyLive{s} }, "pages of an account's teams"),
		of("a team is found by domains that it no longer names", func(s spoiled) storage.Store { return forgetsDomains{s, new(sync.Map)} }, "teams are found by the domains that may ask to join"),
		of("a team can be joined by who is in it", func(s spoiled) storage.Store { return showsAllDoors{s} }, "teams are found by the domains that may ask to join"),
		of("the newest team can be joined first", func(s spoiled) storage.Store { return backwardDoors{s} }, "pages of the teams that can be joined"),
		of("deliveries to none become deliveries to all", func(s spoiled) storage.Store { return deliversToAll{s} }, "team settings tell empty from nil where it matters"),
		of("a seat is free a microsecond late", func(s spoiled) storage.Store { return lateSeats{s} }, "seats are taken by those who are more than guests"),
		of("an invitation's seat is free a microsecond late", func(s spoiled) storage.Store { return lateSeats{s} }, "seats are taken by pending invitations where they count"),
		of("pending invitations always count", func(s spoiled) storage.Store { return anySeat{s} }, "seats are taken by those who are more than guests"),
		of("memberships are counted and not people", func(s spoiled) storage.Store { return seatsByPlace{s} }, "seats are taken by those who are more than guests"),
		of("the address in question counts", func(s spoiled) storage.Store { return forgetsAddress{s} }, "seats are taken by pending invitations where they count"),
		of("suspended memberships are left out", func(s spoiled) storage.Store { return onlyActive{s} }, "memberships of a user are those not removed"),
		of("a role that nobody lastingly has is listed", func(s spoiled) storage.Store { return formerRoles{s} }, "lasting roles are the custom ones of lasting members"),
		of("an identity is kept for ever", func(s spoiled) storage.Store { return keepsIdentities{s} }, "team identities of an account are released"),
		of("an expiry comes a microsecond late", func(s spoiled) storage.Store { return lapsesLate{s} }, "lapsed memberships are active and past their expiry"),
		of("a custom role grants nothing", func(s spoiled) storage.Store { return forgetsRights{s} }, "authority tells of the custom role"),
		of("a role is anybody's", func(s spoiled) storage.Store { return anyAccount{s, new(sync.Map)} }, "role of another account is not found"),
		of("a role is deleted from under its members", func(s spoiled) storage.Store { return deletesRoles{s} }, "role without members is deleted"),
		of("a role's end and its first member both come", func(s spoiled) storage.Store { return deletesRoles{s} }, "role that meets its end and its first member at once"),
		of("roles are in another order", func(s spoiled) storage.Store { return rolesByName{s} }, "roles of an account are all listed"),
		of("who is suspended has no role", func(s spoiled) storage.Store { return activeOnly{s} }, "role is had by those who are not removed"),
		of("a page of flaws loses a subject's other teams", func(s spoiled) storage.Store { return oneTeamEach{s} }, "broken: a membership of a deleted user"),
		of("no team is without a manager", func(s spoiled) storage.Store { return seesNoFlaw{s, tenancy.FlawNoManager} }, "broken: a team without a lasting manager"),
		of("no account is without a holder", func(s spoiled) storage.Store { return seesNoFlaw{s, tenancy.FlawNoHolder} }, "broken: an account without a holder"),
		of("no deleted user has a name", func(s spoiled) storage.Store { return seesNoFlaw{s, tenancy.FlawNamedTombstone} }, "broken: a deleted user who can still be named"),
		of("no role is another account's", func(s spoiled) storage.Store { return seesNoFlaw{s, tenancy.FlawForeignRole} }, "broken: a membership with another account's role"),
		of("an unknown flaw is nowhere", func(s spoiled) storage.Store { return noSuchFlaw{s} }, "broken: nothing of a kind that is not known"),
		of("a log is filtered after the page is cut", func(s spoiled) storage.Store { return filtersLogLate{s} }, "events are filtered before the page is cut"),
		of("the end of a log's time is in", func(s spoiled) storage.Store { return untilIsIn{s} }, "events are bounded to the microsecond"),
		of("broken UTF-8 is mended in documents", func(s spoiled) storage.Store { return mendsDocuments{s} }, "text inside a document that a database cannot hold"),
	}
}
