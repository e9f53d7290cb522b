// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// faulty is a real disk on which the operation number n fails; stays: and all
// after it, as when the process is killed there.
type faulty struct {
	realDisk
	n, done int
	stays   bool
	plain   bool // can't exchange
	failed  string
	synced  int // the number of the last step before the switch
}

var errInjected = errors.New("injected")

func (f *faulty) fails(what string) error {
	f.done++
	if f.done == f.n || f.stays && f.failed != "" {
		f.failed = what
		return errInjected
	}
	return nil
}

func (f *faulty) mkdir(path string, mode fs.FileMode) error {
	return first(f.fails("mkdir "+path), func() error { return f.realDisk.mkdir(path, mode) })
}

func (f *faulty) create(path string, mode fs.FileMode, content io.Reader) error {
	if err := f.fails("create " + path); err != nil {
		// The disk is full: half of it is there.
		return errors.Join(err, f.realDisk.create(path, mode, io.LimitReader(content, 1)))
	}
	return f.realDisk.create(path, mode, content)
}

func (f *faulty) symlink(target, path string) error {
	return first(f.fails("symlink "+path), func() error { return f.realDisk.symlink(target, path) })
}

func (f *faulty) link(old, path string) error {
	return first(f.fails("link "+path), func() error { return f.realDisk.link(old, path) })
}

func (f *faulty) rename(old, path string) error {
	return first(f.fails("rename "+path), func() error { return f.realDisk.rename(old, path) })
}

func (f *faulty) exchange(a, b string) error {
	if f.plain {
		return errors.ErrUnsupported
	}
	return first(f.fails("exchange "+b), func() error { return f.realDisk.exchange(a, b) })
}

func (f *faulty) removeAll(path string) error {
	return first(f.fails("removeAll "+path), func() error { return f.realDisk.removeAll(path) })
}

func (f *faulty) own(path string, uid, gid int) error {
	return first(f.fails("own "+path), func() error { return f.realDisk.own(path, uid, gid) })
}

func (f *faulty) stamp(path string, mode fs.FileMode, at time.Time) error {
	return first(f.fails("stamp "+path), func() error { return f.realDisk.stamp(path, mode, at) })
}

func (f *faulty) sync(path string) error {
	f.synced = f.done
	return first(f.fails("sync "+path), func() error { return nil }) // syncing is slow and proves nothing here
}

func (f *faulty) run(ctx context.Context, c call) (string, error) {
	if err := f.fails("run " + c.path); err != nil {
		return "", err
	}
	if f.n == 0 {
		return f.realDisk.run(ctx, c)
	}
	// The same without the time that a process takes: what a whole script says.
	b, err := os.ReadFile(c.path)
	version, ok := strings.CutPrefix(string(b), "#!/bin/sh\necho ")
	if info, wrong := os.Stat(c.path); err != nil || wrong != nil || !ok || !strings.HasSuffix(version, "\n") || info.Mode()&0o100 == 0 {
		return "", fmt.Errorf("can't run %s: %w", c.path, errors.Join(err, wrong))
	}
	return version, nil
}

func first(err error, do func() error) error {
	if err != nil {
		return err
	}
	return do()
}
