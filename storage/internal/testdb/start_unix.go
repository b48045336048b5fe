//go:build unix

package testdb

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

func startPostgres() (string, error) {
	initdb, err := findProgram("initdb", "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
	if err != nil {
		return "", err
	}
	bin := filepath.Dir(initdb)
	s, err := newSandbox("usher-postgres-", "postgres")
	if err != nil {
		return "", err
	}
	data := filepath.Join(s.dir, "data")
	options := "-k " + s.dir + " -c listen_addresses= -c max_connections=400 -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
	return "postgres://usher@/postgres?host=" + s.dir + "&sslmode=disable", errors.Join(
		s.run(initdb, "--pgdata="+data, "--username=usher", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"),
		s.run(filepath.Join(bin, "pg_ctl"), "--pgdata="+data, "--log="+filepath.Join(s.dir, "log"), "--options="+options, "--wait", "start"),
		s.guard(`"$1" --pgdata="$2" --mode=immediate stop`, filepath.Join(bin, "pg_ctl"), data),
	)
}

func startMySQL() (string, error) {
	install, err := findProgram("mariadb-install-db", "/usr/bin", "/usr/local/bin")
	if err != nil {
		return "", err
	}
	mariadbd, err := findProgram("mariadbd", "/usr/sbin", "/usr/local/sbin", "/usr/libexec")
	if err != nil {
		return "", err
	}
	admin, err := findProgram("mariadb-admin", "/usr/bin", "/usr/local/bin")
	if err != nil {
		return "", err
	}
	s, err := newSandbox("usher-mariadb-", "mysql")
	if err != nil {
		return "", err
	}
	data, socket := filepath.Join(s.dir, "data"), filepath.Join(s.dir, "socket")
	// A tmpdir of its own for both: a server that starts clears the one it is given of others' files.
	return "root@unix(" + socket + ")/", errors.Join(
		s.run(install, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--datadir="+data, "--tmpdir="+s.dir),
		s.guard(`kill -KILL "$server"`, mariadbd, "--no-defaults", "--datadir="+data, "--socket="+socket, "--tmpdir="+s.dir,
			"--skip-networking", "--max-connections=400", "--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0",
			"--innodb-doublewrite=0", "--innodb-file-per-table=0", "--innodb-stats-persistent=0",
			"--log-error="+filepath.Join(s.dir, "log"), "--pid-file="+filepath.Join(s.dir, "pid")),
		s.run(admin, "--no-defaults", "--user=root", "--socket="+socket, "--wait=60", "ping"),
	)
}

// findProgram looks on the PATH and in the folders where packages put servers.
func findProgram(name string, folders ...string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, folder := range folders {
		found, err := filepath.Glob(filepath.Join(folder, name))
		if err == nil && len(found) > 0 {
			return found[len(found)-1], nil // the newest version sorts last
		}
	}
	return "", fmt.Errorf("%s is not on this machine", name)
}

// sandbox is a temporary folder and the user who owns it and runs the server.
type sandbox struct {
	dir  string
	user *syscall.Credential // nil for the user of this process
}

// newSandbox uses the user given, or nobody, when this process is root's, as whom no server
// wants to run.
func newSandbox(pattern, name string) (*sandbox, error) {
	dir, err := os.MkdirTemp("/tmp", pattern) // not TMPDIR: a socket's path has at most 107 bytes
	if err != nil || os.Getuid() != 0 {
		return &sandbox{dir: dir}, err
	}
	owner, err := user.Lookup(name)
	if err != nil {
		owner, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.ParseUint(owner.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(owner.Gid, 10, 32)
	return &sandbox{dir: dir, user: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, errors.Join(
		uidErr, gidErr, os.Chown(dir, int(uid), int(gid)))
}

func (s *sandbox) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...) //nolint:gosec,noctx // found on this machine; lives as long as the process
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
	return cmd
}

// run runs a program to its end.
func (s *sandbox) run(program string, args ...string) error {
	// Output goes to a file: a server that a program leaves behind would keep a pipe open.
	log, err := os.CreateTemp("", "usher-testdb-")
	if err != nil {
		return err
	}
	defer os.Remove(log.Name()) //nolint:errcheck // a temporary file
	defer log.Close()
	cmd := s.command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w: %s", filepath.Base(program), err, bytes.TrimSpace(said))
	}
	return nil
}

// guard leaves a shell behind that waits for the end of this process, which closes its
// standard input, also after a crash or SIGKILL; then it stops the server and removes the
// folder. A script that mentions $server also starts the rest of the arguments as one.
func (s *sandbox) guard(stop string, args ...string) error {
	const script = `trap "" INT TERM HUP
dir=$1 stop=$2; shift 2
case $stop in *'$server'*) "$@" </dev/null & server=$! ;; esac
cat >/dev/null
eval "$stop"
wait
rm -rf "$dir"`
	cmd := s.command("/bin/sh", append([]string{"-c", script, "sh", s.dir, stop}, args...)...)
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	guards.Lock()
	guards.open = append(guards.open, alive)
	guards.Unlock()
	return cmd.Start()
}

// guards are held so that they stay open until the process ends.
var guards struct {
	sync.Mutex

	open []any
}
