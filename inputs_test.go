package usher_test

import (
	"context"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// rights are what says who somebody is, or whose something is. An operation that changes one of them takes it
// as an argument of its own, and no other does.
var rights = []reflect.Type{
	reflect.TypeFor[rbac.Role](), reflect.TypeFor[tenancy.RoleID](),
	reflect.TypeFor[tenancy.UserStatus](), reflect.TypeFor[tenancy.MembershipStatus](),
	reflect.TypeFor[tenancy.TeamStatus](), reflect.TypeFor[tenancy.AccountStatus](),
	reflect.TypeFor[tenancy.AccountID](), reflect.TypeFor[tenancy.TeamID](), reflect.TypeFor[[]tenancy.TeamID](),
}

// stated are the fields of inputs that say such a thing all the same, and why they may.
var stated = map[string]string{
	"tenancy.Profile.Verified":    "the host's word, which only a System gives",
	"tenancy.Admission.Team":      "only a System admits",
	"tenancy.Admission.Role":      "only a System admits",
	"tenancy.Admission.Custom":    "only a System admits",
	"tenancy.Leftovers.MoveTo":    "the actor must be able to take conversations there",
	"tenancy.Settings.DeliverTo":  "names where conversations may go, and moves none",
	"tenancy.RoleSpec.Base":       "what a new role stands on; an edit to another one is refused",
	"invite.LinkSpec.Role":        "measured by the inviter's own, as in an invitation",
	"invite.TeamRole.Team":        "the actor must be a manager there",
	"invite.TeamRole.Role":        "measured by the actor's own there, as in an invitation",
	"invite.TeamRole.Custom":      "measured by the actor's own there, as in an invitation",
	"conversation.Recipient.Team": "must be on the team's list, and of its account",
}

// B7, C2: no input carries whether an address is verified, a role, a state, or an account or team, but for
// those of which it is told why. So no update sets one of them in passing.
func TestB7_AndC2_InputsCarryNoRights(t *testing.T) {
	seen := map[string]bool{}
	for room, service := range map[string]reflect.Type{
		"tenancy": reflect.TypeFor[*tenancy.Service](), "invite": reflect.TypeFor[*invite.Service](),
		"conversation": reflect.TypeFor[*conversation.Service](),
	} {
		for i := range service.NumMethod() {
			method := service.Method(i)
			takes := method.Type.NumIn() > 3 && method.Type.In(1) == reflect.TypeFor[context.Context]()
			if !takes || steps[room+"."+method.Name] != "" {
				continue
			}
			for in := 3; in < method.Type.NumIn(); in++ {
				for _, field := range carried(method.Type.In(in)) {
					seen[field] = true
					assert.NotEmpty(t, stated[field], "%s.%s takes %s, which must not be set in passing", room, method.Name, field)
				}
			}
		}
	}
	for field := range stated {
		assert.True(t, seen[field], "%s is in no input", field)
	}
}

// F2: nothing is sorted by a token, nor found by a part of one: what is kept of it is compared as a whole.
func TestF2_NothingIsSortedOrFilteredByASecret(t *testing.T) {
	store, _ := everystore.RecordedSQLite(t)
	secret := regexp.MustCompile(`token_hash`)
	harmless := regexp.MustCompile(`^INSERT .*|SELECT .*? FROM |SET .*? WHERE |i\.token_hash = \?`)
	named := 0
	for _, text := range store.Statements() {
		text = strings.Join(strings.Fields(text), " ")
		if secret.MatchString(text) {
			named++
		}
		assert.NotRegexp(t, secret, harmless.ReplaceAllString(text, ""), text)
	}
	assert.Greater(t, named, 3)
}

func TestInputsThatCarryRightsAreFound(t *testing.T) {
	assert.Empty(t, carried(reflect.TypeFor[tenancy.Page]()))
	assert.Contains(t, carried(reflect.TypeFor[tenancy.User]()), "tenancy.User.Status")
	assert.Contains(t, carried(reflect.TypeFor[tenancy.Profile]()), "tenancy.Profile.Verified")
	assert.Contains(t, carried(reflect.TypeFor[*tenancy.TeamOfUser]()), "tenancy.TeamOfUser.Team.Account")
	assert.Contains(t, carried(reflect.TypeFor[[]tenancy.Member]()), "tenancy.Member.Membership.Role")
}

// carried are the fields that a caller can fill and that say who somebody is.
func carried(input reflect.Type) []string {
	for input.Kind() == reflect.Pointer || input.Kind() == reflect.Slice {
		input = input.Elem()
	}
	found := []string{}
	if input.Kind() != reflect.Struct {
		return found
	}
	for i := range input.NumField() {
		field := input.Field(i)
		name := input.String() + "." + field.Name
		switch {
		case !field.IsExported():
		case slices.Contains(rights, field.Type), field.Name == "Verified", field.Name == "VerifiedAt":
			found = append(found, name)
		default:
			for _, inner := range carried(field.Type) {
				found = append(found, name+inner[len(typeName(field.Type)):])
			}
		}
	}
	return found
}

// typeName is the name with which the fields of a type begin.
func typeName(of reflect.Type) string {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	return of.String()
}
