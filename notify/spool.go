// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"belfry/clock"
	"belfry/monitor/notification"
)

// spool is the directory of notifications that the server has not taken yet,
// readable by its owner only:
//
//	<nanoseconds>-<id>.json        one notification, in the order of the names
//	<nanoseconds>-<id>.tried.json  the same; the server may have it already
//	rejected/…                     what the server will never take, and why
//	.new-<id>                      being written; worth nothing until renamed
//
// The lock is on the directory itself: no file is left that another user
// could own.
type spool struct {
	dir   string
	lock  *os.File
	clock clock.Clock
	// owner keeps the files the directory owner's when root adds some.
	owner *syscall.Stat_t
}

// entry is the name of one notification's file.
type entry string

const (
	newPrefix   = ".new-"
	suffix      = ".json"
	triedSuffix = ".tried.json"
	rejectedDir = "rejected"
	// maxEntry bounds what is read of one file.
	maxEntry = notification.MaxBody
)

func openSpool(dir string, c clock.Clock) (*spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w; %s", err, makeHint(dir))
	}
	lock, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, makeHint(dir))
	}
	s := &spool{dir: dir, lock: lock, clock: c}
	if err := s.guard(); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return s, nil
}

// guard sees to it that nobody else can plant files in the spool. (That nobody
// else can read them is up to the files' own modes: a directory that somebody
// made, perhaps for more than this, is not changed.)
func (s *spool) guard() error {
	info, err := s.lock.Stat()
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("the spool %s is no directory", s.dir)
	}
	s.owner, _ = info.Sys().(*syscall.Stat_t)
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others may write into the spool %s; %s", s.dir, makeHint(s.dir))
	}
	return nil
}

// makeHint is the command that makes a spool for whoever runs this.
func makeHint(dir string) string {
	name := strconv.Itoa(os.Geteuid())
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return "make it with: install -d -m 700 -o " + name + " " + dir + ", or name another with --spool"
}

// close also gives the lock back.
func (s *spool) close() { _ = s.lock.Close() }

func (s *spool) tryLock() bool {
	return syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// lockWhile waits for the lock as long as waiting makes sense. It returns
// false when it does not any more, or when ctx ended first.
func (s *spool) lockWhile(ctx context.Context, sensible func() bool) bool {
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		if s.tryLock() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-s.clock.After(wait):
		}
		if !sensible() {
			return false
		}
	}
}

// entries lists what waits, oldest first.
func (s *spool) entries() ([]entry, error) {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, f := range files {
		if name := f.Name(); !strings.HasPrefix(name, ".") && strings.HasSuffix(name, suffix) && f.Type().IsRegular() {
			out = append(out, entry(name))
		}
	}
	return out, nil
}

// has says whether e still waits, tried or not.
func (s *spool) has(e entry) bool {
	for _, name := range []entry{e.untried(), e.tried()} {
		if _, err := os.Lstat(s.path(name)); err == nil {
			return true
		}
	}
	return false
}

func (s *spool) path(e entry) string { return filepath.Join(s.dir, string(e)) }

func (e entry) isTried() bool { return strings.HasSuffix(string(e), triedSuffix) }
func (e entry) stem() string {
	return strings.TrimSuffix(strings.TrimSuffix(string(e), triedSuffix), suffix)
}
func (e entry) tried() entry   { return entry(e.stem() + triedSuffix) }
func (e entry) untried() entry { return entry(e.stem() + suffix) }

// add puts n at the end, where it belongs by its time. When it returns nil the
// notification survives a loss of power.
func (s *spool) add(n notification.Notification) (entry, error) {
	waiting, err := s.entries()
	if err != nil {
		return "", err
	}
	at := n.SentAt.UnixNano()
	if len(waiting) > 0 {
		// Calls that run side by side may add a little late and keep their
		// place. More than that, and the clock was set back: then the end is
		// still behind the last.
		stamp, _, _ := strings.Cut(string(waiting[len(waiting)-1]), "-")
		if last, err := strconv.ParseInt(stamp, 10, 64); err == nil && last-at > int64(2*Patience) {
			at = last + 1
		}
	}
	e := entry(fmt.Sprintf("%020d-%s%s", at, n.ID, suffix))
	if n.Repeated {
		e = e.tried()
	}
	n.Repeated = false // the name says it
	b, err := encode(n)
	if err != nil {
		return "", err
	}
	return e, s.write(s.dir, string(e), b)
}

// write makes a file appear whole or not at all.
func (s *spool) write(dir, name string, b []byte) error {
	temp := filepath.Join(dir, newPrefix+name)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	s.handToOwner(f)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(temp, filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(temp)
		return err
	}
	return syncDir(dir)
}

// handToOwner lets the core's user read what root put into its spool.
func (s *spool) handToOwner(f *os.File) {
	if os.Geteuid() == 0 && s.owner != nil {
		_ = f.Chown(int(s.owner.Uid), int(s.owner.Gid))
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// read returns what e holds.
func (s *spool) read(e entry) (notification.Notification, error) {
	var n notification.Notification
	f, err := os.OpenFile(s.path(e), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return n, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxEntry+1))
	if err != nil {
		return n, err
	}
	if len(b) > maxEntry {
		return n, fmt.Errorf("not a notification: it has more than %d bytes", maxEntry)
	}
	if err := json.Unmarshal(b, &n); err != nil {
		return n, fmt.Errorf("not a notification: %w", err)
	}
	n.Repeated = e.isTried()
	return n, nil
}

// markTried notes, before they are sent, that the server may have all of es.
func (s *spool) markTried(es []entry) error {
	changed := false
	for _, e := range es {
		if e.isTried() {
			continue
		}
		if err := os.Rename(s.path(e), s.path(e.tried())); err != nil {
			return err
		}
		changed = true
	}
	if !changed {
		return nil
	}
	return syncDir(s.dir)
}

// remove forgets what was handed over. Should the file come back after a loss
// of power, its name says that it was tried.
func (s *spool) remove(e entry) error {
	err := os.Remove(s.path(e.tried()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// reject keeps a notification that is not in the spool, with the reason why
// the server will never take it, and returns where.
func (s *spool) reject(n notification.Notification, reason error) (string, error) {
	dir, err := s.rejected()
	if err != nil {
		return "", err
	}
	b, err := encode(n)
	if err != nil {
		return "", err
	}
	stem := fmt.Sprintf("%020d-%s", s.clock.Now().UnixNano(), n.ID)
	if err := s.write(dir, stem+suffix, b); err != nil {
		return "", err
	}
	return filepath.Join(dir, stem+suffix), s.write(dir, stem+".reason", []byte(oneLine(reason.Error())+"\n"))
}

// rejectEntry moves e out of the way, with the reason.
func (s *spool) rejectEntry(e entry, reason error) (string, error) {
	dir, err := s.rejected()
	if err != nil {
		return "", err
	}
	// On a full disk the reason may not fit; moving needs no room.
	_ = s.write(dir, e.stem()+".reason", []byte(oneLine(reason.Error())+"\n"))
	to := filepath.Join(dir, e.stem()+suffix)
	if err := os.Rename(s.path(e), to); err != nil {
		return "", err
	}
	return to, errors.Join(syncDir(dir), syncDir(s.dir))
}

func (s *spool) rejected() (string, error) {
	dir := filepath.Join(s.dir, rejectedDir)
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return dir, nil
	}
	if err != nil {
		return "", err
	}
	if d, err := os.Open(dir); err == nil {
		s.handToOwner(d)
		_ = d.Close()
	}
	return dir, nil
}

// sweep removes what calls that were killed while writing left behind: they
// never said that they kept it.
func (s *spool) sweep() {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && strings.HasPrefix(f.Name(), newPrefix) &&
			s.clock.Now().Sub(info.ModTime()) > 24*time.Hour {
			_ = os.Remove(filepath.Join(s.dir, f.Name()))
		}
	}
}
