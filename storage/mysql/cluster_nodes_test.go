//go:build cluster

package mysql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
)

// cluster is three MariaDB Galera nodes on loopback, in a temporary folder, that live as long
// as the test, however it ends.
type cluster struct {
	t         *testing.T
	dir       string
	owner     *syscall.Credential // nil for the user of this process
	nodes     []*node
	databases atomic.Int64
}

// node is one server. It is killed by closing its pipe, which the end of this process does too.
type node struct {
	dir, socket, log string
	args             []string
	alive            io.Closer
	guard            *exec.Cmd
	admin            *sql.DB // outside any database
}

const (
	clusterSize = 3
	startLimit  = 3 * time.Minute
)

// startCluster starts the nodes one after the other: each takes its data from those before it.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	install := program(t, "mariadb-install-db", "/usr/bin/mariadb-install-db")
	server := program(t, "mariadbd", "/usr/sbin/mariadbd")
	program(t, "rsync", "/usr/bin/rsync")
	provider := program(t, "libgalera_smm.so", "/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")
	dir, err := os.MkdirTemp("/tmp", "usher-galera-") //nolint:usetesting // a socket's path has at most 107 bytes
	require.NoError(t, err)
	c := &cluster{t: t, dir: dir, owner: servant(t)}
	if c.owner != nil {
		require.NoError(t, os.Chown(dir, int(c.owner.Uid), int(c.owner.Gid)))
	}
	// A killed server may still be writing when the folder is to go.
	cleaner, done := c.start(dir, `cat >/dev/null; n=0
until rm -rf "$1" && [ ! -e "$1" ] || [ $((n += 1)) -gt 100 ]; do sleep 0.1; done`, dir)
	t.Cleanup(func() {
		_ = done.Close()
		_ = cleaner.Wait()
	})

	const ports = 4 // of a node: SQL, group, incremental and full state transfer
	free := freePorts(t, clusterSize*ports)
	var group []string
	for i := range clusterSize {
		group = append(group, loopback(free[i*ports+1]))
	}
	for i := range clusterSize {
		port := free[i*ports:]
		n := &node{dir: filepath.Join(dir, strconv.Itoa(i+1))}
		n.socket, n.log = filepath.Join(n.dir, "socket"), filepath.Join(n.dir, "log")
		temporary := filepath.Join(dir, "tmp"+strconv.Itoa(i+1)) // a server that starts removes others' files from a shared one
		c.run("/bin/mkdir", temporary)
		c.run(install, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--datadir="+n.dir)
		n.args = []string{
			server, "--no-defaults", "--datadir=" + n.dir, "--socket=" + n.socket, "--log-error=" + n.log, "--tmpdir=" + temporary,
			"--pid-file=" + filepath.Join(n.dir, "pid"), "--bind-address=127.0.0.1", "--port=" + strconv.Itoa(port[0]),
			"--max-connections=400", "--binlog-format=ROW", "--default-storage-engine=InnoDB", "--innodb-autoinc-lock-mode=2",
			"--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
			"--innodb-log-file-size=32M", "--innodb-file-per-table=0", "--innodb-stats-persistent=0",
			"--wsrep-on=ON", "--wsrep-provider=" + provider, "--wsrep-cluster-name=" + filepath.Base(dir),
			"--wsrep-cluster-address=gcomm://" + strings.Join(group, ","), "--wsrep-node-address=" + group[i],
			"--wsrep-sst-method=rsync", "--wsrep-sst-receive-address=" + loopback(port[3]),
			fmt.Sprintf("--wsrep-provider-options=base_port=%d;gmcast.listen_addr=tcp://%s;ist.recv_addr=%s;gcache.size=32M",
				port[1], group[i], loopback(port[2])),
		}
		n.admin = handle(t, n.dsn(""))
		t.Cleanup(func() { c.kill(n) })
		c.nodes = append(c.nodes, n)
		if i == 0 {
			c.boot(n, "--wsrep-new-cluster")
		} else {
			c.boot(n)
		}
	}
	c.await(clusterSize)
	galera, err := c.nodes[0].status(t.Context(), "wsrep_provider_version")
	require.NoError(t, err)
	t.Logf("MariaDB %s, Galera %s, %d nodes", c.asked("SELECT VERSION()")[0], galera, clusterSize)
	return c
}

func program(t *testing.T, name string, places ...string) string {
	t.Helper()
	for _, place := range places {
		if _, err := os.Stat(place); err == nil {
			return place
		}
	}
	path, err := exec.LookPath(name)
	require.NoError(t, err, "on Debian: apt-get install mariadb-server galera-4 rsync")
	return path
}

// servant is who runs the servers when this process is root's, as whom they do not want to run.
func servant(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	owner, err := user.Lookup("mysql")
	if err != nil {
		owner, err = user.Lookup("nobody")
	}
	require.NoError(t, err)
	uid, err := strconv.ParseUint(owner.Uid, 10, 32)
	require.NoError(t, err)
	gid, err := strconv.ParseUint(owner.Gid, 10, 32)
	require.NoError(t, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// freePorts are ports that nobody listens on now.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	var held []io.Closer
	defer func() { // when all are known, so that no two are the same
		for _, l := range held {
			_ = l.Close()
		}
	}()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
		require.NoError(t, err)
		held = append(held, l)
		address, ok := l.Addr().(*net.TCPAddr)
		require.True(t, ok)
		ports = append(ports, address.Port)
	}
	return ports
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (c *cluster) command(dir, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...) //nolint:noctx // found on this machine; lives as long as the cluster
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + c.dir, "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.owner, Setpgid: true}
	return cmd
}

func (c *cluster) run(program string, args ...string) {
	c.t.Helper()
	said, err := c.command(c.dir, program, args...).CombinedOutput()
	require.NoError(c.t, err, "%s", said)
}

// start leaves a shell behind whose script reads its standard input to the end, which comes when
// the pipe is closed or this process ends, also by SIGKILL.
func (c *cluster) start(dir, script string, args ...string) (*exec.Cmd, io.Closer) {
	c.t.Helper()
	cmd := c.command("/", "/bin/sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Dir = filepath.Dir(dir)
	alive, err := cmd.StdinPipe()
	require.NoError(c.t, err)
	require.NoError(c.t, cmd.Start())
	return cmd, alive
}

// boot starts a node and waits until it has the cluster's data.
func (c *cluster) boot(n *node, more ...string) {
	c.t.Helper()
	// The last kill is for the scripts of a state transfer, and for this shell.
	n.guard, n.alive = c.start(n.dir, `"$@" </dev/null & cat >/dev/null; kill -KILL $!; wait $!; kill -KILL 0`,
		append(n.args, more...)...)
	until(c.t, startLimit, func() error {
		state, err := n.status(c.t.Context(), "wsrep_local_state_comment")
		if err == nil && state != "Synced" {
			err = errors.New(state)
		}
		if err != nil {
			said, _ := os.ReadFile(n.log)
			err = fmt.Errorf("%w: %s", err, said[max(0, len(said)-2000):])
		}
		return err
	})
}

// kill ends a node by SIGKILL.
func (c *cluster) kill(n *node) {
	if n.alive == nil {
		return
	}
	_ = n.alive.Close()
	_ = n.guard.Wait() // which tells that it was killed
	n.alive = nil
}

// await waits until the living nodes agree on their number, and are ready to work.
func (c *cluster) await(size int) {
	c.t.Helper()
	for _, n := range c.nodes {
		if n.alive == nil {
			continue
		}
		until(c.t, startLimit, func() error {
			have, err := n.status(c.t.Context(), "wsrep_cluster_size")
			if err == nil && have != strconv.Itoa(size) {
				err = fmt.Errorf("the cluster has %s nodes, want %d", have, size)
			}
			if err != nil {
				return err
			}
			ready, err := n.status(c.t.Context(), "wsrep_ready")
			if err == nil && ready != "ON" {
				err = errors.New("the node is not ready")
			}
			return err
		})
	}
}

// status is one of the server's counters and states.
func (n *node) status(ctx context.Context, name string) (string, error) {
	var ignored, value string
	err := n.admin.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE '"+name+"'").Scan(&ignored, &value)
	return value, err
}

// conflicts counts what the nodes have rolled back because of each other: transactions that
// failed at commit, and those that were ended in the middle.
func (c *cluster) conflicts(nodes ...*node) int {
	c.t.Helper()
	sum := 0
	for _, n := range nodes {
		for _, name := range []string{"wsrep_local_cert_failures", "wsrep_local_bf_aborts"} {
			value, err := n.status(c.t.Context(), name)
			require.NoError(c.t, err)
			count, err := strconv.Atoi(value)
			require.NoError(c.t, err)
			sum += count
		}
	}
	return sum
}

// asked is the one value that a query answers on each living node.
func (c *cluster) asked(query string, args ...any) []string {
	c.t.Helper()
	var values []string
	for _, n := range c.nodes {
		if n.alive != nil {
			var value string
			require.NoError(c.t, n.admin.QueryRowContext(c.t.Context(), query, args...).Scan(&value))
			values = append(values, value)
		}
	}
	return values
}

// dsn is how to connect to a node. A read then sees what other nodes have acknowledged before.
func (n *node) dsn(database string) string {
	return "root@unix(" + n.socket + ")/" + database + "?wsrep_sync_wait=1&interpolateParams=true"
}

// database makes a database of the test's own, which is on all nodes when it is answered.
func (c *cluster) database(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("usher_%d", c.databases.Add(1))
	run := func(statement string) {
		for _, n := range c.nodes {
			if n.alive != nil {
				_, err := n.admin.ExecContext(context.Background(), statement) // also when the test is over
				require.NoError(t, err)
				return
			}
		}
	}
	run("CREATE DATABASE " + name)
	t.Cleanup(func() { run("DROP DATABASE " + name) })
	for _, found := range c.asked("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?", name) {
		require.Equal(t, "1", found)
	}
	return name
}

// handle is a pool of connections to a node that may be killed.
func handle(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(9)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// spread is a pool that opens each of its connections on the next node.
func (c *cluster) spread(t *testing.T, database string) *sql.DB {
	t.Helper()
	s := &spreading{}
	for _, n := range c.nodes {
		config, err := mysqldriver.ParseDSN(n.dsn(database))
		require.NoError(t, err)
		connector, err := mysqldriver.NewConnector(config)
		require.NoError(t, err)
		s.nodes = append(s.nodes, connector)
	}
	db := sql.OpenDB(s)
	db.SetMaxOpenConns(21)
	db.SetMaxIdleConns(9)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

type spreading struct {
	nodes  []driver.Connector
	opened atomic.Int64
}

func (s *spreading) Connect(ctx context.Context) (driver.Conn, error) {
	return s.nodes[int(s.opened.Add(1))%len(s.nodes)].Connect(ctx)
}

func (s *spreading) Driver() driver.Driver { return s.nodes[0].Driver() }

// until waits for something to come true, and not for ever.
func until(t testing.TB, limit time.Duration, try func() error) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	over := time.NewTimer(limit)
	defer over.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-over.C:
			require.NoError(t, err, "after %v", limit)
		}
	}
}
