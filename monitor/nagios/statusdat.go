// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"belfry/fault"
	"belfry/monitor"
)

const (
	// maxStatusFile bounds status.dat; 100,000 services make about 200 MB.
	maxStatusFile = 2 << 30
	// lineBuffer holds one line; the rest of a longer one is skipped.
	lineBuffer = 64 << 10
)

// statusFile is the core's status.dat: written anew every
// status_update_interval seconds and put in place in one piece.
type statusFile struct {
	path string

	mu    sync.Mutex
	stamp fileStamp
	asOf  time.Time
	seen  map[target]monitor.Status
}

// fileStamp tells one written file from the next.
type fileStamp struct {
	modified time.Time
	size     int64
}

// read implements reader. Only what was asked for is kept, so that a large
// file costs no memory; it is not read again while it is the same.
func (f *statusFile) read(ctx context.Context, wanted map[target]*monitor.Status) (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, err := os.Open(f.path)
	if err != nil {
		return time.Time{}, f.trouble(err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return time.Time{}, f.trouble(err)
	}
	switch {
	case !info.Mode().IsRegular():
		return time.Time{}, fault.NewPermanent(fmt.Errorf("%s is not a file: is it the core's status_file?", f.path))
	case info.Size() > maxStatusFile:
		return time.Time{}, fault.NewPermanent(fmt.Errorf("%s has %d bytes, more than %d: is it the core's status_file?", f.path, info.Size(), maxStatusFile))
	}
	stamp := fileStamp{info.ModTime(), info.Size()}
	if f.stamp != stamp || !f.covers(wanted) {
		found := make(map[target]*monitor.Status, len(wanted))
		for t := range wanted {
			found[t] = &monitor.Status{}
		}
		created, err := parseStatus(ctx, file, found)
		if err != nil {
			return time.Time{}, f.trouble(err)
		}
		f.stamp, f.asOf, f.seen = stamp, created, make(map[target]monitor.Status, len(found))
		for t, s := range found {
			f.seen[t] = *s
		}
	}
	for t, s := range wanted {
		*s = f.seen[t]
	}
	return f.asOf, nil
}

func (f *statusFile) covers(wanted map[target]*monitor.Status) bool {
	for t := range wanted {
		if _, ok := f.seen[t]; !ok {
			return false
		}
	}
	return true
}

func (f *statusFile) trouble(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		err = fmt.Errorf("the status file %s is not there: nagios is not running, or has another status_file", f.path)
	case errors.Is(err, os.ErrPermission):
		err = fmt.Errorf("belfry may not read the status file %s: add its user to the group %s, then restart belfry", f.path, groupOf(f.path))
	default:
		err = fmt.Errorf("the status file %s: %w", f.path, err)
	}
	return fault.NewRetry(err)
}

// block is what is kept of one "name {" … "}" of the file. Its texts are used
// again for the next, since most blocks are about nothing that was asked for.
type block struct {
	host, service, author, comment []byte
	state, acked, depth, entry, id int64
}

func (b *block) clear() {
	*b = block{host: b.host[:0], service: b.service[:0], author: b.author[:0], comment: b.comment[:0]}
}

// parseStatus reads a status.dat of Nagios 4 or Naemon and fills in found.
// It returns when the file was made. A file without its info block is not one.
func parseStatus(ctx context.Context, r io.Reader, found map[target]*monitor.Status) (created time.Time, err error) {
	in := bufio.NewReaderSize(r, lineBuffer)
	newest := map[target]int64{}
	var kind string
	var b block
	for n := 0; ; n++ {
		if n&0xfff == 0 && ctx.Err() != nil {
			return created, ctx.Err()
		}
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return created, err
		}
		switch name, opens := bytes.CutSuffix(line, []byte(" {")); {
		case kind == "" && opens:
			kind = blockKind(name)
			b.clear()
		case kind == "":
		case len(line) == 1 && line[0] == '}':
			b.note(kind, found, newest)
			kind = ""
		case kind == "info":
			if value, ok := bytes.CutPrefix(line, []byte("created=")); ok {
				created = time.Unix(number(value), 0).UTC()
			}
		case kind != "other":
			b.field(line)
		}
	}
	if created.Unix() <= 0 {
		return created, errors.New("it says nowhere when it was made: is it a status.dat of Nagios or Naemon?")
	}
	return created, nil
}

// blockKind returns the kinds that matter; everything else is skipped.
func blockKind(name []byte) string {
	for _, k := range [...]string{"servicestatus", "hoststatus", "servicecomment", "hostcomment", "info"} {
		if string(name) == k {
			return k
		}
	}
	return "other"
}

// field notes one "key=value".
func (b *block) field(line []byte) {
	key, value, _ := bytes.Cut(line, []byte("="))
	switch string(key) {
	case "host_name":
		b.host = append(b.host, value...)
	case "service_description":
		b.service = append(b.service, value...)
	case "current_state":
		b.state = number(value)
	case "problem_has_been_acknowledged":
		b.acked = number(value)
	case "scheduled_downtime_depth":
		b.depth = number(value)
	case "entry_type":
		b.entry = number(value)
	case "comment_id":
		b.id = number(value)
	case "author":
		b.author = append(b.author, value...)
	case "comment_data":
		b.comment = append(b.comment, value...)
	}
}

// note takes over a block that ended, if it is about what was asked for.
// Comments come after the objects, and the newest one counts.
func (b *block) note(kind string, found map[target]*monitor.Status, newest map[target]int64) {
	s, ok := found[target{string(b.host), string(b.service)}]
	if !ok {
		return
	}
	t := target{string(b.host), string(b.service)}
	switch kind {
	case "servicestatus", "hoststatus":
		s.Known, s.OK = true, b.state == 0
		s.Acknowledged, s.InDowntime = b.acked != 0, b.depth != 0
	case "servicecomment", "hostcomment":
		if b.entry == ackComment && s.Acknowledged && b.id >= newest[t] {
			newest[t], s.Author, s.Comment = b.id, monitor.Printable(string(b.author)), monitor.Printable(string(b.comment))
		}
	}
}

// readLine returns the next line without the space around it; of one that is
// longer than the buffer only the start. It is good until the next call.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line = bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
	}
	if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
		return nil, err
	}
	return bytes.TrimSpace(line), nil
}

// number reads a whole number; what is none is 0.
func number(b []byte) int64 {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
