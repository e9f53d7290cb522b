// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestARateLimitLosesNothing(t *testing.T) {
	t.Parallel()
	m, chat := mattermost(t)
	d := serve(t, chat+plainSource)
	m.RateLimit(20, 5)
	const problems = 40
	for i := range problems {
		d.hand("nagios", problem(fmt.Sprintf("service%d.", i), "PROBLEM", 2))
	}
	m.Room("alerts").WaitCards(problems)
	m.Unlimited()
	for i := range problems {
		m.Room("alerts").Card(fmt.Sprintf("service%d. is state 2", i))
	}
	once(t, m.Room("alerts"), problems)
}

// alertmanager starts a real Alertmanager that sends to belfry.
func alertmanager(t *testing.T, webhook, tokenFile string) (url string) {
	t.Helper()
	path, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("this test needs an Alertmanager: install the Debian package prometheus-alertmanager")
		}
		t.Skip("no Alertmanager here: install the Debian package prometheus-alertmanager")
	}
	dir, port := t.TempDir(), freePort(t)
	file := filepath.Join(dir, "alertmanager.yml")
	config := fmt.Sprintf(`
route: {receiver: belfry, group_by: [alertname], group_wait: 100ms, group_interval: 1s, repeat_interval: 1h}
receivers:
- name: belfry
  webhook_configs:
  - url: %s
    http_config: {authorization: {credentials_file: %s}}
`, webhook, tokenFile)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--config.file="+file, "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:"+port, "--cluster.listen-address=")
	said := &output{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("alertmanager said:\n%s", said)
		}
	})
	url = "http://127.0.0.1:" + port
	until(t, "alertmanager to be ready", func() bool {
		r, err := http.Get(url + "/-/ready")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	return url
}

func fireAlert(t *testing.T, url, instance string, ends time.Time) {
	t.Helper()
	alerts := []map[string]any{{
		"labels":      map[string]string{"alertname": "DiskFull", "instance": instance, "severity": "critical"},
		"annotations": map[string]string{"summary": "disk of " + instance + " is full"},
		"startsAt":    time.Now().Add(-time.Minute).Format(time.RFC3339), "generatorURL": "http://prometheus.example/graph",
	}}
	if !ends.IsZero() {
		alerts[0]["endsAt"] = ends.Format(time.RFC3339)
	}
	b, err := json.Marshal(alerts)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Post(url+"/api/v2/alerts", "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Fatalf("alertmanager answered %s", r.Status)
	}
}

func TestARealAlertmanagersAlertsBecomeCards(t *testing.T) {
	t.Parallel()
	m, chat := mattermost(t)
	d := serve(t, chat+"\nsources: [{name: prometheus, kind: alertmanager}]\n")
	url := alertmanager(t, d.url()+"/intake/prometheus", d.token("prometheus"))
	fireAlert(t, url, "web01", time.Time{})
	fireAlert(t, url, "web02", time.Time{})
	one := m.Room("alerts").WaitCard("disk of web01 is full")
	two := m.Room("alerts").WaitCard("disk of web02 is full")
	one.ClickAs("alice", "Acknowledge")
	// Nobody can tell Alertmanager, and the card does not pretend it.
	one.WaitText("alice").WaitText("can't be told")
	fireAlert(t, url, "web02", time.Now())
	two.WaitButtons()
	if one.Color() != red || two.Color() != green || len(one.Buttons()) == 0 {
		t.Errorf("web01 is %s with %q, web02 is %s", one.Color(), one.Buttons(), two.Color())
	}
	once(t, m.Room("alerts"), 2)
}

func TestTheSameNotificationOfTwoContactsMakesOneCard(t *testing.T) {
	t.Parallel()
	e := newEstate(t, "chat", "pager")
	e.nagios.SetService("2 CRITICAL - disk full")
	card := e.room().WaitCard("disk full").WaitText("pager")
	e.nagios.SetService("0 OK - fine")
	card.WaitButtons()
	once(t, e.room(), 1)
	if n := len(card.Thread()); n != 1 {
		t.Errorf("%d notes, want the recovery alone", n)
	}
}
