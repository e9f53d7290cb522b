// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// maxKept bounds how many files are looked at.
const maxKept = 5_000_000

// keep is something of the old installation that the new one gets.
type keep struct {
	path    string // from the installation, with slashes
	setting string // what names it; empty: its usual place
	// linked: files are the same on disk under both installations. Uploads can
	// be large, and Mattermost writes new files rather than into old ones.
	linked bool
}

func (k keep) how() string {
	if k.linked {
		return "linked"
	}
	return "copied"
}

func (k keep) because() string {
	if k.setting == "" {
		return ""
	}
	return "; " + k.setting
}

// shipped are the names at the top of a release that are the program's.
func shipped() []string {
	return []string{"bin", "client", "fonts", "i18n", "templates", "prepackaged_plugins", "manifest.txt", "NOTICE.txt", "README.md",
		"MIT-COMPILED-LICENSE.md", "ENTERPRISE-EDITION-LICENSE.txt", "LICENSE.txt", "mattermost-server.spdx", "SECURITY.md"}
}

// whatToKeep lists what is kept, and how many bytes of it are copied.
func (p *plan) whatToKeep() (keeps []keep, copied int64, err error) {
	add := func(k keep) {
		for _, have := range keeps {
			if k.path == have.path || strings.HasPrefix(k.path, have.path+"/") {
				return
			}
		}
		keeps = append(keeps, k)
	}
	add(keep{path: "config"})
	for _, at := range p.found.inside {
		add(keep{path: unit(at.path), setting: named(at), linked: isLinked(at.setting)})
	}
	list, err := os.ReadDir(p.dir)
	if err != nil {
		return nil, 0, fmt.Errorf("can't look into %s: %w", p.dir, err)
	}
	for _, e := range list {
		if !slices.Contains(shipped(), e.Name()) {
			add(keep{path: e.Name()})
		}
	}
	keeps = slices.DeleteFunc(keeps, func(k keep) bool {
		_, err := os.Lstat(filepath.Join(p.dir, filepath.FromSlash(k.path)))
		return errors.Is(err, fs.ErrNotExist)
	})
	home, err := statOf(p.dir)
	if err != nil {
		return nil, 0, err
	}
	for _, k := range keeps {
		n, err := p.judge(k, home.dev)
		if err != nil {
			return nil, 0, err
		}
		copied += n
	}
	return keeps, copied, nil
}

// unit is what is kept for a directory in the installation: all of it from the
// top, unless that is the program's.
func unit(at string) string {
	top, _, _ := strings.Cut(at, "/")
	if slices.Contains(shipped(), top) {
		return at
	}
	return top
}

// named returns the setting that moved a directory; none for the usual places.
func named(at place) string {
	for _, d := range directories() {
		if d.section+"."+d.key == at.setting && path.Clean(d.fallback) == at.path {
			return ""
		}
	}
	return at.setting
}

// isLinked says whether a directory's files can be linked. Plugins are programs,
// and a search index is written into where it is: the old installation would
// get what the new one makes of it.
func isLinked(setting string) bool {
	return !strings.HasPrefix(setting, "PluginSettings.") && !strings.HasPrefix(setting, "BleveSettings.")
}

// links says whether the file at, which is kept with k, is linked: not within
// directories of their own that are to be copied.
func (p *plan) links(k keep, at string) bool {
	rel, err := filepath.Rel(p.dir, at)
	if err != nil || !k.linked {
		return false
	}
	rel = filepath.ToSlash(rel)
	return !slices.ContainsFunc(p.found.inside, func(in place) bool {
		return !isLinked(in.setting) && (rel == in.path || strings.HasPrefix(rel, in.path+"/"))
	})
}

// judge looks at everything below k for what can't be kept, and returns the
// bytes that will be copied.
func (p *plan) judge(k keep, dev uint64) (bytes int64, err error) {
	seen, me := 0, os.Geteuid()
	root := filepath.Join(p.dir, filepath.FromSlash(k.path))
	err = filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if seen++; seen > maxKept {
			return fmt.Errorf("%s holds more than %d files", root, maxKept)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		s, err := statIn(at, info)
		if err != nil {
			return err
		}
		kind := info.Mode().Type()
		switch {
		case s.dev != dev:
			return fmt.Errorf("%s is a file system of its own, mounted into the installation; unmount it, and mount it again after the upgrade, or let the setting name a path outside of it", at)
		case kind&(fs.ModeDevice|fs.ModeCharDevice|fs.ModeIrregular) != 0:
			return fmt.Errorf("%s is a device; it does not belong there", at)
		case me != 0 && s.uid != me:
			return fmt.Errorf("%s belongs to user %d; run this as root, so that the owner stays", at, s.uid)
		case kind.IsRegular() && !p.links(k, at):
			bytes += info.Size()
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("%s can't be kept: %w", k.path, err)
	}
	return bytes, nil
}

// bring puts one kept thing into the new installation, in place of what the
// archive has there.
func (p *plan) bring(ctx context.Context, k keep) error {
	d := p.o.disk
	from, to := filepath.Join(p.dir, filepath.FromSlash(k.path)), filepath.Join(p.next, filepath.FromSlash(k.path))
	if err := d.removeAll(to); err != nil {
		return err
	}
	if err := p.parents(k.path); err != nil {
		return err
	}
	type dir struct {
		path string
		mode fs.FileMode
		at   time.Time
	}
	var dirs []dir
	err := filepath.WalkDir(from, func(at string, e fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		rel, err := filepath.Rel(from, at)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if info.IsDir() {
			dirs = append(dirs, dir{target, keptMode(info), info.ModTime()})
		}
		return p.bringOne(at, target, info, p.links(k, at))
	})
	if err != nil {
		return err
	}
	for _, one := range slices.Backward(dirs) {
		if err := d.stamp(one.path, one.mode, one.at); err != nil {
			return err
		}
	}
	return nil
}

func keptMode(info fs.FileInfo) fs.FileMode {
	return info.Mode() & (fs.ModePerm | fs.ModeSetgid | fs.ModeSetuid | fs.ModeSticky)
}

func (p *plan) bringOne(from, to string, info fs.FileInfo, linked bool) error {
	d := p.o.disk
	s, err := statIn(from, info)
	if err != nil {
		return err
	}
	switch kind := info.Mode().Type(); {
	case kind.IsDir():
		return errors.Join(d.mkdir(to, 0o700), d.own(to, s.uid, s.gid))
	case kind == fs.ModeSymlink:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		if err := d.symlink(target, to); err != nil {
			return err
		}
		return d.own(to, s.uid, s.gid)
	case !kind.IsRegular():
		return nil // sockets and pipes of programs that are not running
	}
	if linked {
		err := d.link(from, to)
		// Not every file system links, nor a file as often as one likes.
		if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EMLINK) && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	f, err := os.Open(from) //nolint:gosec // below the installation
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	if err := d.create(to, 0o600, f); err != nil {
		return err
	}
	if err := d.own(to, s.uid, s.gid); err != nil {
		return err
	}
	return d.stamp(to, keptMode(info), info.ModTime())
}

// parents makes the directories above a kept path that the archive lacks.
func (p *plan) parents(kept string) error {
	above := path.Dir(kept)
	if above == "." {
		return nil
	}
	if err := p.parents(above); err != nil {
		return err
	}
	at := filepath.Join(p.next, filepath.FromSlash(above))
	if _, err := os.Lstat(at); err == nil {
		return nil
	}
	return errors.Join(p.o.disk.mkdir(at, 0o755), p.o.disk.own(at, p.uid, p.gid))
}
