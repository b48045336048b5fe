package smtp

import (
	"errors"
	htmltemplate "html/template"
	"io"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Templates are the host's own words for a mail: Subject and Text in the language of text/template,
// and HTML, a whole page, in that of html/template, which escapes what it is given. Each gets the
// [invite.Mail], so {{.Inviter}}, {{.Team}}, {{.Account}}, {{.Role}}, {{.Link}} and
// {{.ExpiresAt.Format "2 January 2006"}} stand for what they say, and {{if eq .Kind "account"}}
// tells the kinds apart. One that is empty leaves that part as usher writes it.
type Templates struct{ Subject, Text, HTML string }

// The most that a template may write for one mail, in bytes.
const (
	MaxSubject = 1000
	MaxBody    = 256 << 10
)

// WithTemplates replaces the words of the mails. [New] tries the templates on a mail of each kind
// of invitation: an error in one, a body without the link, an empty subject and what is too long are
// refused there. Where the links lead is not theirs to say: it comes from the configuration of usher.
//
// The mail of a batch has several links, and that which answers a request to join has none: they have
// words of their own, see [WithBatchTemplates] and [WithAnswerTemplates].
//
// Whatever a subject holds, it stays one line without invisible characters.
func WithTemplates(t Templates) Option {
	return func(m *Mailer) error { return t.replace(&m.words, samples()) }
}

// WithBatchTemplates is [WithTemplates] for the mail of a batch, which has a link for each team: its
// templates range over {{.Batch}}, each of which has a Team, a Role, a Custom role's name and a Link.
// [New] refuses a body without all of the links.
func WithBatchTemplates(t Templates) Option {
	return func(m *Mailer) error { return t.replace(&m.batch, []invite.Mail{batchSample()}) }
}

// WithAnswerTemplates is [WithTemplates] for the mail that answers a request to join, which has no link,
// no Inviter and no ExpiresAt: {{.Team}} is what they asked to join, {{.Answer}} is accepted or declined, and
// {{.Role}} is what they are in the team where it is accepted. [New] tries the templates on both answers.
func WithAnswerTemplates(t Templates) Option {
	return func(m *Mailer) error { return t.replace(&m.answer, answerSamples()) }
}

// replace puts the templates in the place of words, once they have written the samples.
func (t Templates) replace(w *words, samples []invite.Mail) error {
	text := func(source string) (template, error) { return texttemplate.New("").Parse(source) }
	page := func(source string) (template, error) { return htmltemplate.New("").Parse(source) }
	for _, p := range []struct {
		name, source string
		parse        func(source string) (template, error)
		limit        int
		part         *part
		says         func(sample invite.Mail) []string
	}{
		{"subject template", t.Subject, text, MaxSubject, &w.subject, func(invite.Mail) []string { return nil }},
		{"text template", t.Text, text, MaxBody, &w.text, tokensIn},
		{"HTML template", t.HTML, page, MaxBody, &w.html, tokensIn},
	} {
		if p.source == "" {
			continue
		}
		parsed, err := p.parse(p.source)
		if err != nil {
			return &tenancy.InvalidError{Field: p.name, Reason: err.Error()}
		}
		*p.part = bounding(parsed, p.limit)
		if err := try(*p.part, samples, p.says); err != nil {
			return &tenancy.InvalidError{Field: p.name, Reason: err.Error()}
		}
	}
	return nil
}

// words are what a mail says.
type words struct{ subject, text, html part }

// part writes one part of a mail.
type part func(invite.Mail) (string, error)

// template is one of either package.
type template interface {
	Execute(w io.Writer, data any) error
}

var errTooLong = errors.New("writes too much")

func bounding(t template, limit int) part {
	return func(m invite.Mail) (string, error) {
		out := limited{left: limit}
		err := t.Execute(&out, m)
		return out.text.String(), err
	}
}

// limited ends a template that writes too much while it still does.
type limited struct {
	text strings.Builder
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errTooLong
	}
	return l.text.Write(p)
}

// try writes a part for each of the samples. Many mistakes show only then, among them those that
// html/template finds when it looks where a value stands.
func try(p part, samples []invite.Mail, says func(invite.Mail) []string) error {
	for _, sample := range samples {
		text, err := p(sample)
		if err != nil {
			return err
		}
		missing := func(token string) bool { return !strings.Contains(text, token) }
		if strings.TrimSpace(text) == "" || slices.ContainsFunc(says(sample), missing) {
			return errors.New("must write something, and each body the link where there is one: " + string(sample.Kind))
		}
	}
	return nil
}

// tokensIn are the tokens of a mail: its own, if it has one, or those of its batch.
func tokensIn(sample invite.Mail) (tokens []string) {
	for _, one := range sample.Batch {
		tokens = append(tokens, one.Token.Reveal())
	}
	if !sample.Token.IsZero() {
		tokens = append(tokens, sample.Token.Reveal())
	}
	return tokens
}

// samples are a mail of each kind. Their token opens nothing.
func samples() []invite.Mail {
	token, _ := invite.ParseToken(strings.Repeat("A", 43))
	to, _ := tenancy.ParseAddress("bob@acme.example")
	mail := invite.Mail{To: to, Mailing: 1, Inviter: "Alice", ExpiresAt: time.Unix(1<<31, 0).UTC(), Token: token}
	team, conversation, account := mail, mail, mail
	team.Kind, team.Team, team.Role = invite.ToOneTeam, "Sales", rbac.Member
	conversation.Kind, conversation.Team, conversation.Role = invite.ToOneConversation, "Sales", rbac.Restricted
	account.Kind, account.Account = invite.ToOneAccount, "Acme"
	return []invite.Mail{team, conversation, account}
}

// batchSample is a mail of a batch.
func batchSample() invite.Mail {
	sales := samples()[0]
	support := sales
	support.Team = "Support"
	support.Token, _ = invite.ParseToken(strings.Repeat("Q", 42) + "A")
	return invite.Mail{
		To: sales.To, Mailing: sales.Mailing, Kind: sales.Kind, Account: "Acme", Inviter: sales.Inviter,
		ExpiresAt: sales.ExpiresAt, Batch: []invite.Mail{sales, support},
	}
}

// answerSamples are both answers to a request.
func answerSamples() []invite.Mail {
	accepted := invite.Mail{To: samples()[0].To, Kind: invite.ByRequest, Team: "Sales", Role: rbac.Member, Answer: invite.Accepted}
	declined := accepted
	declined.Role, declined.Answer = 0, invite.Declined
	return []invite.Mail{accepted, declined}
}
