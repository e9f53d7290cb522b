// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// where resolves settings from options, an environment and a file.
func where(t *testing.T, options []string, env map[string]string, file string) (settings, []string, error) {
	t.Helper()
	a, err := parse(append([]string{"--type", "Host"}, options...))
	must(t, err)
	path := ""
	if file != "" {
		path = filepath.Join(t.TempDir(), "notify.conf")
		must(t, os.WriteFile(path, []byte(file), 0o600))
	}
	return a.settings(func(k string) string { return env[k] }, path)
}

func TestOptionsWinOverEnvironmentOverFile(t *testing.T) {
	file := "# the core's\nurl = http://file:1\ntoken-file=/file\n  spool = \"/file spool\"\n\nsource='file'\n"
	env := map[string]string{"BELFRY_URL": "http://env:2", "BELFRY_TOKEN_FILE": "/env"}
	s, warnings, err := where(t, []string{"--url", "https://option:3/p"}, env, file)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if got := s.server.base.String(); got != "https://option:3/p" {
		t.Error(got)
	}
	if s.server.tokenFile != "/env" || s.spool != "/file spool" || s.server.source != "file" {
		t.Errorf("%+v", s)
	}
}

func TestTheSocketWinsUnlessTheURLIsNearer(t *testing.T) {
	env := map[string]string{"BELFRY_SOCKET": "/run/belfry.sock"}
	s, _, err := where(t, nil, env, "url = http://file:1")
	must(t, err)
	if s.server.socket != "/run/belfry.sock" {
		t.Errorf("%+v", s.server)
	}
	s, _, err = where(t, []string{"--url", "http://option:1"}, env, "")
	must(t, err)
	if s.server.socket != "" || s.server.base.Host != "option:1" {
		t.Errorf("%+v", s.server)
	}
}

// What belfry serve prints for a source is what people copy.
func TestAnAddressThatNamesItsSource(t *testing.T) {
	for _, c := range []struct{ url, source, base, want string }{
		{"http://h:1/intake/core", "", "http://h:1", "core"},
		{"https://h/belfry/intake/core/", "", "https://h/belfry", "core"},
		{"http://h:1/intake/core", "other", "http://h:1", "other"},
		{"http://h:1/intake/", "", "http://h:1/intake/", "nagios"},
		{"http://h:1/intake/a/b", "", "http://h:1/intake/a/b", "nagios"},
	} {
		s, warnings, err := where(t, []string{"--url", c.url}, map[string]string{"BELFRY_SOURCE": c.source}, "")
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v, %v", c.url, err, warnings)
			continue
		}
		if got := s.server.base.String(); got != c.base || s.server.source != c.want {
			t.Errorf("%s: source %q at %s, want %q at %s", c.url, s.server.source, got, c.want, c.base)
		}
	}
}

func TestASlipInTheFileIsToldAndLosesNoAlert(t *testing.T) {
	_, warnings, err := where(t, nil, nil, "url = http://file:1\ntoken_file = /x\nnonsense\nurl = http://file:2\nzzzzzzzzzz=1\n")
	must(t, err)
	want := []string{
		`line 2: unknown key "token_file"; did you mean token-file?`,
		`line 3: no "=" in it`,
		"line 4: url is said twice; the first one counts",
		`line 5: unknown key "zzzzzzzzzz"; there are url, socket`,
	}
	if len(warnings) != len(want) {
		t.Fatalf("%q", warnings)
	}
	for i, w := range want {
		if !strings.Contains(warnings[i], "notify.conf "+w) {
			t.Errorf("%q, want %q", warnings[i], w)
		}
	}
	_, _, err = where(t, nil, nil, "ulr = http://file:1\n")
	if err == nil || !strings.Contains(err.Error(), "nowhere to hand over") || !strings.Contains(err.Error(), "did you mean url?") {
		t.Error(err)
	}
}

func TestPlacesThatCanNotBe(t *testing.T) {
	for want, options := range map[string][]string{
		"nowhere to hand over; say --url":               nil,
		"the url \"belfry:8080\" can't be used; it is":  {"--url", "belfry:8080"},
		"leave out user, password, ? and #":             {"--url", "http://u:secret@h"},
		"password, ? and #: the token belongs into":     {"--url", "http://h/intake/a?token=x"},
		"the spool \"spool\" is not an absolute path":   {"--url", "http://h", "--spool", "spool"},
		"the source \"a/b\" can't be used":              {"--url", "http://h", "--source", "a/b"},
		"the source \"..\" can't be used":               {"--url", "http://h", "--source", ".."},
		"can't read the settings: open /nowhere/b.conf": {"--config", "/nowhere/b.conf"},
	} {
		_, _, err := where(t, options, nil, "")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", options, err, want)
		}
	}
}

// FuzzConfig looks for files that break the parser. What it takes must be
// known, and what it does not take must be told with its line.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("url = http://127.0.0.1:8080\ntoken-file = /etc/belfry/token\n"))
	f.Add([]byte("# x\r\nurl=\"\n=\n==\nurl\nspool = '/a b'\nspool=/c"))
	f.Add([]byte{0xff, '=', 0, '\n', '"', '=', '"'})
	f.Fuzz(func(t *testing.T, b []byte) {
		values, faults := parseConfig(b)
		for k := range values {
			known := false
			for _, s := range settingKeys() {
				known = known || s.name == k
			}
			if !known {
				t.Fatalf("unknown key %q taken", k)
			}
		}
		for _, fault := range faults {
			if !strings.HasPrefix(fault, "line ") || strings.ContainsAny(fault, "\n\r") {
				t.Fatalf("%q", fault)
			}
		}
	})
}
