// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"os"
	"strings"
	"testing"
	"unicode"

	"belfry/monitor/monitortest"
)

// FuzzReady sends anything to the ready programs.
func FuzzReady(f *testing.F) {
	for file, kind := range samples(f) {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(kind, body)
	}
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"payload\"\r\n\r\n{}\r\n--b--"))
	programs := map[string]*Program{}
	for _, name := range Names() {
		programs[name] = ready(f, name)
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		in, err := Input(kind, body)
		fine(t, err)
		if err != nil {
			return
		}
		for _, p := range programs {
			d, err := p.Run(t.Context(), in)
			fine(t, err)
			monitortest.CheckReports(t, d.Reports)
		}
	})
}

// FuzzOutput takes anything for what a program put out.
func FuzzOutput(f *testing.F) {
	for _, seed := range []string{`{"status":"firing","title":"x","labels":{"a":1},"at":1e300}`, `{"text":"\u0000\n\u202e","at":"2026-11-22 04:30:04 UTC"}`,
		`[[{"status":"resolved","host":"h","service":"s","link":"javascript:x"}],null,{"status":1}]`, `{"status":null,"text":"x"}`, `{"text":{}}`} {
		f.Add([]byte(seed))
	}
	p := compile(f, ".")
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := Input("", body)
		if err != nil {
			return
		}
		d, err := p.Run(t.Context(), in)
		fine(t, err)
		monitortest.CheckReports(t, d.Reports)
		for _, w := range d.Warnings {
			if strings.ContainsFunc(w, unicode.IsControl) {
				t.Errorf("warned %q", w)
			}
		}
	})
}

// FuzzCompile takes anything for a program.
func FuzzCompile(f *testing.F) {
	for _, name := range Names() {
		source, err := Source(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Add(`.a as [$x, {b: $y}] | reduce .[] as $i (0; . + $i) | .["a b"]?.c[1:2] // {$x, "k": 1, (.z): 2}`)
	f.Fuzz(func(t *testing.T, source string) {
		_, err := Compile(source)
		fine(t, err)
	})
}

func fine(t *testing.T, err error) {
	t.Helper()
	if err != nil && (len(err.Error()) > 700 || strings.ContainsFunc(err.Error(), unicode.IsControl)) {
		t.Errorf("said %q", err)
	}
}
