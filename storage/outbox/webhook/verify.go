package webhook

import (
	"crypto/hmac"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of the specification.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// Tolerance is the usual difference between the clocks of sender and receiver, and so the time
// in which a post that somebody overheard could be sent again.
const Tolerance = 5 * time.Minute

var (
	// ErrSignature says that a post is not signed with any of the secrets, or that its headers
	// are missing or malformed.
	ErrSignature = errors.New("webhook: no signature of this request fits")
	// ErrTimestamp says that a post is signed, but was sent too long ago or in the future.
	ErrTimestamp = errors.New("webhook: the request was not sent just now")
)

// Verify answers nil if the post was signed with one of the secrets and its timestamp differs
// from now by no more than the tolerance. The body must be the very bytes that were received, not
// JSON that was parsed and written again. Signatures are compared in constant time; those of other
// schemes than v1 are passed over.
//
// A receiver refuses what does not verify with 401 or 400, answers 2xx to repeats of a webhook-id
// that it has handled ([outbox.Inbox] can tell), and limits how much of a body it reads.
func Verify(header http.Header, body []byte, now time.Time, tolerance time.Duration, secrets ...Secret) error {
	id, timestamp := header.Get(HeaderID), header.Get(HeaderTimestamp)
	// The signed text is joined with dots: an id with a dot could move the joints.
	if id == "" || strings.Contains(id, ".") {
		return ErrSignature
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return ErrSignature
	}
	if !signed(strings.Fields(header.Get(HeaderSignature)), id, timestamp, body, secrets) {
		return ErrSignature
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return ErrTimestamp
	}
	return nil
}

func signed(given []string, id, timestamp string, body []byte, secrets []Secret) bool {
	for _, secret := range secrets {
		want := secret.sign(id, timestamp, body)
		for _, signature := range given {
			if want != "" && hmac.Equal([]byte(signature), []byte(want)) {
				return true
			}
		}
	}
	return false
}
