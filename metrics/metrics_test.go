// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"belfry/alert"
	"belfry/clock"
	"belfry/incident"
	"belfry/metrics"
	"belfry/store"
	"belfry/store/opentest"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func day() time.Time { return time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC) }

func open(t *testing.T) *store.Store {
	t.Helper()
	return opentest.Open(t, store.Options{Clock: clock.NewManual(day())})
}

func fire(t *testing.T, s *store.Store, source, host string, severity alert.Severity, destinations ...string) {
	t.Helper()
	o := alert.Object{Kind: alert.KindHost, Host: host}
	a := &alert.Alert{Source: source, Fingerprint: o.Fingerprint(), Topic: alert.TopicProblem, Status: alert.Firing, Severity: severity, Revision: 1, Object: o, StartsAt: day(), UpdatedAt: day()}
	errs, err := s.Change(t.Context(), store.Change{Source: source, Fingerprint: a.Fingerprint, Apply: func(store.View) ([]store.Effect, error) {
		return []store.Effect{{Alert: a, Events: []alert.Event{{At: day(), Kind: alert.EventAckWanted}}, NewCards: destinations}}, nil
	}})
	if err != nil || errs[0] != nil {
		t.Fatal(errs, err)
	}
}

// declare stores an incident that was started and resolved after these minutes.
func declare(t *testing.T, s *store.Store, i incident.Incident, minutes ...int) {
	t.Helper()
	i.Title, i.CreatedAt, i.UpdatedAt, i.Moments = "the very secret title", day(), day(), map[incident.Status]incident.Moment{}
	for n, status := range []incident.Status{incident.Started, incident.Mitigated, incident.Resolved}[:len(minutes)] {
		i.Moments[status] = incident.Moment{At: day().Add(time.Duration(minutes[n]) * time.Minute)}
	}
	err := s.ChangeIncident(t.Context(), store.IncidentChange{Apply: func(store.IncidentView) ([]store.IncidentEffect, error) {
		return []store.IncidentEffect{{Incident: &i}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func scrape(t *testing.T, m http.Handler) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%d %s\n%s", rec.Code, rec.Header().Get("Content-Type"), rec.Body)
	}
	return rec.Body.String()
}

// ours leaves out what is about Go and the process.
func ours(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "belfry_") || strings.HasPrefix(line, "# HELP belfry_") || strings.HasPrefix(line, "# TYPE belfry_") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestMetrics(t *testing.T) {
	s := open(t)
	fire(t, s, "nagios", "web01", alert.SeverityCritical, "chat/town", "room/alerts")
	fire(t, s, "nagios", "web02", alert.SeverityCritical, "chat/town")
	fire(t, s, "prometheus", "web01", alert.SeverityWarning, "monitor/nagios")
	c, err := s.Claim(t.Context(), "chat/town", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Settle(t.Context(), c.Destination, c.Fence, []store.Settlement{{ID: c.Duties[0].ID, State: store.DutyDead, Failed: true, Err: "archived"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.KeepPayload(t.Context(), store.Payload{Source: "grafana", Body: []byte("?")}); err != nil {
		t.Fatal(err)
	}
	declare(t, s, incident.Incident{Kind: incident.Normal, Status: incident.Resolved, Severity: "SEV1", Services: []string{"shop", "mail"}}, 1, 10, 30)
	declare(t, s, incident.Incident{Kind: incident.Normal, Status: incident.Started, Severity: "SEV1", Services: []string{"shop"}}, 3)
	declare(t, s, incident.Incident{Kind: incident.Sub, Status: incident.InTriage, Severity: "SEV2"})
	declare(t, s, incident.Incident{Kind: incident.Normal, Status: incident.Started, Severity: "SEV2", Private: true, Services: []string{"payroll"}}, 1)
	declare(t, s, incident.Incident{Kind: incident.Test, Status: incident.Started, Severity: "SEV3"}, 1)
	m := metrics.New(metrics.Options{Store: s, Version: "1.2.3"})
	m.Expect("nagios", "taken", "failed")
	m.TookIn("nagios", "taken", 3)
	m.TookIn("nagios", "taken", 1)
	m.TookIn("", "unauthorized", 0)
	m.Delivered("chat/town", "card", "done")
	m.Delivered("chat/hall", "card", "done")
	m.Delivered("chat/hall", "note", "rate_limited")
	m.Delivered("monitor/nagios", "writeback", "refused")
	whole := scrape(t, m)
	if strings.Contains(whole, "secret") || strings.Contains(whole, "payroll") {
		t.Error("something of a private incident is told")
	}
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(whole, "\n"+name+" ") {
			t.Errorf("%s is missing", name)
		}
	}
	golden(t, ours(whole))
	problems, err := promlint.New(strings.NewReader(whole)).Lint()
	for _, p := range problems {
		t.Errorf("against Prometheus' conventions: %s: %s", p.Metric, p.Text)
	}
	if err != nil {
		t.Error(err)
	}
}

func golden(t *testing.T, got string) {
	t.Helper()
	const file = "testdata/metrics.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(bytes.TrimSpace(want)), strings.TrimSpace(got)); diff != "" {
		t.Errorf("-want +got; go test ./metrics -update writes it:\n%s", diff)
	}
}

// TestEveryMetricIsDocumented holds docs/metrics.md to the code.
func TestEveryMetricIsDocumented(t *testing.T) {
	document, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, _, _ := strings.Cut(rest, " ")
			told[name] = true
			if !bytes.Contains(document, []byte("`"+name)) {
				t.Errorf("docs/metrics.md does not tell of %s", name)
			}
		}
	}
	for word := range strings.FieldsFuncSeq(string(document), func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		if strings.HasPrefix(word, "belfry_") && !told[word] {
			t.Errorf("docs/metrics.md tells of %s, which there is not", word)
		}
	}
}

// TestWithoutADatabaseTheCountersAreTold: just then they are wanted.
func TestWithoutADatabaseTheCountersAreTold(t *testing.T) {
	s := open(t)
	m := metrics.New(metrics.Options{Store: s})
	m.TookIn("nagios", "failed", 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec := httptest.NewRecorder()
	m.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
	text := rec.Body.String()
	if rec.Code != http.StatusOK || !strings.Contains(text, "\nbelfry_database_up 0\n") || !strings.Contains(text, `belfry_intake_requests_total{outcome="failed",source="nagios"} 1`) ||
		strings.Contains(text, "belfry_alerts_firing") {
		t.Errorf("%d\n%s", rec.Code, ours(text))
	}
}

// TestServicesWithoutEndStayBounded: a configuration that makes a service of
// every host must not make Prometheus run out of memory.
func TestServicesWithoutEndStayBounded(t *testing.T) {
	s := open(t)
	for n := range 230 {
		declare(t, s, incident.Incident{Kind: incident.Normal, Status: incident.Resolved, Severity: "SEV1", Services: []string{fmt.Sprint("host-", n%220)}}, 0, 0, 10)
	}
	text := scrape(t, metrics.New(metrics.Options{Store: s}))
	if n := strings.Count(text, "\nbelfry_incidents_declared{"); n != 201 {
		t.Errorf("%d groups", n)
	}
	for _, line := range []string{`belfry_incidents_declared{service="host-3",severity="SEV1"} 2`, `belfry_incidents_declared{service="(others)",severity="(others)"} 20`,
		`belfry_incidents_resolve_seconds{service="(others)",severity="(others)"} 12000`} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is missing in\n%s", line, ours(text))
		}
	}
}
