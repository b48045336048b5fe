package usher_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// threats are the attacks that the tests answer, each by a number: a test bears the numbers of those that
// it shows to fail, as TestA6_… or TestA9AndF12…, and so does a subtest. A are attacks on invitations, B
// on identity, C on tenants and roles, D on what was taken away, E on what guests may see, F on input and
// output.
var threats = strings.Fields(`
	A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A14 A15 A16 A17 A18 A19
	B1 B2 B3 B6 B7
	C1 C2 C4 C7 C8 C9 C10 C12
	D1 D3 D5 D8
	E1 E2 E3 E4 E5
	F1 F2 F3 F4 F5 F6 F7 F8 F10 F12 F13`)

// unbuilt says of an attack why there is nothing yet that it could be made on.
var unbuilt = map[string]string{
	"F4": "nothing is exported yet",
}

// Each attack has a test, and what has none says why.
func TestThreatsHaveTests(t *testing.T) {
	tests := threatTests(t)
	for _, threat := range threats {
		reason, waits := unbuilt[threat]
		switch {
		case waits:
			assert.Empty(t, tests[threat], "%s has tests, so it is not unbuilt any more", threat)
			assert.NotEmpty(t, reason, threat)
		default:
			assert.NotEmpty(t, tests[threat], "no test bears the number %s", threat)
		}
		delete(tests, threat)
	}
	assert.Empty(t, tests, "tests bear numbers that no attack has")
}

func TestThreatsInNames(t *testing.T) {
	for name, want := range map[string][]string{
		"TestA6_LinkAdmits": {"A6"}, "TestA6Of64AcceptsAtOnce": {"A6"}, "TestA1A2B2B3AnOffer": {"A1", "A2", "B2", "B3"},
		"TestA9AndF12NoToken": {"A9", "F12"}, "TestA10ForeignIds": {"A10"}, "FuzzF3_Cursors": {"F3"}, "C7 a role": {"C7"},
		"TestAPI2": nil, "TestUTF8Names": nil, "TestSpec4_3_Switching": nil, "a name of A1 in between": nil, "TestE": nil,
	} {
		assert.Equal(t, want, threatsIn(name), name)
	}
}

var (
	numbered  = regexp.MustCompile(`^(?:(?:Test|Fuzz)?_?)((?:[A-F][1-9][0-9]?(?:And|_| )?)+)`)
	oneNumber = regexp.MustCompile(`[A-F][1-9][0-9]?`)
)

// threatsIn are the numbers with which a name begins.
func threatsIn(name string) []string {
	found := numbered.FindStringSubmatch(name)
	if found == nil {
		return nil
	}
	return oneNumber.FindAllString(found[1], -1)
}

// threatTests finds the tests and subtests of each number.
func threatTests(t *testing.T) map[string][]string {
	t.Helper()
	tests := map[string][]string{}
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, name := range testNames(parsed) {
			for _, threat := range threatsIn(name) {
				tests[threat] = append(tests[threat], file+": "+name)
			}
		}
		return nil
	})
	require.NoError(t, err)
	return tests
}

// testNames are the names of test functions, and those that t.Run gives to subtests.
func testNames(file *ast.File) []string {
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if name := n.Name.Name; n.Recv == nil && (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz")) {
				names = append(names, name)
			}
		case *ast.CallExpr:
			run, called := n.Fun.(*ast.SelectorExpr)
			if !called || run.Sel.Name != "Run" || len(n.Args) != 2 {
				break
			}
			if name, literal := n.Args[0].(*ast.BasicLit); literal && name.Kind == token.STRING {
				names = append(names, strings.Trim(name.Value, "\"`"))
			}
		}
		return true
	})
	return names
}
