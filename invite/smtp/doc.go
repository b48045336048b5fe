// Package smtp mails invitations through a mail server: an [invite.Mailer] to hand to
// usher.WithMailer. It is a package of its own so that only those who use it compile a mail
// library.
//
//	mailer, err := smtp.New("mail.acme.example", "hiring@acme.example",
//		smtp.WithName("Acme Hiring"), smtp.WithAuth("hiring", password))
//
// Each mail has a text and an HTML part, is built from [invite.Mail] alone and goes to one person
// over a connection of its own. The server is trusted only as far as its certificate: TLS is
// mandatory (STARTTLS, or from the first byte with [WithImplicitTLS]) and always verified, with
// TLS 1.2 as the oldest version; only a server on the same machine may do without. The whole talk
// is bounded by a time limit, and ends with the context.
//
// Internationalised domains work with every server, since they are sent in their ASCII form. An
// address that is not ASCII before the @ needs a server that offers SMTPUTF8.
//
// # Secrets
//
// The mailer logs nothing and starts nothing. Its errors hold what was tried, and the server's
// reply as numbers only: the text of a reply is dropped, since servers like to quote what they
// refuse, and what they refuse holds the token. Neither the mailer nor its errors hold the
// address of the invited person.
//
// # What it does not do
//
// It does not try again: the relay does, with a new token. It does not learn of bounces, which
// come by mail to the from address. It does not sign (DKIM) or look up the recipient's mail
// server; both are the work of the server that it hands mail to. It does not track: there is no
// image and no link but the invitation's own, unless the host's templates put one there. It does not
// do OAuth. The text of the mail is that of [invite.Mail], in English, or the host's own; see
// [WithTemplates], [WithBatchTemplates] and [WithAnswerTemplates].
package smtp
