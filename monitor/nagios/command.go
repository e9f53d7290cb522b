// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
	"belfry/monitor/extcmd"
)

// maxLine is the longest command line, its end included: what POSIX promises
// to write to a pipe in one piece (PIPE_BUF on Linux).
const maxLine = 4096

// defaultComment stands where a person gave none: the core insists on one.
const defaultComment = "acknowledged in chat"

// language makes lines of the external command language, each for a host and
// for a service: "[unix time] COMMAND;host[;service];arguments", without the
// new line at the end.
type language struct {
	sticky             int
	notify, persistent bool
}

func (l language) acknowledge(a monitor.Acknowledgement, now time.Time) (string, error) {
	return line(now, "ACKNOWLEDGE_%s_PROBLEM", a.Object, a.Author, a.Comment,
		strconv.Itoa(l.sticky), bit(l.notify), bit(l.persistent))
}

func (l language) unacknowledge(o alert.Object, now time.Time) (string, error) {
	return bareLine(now, "REMOVE_%s_ACKNOWLEDGEMENT", o)
}

func (l language) comment(o alert.Object, author, text string, now time.Time) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", fault.NewPermanent(errors.New("the comment is empty; write what nagios is to keep"))
	}
	return line(now, "ADD_%s_COMMENT", o, author, text, "1")
}

func (l language) downtime(d monitor.Downtime, now time.Time) (string, error) {
	if !d.End.After(d.Start) {
		return "", fault.NewPermanent(errors.New("the downtime ends before it starts"))
	}
	return line(now, "SCHEDULE_%s_DOWNTIME", d.Object, d.Author, d.Comment,
		seconds(d.Start), seconds(d.End), "1", "0", strconv.FormatInt(int64(d.End.Sub(d.Start)/time.Second), 10))
}

func (l language) check(o alert.Object, now time.Time) (string, error) {
	return bareLine(now, "SCHEDULE_FORCED_%s_CHECK", o, seconds(now))
}

func (l language) notifications(o alert.Object, on bool, now time.Time) (string, error) {
	if on {
		return bareLine(now, "ENABLE_%s_NOTIFICATIONS", o)
	}
	return bareLine(now, "DISABLE_%s_NOTIFICATIONS", o)
}

// line makes a command that ends in author and comment. The comment gives way
// where the whole would be too long for one write.
func line(now time.Time, command string, o alert.Object, author, comment string, args ...string) (string, error) {
	if author = extcmd.Author(author); author == "" {
		return "", fault.NewPermanent(errors.New("nobody is named as the author: nagios is not told"))
	}
	if comment = extcmd.Comment(comment); comment == "" {
		comment = defaultComment
	}
	start, err := bareLine(now, command, o, append(args, author)...)
	if err != nil {
		return "", err
	}
	room := maxLine - len(start) - len(";\n")
	if room < len(defaultComment) {
		return "", tooLong(o)
	}
	return start + ";" + extcmd.Cut(comment, room), nil
}

func bareLine(now time.Time, command string, o alert.Object, args ...string) (string, error) {
	if err := extcmd.CheckObject(o); err != nil {
		return "", err
	}
	kind, names := "HOST", []string{o.Host}
	if o.Kind == alert.KindService {
		kind, names = "SVC", []string{o.Host, o.Service}
	}
	fields := append([]string{fmt.Sprintf(command, kind)}, append(names, args...)...)
	s := "[" + seconds(now) + "] " + strings.Join(fields, ";")
	if len(s)+1 > maxLine {
		return "", tooLong(o)
	}
	return s, nil
}

func tooLong(o alert.Object) error {
	return fault.NewPermanent(fmt.Errorf("the names of %s are too long for a command to nagios", monitor.Quote(o.Name())))
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func bit(on bool) string {
	if on {
		return "1"
	}
	return "0"
}
