package rbac

import (
	"errors"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
)

// decide answers one cell of the table by the policy's rows. It is all that the package wants of
// Casbin, so moving to another version, or another engine, is this file.
type decide func(role, object, action, reach string) (bool, error)

// casbinDecide loads the rows into a fresh enforcer of its own: a plain one, since the cached one joins
// keys and outlives revocation and the synced one leaves many methods unlocked; without an adapter, so
// that it reads no file and saves nothing; with its logger off, which is Casbin's default for a logger
// that is the enforcer's own.
//
// The rows must have passed combine: Casbin takes a row that is too short and fails on every later
// question, takes any word as an effect and then ignores it, and refuses a whole batch for one duplicate.
func casbinDecide(conf string, rows []Row) (decide, error) {
	parsed, err := model.NewModelFromString(conf)
	if err != nil {
		return nil, err
	}
	enforcer, err := casbin.NewEnforcer(parsed)
	if err != nil {
		return nil, err
	}
	var rights, includes [][]string
	for _, row := range rows {
		if row.includes() {
			includes = append(includes, row.fields[1:])
		} else {
			rights = append(rights, row.fields[1:])
		}
	}
	for _, load := range []func() (bool, error){
		func() (bool, error) { return enforcer.AddPolicies(rights) },
		func() (bool, error) { return enforcer.AddGroupingPolicies(includes) },
	} {
		if added, err := load(); err != nil {
			return nil, err
		} else if !added {
			return nil, errors.New("casbin dropped the rows without saying why")
		}
	}
	return func(role, object, action, reach string) (bool, error) {
		return enforcer.Enforce(role, object, action, reach)
	}, nil
}
