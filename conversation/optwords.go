package conversation

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/usher-go/usher/tenancy"
)

// OptWords are the messages by which contacts opt out and in. A message counts only as a whole: with
// case, spacing around it and the punctuation at its end set aside, it is one of these. "Stop all!"
// is; "please stop all messages" is not, and is for a person to read.
type OptWords struct{ Stop, Start []string }

// What a message says about opt-outs.
type optWord int

const (
	nothing optWord = iota
	stop
	start
)

// optWords are the built-in words by language. All of them hold at once: a contact does not know
// which languages a team has set, and a word too many is undone by the next one. The English words
// are those that the CTIA Messaging Principles ask senders to honour; words that people also use to
// answer a question, such as "yes" or "end" alone in other languages, are left out.
var optWords = map[string]OptWords{
	"en": {
		Stop: []string{
			"stop", "stop all", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "opt out", "opt-out", "optout",
			"stop messages", "stop texting me",
		},
		Start: []string{"start", "unstop", "subscribe", "opt in", "opt-in", "optin"},
	},
	"de": {Stop: []string{"stopp", "abmelden", "abbestellen", "austragen"}, Start: []string{"anmelden", "starten"}},
	"es": {Stop: []string{"alto", "parar", "baja", "cancelar", "detener"}, Start: []string{"alta", "iniciar", "empezar"}},
	"fr": {Stop: []string{"arrêt", "arret", "arrêter", "arreter", "désabonner", "desabonner"}, Start: []string{"démarrer", "demarrer", "réabonner"}},
	"it": {Stop: []string{"ferma", "annulla", "disiscrivimi"}, Start: []string{"inizia", "iscrivimi"}},
	"nl": {Stop: []string{"stoppen", "afmelden", "uitschrijven"}, Start: []string{"aanmelden", "starten"}},
	"pl": {Stop: []string{"rezygnuję", "rezygnuje", "wypisz"}, Start: []string{"zapisz"}},
	"pt": {Stop: []string{"pare", "sair", "descadastrar"}, Start: []string{"iniciar", "inscrever"}},
}

// Limits of the words that a host adds.
const (
	MaxOptWords = 200 // in each list
	MaxOptWord  = 50  // bytes
)

// lexicon finds what a message says, by its folded form.
type lexicon map[string]optWord

// newLexicon is the built-in words and the host's own. A word that says both is refused.
func newLexicon(own OptWords) (lexicon, error) {
	words := lexicon{}
	for _, list := range optWords {
		words.add(list.Stop, stop)
		words.add(list.Start, start)
	}
	for _, list := range [][]string{own.Stop, own.Start} {
		if len(list) > MaxOptWords {
			return nil, &tenancy.InvalidError{Field: "opt-out words", Reason: fmt.Sprintf("must be at most %d in each list", MaxOptWords)}
		}
		for _, word := range list {
			if len(word) > MaxOptWord || folded(word) == "" {
				return nil, &tenancy.InvalidError{Field: "opt-out word", Reason: fmt.Sprintf("must have 1 to %d bytes and something to read", MaxOptWord)}
			}
		}
	}
	if word := words.add(own.Stop, stop) + words.add(own.Start, start); word != "" {
		return nil, &tenancy.InvalidError{Field: "opt-out word", Reason: fmt.Sprintf("%q must say either stop or start", word)}
	}
	return words, nil
}

// add answers a word that is known with the other meaning, if there is one.
func (l lexicon) add(words []string, meaning optWord) (contrary string) {
	for _, word := range words {
		key := folded(word)
		if known := l[key]; known != nothing && known != meaning {
			return word
		}
		l[key] = meaning
	}
	return ""
}

// said is what a whole message says. A message longer than any word is not looked at.
func (l lexicon) said(text string) optWord {
	if len(text) > maxOptMessage {
		return nothing
	}
	return l[folded(text)]
}

// maxOptMessage leaves room for spacing and punctuation around a word.
const maxOptMessage = 4 * MaxOptWord

// folded is a message without what does not count: case, compatibility forms, spacing and the
// punctuation at its end.
func folded(text string) string {
	words := strings.Fields(cases.Fold().String(norm.NFKC.String(text)))
	return strings.TrimRightFunc(strings.Join(words, " "), func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSpace(r) })
}
