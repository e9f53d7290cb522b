// SPDX-License-Identifier: Apache-2.0

package nagiostest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fault is what goes wrong with the next exchanges on a fake socket.
type Fault int

// The faults.
const (
	// Fine: nothing.
	Fine Fault = iota
	// Hang: the request is carried out, but no answer ever comes.
	Hang
	// CloseEarly: the connection ends before the request was read.
	CloseEarly
	// CloseAfter: the request is carried out, then the connection ends without
	// an answer.
	CloseAfter
	// Garbage: the answer is none that the protocol knows.
	Garbage
	// Refuse: the answer is 400 and nothing is done.
	Refuse
)

// Socket is a fake that listens: a query socket or a livestatus.
type Socket struct {
	// Address is a path, or host:port.
	Address string

	t       testing.TB
	network string
	answer  func(in *bufio.Reader, f Fault) (string, bool)

	mu       sync.Mutex
	listener net.Listener
	fault    Fault
	closing  chan struct{}
	served   sync.WaitGroup
}

// QuerySocket serves Naemon's query socket for the core.
func QuerySocket(t testing.TB, c *Core) *Socket {
	t.Helper()
	return listen(t, "unix", socketPath(t), c.query)
}

// LivestatusUnix serves livestatus on a unix socket for the core.
func LivestatusUnix(t testing.TB, c *Core) *Socket {
	t.Helper()
	return listen(t, "unix", socketPath(t), c.live)
}

// LivestatusTCP serves livestatus on a TCP port of 127.0.0.1 for the core.
func LivestatusTCP(t testing.TB, c *Core) *Socket {
	t.Helper()
	return listen(t, "tcp", "127.0.0.1:0", c.live)
}

// socketPath is short: unix sockets have at most 107 bytes.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "core")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "socket")
}

func listen(t testing.TB, network, address string, answer func(*bufio.Reader, Fault) (string, bool)) *Socket {
	t.Helper()
	s := &Socket{Address: address, t: t, network: network, answer: answer}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// Start listens, again after Stop.
func (s *Socket) Start() {
	s.t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), s.network, s.Address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listener, s.Address, s.closing = l, l.Addr().String(), make(chan struct{})
	closing := s.closing
	s.served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.served.Go(func() { s.serve(conn, closing) })
		}
	})
}

// Stop ends it as a core that goes down: nobody listens, hanging ones end.
func (s *Socket) Stop() {
	s.mu.Lock()
	if s.listener != nil {
		_ = s.listener.Close()
		close(s.closing)
		s.listener = nil
	}
	s.mu.Unlock()
	s.served.Wait()
}

// Fail makes every following exchange go wrong, until Fail(Fine).
func (s *Socket) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

func (s *Socket) serve(conn net.Conn, closing <-chan struct{}) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	s.mu.Lock()
	f := s.fault
	s.mu.Unlock()
	if f == CloseEarly {
		return
	}
	text, ok := s.answer(bufio.NewReader(conn), f)
	if !ok {
		return
	}
	switch f {
	case Hang:
		<-closing
	case CloseAfter:
	case Garbage:
		_, _ = io.WriteString(conn, "\x01\x02 what? \xff\n\x00")
	default:
		_, _ = io.WriteString(conn, text)
	}
}

// query answers one request of the query socket.
func (c *Core) query(in *bufio.Reader, f Fault) (string, bool) {
	request, err := in.ReadString(0)
	if err != nil {
		return "", false
	}
	line, ok := strings.CutPrefix(strings.TrimSuffix(request, "\x00"), "#command run ")
	switch {
	case c.nagios():
		return "404: command: No such handler\x00", true
	case request == "#command help\x00":
		return "Query handler for naemon commands.\nAvailable commands:\n  run <command>     Run a command\n\x00", true
	case !ok:
		return "404: No such handler\x00", true
	case f == Refuse:
		return "400: Commands are disabled\n\x00", true
	}
	return c.run(line) + "\x00", true
}

// live answers one request of livestatus, which ends with an empty line.
func (c *Core) live(in *bufio.Reader, f Fault) (string, bool) {
	var lines []string
	for {
		line, err := in.ReadString('\n')
		if line = strings.TrimRight(line, "\n"); line == "" || err != nil {
			break
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return "", false
	}
	if command, ok := strings.CutPrefix(lines[0], "COMMAND "); ok {
		if f == Refuse {
			return "400: Commands are disabled\n", true
		}
		// It says nothing of what it did.
		return strings.TrimPrefix(c.run(command), "200: OK\n"), true
	}
	if f == Refuse {
		return fixed16(400, "Table is locked\n"), true
	}
	rows, err := c.table(lines)
	if err != nil {
		return fixed16(400, err.Error()+"\n"), true
	}
	body, _ := json.Marshal(rows)
	return fixed16(200, string(body)+"\n"), true
}

func fixed16(code int, body string) string {
	return fmt.Sprintf("%3d %11d\n%s", code, len(body), body)
}

// row is one row of a table, by column.
type row map[string]any

// question is a GET of the query language: columns, and filters with = and
// their combination.
type question struct {
	table   string
	columns []string
	filters []func(row) bool
}

func (c *Core) table(lines []string) ([][]any, error) {
	q := question{table: strings.TrimPrefix(lines[0], "GET ")}
	rows, err := c.rows(q.table)
	if err != nil {
		return nil, err
	}
	for _, line := range lines[1:] {
		if err := q.header(line); err != nil {
			return nil, err
		}
	}
	out := [][]any{}
	for _, r := range rows {
		if slices.ContainsFunc(q.filters, func(f func(row) bool) bool { return !f(r) }) {
			continue
		}
		values := make([]any, len(q.columns))
		for i, column := range q.columns {
			v, ok := r[column]
			if !ok {
				return nil, fmt.Errorf("table '%s' has no column '%s'", q.table, column)
			}
			values[i] = v
		}
		out = append(out, values)
	}
	return out, nil
}

// header reads one line; And and Or combine the filters before them.
func (q *question) header(line string) error {
	head, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch head {
	case "OutputFormat", "ResponseHeader":
	case "Columns":
		q.columns = strings.Fields(value)
	case "Filter":
		column, wanted, ok := strings.Cut(value, " =")
		if !ok {
			return fmt.Errorf("invalid filter %q", value)
		}
		wanted = strings.TrimSpace(wanted)
		q.filters = append(q.filters, func(r row) bool { return fmt.Sprint(r[column]) == wanted })
	case "And", "Or":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > len(q.filters) {
			return fmt.Errorf("cannot combine %s filters, only %d are on the stack", value, len(q.filters))
		}
		at := len(q.filters) - n
		some, every := slices.Clone(q.filters[at:]), head == "And"
		q.filters = append(q.filters[:at], func(r row) bool {
			for _, f := range some {
				if f(r) != every {
					return !every
				}
			}
			return every
		})
	default:
		return fmt.Errorf("undefined request header '%s'", head)
	}
	return nil
}

func (c *Core) rows(table string) ([]row, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var rows []row
	bit := map[bool]int{true: 1}
	switch table {
	case "hosts", "services":
		for o, s := range c.objects {
			if (o.service == "") != (table == "hosts") {
				continue
			}
			r := row{"state": s.State, "acknowledged": bit[s.Acknowledged], "scheduled_downtime_depth": bit[s.InDowntime]}
			if table == "hosts" {
				r["name"] = o.host
			} else {
				r["host_name"], r["description"] = o.host, o.service
			}
			rows = append(rows, r)
		}
	case "comments":
		for _, m := range c.comments {
			rows = append(rows, row{"host_name": m.host, "service_description": m.service,
				"id": m.id, "author": m.author, "comment": m.text, "entry_type": m.entryType})
		}
	case "status":
		rows = append(rows, row{"program_version": "1.5.2-naemon", "enable_notifications": bit[!c.quiet], "check_external_commands": bit[!c.deaf]})
	default:
		return nil, fmt.Errorf("invalid GET request, no such table '%s'", table)
	}
	return rows, nil
}
