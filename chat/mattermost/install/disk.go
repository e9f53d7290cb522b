// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// disk is everything that changes something, or runs a program.
type disk interface {
	mkdir(path string, mode fs.FileMode) error
	// create makes a file that does not exist, whole.
	create(path string, mode fs.FileMode, content io.Reader) error
	symlink(target, path string) error
	link(old, path string) error
	rename(old, path string) error
	// exchange switches two directories in one step, or returns
	// errors.ErrUnsupported.
	exchange(a, b string) error
	removeAll(path string) error
	// own sets owner and group, of links themselves.
	own(path string, uid, gid int) error
	// stamp sets mode and, unless zero, the time of change.
	stamp(path string, mode fs.FileMode, at time.Time) error
	// capability gives path what the program from was allowed by setcap.
	capability(from, path string) error
	// sync waits until everything is on the disk.
	sync(path string) error
	// run runs a program in dir as uid and gid and returns what it says.
	run(ctx context.Context, call call) (string, error)
}

// call is a program to run.
type call struct {
	path, dir string
	args, env []string
	uid, gid  int
}

type realDisk struct{}

func (realDisk) mkdir(path string, mode fs.FileMode) error { return os.Mkdir(path, mode) }

func (realDisk) create(path string, mode fs.FileMode, content io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, mode) //nolint:gosec // a judged path below the new directory
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

func (realDisk) symlink(target, path string) error { return os.Symlink(target, path) }
func (realDisk) link(old, path string) error       { return os.Link(old, path) }
func (realDisk) rename(old, path string) error     { return os.Rename(old, path) }
func (realDisk) exchange(a, b string) error        { return exchange(a, b) }
func (realDisk) sync(path string) error            { return syncAll(path) }
func (realDisk) removeAll(path string) error       { return os.RemoveAll(path) }

func (realDisk) capability(from, path string) error { return copyCapability(from, path) }

func (realDisk) own(path string, uid, gid int) error {
	now, err := statOf(path)
	if err != nil || now.uid == uid && now.gid == gid {
		return err
	}
	return os.Lchown(path, uid, gid)
}

func (realDisk) stamp(path string, mode fs.FileMode, at time.Time) error {
	if err := os.Chmod(path, mode); err != nil {
		return err
	}
	if at.IsZero() {
		return nil
	}
	return os.Chtimes(path, at, at)
}

// maxSaid bounds what a program may say, in bytes.
const maxSaid = 64 << 10

func (realDisk) run(ctx context.Context, c call) (string, error) {
	for tries := 0; ; tries++ {
		said := &capped{}
		cmd := exec.CommandContext(ctx, c.path, c.args...) //nolint:gosec // the program that the operator installs
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, c.env, said, said
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if os.Geteuid() == 0 && c.uid != 0 {
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(c.uid), Gid: uint32(c.gid)}
		}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		cmd.WaitDelay = time.Second
		err := cmd.Run()
		if errors.Is(err, syscall.ETXTBSY) && tries < 20 { // another process was just starting and still has it open
			time.Sleep(10 * time.Millisecond)
			continue
		}
		return string(said.b), err
	}
}

type capped struct{ b []byte }

// Write implements io.Writer; what is too much is dropped.
func (c *capped) Write(p []byte) (int, error) {
	c.b = append(c.b, p[:min(len(p), maxSaid-len(c.b))]...)
	return len(p), nil
}

// stat is what this package asks of a file.
type stat struct {
	dev      uint64
	uid, gid int
	mode     fs.FileMode
}

// statOf looks at path itself, not at where a link leads.
func statOf(path string) (stat, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return stat{}, err
	}
	return statIn(path, info)
}

func statIn(path string, info fs.FileInfo) (stat, error) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stat{}, fmt.Errorf("can't tell whom %s belongs to on this system", path)
	}
	return stat{dev: uint64(s.Dev), uid: int(s.Uid), gid: int(s.Gid), mode: info.Mode()}, nil //nolint:unconvert // its type differs between systems
}
