// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"belfry/clock"
	"belfry/monitor/notification"
	"belfry/notify/notifytest"

	"go.uber.org/goleak"
)

// beNotify makes the test program be `belfry notify`, so that tests can kill
// a real process.
const beNotify = "BELFRY_TEST_BE_NOTIFY"

func TestMain(m *testing.M) {
	if os.Getenv(beNotify) != "" {
		os.Exit(Run(context.Background(), Call{Args: os.Args[1:], Getenv: os.Getenv,
			Stdout: os.Stdout, Stderr: os.Stderr, Clock: clock.System{}}))
	}
	// Every step of the model syncs files; the flag still wins.
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const token = "a-token-that-nobody-guesses"

// estate is a fake server, a spool and a way to call notify.
type estate struct {
	t      *testing.T
	server *notifytest.Server
	spool  string
	token  string
	env    map[string]string
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	dir := t.TempDir()
	e := &estate{t: t, spool: filepath.Join(dir, "spool"), token: filepath.Join(dir, "token")}
	must(t, os.WriteFile(e.token, []byte(token+"\n"), 0o600))
	server, err := notifytest.Start("tcp", "127.0.0.1:0", token)
	must(t, err)
	e.server = server
	t.Cleanup(server.Stop)
	e.env = map[string]string{"BELFRY_URL": server.URL, "BELFRY_TOKEN_FILE": e.token, "BELFRY_SPOOL": e.spool}
	return e
}

// call runs notify and returns its exit code and what it said.
func (e *estate) call(args ...string) (code int, stdout, stderr string) {
	e.t.Helper()
	var out, errs bytes.Buffer
	code = Run(e.t.Context(), Call{Args: args, Getenv: func(k string) string { return e.env[k] },
		Stdout: &out, Stderr: &errs, Clock: clock.System{}})
	return code, out.String(), errs.String()
}

// process is belfry notify as a process of its own, for a host's problem.
func (e *estate) process(output string, more ...string) *exec.Cmd {
	args := append([]string{"--type", "Host", "--notificationtype", "PROBLEM", "--hostname", "h", "--output", output,
		"--url", e.server.URL, "--token-file", e.token, "--spool", e.spool}, more...)
	cmd := exec.Command(os.Args[0], args...) //nolint:gosec // this very program
	// The race detector has a program that ends wait a second for others to race.
	cmd.Env = []string{beNotify + "=1", "GORACE=atexit_sleep_ms=0"}
	return cmd
}

// problem calls notify for a problem whose output is text.
func (e *estate) problem(text string) (code int, stderr string) {
	e.t.Helper()
	code, _, stderr = e.call("--type", "Host", "--notificationtype", "PROBLEM", "--hostname", "web01", "--state", "1", "--output", text)
	return code, stderr
}

// outputs returns the output of everything that the server took, in order.
func (e *estate) outputs() []string {
	var out []string
	for _, n := range e.server.Taken() {
		out = append(out, n.Output)
	}
	return out
}

func (e *estate) waiting() int {
	e.t.Helper()
	s, err := openSpool(e.spool, clock.System{})
	must(e.t, err)
	defer s.close()
	all, err := s.entries()
	must(e.t, err)
	return len(all)
}

var systemClock clock.Clock = clock.System{}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func hostProblem(id string) notification.Notification {
	return notification.Notification{ID: id, SentAt: clock.System{}.Now(), Type: "Host", NotificationType: "PROBLEM", HostName: "web01", State: "1", Output: id}
}
