// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"belfry/fault"
)

// pipe is the core's external command file. It takes a line and answers
// nothing, so what was written is never confirmed by it.
type pipe struct{ path string }

// send writes one line in one piece. It never waits: a core that was stopped
// leaves its pipe behind, and opening that the plain way hangs for ever.
func (p pipe) send(ctx context.Context, line string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, fault.NewRetry(fmt.Errorf("the command was not written to %s: %w", p.path, err))
	}
	fd, err := again(func() (int, error) {
		return unix.Open(p.path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return false, p.openTrouble(err)
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, fault.NewRetry(fmt.Errorf("can't look at the command pipe %s: %w", p.path, err))
	}
	if st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return false, fault.NewRetry(fmt.Errorf("%s is not a pipe, so nagios would not see the command: remove that file and restart nagios", p.path))
	}
	b := []byte(line + "\n")
	n, err := again(func() (int, error) { return unix.Write(fd, b) })
	switch {
	case errors.Is(err, unix.EAGAIN):
		return false, fault.NewRetry(fmt.Errorf("the command pipe %s is full: nagios is not keeping up; it is sent when there is room", p.path))
	case errors.Is(err, unix.EPIPE):
		return false, p.openTrouble(unix.ENXIO)
	case err != nil:
		return false, fault.NewUnknown(fmt.Errorf("writing to the command pipe %s: %w", p.path, err))
	case n < len(b):
		// POSIX rules it out up to PIPE_BUF; a file system that does it anyway
		// leaves us not knowing what the core makes of half a line.
		return false, fault.NewUnknown(fmt.Errorf("the command pipe %s took only %d of %d bytes", p.path, n, len(b)))
	}
	return false, nil
}

// openTrouble says what stands between us and the core. All of it can pass, so
// the command is kept and sent later.
func (p pipe) openTrouble(err error) error {
	switch {
	case errors.Is(err, unix.ENXIO):
		return fault.NewRetry(fmt.Errorf("nagios is not running: nobody reads %s; it is sent when it is back", p.path))
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return fault.NewRetry(fmt.Errorf("the command pipe %s is not there: nagios is not running, has check_external_commands=0, or has another command_file; it is sent when it is there", p.path))
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fault.NewRetry(fmt.Errorf("belfry may not write to the command pipe %s: add its user to the group %s, then restart belfry", p.path, groupOf(p.path)))
	}
	return fault.NewRetry(fmt.Errorf("can't open the command pipe %s: %w", p.path, err))
}

// groupOf names the group that owns path, for the remedy.
func groupOf(path string) string {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return "that may enter its directory"
	}
	group := strconv.FormatUint(uint64(st.Gid), 10)
	if g, err := user.LookupGroupId(group); err == nil {
		return g.Name
	}
	return group
}

// again repeats a system call that a signal interrupted.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
