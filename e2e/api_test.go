// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestTheCommandsOfTheAPIsManualWork runs what docs/api.md shows against the real
// program, one block after the other, and twice where a key makes that harmless.
func TestTheCommandsOfTheAPIsManualWork(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("curl is not installed")
	}
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 3 {
		t.Fatalf("docs/api.md shows %d blocks of commands, want 3", len(blocks))
	}
	d := serve(t, "incidents: {api: [deploy]}\n")
	token, err := os.ReadFile(d.token(deploy))
	if err != nil {
		t.Fatal(err)
	}
	run := func(block string) string {
		t.Helper()
		sh := exec.Command("sh", "-e", "-c", block)
		sh.Env = append(os.Environ(), "URL="+d.url(), "TOKEN="+strings.TrimSpace(string(token)))
		out, err := sh.CombinedOutput()
		if err != nil {
			t.Errorf("%v: %s\n%s", err, block, out)
		}
		return string(out)
	}
	if out := run(blocks[0][1]); !strings.Contains(out, `"number":1`) || strings.Contains(out, "repeated") {
		t.Error(out)
	}
	d.kill()
	d.start()
	if out := run(blocks[0][1]); !strings.Contains(out, `"number":1`) || !strings.Contains(out, `"repeated":true`) {
		t.Errorf("after a kill, by the same key: %s", out)
	}
	if out := run(blocks[1][1]); !strings.Contains(out, `"incidents":[{"number":1`) || !strings.Contains(out, `"kind":"declared"`) {
		t.Error(out)
	}
	if out := run(blocks[2][1]); !strings.Contains(out, `"status":"resolved"`) || !strings.Contains(out, "program deploy") {
		t.Error(out)
	}
	if out := run(`curl -sS -w '%{http_code}' "$URL/api/incidents" -H "Authorization: Bearer wrong"`); !strings.HasSuffix(out, "401") {
		t.Error(out)
	}
	r, err := http.Get(d.url() + "/api/incidents") //nolint:noctx // the test has a limit
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.Close(); err != nil || r.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d, %v", r.StatusCode, err)
	}
}
