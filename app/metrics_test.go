// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belfry/store/opentest"
)

// TestMetricsTellWhatHappened: what goes through Belfry is counted, and only
// whoever has the token is told.
func TestMetricsTellWhatHappened(t *testing.T) {
	dir := opentest.Dir(t)
	a := start(t, file(t, "server: {metrics: true}\nsources: [{name: nagios, kind: nagios}]\ndefault: {channels: [room/alerts]}\n"), dir)
	defer stop(t, a)
	read := func(bearer string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.Address()+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+bearer)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(text)
	}
	secret := func(name string) string {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%s: %v, %v", name, info, err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	token, source := secret("metrics-token"), secret("nagios.token")
	if status, _ := read(source); status != http.StatusUnauthorized {
		t.Errorf("a source's token reads metrics: %d", status)
	}
	if _, text := read(token); !strings.Contains(text, `belfry_intake_requests_total{outcome="failed",source="nagios"} 0`) || !strings.Contains(text, `belfry_intake_requests_total{outcome="unauthorized",source=""} 0`) {
		t.Errorf("counters do not begin at 0:\n%s", text)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.Address()+"/intake/nagios",
		strings.NewReader(`{"type":"Host","notificationtype":"PROBLEM","hostname":"web01","state":"1","output":"no answer"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+source)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, said)
	}
	wanted := []string{`belfry_intake_requests_total{outcome="taken",source="nagios"} 1`, `belfry_intake_reports_total{source="nagios"} 1`, `belfry_alerts_firing{severity="critical",source="nagios"} 1`,
		`belfry_deliveries_total{connection="room",kind="card",outcome="done"} 1`, "belfry_database_up 1"}
	var text string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		_, text = read(token)
		missing := false
		for _, line := range wanted {
			missing = missing || !strings.Contains(text, "\n"+line+"\n")
		}
		if !missing {
			return
		}
	}
	t.Errorf("not told: one of\n%s\nin\n%s", strings.Join(wanted, "\n"), text)
}
