// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
	if err := flag.Set("test.parallel", "32"); err != nil {
		return 0, err
	}
	return m.Run(), nil
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

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
