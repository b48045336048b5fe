package sqlstore_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// scopeKeys are the tables that hold a team's rows, and the columns that put a row into its
// team: the team's id, or the id of a conversation, which the rooms read in its team first. The
// outbox is the relay's, which serves all teams but one lane at a time.
var scopeKeys = map[string][]string{
	"usher_teams":           {"id"},
	"usher_memberships":     {"team_id"},
	"usher_contacts":        {"team_id"},
	"usher_applications":    {"team_id"},
	"usher_conversations":   {"team_id"},
	"usher_invitations":     {"team_id"},
	"usher_events":          {"team_id"},
	"usher_outbox":          {"lane"},
	"usher_episodes":        {"conversation_id"},
	"usher_messages":        {"conversation_id"},
	"usher_words":           {"team_id"},
	"usher_grants":          {"conversation_id"},
	"usher_read_marks":      {"conversation_id"},
	"usher_skips":           {"conversation_id"},
	"usher_loads":           {"team_id"},
	"usher_deliveries":      {"from_team_id", "to_team_id", "conversation_id", "pending_conversation"},
	"usher_invitation_uses": {"team_id"},
	"usher_join_domains":    {"team_id"},
	"usher_feeds":           {"team_id"},
}

// entries are the only statements on a team's rows that name no team: those which find the
// team, and those of the relay, which serves all teams and answers to nobody in one. Each is a
// beginning of the table and of its condition.
var entries = []struct{ table, condition, why string }{
	{"usher_join_domains", "domain = ? AND status = 'active'", "whoever has an address of the domain may ask the teams that name it"},
	{"usher_memberships", "team_id = team_id AND user_id = ? AND status <> 'removed'", "but for those where they are"},
	{"usher_teams", "live_identity = ?", "a message that comes in finds its team by the identity that it was sent to"},
	{"usher_teams", "account_id = ? AND name_key = ?", "a name is looked up in the account of a team that was read, and the account owns all of its teams"},
	{"usher_teams", "account_id = ? AND live_identity IS NOT NULL", "an account that is closed frees the identities of all of its teams"},
	{"usher_teams", "account_id = ?", "the holder of an account lists its teams, and addresses are looked for in its seats"},
	{"usher_teams", "account_id = id", "the seats of accounts are counted over their teams"},
	{"usher_memberships", "user_id = ? AND status = 'active'", "a user lists their own teams"},
	{"usher_memberships", "user_id = ? AND status <> 'removed'", "the deletion of a user ends all of their memberships"},
	{"usher_invitations", "account_id = ? AND state = 'pending'", "addresses are looked for in the seats of an account"},
	{"usher_invitations", "account_id = id AND state = 'pending'", "and so are its invitations"},
	{"usher_memberships", "id = ? AND account_id = ?", "a role holds in all teams of its account"},
	{"usher_memberships", "role_id = id", "a role that somebody has is not deleted"},
	{"usher_memberships", "status = 'active' AND expires_at <= ?", "the sweep finds what has expired, wherever it is"},
	{"usher_invitations", "token_hash = ?", "whoever has the token has the invitation"},
	{"usher_invitations", "account_id = ? AND () AND email IN ?", "what is on its way to addresses is found, and counted, over the teams of their account"},
	{"usher_invitations", "offered_id = ?", "the holder of an account lists its offers, which have no team"},
	{"usher_invitations", "state = 'pending' AND expires_at <= ?", "the sweep looks for what the clock has ended in all teams and accounts"},
	{"usher_events", "stream_kind = 'account' AND stream_id = ?", "what has happened to an offer is told by its account"},
	{"usher_events", "stream_kind = ? AND stream_id = ? AND seq > ?", "a stream goes on when its conversation moves; the caller has read the conversation in its team, and does so for each event"},
	{"usher_invitations", "pending_offer = ?", "the one offer of an account that is pending"},
	{"usher_invitations", "id = ? AND offered_id = ?", "an offer is found in its account"},
	{"usher_invitations", "asker_id = ?", "a user lists their own requests, to whatever team"},
	{"usher_invitations", "batch_id = ? AND account_id = ?", "the mail of a batch tells of teams of one account"},
	{"usher_invitations", "state <> 'pending' AND email <> ''", "the deletion of a user takes their address out of what has ended, wherever it is"},
	{"usher_invitations", "state = 'pending' AND expires_at > ? AND settings", "the doctor looks for invitations whose sender has gone"},
	{"usher_memberships", "team_id = team_id AND user_id = inviter_id", "and at the sender of each"},
	{"usher_conversations", "channel = ? AND identity = ? AND address = ?", "a message that comes in finds its conversation by both of its addresses"},
	{"usher_conversations", "status = 'snoozed' AND snoozed_until <= ?", "the sweep finds the snoozes that are over, wherever they are"},
	{"usher_grants", "revoked_at IS NULL AND expires_at <= ?", "the sweep finds the guests whose time is over, wherever they are"},
	{"usher_deliveries", "pending_conversation IS NOT NULL AND deadline <= ?", "the sweep finds the deliveries that nobody accepted in time, wherever they are"},
	{"usher_teams", "auto_close IS NOT NULL AND status = 'open'", "the sweep finds what is idle, in every team that closes it"},
	{"usher_messages", "message_key = ?", "a provider's message is looked for where it arrived, by the digest of its id and its conversation's addresses"},
	{"usher_messages", "id = ?", "a message that is to be sent is looked for by its id, wherever its conversation is now"},
	{"usher_messages", "receipt_key = ?", "a provider's receipt finds its message by the digest of its id"},
	{"usher_words", "message_id = ?", "a message that was read in its conversation loses its words"},
	{"usher_words", "message_id IN ()", "the words of a conversation go with it to the team to which it moves"},
	{"usher_grants", "user_id = ? AND revoked_at IS NULL AND ()", "a guest's own grants, inside a select of one team's conversations"},
	{"usher_grants", "conversation_id = id AND user_id = ?", "and where each lets them in, to count what is unread"},
	{"usher_skips", "conversation_id = id AND user_id = ?", "what a user has skipped, inside a select of one team's conversations"},
	{"usher_conversations", "team_id = team_id AND assignee_id = user_id AND status = 'open'", "what a member is assigned, inside a select of one team's loads"},
	{"usher_conversations", "team_id = team_id AND claimant_id = user_id AND claimed_until + 0 > ?", "and what they have claimed"},
	{"usher_conversations", "claimant_id IS NOT NULL AND claimed_until > ? AND claimed_until <= ?", "the sweep finds which claims have ended, wherever they are"},
	{"usher_contacts", "id = ?", "counts the events of a row that the transaction has written, in its team"},
	{"usher_conversations", "id = ?", "counts the events of a row that the transaction has written, in its team; or finds that team, for a system that writes to it"},
	{"usher_contacts", "id IN ?", "and so for several"},
	{"usher_applications", "account_id = ? AND external_id = ?", "what the host records is found by its own name for it, in whatever team of the account"},
	{"usher_conversations", "id IN ?", "and so for several"},
	{"usher_teams", "status = 'active' AND NOT EXISTS ()", "the doctor looks for teams without a manager"},
	{"usher_memberships", "status = 'active' AND expires_at IS NULL", "and at the managers of each"},
	{"usher_memberships", "status = 'deleted' AND status <> 'removed'", "the doctor looks for members who are deleted"},
	{"usher_memberships", "account_id <> account_id", "the doctor looks for roles of another account"},
	{"usher_conversations", "assignee_id IS NOT NULL AND NOT EXISTS ()", "the doctor looks for conversations that somebody has who may not"},
	{"usher_memberships", "team_id = team_id AND user_id = assignee_id", "and at who has each"},
	{"usher_memberships", "team_id = from_team_id AND user_id = user_id", "and at who is to accept each delivery"},
	{"usher_conversations", "claimant_id IS NOT NULL AND NOT EXISTS ()", "the doctor looks for conversations that somebody has claimed who may not"},
	{"usher_memberships", "team_id = team_id AND user_id = claimant_id", "and at who has claimed each"},
	{"usher_conversations", "EXISTS ()", "the doctor looks for deliveries and grants that hang in the air"},
	{"usher_invitations", "i.id = d.invitation_id", "and at the invitation of each delivery"},
	{"usher_grants", "conversation_id = id AND revoked_at IS NULL", "and at the grants of each conversation"},
	{"usher_memberships", "team_id = team_id AND user_id = user_id", "and at the membership behind each grant"},
	{"usher_conversations", "()", "the doctor compares the counters of conversations"},
	{"usher_messages", "conversation_id = id", "with the messages of each"},
	{"usher_deliveries", "email = ? AND email <> ''", "the deletion of a user takes their address out of deliveries, wherever they are"},
	{"usher_events", "e.id = o.event_id", "the relay reads what it takes, and the operator the dead letters, whosever it is"},
	{"usher_events", "batch = ? AND id IN ?", "those who follow a team put in order what they have just read in it"},
	{"usher_events", "id = ?", "an event waits under the number that it was written with, just before"},
	{"usher_outbox", "lane = lane AND stream_kind = stream_kind AND stream_id = stream_id", "the relay looks at what comes before an event in its stream"},
}

// byBareID are the statements that the entries of a bare id are for: those that number events, and
// those that answer where a conversation or a message is, and nothing of it.
var byBareID = regexp.MustCompile(`^((SELECT (events|seq) FROM|UPDATE) \w+( SET events = events \+ (\?|CASE id( WHEN \? THEN \?)+ ELSE 0 END))? WHERE id (=|IN) \?|` +
	`SELECT team_id FROM usher_conversations WHERE id = \?|` +
	`SELECT c\.team_id, m\.conversation_id, m\.id FROM .* WHERE m\.id = \?)$`)

// Every statement that the store can ever send (F1 is that there are no others) on a table with
// a team's rows says which team's, or is one of the few entries.
func TestStatementsBindTheirTeam(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		store, _ := e.open(t)
		used := map[string]bool{}
		for _, text := range store.Statements() {
			for _, fault := range unbound(text, used) {
				t.Errorf("%s, and is no entry: name the team, or add it to entries with the reason\n%s", fault, text)
			}
		}
		for _, entry := range entries {
			assert.True(t, used[entry.table+entry.condition], "no statement enters %s by %s any more", entry.table, entry.condition)
		}
	})
}

// The check finds what it is there to find.
func TestUnboundStatementsAreFound(t *testing.T) {
	for _, text := range []string{
		`SELECT name FROM usher_teams`,
		`SELECT name FROM usher_contacts WHERE id = ?`,
		`SELECT name FROM usher_contacts c WHERE c.id = $1 AND c.version = $2`,
		`SELECT name FROM usher_contacts WHERE team_id = 7`,
		`SELECT name FROM usher_contacts WHERE team_id <> ?`,
		`SELECT name FROM usher_contacts WHERE team_id = ? OR address = ?`,
		`SELECT name FROM usher_contacts WHERE (team_id = ? OR address = ?)`,
		`SELECT name FROM usher_contacts WHERE (team_id = ? AND id = ? OR id = ? AND version = ?)`,
		`UPDATE usher_contacts SET name = ? WHERE (id = ? AND version = ? OR id = ? AND version = ?)`,
		`SELECT team_id = ? FROM usher_contacts WHERE id = ?`,
		`UPDATE usher_conversations SET team_id = ? WHERE id = ? AND version = ?`,
		`UPDATE usher_conversations SET status = ? WHERE id = ?`,
		`DELETE FROM usher_messages WHERE seq = ?`,
		`INSERT INTO usher_messages (id, seq) VALUES (?, ?)`,
		`INSERT INTO usher_messages (id, conversation_id) VALUES (?, 'x')`,
		`SELECT name FROM usher_contacts WHERE team_id IN (SELECT id FROM usher_teams)`,
		`SELECT team_id, COUNT(*) FROM usher_contacts WHERE id IN (?, ?) GROUP BY team_id`,
		`UPDATE usher_contacts SET name = ? WHERE id IN (?, ?)`,
		`SELECT 1 FROM usher_invitations i JOIN usher_memberships m ON m.user_id = i.inviter_id WHERE i.team_id = ?`,
		`SELECT 1 FROM usher_users u JOIN usher_memberships m ON m.user_id = u.id WHERE u.id = ?`,
		`SELECT 1 FROM usher_users WHERE id = ? AND EXISTS (SELECT 1 FROM usher_deliveries WHERE id = ?)`,
		`SELECT id FROM usher_deliveries WHERE from_team_id = ? UNION ALL SELECT id FROM usher_deliveries WHERE by_id = ?`,
		`SELECT g.conversation_id FROM usher_grants g JOIN usher_conversations c ON c.id = g.conversation_id WHERE g.user_id = ? AND g.revoked_at IS NULL`,
		`SELECT 1 FROM usher_memberships m JOIN usher_teams t ON t.id = m.team_id, usher_contacts c WHERE m.team_id = ?`,
	} {
		assert.NotEmpty(t, unbound(text, map[string]bool{}), text)
	}
	for _, text := range []string{
		`SELECT name FROM usher_users WHERE id = ?`,
		`SELECT name FROM usher_contacts c WHERE c.id = $1 AND c.team_id = $2 AND (c.name = $3 OR c.name = $4)`,
		`SELECT name FROM usher_contacts c WHERE (c.team_id = $1 AND c.id = $2 OR c.team_id = $3 AND c.id = $4) AND c.version = $5`,
		`INSERT INTO usher_messages (id, conversation_id, seq) VALUES (?, ?, 1)`,
		`SELECT seq FROM usher_messages WHERE conversation_id IN (?, ?) AND seq > ?`,
		`SELECT team_id, COUNT(*) FROM usher_contacts WHERE team_id IN (?, ?) GROUP BY team_id ORDER BY team_id`,
		`SELECT name FROM usher_contacts WHERE id = ? AND team_id IN (?, ?) FOR SHARE`,
		`UPDATE usher_contacts SET events = events + CASE id WHEN ? THEN ? WHEN ? THEN ? ELSE 0 END WHERE id IN (?, ?)`,
	} {
		assert.Empty(t, unbound(text, map[string]bool{}), text)
	}
}

var (
	// eachBound is one of several values that are bound, which names the team as well as one does.
	eachBound = regexp.MustCompile(`IN \(\s*\?(, \?)*\s*\)`)
	// eachPair is the list of several pairs of ids, each written out, which says no more than the first.
	eachPair    = regexp.MustCompile(`\([\w.]+ = \? AND [\w.]+ = \?( OR [\w.]+ = \? AND [\w.]+ = \?)*\)`)
	spaces      = regexp.MustCompile(`\s+`)
	placeholder = regexp.MustCompile(`\$\d+`)
	qualifier   = regexp.MustCompile(`\b\w+\.`)
	subselect   = regexp.MustCompile(`\(SELECT [^()]*\)`)
	innermost   = regexp.MustCompile(`\(([^()]*)\)`)
	insert      = regexp.MustCompile(`^INSERT INTO (\w+) \(([^()]*)\) VALUES \(([^()]*)\)`)
	change      = regexp.MustCompile(`^(?:UPDATE|DELETE FROM) (\w+)(?: SET .*?)? WHERE (.*)$`)
	selection   = regexp.MustCompile(`^SELECT .*? FROM (.*?)(?: WHERE (.*?))?(?: GROUP BY .*)?(?: ORDER BY .*)?(?: LIMIT .*)?(?: FOR SHARE| LOCK IN SHARE MODE)?$`)
	joined      = regexp.MustCompile(`JOIN (\w+) \w+ ON ([\w.]+ = [\w.]+)`)
	scopeTie    = regexp.MustCompile(`^(\w+\.(id|team_id|conversation_id) = \w+\.(team_id|conversation_id)|\w+\.(team_id|conversation_id) = \w+\.id|\w+\.id = \w+\.message_id)$`)
	teamTable   = regexp.MustCompile(`\busher_\w+`)
)

// unbound says what in a statement touches a team's rows without saying whose, and notes which
// entries it used.
func unbound(text string, used map[string]bool) (faults []string) {
	text = placeholder.ReplaceAllString(spaces.ReplaceAllString(strings.TrimSpace(text), " "), "?")
	text = eachPair.ReplaceAllStringFunc(eachBound.ReplaceAllString(text, "IN ?"), onePair)
	text = strings.NewReplacer("( ", "(", " )", ")", " ,", ",", "+c.team_id", "c.team_id", "FORCE INDEX (PRIMARY) ", "").Replace(text)
	for _, parts := range insert.FindAllStringSubmatch(subselect.ReplaceAllString(text, "0"), 1) {
		if !bindsInsert(parts[1], parts[2], parts[3]) {
			faults = append(faults, "it inserts into "+parts[1]+" without a team")
		}
	}
	for _, query := range queries(text) {
		if table, condition := whose(query); table != "" && !enters(query, table, condition, used) {
			faults = append(faults, fmt.Sprintf("%q reads or writes %s without a team", query, table))
		}
	}
	return faults
}

// onePair is the first of pairs that are all of the same columns.
func onePair(list string) string {
	all := strings.Split(strings.Trim(list, "()"), " OR ")
	if slices.ContainsFunc(all, func(other string) bool { return other != all[0] }) {
		return list
	}
	return all[0]
}

// queries are the selects, updates and deletes in a statement, each without those inside it, of
// which () is left.
func queries(text string) (found []string) {
	for innermost.MatchString(text) {
		text = innermost.ReplaceAllStringFunc(text, func(group string) string {
			found = append(found, strings.Trim(group, "()"))
			return "\x00"
		})
	}
	found = append(found, text)
	var parts []string
	for _, query := range found {
		parts = append(parts, strings.Split(strings.ReplaceAll(query, "\x00", "()"), " UNION ALL ")...)
	}
	return slices.DeleteFunc(parts, func(query string) bool {
		return !slices.Contains([]string{"SELECT", "UPDATE", "DELETE"}, word(query))
	})
}

// whose is the table with a team's rows that a query reads or writes without naming the team,
// and the condition under which it does, or nothing.
func whose(query string) (table, condition string) {
	if parts := change.FindStringSubmatch(query); parts != nil {
		return blame(parts[1:2], parts[2])
	}
	if !strings.Contains(query, " FROM ") {
		return "", "" // SELECT EXISTS ()
	}
	parts := selection.FindStringSubmatch(query)
	if parts == nil {
		return query, "" // what cannot be read is not right
	}
	for _, join := range joined.FindAllStringSubmatch(parts[1], -1) {
		if scopeKeys[join[1]] != nil && !scopeTie.MatchString(join[2]) {
			return join[1], join[2]
		}
	}
	tables := teamTable.FindAllString(parts[1], -1)
	if strings.Contains(parts[1], ",") {
		return tables[0], parts[1] // a join without a condition
	}
	if strings.HasPrefix(parts[1], "()") {
		return "", "" // what is joined here is tied to a select that is looked at by itself
	}
	return blame(tables, parts[2])
}

// blame is the first of a query's tables with a team's rows, unless the condition names the
// team of one of them: they are tied to each other.
func blame(tables []string, condition string) (string, string) {
	condition = qualifier.ReplaceAllString(condition, "")
	tables = slices.DeleteFunc(slices.Clone(tables), func(table string) bool { return scopeKeys[table] == nil })
	if len(tables) == 0 {
		return "", ""
	}
	if !strings.Contains(condition, " OR ") {
		for part := range strings.SplitSeq(condition, " AND ") {
			for _, table := range tables {
				for _, key := range scopeKeys[table] {
					if part == key+" = ?" || part == key+" IN ?" {
						return "", ""
					}
				}
			}
		}
	}
	return tables[0], condition
}

func bindsInsert(table, columns, values string) bool {
	keys := scopeKeys[table]
	bound := strings.Split(values, ", ")
	return keys == nil || slices.ContainsFunc(keys, func(key string) bool {
		i := slices.Index(strings.Split(columns, ", "), key)
		return i >= 0 && i < len(bound) && bound[i] == "?"
	})
}

// enters reports whether the query is an entry.
func enters(query, table, condition string, used map[string]bool) bool {
	for _, entry := range entries {
		if entry.table != table || !strings.HasPrefix(condition, entry.condition) {
			continue
		}
		bare := entry.condition == "id = ?" || entry.condition == "id IN ?" && table != "usher_events"
		if bare && !byBareID.MatchString(query) {
			continue
		}
		used[entry.table+entry.condition] = true
		return true
	}
	return false
}
