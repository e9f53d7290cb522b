// SPDX-License-Identifier: Apache-2.0

// Package nagiostest gives tests something real, and something fake, to talk
// to: Start runs a throw-away Nagios Core 4 from the installed binary
// (nagios.go, files.go), NewCore is the small core behind a fake Naemon query
// socket and a fake livestatus (core.go, query.go, livestatus.go), which answer
// as the real ones were seen to and fail on demand.
package nagiostest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Options say how a Nagios differs from the plain one, which has one host and
// one service, checked every second, and notifies nobody.
type Options struct {
	// Dir is where everything goes: one that Dir made, or empty for a new one.
	Dir string
	// NotifyCommandHost and NotifyCommandService are whole command_line values,
	// run by a shell for every notification; empty: nothing is run.
	NotifyCommandHost, NotifyCommandService string
	// Env is added to the environment of the core, and so of its commands
	// ("NAME=value").
	Env []string
	// Host and Service name the objects: "web01" and "Disk /var" if empty.
	Host, Service string
	// Address is the host's, 127.0.0.1 if empty.
	Address string
	// Contacts are who is notified: "chat" if empty. Nagios runs the command
	// once for each.
	Contacts []string
	// Renotify is notification_interval in seconds; 0: once.
	Renotify int
	// NotificationTimeout in seconds; 30 if 0.
	NotificationTimeout int
}

// Nagios is a running core. It ends with the test.
type Nagios struct {
	// Dir holds everything; Pipe, StatusFile, QuerySocket and LogFile are paths.
	Dir, Pipe, StatusFile, QuerySocket, LogFile string
	// Host and Service are the objects' names.
	Host, Service string

	t    testing.TB
	opts Options
	who  *syscall.Credential
	cmd  *exec.Cmd
	done chan struct{}
	out  bytes.Buffer
}

// binary is where Debian's nagios4-core puts it.
const binary = "/usr/sbin/nagios4"

// Need ends the test when there is no nagios4: as a failure in CI, where it
// must be, and as a skip elsewhere. It returns the binary.
func Need(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("nagios4"); err == nil {
		return path
	}
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	const text = "there is no nagios4 here; on Debian: apt-get install nagios4-core"
	if os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	t.Skip(text)
	return ""
}

// Dir returns a new directory that belongs to whom Nagios will run as, and that
// everybody may enter. It goes with the test.
func Dir(t testing.TB) string {
	t.Helper()
	// t.TempDir is closed to others, and Nagios will not run as root.
	dir, err := os.MkdirTemp("", "nagios")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // another user has to get in
		t.Fatal(err)
	}
	Own(t, dir)
	return dir
}

// Own gives files to whom Nagios runs as, so that its commands can use them.
func Own(t testing.TB, paths ...string) {
	t.Helper()
	who := credential(t)
	if who == nil {
		return
	}
	for _, p := range paths {
		if err := os.Lchown(p, int(who.Uid), int(who.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// credential returns whom to run Nagios as: nil for ourselves, unless we are
// root.
func credential(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"nagios", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Fatal("nagios can't run as root, and there is neither a user nagios nor nobody")
	return nil
}

// Start runs a Nagios and returns once it takes commands.
func Start(t testing.TB, o Options) *Nagios {
	t.Helper()
	Need(t)
	if o.Dir == "" {
		o.Dir = Dir(t)
	}
	o.Host, o.Service = or(o.Host, "web01"), or(o.Service, "Disk /var")
	o.Address = or(o.Address, "127.0.0.1")
	if len(o.Contacts) == 0 {
		o.Contacts = []string{"chat"}
	}
	if o.NotificationTimeout == 0 {
		o.NotificationTimeout = 30
	}
	n := &Nagios{
		Dir: o.Dir, Host: o.Host, Service: o.Service, t: t, opts: o, who: credential(t),
		Pipe: filepath.Join(o.Dir, "rw", "nagios.cmd"), QuerySocket: filepath.Join(o.Dir, "rw", "nagios.qh"),
		StatusFile: filepath.Join(o.Dir, "status.dat"), LogFile: filepath.Join(o.Dir, "nagios.log"),
	}
	n.writeFiles()
	t.Cleanup(func() { n.end(syscall.SIGKILL) })
	n.Start()
	return n
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Start runs Nagios again after Stop or Kill, in the same directory.
func (n *Nagios) Start() {
	n.t.Helper()
	if n.cmd != nil {
		n.t.Fatal("nagios runs already")
	}
	// What a stop left behind would look like a start that succeeded.
	for _, p := range []string{n.Pipe, n.QuerySocket, n.StatusFile} {
		_ = os.Remove(p)
	}
	n.out.Reset()
	// It is ended by Stop, Kill and the test's clean-up, workers and all, which a
	// context would leave behind.
	n.cmd = exec.CommandContext(context.Background(), Need(n.t), filepath.Join(n.Dir, "nagios.cfg")) //nolint:gosec // the installed core and our own file
	n.cmd.Dir = n.Dir
	n.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + n.Dir}, n.opts.Env...)
	n.cmd.Stdout, n.cmd.Stderr = &n.out, &n.out
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: n.who}
	// Its workers keep the output open for a moment after it.
	n.cmd.WaitDelay = 5 * time.Second
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	done := make(chan struct{})
	n.done = done
	go func(c *exec.Cmd) {
		_ = c.Wait()
		close(done)
	}(n.cmd)
	n.WaitFor("nagios to take commands", func() bool {
		select {
		case <-done:
			n.t.Fatalf("nagios ended at its start:\n%s", n.out.String())
		default:
		}
		info, err := os.Stat(n.Pipe)
		if err != nil || info.Mode()&os.ModeNamedPipe == 0 {
			return false
		}
		_, err = os.Stat(n.StatusFile)
		return err == nil && n.reads()
	})
}

// reads says whether somebody has the command pipe open for reading.
func (n *Nagios) reads() bool {
	fd, err := syscall.Open(n.Pipe, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	_ = syscall.Close(fd)
	return true
}

// Stop ends Nagios as a service manager would and waits until nobody reads its
// pipe, which it leaves behind.
func (n *Nagios) Stop() {
	n.t.Helper()
	n.end(syscall.SIGTERM)
	n.WaitFor("the command pipe to be left", func() bool { return !n.reads() })
}

// Kill ends Nagios with SIGKILL, its workers too.
func (n *Nagios) Kill() {
	n.t.Helper()
	n.end(syscall.SIGKILL)
	n.WaitFor("the command pipe to be left", func() bool { return !n.reads() })
}

func (n *Nagios) end(sig syscall.Signal) {
	if n.cmd == nil {
		return
	}
	to := n.cmd.Process.Pid
	if sig == syscall.SIGKILL {
		to = -to
	}
	_ = syscall.Kill(to, sig)
	select {
	case <-n.done:
	case <-time.After(10 * time.Second):
		_ = syscall.Kill(-n.cmd.Process.Pid, syscall.SIGKILL)
		<-n.done
	}
	// Workers that outlived it are in its group.
	_ = syscall.Kill(-n.cmd.Process.Pid, syscall.SIGKILL)
	n.cmd = nil
}

// SetService sets what the service's check says: "2 CRITICAL - disk full\nlong
// output"; the number is the exit code. The next check, within about a second,
// sees it.
func (n *Nagios) SetService(result string) { n.t.Helper(); n.setState("svc", result) }

// SetHost sets what the host's check says: "2 DOWN - gone" or "0 UP - fine".
func (n *Nagios) SetHost(result string) { n.t.Helper(); n.setState("host", result) }

func (n *Nagios) setState(file, result string) {
	n.t.Helper()
	path := filepath.Join(n.Dir, "state", file)
	// In one step: a check must never see half of it.
	if err := os.WriteFile(path+".new", []byte(result+"\n"), 0o644); err != nil { //nolint:gosec // the core reads it
		n.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		n.t.Fatal(err)
	}
}

// Command writes one line into the command pipe, as an operator's script would.
func (n *Nagios) Command(format string, args ...any) {
	n.t.Helper()
	f, err := os.OpenFile(n.Pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := fmt.Fprintf(f, "[%d] %s\n", time.Now().Unix(), fmt.Sprintf(format, args...)); err != nil {
		n.t.Fatal(err)
	}
}

// Log returns what Nagios has logged since the first start.
func (n *Nagios) Log() string {
	b, err := os.ReadFile(n.LogFile)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Commands returns the external commands that Nagios logged, without time.
func (n *Nagios) Commands() []string {
	var out []string
	for line := range strings.Lines(n.Log()) {
		if _, c, ok := strings.Cut(line, "EXTERNAL COMMAND: "); ok {
			out = append(out, strings.TrimRight(c, "\n"))
		}
	}
	return out
}

// Settle waits until status.dat shows all that Nagios knew at the call.
func (n *Nagios) Settle() {
	n.t.Helper()
	now := time.Now()
	n.WaitFor("status.dat to be written anew", func() bool {
		info, err := os.Stat(n.StatusFile)
		return err == nil && info.ModTime().After(now)
	})
}

// WaitFor waits until ok, at most 30 seconds; what it waits for is named when
// that never comes.
func (n *Nagios) WaitFor(what string, ok func() bool) {
	n.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			n.t.Fatalf("waited in vain for %s; nagios logged:\n%s", what, n.Log())
		}
		time.Sleep(20 * time.Millisecond)
	}
}
