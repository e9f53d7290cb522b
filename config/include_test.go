// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"belfry/config"
)

const added = "connections:\n  - {name: added, kind: mattermost, url: https://chat.example.org, token: 12345678901234567890123}\n"

func TestWhatIsIncludedIsReadWithTheFile(t *testing.T) {
	for name, c := range map[string]struct {
		main, more, last string
		connections      string
		fallback         string
	}{
		"without a file":            {"", added, "", "room added", "room/alerts"},
		"with a default":            {"", added + "default: {channels: [added/ops]}\n", "", "room added", "added/ops"},
		"the first default counts":  {"", added + "default: {channels: [added/ops]}\n", "default: {channels: [room/other]}\n", "room added", "added/ops"},
		"the file's default wins":   {"default: {channels: [room/x]}\n", added + "default: {channels: [added/ops]}\n", "", "room added", "room/x"},
		"a route to what is added":  {"routes: [{match: 'a=\"b\"', channels: [added/db]}]\ndefault: {channels: [added/ops]}\n", added, "", "room added", "added/ops"},
		"routes with their default": {"routes: [{match: 'a=\"b\"', channels: [added/db]}]\n", added + "default: {channels: [added/ops]}\n", "", "room added", "added/ops"},
		"beside one of the file's":  {strings.ReplaceAll(added, "added", "chat") + "default: {channels: [chat/ops]}\n", added, "", "room chat added", "chat/ops"},
		"nothing but a comment":     {"", "# nothing\n", added, "room added", "room/alerts"},
	} {
		t.Run(name, func(t *testing.T) {
			f, problems := config.Load("belfry.yaml", []byte(c.main), kinds(), config.Included{Name: "a.yaml", Data: []byte(c.more)},
				config.Included{Name: "b.yaml", Data: []byte(c.last)})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var names []string
			for _, one := range f.Connections {
				names = append(names, one.Name)
				if mine := one.Name == "added"; mine != (one.From != "") {
					t.Errorf("%s is from %q", one.Name, one.From)
				}
			}
			if got := strings.Join(names, " "); got != c.connections || f.Default.Channels[0].String() != c.fallback {
				t.Errorf("connections %s, default %s", got, f.Default.Channels[0])
			}
		})
	}
}

func TestFaultsOfWhatIsIncludedHaveItsNameAndLine(t *testing.T) {
	for name, c := range map[string]struct{ main, more, want string }{
		"unknown key":    {"", "\nconections: []\n", `a.yaml:2: a file of conf.d holds connections and a default; move "conections" to the configuration file`},
		"another's key":  {"", "server: {listen: ':1'}\n", `a.yaml:1: a file of conf.d holds connections and a default; move "server" to the configuration file`},
		"no YAML":        {"", "connections: [\n", "a.yaml:"},
		"no block":       {"", "- a\n", "a.yaml:1: a configuration is a block of keys, this is a list"},
		"name is taken":  {added + "default: {channels: [room/a]}\n", "\n" + added, "a.yaml:3: connection added: this name is taken, by the connection on line 2 of belfry.yaml"},
		"bad connection": {"", "connections:\n  - {name: added, kind: mattermost, url: https://chat.example.org, tokn: x}\n", `a.yaml:2: connection added: unknown key "tokn"`},
		"bad default":    {"", added + "default: {channels: [nowhere/x]}\n", `a.yaml:3: default: channel "nowhere/x": there is no connection "nowhere"`},
		"both at once":   {"lissten: 1\n", "server: {}\n", "a.yaml:1: a file of conf.d holds connections and a default; move \"server\" to the configuration file\nbelfry.yaml:1: unknown key \"lissten\""},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := config.Load("belfry.yaml", []byte(c.main), kinds(), config.Included{Name: "a.yaml", Data: []byte(c.more)})
			if got := problems.Error(); !strings.HasPrefix(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestTheDataDirectorySaysWhatIsIncluded(t *testing.T) {
	data, elsewhere := t.TempDir(), t.TempDir()
	path := filepath.Join(t.TempDir(), "belfry.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(path, "server: {data: "+data+"}\ndefault: {channels: [added/ops]}\n")
	write(filepath.Join(data, config.IncludeDir, "added.yaml"), added)
	write(filepath.Join(data, config.IncludeDir, ".new-123"), "half a fi")
	write(filepath.Join(data, config.IncludeDir, "notes.txt"), "not yaml: [")
	if f, problems := config.LoadServer(path, kinds(), nil); len(problems) > 0 || len(f.Connections) != 2 {
		t.Errorf("%v, %v", f, problems)
	}
	// Another data directory has other connections: the default then leads nowhere.
	_, problems := config.LoadServer(path, kinds(), func(s *config.Server) { s.Data = elsewhere })
	if len(problems) != 1 || !strings.Contains(problems.Error(), `there is no connection "added"`) {
		t.Errorf("%v", problems)
	}
	if f, problems := config.LoadServer("", kinds(), func(s *config.Server) { s.Data = data }); len(problems) > 0 || len(f.Connections) != 2 {
		t.Errorf("without a file: %v, %v", f, problems)
	}
	write(filepath.Join(data, config.IncludeDir, "broken.yaml"), "connections: 1\n")
	if _, problems := config.LoadServer("", kinds(), func(s *config.Server) { s.Data = data }); len(problems) != 1 || !strings.HasSuffix(problems[0].File, "broken.yaml") {
		t.Errorf("%v", problems)
	}
}

// Opening a FIFO waits for a writer: without a look first, nothing would start
// and nothing would say why.
func TestWhatIsNoFileIsRefusedByName(t *testing.T) {
	data := t.TempDir()
	dir := filepath.Join(data, config.IncludeDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, "pipe.yaml")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 1)
	go func() {
		_, err := config.Includes(data)
		told <- err
	}()
	select {
	case err := <-told:
		if err == nil || !strings.Contains(err.Error(), fifo+" is no regular file") {
			t.Errorf("%v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("reading waits for somebody who writes to the FIFO")
	}
}
