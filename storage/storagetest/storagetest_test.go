package storagetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
)

func openMemory(*testing.T) storage.Store { return memory.New() }

// The reference model passes: what the seeded faults make fail is the fault's doing.
func TestMemoryConforms(t *testing.T) {
	Run(t, openMemory, Rounds(3))
}

func allCases() []testCase {
	var list []testCase
	for _, g := range groups() {
		list = append(list, g.cases...)
	}
	return list
}

// storeMethods are the methods that an adapter has to write.
func storeMethods() []reflect.Method {
	store := reflect.TypeFor[storage.Store]()
	list := make([]reflect.Method, 0, store.NumMethod())
	for i := range store.NumMethod() {
		list = append(list, store.Method(i))
	}
	return list
}

// A method that is new on a Store must be named by a case of its own, and must take its
// place in the tables that check every method.
func TestEveryMethodHasACase(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range allCases() {
		for _, method := range c.covers {
			covered[method] = true
		}
	}
	table, teams := calls(), teamCalls()
	asked := map[string]bool{}
	for name := range teams {
		method, _, _ := strings.Cut(name, " ")
		asked[method] = true
	}
	for _, m := range storeMethods() {
		if !covered[m.Name] {
			t.Errorf("no case covers %s: write one for each sentence of its contract, and name the method in covers", m.Name)
		}
		if _, ok := table[m.Name]; !ok {
			t.Errorf("%s is not in calls: add it, so that it is tried without a transaction, with a dead one and cancelled", m.Name)
		}
		if takesTeam(m) && !asked[m.Name] {
			t.Errorf("%s takes a team and is not in teamCalls: add it, so that it is asked in the name of another team", m.Name)
		}
		delete(table, m.Name)
		delete(covered, m.Name)
	}
	for name := range table {
		t.Errorf("calls has %s, which is no method of storage.Store", name)
	}
	for name := range covered {
		t.Errorf("a case covers %s, which is no method of storage.Store", name)
	}
}

// synthetic shows that the check above can fail: it has a method that nothing covers.
type synthetic interface {
	storage.Store
	ArchivedTeams(team [16]byte) error
}

func TestANewMethodIsNoticed(t *testing.T) {
	method, ok := reflect.TypeFor[synthetic]().MethodByName("ArchivedTeams")
	if _, known := calls()[method.Name]; !ok || known {
		t.Error("a method that no case knows was not noticed")
	}
}

// A case that says it covers a method calls it, or the check above would rest on a word.
func TestCasesCallWhatTheyCover(t *testing.T) {
	for _, c := range allCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			seen := &callLog{}
			c.on(t, func() storage.Store { return &calledStore{memory.New(), seen} }, 1)
			for _, method := range c.covers {
				if !seen.has(method) {
					t.Errorf("the case covers %s and never calls it", method)
				}
			}
		})
	}
}

func TestCaseNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range allCases() {
		if seen[c.name] {
			t.Errorf("two cases are named %q", c.name)
		}
		seen[c.name] = true
	}
	t.Logf("%d cases, of which %d name the methods that they cover", len(seen), len(slices.DeleteFunc(allCases(), func(c testCase) bool { return len(c.covers) == 0 })))
}

// A failure quotes a sentence of the contract. This is where a quotation goes stale.
func TestRulesAreQuotedAsWritten(t *testing.T) {
	contracts := map[string]string{
		"tenancy": "../../tenancy", "invite": "../../invite", "conversation": "../../conversation", "outbox": "../outbox",
	}
	comments := map[string]string{}
	for name, dir := range contracts {
		comments[name] = commentsIn(t, dir)
	}
	rules := rulesIn(t)
	if len(rules) < 40 {
		t.Fatalf("found %d rules", len(rules))
	}
	for _, r := range rules {
		where, words := r.parts()
		name, _, _ := strings.Cut(where, ".")
		if words == "" || comments[name] == "" {
			t.Errorf("%q must have the form package.Type — words", r)
		} else if !strings.Contains(comments[name], words) {
			t.Errorf("%s does not say (any more):\n\t%q", where, words)
		}
	}
}

// commentsIn is all that a package says in comments, with the line breaks taken out.
func commentsIn(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in %s: %v", dir, err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range parsed.Comments {
			all.WriteString(strings.Join(strings.Fields(group.Text()), " "))
			all.WriteByte('\n')
		}
	}
	return all.String()
}

// rulesIn finds the rules in the source, so that none is forgotten: the constants of the type rule.
func rulesIn(t *testing.T) []rule {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var list []rule
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "rule" {
				for _, v := range spec.Values {
					if lit, ok := v.(*ast.BasicLit); ok {
						list = append(list, rule(strings.Trim(lit.Value, `"`)))
					}
				}
			}
			return true
		})
	}
	return list
}

// Adapters import this package from their tests only, but they compile it: it must not bring
// anything along.
func TestOnlyTheStandardTestingPackage(t *testing.T) {
	allowed := map[string]bool{"github.com/google/uuid": true}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			imports[strings.Trim(spec.Path.Value, `"`)] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(imports)) {
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") && !allowed[path] && !strings.HasPrefix(path, "github.com/usher-go/usher/") {
			t.Errorf("storagetest imports %s", path)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, options := range map[string][]Option{
		"no rounds":          {Rounds(0)},
		"unknown capability": {Without("everything", "because")},
		"no reason":          {Without(RowLocks, " ")},
	} {
		cfg := defaults()
		for _, option := range options {
			option(&cfg)
		}
		if cfg.check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	cfg := defaults()
	Without(Relaying, "events leave by change data capture")(&cfg)
	if err := cfg.check(); err != nil {
		t.Error(err)
	}
}
