// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/store/pgtest"
)

// program is the real binary, built once, where everybody may run it.
var program string

func TestMain(m *testing.M) {
	code, err := build(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func build(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "belfry-e2e-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // a monitoring core runs it as another user
		return 0, err
	}
	program = filepath.Join(dir, "belfry")
	build := exec.Command("go", "build", "-o", program, "belfry/cmd/belfry")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("can't build the program: %w\n%s", err, out)
	}
	defer pgtest.Stop()
	// What runs at once here waits for other processes most of the time: more of it
	// fits than there are processors.
	if err := flag.Set("test.parallel", "20"); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// desk is a running belfry serve.
type desk struct {
	t      *testing.T
	dir    string
	port   string
	config string
	cmd    *exec.Cmd
	out    *output
	ended  chan struct{}
	// starting says that nobody may kill it now: start waits until it is ready.
	starting atomic.Bool
}

// output collects what the program says while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// serve starts belfry serve with a configuration, in which PORT and DIR are
// replaced, and waits until it is ready.
func serve(t *testing.T, config string) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), port: freePort(t)}
	d.config = filepath.Join(d.dir, "belfry.yaml")
	text := strings.NewReplacer("PORT", d.port, "DIR", d.dir).Replace(config)
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.start()
	t.Cleanup(func() {
		d.kill()
		d.tellsNoSecret()
		if t.Failed() {
			t.Logf("belfry said:\n%s", d.out)
		}
	})
	return d
}

// lastPort is the port that was given out last. They are below those that the
// kernel takes for outgoing calls (from 32768 on, in Linux), so that none is
// gone when a program that was killed starts again, and none is given twice.
var lastPort atomic.Int32

func freePort(t *testing.T) string {
	t.Helper()
	lastPort.CompareAndSwap(0, 20000+int32(os.Getpid()%100)*100) //nolint:gosec // below 30000
	for range 1000 {
		port := strconv.Itoa(int(lastPort.Add(1)))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		_ = l.Close()
		return port
	}
	t.Fatal("no port is free")
	return ""
}

func (d *desk) start() {
	d.t.Helper()
	if d.out == nil {
		d.out = &output{}
	}
	d.starting.Store(true)
	defer d.starting.Store(false)
	d.cmd = exec.Command(program, "serve", "--config", d.config, "--data", filepath.Join(d.dir, "data"), "--listen", "127.0.0.1:"+d.port)
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.ended = make(chan struct{})
	go func(c *exec.Cmd, ended chan struct{}) { _ = c.Wait(); close(ended) }(d.cmd, d.ended)
	until(d.t, "belfry to be ready", func() bool {
		select {
		case <-d.ended:
			d.t.Fatalf("belfry ended at its start:\n%s", d.out)
		default:
		}
		r, err := http.Get(d.url() + "/readyz")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

func (d *desk) url() string { return "http://127.0.0.1:" + d.port }

func (d *desk) signal(s syscall.Signal) {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(s)
	<-d.ended
	d.cmd = nil
}

// kill ends the program the hard way.
func (d *desk) kill() { d.signal(syscall.SIGKILL) }

// stop ends the program the way an administrator does.
func (d *desk) stop() { d.signal(syscall.SIGTERM) }

// token is that of a source whose token belfry made.
func (d *desk) token(source string) string { return filepath.Join(d.dir, "data", source+".token") }

// hand hands a body over as a source and wants it taken.
func (d *desk) hand(source, body string) {
	d.t.Helper()
	if !d.try(source, body) {
		d.t.Fatal("belfry went away while something was handed over")
	}
}

// try hands a body over; false when belfry went away without an answer.
func (d *desk) try(source, body string) bool {
	d.t.Helper()
	token, err := os.ReadFile(d.token(source))
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, d.url()+"/intake/"+source, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	if said, err := io.ReadAll(answer.Body); err != nil {
		return false
	} else if answer.StatusCode != http.StatusOK {
		d.t.Fatalf("not taken: %s %s", answer.Status, said)
	}
	return true
}

// mattermost starts a Mattermost with a channel "alerts" and returns the part
// of a configuration that connects to it and sends everything there.
func mattermost(t *testing.T, o ...mattermosttest.Options) (*mattermosttest.Server, string) {
	t.Helper()
	m := mattermosttest.Start(t, o...)
	m.AddChannel("alerts")
	return m, fmt.Sprintf(`
connections:
  - {name: chat, kind: mattermost, url: "%s", token: "%s", team: %s, timeout: 3s}
default: {channels: [chat/alerts]}
`, m.URL(), m.Token(), mattermosttest.Team)
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
