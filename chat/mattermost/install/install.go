// SPDX-License-Identifier: Apache-2.0

// Package install puts Mattermost's release archive in place and upgrades what
// is there, for those who run Mattermost beside Belfry. It never touches a
// database.
//
// The flow of an upgrade: look (everything is read and judged, nothing
// changed) → unpack beside the old installation → have the new program say its
// version → bring over what is kept → change settings → switch both
// directories in one step → have it say its version once more. Until the switch
// the old installation is not touched at all; after it, it stands complete
// under another name. Whatever fails is undone.
//
//   - archive.go: reads the archive, and trusts nothing in it
//   - settings.go, edit.go: what config.json says, and changes to it
//   - keep.go: what is kept and how
//   - version.go, running.go: asks programs and processes
//   - disk.go: every change to the disk goes through one contract, so that
//     tests can have each of them fail
package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Options of an installation or upgrade.
type Options struct {
	// Archive is the release: a tar.gz with one directory at its top.
	Archive string
	// Dir is where Mattermost is, or is to be.
	Dir string
	// Set are changes to config.json, each like ServiceSettings.SiteURL=https://….
	Set []string
	// Config is where the configuration is when not at config/config.json in
	// Dir: another path, or a database's URL.
	Config string
	// AllowDowngrade takes an older version as well, or when one can't be told.
	AllowDowngrade bool
	// DryRun only says what would be done.
	DryRun bool
	// Getenv reads the environment, for MM_… as Mattermost knows them.
	Getenv func(string) string
	// Out is told the steps.
	Out io.Writer

	disk disk
}

// plan is what was found, and what follows from it.
type plan struct {
	o       Options
	dir     string // without links
	next    string // where the new one is built
	backup  string // where the old one goes
	survey  *survey
	found   settings
	keeps   []keep
	edits   []edit
	before  string // the version installed; empty when it can't be told
	uid     int    // whom the installation belongs to
	gid     int
	mode    os.FileMode
	upgrade bool
}

// Install puts Mattermost where there is none.
func Install(ctx context.Context, o Options) error {
	p, err := begin(o)
	if err != nil {
		return err
	}
	if err := p.lookForNothing(); err != nil {
		return err
	}
	return p.carryOut(ctx)
}

// Upgrade puts another version in the place of the one installed.
func Upgrade(ctx context.Context, o Options) error {
	p, err := begin(o)
	if err != nil {
		return err
	}
	p.upgrade = true
	if err := p.lookAtOld(ctx); err != nil {
		return err
	}
	return p.carryOut(ctx)
}

// begin reads the arguments and the archive.
func begin(o Options) (*plan, error) {
	if o.disk == nil {
		o.disk = realDisk{}
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	p := &plan{o: o, uid: os.Geteuid(), gid: os.Getegid(), mode: 0o755}
	var err error
	if p.edits, err = parseEdits(o.Set); err != nil {
		return nil, err
	}
	if p.dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, fmt.Errorf("can't tell where %s is: %w", o.Dir, err)
	}
	if plain, err := filepath.EvalSymlinks(p.dir); err == nil {
		p.dir = plain
	}
	if p.dir == filepath.Dir(p.dir) {
		return nil, fmt.Errorf("%s can't be Mattermost's directory", p.dir)
	}
	p.next = p.dir + ".belfry-new"
	if p.survey, err = look(o.Archive); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *plan) lookForNothing() error {
	list, err := os.ReadDir(p.dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return fmt.Errorf("can't look into %s: %w", p.dir, err)
	case len(list) > 0:
		return fmt.Errorf("%s is not empty; belfry mattermost upgrade replaces an installation", p.dir)
	}
	parent := filepath.Dir(p.dir)
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no directory %s to put it into; make it first", parent)
	}
	return p.room(parent, 0)
}

func (p *plan) lookAtOld(ctx context.Context) error {
	info, err := os.Stat(filepath.Join(p.dir, program))
	if err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("there is no Mattermost in %s (no %s); belfry mattermost install puts one there", p.dir, program)
	}
	if err := p.lookAtDirectory(); err != nil {
		return err
	}
	if p.found, err = readSettings(p.dir, p.o.Config, p.o.Getenv); err != nil {
		return err
	}
	if len(p.edits) > 0 && !p.found.editable {
		return fmt.Errorf("--set changes %s in the installation only; here the configuration is elsewhere (%s): change it there", configFile, p.found.where)
	}
	if err := p.checkEdits(p.dir); err != nil {
		return err
	}
	if err := notRunning(ctx, p.dir, p.found); err != nil {
		return err
	}
	if p.before, err = ask(ctx, p.o.disk, p.dir, p.uid, p.gid); err != nil && !p.o.AllowDowngrade {
		return fmt.Errorf("the version installed can't be told (--allow-downgrade goes on all the same): %w", err)
	}
	p.backup = freeName(p.dir + ".old-" + orUnknown(p.before))
	var copied int64
	if p.keeps, copied, err = p.whatToKeep(); err != nil {
		return err
	}
	return p.room(filepath.Dir(p.dir), copied)
}

// lookAtDirectory checks that the directory can be switched by renaming.
func (p *plan) lookAtDirectory() error {
	here, err := statOf(p.dir)
	if err != nil {
		return err
	}
	above, err := statOf(filepath.Dir(p.dir))
	if err != nil {
		return err
	}
	if here.dev != above.dev {
		return fmt.Errorf("%s is a file system of its own, which can't be replaced by renaming; let Mattermost be in a directory on it", p.dir)
	}
	p.uid, p.gid, p.mode = here.uid, here.gid, here.mode
	if me := os.Geteuid(); me != 0 && me != p.uid {
		return fmt.Errorf("%s belongs to user %d; run this as that user or as root, so that the owner stays", p.dir, p.uid)
	}
	return nil
}

// slack is what stays free on the disk.
const slack = 64 << 20

func (p *plan) room(dir string, copied int64) error {
	free, err := freeSpace(dir)
	if err != nil {
		return fmt.Errorf("can't tell how much room %s has: %w", dir, err)
	}
	if need := p.survey.bytes + copied + slack; free < need {
		return fmt.Errorf("%s has %s free, and %s are needed", dir, size(free), size(need))
	}
	return nil
}

// carryOut says the plan or follows it.
func (p *plan) carryOut(ctx context.Context) error {
	if p.o.DryRun {
		p.say("dry run: nothing is changed; this would be done")
		p.say("unpack: %s, %d files, %s", filepath.Base(p.o.Archive), p.survey.files, size(p.survey.bytes))
		p.say("check: %s of it runs and says its version%s", program, p.notOlder())
		p.sayKept()
		p.sayEdits()
		if p.upgrade {
			p.say("switch: %s becomes the new one, the old one %s", p.dir, p.backup)
		} else {
			p.say("put: it becomes %s", p.dir)
		}
		p.sayLast("")
		return nil
	}
	return p.build(ctx)
}

func (p *plan) notOlder() string {
	if p.before == "" || p.o.AllowDowngrade {
		return ""
	}
	return ", not older than " + p.before
}

func (p *plan) say(format string, args ...any) { _, _ = fmt.Fprintf(p.o.Out, format+"\n", args...) }

func (p *plan) sayKept() {
	for _, k := range p.keeps {
		p.say("keep: %s (%s%s)", k.path, k.how(), k.because())
	}
	for _, o := range p.found.outside {
		p.say("leave: %s, outside of the installation", o)
	}
}

func (p *plan) sayEdits() {
	for _, e := range p.edits {
		note := ""
		if e.isNew {
			note = " (new there: is it spelled right?)"
		}
		p.say("set: %s in %s%s", e.key, configFile, note)
	}
}

// sayLast says what is left for people to do.
func (p *plan) sayLast(version string) {
	if !p.upgrade {
		p.say("database: Mattermost makes its tables at its first start; SqlSettings in %s says where", configFile)
		return
	}
	p.say("database: %s; it is not touched here. Back it up before Mattermost starts: the new version changes its tables, and the old one can't use them then", p.found.database)
	if version != "" {
		p.say("back: stop Mattermost, restore the database, then mv %s %s.failed && mv %s %s", p.dir, p.dir, p.backup, p.dir)
	}
}

// freeName returns path, or with a number behind it the first that is free.
func freeName(path string) string {
	for n := 1; ; n++ {
		try := path
		if n > 1 {
			try = fmt.Sprintf("%s-%d", path, n)
		}
		if _, err := os.Lstat(try); errors.Is(err, os.ErrNotExist) {
			return try
		}
	}
}

func orUnknown(version string) string {
	if version == "" {
		return "unknown"
	}
	return strings.ReplaceAll(version, "/", "-")
}

// size writes bytes as people read them.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f kB", float64(n)/(1<<10))
}
