package invite

import (
	"fmt"

	"github.com/usher-go/usher/tenancy"
)

// Consent is what a user agrees to by accepting.
type Consent func(*consent)

type consent struct{ terms string }

// Terms says that the user agrees to this version of the terms: the host has shown them the text.
// The version must be the one that the team asks for now, see [tenancy.Settings]. Where the team
// asks for none it says nothing, and is not kept.
func Terms(version string) Consent { return func(c *consent) { c.terms = version } }

func agreed(consents []Consent) consent {
	var c consent
	for _, say := range consents {
		say(&c)
	}
	return c
}

// TermsError says which version of the terms the user has to agree to: show it to them, and accept
// again with [Terms]. It is [tenancy.ErrConflict].
type TermsError struct {
	Needed string
}

func (e *TermsError) Error() string {
	return fmt.Sprintf("conflict: accepting needs the user's consent to version %s of the terms", e.Needed)
}

// Is makes errors.Is(err, tenancy.ErrConflict) true.
func (e *TermsError) Is(target error) bool { return target == tenancy.ErrConflict }

// to answers the version that the team asks for, if the user has agreed to it.
func (c consent) to(team tenancy.Team) (string, error) {
	if needed := team.Settings.Terms; needed != c.terms && needed != "" {
		return "", &TermsError{Needed: needed}
	}
	return team.Settings.Terms, nil
}
