// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
)

func statusOf(t *testing.T, path string, objects ...alert.Object) ([]monitor.Status, error) {
	t.Helper()
	return open(t, Config{StatusFile: path}).(monitor.StatusReader).Status(t.Context(), objects)
}

// The file is what a Nagios 4.4.6 wrote, with one acknowledged service.
func TestStatusFileOfNagios4(t *testing.T) {
	st, err := statusOf(t, sampleStatus(t), service, host, alert.Object{Kind: alert.KindHost, Host: "nosuch"},
		alert.Object{Kind: alert.KindService, Host: "web01", Service: ""}, alert.Object{Kind: alert.KindRule, Host: "web01"})
	if err != nil {
		t.Fatal(err)
	}
	asOf := time.Unix(1795345387, 0).UTC().Add(-commandLag)
	want := []monitor.Status{
		{Known: true, Acknowledged: true, Author: "Alice ü", Comment: `on it; "x" ’q’ / #42 {}`, AsOf: asOf},
		{Known: true, OK: true, InDowntime: true, AsOf: asOf},
		{AsOf: asOf}, {AsOf: asOf}, {AsOf: asOf},
	}
	if diff := cmp.Diff(want, st); diff != "" {
		t.Error(diff)
	}
}

func sampleStatus(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("testdata/status-nagios-4.4.6.dat")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStatusFileTroubles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, x := range map[string]struct {
		path string
		want fault.Decision
		says string
	}{
		"missing":       {filepath.Join(dir, "no"), fault.Retry, "is not there"},
		"a directory":   {dir, fault.Permanent, "is not a file"},
		"another file":  {write("passwd", "root:x:0:0\n"), fault.Retry, "is it a status.dat"},
		"an empty file": {write("empty", ""), fault.Retry, "is it a status.dat"},
	} {
		_, err := statusOf(t, x.path, host)
		if d, _ := fault.Of(err); d != x.want || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
}

// A file is read again when it was written anew, or when somebody asks for an
// object that was not asked for before, and not otherwise.
func TestStatusFileIsReadOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "status.dat")
	put := func(state int, when time.Time) {
		text := fmt.Sprintf("info {\n\tcreated=100\n\t}\n\nhoststatus {\n\thost_name=web01\n\tcurrent_state=%d\n\t}\n\nservicestatus {\n\thost_name=web01\n\tservice_description=Disk /var\n\tcurrent_state=%d\n\t}\n", state, state)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	r := open(t, Config{StatusFile: path}).(monitor.StatusReader)
	ok := func(o alert.Object) bool {
		st, err := r.Status(t.Context(), []alert.Object{o})
		if err != nil || !st[0].Known {
			t.Fatal(st, err)
		}
		return st[0].OK
	}
	first := time.Unix(1000, 0)
	put(0, first)
	if !ok(host) {
		t.Error("the host is not fine")
	}
	put(1, first)
	if !ok(host) {
		t.Error("a file with the same stamp was read again")
	}
	if ok(service) {
		t.Error("an object that was not asked for before comes from an old reading")
	}
	put(0, first.Add(time.Second))
	if !ok(host) || !ok(service) {
		t.Error("a file that was written anew was not read")
	}
}

func TestLongLinesAreSkippedNotMisread(t *testing.T) {
	text := "info {\n\tcreated=100\n\t}\nhoststatus {\n\thost_name=web01\n\tplugin_output=" + strings.Repeat("x", 3*lineBuffer) +
		"current_state=0\n\tcurrent_state=1\n\t}\n"
	found := map[target]*monitor.Status{{host: "web01"}: {}}
	if _, err := parseStatus(t.Context(), strings.NewReader(text), found); err != nil {
		t.Fatal(err)
	}
	if s := found[target{host: "web01"}]; !s.Known || s.OK {
		t.Errorf("%+v", s)
	}
}

func TestParsingStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := parseStatus(ctx, strings.NewReader(strings.Repeat("x\n", 10000)), nil); err == nil {
		t.Error("it went on")
	}
}

func FuzzStatusFile(f *testing.F) {
	sample, err := os.ReadFile(sampleStatus(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add([]byte("info {\n\tcreated=1\n\t}\nhoststatus {\nhost_name=web01\ncurrent_state=-1\n}\nhostcomment {\nhost_name=web01\nentry_type=4\nauthor=a\x00\n}"))
	f.Add([]byte("servicestatus {\n{\n}\n}\n info {\ncreated=99999999999999999999\n}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		found := map[target]*monitor.Status{{"web01", "Disk /var"}: {}, {host: "web01"}: {}}
		created, err := parseStatus(t.Context(), bytes.NewReader(b), found)
		if err == nil && created.Unix() <= 0 {
			t.Errorf("made at %v", created)
		}
		for tg, s := range found {
			if !s.Known && (s.Acknowledged || s.OK || s.InDowntime) || !s.Acknowledged && s.Author+s.Comment != "" {
				t.Errorf("%v: %+v", tg, s)
			}
			if strings.ContainsFunc(s.Author+s.Comment, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
				t.Errorf("%v: %+v", tg, s)
			}
		}
	})
}

// BenchmarkStatusFile reads a file of 50 MB, as about 30,000 services make.
func BenchmarkStatusFile(b *testing.B) {
	sample, err := os.ReadFile(sampleStatus(b))
	if err != nil {
		b.Fatal(err)
	}
	large := bytes.Repeat(sample, 50<<20/len(sample)+1)
	b.SetBytes(int64(len(large)))
	b.ReportAllocs()
	for b.Loop() {
		found := map[target]*monitor.Status{{"web01", "Disk /var"}: {}}
		if _, err := parseStatus(b.Context(), bytes.NewReader(large), found); err != nil {
			b.Fatal(err)
		}
	}
}
