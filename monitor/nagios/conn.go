// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"belfry/fault"
)

// socket is where a core listens: a path, or host:port.
type socket struct {
	// what it is, for messages.
	what    string
	network string
	address string
	timeout time.Duration
}

// newSocket reads "/path", "unix:/path", "host:port" or "tcp:host:port".
func newSocket(what, address string, timeout time.Duration) socket {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return socket{what, "unix", path, timeout}
	}
	if strings.HasPrefix(address, "/") {
		return socket{what, "unix", address, timeout}
	}
	return socket{what, "tcp", strings.TrimPrefix(address, "tcp:"), timeout}
}

// ask sends request, then reads with read until that is satisfied. sent is
// false while it is certain that nothing left us. With halfClose the other
// side is told that no more comes.
func (s socket) ask(ctx context.Context, request string, halfClose bool, read func(io.Reader) error) (sent bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, s.network, s.address)
	if err != nil {
		return false, s.dialTrouble(err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := io.WriteString(conn, request); err != nil {
		return true, fmt.Errorf("%s %s closed while it was told: %w", s.what, s.address, plain(ctx, err))
	}
	if c, ok := conn.(interface{ CloseWrite() error }); ok && halfClose {
		if err := c.CloseWrite(); err != nil {
			return true, fmt.Errorf("%s %s closed while it was told: %w", s.what, s.address, plain(ctx, err))
		}
	}
	if err := read(conn); err != nil {
		return true, fmt.Errorf("%s %s: %w", s.what, s.address, plain(ctx, err))
	}
	return true, nil
}

func (s socket) dialTrouble(err error) error {
	text := "can't reach " + s.what + " " + s.address
	switch {
	case errors.Is(err, unix.ENOENT):
		err = fmt.Errorf("%s: the socket is not there: the core is not running, or has another path; it is asked again", text)
	case errors.Is(err, unix.ECONNREFUSED):
		err = fmt.Errorf("%s: nobody listens: the core is not running; it is asked again", text)
	case errors.Is(err, unix.EACCES):
		err = fmt.Errorf("%s: belfry may not use the socket: add its user to the group %s, then restart belfry", text, groupOf(s.address))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("%s: no connection within the time allowed; it is asked again", text)
	default:
		err = fmt.Errorf("%s: %w", text, plain(context.Background(), err))
	}
	return fault.NewRetry(err)
}

// plain puts a deadline that ctx forced into words, and drops the addresses
// that net adds: our own port is another one each time, and what reads
// differently counts as news to people who wait.
func plain(ctx context.Context, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && !errors.Is(err, os.ErrDeadlineExceeded) {
		return op.Err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if cause := ctx.Err(); errors.Is(cause, context.Canceled) {
			return cause
		}
		return errors.New("no answer within the time allowed")
	}
	return err
}
