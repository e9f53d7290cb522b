// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/monitor"
	"belfry/monitor/monitortest"
	"belfry/translate"
)

func open(t *testing.T, c Config) monitor.Hook {
	t.Helper()
	if wrong := c.Validate(); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	m, err := c.Open()
	if err != nil {
		t.Fatal(err)
	}
	h, ok := m.(monitor.Hook)
	if !ok {
		t.Fatal("no hook")
	}
	return h
}

func TestContract(t *testing.T) {
	monitortest.Decoding(t, monitortest.Intake{
		Monitor: open(t, Config{Program: "uptime-kuma"}), Largest: translate.MaxInput,
		Good: map[string][]byte{
			"down":   []byte(`{"heartbeat":{"monitorID":1,"status":0,"time":"2026-09-24 23:51:35.527","msg":"x"},"monitor":{"id":1,"name":"shop","url":"https://shop.example"},"msg":"m"}`),
			"a test": []byte(`{"heartbeat":null,"monitor":null,"msg":"My Belfry Testing"}`),
		},
		Bad: map[string]monitortest.Bad{
			"no name": {Body: []byte(`{"heartbeat":{"status":0},"monitor":{}}`), Says: "monitor.name is missing"},
			"a list":  {Body: []byte(`[]`), Says: "expected an object"},
		},
	})
}

func TestAProgramOfOnesOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.jq")
	if err := os.WriteFile(path, []byte("# mine\n{status: .s, host: .h}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{{JQ: "{status: .s, host: .h}"}, {JQFile: path}} {
		d, err := open(t, c).Decode("application/x-www-form-urlencoded", []byte("s=firing&h=web01"))
		if err != nil || len(d.Reports) != 1 || d.Reports[0].Kind != alert.ReportProblem || d.Reports[0].Object.Name() != "web01" {
			t.Errorf("%+v: %+v, %v", c, d, err)
		}
	}
}

func TestWrongConfigurations(t *testing.T) {
	for _, c := range []struct {
		config Config
		says   string
	}{
		{Config{}, "program: gitlab|grafana|jenkins|uptime-kuma|zabbix"},
		{Config{Program: "grafana", JQ: "."}, "jq: program is set too"},
		{Config{Program: "grafna"}, `program: "grafna" is not known; known are gitlab, grafana`},
		{Config{JQ: ".a |"}, "jq: the program is not jq: it ends too soon, on line 1"},
		{Config{JQFile: filepath.Join(t.TempDir(), "none.jq")}, "jq_file: can't read the program"},
	} {
		wrong := errors.Join(c.config.Validate()...)
		if wrong == nil || !strings.Contains(wrong.Error(), c.says) {
			t.Errorf("%+v: said %v", c.config, wrong)
		}
	}
}

func TestAnswers(t *testing.T) {
	h := open(t, Config{Program: "grafana"})
	for _, c := range []struct {
		outcome monitor.Outcome
		status  int
		body    string
	}{
		{monitor.Outcome{Accepted: 2, Warnings: []string{"w"}}, 200, `{"accepted":2,"warnings":["w"]}`},
		{monitor.Outcome{Fault: errors.New("alerts is missing"), Kept: true}, 202, `{"accepted":0,"warnings":["not understood, kept for an administrator: alerts is missing"]}`},
		{monitor.Outcome{Fault: errors.New("alerts is missing")}, 400, `{"accepted":0,"error":"alerts is missing"}`},
	} {
		if a := h.Answer(c.outcome); a.Status != c.status || strings.TrimSpace(a.Body) != c.body || a.ContentType != "application/json" {
			t.Errorf("%+v: %+v", c.outcome, a)
		}
	}
}
