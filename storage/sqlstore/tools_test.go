package sqlstore_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tool is a program that hosts migrate their databases with.
type tool struct {
	// variable holds the program's path.
	name, variable string
	// up are the arguments with which the tool applies the files of a folder to a database.
	up func(e engine, files, dsn string) []string
}

var tools = []tool{
	{"goose", "USHER_TEST_GOOSE", func(e engine, files, dsn string) []string {
		switch e.folder {
		case "sqlite":
			return []string{"-dir", files, "sqlite3", sqliteFile(dsn), "up"}
		case "mysql":
			return []string{"-dir", files, "mysql", dsn + "?parseTime=true", "up"}
		default:
			return []string{"-dir", files, e.folder, dsn, "up"}
		}
	}},
	{"migrate", "USHER_TEST_MIGRATE", func(e engine, files, dsn string) []string {
		switch e.folder {
		case "sqlite":
			dsn = "sqlite://" + sqliteFile(dsn)
		case "mysql":
			dsn = "mysql://" + dsn
		}
		return []string{"-path", files, "-database", dsn, "up"}
	}},
}

func sqliteFile(dsn string) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(dsn, "file:"), "?")
	return path
}

// Goose and golang-migrate apply the files as they are, with their own commands, and what they
// leave is a database that usher takes for its own.
func TestToolsReadTheMigrations(t *testing.T) {
	for _, tool := range tools {
		t.Run(tool.name, func(t *testing.T) {
			program := tool.program(t)
			onEach(t, func(t *testing.T, e engine) {
				dsn := e.dsn(t)
				files, err := filepath.Abs(filepath.Join("migrations", e.folder))
				require.NoError(t, err)
				for range 2 { // the second time there is nothing left to do
					said, err := exec.CommandContext(t.Context(), program, tool.up(e, files, dsn)...).CombinedOutput()
					require.NoError(t, err, "%s", said)
				}
				var r recorder
				store := e.migrated(t, e.connect(t, dsn, r.tap()))
				for _, text := range r.take() {
					assert.NotContains(t, text, "CREATE", "Migrate found the schema wanting")
				}
				stored(t, store, "migrated").requireStored(t, store)
			})
		})
	}
}

// program is where the tool is. It is no dependency of the module, so it is built elsewhere:
// `bash .ci/run migrations` does, at the version that is written there.
func (tool tool) program(t *testing.T) string {
	t.Helper()
	if program := os.Getenv(tool.variable); program != "" {
		return program
	}
	how := "no " + tool.name + ": run `bash .ci/run migrations`, or set " + tool.variable + " to the path of its program"
	if slices.Contains(strings.Split(os.Getenv("USHER_TEST_REQUIRE"), ","), tool.name) {
		t.Fatal(how + "; USHER_TEST_REQUIRE asks for it")
	}
	t.Skip(how)
	return ""
}
