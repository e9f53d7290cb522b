// SPDX-License-Identifier: Apache-2.0

// Package monitortest holds what every monitoring system must show, whatever
// it speaks: Decoding (decode.go) for what comes in, Commands (this file and
// hostile.go) for what goes out. An implementation's tests describe a System
// and run the suites on it; what was done is looked up on the other side, never
// believed from the monitor itself.
package monitortest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
)

// System is a monitor and the system behind it, made anew for every test.
type System struct {
	Monitor monitor.Monitor
	// Problem is an object that has a problem when the test starts; Fine is
	// another that has none; Unknown is one that the system never heard of.
	Problem, Fine, Unknown alert.Object
	// Acknowledged looks on the other side whether Problem is acknowledged.
	Acknowledged func() (author, comment string, ok bool)
	// Taken returns every command that the system has taken so far, each as
	// text. Nil: it takes no texts that could become commands.
	Taken func() []string
	// Heard returns the reports that the system has sent back; nil: it sends none.
	Heard func() []alert.Report
	// Down makes the system unreachable, Up ends that. Nil: it can't be.
	Down, Up func()
	// Hang makes the system take requests and never answer. Nil: it can't.
	Hang func()
	// Secrets must not be seen in any error.
	Secrets []string
}

// patience is how long the system may take to show what it was told.
const patience = 30 * time.Second

// Commands runs the suite for a system that can be told something.
func Commands(t *testing.T, open func(t *testing.T) System) {
	for name, test := range map[string]func(*testing.T, System){
		"an acknowledgement arrives and is confirmed": acknowledges,
		"an acknowledgement can be removed":           unacknowledges,
		"an object that is unknown is never claimed":  unknownObject,
		"what has no command is refused":              refusals,
		"status answers in order":                     statusInOrder,
		"a system that is down is tried again":        down,
		"a deadline ends waiting":                     deadline,
		"comment, downtime and check arrive":          others,
		"hostile texts stay texts":                    hostile,
		"hostile names are never sent":                hostileNames,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func (s System) acknowledger(t *testing.T) monitor.Acknowledger {
	t.Helper()
	a, ok := s.Monitor.(monitor.Acknowledger)
	if !ok {
		t.Fatal("the monitor is no Acknowledger; run only Decoding")
	}
	return a
}

// within gives a command its time.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// said checks an error's text against the rules for operator messages.
func (s System) said(t *testing.T, err error, want ...fault.Decision) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; one that says %v is due", want)
	}
	if d, _ := fault.Of(err); !slices.Contains(want, d) {
		t.Errorf("the error %q says %v, want %v", err, d, want)
	}
	text := err.Error()
	first := []rune(text)[0]
	if strings.ContainsFunc(text, unicode.IsControl) || strings.HasSuffix(text, ".") || unicode.IsUpper(first) {
		t.Errorf("%q is no operator message: one line, lower case, no full stop", text)
	}
	for _, secret := range s.Secrets {
		if strings.Contains(text, secret) {
			t.Errorf("the error %q gives a secret away", text)
		}
	}
}

func acknowledges(t *testing.T, s System) {
	heard := 0
	if s.Heard != nil {
		heard = len(s.Heard())
	}
	ann := monitor.Acknowledgement{Object: s.Problem, Author: "ann.lee", Comment: "looking into it, ticket 42 ü"}
	r, err := s.acknowledger(t).Acknowledge(within(t), ann)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := s.Acknowledged(); r.Confirmed && !ok {
		t.Fatal("the receipt says confirmed, but the system shows no acknowledgement")
	}
	eventually(t, "the system shows the acknowledgement", func() bool { _, _, ok := s.Acknowledged(); return ok })
	author, comment, _ := s.Acknowledged()
	if !alert.SamePerson(author, ann.Author) || comment != ann.Comment {
		t.Errorf("the system has %q by %q, want %q by %q", comment, author, ann.Comment, ann.Author)
	}
	reader, canRead := s.Monitor.(monitor.StatusReader)
	if !r.Confirmed && !canRead && s.Heard == nil {
		t.Error("nothing confirms the acknowledgement: no receipt, no status, no notification")
	}
	if canRead {
		eventually(t, "the status shows the acknowledgement", func() bool {
			st := statusOf(t, reader, s.Problem)[0]
			return st.Known && !st.OK && st.Acknowledged && alert.SamePerson(st.Author, ann.Author) && st.Comment == ann.Comment
		})
	}
	if s.Heard != nil {
		eventually(t, "the notification of the acknowledgement", func() bool {
			return slices.ContainsFunc(s.Heard()[heard:], func(r alert.Report) bool {
				return r.Kind == alert.ReportAck && r.Object.Fingerprint() == s.Problem.Fingerprint() &&
					alert.SamePerson(r.Author, ann.Author) && r.Comment == ann.Comment
			})
		})
	}
}

func unacknowledges(t *testing.T, s System) {
	a := s.acknowledger(t)
	if _, err := a.Acknowledge(within(t), monitor.Acknowledgement{Object: s.Problem, Author: "ann", Comment: "mine"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the system shows the acknowledgement", func() bool { _, _, ok := s.Acknowledged(); return ok })
	r, err := a.Unacknowledge(within(t), s.Problem)
	if err != nil {
		// Nothing could confirm it, so it is refused before anything is done.
		if _, can := s.Monitor.(monitor.StatusReader); can {
			t.Fatal(err)
		}
		s.said(t, err, fault.Permanent)
		return
	}
	if _, _, ok := s.Acknowledged(); r.Confirmed && ok {
		t.Fatal("the receipt says confirmed, but the system still shows the acknowledgement")
	}
	eventually(t, "the system shows no acknowledgement", func() bool { _, _, ok := s.Acknowledged(); return !ok })
	if reader, ok := s.Monitor.(monitor.StatusReader); ok {
		eventually(t, "the status shows no acknowledgement", func() bool {
			st := statusOf(t, reader, s.Problem)[0]
			return st.Known && !st.Acknowledged && st.Author == "" && st.Comment == ""
		})
	}
}

func statusOf(t *testing.T, r monitor.StatusReader, objects ...alert.Object) []monitor.Status {
	t.Helper()
	all, err := r.Status(within(t), objects)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(objects) {
		t.Fatalf("%d objects were asked for, %d answered", len(objects), len(all))
	}
	return all
}

func unknownObject(t *testing.T, s System) {
	a := s.acknowledger(t)
	for name, do := range map[string]func() (monitor.Receipt, error){
		"acknowledge": func() (monitor.Receipt, error) {
			return a.Acknowledge(within(t), monitor.Acknowledgement{Object: s.Unknown, Author: "ann", Comment: "x"})
		},
		"unacknowledge": func() (monitor.Receipt, error) { return a.Unacknowledge(within(t), s.Unknown) },
	} {
		r, err := do()
		switch {
		case err != nil:
			s.said(t, err, fault.Permanent, fault.Gone)
		case r.Confirmed:
			t.Errorf("%s of an object that the system does not know is confirmed", name)
		}
	}
	if reader, ok := s.Monitor.(monitor.StatusReader); ok {
		if st := statusOf(t, reader, s.Unknown)[0]; st.Known || st.Acknowledged {
			t.Errorf("the status of an unknown object: %+v", st)
		}
	}
	if _, _, ok := s.Acknowledged(); ok {
		t.Error("another object was acknowledged instead")
	}
}

func refusals(t *testing.T, s System) {
	a := s.acknowledger(t)
	for name, ack := range map[string]monitor.Acknowledgement{
		"a rule":   {Object: alert.Object{Kind: alert.KindRule, Rule: "DiskFull", Key: "1"}, Author: "ann"},
		"nothing":  {Author: "ann"},
		"nobody":   {Object: s.Problem},
		"no name":  {Object: alert.Object{Kind: alert.KindHost}, Author: "ann"},
		"no names": {Object: alert.Object{Kind: alert.KindService, Host: s.Problem.Host}, Author: "ann"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Acknowledge(within(t), ack)
			s.said(t, err, fault.Permanent, fault.Gone)
		})
	}
	if _, _, ok := s.Acknowledged(); ok {
		t.Error("the problem was acknowledged all the same")
	}
}

func statusInOrder(t *testing.T, s System) {
	reader, ok := s.Monitor.(monitor.StatusReader)
	if !ok {
		t.Skip("the monitor is no StatusReader")
	}
	st := statusOf(t, reader, s.Unknown, s.Problem, s.Fine, s.Problem)
	for i, want := range []monitor.Status{{}, {Known: true}, {Known: true, OK: true}, {Known: true}} {
		if st[i].Known != want.Known || st[i].OK != want.OK || st[i].Acknowledged {
			t.Errorf("object %d: %+v, want known %v and ok %v", i, st[i], want.Known, want.OK)
		}
		if st[i].AsOf.IsZero() {
			t.Errorf("object %d: nothing says of when the status is", i)
		}
	}
	if all := statusOf(t, reader); len(all) != 0 {
		t.Errorf("asked for nothing, got %v", all)
	}
}

func down(t *testing.T, s System) {
	if s.Down == nil {
		t.Skip("this system can't be down")
	}
	a := s.acknowledger(t)
	ack := monitor.Acknowledgement{Object: s.Problem, Author: "ann", Comment: "later"}
	s.Down()
	_, err := a.Acknowledge(within(t), ack)
	s.said(t, err, fault.Retry)
	s.Up()
	if _, err := a.Acknowledge(within(t), ack); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the acknowledgement after the system came back", func() bool { _, _, ok := s.Acknowledged(); return ok })
}

func deadline(t *testing.T, s System) {
	a := s.acknowledger(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := a.Acknowledge(ended, monitor.Acknowledgement{Object: s.Problem, Author: "ann"})
	s.said(t, err, fault.Retry)
	if s.Hang == nil {
		return
	}
	s.Hang()
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = a.Acknowledge(short, monitor.Acknowledgement{Object: s.Problem, Author: "ann"})
	s.said(t, err, fault.Unknown)
	if reader, ok := s.Monitor.(monitor.StatusReader); ok {
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := reader.Status(short, []alert.Object{s.Problem}); err != nil {
			s.said(t, err, fault.Retry)
		}
	}
}

func others(t *testing.T, s System) {
	count := func() int {
		if s.Taken == nil {
			return 0
		}
		return len(s.Taken())
	}
	arrives := func(err error, before int) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if s.Taken != nil {
			eventually(t, "the command to arrive", func() bool { return count() == before+1 })
		}
	}
	if c, ok := s.Monitor.(monitor.Commenter); ok {
		before := count()
		_, err := c.Comment(within(t), s.Problem, "ann", "a remark")
		arrives(err, before)
		_, err = c.Comment(within(t), s.Problem, "", "a remark")
		s.said(t, err, fault.Permanent)
	}
	if c, ok := s.Monitor.(monitor.Checker); ok {
		before := count()
		_, err := c.CheckNow(within(t), s.Problem)
		arrives(err, before)
	}
	if n, ok := s.Monitor.(monitor.Notifier); ok {
		for _, on := range []bool{false, true} {
			before := count()
			_, err := n.Notifications(within(t), s.Problem, on)
			arrives(err, before)
			reader, reads := s.Monitor.(monitor.StatusReader)
			if !reads || statusOf(t, reader, s.Problem)[0].Notifies == nil {
				continue
			}
			eventually(t, "the status shows whether it notifies", func() bool {
				shown := statusOf(t, reader, s.Problem)[0].Notifies
				return shown != nil && *shown == on
			})
		}
	}
	d, ok := s.Monitor.(monitor.Downtimer)
	if !ok {
		return
	}
	before, now := count(), time.Now()
	_, err := d.Downtime(within(t), monitor.Downtime{Object: s.Problem, Author: "ann", Comment: "work", Start: now.Add(-time.Minute), End: now.Add(time.Hour)})
	arrives(err, before)
	if reader, ok := s.Monitor.(monitor.StatusReader); ok {
		eventually(t, "the status shows the downtime", func() bool { return statusOf(t, reader, s.Problem)[0].InDowntime })
	}
	_, err = d.Downtime(within(t), monitor.Downtime{Object: s.Problem, Author: "ann", Start: now, End: now})
	s.said(t, err, fault.Permanent)
}
