package tenancy

import (
	"time"

	"github.com/usher-go/usher/rbac"
)

// CustomRole is a role that an account has made for itself: a set of permissions on top of one
// of the built-in roles. It holds in all of the account's teams in which somebody has it.
type CustomRole struct {
	ID      RoleID
	Account AccountID
	Name    string
	// NameKey is what names are compared by; a store keeps it unique within the account.
	NameKey string
	// Base is Member or Restricted.
	Base rbac.Role
	// Permissions are the names of what the role may do beyond its base, in their order.
	Permissions []string
	// Manages says that the last-manager rule counts it: it holds "member: change role".
	Manages   bool
	CreatedAt time.Time
	Version   int64
}
