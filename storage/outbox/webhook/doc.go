// Package webhook posts events to an HTTP endpoint, signed as the Standard Webhooks specification
// 1.0.0 says (https://www.standardwebhooks.com), and verifies such posts for whoever receives
// them.
//
// Each event is one POST of its JSON form ([outbox.Event]) with three headers:
//
//	webhook-id         the event's id: the same however often it is sent, so a receiver knows repeats
//	webhook-timestamp  when this attempt was made, in seconds since 1970
//	webhook-signature  for each secret "v1," and the base64 of HMAC-SHA256(secret, id.timestamp.body)
//
// The endpoint is part of the host's configuration and is trusted: it may lead into a private
// network, and nothing here stops it. A host that lets its customers enter addresses must send
// through a proxy that refuses private ones ([WithClient]), as the specification advises.
package webhook
