// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// connections is how many callers hand over at the same time.
const connections = 64

// Where a body has these, each request gets a number of its own and the number
// of its channel.
const (
	numberMark  = "########"
	channelMark = "@@@"
)

// request is a prepared hand-over. Making a request must cost next to nothing:
// the caller shares the machine with what it measures.
type request struct {
	raw               []byte
	numbers, channels []int
}

// newRequest prepares POST url with body.
func newRequest(url, token, body string) (addr string, r request, err error) {
	rest, ok := strings.CutPrefix(url, "http://")
	addr, path, _ := strings.Cut(rest, "/")
	if !ok {
		return "", r, fmt.Errorf("%s is no address to call", url)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /%s HTTP/1.1\r\nHost: %s\r\n", path, addr)
	if token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", token)
	}
	fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	r.raw = b.Bytes()
	r.numbers, r.channels = marks(r.raw, numberMark), marks(r.raw, channelMark)
	return addr, r, nil
}

func marks(b []byte, mark string) []int {
	var at []int
	for i := 0; ; {
		j := bytes.Index(b[i:], []byte(mark))
		if j < 0 {
			return at
		}
		at = append(at, i+j)
		i += j + len(mark)
	}
}

// fill writes the numbers in.
func (r request) fill(number, channel int) {
	put := func(at []int, width, n int) {
		for _, i := range at {
			for j, n := width-1, n; j >= 0; j-- {
				r.raw[i+j] = byte('0' + n%10)
				n /= 10
			}
		}
	}
	put(r.numbers, len(numberMark), number)
	put(r.channels, len(channelMark), channel)
}

// caller is one connection that stays open.
type caller struct {
	conn    net.Conn
	request request
	buf     []byte
}

func call(addr string, r request) (*caller, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	r.raw = bytes.Clone(r.raw)
	return &caller{conn: conn, request: r, buf: make([]byte, 16<<10)}, nil
}

// do sends the request with these numbers and wants it taken.
func (c *caller) do(number, channel int) error {
	c.request.fill(number, channel)
	if err := c.conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := c.conn.Write(c.request.raw); err != nil {
		return err
	}
	return c.answer()
}

// answer reads one answer to its end.
func (c *caller) answer() error {
	n := 0
	for {
		if n == len(c.buf) {
			return errors.New("the answer is longer than expected")
		}
		got, err := c.conn.Read(c.buf[n:])
		if n += got; err != nil {
			return err
		}
		head, body, ok := bytes.Cut(c.buf[:n], []byte("\r\n\r\n"))
		if !ok {
			continue
		}
		_, rest, ok := bytes.Cut(head, []byte("Content-Length: "))
		if !ok {
			return fmt.Errorf("an answer without a length: %s", head)
		}
		digits, _, _ := bytes.Cut(rest, []byte("\r"))
		length, err := strconv.Atoi(string(digits))
		if err != nil {
			return err
		}
		if len(body) < length {
			continue
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 20")) {
			return fmt.Errorf("not taken: %s", c.buf[:n])
		}
		return nil
	}
}

// load calls one server over many connections.
type load struct {
	callers []*caller
	// number is the last one that was given out.
	number atomic.Int64
}

func newLoad(url, token, body string, callers int) (*load, error) {
	addr, r, err := newRequest(url, token, body)
	if err != nil {
		return nil, err
	}
	l := &load{}
	for range callers {
		c, err := call(addr, r)
		if err != nil {
			l.close()
			return nil, err
		}
		l.callers = append(l.callers, c)
	}
	return l, nil
}

func (l *load) close() {
	for _, c := range l.callers {
		_ = c.conn.Close()
	}
}

// each lets all connections work side by side until each has returned.
func (l *load) each(do func(i int, c *caller) error) error {
	var wg sync.WaitGroup
	errs := make([]error, len(l.callers))
	for i, c := range l.callers {
		wg.Go(func() { errs[i] = do(i, c) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// during calls as often as it goes for a time, and returns how often per
// second that was.
func (l *load) during(ctx context.Context, d time.Duration) (perSecond float64, err error) {
	began := time.Now()
	end := began.Add(d)
	before := l.number.Load()
	err = l.each(func(_ int, c *caller) error {
		for time.Now().Before(end) && ctx.Err() == nil {
			if err := c.do(int(l.number.Add(1)), 0); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return float64(l.number.Load()-before) / time.Since(began).Seconds(), err
}
