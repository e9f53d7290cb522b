// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"belfry/fault"
)

// fifo makes a command pipe that nobody reads.
func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nagios.cmd")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// reader opens a pipe as a core does, which never waits either.
func readerOf(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestPipeTroubles(t *testing.T) {
	plainFile := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(plainFile, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := fifo(t)
	readerOf(t, full)
	for {
		_, err := pipe{full}.send(t.Context(), strings.Repeat("x", maxLine-1))
		if err != nil {
			break
		}
	}
	for name, x := range map[string]struct{ path, says string }{
		"nobody reads":    {fifo(t), "nagios is not running: nobody reads"},
		"nothing there":   {filepath.Join(t.TempDir(), "no"), "is not there"},
		"a plain file":    {plainFile, "is not a pipe"},
		"a file as a dir": {filepath.Join(plainFile, "x"), "is not there"},
		"full":            {full, "is full"},
		"a directory":     {t.TempDir(), "can't open the command pipe"},
	} {
		t.Run(name, func(t *testing.T) {
			confirmed, err := pipe{x.path}.send(t.Context(), "[1] X")
			if d, _ := fault.Of(err); confirmed || d != fault.Retry || !strings.Contains(err.Error(), x.says) || !strings.Contains(err.Error(), x.path) {
				t.Errorf("%v, %v", d, err)
			}
		})
	}
	if b, err := os.ReadFile(plainFile); err != nil || string(b) != "kept" {
		t.Errorf("a plain file was written to: %q, %v", b, err)
	}
}

// Root may write everywhere, so the refusal itself is put in.
func TestPipeWithoutPermissionNamesTheRemedy(t *testing.T) {
	path := fifo(t)
	err := pipe{path}.openTrouble(unix.EACCES)
	if d, _ := fault.Of(err); d != fault.Retry || !strings.Contains(err.Error(), "add its user to the group ") || strings.Contains(err.Error(), "group ,") {
		t.Errorf("%v, %v", d, err)
	}
}

func TestPipeWritesOneWholeLine(t *testing.T) {
	path := fifo(t)
	r := readerOf(t, path)
	line := "[1] " + strings.Repeat("x", maxLine-5)
	if confirmed, err := (pipe{path}).send(t.Context(), line); err != nil || confirmed {
		t.Fatal(confirmed, err)
	}
	got := make([]byte, 2*maxLine)
	n, err := r.Read(got)
	if err != nil || string(got[:n]) != line+"\n" {
		t.Errorf("read %d bytes, %v", n, err)
	}
}
