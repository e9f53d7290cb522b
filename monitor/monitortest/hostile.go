// SPDX-License-Identifier: Apache-2.0

package monitortest

import (
	"slices"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
)

// hostileTexts try to run something, to add a second command or to shift the
// fields of the one that they are part of.
var hostileTexts = []string{
	"x\n[0] SHUTDOWN_PROGRAM",
	"x\r\n[0] SCHEDULE_FORCED_HOST_CHECK;web01;0\r\n",
	"a;b;c;d;e;f;g",
	"$(touch /tmp/belfry-pwned) `touch /tmp/belfry-pwned` && touch /tmp/belfry-pwned",
	"'; touch /tmp/belfry-pwned; '",
	`"; touch /tmp/belfry-pwned; "`,
	"x | touch /tmp/belfry-pwned > /tmp/belfry-pwned < /dev/null &",
	`trailing backslash \`,
	"$HOSTNAME$ $USER1$",
	"nul \x00 esc \x1b[31m bell \a",
	"x\u2028[0] SHUTDOWN_PROGRAM\u0085[0] SHUTDOWN_PROGRAM",
	"x\n\nGET hosts\n\n",
	"\xff\xfe not utf-8 \xc3",
	strings.Repeat("very long ü ", 2000),
}

// forbidden must not be in what a core gets to read from people.
const forbidden = "`$\"'\\|&<>\r\n\x00\x1b\a"

// hostile hands texts over that must stay texts: each makes one command.
func hostile(t *testing.T, s System) {
	a := s.acknowledger(t)
	for _, text := range hostileTexts {
		for name, ack := range map[string]monitor.Acknowledgement{
			"author":  {Object: s.Problem, Author: text, Comment: "plain"},
			"comment": {Object: s.Problem, Author: "ann", Comment: text},
		} {
			var before []string
			if s.Taken != nil {
				before = s.Taken()
			}
			if _, err := a.Acknowledge(within(t), ack); err != nil {
				t.Fatalf("%s %.40q: %v", name, text, err)
			}
			if s.Taken == nil {
				continue
			}
			eventually(t, "the command to arrive", func() bool { return len(s.Taken()) > len(before) })
			taken := s.Taken()[len(before):]
			if len(taken) != 1 {
				t.Errorf("%s %.40q made %d commands: %q", name, text, len(taken), taken)
			}
			if strings.ContainsAny(taken[0], forbidden) {
				t.Errorf("%s %.40q arrived as %q", name, text, taken[0])
			}
		}
	}
	if s.Taken == nil {
		return
	}
	// One more, so that anything late would have arrived before it.
	before := len(s.Taken())
	if _, err := a.Acknowledge(within(t), monitor.Acknowledgement{Object: s.Problem, Author: "ann", Comment: "the end"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the last command", func() bool {
		all := s.Taken()
		return len(all) > before && strings.HasSuffix(all[len(all)-1], "the end")
	})
	if got := len(s.Taken()); got != 2*len(hostileTexts)+1 {
		t.Errorf("%d texts made %d commands", 2*len(hostileTexts)+1, got)
	}
	fields := strings.Count(s.Taken()[0], ";")
	if i := slices.IndexFunc(s.Taken(), func(c string) bool { return strings.Count(c, ";") != fields }); i >= 0 {
		t.Errorf("a text shifted the fields: %q", s.Taken()[i])
	}
}

// hostileNames asks for objects whose names can't be written: nothing is sent.
func hostileNames(t *testing.T, s System) {
	a := s.acknowledger(t)
	var before []string
	if s.Taken != nil {
		before = s.Taken()
	}
	for _, name := range []string{"a\nb", "x\n\nGET hosts", "a;b", "a\x00b", "a\rb", "\xff"} {
		for _, o := range []alert.Object{
			{Kind: alert.KindHost, Host: name},
			{Kind: alert.KindService, Host: s.Problem.Host, Service: name},
		} {
			_, err := a.Acknowledge(within(t), monitor.Acknowledgement{Object: o, Author: "ann", Comment: "x"})
			s.said(t, err, fault.Permanent, fault.Gone)
			_, err = a.Unacknowledge(within(t), o)
			s.said(t, err, fault.Permanent, fault.Gone)
			if reader, ok := s.Monitor.(monitor.StatusReader); ok {
				if st := statusOf(t, reader, o, s.Problem); st[0].Known || !st[1].Known {
					t.Errorf("status of %q and of the problem: %+v", name, st)
				}
			}
		}
	}
	if s.Taken != nil && len(s.Taken()) != len(before) {
		t.Errorf("hostile names made commands: %q", s.Taken()[len(before):])
	}
}
