// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxChunk bounds the rows of one statement. Chunks are multiples of evenChunk
// or smaller than it, so that few statements need to be prepared, and few are
// carried out.
const (
	maxChunk  = 64
	evenChunk = 8
)

// chunk is how many of n rows the next statement takes.
func chunk(n int) int {
	switch {
	case n >= maxChunk:
		return maxChunk
	case n > evenChunk:
		return n - n%evenChunk
	}
	return n
}

// bulk is a statement over many rows of parameters: head, the rows as a list of
// tuples, tail. Each ? is a parameter; those of head come first and are the
// same for all rows.
type bulk struct {
	head, row, tail string
	// width is the number of parameters of a row.
	width int

	mu    sync.Mutex
	texts map[bulkKey]string
}

type bulkKey struct {
	rows     int
	question bool
}

// insertInto begins a statement that adds rows; dialect.insert takes its place.
const insertInto = "INSERT INTO"

func newBulk(head, row, tail string) *bulk {
	return &bulk{head: head, row: row, tail: tail, width: strings.Count(row, "?"), texts: map[bulkKey]string{}}
}

func (b *bulk) text(rows int, d *dialect) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := bulkKey{rows, d.question}
	if t, ok := b.texts[key]; ok {
		return t
	}
	t := b.head + strings.Repeat(b.row+",", rows-1) + b.row + b.tail
	if more, ok := strings.CutPrefix(t, insertInto); ok {
		t = d.insert + more
	}
	if !d.question {
		t = numbered(t)
	}
	b.texts[key] = t
	return t
}

// numbered turns each ? into $1, $2, …
func numbered(text string) string {
	var t strings.Builder
	n := 0
	for _, r := range text {
		if r != '?' {
			t.WriteRune(r)
			continue
		}
		n++
		t.WriteByte('$')
		t.WriteString(strconv.Itoa(n))
	}
	return t.String()
}

// chunks calls do with the text and the parameters of each part of rows, which
// holds the rows' parameters one after the other.
func (b *bulk) chunks(d *dialect, fixed, rows []any, do func(text string, args []any) error) error {
	for len(rows) > 0 {
		size := chunk(len(rows) / b.width)
		args := rows[:size*b.width]
		if len(fixed) > 0 {
			args = slices.Concat(fixed, args)
		}
		if err := do(b.text(size, d), args); err != nil {
			return err
		}
		rows = rows[size*b.width:]
	}
	return nil
}

func (q *session) execBulk(ctx context.Context, b *bulk, fixed, rows []any) error {
	return b.chunks(q.dialect, fixed, rows, func(text string, args []any) error {
		return q.exec(ctx, text, args...)
	})
}

func (q *session) eachBulk(ctx context.Context, b *bulk, fixed, rows []any, row func(scanner) error) error {
	return b.chunks(q.dialect, fixed, rows, func(text string, args []any) error {
		return q.each(ctx, text, args, row)
	})
}

// idArgs makes parameters of ids.
func idArgs[T ~int64](list []T) []any {
	args := make([]any, len(list))
	for i, id := range list {
		args[i] = int64(id)
	}
	return args
}
