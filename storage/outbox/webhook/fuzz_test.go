package webhook_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/usher-go/usher/storage/outbox/webhook"
)

// Whatever comes, only what was signed verifies, and nothing panics.
func FuzzVerify(f *testing.F) {
	f.Add(vectorID, "1614265330", vectorSignature, []byte(vectorBody))
	f.Add("a.b", "-9223372036854775808", "v1,"+vectorSignature+" v1,", []byte(nil))
	f.Add("", "99999999999999999999", "v1", []byte("x"))
	f.Add(vectorID, "1614265330", vectorSignature+" "+vectorSignature, []byte(vectorBody+" "))
	known := secret(f, vectorSecret)
	sent := time.Unix(vectorTime, 0)
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		header := http.Header{
			webhook.HeaderID: {id}, webhook.HeaderTimestamp: {timestamp}, webhook.HeaderSignature: {signature},
		}
		genuine := id == vectorID && timestamp == "1614265330" && string(body) == vectorBody
		err := webhook.Verify(header, body, sent, webhook.Tolerance, known)
		if !genuine {
			assert.Error(t, err, "this was never signed")
		}
		assert.Error(t, webhook.Verify(header, body, sent, webhook.Tolerance))

		// And what is signed verifies, if the id is one that can be.
		header.Set(webhook.HeaderTimestamp, "1614265330")
		header.Set(webhook.HeaderSignature, known.Sign(id, sent, body))
		err = webhook.Verify(header, body, sent, webhook.Tolerance, known)
		assert.Equal(t, id != "" && !strings.Contains(id, "."), err == nil)
	})
}
