package tenancy

import (
	"fmt"
	"slices"
	"strings"
)

// publicMail are the domains of mail services where anybody can get an address, so that an address
// there says nothing of whom its owner belongs to. No such list is complete: it keeps a slip of the
// pen from opening a team to everyone, and whoever lets people in by domain still looks at who asks.
var publicMail = strings.Fields(`
	126.com 163.com aol.com fastmail.com free.fr gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net
	googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr hotmail.it icloud.com
	inbox.lv laposte.net libero.it live.co.uk live.com live.de live.fr mac.com mail.com mail.ru
	mailinator.com me.com msn.com naver.com orange.fr outlook.com outlook.de outlook.fr posteo.de
	proton.me protonmail.ch protonmail.com qq.com rediffmail.com seznam.cz sina.com t-online.de
	tuta.com tutanota.com uol.com.br wanadoo.fr web.de yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk
	yahoo.com yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru ymail.com
	zoho.com zohomail.com`)

// OwnDomain answers nil if people can be let in by the domain, in the form of [ParseDomain], and
// otherwise an [*InvalidError]: it belongs to a public mail service.
func OwnDomain(domain string) error {
	if _, public := slices.BinarySearch(publicMail, domain); public {
		return &InvalidError{Field: "domain", Reason: fmt.Sprintf("must not be %s, where anybody can get an address", domain)}
	}
	return nil
}
