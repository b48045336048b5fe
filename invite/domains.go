package invite

import (
	"fmt"
	"strings"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// DomainError says that the team's settings do not let the address be invited, and which domains
// they allow. It is [rbac.ErrDenied].
type DomainError struct {
	Domain  string
	Allowed []string
}

func (e *DomainError) Error() string {
	return fmt.Sprintf("denied: addresses at %s cannot be invited here; allowed are those at %s", e.Domain, strings.Join(e.Allowed, ", "))
}

// Is makes errors.Is(err, rbac.ErrDenied) true.
func (e *DomainError) Is(target error) bool { return target == rbac.ErrDenied }

// invitable answers a [*DomainError] if the team does not let the address be invited. It is asked
// whenever an invitation is made, sent again and accepted. An offer of an account has no team, and
// is for whomever its holder chooses.
func invitable(team tenancy.Team, address tenancy.Address) error {
	if team.Settings.Invitable(address) {
		return nil
	}
	return &DomainError{Domain: address.Domain(), Allowed: team.Settings.InviteDomains}
}
