package main

import (
	"errors"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// verdict is how a step turned out: ok, or the class of usher's error. A mark in the story,
// such as !denied, names the one that is expected.
type verdict string

const (
	ok       verdict = "ok"
	denied   verdict = "denied"
	notFound verdict = "not-found"
	conflict verdict = "conflict"
	invalid  verdict = "invalid"
	expired  verdict = "expired"
	limit    verdict = "limit"
	optedOut verdict = "opted-out"
)

// refusals are the classes of usher's errors. What is expired is a conflict too, and so is a contact
// who has opted out, so they are looked at first.
var refusals = []struct {
	verdict verdict
	class   error
}{
	{denied, rbac.ErrDenied},
	{notFound, tenancy.ErrNotFound},
	{expired, tenancy.ErrExpired},
	{limit, tenancy.ErrLimit},
	{optedOut, conversation.ErrOptedOut},
	{conflict, tenancy.ErrConflict},
	{invalid, tenancy.ErrInvalid},
}

// judge tells usher's decisions from failures: an error of no class, such as a broken disk or
// an interrupt, is no verdict but the end of the story.
func judge(err error) (verdict, error) {
	if err == nil {
		return ok, nil
	}
	for _, refusal := range refusals {
		if errors.Is(err, refusal.class) {
			return refusal.verdict, nil
		}
	}
	return "", err
}

// parseMark reads the word after the exclamation mark.
func parseMark(word string) (verdict, bool) {
	if word == string(ok) {
		return ok, true
	}
	for _, refusal := range refusals {
		if word == string(refusal.verdict) {
			return refusal.verdict, true
		}
	}
	return "", false
}
