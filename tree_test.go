package usher_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/usher-go/usher"

// rooms says of each folder what of usher it may import. A folder that is not listed goes by
// the nearest one above it.
var rooms = map[string][]string{
	"rbac":                           {},
	"storage/outbox":                 {},
	"conversation/command":           {},
	"tenancy":                        {"rbac", "storage/outbox"},
	"tenancy/access":                 {"rbac", "tenancy"},
	"invite":                         {"rbac", "tenancy", "storage/outbox"},
	"conversation":                   {"rbac", "tenancy", "invite", "conversation/command", "storage/outbox"},
	"storage":                        {"rbac", "tenancy", "invite", "conversation", "storage/outbox"},
	"storage/memory":                 {"rbac", "tenancy", "invite", "conversation", "storage/outbox", "storage"},
	"storage/sqlstore":               {"rbac", "tenancy", "invite", "conversation", "storage/outbox", "storage"},
	"storage/storagetest":            {"rbac", "tenancy", "invite", "conversation", "storage/outbox", "storage"},
	"storage/sqlite":                 {"storage/sqlstore", "storage", "tenancy"},
	"storage/postgres":               {"storage/sqlstore", "storage", "tenancy"},
	"storage/mysql":                  {"storage/sqlstore", "storage", "tenancy"},
	".":                              {"rbac", "tenancy", "invite", "conversation", "storage/outbox", "storage"},
	"storage/outbox/sinktest":        {"storage/outbox"},
	"storage/outbox/webhook":         {"storage/outbox"},
	"invite/smtp":                    {"rbac", "tenancy", "invite"},
	"storage/ushertest":              {"*"},
	"storage/storagetest/everystore": {"*"},
	"examples":                       {"*"},
	"tenancy/tenancytest":            {"rbac", "tenancy", "storage/outbox"},
	"invite/invitetest":              {"rbac", "tenancy", "invite", "storage/outbox"},
	"storage/outbox/outboxtest":      {"storage/outbox"},
	"conversation/conversationtest":  {"rbac", "tenancy", "invite", "conversation", "storage/outbox"},
}

// dependencies names each module that go.mod requires, and why it is there. Those that users
// of the library compile say so.
var dependencies = map[string]string{
	"github.com/casbin/casbin/v2":    "compiled by users: the policy language of rbac; one file imports it",
	"github.com/google/uuid":         "compiled by users: UUIDv7 ids",
	"golang.org/x/net":               "compiled by users: IDNA for the domains of e-mail addresses",
	"golang.org/x/text":              "compiled by users: Unicode normal forms and case folding of names, and of the words by which messages are found and contacts opt out",
	"github.com/wneessen/go-mail":    "compiled by users of invite/smtp: MIME and the SMTP protocol",
	"github.com/go-sql-driver/mysql": "compiled by users of storage/mysql: its error type is the only way to MySQL's error numbers",
	"github.com/stretchr/testify":    "tests: assertions",
	"modernc.org/sqlite":             "tests and examples: SQLite without cgo",
	"github.com/jackc/pgx/v5":        "tests and examples: PostgreSQL",
	"github.com/lib/pq":              "tests: the other PostgreSQL driver",
	"pgregory.net/rapid":             "tests: random walks through the operations, with failures cut to their core",
}

// compiled is what non-test code outside the examples may import from other modules.
var compiled = map[string][]string{
	"github.com/casbin/casbin/v2":    {"rbac"},
	"github.com/google/uuid":         {"*"},
	"golang.org/x/net":               {"tenancy"},
	"golang.org/x/text":              {"tenancy", "conversation"},
	"github.com/go-sql-driver/mysql": {"storage/mysql"},
	"github.com/wneessen/go-mail":    {"invite/smtp"},
}

// knowsSQL are the folders whose business a database is.
var knowsSQL = []string{"storage/sqlstore", "storage/sqlite", "storage/postgres", "storage/mysql", "storage/internal", "storage/storagetest/everystore", "examples"}

// knowCasbin are the files that may import it: the one that decides with it, and the benchmark that
// asks it the same questions, whose baseline it is.
var knowCasbin = []string{"rbac/casbin.go", "check_casbin_bench_test.go"}

// source is one Go file and what it imports.
type source struct {
	file    string // slash-separated, relative to the module
	imports []string
}

func TestImportDirection(t *testing.T) {
	for _, s := range sources(t) {
		assert.Empty(t, violations(s), s.file)
	}
}

// The rules themselves must be able to fail.
func TestImportDirectionCanFail(t *testing.T) {
	for _, c := range []struct {
		file, imports, because string
	}{
		{"rbac/role.go", module + "/tenancy", "rbac must not import tenancy"},
		{"tenancy/team.go", module + "/conversation", "tenancy must not import conversation"},
		{"invite/accept.go", module + "/storage", "invite must not import storage"},
		{"conversation/send.go", "database/sql", "only adapters know SQL"},
		{"tenancy/access/guard.go", module + "/invite", "tenancy/access must not import invite"},
		{"usher.go", module + "/storage/memory", ". must not import storage/memory"},
		{"rbac/policy.go", "github.com/casbin/casbin/v2", "only rbac/casbin.go imports Casbin"},
		{"rbac/policy_test.go", "github.com/casbin/casbin/v2/model", "only rbac/casbin.go imports Casbin"},
		{"storage/sqlite/sqlite.go", "modernc.org/sqlite", "tests and examples"},
		{"storage/storagetest/run.go", "github.com/stretchr/testify/require", "users compile"},
		{"storage/outbox/relay.go", module + "/tenancy", "storage/outbox must not import tenancy"},
	} {
		found := violations(source{file: c.file, imports: []string{c.imports}})
		assert.Len(t, found, 1, c.file)
		assert.Contains(t, strings.Join(found, "\n"), c.because)
	}
	assert.Empty(t, violations(source{file: "check_casbin_bench_test.go", imports: []string{"github.com/casbin/casbin/v2"}}))
	assert.Empty(t, violations(source{file: "invite/accept.go", imports: []string{"context", module + "/tenancy", "github.com/google/uuid"}}))
}

func TestEveryDependencyHasAReason(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) < 2 || !strings.HasPrefix(fields[1], "v") || strings.HasSuffix(line, "// indirect\n") {
			continue
		}
		assert.Contains(t, dependencies, fields[0], "go.mod requires a module that nobody has argued for")
	}
	for name := range dependencies {
		assert.Contains(t, string(text), name, "the list names a module that go.mod does not require")
	}
}

// violations says in a sentence each what the file must not import, and why.
func violations(s source) []string {
	var found []string
	room := roomOf(s.file)
	test := strings.HasSuffix(s.file, "_test.go")
	for _, imported := range s.imports {
		if why := violation(s.file, room, test, imported); why != "" {
			found = append(found, fmt.Sprintf("%s imports %s: %s", s.file, imported, why))
		}
	}
	return found
}

func violation(file, room string, test bool, imported string) string {
	below := func(list []string) bool {
		return slices.ContainsFunc(list, func(dir string) bool { return room == dir || strings.HasPrefix(path.Dir(file)+"/", dir+"/") })
	}
	own, internal := strings.CutPrefix(imported+"/", module+"/")
	own = strings.TrimSuffix(own, "/")
	casbin := strings.HasPrefix(imported, "github.com/casbin/")
	switch {
	case casbin && !slices.Contains(knowCasbin, file):
		return "only rbac/casbin.go imports Casbin, so that a move to another version is one file"
	case casbin, test:
		return "" // tests stand outside the house and may look at all of it
	case internal && own == "":
		if !slices.Contains(rooms[room], "*") {
			return room + " must not import the root, which wires the rooms"
		}
	case internal:
		may := rooms[room]
		if !slices.Contains(may, "*") && !slices.Contains(may, own) && !strings.HasPrefix(own, "storage/internal") {
			return fmt.Sprintf("%s must not import %s: rooms only look back along rbac, tenancy, invite, conversation, storage", room, own)
		}
	case imported == "database/sql" || strings.HasPrefix(imported, "database/sql/"):
		if !below(knowsSQL) {
			return "only adapters know SQL"
		}
	case strings.Contains(strings.Split(imported, "/")[0], ".") && !below([]string{"examples", "storage/internal", "storage/storagetest/everystore"}):
		for name, where := range compiled {
			if (imported == name || strings.HasPrefix(imported, name+"/")) && (where[0] == "*" || below(where)) {
				return ""
			}
		}
		return "users compile this folder; the module is for tests and examples, or for another room"
	}
	return ""
}

// roomOf is the folder that says what the file may import.
func roomOf(file string) string {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if _, known := rooms[dir]; known || dir == "." {
			return dir
		}
	}
}

// sources parses the imports of every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (file == "testdata" || strings.HasPrefix(entry.Name(), ".") && file != "."):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(file) != ".go":
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		s := source{file: filepath.ToSlash(file)}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, imported)
		}
		all = append(all, s)
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}
