// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/fault"
	"belfry/monitor"
)

const (
	// maxTable bounds the body of an answer, in bytes.
	maxTable = 16 << 20
	// perQuery is how many objects one query asks for.
	perQuery = 100
	// ackComment is entry_type of a comment that belongs to an acknowledgement.
	ackComment = 4
)

// livestatus is the query module of that name, for Naemon, Nagios and
// openITCOCKPIT: requests are lines ended by an empty one, over a unix socket
// or TCP.
type livestatus struct {
	socket
	clock clock.Clock
}

// send hands a line over. An empty answer means that it was taken, which is
// less than done: Monitor looks at the status afterwards.
func (l livestatus) send(ctx context.Context, line string) (bool, error) {
	var answer []byte
	sent, err := l.ask(ctx, "COMMAND "+line+"\n\n", true, func(r io.Reader) (err error) {
		answer, err = io.ReadAll(io.LimitReader(r, maxAnswer))
		return err
	})
	if err != nil {
		if !sent {
			return false, err
		}
		return false, fault.NewUnknown(err)
	}
	said := strings.TrimSpace(string(answer))
	if said == "" {
		return false, nil
	}
	code, reason, ok := splitAnswer(said)
	switch {
	case !ok:
		return false, fault.NewUnknown(fmt.Errorf("livestatus %s gave an answer that is not understood: %s", l.address, monitor.Quote(said)))
	case code == 200:
		return false, nil
	case code >= 400 && code < 500:
		return false, fault.NewPermanent(fmt.Errorf("the core refused it: %s", monitor.Quote(reason)))
	}
	return false, fault.NewUnknown(fmt.Errorf("livestatus %s answered %d: %s", l.address, code, monitor.Quote(reason)))
}

// read implements reader.
func (l livestatus) read(ctx context.Context, wanted map[target]*monitor.Status) (time.Time, error) {
	asOf := l.clock.Now()
	var hosts, services, acked []target
	for t := range wanted {
		if t.service == "" {
			hosts = append(hosts, t)
		} else {
			services = append(services, t)
		}
	}
	if err := l.standing(ctx, "hosts", "name", hosts, wanted); err != nil {
		return asOf, err
	}
	if err := l.standing(ctx, "services", "host_name description", services, wanted); err != nil {
		return asOf, err
	}
	for t, s := range wanted {
		if s.Acknowledged {
			acked = append(acked, t)
		}
	}
	return asOf, l.comments(ctx, acked, wanted)
}

// standing fills in how the targets of one table stand.
func (l livestatus) standing(ctx context.Context, table, names string, targets []target, wanted map[target]*monitor.Status) error {
	service := strings.Contains(names, " ")
	for len(targets) > 0 {
		some := targets[:min(perQuery, len(targets))]
		targets = targets[len(some):]
		var q strings.Builder
		fmt.Fprintf(&q, "GET %s\nColumns: %s state acknowledged scheduled_downtime_depth\n", table, names)
		columns := strings.Fields(names)
		anyOf(&q, some, columns...)
		rows, err := l.table(ctx, q.String())
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := take(row, service, wanted); err != nil {
				return fault.NewRetry(fmt.Errorf("livestatus %s: a row of %s is not understood: %w", l.address, table, err))
			}
		}
	}
	return nil
}

// take notes one row of hosts or services.
func take(row []json.RawMessage, service bool, wanted map[target]*monitor.Status) error {
	var t target
	var state, acked, depth float64
	into := []any{&t.host, &state, &acked, &depth}
	if service {
		into = []any{&t.host, &t.service, &state, &acked, &depth}
	}
	if err := columns(row, into...); err != nil {
		return err
	}
	if s, ok := wanted[t]; ok {
		s.Known, s.OK = true, state == 0
		s.Acknowledged, s.InDowntime = acked != 0, depth != 0
	}
	return nil
}

// comments fills in who acknowledged, with which words: the newest counts.
func (l livestatus) comments(ctx context.Context, targets []target, wanted map[target]*monitor.Status) error {
	for len(targets) > 0 {
		some := targets[:min(perQuery, len(targets))]
		targets = targets[len(some):]
		var q strings.Builder
		fmt.Fprintf(&q, "GET comments\nColumns: host_name service_description id author comment\nFilter: entry_type = %d\n", ackComment)
		anyOf(&q, some, "host_name", "service_description")
		rows, err := l.table(ctx, q.String())
		if err != nil {
			return err
		}
		newest := map[target]float64{}
		for _, row := range rows {
			var t target
			var id float64
			var author, text string
			if err := columns(row, &t.host, &t.service, &id, &author, &text); err != nil {
				return fault.NewRetry(fmt.Errorf("livestatus %s: a row of comments is not understood: %w", l.address, err))
			}
			if s, ok := wanted[t]; ok && id >= newest[t] {
				newest[t], s.Author, s.Comment = id, monitor.Printable(author), monitor.Printable(text)
			}
		}
	}
	return nil
}

// anyOf writes the filters that pick targets. Names with line ends never get
// here: Observer and Commander refuse them.
func anyOf(q *strings.Builder, targets []target, columns ...string) {
	for _, t := range targets {
		fmt.Fprintf(q, "Filter: %s = %s\n", columns[0], t.host)
		if len(columns) > 1 {
			fmt.Fprintf(q, "Filter: %s = %s\nAnd: 2\n", columns[1], t.service)
		}
	}
	if len(targets) > 1 {
		fmt.Fprintf(q, "Or: %d\n", len(targets))
	}
}

// table asks one query and returns its rows.
func (l livestatus) table(ctx context.Context, query string) ([][]json.RawMessage, error) {
	var rows [][]json.RawMessage
	_, err := l.ask(ctx, query+"OutputFormat: json\nResponseHeader: fixed16\n\n", true, func(r io.Reader) (err error) {
		rows, err = readTable(r)
		return err
	})
	if err == nil {
		return rows, nil
	}
	if d, _ := fault.Of(err); d == fault.Permanent {
		return nil, fault.NewPermanent(err)
	}
	// Asking changes nothing, so it can always be asked again.
	return nil, fault.NewRetry(err)
}

// readTable reads an answer with a fixed16 header: three digits, a space, the
// length of the body in eleven columns and a new line; then the body as JSON.
func readTable(r io.Reader) ([][]json.RawMessage, error) {
	var head [16]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("it closed without an answer")
		}
		return nil, err
	}
	code, err1 := strconv.Atoi(string(head[:3]))
	size, err2 := strconv.Atoi(strings.TrimSpace(string(head[4:15])))
	if err1 != nil || err2 != nil || head[3] != ' ' || head[15] != '\n' || size < 0 {
		return nil, fmt.Errorf("the answer has no fixed16 header: %s", monitor.Quote(string(head[:])))
	}
	if size > maxTable {
		return nil, fmt.Errorf("the answer has %d bytes, more than %d", size, maxTable)
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(size)))
	if err != nil {
		return nil, err
	}
	if len(body) < size {
		return nil, fmt.Errorf("it closed after %d of %d bytes", len(body), size)
	}
	if code != 200 {
		err := fmt.Errorf("it answered %d: %s", code, monitor.Quote(strings.TrimSpace(string(body))))
		if code >= 400 && code < 500 {
			return nil, fault.NewPermanent(err)
		}
		return nil, err
	}
	var rows [][]json.RawMessage
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, fmt.Errorf("the answer is not a table in JSON: %w", err)
	}
	return rows, nil
}

// columns reads one row.
func columns(row []json.RawMessage, into ...any) error {
	if len(row) != len(into) {
		return fmt.Errorf("%d columns instead of %d", len(row), len(into))
	}
	for i := range row {
		if err := json.Unmarshal(row[i], into[i]); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

// targetOf returns what identifies o to the core.
func targetOf(o alert.Object) target {
	if o.Kind == alert.KindService {
		return target{o.Host, o.Service}
	}
	return target{host: o.Host}
}
