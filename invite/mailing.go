package invite

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// mailing is the system that builds mails, as the audit log names it.
const mailing = tenancy.System("mailing")

// MailLane is the lane of [Service.Mailing].
const MailLane = "mail"

// Mailed are the kinds of events that may ask for a mail: what the [MailLane] takes. Whoever accepts or
// declines an invitation causes one of them too, since only the answer to a request is mailed, and
// kinds do not tell these apart.
func Mailed() []string {
	return []string{InvitationCreated, InvitationResent, InvitationAccepted, InvitationDeclined, InvitationBatched}
}

// Mailing is the sink that mails invitations, and the answers to requests to join: hand it to an
// [outbox.Relay], as the one of the [MailLane]. It takes the events that ask for a mail and leaves
// every other alone.
//
// The token is made here, when the mail is built, and its hash is committed before the mail is
// handed over, with MailedAt and the event [InvitationMailed]. So a token is never in the
// database or the outbox, and the link works when it arrives. Where the mailer fails or the
// process dies in between, the event comes again and a new token replaces the one that was lost.
// Noting MailedAt after the hand-over was rejected: it takes a second transaction, and can still
// be wrong, since nobody knows what a mailer did that failed. So MailedAt is when the newest
// mail was built, and a mailer that fails makes it move.
//
// An event that is no longer of interest is skipped: the invitation was sent again since, has
// ended or expired, or its team or account can only be read. Whoever makes a team work again sends its
// invitations again.
func (s *Service) Mailing(m Mailer, base LinkBase) outbox.Sink {
	return outbox.SinkFunc(func(ctx context.Context, e outbox.Event) error {
		build := s.builder(e)
		if build == nil {
			return nil
		}
		if m == nil || base.IsZero() {
			return errors.New("usher: to mail an invitation takes a mailer and a link base")
		}
		mail, err := build(ctx, e)
		if err != nil || mail.To.IsZero() {
			return err
		}
		mail.base = base
		for i := range mail.Batch {
			mail.Batch[i].base = base
		}
		return m.Send(ctx, mail)
	})
}

// builder is who builds the mail that the event asks for: an invitation, those of a batch, or the answer
// to a request to join. Other events ask for none, and neither does a new invitation of a batch, whose
// own event does.
func (s *Service) builder(e outbox.Event) func(context.Context, outbox.Event) (Mail, error) {
	var facts tenancy.Facts
	known := json.Unmarshal(e.Payload, &facts) == nil
	switch e.Kind {
	case InvitationCreated:
		if facts["batch"] == "" {
			return s.build
		}
	case InvitationResent:
		return s.build
	case InvitationBatched:
		return s.buildBatch
	case InvitationAccepted, InvitationDeclined:
		if known && facts["kind"] == string(ByRequest) {
			return s.buildAnswer
		}
	}
	return nil
}

// buildBatch is the mail of a batch: those of its invitations that nobody has sent again, answered or
// taken back meanwhile, and whose team is at work. Of one alone it is the mail of that one.
func (s *Service) buildBatch(ctx context.Context, e outbox.Event) (Mail, error) {
	var facts tenancy.Facts
	if err := json.Unmarshal(e.Payload, &facts); err != nil {
		return Mail{}, &tenancy.InvalidError{Field: "payload of " + e.Kind, Reason: "must be an object of texts"}
	}
	batch, err := tenancy.ParseID[tenancy.BatchID](facts["batch"])
	if err != nil {
		return Mail{}, err
	}
	var mail Mail
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		mail = Mail{}
		account, err := s.people.LockAccount(ctx, tenancy.AccountID(e.Account))
		if frozen(err) || errors.Is(err, tenancy.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		each, err := s.eachOf(ctx, account.ID, batch)
		if err != nil || len(each) == 0 {
			return err
		}
		if mail = each[0]; len(each) > 1 {
			mail = Mail{
				To: mail.To, Mailing: mail.Mailing, Kind: mail.Kind, Account: oneLine(account.Name),
				Inviter: mail.Inviter, ExpiresAt: mail.ExpiresAt, Batch: each,
			}
		}
		return nil
	})
	if err != nil {
		return Mail{}, err
	}
	return mail, nil
}

// eachOf are the mails of the invitations of a batch. The account is locked; all teams are, by id, before
// the first of the invitations.
func (s *Service) eachOf(ctx context.Context, account tenancy.AccountID, batch tenancy.BatchID) ([]Mail, error) {
	records, err := s.store.Batch(ctx, account, batch)
	if err != nil {
		return nil, err
	}
	teams := map[tenancy.TeamID]string{}
	for _, r := range records {
		team, err := s.people.Lock(ctx, r.Team)
		if frozen(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		teams[team.ID] = team.Name
	}
	var each []Mail
	for _, found := range records {
		name, atWork := teams[found.Team]
		if !atWork {
			continue
		}
		r, err := s.store.LockInvitation(ctx, found.Team, found.ID)
		if err != nil {
			return nil, err
		}
		mail, err := s.letter(ctx, r, 1, "", name)
		if err != nil {
			return nil, err
		}
		if !mail.To.IsZero() {
			each = append(each, mail)
		}
	}
	return each, nil
}

// buildAnswer is the mail to who asked to join. Nothing changes by it, so that a repeated one is the
// same. Who was deleted since has no address to mail to.
func (s *Service) buildAnswer(ctx context.Context, e outbox.Event) (Mail, error) {
	id, _, err := asked(e)
	if err != nil {
		return Mail{}, err
	}
	r, err := s.store.Invitation(ctx, tenancy.TeamID(e.Team), id)
	if errors.Is(err, tenancy.ErrNotFound) || err == nil && r.Email.IsZero() {
		return Mail{}, nil
	}
	if err != nil {
		return Mail{}, err
	}
	team, err := s.people.TeamByID(ctx, mailing, r.Team)
	if err != nil {
		return Mail{}, err
	}
	return Mail{To: r.Email, Invitation: r.ID, Kind: r.Kind, Role: r.Role, Answer: r.State, Team: oneLine(team.Name)}, nil
}

// build mints the token and commits its hash. The mail to nobody is none: nobody asks for it any
// more.
func (s *Service) build(ctx context.Context, e outbox.Event) (Mail, error) {
	id, number, err := asked(e)
	if err != nil || number == 0 { // of a link or a request, which nobody mails
		return Mail{}, err
	}
	var mail Mail
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		mail = Mail{}
		r, account, team, err := s.toMail(ctx, e, id)
		if frozen(err) || errors.Is(err, tenancy.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		mail, err = s.letter(ctx, r, number, account, team)
		return err
	})
	if err != nil {
		return Mail{}, err
	}
	return mail, nil
}

// letter mints the token of an invitation that is locked, and notes it, for the mail of this number; the
// mail to nobody if it is not the newest, or the invitation not pending.
func (s *Service) letter(ctx context.Context, r Record, number int, account, team string) (Mail, error) {
	now := s.env.Now()
	if r.Mailing != number || r.StateAt(now) != Pending {
		return Mail{}, nil
	}
	inviter, err := s.people.User(ctx, r.Inviter)
	if err != nil {
		return Mail{}, err
	}
	custom, err := s.customName(ctx, r.Invitation)
	if err != nil {
		return Mail{}, err
	}
	token := mintToken()
	r.Hash, r.MailedAt = token.Hash(), now
	if r, err = s.step(ctx, mailing, now, r, OnMail); err != nil {
		return Mail{}, err
	}
	return Mail{
		To: r.Email, Invitation: r.ID, Mailing: r.Mailing, Kind: r.Kind, Role: r.Role, Custom: oneLine(custom),
		Account: oneLine(account), Team: oneLine(team), Inviter: oneLine(inviter.Name), ExpiresAt: r.ExpiresAt, Token: token,
	}, nil
}

// toMail locks what an event tells of, and reads the name of the account that is offered, or of
// the team.
func (s *Service) toMail(ctx context.Context, e outbox.Event, id tenancy.InvitationID) (r Record, account, team string, err error) {
	if e.Stream.Kind == outbox.AccountStream {
		a, err := s.people.LockAccount(ctx, tenancy.AccountID(e.Account))
		if err != nil {
			return Record{}, "", "", err
		}
		r, err = s.store.LockOffer(ctx, a.ID, id)
		return r, a.Name, "", err
	}
	t, err := s.people.Lock(ctx, tenancy.TeamID(e.Team))
	if err != nil {
		return Record{}, "", "", err
	}
	r, err = s.store.LockInvitation(ctx, t.ID, id)
	return r, "", t.Name, err
}

// asked reads from an event which mail it asks for.
func asked(e outbox.Event) (tenancy.InvitationID, int, error) {
	var facts tenancy.Facts
	if err := json.Unmarshal(e.Payload, &facts); err != nil {
		return tenancy.InvitationID{}, 0, &tenancy.InvalidError{Field: "payload of " + e.Kind, Reason: "must be an object of texts"}
	}
	id, err := tenancy.ParseID[tenancy.InvitationID](facts["invitation"])
	if err != nil {
		return tenancy.InvitationID{}, 0, err
	}
	number, err := strconv.Atoi(facts["mailing"])
	if err != nil {
		return tenancy.InvitationID{}, 0, &tenancy.InvalidError{Field: "mailing", Reason: "must be a number"}
	}
	return id, number, nil
}
