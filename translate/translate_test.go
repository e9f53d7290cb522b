// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"belfry/alert"
	"belfry/monitor"
	"belfry/monitor/monitortest"
)

var update = flag.Bool("update", false, "write what the ready programs make into testdata")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// samples are payloads as the tools document them, by file; their type is told
// by the file's end.
func samples(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for end, kind := range map[string]string{"json": "application/json", "form": "application/x-www-form-urlencoded",
		"multipart": "multipart/form-data; boundary=--------------------------183402715406"} {
		files, err := filepath.Glob("testdata/*." + end)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			out[f] = kind
		}
	}
	return out
}

func ready(t testing.TB, name string) *Program {
	t.Helper()
	p, err := Ready(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func run(p *Program, contentType string, body []byte) (monitor.Decoded, error) {
	in, err := Input(contentType, body)
	if err != nil {
		return monitor.Decoded{}, err
	}
	return p.Run(context.Background(), in)
}

// TestReadyPrograms compares what the ready programs make of each sample with
// the file beside it; -update writes them.
func TestReadyPrograms(t *testing.T) {
	seen := map[string]int{}
	for file, kind := range samples(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, _, _ := strings.Cut(filepath.Base(file), "_")
			d, err := run(ready(t, name), kind, body)
			seen[name]++
			if fault := strings.Contains(file, ".fault."); fault != (err != nil) {
				t.Fatalf("a fault: %v, said: %v", fault, err)
			}
			monitortest.CheckReports(t, d.Reports)
			var text string
			if err != nil {
				text = err.Error() + "\n"
			} else {
				text = written(t, d)
			}
			golden := file + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o644); err != nil { //nolint:gosec // a file of the source tree
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, name := range Names() {
		if seen[name] < 2 {
			t.Errorf("%s has %d samples", name, seen[name])
		}
	}
}

// written is what was decoded without what is empty.
func written(t *testing.T, d monitor.Decoded) string {
	t.Helper()
	var b strings.Builder
	for _, r := range d.Reports {
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]any
		if err := json.Unmarshal(raw, &all); err != nil {
			t.Fatal(err)
		}
		for k, v := range all {
			if v == nil || v == "" || v == false || v == "0001-01-01T00:00:00Z" {
				delete(all, k)
			}
		}
		all["Severity"] = r.Severity.String()
		raw, err = json.MarshalIndent(all, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		b.Write(raw)
		b.WriteByte('\n')
	}
	for _, w := range d.Warnings {
		b.WriteString("warning: " + w + "\n")
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}

func compile(t testing.TB, source string) *Program {
	t.Helper()
	p, err := Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFaultsSayWhichPath(t *testing.T) {
	const payload = `{"alerts":[{"labels":{"alertname":"A"}},{"labels":{"alertname":null}}],"title":"t","n":{"m":1},"list":["a"]}`
	for _, c := range []struct{ name, program, says string }{
		{"null behind a key of the output", `.alerts[] | {status: "firing", title: .labels.alertname}`,
			"output 2: title is null; it names what this is about, leave it out where there is none; in the payload alerts[1].labels.alertname is null"},
		{"missing", `{status: .state, title: .title}`, "output 1: status is missing; it is firing, resolved, acknowledged or unacknowledged, or give text for a plain message; in the payload state is missing"},
		{"iterating over nothing", `.alarms[] | {status: "firing", title: .name}`, "cannot iterate over: null; in the payload alarms is missing"},
		{"deeper", `.n.m.o as $x | {status: "firing", title: $x}`, "in the payload n.m is a number, an object is wanted"},
		{"by a variable", `.n as $n | .list[1] | {status: "firing", title: $n.name}`, "in the payload n.name is missing"},
		{"an item that is not there", `{status: "firing", title: .list[1]}`, "in the payload list has 1 items, number 2 is wanted"},
		{"in a map", `map(.x)`, "program failed: "},
		{"an object where a text belongs", `{status: "firing", title: .n}`, "output 1: title is an object; a text is wanted"},
		{"its own words", `if .state == null then error("no state\nat all") else . end`, "the program refuses the payload: no state at all"},
		{"an object in error", `error({a: 1})`, "the program failed: "},
		{"a text", `"x"`, `the program put out a text; an object like {status: "firing", title: …} is wanted`},
		{"another status", `{status: "broken", title: "x"}`, `output 1: status is "broken"; it is firing`},
		{"labels", `{status: "firing", title: "x", labels: [1]}`, "labels is a list; an object of texts is wanted"},
		{"a label", `{status: "firing", title: "x", labels: {a: {b: 1}}}`, `labels has an object in "a"`},
		{"a service of no host", `{status: "firing", service: "x"}`, "host is missing; a service needs one"},
		{"both", `{status: "firing", host: "h", service: "x", title: "y"}`, "title is given beside service"},
		{"a title that is null", `{status: "firing", host: "h", title: .nosuch}`, "output 1: title is null; it names what this is about, leave it out where there is none; in the payload nosuch is missing"},
		{"an empty message", `{text: "  "}`, "text is empty"},
		{"too many", `range(2000) | {text: "x\(.)"}`, "more than 1000 alerts"},
		{"too much", `("x" * 200000) as $x | range(100) | {text: $x}`, "put out more than"},
		{"a time", `{text: "x", at: [1]}`, "at is a list"},
		{"what is tried is not to blame", `{status: "firing", title: (.nosuch? // .neither // null)}`, "output 1: title is null; it names what this is about, leave it out where there is none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := run(compile(t, c.program), "", []byte(payload))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("said %v\nwant %s", err, c.says)
			}
		})
	}
}

func TestOutputsBecomeReports(t *testing.T) {
	at := time.Date(2026, 11, 22, 4, 30, 4, 0, time.UTC)
	for _, c := range []struct {
		name, program string
		want          []alert.Report
		warns         string
	}{
		{name: "nothing", program: `empty`},
		{name: "null is nothing", program: `null, []`},
		{name: "halt ends it", program: `{text: "a"}, halt, {text: "b"}`, want: []alert.Report{Message("", "", "a")}},
		{name: "a service, all keys", program: `[{status: "Firing", host: "h", service: "s", address: "192.0.2.1", key: 7, severity: "high", state: "DOWN", output: "a\nb", link: "https://x.example/",
			labels: {team: "db", n: 1, no: null}, channel: "ops", mention: "oncall", contact: "c", at: "2026-11-22T05:30:04+01:00", problem: 12}]`,
			want: []alert.Report{{Kind: alert.ReportProblem, Object: alert.Object{Kind: alert.KindService, Host: "h", Service: "s", Address: "192.0.2.1", Key: "7"}, Severity: alert.SeverityCritical,
				State: "DOWN", Output: "a\nb", Link: "https://x.example/", Labels: alert.Labels{"team": "db", "n": "1"}, Channel: "ops", Mention: "oncall", Contact: "c", At: at, ProblemID: "12"}}},
		{name: "a host, resolved, in seconds", program: `{status: "resolved", host: "h", severity: "critical", at: 1795321804}`,
			want: []alert.Report{{Kind: alert.ReportRecovery, Object: alert.Object{Kind: alert.KindHost, Host: "h"}, State: "resolved", At: at}}},
		{name: "milliseconds, acknowledged", program: `{status: "acknowledged", title: "x", at: 1795321804000, author: "alice", comment: "mine"}`,
			want: []alert.Report{{Kind: alert.ReportAck, Object: alert.Object{Kind: alert.KindRule, Rule: "x"}, State: "acknowledged", Severity: alert.SeverityUnknown, At: at, Author: "alice", Comment: "mine"}}},
		{name: "a message at a host", program: `{text: "short", host: "h", author: "bob"}`,
			want: []alert.Report{{Kind: alert.ReportCustom, Object: alert.Object{Kind: alert.KindHost, Host: "h"}, Severity: alert.SeverityInfo, Author: "bob", Comment: "short"}}},
		{name: "warnings", program: `{status: "firing", title: "x", tilte: 1, severity: "odd", link: "javascript:alert(1)", at: "soon"}`,
			want:  []alert.Report{{Kind: alert.ReportProblem, Object: alert.Object{Kind: alert.KindRule, Rule: "x"}, State: "firing", Severity: alert.SeverityUnknown}},
			warns: `unknown key "tilte"|link "javascript:alert(1)" is not used|at "soon" is not a time|severity: "odd" is not known`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := run(compile(t, c.program), "application/json", []byte(`{}`))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, d.Reports); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			said := strings.Join(d.Warnings, "\n")
			for w := range strings.SplitSeq(c.warns, "|") {
				if !strings.Contains(said, w) {
					t.Errorf("no warning %q in %q", w, said)
				}
			}
			if c.warns == "" && said != "" {
				t.Errorf("warned %q", said)
			}
		})
	}
}

func TestProgramsEnd(t *testing.T) {
	for _, c := range []struct {
		name, program, says string
		memory              uint64
	}{
		{"running for ever", `def f: f; f`, "longer than", MaxMemory},
		{"putting out nothing for ever", `repeat(1) | empty`, "longer than", MaxMemory},
		{"growing", `[limit(100000000; repeat("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" + "y"))]`, "more than 8 MB of memory", 8 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := compile(t, c.program)
			p.limit.memory = c.memory
			if c.memory == MaxMemory {
				p.limit.time = 50 * time.Millisecond
			} else {
				p.limit.time = time.Minute
			}
			if _, err := run(p, "", []byte(`{}`)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("said %v", err)
			}
		})
	}
}

func TestProgramsReachNothing(t *testing.T) {
	t.Setenv("BELFRY_SECRET", "x")
	for _, program := range []string{`input`, `import "x" as x; .`, `include "x"; .`, `$__prog_args`, `{text: env.BELFRY_SECRET}`, `{text: $ENV.BELFRY_SECRET}`, `input_filename`, `get_search_list`} {
		p, err := Compile(program)
		if err != nil {
			continue
		}
		if d, err := run(p, "", []byte(`{}`)); err == nil && len(d.Reports) > 0 {
			t.Errorf("%s made %+v", program, d.Reports)
		}
	}
}

func TestWhatIsNotJQ(t *testing.T) {
	for program, says := range map[string]string{
		"":                         "empty",
		".a |\n.b[":                "it ends too soon, on line 2",
		".a\n| .b )":               `line 2, near ")"`,
		"nosuch(1)":                "does not compile: function not defined: nosuch/1",
		strings.Repeat("#", 70000): "more than 65536",
		"import \"m\" as m; .":     "does not compile",
	} {
		if _, err := Compile(program); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.20q: said %v, want %s", program, err, says)
		}
	}
	if _, err := Ready("nosuch"); err == nil || !strings.Contains(err.Error(), "grafana") {
		t.Errorf("said %v", err)
	}
}

func TestInputs(t *testing.T) {
	const form, plainJSON = "application/x-www-form-urlencoded", "application/json"
	for _, c := range []struct {
		name, kind, body string
		want             any
		says             string
	}{
		{name: "JSON", kind: plainJSON, body: `{"a":[1,"x"]}`, want: map[string]any{"a": []any{json.Number("1"), "x"}}},
		{name: "another JSON", kind: "application/vnd.x+json", body: `[]`, want: []any{}},
		{name: "no type", body: `{}`, want: map[string]any{}},
		{name: "form", kind: form, body: "a=1&b=x+y&b=z", want: map[string]any{"a": "1", "b": []any{"x y", "z"}}},
		{name: "payload", kind: form, body: `payload=%7B%22text%22%3A%22x%22%7D`, want: map[string]any{"text": "x"}},
		{name: "payload that is no JSON", kind: form, body: `payload=hello`, want: map[string]any{"payload": "hello"}},
		{name: "what curl -d sends", kind: form, body: `{"text":"x=y"}`, want: map[string]any{"text": "x=y"}},
		{name: "broken payload", kind: form, body: `payload=%7B`, says: "the form's field payload: the body is not valid JSON"},
		{name: "broken form", kind: form, body: `a=%zz`, says: "the form can't be read"},
		{name: "empty form", kind: form, says: "the form is empty"},
		{name: "no boundary", kind: "multipart/form-data", body: "x", says: "no boundary"},
		{name: "cut multipart", kind: "multipart/form-data; boundary=b", body: "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx", says: "the form can't be read"},
		{name: "two values", kind: plainJSON, body: `{} {}`, says: "something follows"},
		{name: "deep", kind: plainJSON, body: strings.Repeat("[", 101) + strings.Repeat("]", 101), says: "more than 100 levels"},
		{name: "brackets in texts", kind: plainJSON, body: `"` + strings.Repeat(`[\"`, 200) + `"`, want: strings.Repeat(`["`, 200)},
		{name: "not UTF-8", kind: plainJSON, body: "\"\xff\"", says: "not UTF-8"},
		{name: "XML", kind: "application/xml", body: "<x/>", says: `content type "application/xml" is not understood`},
		{name: "large", kind: plainJSON, body: strings.Repeat(" ", MaxInput+1), says: "more than 1048576"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Input(c.kind, []byte(c.body))
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("said %v", err)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestAStormIsNotTheProgramsFault: what others take of the process's memory
// while a program runs counts with it, once.
func TestAStormIsNotTheProgramsFault(t *testing.T) {
	p, err := Compile(`reduce range(300000) as $i (0; . + 1) | {status: "firing", title: "\(.)"}`)
	if err != nil {
		t.Fatal(err)
	}
	p.limit.time = time.Minute
	for _, c := range []struct {
		storms int
		says   string
	}{{1, ""}, {2, "more than 256 MB of memory"}} {
		runs, looks := 0, 0
		p.heap = func() uint64 {
			if looks++; looks == 1 {
				runs++
				return 0
			}
			if runs > c.storms {
				return 0
			}
			looks = 0 // this run is over
			return 1 << 40
		}
		d, err := p.Run(t.Context(), nil)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) || err == nil && len(d.Reports) != 1 {
			t.Errorf("after %d storms: %d reports, %v", c.storms, len(d.Reports), err)
		}
		if runs != 2 {
			t.Errorf("after %d storms there were %d runs", c.storms, runs)
		}
	}
}
