package signup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each snippet of the page stands in the code, word for word.
func TestDocsShowWhatIsCompiled(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var code strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		code.Write(text)
	}
	page, err := os.ReadFile("../../docs/sign-up.md")
	require.NoError(t, err)
	blocks := strings.Split(string(page), "```go\n")[1:]
	assert.Len(t, blocks, 6)
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```\n")
		assert.Contains(t, code.String(), "\n"+block)
	}
}
