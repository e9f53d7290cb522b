// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"belfry/doctor"
)

var _ doctor.Examiner = (*Source)(nil)

// checkup is what a core is looked into with.
type checkup struct {
	// way and eyes are those of the source; nil where it has none.
	way  way
	eyes reader
	now  func() time.Time
}

// Examine implements doctor.Examiner: whether the core can be told something
// and asked something, and what it says of itself. It tells it nothing.
func (s *Source) Examine(ctx context.Context, _ doctor.Visit) []doctor.Finding {
	var found []doctor.Finding
	switch w := s.checkup.way.(type) {
	case pipe:
		found = append(found, w.examine())
	case queryHandler:
		found = append(found, w.examine(ctx))
	case nil:
		found = append(found, doctor.Good("commands",
			"no way for commands is configured, so what people acknowledge in chat stays in chat (command_pipe, query_socket or livestatus would change that)"))
	}
	switch e := s.checkup.eyes.(type) {
	case livestatus:
		_, commands := s.checkup.way.(livestatus)
		found = append(found, e.examine(ctx, commands)...)
	case *statusFile:
		found = append(found, e.examine(s.checkup.now())...)
	case nil:
		found = append(found, doctor.Good("status",
			"no way to see how objects stand is configured, so the core's notifications alone tell (status_file or livestatus would change that)"))
	}
	return found
}

const startCore = "start the core: systemctl start nagios4 (nagios, naemon)"

// examine opens the pipe as for a command, and writes nothing.
func (p pipe) examine() doctor.Finding {
	const check = "command pipe"
	fd, err := again(func() (int, error) { return unix.Open(p.path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0) })
	switch {
	case errors.Is(err, unix.ENXIO):
		return doctor.Bad(check, startCore, "nobody reads %s: the core does not run", p.path)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return doctor.Bad(check, startCore+"\nif it runs: in its main file, check_external_commands=1 and command_file="+p.path+", then restart it",
			"%s is not there", p.path)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return doctor.Bad(check, mayRemedy(p.path), "this user may not write to %s", p.path)
	case err != nil:
		return doctor.Bad(check, "ls -l "+p.path+"; then correct command_pipe of this source", "%s can't be opened: %v", p.path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return doctor.Bad(check, "rm "+p.path+" and restart the core, which makes the pipe anew", "%s is no pipe: something wrote a file there while the core was down", p.path)
	}
	return doctor.Good(check, "somebody reads %s", p.path)
}

// mayRemedy says how the server's user gets at a path.
func mayRemedy(path string) string {
	who := "belfry"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	group := groupOf(path)
	if _, err := os.Stat(path); err != nil { // it can't even be looked at: its folder is closed
		group = groupOf(filepath.Dir(path))
	}
	return fmt.Sprintf("usermod -aG %s %s (with systemd: SupplementaryGroups=%s), then: systemctl restart belfry\nif that is not enough, the group itself may not: ls -ld %s %s", group, who, group, filepath.Dir(path), path)
}

// examine asks the query socket's command handler for its help.
func (q queryHandler) examine(ctx context.Context) doctor.Finding {
	const check = "query socket"
	var answer string
	_, err := q.ask(ctx, "#command help\x00", false, func(r io.Reader) (err error) {
		answer, err = readAnswer(r)
		return err
	})
	switch {
	case errors.Is(err, unix.EACCES):
		return doctor.Bad(check, mayRemedy(q.address), "%v", err)
	case err != nil && strings.Contains(err.Error(), "belfry may not use"):
		return doctor.Bad(check, mayRemedy(q.address), "%v", err)
	case err != nil:
		return doctor.Bad(check, startCore+"\nif it runs: in its main file, query_socket="+q.address, "%v", err)
	case strings.HasPrefix(answer, "404"):
		return doctor.Bad(check, "use command_pipe (Nagios Core takes no commands on its query socket; Naemon does from 1.0.7 on)", "%s answers, and takes no commands: %s", q.address, answer)
	}
	return doctor.Good(check, "%s answers and takes commands", q.address)
}

// examine asks livestatus what the core says of itself.
func (l livestatus) examine(ctx context.Context, commands bool) []doctor.Finding {
	const check = "livestatus"
	rows, err := l.table(ctx, "GET status\nColumns: program_version enable_notifications check_external_commands\n")
	if err != nil {
		remedy := startCore + "\nif it runs: broker_module=…/livestatus.so " + l.address + " in its main file (docs/nagios.md)"
		if strings.Contains(err.Error(), "may not use") {
			remedy = mayRemedy(l.address)
		}
		return []doctor.Finding{doctor.Bad(check, remedy, "%v", err)}
	}
	var version string
	var notifies, takes float64
	if len(rows) != 1 || len(rows[0]) != 3 || json.Unmarshal(rows[0][0], &version) != nil ||
		json.Unmarshal(rows[0][1], &notifies) != nil || json.Unmarshal(rows[0][2], &takes) != nil {
		return []doctor.Finding{doctor.Bad(check, "upgrade livestatus, or set status_file instead of livestatus", "%s answers, and its table status is not as it should be", l.address)}
	}
	found := []doctor.Finding{doctor.Good(check, "%s answers; the core is %s", l.address, version), notifications(notifies == 1)}
	switch {
	case takes != 1 && commands:
		found = append(found, doctor.Bad("commands", "in the core's main file: check_external_commands=1, then restart it", "the core takes no commands"))
	case commands:
		found = append(found, doctor.Good("commands", "the core takes commands"))
	}
	return found
}

// notifications says whether the core notifies anybody at all.
func notifications(on bool) doctor.Finding {
	const check = "notifications"
	if !on {
		return doctor.Bad(check, "switch them on in the core's web pages (Process Info → Enable notifications), and in its main file: enable_notifications=1", "the core notifies nobody: its notifications are switched off")
	}
	return doctor.Good(check, "the core notifies")
}

// How old a status file may be, and how far ahead of us. A core writes it every
// 10 s as shipped, every minute at most where it is large.
const (
	statusOld   = 2 * time.Minute
	statusDead  = 10 * time.Minute
	statusAhead = 5 * time.Second
	// statusHead is how much of it is read: what the core says of itself comes first.
	statusHead = 64 << 10
)

// examine looks at the head of the status file.
func (f *statusFile) examine(now time.Time) []doctor.Finding {
	const check = "status file"
	head, err := readHead(f.path)
	switch {
	case errors.Is(err, os.ErrPermission):
		return []doctor.Finding{doctor.Bad(check, mayRemedy(f.path), "this user may not read %s", f.path)}
	case errors.Is(err, os.ErrNotExist):
		return []doctor.Finding{doctor.Bad(check, startCore+"\nif it runs: status_file of this source must be that of its main file (grep ^status_file /etc/nagios4/nagios.cfg)", "%s is not there", f.path)}
	case err != nil:
		return []doctor.Finding{doctor.Bad(check, "status_file of this source must be the core's (grep ^status_file /etc/nagios4/nagios.cfg)", "%s: %v", f.path, err)}
	}
	age := now.Sub(head.created)
	found := []doctor.Finding{}
	switch pid := strconv.Itoa(head.pid); {
	case age < -statusAhead:
		found = append(found, doctor.Doubt(check, "set the clocks of the core's host and of this one by NTP: timedatectl set-ntp true", "%s was written %v in the future", f.path, (-age).Truncate(time.Second)))
	case age > statusDead && head.gone():
		found = append(found, doctor.Bad(check, startCore, "%s is of a core that does not run any more (process %s), written %v ago", f.path, pid, age.Truncate(time.Minute)))
	case age > statusDead:
		found = append(found, doctor.Bad(check, "see what holds the core up, and that the disk of "+f.path+" has room: df -h "+filepath.Dir(f.path), "%s was written %v ago", f.path, age.Truncate(time.Minute)))
	case age > statusOld:
		found = append(found, doctor.Doubt(check, "in the core's main file: status_update_interval=10 (seconds), then restart it", "%s is written seldom: the last time %v ago; so long an acknowledgement can wait to be confirmed", f.path, age.Truncate(time.Second)))
	default:
		found = append(found, doctor.Good(check, "%s is fresh, of Nagios or Naemon %s", f.path, head.version))
	}
	return append(found, notifications(head.notifies))
}

// statusInfo is what a core says of itself in its status file.
type statusInfo struct {
	created  time.Time
	version  string
	pid      int
	notifies bool
}

// gone says whether the core's process is not there. A process of another host
// or container looks as if it were not, so that alone proves nothing.
func (s statusInfo) gone() bool { return s.pid > 0 && errors.Is(unix.Kill(s.pid, 0), unix.ESRCH) }

// readHead reads the blocks info and programstatus, which come first.
func readHead(path string) (statusInfo, error) {
	s := statusInfo{notifies: true}
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return s, err
	}
	defer func() { _ = f.Close() }() // only read from
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return s, errors.Join(err, errors.New("it is no file"))
	}
	lines := bufio.NewScanner(io.LimitReader(f, statusHead))
	for lines.Scan() {
		key, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		switch key {
		case "created":
			if at, err := strconv.ParseInt(value, 10, 64); err == nil && s.created.IsZero() {
				s.created = time.Unix(at, 0)
			}
		case "version":
			s.version = value
		case "nagios_pid", "naemon_pid":
			s.pid, _ = strconv.Atoi(value) // what is no number is unknown
		case "enable_notifications":
			s.notifies = value != "0"
			return s, nil // all that is wanted stands before
		}
	}
	if s.created.IsZero() {
		return s, errors.New("it is no status file: its block info says no time")
	}
	return s, nil
}
