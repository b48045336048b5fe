package invite

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"strings"
	"time"
	"unicode"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Mailer sends the mails of invitations: the host's mail service. It is called outside every
// transaction; an error makes the relay come again later, with a new token.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// Mail is one mail to build: the data to render, and a plain rendering of it for hosts that have
// none of their own. It carries a secret, the token. Printing or encoding a Mail does not show
// it; Link, Text and HTML do.
type Mail struct {
	// To is the invited address; mail goes to its Display form.
	To tenancy.Address
	// Invitation and Mailing together name the mail: a repeated one has the same, with another
	// token.
	Invitation tenancy.InvitationID
	Mailing    int
	Kind       Kind
	Role       rbac.Role `json:",omitzero"`
	// Custom is the name of the custom role on top of Role, if there is one; it is like the other names.
	Custom string `json:",omitempty"`
	// Account is set for an offer of an account and for a batch, and Team for any other. They and Inviter are names for people to read, on one line and without invisible
	// characters. They are not escaped.
	Account   string
	Team      string
	Inviter   string
	ExpiresAt time.Time
	Token     Token
	// Answer is Accepted or Declined in the mail that answers a request to join, which has no Token,
	// Link, Inviter and ExpiresAt; it is empty in any other.
	Answer State `json:",omitempty"`
	// Batch are the mails that this one stands for, one for each team, where somebody was invited into
	// several at once; see [Service.Batch]. Each has its Team, Role, Token and Link. This one has none
	// of them then.
	Batch []Mail `json:",omitempty"`

	base LinkBase
}

// Link is where the invited person goes to answer. It holds the token. It is empty where there is
// nothing to answer.
func (m Mail) Link() string {
	if m.Token.IsZero() {
		return ""
	}
	return m.base.Link(m.Token)
}

// Subject is a subject line, safe as the value of a header.
func (m Mail) Subject() string {
	if len(m.Batch) > 0 {
		return fmt.Sprintf("%s invites you to %d teams of %s", oneLine(m.Inviter), len(m.Batch), oneLine(m.Account))
	}
	switch m.Kind {
	case ByRequest:
		if m.Answer == Accepted {
			return "You are in the team " + oneLine(m.Team)
		}
		return "Your request to join " + oneLine(m.Team) + " was declined"
	case ToOneAccount:
		return oneLine(m.Inviter) + " offers you the account " + oneLine(m.Account)
	case ToOneConversation:
		return oneLine(m.Inviter) + " invites you to a conversation with " + oneLine(m.Team)
	default:
		return oneLine(m.Inviter) + " invites you to " + oneLine(m.Team)
	}
}

// Text is the mail as plain text, with the link.
func (m Mail) Text() string {
	if m.Answer != "" {
		return m.offer() + "\n"
	}
	if len(m.Batch) > 0 {
		var links strings.Builder
		for _, one := range m.Batch {
			fmt.Fprintf(&links, "%s, as %s:\n\n    %s\n\n", oneLine(one.Team), one.role(), one.Link())
		}
		return fmt.Sprintf("%s\n\n%s%s\n", m.offer(), links.String(), m.terms())
	}
	return fmt.Sprintf("%s\n\n    %s\n\n%s\n", m.offer(), m.Link(), m.terms())
}

// HTML is the mail as an HTML fragment, with the link. Names are escaped.
func (m Mail) HTML() string {
	if m.Answer != "" {
		return fmt.Sprintf("<p>%s</p>\n", html.EscapeString(m.offer()))
	}
	if len(m.Batch) > 0 {
		var links strings.Builder
		for _, one := range m.Batch {
			fmt.Fprintf(&links, "<li>%s, as %s: <a href=\"%s\" rel=\"noreferrer\">Answer the invitation</a></li>\n",
				html.EscapeString(oneLine(one.Team)), html.EscapeString(one.role()), html.EscapeString(one.Link()))
		}
		return fmt.Sprintf("<p>%s</p>\n<ul>\n%s</ul>\n<p>%s</p>\n",
			html.EscapeString(m.offer()), links.String(), html.EscapeString(m.terms()))
	}
	return fmt.Sprintf("<p>%s</p>\n<p><a href=\"%s\" rel=\"noreferrer\">Answer the invitation</a></p>\n<p>%s</p>\n",
		html.EscapeString(m.offer()), html.EscapeString(m.Link()), html.EscapeString(m.terms()))
}

// role is the role for people to read.
func (m Mail) role() string { return cmp.Or(oneLine(m.Custom), m.Role.String()) }

func (m Mail) offer() string {
	if len(m.Batch) > 0 {
		return fmt.Sprintf("%s invites you to join %d teams of %s. You answer for each by its own link.",
			oneLine(m.Inviter), len(m.Batch), oneLine(m.Account))
	}
	switch m.Kind {
	case ByRequest:
		if m.Answer == Accepted {
			return fmt.Sprintf("Your request to join the team %s was accepted. You are in it as %s.", oneLine(m.Team), m.Role)
		}
		return fmt.Sprintf("Your request to join the team %s was declined.", oneLine(m.Team))
	case ToOneAccount:
		return fmt.Sprintf("%s asks you to become the holder of the account %s, and to be responsible for it from then on.",
			oneLine(m.Inviter), oneLine(m.Account))
	case ToOneConversation:
		return fmt.Sprintf("%s of %s invites you to take part in a conversation.", oneLine(m.Inviter), oneLine(m.Team))
	default:
		return fmt.Sprintf("%s invites you to join the team %s as %s.", oneLine(m.Inviter), oneLine(m.Team), m.role())
	}
}

func (m Mail) terms() string {
	return fmt.Sprintf("The invitation is for %s, until %s. If you did not expect it, ignore this mail.",
		m.To, m.ExpiresAt.UTC().Format("2 January 2006, 15:04 MST"))
}

// oneLine takes out what could start another header or turn the direction of the text. Names were
// checked when they came in (tenancy.Name); a name that was written to the database by other
// means was not.
func oneLine(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.C, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, name)
}
