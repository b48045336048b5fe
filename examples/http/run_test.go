package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The program as it is started: it says where it listens, mails to its output, and ends well
// when it is told to.
func TestRun(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "usher.db")}, out)
		_ = out.Close()
		ended <- err
	}()
	lines := bufio.NewScanner(in)
	line := func(mark string) string {
		t.Helper()
		for lines.Scan() {
			if _, after, found := strings.Cut(lines.Text(), mark); found {
				return after
			}
		}
		t.Fatalf("the output ended before %q: %v", mark, <-ended)
		return ""
	}
	base := line("listening on ")
	alice := (&site{t: t, url: base}).signIn("alice")
	sales := alice.founded("Acme", "Sales")
	status, _ := alice.post(sales+"/invitations", "email", "bob@acme.example", "role", "member")
	require.Equal(t, http.StatusOK, status)
	link, err := url.Parse(base + "/join" + line(base+"/join"))
	require.NoError(t, err)
	status, page := alice.get(link.RequestURI())
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, page, "Alice invites you to Sales")

	stop()
	_, err = io.Copy(io.Discard, in)
	require.NoError(t, err)
	require.NoError(t, <-ended)
	_, err = new(net.Dialer).DialContext(t.Context(), "tcp", link.Host)
	assert.Error(t, err, "nobody listens any more")
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{{"-nonsense"}, {"-addr", "nonsense"}, {"-addr", "0.0.0.0:0"}, {"-db", t.TempDir()}} {
		assert.Error(t, run(t.Context(), args, io.Discard), args)
	}
}
