package invite_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

var update = flag.Bool("update", false, "write the state diagram into the docs")

// spec5 is the table, typed by hand and not derived from the code.
const spec5 = `
from     | accept   | decline  | revoke  | expire  | resend  | deliver mail | use
pending  | accepted | declined | revoked | expired | pending | pending      | pending
expired  | -        | -        | -       | -       | pending | -            | -
accepted | -        | -        | -       | -       | -       | -            | -
declined | -        | -        | -       | -       | -       | -            | -
revoked  | -        | -        | -       | -       | -       | -            | -
`

// happens are the events that happen to each kind at all, typed by hand as well.
const happens = `
kind         | accept | decline | revoke | expire | resend | deliver mail | use
team         | yes    | yes     | yes    | yes    | yes    | yes          | -
conversation | yes    | yes     | yes    | yes    | yes    | yes          | -
account      | yes    | yes     | yes    | yes    | yes    | yes          | -
link         | yes    | -       | yes    | yes    | yes    | -            | yes
request      | yes    | yes     | yes    | yes    | -      | -            | -
`

// The table holds for every kind, but for the events that do not happen to it.
func TestTableOfEachKind(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(happens), "\n")
	cells := func(line string) []string {
		list := strings.Split(line, "|")
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		return list
	}
	events := cells(lines[0])[1:]
	require.Len(t, events, len(invite.Events()))
	for _, line := range lines[1:] {
		row := cells(line)
		kind := invite.Kind(row[0])
		for i, cell := range row[1:] {
			for _, state := range invite.States() {
				event := invite.Event(events[i])
				want, refusal := state.After(event)
				got, err := kind.After(state, event)
				if cell == "yes" {
					assert.Equal(t, want, got, "%s %s, %s", state, kind, event)
					assert.Equal(t, refusal, err)
					assert.Equal(t, err == nil, kind.Can(state, event))
					continue
				}
				assert.Equal(t, &invite.StateError{State: state, Event: event}, err, "%s %s, %s", state, kind, event)
				assert.Empty(t, got)
			}
		}
	}
}

func TestTableIsThatOfTheSpec(t *testing.T) {
	var rows [][]string
	for line := range strings.Lines(strings.TrimSpace(spec5)) {
		cells := strings.Split(line, "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	require.Len(t, rows, 1+len(invite.States()))
	require.Len(t, rows[0], 1+len(invite.Events()))
	for _, row := range rows[1:] {
		for i, cell := range row[1:] {
			state, event := invite.State(row[0]), invite.Event(rows[0][i+1])
			next, err := state.After(event)
			if cell != "-" {
				assert.NoError(t, err, "%s, %s", state, event)
				assert.Equal(t, invite.State(cell), next, "%s, %s", state, event)
				continue
			}
			var refused *invite.StateError
			require.ErrorAs(t, err, &refused, "%s, %s", state, event)
			assert.Equal(t, invite.StateError{State: state, Event: event}, *refused)
			require.ErrorIs(t, err, tenancy.ErrConflict)
			assert.Equal(t, state == invite.Expired, errors.Is(err, tenancy.ErrExpired))
			assert.Empty(t, next)
		}
		assert.Equal(t, !invite.State(row[0]).Can(invite.OnResend), invite.State(row[0]).Ended())
	}
}

func TestUnknownStateAndEventAreRefused(t *testing.T) {
	for _, state := range []invite.State{"", "Pending", "pending ", "\u200bpending"} {
		for _, event := range invite.Events() {
			assert.False(t, state.Can(event), "%q", state)
		}
	}
	assert.False(t, invite.Pending.Can("open"))
}

// The page in the docs is drawn from the table. `go generate ./invite` writes it.
func TestStateDiagramInTheDocs(t *testing.T) {
	const page = "../docs/invitation-states.md"
	want := diagram()
	if *update {
		require.NoError(t, os.WriteFile(page, want, 0o600))
	}
	got, err := os.ReadFile(page)
	require.NoError(t, err, "go generate ./invite writes it")
	assert.Equal(t, string(want), string(got), "go generate ./invite brings it up to date")
}

func diagram() []byte {
	var b bytes.Buffer
	b.WriteString("# The states of an invitation\n\n" +
		"Written by `go generate ./invite` from the table in `invite/state.go`; do not edit.\n\n" +
		"```mermaid\nstateDiagram-v2\n    [*] --> pending: create\n")
	for _, from := range invite.States() {
		for _, event := range invite.Events() {
			if next, err := from.After(event); err == nil {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, next, event)
			}
		}
	}
	for _, state := range invite.States() {
		if state.Ended() {
			fmt.Fprintf(&b, "    %s --> [*]\n", state)
		}
	}
	b.WriteString("```\n\n| from \\ event |")
	for _, event := range invite.Events() {
		fmt.Fprintf(&b, " %s |", event)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(invite.Events())) + "\n")
	for _, from := range invite.States() {
		fmt.Fprintf(&b, "| %s |", from)
		for _, event := range invite.Events() {
			cell := "–"
			if next, err := from.After(event); err == nil {
				cell = string(next)
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	b.WriteString("\nIt is the same for an invitation into a team, into a conversation, for the offer of an account, for a\n" +
		"link and for a request to join. A link is used by each but the last who comes in by it, and accepted\n" +
		"by the last; nobody declines it, and nobody mails it. A request has no token: it is neither mailed nor\n" +
		"sent again, and its end is mailed to who asked.\n\n" +
		"| event | who causes it |\n|---|---|\n" +
		"| create | `Create`, `Bulk`, `Batch`, `Offer`, `CreateLink`, `Ask`; `^invite` and `^deliver` to an address |\n" +
		"| accept, use | the user whom it is for: `Accept`; of a request the team: `AcceptRequest` |\n" +
		"| decline | the user whom it is for: `Decline`; of a request the team: `DeclineRequest` |\n" +
		"| revoke | the team: `Revoke`; the holder: `RevokeOffer`; who asks: `WithdrawRequest`; and what ends the sender's membership |\n" +
		"| expire | the clock; `Sweep` writes it down |\n" +
		"| resend | the team: `Resend`, `RenewLink`; the holder: `ResendOffer` |\n" +
		"| deliver mail | `u.Relay`, when it builds the mail |\n\n" +
		"A pending invitation is expired from its time on, whether or not that was written down.\n" +
		"A resend makes a new token; from then on the old one opens nothing.\n")
	return b.Bytes()
}

// everyKind is each kind of invitation that is mailed to somebody, who answers it.
var everyKind = []invite.Kind{invite.ToOneTeam, invite.ToOneConversation, invite.ToOneAccount}

// subject is an invitation under test: into the acme account's team or conversation, or one that
// offers an account of its own.
type subject struct {
	inv     invite.Invitation
	token   invite.Token
	invitee tenancy.UserID
	holder  tenancy.Holder
}

func (w *world) subject(kind invite.Kind, email string) subject {
	w.t.Helper()
	return w.subjectFor(kind, email)
}

func (w *world) subjectFor(kind invite.Kind, email string, options ...invite.Option) subject {
	w.t.Helper()
	s := subject{invitee: w.user(email).ID}
	switch kind {
	case invite.ToOneAccount:
		account, err := w.people.CreateAccount(w.ctx, w.acme.alice.User, "Staffing")
		require.NoError(w.t, err)
		s.holder = account.Holder(account.HeldBy)
		s.inv, s.token = w.offer(s.holder, email, options...)
	case invite.ByLink:
		link, err := w.invites.CreateLink(w.ctx, w.acme.alice, invite.LinkSpec{Uses: 1}, options...)
		require.NoError(w.t, err)
		s.inv, s.token = link.Invitation, link.Token
	case invite.ByRequest:
		w.configure(w.acme, tenancy.Settings{JoinDomains: []string{"acme.example"}})
		var err error
		s.inv, err = w.invites.Ask(w.ctx, s.invitee, w.acme.team.ID)
		require.NoError(w.t, err)
	case invite.ToOneConversation:
		s.inv, s.token = w.invite(w.acme.alice, invite.ToConversation(email, w.acme.conversation, options...))
	default:
		s.inv, s.token = w.invite(w.acme.alice, invite.ToTeam(email, rbac.Member, options...))
	}
	return s
}

// offer offers an account and reads the token from the mail.
func (w *world) offer(holder tenancy.Holder, email string, options ...invite.Option) (invite.Invitation, invite.Token) {
	w.t.Helper()
	inv, err := w.invites.Offer(w.ctx, holder, email, options...)
	require.NoError(w.t, err)
	return inv, w.token(inv)
}

// recorded are the kinds of the events where those of the subject are.
func (w *world) recorded(s subject) []string {
	w.t.Helper()
	if s.inv.Kind == invite.ToOneAccount {
		return kinds(w.accountLog(s.inv.Account))
	}
	return w.events(w.acme)
}

// isIn reports whether the invitee has what was offered.
func (w *world) isIn(s subject) bool {
	w.t.Helper()
	if s.inv.Kind == invite.ToOneAccount {
		return w.holderOf(s.inv.Account) == s.invitee
	}
	return w.member(w.acme, s.invitee).Status == tenancy.MembershipActive
}

// operation is what makes an event happen to a subject.
type operation func(w *world, s subject) error

func accept(w *world, s subject) error {
	if s.inv.Kind == invite.ByRequest {
		_, err := w.invites.AcceptRequest(w.ctx, w.acme.alice, s.inv.ID, rbac.Member)
		return err
	}
	_, err := w.invites.Accept(w.ctx, s.invitee, s.token)
	return err
}

func decline(w *world, s subject) error {
	if s.inv.Kind == invite.ByRequest {
		_, err := w.invites.DeclineRequest(w.ctx, w.acme.alice, s.inv.ID)
		return err
	}
	_, err := w.invites.Decline(w.ctx, s.invitee, s.token)
	return err
}

func revoke(w *world, s subject) error {
	if s.inv.Kind == invite.ByRequest {
		_, err := w.invites.WithdrawRequest(w.ctx, s.invitee, w.acme.team.ID, s.inv.ID)
		return err
	}
	if s.inv.Kind == invite.ToOneAccount {
		_, err := w.invites.RevokeOffer(w.ctx, s.holder, s.inv.ID)
		return err
	}
	_, err := w.invites.Revoke(w.ctx, w.acme.alice, s.inv.ID)
	return err
}

func resend(w *world, s subject) error { return resendWith(w, s) }

func resendWith(w *world, s subject, options ...invite.Option) error {
	if s.inv.Kind == invite.ByLink {
		_, err := w.invites.RenewLink(w.ctx, w.acme.alice, s.inv.ID, options...)
		return err
	}
	if s.inv.Kind == invite.ToOneAccount {
		_, err := w.invites.ResendOffer(w.ctx, s.holder, s.inv.ID, options...)
		return err
	}
	_, err := w.invites.Resend(w.ctx, w.acme.alice, s.inv.ID, options...)
	return err
}

func lapse(w *world, s subject) error {
	w.clock.Set(s.inv.ExpiresAt)
	return nil
}

func expire(w *world, s subject) error {
	w.clock.Set(s.inv.ExpiresAt)
	if s.inv.Kind == invite.ToOneAccount {
		_, err := w.invites.ExpireOffer(w.ctx, host, s.inv.Account, s.inv.ID)
		return err
	}
	_, err := w.invites.Expire(w.ctx, host, s.inv.Team, s.inv.ID)
	return err
}

func mailAgain(w *world, s subject) error {
	if s.inv.Kind == invite.ToOneAccount {
		log := w.accountLog(s.inv.Account)
		at := slices.IndexFunc(log, func(e outbox.Event) bool { return e.Kind == invite.InvitationCreated })
		return w.sink.Deliver(w.ctx, log[at])
	}
	event, facts := w.newest(w.acme, invite.InvitationCreated)
	require.Equal(w.t, s.inv.ID.String(), facts["invitation"])
	return w.sink.Deliver(w.ctx, event)
}

// settings bring a pending invitation into a state. Lapsed is pending in the row and expired by
// the clock.
var settings = []struct {
	name  string
	state invite.State
	bring operation
}{
	{"pending", invite.Pending, func(*world, subject) error { return nil }},
	{"lapsed", invite.Expired, lapse},
	{"expired", invite.Expired, expire},
	{"accepted", invite.Accepted, accept},
	{"declined", invite.Declined, decline},
	{"revoked", invite.Revoked, revoke},
}

var operations = map[invite.Event]operation{
	invite.OnAccept: accept, invite.OnDecline: decline, invite.OnRevoke: revoke,
	invite.OnExpire: expire, invite.OnResend: resend, invite.OnMail: mailAgain,
}

var recorded = map[invite.Event]string{
	invite.OnAccept: invite.InvitationAccepted, invite.OnDecline: invite.InvitationDeclined,
	invite.OnRevoke: invite.InvitationRevoked, invite.OnExpire: invite.InvitationExpired,
	invite.OnResend: invite.InvitationResent, invite.OnMail: invite.InvitationMailed,
}

// Every state with every event, through the operations: what the table allows is done and
// recorded once, what it refuses changes nothing. Saying once more what one said is no refusal,
// and the clock and the relay, which ask without knowing the state, are told of none. What never
// happens to a kind has no operation; that a link lets in several is a matter of its own tests.
func TestSpec5_EveryStateWithEveryEvent(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		for _, setting := range settings {
			for _, event := range invite.Events() {
				for _, kind := range invite.Kinds() {
					if event == invite.OnUse || !kind.Can(invite.Pending, event) {
						continue
					}
					if setting.state == invite.Declined && !kind.Can(invite.Pending, invite.OnDecline) {
						continue // a state that it never comes to
					}
					name := fmt.Sprintf("%s/%s/%s", setting.name, event, kind)
					t.Run(name, func(t *testing.T) {
						w := w.in(t)
						s := w.subject(kind, strings.NewReplacer("/", ".", " ", "-").Replace(name)+"@acme.example")
						require.NoError(t, setting.bring(w, s))
						before, log := w.stored(s.inv), count(w.recorded(s))

						err := operations[event](w, s)

						after := w.stored(s.inv)
						seen := count(w.recorded(s))[recorded[event]] - log[recorded[event]]
						next, refusal := setting.state.After(event)
						if setting.name == "lapsed" && event == invite.OnExpire {
							next, refusal = invite.Expired, nil // the clock's verdict is written down
						}
						byHolder := event == invite.OnResend || event == invite.OnRevoke
						if kind == invite.ToOneAccount && setting.state == invite.Accepted && byHolder {
							require.ErrorIs(t, err, tenancy.ErrNotFound, "the account is somebody else's now")
							assert.Equal(t, before, after)
							return
						}
						repeated := setting.state == invite.Declined && event == invite.OnDecline ||
							setting.state == invite.Revoked && event == invite.OnRevoke
						switch {
						case refusal == nil:
							require.NoError(t, err)
							assert.Equal(t, next, after.State)
							assert.Equal(t, 1, seen)
						case repeated, event == invite.OnExpire, event == invite.OnMail:
							require.NoError(t, err)
							assert.Equal(t, before, after)
							assert.Zero(t, seen)
						default:
							var refused *invite.StateError
							require.ErrorAs(t, err, &refused)
							assert.Equal(t, invite.StateError{State: setting.state, Event: event}, *refused)
							assert.Equal(t, before, after)
							assert.Zero(t, seen)
						}
						assert.Equal(t, after.State != invite.Pending, after.EndedBy != "")
						assert.Equal(t, after.State == invite.Pending, after.EndedAt.IsZero())
					})
				}
			}
		}
	})
}

func count(kinds []string) map[string]int {
	n := make(map[string]int)
	for _, kind := range kinds {
		n[kind]++
	}
	return n
}

// A kind that is new in the code is one of the table's, and so of the tests that are made from it.
func TestKindsAreAllInTheTable(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "invitation.go", nil, 0)
	require.NoError(t, err)
	var found []invite.Kind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Kind" {
			for _, value := range spec.Values {
				text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				require.NoError(t, err)
				found = append(found, invite.Kind(text))
			}
		}
		return true
	})
	assert.Equal(t, found, invite.Kinds())
	for _, kind := range invite.Kinds() {
		assert.True(t, kind.Can(invite.Pending, invite.OnAccept), kind)
	}
}
