// SPDX-License-Identifier: Apache-2.0

package alertmanager

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/monitor"
	"belfry/monitor/monitortest"
)

// sent are the bodies that a real Alertmanager 0.25 sent.
func sent(t testing.TB) [][]byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/alertmanager-0.25.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
}

const one = `{"receiver":"r","status":"firing","alerts":[%s],"groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://am","version":"4","groupKey":"{}","truncatedAlerts":0}`

func body(alerts string) []byte { return fmt.Appendf(nil, one, alerts) }

func open(t testing.TB) monitor.Monitor {
	t.Helper()
	m, err := (&Config{}).Open(Options{Name: "prometheus"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func decode(t *testing.T, b []byte) monitor.Decoded {
	t.Helper()
	d, err := open(t).Decode("application/json", b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestContract(t *testing.T) {
	good := map[string][]byte{
		"no alerts at all in an alert's maps": body(`{"status":"firing"}`),
		"grafana": []byte(`{"receiver":"r","status":"firing","orgId":1,"alerts":[{"status":"firing","labels":{"alertname":"A"},"annotations":{},` +
			`"startsAt":"2026-11-22T04:30:04.123Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://g.example/alerting/1","fingerprint":"c6","silenceURL":"https://g","dashboardURL":"","panelURL":"",` +
			`"values":{"B":22},"valueString":"[x]","imageURL":""}],"groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"","version":"1","groupKey":"g","truncatedAlerts":0,"title":"t","state":"alerting","message":"m"}`),
	}
	for i, b := range sent(t)[:4] {
		good[fmt.Sprint("what was sent, ", i)] = b
	}
	many := strings.TrimSuffix(strings.Repeat(`{},`, MaxAlerts+1), ",")
	monitortest.Decoding(t, monitortest.Intake{
		Monitor: open(t), Good: good, Largest: MaxBody,
		Bad: map[string]monitortest.Bad{
			"another version":  {Body: []byte(`{"version":"3","alerts":[]}`), Says: `version: "3" is not understood`},
			"no version":       {Body: []byte(`{"alerts":[]}`), Says: "version is missing"},
			"no alerts":        {Body: []byte(`{"version":"4"}`), Says: "alerts is missing"},
			"too many":         {Body: body(many), Says: "set max_alerts"},
			"no status":        {Body: body(`{"status":"firing"},{"labels":{}}`), Says: "alert 2 of 2: status"},
			"another status":   {Body: body(`{"status":"pending"}`), Says: "it is firing or resolved"},
			"a label's number": {Body: body(`{"status":"firing","labels":{"a":1}}`), Says: "labels"},
			"no time":          {Body: body(`{"status":"firing","startsAt":"yesterday"}`), Says: `"yesterday" is not a time`},
			"alerts as text":   {Body: []byte(`{"version":"4","alerts":"x"}`), Says: `"alerts": string is not`},
		},
	})
}

func TestWhatWasSent(t *testing.T) {
	all := sent(t)
	first := decode(t, all[1])
	want := alert.Report{
		Kind:     alert.ReportProblem,
		Object:   alert.Object{Kind: alert.KindRule, Rule: "DiskFull", Host: "web02", Key: "8af73e5d44619a30"},
		Labels:   alert.Labels{"alertname": "DiskFull", "cluster": "eu1", "instance": "web02", "severity": "critical"},
		State:    "firing",
		Severity: alert.SeverityCritical,
		Output:   "disk <full> on web02 \"q\" ü\nrunbook: http://wiki/x",
		Link:     "http://prom/graph?g0.expr=x", ProblemID: "2026-11-22T04:30:04Z",
		At: time.Date(2026, 11, 22, 4, 30, 4, 0, time.UTC),
	}
	if diff := cmp.Diff(want, first.Reports[1]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	end := decode(t, all[2]).Reports[0]
	if end.Kind != alert.ReportRecovery || end.Severity != alert.SeverityOK || end.State != "resolved" || end.At.IsZero() || end.ProblemID != "" {
		t.Errorf("the end: %+v", end)
	}
	if end.Object.Fingerprint() != first.Reports[1].Object.Fingerprint() {
		t.Error("the end is not of the alert that fired")
	}
	if first.Reports[0].Object.Fingerprint() == first.Reports[1].Object.Fingerprint() {
		t.Error("two alerts of a group are one object")
	}
}

// All that a real Alertmanager sent in a row, told to alert.Apply: repeats of
// a webhook make no second alert and no news.
func TestRepeatsAreNoNews(t *testing.T) {
	open := map[alert.Fingerprint]*alert.Alert{}
	news := 0
	for _, b := range sent(t) {
		for _, r := range decode(t, b).Reports {
			fp := r.Object.Fingerprint()
			out := alert.Apply("am", open[fp], nil, r, time.Now())
			for i, a := range out.Alerts {
				news += len(out.Events[i])
				if open[fp] = a; a.Status == alert.Resolved {
					delete(open, fp)
				}
			}
		}
	}
	if len(open) != 2 || news != 4 {
		t.Errorf("%d alerts are open and %d events were made; want 2 and 4: three began, one ended", len(open), news)
	}
}

func TestANewStartIsANewProblem(t *testing.T) {
	at := func(start, status string) alert.Report {
		return decode(t, body(`{"status":"`+status+`","labels":{"alertname":"A"},"fingerprint":"f1","startsAt":"`+start+`","endsAt":"2026-01-01T09:00:00Z"}`)).Reports[0]
	}
	now := time.Now()
	first := alert.Apply("am", nil, nil, at("2026-01-01T08:00:00.5Z", "firing"), now).Alerts[0]
	if again := alert.Apply("am", first, nil, at("2026-01-01T08:00:00.500Z", "firing"), now); len(again.Alerts) != 0 {
		t.Error("the same start, sent again, is news")
	}
	if moved := alert.Apply("am", first.Clone(), nil, at("2026-01-01T07:59:58Z", "resolved"), now); len(moved.Alerts) != 1 || moved.Alerts[0].Status != alert.Resolved {
		t.Error("an end whose start moved leaves the alert open")
	}
	next := alert.Apply("am", first, nil, at("2026-01-02T08:00:00Z", "firing"), now)
	if len(next.Alerts) != 2 || next.Alerts[0].Status != alert.Resolved || next.Alerts[1].Status != alert.Firing {
		t.Errorf("a new start made %d changes", len(next.Alerts))
	}
}

func TestWarnings(t *testing.T) {
	for name, x := range map[string]struct {
		body []byte
		says string
	}{
		"left out":      {[]byte(`{"version":"4","alerts":[],"truncatedAlerts":7}`), "left out 7 alerts"},
		"severity":      {body(`{"status":"firing","labels":{"severity":"purple"}}`), `severity: "purple" is not known`},
		"link":          {body(`{"status":"firing","generatorURL":"javascript:alert(1)"}`), "is not used as a link"},
		"key":           {[]byte(`{"version":"4","alerts":[],"surprise":{"a":1}}`), `unknown key "surprise"`},
		"alert's key":   {body(`{"status":"firing","surprise":[1]}`), `unknown key "surprise" of an alert`},
		"long label":    {body(`{"status":"firing","labels":{"a":"` + strings.Repeat("x", maxLabel+1) + `"}}`), `label "a" is cut`},
		"bad label key": {body(`{"status":"firing","labels":{"a\u0007b":"x"}}`), "is not used: its name"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decode(t, x.body)
			if len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], x.says) {
				t.Errorf("warnings %q, want one with %q", d.Warnings, x.says)
			}
			monitortest.CheckReports(t, d.Reports)
		})
	}
}

func TestSeverities(t *testing.T) {
	for label, want := range map[string]alert.Severity{
		`"severity":"critical"`: alert.SeverityCritical, `"severity":"Warning"`: alert.SeverityWarning,
		`"severity":"info"`: alert.SeverityInfo, `"severity":"ok"`: alert.SeverityInfo, `"team":"x"`: alert.SeverityUnknown,
	} {
		if got := decode(t, body(`{"status":"firing","labels":{`+label+`}}`)).Reports[0].Severity; got != want {
			t.Errorf("%s is %v, want %v", label, got, want)
		}
	}
}

func TestWithoutFingerprintTheLabelsIdentify(t *testing.T) {
	key := func(labels string) string {
		return decode(t, body(`{"status":"firing","labels":{`+labels+`}}`)).Reports[0].Object.Key
	}
	if a, b := key(`"a":"1","b":"2"`), key(`"b":"2","a":"1"`); a != b || a == "" {
		t.Errorf("the order of labels makes %q and %q", a, b)
	}
	if key(`"a":"1"`) == key(`"a":"2"`) {
		t.Error("other labels, but the same object")
	}
}

// The lists of keys that warnings go by are the structs'.
func TestKeysAreTheStructs(t *testing.T) {
	for known, of := range map[string]reflect.Type{groupKeys: reflect.TypeFor[webhook](), alertKeys: reflect.TypeFor[webhookAlert]()} {
		var keys []string
		for f := range of.Fields() {
			keys = append(keys, f.Tag.Get("json"))
		}
		listed := strings.Fields(known)
		slices.Sort(keys)
		slices.Sort(listed)
		if diff := cmp.Diff(keys, listed); diff != "" {
			t.Errorf("%v: %s", of, diff)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range sent(f)[:4] {
		f.Add(b)
	}
	f.Add(body(`{"status":"firing","labels":{"severity":"x\u0000"},"surprise":null,"generatorURL":"//x"}`))
	f.Add([]byte(`{"version":4}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Monitor{}.Decode("application/json", b)
		if err != nil {
			if len(err.Error()) > 600 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		monitortest.CheckReports(t, d.Reports)
		for _, r := range d.Reports {
			if !json.Valid(mustJSON(t, r)) {
				t.Error("a report that is no JSON")
			}
		}
	})
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkDecode(b *testing.B) {
	one := sent(b)[0]
	b.SetBytes(int64(len(one)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Monitor{}).Decode("application/json", one); err != nil {
			b.Fatal(err)
		}
	}
}
