// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"os"
	"path/filepath"
	"testing"
)

// A core that restarts leaves nobody to read what its commands say; that must
// not end a call before it handed over.
func TestNobodyNeedsToListen(t *testing.T) {
	e := newEstate(t)
	config := filepath.Join(t.TempDir(), "notify.conf")
	must(t, os.WriteFile(config, []byte("this line is told as a fault\n"), 0o600))
	nobody, stderr, err := os.Pipe()
	must(t, err)
	must(t, nobody.Close())
	cmd := e.process("x", "--config", config)
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil || len(e.outputs()) != 1 {
		t.Errorf("%v, taken %q", err, e.outputs())
	}
	must(t, stderr.Close())
}
