package smtp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// letter is a mail as it goes over the wire.
type letter struct {
	from, to string
	content  []byte
}

// write renders the mail before anything is connected, so that no server sees half of one.
func (m *Mailer) write(mail invite.Mail) (letter, error) {
	// Who builds a Mail by hand can write anything into To; what comes from a store was parsed.
	to, err := tenancy.ParseAddress(mail.To.Display)
	if err != nil {
		return letter{}, &Error{step: writing, permanent: true, cause: err}
	}
	l := letter{from: routable(m.from), to: routable(to)}
	var content bytes.Buffer
	msg, err := m.message(mail, l)
	if err == nil {
		_, err = msg.WriteTo(&content)
	}
	if err != nil { // which may quote what the mail holds
		return letter{}, &Error{step: writing, permanent: true, cause: errNoMessage}
	}
	l.content = content.Bytes()
	return l, nil
}

func (m *Mailer) message(invitation invite.Mail, l letter) (*gomail.Msg, error) {
	w := m.words
	switch {
	case invitation.Answer != "":
		w = m.answer
	case len(invitation.Batch) > 0:
		w = m.batch
	}
	subject, failed := w.subject(invitation)
	text, textFailed := w.text(invitation)
	page, pageFailed := w.html(invitation)
	if err := errors.Join(failed, textFailed, pageFailed); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&mail.Address{Name: m.name, Address: l.from})
	msg.ToMailAddress(&mail.Address{Address: l.to})
	msg.Subject(header(subject))
	msg.SetDateWithValue(time.Now().UTC())
	msg.SetMessageIDWithValue(messageID(invitation) + "@" + m.from.Domain())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no answer by a machine, please
	msg.SetBodyString(gomail.TypeTextPlain, text)
	msg.AddAlternativeString(gomail.TypeTextHTML, page)
	return msg, nil
}

// plain is a mail as usher writes it.
var plain = words{plainSubject, plainText, plainPage}

func plainSubject(m invite.Mail) (string, error) { return m.Subject(), nil }
func plainText(m invite.Mail) (string, error)    { return m.Text(), nil }
func plainPage(m invite.Mail) (string, error) {
	return "<!DOCTYPE html>\n<html lang=\"en\"><body>\n" + m.HTML() + "</body></html>\n", nil
}

// header takes out what is harmless in a text and not in a header. A run of spaces could be
// folded into a line that has nothing else, which some servers take for the end of the headers.
// And "=?" begins an encoded word, which the reader's program would decode to the very
// characters that no name may have; of a name that is not ASCII the library encodes all of it.
func header(text string) string {
	line := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	return strings.ReplaceAll(oneSpaced(line), "=?", "= ?")
}

func oneSpaced(text string) string { return strings.Join(strings.Fields(text), " ") }

// messageID is another one for each token: a repeated mail carries a new token and kills the old
// one, so a mailbox must not drop it as a copy of the first. It is a hash, since the id of an
// invitation holds the time at which that was made, and a hash of a hash, since that of the token
// is what the database knows it by.
func messageID(mail invite.Mail) string {
	what := fmt.Appendf(nil, "usher invitation %s token %x", mail.Invitation, mail.Token.Hash())
	for _, one := range mail.Batch {
		what = fmt.Appendf(what, " and %s", messageID(one))
	}
	sum := sha256.Sum256(what)
	return hex.EncodeToString(sum[:16])
}

// routable is the display form, with the domain in ASCII if it was not: the same mailbox, in a
// form that needs nothing of the server.
func routable(a tenancy.Address) string {
	if ascii(a.Display) {
		return a.Display
	}
	return a.Display[:strings.LastIndexByte(a.Display, '@')+1] + a.Domain()
}

func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}
