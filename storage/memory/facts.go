package memory

import "github.com/usher-go/usher/tenancy"

// What a check rests on beside the membership: a few words of the account, the team and the user. They
// are copies, apart from the rows and written with them. A check comes by all three, each request asks
// one, and among a million members the next is anybody: of facts that lie side by side far more are in a
// cache than of rows that take several lines of it each.
type (
	accountFacts struct {
		id     tenancy.AccountID
		status tenancy.AccountStatus
	}
	teamFacts struct {
		status   tenancy.TeamStatus
		capacity int
	}
	userFacts struct {
		status    tenancy.UserStatus
		autoclaim bool
	}
)

func accountFactsOf(a tenancy.Account) accountFacts { return accountFacts{a.ID, a.Status} }

func teamFactsOf(t tenancy.Team) teamFacts { return teamFacts{t.Status, t.Settings.Capacity} }

func userFactsOf(u tenancy.User) userFacts { return userFacts{u.Status, u.Autoclaim} }
