package smtp_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/invite/smtp"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

var german = smtp.Templates{
	Subject: `Einladung von {{.Inviter}}{{if .Team}} ({{.Team}}){{end}}`,
	Text:    `{{if eq .Kind "account"}}Konto {{.Account}}{{else}}Team {{.Team}} als {{.Role}}{{end}}, bis {{.ExpiresAt.Format "02.01.2006"}}: {{.Link}}` + "\n",
	HTML:    `<!DOCTYPE html><p title="{{.Inviter}}">{{.Team}}{{.Account}}</p><script>var who = {{.Inviter}};</script><a href="{{.Link}}">Antworten</a>` + "\n",
}

func TestTemplates(t *testing.T) {
	s := serve(t)
	m := invitation(t)
	require.NoError(t, mailer(t, s, smtp.WithTemplates(german)).Send(t.Context(), m))
	headers, parts := read(t, only(t, s).content)
	assert.Equal(t, "Einladung von "+m.Inviter+" (Sales)", decoded(t, headers.Get("Subject")))
	assert.Equal(t, "Team Sales als member, bis 09.01.2030: "+m.Link()+"\n", parts["text/plain; charset=UTF-8"])
	assert.Contains(t, parts["text/html; charset=UTF-8"], `<a href="`+m.Link()+`">Antworten</a>`)
}

func TestATemplateOfOnePartLeavesTheOthers(t *testing.T) {
	s := serve(t)
	m := invitation(t)
	require.NoError(t, mailer(t, s, smtp.WithTemplates(smtp.Templates{Text: "Hier: {{.Link}}\n"})).Send(t.Context(), m))
	headers, parts := read(t, only(t, s).content)
	assert.Equal(t, m.Subject(), decoded(t, headers.Get("Subject")))
	assert.Equal(t, "Hier: "+m.Link()+"\n", parts["text/plain; charset=UTF-8"])
	assert.Contains(t, parts["text/html; charset=UTF-8"], m.HTML())
}

// A18: a name breaks out of no header, no attribute and no script, also where it did not come in
// through tenancy.Name.
func TestA18NamesCannotBreakOutOfATemplate(t *testing.T) {
	s := serve(t)
	m := invitation(t)
	m.Inviter = "Al\r\nBcc: eve@evil.example\r\n\r\n\"'</script><script>alert(1)</script>\u202e\u200b=?utf-8?q?=0D=0A?="
	m.Team = m.Inviter
	require.NoError(t, mailer(t, s, smtp.WithTemplates(german)).Send(t.Context(), m))
	headers, parts := read(t, only(t, s).content)
	assert.Empty(t, headers.Get("Bcc"))
	for _, values := range headers {
		assert.Len(t, values, 1)
	}
	for _, bad := range []string{"\r", "\n", "\u202e", "\u200b"} {
		assert.NotContains(t, decoded(t, headers.Get("Subject")), bad)
	}
	page := parts["text/html; charset=UTF-8"]
	assert.Equal(t, 1, strings.Count(page, "<script>"), page)
	assert.Equal(t, 1, strings.Count(page, "</script>"), page)
	before, script, _ := strings.Cut(page, "<script>")
	_, after, _ := strings.Cut(script, "</script>")
	assert.Equal(t, 4, strings.Count(before+after, `"`), "the quotes of two attributes: %s", page)
}

// All that can be wrong with a template is told before the first mail.
func TestTemplatesThatAreRefused(t *testing.T) {
	for name, bad := range map[string]smtp.Templates{
		"text: syntax":                {Text: "{{.Link"},
		"text: no such field":         {Text: "{{.Link}} {{.Password}}"},
		"text: in one kind alone":     {Text: `{{.Link}}{{if eq .Kind "account"}}{{.Password}}{{end}}`},
		"text: no link":               {Text: "Hello {{.Inviter}}"},
		"text: no link in one kind":   {Text: `{{if ne .Kind "conversation"}}{{.Link}}{{end}} Hello`},
		"text: too long":              {Text: "{{.Link}}" + strings.Repeat("x", smtp.MaxBody)},
		"HTML: syntax":                {HTML: "{{if}}"},
		"HTML: a value without place": {HTML: `<a href="{{.Link}}">x</a><script>var a = "{{if .Team}}</script>{{end}}`},
		"HTML: no link":               {HTML: "<p>Hello</p>"},
		"HTML: too long":              {HTML: "{{.Link}}" + strings.Repeat("x", smtp.MaxBody)},
		"subject: syntax":             {Subject: "{{end}}"},
		"subject: empty":              {Subject: `{{if eq .Kind "team"}}Hello{{end}}`},
		"subject: too long":           {Subject: strings.Repeat("x", smtp.MaxSubject+1)},
	} {
		_, err := smtp.New("mail.acme.example", from, smtp.WithTemplates(bad))
		require.ErrorIs(t, err, tenancy.ErrInvalid, name)
		part, _, _ := strings.Cut(name, ":")
		assert.ErrorContains(t, err, part+" template", name)
	}
	_, err := smtp.New("mail.acme.example", from, smtp.WithTemplates(smtp.Templates{}))
	assert.NoError(t, err)
}

// What a template makes of one mail alone shows when that is sent. The error holds nothing of it.
func TestATemplateThatFailsOnOneMail(t *testing.T) {
	s := serve(t)
	m := invitation(t)
	m.Team = strings.Repeat("x", smtp.MaxSubject+1)
	err := mailer(t, s, smtp.WithTemplates(smtp.Templates{Subject: "To {{.Team}}{{.Account}}"})).Send(t.Context(), m)
	var failed *smtp.Error
	require.ErrorAs(t, err, &failed)
	assert.True(t, failed.Permanent())
	assert.NotContains(t, err.Error(), "x")
	assert.Empty(t, s.mails())
}

// Each kind of invitation has words of its own, without templates and with them.
func TestEachKindOfMail(t *testing.T) {
	s := serve(t)
	w := ushertest.NewWorld(t).Account("Acme").Team("Sales", ushertest.Manager("alice"))
	conversation := w.Receive("Sales", "visitor", "Hi!")
	for _, r := range []invite.Request{invite.ToTeam("bob@bob.example", rbac.Member), invite.ToConversation("gina@gina.example", conversation.ID)} {
		_, err := w.Invites.Create(t.Context(), w.Actor("alice", "Sales"), r)
		require.NoError(t, err)
	}
	_, err := w.Invites.Offer(t.Context(), w.Holder("Acme"), "dora@dora.example")
	require.NoError(t, err)
	w.Post()
	for address, says := range map[string][2]string{
		"bob@bob.example":   {"invites you to join the team Sales as member.", "Team Sales als member"},
		"gina@gina.example": {"of Sales invites you to take part in a conversation.", "Team Sales als restricted"},
		"dora@dora.example": {"asks you to become the holder of the account Acme", "Konto Acme"},
	} {
		for i, sender := range []*smtp.Mailer{mailer(t, s), mailer(t, s, smtp.WithTemplates(german))} {
			require.NoError(t, sender.Send(t.Context(), w.Mail.Last(address)))
			mails := s.mails()
			_, parts := read(t, mails[len(mails)-1].content)
			assert.Contains(t, parts["text/plain; charset=UTF-8"], says[i])
		}
	}
}

var germanBatch = smtp.Templates{
	Subject: `{{.Inviter}}: {{len .Batch}} Teams`,
	Text:    `{{.Account}}: {{range .Batch}}{{.Team}} als {{.Role}}: {{.Link}}` + "\n" + `{{end}}`,
	HTML:    `<!DOCTYPE html>{{range .Batch}}<a href="{{.Link}}">{{.Team}}</a>{{end}}` + "\n",
}

// A batch is one mail with all the links, in the host's own words if it has some for it.
func TestTheMailOfABatch(t *testing.T) {
	m := invitation(t)
	second := invitation(t)
	second.Team = "Support"
	batch := invite.Mail{To: m.To, Kind: m.Kind, Inviter: m.Inviter, Account: "Acme", ExpiresAt: m.ExpiresAt, Batch: []invite.Mail{m, second}}
	ids := map[string]bool{}
	for _, options := range [][]smtp.Option{{smtp.WithTemplates(german)}, {smtp.WithBatchTemplates(germanBatch)}} {
		s := serve(t)
		require.NoError(t, mailer(t, s, options...).Send(t.Context(), batch))
		headers, parts := read(t, only(t, s).content)
		ids[headers.Get("Message-ID")] = true
		for _, one := range batch.Batch {
			assert.Contains(t, parts["text/plain; charset=UTF-8"], one.Link())
			assert.Contains(t, parts["text/html; charset=UTF-8"], one.Link())
		}
		if len(ids) == 1 {
			assert.Contains(t, parts["text/html; charset=UTF-8"], batch.HTML(), "the words for one mail are not those for several")
			batch.Batch = []invite.Mail{second, m}
		} else {
			assert.Equal(t, m.Inviter+": 2 Teams", decoded(t, headers.Get("Subject")))
		}
	}
	assert.Len(t, ids, 2, "another mail has another id")
	_, err := smtp.New("mail.acme.example:587", "usher@acme.example", smtp.WithBatchTemplates(smtp.Templates{Text: `{{(index .Batch 0).Link}}`}))
	require.ErrorIs(t, err, tenancy.ErrInvalid, "a body without one of the links")
}

var germanAnswer = smtp.Templates{
	Subject: `{{.Team}}: {{if eq .Answer "accepted"}}ja{{else}}nein{{end}}`,
	Text:    `{{if eq .Answer "accepted"}}Willkommen in {{.Team}}, als {{.Role}}.{{else}}{{.Team}} hat abgelehnt.{{end}}` + "\n",
	HTML:    `<!DOCTYPE html><p title="{{.Team}}">{{.Answer}}</p>` + "\n",
}

// The answers to requests have words of their own, which are not those of the invitations.
func TestTheMailsThatAnswerRequests(t *testing.T) {
	to := invitation(t).To
	accepted := invite.Mail{To: to, Kind: invite.ByRequest, Team: `S"ales <b>`, Role: rbac.Manager, Answer: invite.Accepted}
	declined := invite.Mail{To: to, Kind: invite.ByRequest, Team: "Sales", Answer: invite.Declined}
	for m, says := range map[*invite.Mail][3]string{
		&accepted: {`S"ales <b>: ja`, `Willkommen in S"ales <b>, als manager.`, `<p title="S&#34;ales &lt;b&gt;">accepted</p>`},
		&declined: {"Sales: nein", "Sales hat abgelehnt.", `<p title="Sales">declined</p>`},
	} {
		s := serve(t)
		require.NoError(t, mailer(t, s, smtp.WithTemplates(german), smtp.WithAnswerTemplates(germanAnswer)).Send(t.Context(), *m))
		headers, parts := read(t, only(t, s).content)
		assert.Equal(t, says[0], decoded(t, headers.Get("Subject")))
		assert.Equal(t, says[1]+"\n", parts["text/plain; charset=UTF-8"])
		assert.Contains(t, parts["text/html; charset=UTF-8"], says[2])

		s = serve(t)
		require.NoError(t, mailer(t, s, smtp.WithTemplates(german)).Send(t.Context(), *m))
		headers, parts = read(t, only(t, s).content)
		assert.Equal(t, m.Subject(), decoded(t, headers.Get("Subject")))
		assert.Equal(t, m.Text(), parts["text/plain; charset=UTF-8"])
		assert.Contains(t, parts["text/html; charset=UTF-8"], m.HTML())
	}
	for name, bad := range map[string]smtp.Templates{
		"no such field":      {Text: "{{.Password}}"},
		"in one answer":      {Text: `Hello{{if eq .Answer "declined"}}{{.Password}}{{end}}`},
		"nothing in one":     {Subject: `{{if eq .Answer "accepted"}}Hello{{end}}`},
		"HTML without place": {HTML: `<a href="x{{if .Team}}">x</a><script>var a = "{{end}}`},
	} {
		_, err := smtp.New("mail.acme.example", from, smtp.WithAnswerTemplates(bad))
		require.ErrorIs(t, err, tenancy.ErrInvalid, name)
	}
}
