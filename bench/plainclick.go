// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// plainLine is as long as a real one.
const plainLine = "[1795321804] ACKNOWLEDGE_SVC_PROBLEM;web-000;disk-00000000;2;1;1;alice;acknowledged in chat\n"

// serve starts the handler that a click is compared with.
func (c *clicks) serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c.handler = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = c.rows.insert(string(body))
		}
		if err == nil {
			err = c.write(plainLine)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, "{}") // the caller may be gone
	})}
	go func() { _ = c.handler.Serve(l) }() // ends with Close
	c.press, err = newLoad("http://"+l.Addr().String()+"/", "", `{"user_id":"x","context":{"token":"########"}}`, 1)
	return err
}

// write puts a line into the command pipe as anybody would.
func (c *clicks) write(text string) error {
	f, err := os.OpenFile(c.nagios.pipe, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // a pipe keeps nothing back
	_, err = io.WriteString(f, text)
	return err
}

// plain is the least that a click can take.
func (c *clicks) plain(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	if err := c.press.callers[0].do(0, 0); err != nil {
		return 0, err
	}
	l, err := c.nagios.next(ctx)
	if err == nil && l.text+"\n" != plainLine {
		err = fmt.Errorf("the command pipe was told %q", l.text)
	}
	return l.at.Sub(began), err
}
