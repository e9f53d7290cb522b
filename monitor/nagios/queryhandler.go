// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"belfry/fault"
	"belfry/monitor"
)

// maxAnswer bounds what a query socket may say.
const maxAnswer = 64 << 10

// queryHandler is Naemon's query socket: one request a connection, ended by a
// NUL, and an answer of the same shape ("200: OK", "400: reason"). Seen with
// Naemon 1.5.2; Nagios Core has the socket but takes no commands there.
type queryHandler struct{ socket }

// send hands a line over and returns true: the core checked the command and
// carried it out before it answered.
func (q queryHandler) send(ctx context.Context, line string) (bool, error) {
	var answer string
	sent, err := q.ask(ctx, "#command run "+line+"\x00", false, func(r io.Reader) (err error) {
		answer, err = readAnswer(r)
		return err
	})
	if err != nil {
		if !sent {
			return false, err
		}
		return false, fault.NewUnknown(err)
	}
	return judge(q.address, answer)
}

// readAnswer reads up to a NUL or the end, whichever comes first.
func readAnswer(r io.Reader) (string, error) {
	s, err := bufio.NewReader(io.LimitReader(r, maxAnswer)).ReadString(0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	s = strings.TrimRight(s, "\x00\n")
	if s == "" {
		return "", errors.New("it closed without an answer")
	}
	return s, nil
}

// judge reads an answer of Naemon's query socket.
func judge(address, answer string) (bool, error) {
	code, reason, ok := splitAnswer(answer)
	switch {
	case !ok:
		return false, fault.NewUnknown(fmt.Errorf("the query socket %s gave an answer that is not understood: %s", address, monitor.Quote(answer)))
	case code == 200:
		return true, nil
	case code == 404:
		return false, fault.NewPermanent(fmt.Errorf("the query socket %s takes no commands (%s): only Naemon's does; configure command_pipe instead", address, monitor.Quote(reason)))
	case code >= 400 && code < 500:
		return false, fault.NewPermanent(fmt.Errorf("the core refused it: %s", monitor.Quote(reason)))
	}
	return false, fault.NewUnknown(fmt.Errorf("the query socket %s answered %d: %s", address, code, monitor.Quote(reason)))
}

// splitAnswer divides "400: reason".
func splitAnswer(answer string) (code int, reason string, ok bool) {
	number, reason, _ := strings.Cut(answer, ":")
	code, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || code < 100 || code > 999 {
		return 0, "", false
	}
	return code, strings.TrimSpace(reason), true
}
