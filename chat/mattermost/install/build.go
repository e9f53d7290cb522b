// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// program is Mattermost's server in its directory.
	program = "bin/mattermost"
	// marker stands in a directory that is being built. Without it, what stands
	// at that place is somebody's and is not removed.
	marker = ".belfry-unfinished"
)

// build does everything, and undoes it when something fails.
func (p *plan) build(ctx context.Context) (err error) {
	release, err := p.claim()
	if err != nil {
		return err
	}
	defer release()
	version, err := p.fill(ctx)
	if err != nil {
		return p.undo(err, p.next)
	}
	if !p.upgrade {
		if err := p.o.disk.rename(p.next, p.dir); err != nil {
			return p.undo(fmt.Errorf("can't put it in place: %w", err), p.next)
		}
		p.say("put: %s is Mattermost %s", p.dir, version)
		p.sayLast(version)
		return nil
	}
	if err := p.change(ctx, version); err != nil {
		return err
	}
	p.say("switch: %s is Mattermost %s, the old one is %s", p.dir, version, p.backup)
	p.sayLast(version)
	return nil
}

// claim makes the directory to build in and keeps others out of it. What a
// run that was cut off left there is removed.
func (p *plan) claim() (release func(), err error) {
	path := filepath.Join(p.next, marker)
	if list, err := os.ReadDir(p.next); err == nil && len(list) == 0 {
		if err := p.o.disk.removeAll(p.next); err != nil {
			return nil, err
		}
	}
	if _, err := os.Lstat(p.next); err == nil {
		held, err := lock(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%s is in the way; if an upgrade was cut off right after it switched, this is the old installation: rename it as you like, and try again", p.next)
		case err != nil:
			return nil, fmt.Errorf("another installation or upgrade of %s is under way (%w)", p.dir, err)
		}
		err = p.o.disk.removeAll(p.next)
		held()
		if err != nil {
			return nil, fmt.Errorf("can't remove what an earlier run left in %s: %w", p.next, err)
		}
	}
	if err := p.o.disk.mkdir(p.next, 0o700); err != nil {
		return nil, fmt.Errorf("can't make a directory beside %s: %w", p.dir, err)
	}
	if err := p.o.disk.create(path, 0o600, bytes.NewReader(nil)); err != nil {
		return nil, p.undo(err, p.next)
	}
	held, err := lock(path)
	if err != nil {
		return nil, p.undo(fmt.Errorf("can't lock %s: %w", path, err), p.next)
	}
	return held, nil
}

func lock(path string) (release func(), err error) {
	f, err := os.Open(path) //nolint:gosec // our own
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// fill builds the whole new installation beside the old one.
func (p *plan) fill(ctx context.Context) (version string, err error) {
	if err := p.unpack(ctx); err != nil {
		return "", err
	}
	p.say("unpack: %s, %d files, %s", filepath.Base(p.o.Archive), p.survey.files, size(p.survey.bytes))
	if version, err = ask(ctx, p.o.disk, p.next, p.uid, p.gid); err != nil {
		return "", fmt.Errorf("the archive's %s does not do: %w", program, err)
	}
	if p.before != "" && older(version, p.before) && !p.o.AllowDowngrade {
		return "", fmt.Errorf("the archive has %s, older than %s that is installed, which can't use the database any more; --allow-downgrade does it all the same", version, p.before)
	}
	p.say("check: it is Mattermost %s%s", version, p.instead())
	for _, k := range p.keeps {
		if err := p.bring(ctx, k); err != nil {
			return "", fmt.Errorf("can't keep %s: %w", k.path, err)
		}
	}
	p.sayKept()
	if err := p.applyEdits(); err != nil {
		return "", err
	}
	p.sayEdits()
	if p.upgrade {
		if err := p.o.disk.capability(filepath.Join(p.dir, program), filepath.Join(p.next, program)); err != nil {
			p.say("do: setcap cap_net_bind_service=+ep %s, as the old one had it (%v)", filepath.Join(p.dir, program), err)
		}
	}
	if err := p.o.disk.stamp(p.next, p.mode, time.Time{}); err != nil {
		return "", err
	}
	if err := p.o.disk.removeAll(filepath.Join(p.next, marker)); err != nil {
		return "", err
	}
	return version, p.o.disk.sync(p.next)
}

func (p *plan) instead() string {
	if !p.upgrade {
		return ""
	}
	return ", where " + orUnknown(p.before) + " was"
}

// change puts the new one in the old one's place in one step, and back if it
// does not do there.
func (p *plan) change(ctx context.Context, version string) error {
	d := p.o.disk
	err := d.exchange(p.dir, p.next)
	if errors.Is(err, errors.ErrUnsupported) {
		return p.changeInTwo(ctx, version)
	}
	if err != nil {
		return p.undo(fmt.Errorf("can't switch: %w", err), p.next)
	}
	old := p.next
	if err = d.rename(p.next, p.backup); err != nil {
		err = fmt.Errorf("can't put the old installation aside: %w", err)
	} else {
		old = p.backup
		err = p.confirm(ctx, version)
	}
	if err == nil {
		return nil
	}
	if back := d.exchange(p.dir, old); back != nil {
		return p.stuck(err, back, old)
	}
	return p.undo(err, old)
}

// changeInTwo is change where the file system can't exchange two directories.
func (p *plan) changeInTwo(ctx context.Context, version string) error {
	d := p.o.disk
	if err := d.rename(p.dir, p.backup); err != nil {
		return p.undo(fmt.Errorf("can't put the old installation aside: %w", err), p.next)
	}
	err := d.rename(p.next, p.dir)
	if err != nil {
		err = fmt.Errorf("can't put the new installation in place: %w", err)
	} else if err = p.confirm(ctx, version); err == nil {
		return nil
	} else if back := d.rename(p.dir, p.next); back != nil {
		return p.stuck(err, back, p.backup)
	}
	if back := d.rename(p.backup, p.dir); back != nil {
		return p.stuck(err, back, p.backup)
	}
	return p.undo(err, p.next)
}

// confirm has the new program run where it is now.
func (p *plan) confirm(ctx context.Context, version string) error {
	now, err := ask(ctx, p.o.disk, p.dir, p.uid, p.gid)
	if err == nil && now != version {
		err = fmt.Errorf("it says %s now", now)
	}
	if err != nil {
		return fmt.Errorf("in its place the new %s does not do: %w", program, err)
	}
	return nil
}

// undo removes what was built and says that all is as it was.
func (p *plan) undo(cause error, built string) error {
	if err := p.o.disk.removeAll(built); err != nil {
		return fmt.Errorf("%w; %s is as it was, but %s is left and can be removed (%w)", cause, p.dir, built, err)
	}
	return fmt.Errorf("%w; everything is as it was", cause)
}

// stuck says where everything is when it can't be put back.
func (p *plan) stuck(cause, back error, old string) error {
	return fmt.Errorf("%w; and it can't be put back (%w): the old installation is complete in %s, move it to %s", cause, back, old, p.dir)
}
