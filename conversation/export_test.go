package conversation

import "github.com/usher-go/usher/rbac"

// ParseWhen is what the tests of snoozes ask directly.
var ParseWhen = parseWhen

// Verb is what the tests and the docs of commands ask of the table of them.
type Verb struct {
	Name       string
	Permission rbac.Permission
	WhenClosed bool
	Calls      string
	Offers     []string
	Explained  string
	Usage      string
	Help       string
}

// Vocabulary is usher's own commands.
func Vocabulary() []Verb {
	all := make([]Verb, len(vocabulary))
	for i, v := range vocabulary {
		all[i] = Verb{v.Name, v.takes.permission, v.takes.whenClosed, v.calls, nil, v.Explain(), v.Usage(), v.Help}
		for param := range v.offers {
			all[i].Offers = append(all[i].Offers, param)
		}
	}
	return all
}
