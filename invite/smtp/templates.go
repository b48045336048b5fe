package smtp

import (
	"errors"
	htmltemplate "html/template"
	"io"
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
// The mail that answers a request to join has no link, and stays as usher writes it.
//
// Whatever a subject holds, it stays one line without invisible characters.
func WithTemplates(t Templates) Option {
	return func(m *Mailer) error {
		text := func(source string) (template, error) { return texttemplate.New("").Parse(source) }
		page := func(source string) (template, error) { return htmltemplate.New("").Parse(source) }
		for _, p := range []struct {
			name, source string
			parse        func(source string) (template, error)
			limit        int
			part         *part
			says         func(sample invite.Mail) string
		}{
			{"subject template", t.Subject, text, MaxSubject, &m.subject, func(invite.Mail) string { return "" }},
			{"text template", t.Text, text, MaxBody, &m.text, tokenIn},
			{"HTML template", t.HTML, page, MaxBody, &m.html, tokenIn},
		} {
			if p.source == "" {
				continue
			}
			parsed, err := p.parse(p.source)
			if err != nil {
				return &tenancy.InvalidError{Field: p.name, Reason: err.Error()}
			}
			*p.part = bounding(parsed, p.limit)
			if err := try(*p.part, p.says); err != nil {
				return &tenancy.InvalidError{Field: p.name, Reason: err.Error()}
			}
		}
		return nil
	}
}

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

// try writes a part for each kind of invitation. Many mistakes show only then, among them those
// that html/template finds when it looks where a value stands.
func try(p part, says func(invite.Mail) string) error {
	for _, sample := range samples() {
		text, err := p(sample)
		if err != nil {
			return err
		}
		if strings.TrimSpace(text) == "" || !strings.Contains(text, says(sample)) {
			return errors.New("must write something, and each body the link: " + string(sample.Kind))
		}
	}
	return nil
}

func tokenIn(sample invite.Mail) string { return sample.Token.Reveal() }

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
