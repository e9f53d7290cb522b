// SPDX-License-Identifier: Apache-2.0

package install

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDryRunChangesNothingAndSaysEverything(t *testing.T) {
	dir := installation(t, "5.37.0")
	before := tree(t, filepath.Dir(dir))
	var out bytes.Buffer
	o := Options{Archive: packed(t, release("6.0.0")), Dir: dir, Out: &out, DryRun: true, Set: []string{"ServiceSettings.SiteURL=https://x", "New.Key=1"}}
	if err := Upgrade(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, tree(t, filepath.Dir(dir))); diff != "" {
		t.Error(diff)
	}
	for _, says := range []string{"nothing is changed", "not older than 5.37.0", "keep: uploads", "set: ServiceSettings.SiteURL", "set: New.Key in config/config.json (new there", "the old one " + dir + ".old-5.37.0", "Back it up"} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("it does not say %q:\n%s", says, &out)
		}
	}
	o.Dir = dir + "-new"
	if err := Install(t.Context(), o); err != nil || !cmp.Equal(before, tree(t, filepath.Dir(dir))) {
		t.Errorf("install: %v", err)
	}
}

func TestADowngradeIsDoneWhenAskedFor(t *testing.T) {
	dir := installation(t, "6.0.0")
	if err := Upgrade(t.Context(), Options{Archive: packed(t, release("5.37.0")), Dir: dir, Out: &bytes.Buffer{}, AllowDowngrade: true}); err != nil {
		t.Error(err)
	}
}

func TestTheOwnerStaysAndRootDoesNotRunTheProgram(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	const who = 12345
	dir := installation(t, "5.37.0")
	for at := filepath.Dir(dir); at != os.TempDir(); at = filepath.Dir(at) {
		must(t, os.Chmod(at, 0o755))
	}
	must(t, filepath.Walk(dir, func(at string, _ os.FileInfo, err error) error { return os.Lchown(at, who, who) }))
	must(t, os.Lchown(filepath.Join(dir, "config/saml.key"), 0, who))
	r := release("6.0.0")
	r["mattermost/bin/mattermost"] = "#!/bin/sh\n[ $(id -u) = 12345 ] || { echo run as $(id -u); exit 1; }\necho Version: 6.0.0\n"
	if err := Upgrade(t.Context(), Options{Archive: packed(t, r), Dir: dir, Out: &bytes.Buffer{}, Set: []string{"ServiceSettings.SiteURL=x"}}); err != nil {
		t.Fatal(err)
	}
	for name, text := range tree(t, dir) {
		want := " 12345:12345 "
		if name == "config/saml.key" {
			want = " 0:12345 "
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestTheProgramIsAskedWithoutAWayToTheDatabase(t *testing.T) {
	dir := installation(t, "5.37.0")
	old := "#!/bin/sh\n[ \"$2\" = --skip-server-start ] || { echo would open the database; exit 1; }\n" +
		"case $MM_SQLSETTINGS_DATASOURCE in *127.0.0.1:9/*) ;; *) exit 1;; esac\n[ -z \"$MM_SECRET\" ] && [ ! -e config ] && echo Version: 5.37.0\n"
	placed(t, dir, files{program: old})
	t.Setenv("MM_SECRET", "x")
	if err := Upgrade(t.Context(), Options{Archive: packed(t, release("6.0.0")), Dir: dir, Out: &bytes.Buffer{}}); err != nil {
		t.Error(err)
	}
}

func TestHostileArchivesAreRefusedBeforeAnythingIsWritten(t *testing.T) {
	for name, list := range map[string]files{
		"leads out of it":               {"mm/../../evil": "x"},
		"no path":                       {"/etc/evil": "x"},
		"more than one directory":       {"mm/bin/mattermost": "x", "other/x": "y"},
		"leads out of it, to":           {"mm/evil": "→../../etc"},
		"leads out of it, to \"/etc":    {"mm/evil": "→/etc/passwd"},
		"it has no program":             {"mm/bin/": ""},
		"leads out of it or is no path": {"mm/a\\b": "x"},
	} {
		dir := t.TempDir()
		err := Install(t.Context(), Options{Archive: packed(t, list), Dir: filepath.Join(dir, "mm"), Out: &bytes.Buffer{}})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

func TestModesOfAnArchiveAreTamed(t *testing.T) {
	j := judge{seen: map[string]byte{}}
	e, err := j.entry(header("mm/bin/x", 0o6777))
	if err != nil || e.mode != 0o755 {
		t.Errorf("%v %v", e.mode, err)
	}
	if _, err := j.entry(header("mm/bin/x", 0o644)); err == nil {
		t.Error("the same file twice")
	}
	if _, err := j.entry(header("mm/bin/x/below", 0o644)); err == nil {
		t.Error("a file below a file")
	}
	big := header("mm/big", 0o644)
	big.Size = maxOne + 1
	if _, err := j.entry(big); err == nil {
		t.Error("a file without end")
	}
	pipe := header("mm/pipe", 0o644)
	pipe.Typeflag = '6'
	if _, err := j.entry(pipe); err == nil {
		t.Error("a pipe")
	}
	link := header("mm/link", 0o644)
	link.Typeflag, link.Linkname = '1', "mm/none"
	if _, err := j.entry(link); err == nil {
		t.Error("a hard link to nothing")
	}
}

func TestACutOffArchiveIsRefused(t *testing.T) {
	whole, err := os.ReadFile(packed(t, release("6.0.0")))
	must(t, err)
	dir := t.TempDir()
	for _, n := range []int{0, 5, 20, len(whole) / 2, len(whole) - 9, len(whole) - 1} {
		cut := filepath.Join(dir, "cut")
		must(t, os.WriteFile(cut, whole[:n], 0o600))
		if _, err := look(cut); err == nil {
			t.Errorf("%d of %d bytes were taken", n, len(whole))
		}
	}
	whole[len(whole)/2] ^= 0x55
	must(t, os.WriteFile(filepath.Join(dir, "bad"), whole, 0o600))
	if _, err := look(filepath.Join(dir, "bad")); err == nil {
		t.Error("a damaged one was taken")
	}
}

func TestSettingOneKeyLeavesTheRest(t *testing.T) {
	const doc = "{\n  \"A\": {\"Text\": \"x\", \"Flag\": true, \"N\": 1, \"L\": [1],\n    \"Z\": null},\n  \"P\": {\"Plugins\": {\"com.x.y\": {\"k.l\": 1}}},\n  \"E\": {}\n}\n"
	for _, c := range []struct{ key, value, old, new string }{
		{"A.Text", "true", `"Text": "x"`, `"Text": "true"`},
		{"A.Text", "a\"b<é", `"Text": "x"`, `"Text": "a\"b<é"`},
		{"A.Flag", "false", `"Flag": true`, `"Flag": false`},
		{"A.N", "-2.5", `"N": 1`, `"N": -2.5`},
		{"A.L", `["a"]`, `[1]`, `["a"]`},
		{"A.Z", "7", `null`, `7`},
		{"P.Plugins.com.x.y.k.l", "2", `"k.l": 1`, `"k.l": 2`},
		{"E.New", "text", `{}`, `{"New": "text"}`},
		{"A.New", "true", `null}`, "null, \"New\": true}"},
		{"B.New.Sub", "1", `"E": {}`, "\"E\": {},\n  \"B\": {\"New\": {\"Sub\": 1}}"},
	} {
		got, isNew, err := set([]byte(doc), c.key, c.value)
		if want := strings.Replace(doc, c.old, c.new, 1); err != nil || string(got) != want {
			t.Errorf("%s=%s: %v\n%s", c.key, c.value, err, cmp.Diff(want, string(got)))
		}
		if isNew != strings.Contains(c.key, "New") {
			t.Errorf("%s: new %v", c.key, isNew)
		}
	}
	for key, value := range map[string]string{"A.Flag": "1", "A.N": `"1"`, "A.L": "a", "A.Text.Deeper": "x", "a.Text": "x", "A.text": "x", "A": "{"} {
		if got, _, err := set([]byte(doc), key, value); err == nil {
			t.Errorf("%s=%s was taken: %s", key, value, got)
		}
	}
}

func TestDatabasesAreNamedWithoutTheirPasswords(t *testing.T) {
	for source, want := range map[string]string{
		"postgres://mm:p%40ss@db:5432/chat?sslmode=disable": "chat at db:5432 (PostgreSQL: pg_dump)",
		"mmuser:p@ss@tcp(10.0.0.1:3306)/mattermost?charset": "mattermost at 10.0.0.1:3306 (MySQL: mysqldump)",
		"mmuser:p@ss": "what SqlSettings.DataSource names",
	} {
		driver := "mysql"
		if strings.HasPrefix(source, "postgres") {
			driver = "postgres"
		}
		if got := database(driver, source); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestVersionsAreCompared(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"5.37.0", "6.0.0", true}, {"10.5.1", "9.11.2", false}, {"6.0", "6.0.0", false}, {"6.0.0-rc1", "6.0.0", true}, {"6.0.0", "6.0.0-rc1", false}, {"x", "6.0.0", false}} {
		if older(c.a, c.b) != c.want {
			t.Errorf("%s older than %s: not %v", c.a, c.b, c.want)
		}
	}
	for said, want := range map[string]string{"Version: 5.37.0\nBuild Number: 7\n": "5.37.0", "warning\n Version: v11.0.1-rc2": "11.0.1-rc2", "DB Version: 5.1.0": "", "Version: dev": "", "Version: 1.2 /../x": ""} {
		if got, _ := parseVersion(said); got != want {
			t.Errorf("%q is %q, want %q", said, got, want)
		}
	}
}

func TestLinksKeepTheUploadsOnce(t *testing.T) {
	dir := installation(t, "5.37.0")
	must(t, Upgrade(t.Context(), Options{Archive: packed(t, release("6.0.0")), Dir: dir, Out: &bytes.Buffer{}}))
	inode := func(path string) uint64 {
		info, err := os.Stat(path)
		must(t, err)
		return info.Sys().(*syscall.Stat_t).Ino
	}
	for name, same := range map[string]bool{"uploads/2024/cat.png": true, "config/saml.key": false, "plugins/p/plugin.json": false} {
		if got := inode(filepath.Join(dir, name)) == inode(filepath.Join(dir+".old-5.37.0", name)); got != same {
			t.Errorf("%s is the same file: %v", name, got)
		}
	}
}

func FuzzSet(f *testing.F) {
	f.Add(oldConfig, "ServiceSettings.SiteURL", "x")
	f.Add(`{"a":{"b":[1,{"c":null}]}}`, "a.b", "[]")
	f.Add("{}", "a.b.c", "\xff\"")
	f.Fuzz(func(t *testing.T, doc, key, value string) {
		got, isNew, err := set([]byte(doc), key, value)
		if err != nil {
			return
		}
		if !json.Valid(got) {
			t.Fatalf("%q is no JSON any more: %q", doc, got)
		}
		if again, wasNew, err := set(got, key, value); err != nil || isNew && wasNew || !isNew && string(again) != string(got) {
			t.Fatalf("a second time: %v, %q then %q", err, got, again)
		}
	})
}

func FuzzInside(f *testing.F) {
	for _, s := range []string{"mm/x", "./mm/x", "mm/../x", "/mm", "mm//x/", "mm/a/../../b", "..", "", "mm/\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		j := judge{seen: map[string]byte{}, top: "mm"}
		got, err := j.inside(name)
		if err == nil && (!filepath.IsLocal(got) || got != filepath.Clean(got)) {
			t.Fatalf("%q became %q", name, got)
		}
	})
}

func header(name string, mode int64) *tar.Header {
	return &tar.Header{Name: name, Mode: mode, Size: 1, Typeflag: tar.TypeReg}
}
