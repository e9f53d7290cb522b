// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"belfry/monitor"
	"belfry/monitor/alertmanager"
	"belfry/monitor/nagios"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// rows is a table of bodies and one goroutine that writes to it: all that wait
// are one transaction, as durable as Belfry's and with its settings.
type rows struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[int]*sql.Stmt

	mu      sync.Mutex
	waiting []*waitingRow
	closed  bool
	wake    chan struct{}
	ended   chan struct{}
}

type waitingRow struct {
	body string
	err  error
	done chan struct{}
}

// mostRows bounds the rows of one statement.
const mostRows = 64

func openRows(ctx context.Context, path string) (*rows, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
		"&_pragma=wal_autocheckpoint(2000)&_pragma=journal_size_limit(67108864)&_pragma=cache_size(-16384)")
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "CREATE TABLE bodies (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	r := &rows{db: db, conn: conn, stmts: map[int]*sql.Stmt{}, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go r.write()
	return r, nil
}

// insert stores body and returns when it is on disk.
func (r *rows) insert(body string) error {
	w := &waitingRow{body: body, done: make(chan struct{})}
	r.mu.Lock()
	r.waiting = append(r.waiting, w)
	r.mu.Unlock()
	r.nudge()
	<-w.done
	return w.err
}

func (r *rows) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *rows) write() {
	defer close(r.ended)
	ctx := context.Background()
	for {
		r.mu.Lock()
		batch, closed := r.waiting, r.closed
		r.waiting = nil
		r.mu.Unlock()
		if len(batch) == 0 {
			if closed {
				return
			}
			<-r.wake
			continue
		}
		err := r.transact(ctx, batch)
		for _, w := range batch {
			w.err = err
			close(w.done)
		}
	}
}

func (r *rows) transact(ctx context.Context, batch []*waitingRow) error {
	if _, err := r.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for len(batch) > 0 {
		size := mostRows
		for size > len(batch) {
			size /= 2
		}
		st := r.stmts[size]
		if st == nil {
			var err error
			st, err = r.conn.PrepareContext(ctx, "INSERT INTO bodies (body) VALUES "+strings.Repeat("(?),", size-1)+"(?)")
			if err != nil {
				return err
			}
			r.stmts[size] = st
		}
		args := make([]any, size)
		for i := range args {
			args[i] = batch[i].body
		}
		if _, err := st.ExecContext(ctx, args...); err != nil {
			return err
		}
		batch = batch[size:]
	}
	_, err := r.conn.ExecContext(ctx, "COMMIT")
	return err
}

func (r *rows) close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.nudge()
	<-r.ended
	return errors.Join(r.conn.Close(), r.db.Close())
}

// decoder returns the source's decoder: the one that Belfry uses.
func decoder(kind string) (monitor.Monitor, error) {
	switch kind {
	case "nagios":
		return (&nagios.Config{}).Open(nagios.Options{Name: kind})
	case "alertmanager":
		return (&alertmanager.Config{}).Open(alertmanager.Options{Name: kind})
	}
	return nil, fmt.Errorf("no kind %q", kind)
}

// serveBare answers hand-overs with the least that can be called taking them:
// read, decode, one row, on disk, 200.
func serveBare(ctx context.Context, dir, kind string, stdout io.Writer) error {
	debug.SetGCPercent(garbage)
	source, err := decoder(kind)
	if err != nil {
		return err
	}
	store, err := openRows(ctx, filepath.Join(dir, "bare.db"))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, store.close())
	}
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := buffers.Get().(*bytes.Buffer) //nolint:errcheck,forcetypeassert // the pool holds nothing else
		defer buffers.Put(b)
		b.Reset()
		_, err := b.ReadFrom(r.Body)
		var d monitor.Decoded
		if err == nil {
			d, err = source.Decode(r.Header.Get("Content-Type"), b.Bytes())
		}
		if err == nil {
			err = store.insert(b.String())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, "{\"accepted\":%d}\n", len(d.Reports)) // the caller may be gone
	})}
	_, _ = fmt.Fprintln(stdout, ready+"http://"+l.Addr().String())
	go func() {
		<-ctx.Done()
		_ = s.Close()
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(err, store.close())
	}
	return store.close()
}
