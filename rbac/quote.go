package rbac

import "strconv"

// quote shows foreign text in an error: at most 80 bytes of it, in ASCII, so that invisible and control
// characters are seen and cannot act.
func quote(text string) string {
	const most = 80
	if len(text) > most {
		return strconv.QuoteToASCII(text[:most]) + "…"
	}
	return strconv.QuoteToASCII(text)
}
