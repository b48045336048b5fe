package webhook_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox/webhook"
)

func TestSecretsAreRead(t *testing.T) {
	of := func(size int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, size)) }
	for _, text := range []string{vectorSecret, of(24), of(25), of(26), of(64), webhook.GenerateSecret()} {
		_, err := webhook.ParseSecret(text)
		require.NoError(t, err, text)
	}
	for _, text := range []string{
		"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "WHSEC_" + vectorSecret[6:], " " + vectorSecret, vectorSecret + "\n",
		"whsec_MfKQ9r8GKYqr\nTwjUPD8ILPZIo2LaLaSw", of(23), of(65), of(0), of(1 << 20), "whsec_not base64 at all, but quite long",
		strings.TrimRight(of(25), "="), of(25)[:len(of(25))-3] + "B==", "whsk_" + vectorSecret[6:], "whsec_" + vectorSecret,
	} {
		s, err := webhook.ParseSecret(text)
		require.Error(t, err, text)
		assert.True(t, s.IsZero())
		assert.NotContains(t, err.Error(), "MfKQ")
	}
	one, other := webhook.GenerateSecret(), webhook.GenerateSecret()
	assert.NotEqual(t, one, other)
	assert.Empty(t, webhook.Secret{}.Sign("a", time.Unix(0, 0), nil))
}

// TestF12SecretsAreNotShown: THREATS F12, for what a host may print.
func TestF12SecretsAreNotShown(t *testing.T) {
	s := secret(t, vectorSecret)
	hook, err := webhook.New("https://a.example/", []webhook.Secret{s})
	require.NoError(t, err)
	type config struct {
		Secret  webhook.Secret
		private webhook.Secret
		sink    *webhook.Sink
	}
	key, err := base64.StdEncoding.DecodeString(vectorSecret[6:])
	require.NoError(t, err)
	hidden := []string{vectorSecret[6:], string(key), fmt.Sprintf("%x", key), strings.Trim(fmt.Sprint(key), "[]")}
	var shown []string
	for _, v := range []any{s, &s, []webhook.Secret{s}, hook, *hook, config{s, s, hook}, &config{s, s, hook}, map[string]any{"a": config{s, s, hook}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p"} {
			shown = append(shown, fmt.Sprintf(verb, v))
		}
		if encoded, err := json.Marshal(v); err == nil {
			shown = append(shown, string(encoded))
		}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("a", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("a", "v", v)
		shown = append(shown, log.String())
	}
	encoded, err := xml.Marshal(s)
	require.NoError(t, err)
	shown = append(shown, string(encoded), s.String())
	for _, text := range shown {
		for _, word := range hidden {
			assert.NotContains(t, text, word)
		}
	}
}
