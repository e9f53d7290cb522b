// SPDX-License-Identifier: Apache-2.0

package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errMissing is why tests are skipped.
var errMissing = errors.New("this test needs PostgreSQL: apt-get install postgresql (initdb and postgres in PATH or /usr/lib/postgresql/*/bin)")

// prefix begins the names of our directories; the test binary's process id follows.
const prefix = "belfry-pg-"

const startTimeout = 60 * time.Second

// server is a running PostgreSQL.
type server struct {
	dir  string
	cmd  *exec.Cmd
	log  *bytes.Buffer
	done chan struct{}
}

// start makes a cluster and starts its server.
func start() (*server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	sweep()
	// A socket's path has at most 107 bytes: the test's own directory may be
	// too deep.
	dir, err := os.MkdirTemp("/tmp", prefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return nil, err
	}
	who, err := owner(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata", data, "--username", superuser, "--auth", "trust", //nolint:gosec // found above
		"--encoding", "UTF8", "--locale", "C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, &syscall.SysProcAttr{Credential: who}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb failed: %w\n%s", err, out), os.RemoveAll(dir))
	}
	s := &server{dir: dir, log: &bytes.Buffer{}, done: make(chan struct{})}
	// Nobody cuts the power of a test: without fsync it is several times faster.
	s.cmd = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=", //nolint:gosec // found above
		"-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=32MB")
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, s.log, s.log
	// The server goes when we go, however we go.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Pdeathsig: syscall.SIGQUIT}
	started := make(chan error)
	go s.serve(started)
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("can't start PostgreSQL: %w", err), os.RemoveAll(dir))
	}
	if err := s.await(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// serve starts the server and waits for its end. It keeps its thread: the
// kernel ends a child when the thread that made it does.
func (s *server) serve(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(s.done)
	err := s.cmd.Start()
	started <- err
	if err == nil {
		_ = s.cmd.Wait() // it ends by a signal
	}
}

func (s *server) await() error {
	deadline := time.Now().Add(startTimeout)
	for {
		err := s.run("postgres", "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("PostgreSQL ended at once:\n%s", s.log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not answer within %v: %w", startTimeout, err)
		}
	}
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGINT) // "fast": sessions are ended
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Signal(syscall.SIGQUIT)
		<-s.done
	}
	_ = os.RemoveAll(s.dir)
}

// binaries finds the directory of initdb and postgres.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && has(filepath.Dir(path), "postgres") {
			return filepath.Dir(path), nil
		}
	}
	// Debian keeps each version apart; the newest will do.
	list, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(list, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range list {
		if has(dir, "initdb") && has(dir, "postgres") {
			return dir, nil
		}
	}
	return "", errMissing
}

func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))) // others come last
	return n
}

func has(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// owner decides as whom the server runs, and gives that user dir: PostgreSQL
// refuses to run as root.
func owner(dir string) (*syscall.Credential, error) {
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			u, err = user.Lookup("nobody")
		}
		if err != nil {
			return nil, fmt.Errorf("PostgreSQL does not run as root and there is neither a user postgres nor nobody: %w", err)
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			return nil, err
		}
		if gid, err = strconv.Atoi(u.Gid); err != nil {
			return nil, err
		}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: os.Getuid() != 0}, nil //nolint:gosec // ids are small
}

// sweep removes what test binaries left that were killed.
func sweep() {
	list, _ := filepath.Glob(filepath.Join("/tmp", prefix+"*")) // the pattern is well formed
	for _, dir := range list {
		word, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		pid, err := strconv.Atoi(word)
		if err != nil || pid <= 0 || syscall.Kill(pid, 0) == nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		_ = os.RemoveAll(dir) // somebody else's, perhaps
	}
}
