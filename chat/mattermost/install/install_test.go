// SPDX-License-Identifier: Apache-2.0

package install

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// says is a bin/mattermost that tells its version as those from 6 on do.
func says(version string) string {
	return "#!/bin/sh\n[ \"$1\" = version ] || exit 3\n[ -z \"$2\" ] || { echo \"Error: unknown flag: $2\" >&2; exit 1; }\n" +
		"echo Version: " + version + "\necho Build Number: 1\n"
}

type files map[string]string // path → content; "→x" is a link, "dir/" a directory

func release(version string) files {
	return files{"mattermost/": "", "mattermost/bin/mattermost": says(version), "mattermost/bin/mmctl": "tool " + version, "mattermost/client/root.html": "page " + version,
		"mattermost/client/plugins/": "", "mattermost/config/config.json": "{\n    \"ServiceSettings\": {\n        \"SiteURL\": \"\",\n        \"EnableDeveloper\": false\n    }\n}\n",
		"mattermost/config/README.md": "read me", "mattermost/i18n/en.json": "[]", "mattermost/logs/": "", "mattermost/latest": "→bin/mattermost"}
}

// packed writes an archive.
func packed(t *testing.T, list files) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mattermost.tar.gz")
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, content := range list {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(1700000000, 0), Typeflag: tar.TypeReg}
		switch {
		case strings.HasSuffix(name, "/"):
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		case strings.HasPrefix(content, "→"):
			h.Typeflag, h.Linkname, h.Size, content = tar.TypeSymlink, strings.TrimPrefix(content, "→"), 0, ""
		case strings.Contains(name, "/bin/"):
			h.Mode = 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close(), os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

// placed writes an installation.
func placed(t *testing.T, dir string, list files) {
	t.Helper()
	for name, content := range list {
		at := filepath.Join(dir, name)
		mode := os.FileMode(0o640)
		if strings.HasPrefix(name, "bin/") {
			mode = 0o750
		}
		err := os.MkdirAll(filepath.Dir(at), 0o755)
		switch {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(at, 0o750)
		case strings.HasPrefix(content, "→"):
			err = errors.Join(err, os.Symlink(strings.TrimPrefix(content, "→"), at))
		default:
			err = errors.Join(err, os.WriteFile(at, []byte(content), mode))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

const oldConfig = `{
    "ServiceSettings": {
        "SiteURL": "https://old.example.org",
        "ListenAddress": "127.0.0.1:1",
        "Unknown": [1, 2.50, {"x": null}],
        "EnableDeveloper": false
    },
    "SqlSettings": {"DriverName": "postgres", "DataSource": "postgres://mm:SECRET-password@db.example.org/chat?sslmode=disable"},
    "FileSettings": {"DriverName": "local", "Directory": "./uploads/"},
    "LogSettings": {"FileLocation": "/var/log/mattermost"},
    "PluginSettings": {"Directory": "./plugins", "ClientDirectory": "./client/mine"}
}
`

func oldFiles(version string) files {
	return files{"bin/mattermost": says(version), "bin/mmctl": "tool " + version, "client/root.html": "page " + version, "client/gone.js": "old", "client/mine/p/main.js": "plugin page",
		"config/config.json": oldConfig, "config/saml.key": "key", "uploads/2024/cat.png": "meow", "uploads/link": "→2024/cat.png", "plugins/p/plugin.json": "{}",
		"custom/notes.txt": "mine", "data/": "", "templates/old.html": "old"}
}

// tree is everything below dir: what one would have to compare by hand.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, at)
		info, err := d.Info()
		if err != nil {
			return err
		}
		s := info.Sys().(*syscall.Stat_t)
		text := fmt.Sprintf("%v %d:%d ", info.Mode(), s.Uid, s.Gid)
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(at)
			text += to
		case d.Type().IsRegular():
			b, err := os.ReadFile(at)
			if err != nil {
				return err
			}
			text += string(b)
		}
		out[rel] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func installation(t *testing.T, version string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "mattermost")
	placed(t, dir, oldFiles(version))
	return dir
}

func TestUpgradeKeepsWhatSettingsAndPeoplePutThere(t *testing.T) {
	dir := installation(t, "5.37.0")
	before := tree(t, dir)
	var out bytes.Buffer
	o := Options{Archive: packed(t, release("6.1.0")), Dir: dir, Out: &out, Set: []string{"ServiceSettings.SiteURL=https://new.example.org/?a=b&c", "ServiceSettings.EnableDeveloper=true"}}
	if err := Upgrade(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	after := tree(t, dir)
	for _, name := range []string{".", "uploads/2024/cat.png", "uploads/link", "plugins/p/plugin.json", "client/mine/p/main.js", "config/saml.key", "custom/notes.txt", "custom", "data"} {
		if after[name] != before[name] {
			t.Errorf("%s is %q, was %q", name, after[name], before[name])
		}
	}
	for name, want := range map[string]string{"bin/mmctl": "tool 6.1.0", "client/root.html": "page 6.1.0", "latest": "bin/mattermost"} {
		if !strings.HasSuffix(after[name], want) {
			t.Errorf("%s is %q", name, after[name])
		}
	}
	for _, gone := range []string{"client/gone.js", "templates/old.html", marker} {
		if after[gone] != "" {
			t.Errorf("%s is still there", gone)
		}
	}
	want := strings.Replace(strings.Replace(oldConfig, "https://old.example.org", "https://new.example.org/?a=b&c", 1), `"EnableDeveloper": false`, `"EnableDeveloper": true`, 1)
	if b, _ := os.ReadFile(filepath.Join(dir, configFile)); string(b) != want {
		t.Error(cmp.Diff(want, string(b)))
	}
	if diff := cmp.Diff(before, tree(t, dir+".old-5.37.0")); diff != "" {
		t.Errorf("the old one changed: %s", diff)
	}
	for _, says := range []string{"keep: uploads (linked; FileSettings.Directory)", "keep: client/mine (copied; PluginSettings.ClientDirectory)", "keep: custom (copied)",
		"leave: /var/log/mattermost (LogSettings.FileLocation)", "chat at db.example.org (PostgreSQL: pg_dump)", "Mattermost 6.1.0, where 5.37.0 was"} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("it does not say %q:\n%s", says, &out)
		}
	}
	if strings.Contains(out.String(), "SECRET") || strings.Contains(out.String(), "new.example.org") {
		t.Errorf("it tells values:\n%s", &out)
	}
	// A second one: the next backup gets a name of its own.
	if err := Upgrade(t.Context(), Options{Archive: packed(t, release("6.1.0")), Dir: dir, Out: &out}); err != nil {
		t.Error(err)
	}
}

// TestAFailureAtAnyStepLeavesTheOldOrTheNew has every single operation fail,
// once and for good, and wants the old installation as it was, to the byte, or
// the new one complete.
// TestWhatIsWrittenIntoIsCopied: the old installation stays as it was, whatever
// the new one makes of a search index.
func TestWhatIsWrittenIntoIsCopied(t *testing.T) {
	for _, at := range []string{"uploads/bleve", "bleve"} {
		dir := filepath.Join(t.TempDir(), "mattermost")
		list := oldFiles("5.37.0")
		list[at+"/root.bolt"] = "old index"
		list["config/config.json"] = strings.Replace(oldConfig, `"PluginSettings"`, `"BleveSettings": {"IndexDir": "./`+at+`"},
    "PluginSettings"`, 1)
		placed(t, dir, list)
		must(t, Upgrade(t.Context(), Options{Archive: packed(t, release("6.1.0")), Dir: dir, Out: &bytes.Buffer{}}))
		for _, name := range []string{at + "/root.bolt", "uploads/2024/cat.png"} {
			now, err := os.Stat(filepath.Join(dir, name))
			must(t, err)
			old, err := os.Stat(filepath.Join(dir+".old-5.37.0", name))
			must(t, err)
			if want := strings.HasSuffix(name, ".png"); os.SameFile(now, old) != want {
				t.Errorf("%s is one file in both: %v", name, !want)
			}
		}
	}
}

func TestAFailureAtAnyStepLeavesTheOldOrTheNew(t *testing.T) {
	quick := func(version string) string { return "#!/bin/sh\necho Version: " + version + "\n" }
	small := files{"bin/mattermost": quick("5.37.0"), "config/config.json": oldConfig, "uploads/cat.png": "meow", "plugins/p.json": "{}", "client/mine/x": "y"}
	archive := packed(t, files{"mm/bin/mattermost": quick("6.0.0"), "mm/client/root.html": "new", "mm/latest": "→bin/mattermost"})
	for name, f := range map[string]faulty{"once": {}, "killed": {stays: true}, "once, no exchange": {plain: true}} {
		t.Run(name, func(t *testing.T) {
			var want map[string]string
			for n := 0; ; n++ {
				dir := filepath.Join(t.TempDir(), "mm")
				placed(t, dir, small)
				before := tree(t, dir)
				d := f
				d.n = n
				err := Upgrade(t.Context(), Options{Archive: archive, Dir: dir, Out: &bytes.Buffer{}, Set: []string{"ServiceSettings.SiteURL=x"}, disk: &d})
				if n == 0 {
					if err != nil {
						t.Fatal(err)
					}
					want = tree(t, dir)
					if d.plain { // what comes before is the same
						n = d.synced
					}
					continue
				}
				now := tree(t, dir)
				if d.failed == "" {
					if n < 40 || err != nil {
						t.Fatalf("%d steps, %v", n, err)
					}
					return
				}
				switch {
				case err == nil && cmp.Equal(now, want): // it did without
				case err != nil && cmp.Equal(now, before):
				case err != nil && d.stays && cmp.Equal(now, want): // killed after the switch
				default:
					t.Fatalf("failing to %s (%v) left\n%s", d.failed, err, cmp.Diff(before, now))
				}
				left, _ := filepath.Glob(dir + ".*")
				if err != nil && !d.stays && len(left) > 0 && !strings.Contains(err.Error(), "can be removed") {
					t.Fatalf("failing to %s (%v) left %v", d.failed, err, left)
				}
				// Whatever was left, the next try works or says what is in the way.
				if !d.stays {
					continue
				}
				if err := Upgrade(t.Context(), Options{Archive: archive, Dir: dir, Out: &bytes.Buffer{}, disk: &faulty{}}); err != nil && !strings.Contains(err.Error(), "is in the way") {
					t.Fatalf("after failing to %s: %v", d.failed, err)
				}
			}
		})
	}
}

func TestInstallPutsItWhereThereIsNone(t *testing.T) {
	r := release("10.5.1")
	r["mattermost/bin/mattermost"] = "#!/bin/sh\necho Version: 10.5.1\n"
	archive := packed(t, r)
	dir := filepath.Join(t.TempDir(), "mm")
	for n := 1; ; n++ {
		d := &faulty{n: n}
		err := Install(t.Context(), Options{Archive: archive, Dir: dir, Out: &bytes.Buffer{}, Set: []string{"ServiceSettings.SiteURL=https://x"}, disk: d})
		if err == nil {
			break
		}
		left, _ := filepath.Glob(dir + "*")
		if len(left) > 0 && !strings.Contains(err.Error(), "can be removed") {
			t.Fatalf("failing to %s (%v) left %v", d.failed, err, left)
		}
	}
	got := tree(t, dir)
	if !strings.Contains(got[configFile], `"SiteURL": "https://x"`) || !strings.Contains(got["bin/mattermost"], "10.5.1") || !strings.HasPrefix(got["bin/mattermost"], "-rwxr-xr-x") {
		t.Errorf("got %v", got)
	}
	if err := Install(t.Context(), Options{Archive: archive, Dir: dir, Out: &bytes.Buffer{}}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("over another one: %v", err)
	}
}

func TestWhatIsRefusedChangesNothing(t *testing.T) {
	newer := packed(t, release("6.0.0"))
	for name, c := range map[string]struct {
		change  func(t *testing.T, dir string, o *Options)
		refusal string
	}{
		"downgrade": {func(t *testing.T, _ string, o *Options) { o.Archive = packed(t, release("5.36.1")) }, "older than 5.37.0"},
		"broken program": {func(t *testing.T, _ string, o *Options) {
			r := release("6.0.0")
			r["mattermost/bin/mattermost"] = "#!/bin/sh\necho panic: no libc; exit 2\n"
			o.Archive = packed(t, r)
		}, "panic: no libc"},
		"speechless": {func(t *testing.T, _ string, o *Options) {
			r := release("6.0.0")
			r["mattermost/bin/mattermost"] = "#!/bin/sh\n"
			o.Archive = packed(t, r)
		}, "said no version"},
		"moves no more": {func(t *testing.T, _ string, o *Options) {
			r := release("6.0.0")
			r["mattermost/bin/mattermost"] = "#!/bin/sh\ncase $0 in *belfry-new*) echo Version: 6.0.0;; *) exit 9;; esac\n"
			o.Archive = packed(t, r)
		}, "in its place the new"},
		"wrong key":  {func(_ *testing.T, _ string, o *Options) { o.Set = []string{"servicesettings.SiteURL=x"} }, "did you mean ServiceSettings?"},
		"wrong type": {func(_ *testing.T, _ string, o *Options) { o.Set = []string{"ServiceSettings.EnableDeveloper=yes"} }, "true or false is wanted"},
		"no key":     {func(_ *testing.T, _ string, o *Options) { o.Set = []string{"SiteURL"} }, "write it like"},
		"config elsewhere": {func(_ *testing.T, _ string, o *Options) {
			o.Config, o.Set = "postgres://u:SECRET@h/d", []string{"A.B=1"}
		}, "in a database (postgres)"},
		"config gone":    {func(t *testing.T, dir string, _ *Options) { must(t, os.Remove(filepath.Join(dir, configFile))) }, "--config says where"},
		"config damaged": {func(t *testing.T, dir string, _ *Options) { placed(t, dir, files{configFile: "{"}) }, "is not JSON"},
		"files at the top": {func(t *testing.T, dir string, _ *Options) {
			placed(t, dir, files{configFile: `{"FileSettings":{"Directory":"."}}`})
		}, "Mattermost's own directory"},
		"a device": {func(t *testing.T, dir string, _ *Options) {
			if syscall.Mknod(filepath.Join(dir, "data", "null"), syscall.S_IFCHR|0o600, 259) != nil {
				t.Skip("only root makes devices")
			}
		}, "is a device"},
		"nothing there":  {func(t *testing.T, dir string, _ *Options) { must(t, os.Remove(filepath.Join(dir, program))) }, "there is no Mattermost in"},
		"somebody's":     {func(t *testing.T, dir string, _ *Options) { placed(t, dir+".belfry-new", files{"x": "y"}) }, "is in the way"},
		"old one broken": {func(t *testing.T, dir string, _ *Options) { placed(t, dir, files{program: "#!/bin/sh\nexit 1\n"}) }, "--allow-downgrade"},
		"port in use": {func(t *testing.T, dir string, _ *Options) {
			placed(t, dir, files{configFile: `{"ServiceSettings":{"ListenAddress":"` + busy(t) + `"}}`})
		}, "something answers at"},
		"it runs":             {running, "runs (process"},
		"not an archive":      {func(t *testing.T, dir string, o *Options) { o.Archive = filepath.Join(dir, configFile) }, "is no tar.gz"},
		"not of a Mattermost": {func(t *testing.T, _ string, o *Options) { o.Archive = packed(t, files{"x/y": "z"}) }, "no program bin/mattermost"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := installation(t, "5.37.0")
			o := Options{Archive: newer, Dir: dir, Out: &bytes.Buffer{}}
			c.change(t, dir, &o)
			before := tree(t, filepath.Dir(dir))
			err := Upgrade(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), c.refusal) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("got %v, want %q", err, c.refusal)
			}
			if diff := cmp.Diff(before, tree(t, filepath.Dir(dir))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func busy(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// running starts a program from the installation.
func running(t *testing.T, dir string, _ *Options) {
	b, err := os.ReadFile("/bin/sleep")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "bin/plugin"), b, 0o755))
	p, err := os.StartProcess(filepath.Join(dir, "bin/plugin"), []string{"plugin", "60"}, &os.ProcAttr{})
	must(t, err)
	t.Cleanup(func() { _ = p.Kill(); _, _ = p.Wait() })
}
