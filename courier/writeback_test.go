// SPDX-License-Identifier: Apache-2.0

package courier_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/courier"
	"belfry/delivery"
	"belfry/desk"
	"belfry/fault"
	"belfry/monitor"
	"belfry/store"
	"belfry/store/opentest"
)

// core is a monitoring system that does as it is told to, and shows it or not.
type core struct {
	clock *clock.Manual
	// answer decides what a command leads to.
	answer func() (monitor.Receipt, error)
	status monitor.Status
	calls  []string
}

func (*core) Decode(string, []byte) (monitor.Decoded, error) { return monitor.Decoded{}, nil }
func (c *core) Acknowledge(_ context.Context, a monitor.Acknowledgement) (monitor.Receipt, error) {
	c.calls = append(c.calls, fmt.Sprintf("ack %s by %s: %s", a.Object.Name(), a.Author, a.Comment))
	return c.answer()
}
func (c *core) Unacknowledge(_ context.Context, o alert.Object) (monitor.Receipt, error) {
	c.calls = append(c.calls, "unack "+o.Name())
	return c.answer()
}
func (c *core) Comment(_ context.Context, o alert.Object, author, text string) (monitor.Receipt, error) {
	c.calls = append(c.calls, fmt.Sprintf("comment %s by %s: %s", o.Name(), author, text))
	return c.answer()
}

func (c *core) Notifications(_ context.Context, o alert.Object, on bool) (monitor.Receipt, error) {
	c.calls = append(c.calls, fmt.Sprintf("notifications %v %s", on, o.Name()))
	return c.answer()
}

// seeing is a core whose status can be read.
type seeing struct{ *core }

func (s seeing) Status(_ context.Context, o []alert.Object) ([]monitor.Status, error) {
	out := s.status
	out.Known = true
	if out.AsOf.IsZero() {
		out.AsOf = s.clock.Now()
	}
	return []monitor.Status{out}, nil
}

type nowhere struct{}

func (nowhere) Route(alert.Labeled) desk.Routing {
	return desk.Routing{Destinations: []string{"chat/ops"}}
}
func (nowhere) Named(string) (string, bool) { return "", false }

type scene struct {
	t     *testing.T
	store *store.Store
	desk  *desk.Desk
	clock *clock.Manual
	core  *core
	m     monitor.Monitor
	id    alert.ID
}

func newScene(t *testing.T, sees bool) *scene {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := opentest.Open(t, store.Options{Clock: c, Lease: time.Hour})
	sc := &scene{t: t, store: s, clock: c, core: &core{clock: c}}
	sc.core.answer = func() (monitor.Receipt, error) { return monitor.Receipt{}, nil }
	sc.m = sc.core
	if sees {
		sc.m = seeing{sc.core}
	}
	sc.desk = desk.New(s, nowhere{}, func(string, desk.Ability) bool { return true }, c)
	object := alert.Object{Kind: alert.KindService, Host: "web01", Service: "Disk /var"}
	if _, err := sc.desk.Ingest(t.Context(), "nagios", []alert.Report{{Kind: alert.ReportProblem, Object: object, State: "CRITICAL", Severity: alert.SeverityCritical}}); err != nil {
		t.Fatal(err)
	}
	sc.id = sc.alerts()[0].ID
	return sc
}

func (s *scene) alerts() []*alert.Alert {
	s.t.Helper()
	all, err := s.store.Alerts(s.t.Context(), store.Filter{Limit: 10})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func (s *scene) ack() alert.Ack { return s.alerts()[0].Ack }

func (s *scene) want(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// work carries the write-back that is due out once and settles it the way the
// engine does. It returns what the sender said.
func (s *scene) work() delivery.Outcome {
	s.t.Helper()
	destination := desk.MonitorDestination("nagios")
	claim, err := s.store.Claim(s.t.Context(), destination, 10)
	s.want(err)
	if len(claim.Duties) != 1 {
		s.t.Fatalf("%d write-backs are due, want one", len(claim.Duties))
	}
	d := claim.Duties[0]
	out := courier.NewWriteback("nagios", s.m, s.store, s.desk, s.clock).Send(s.t.Context(), delivery.Errand{Duty: d})
	decision, _ := fault.Of(out.Err)
	settle := store.Settlement{ID: d.ID, State: store.DutyDue, Receipt: out.Receipt, RetryAt: s.clock.Now().Add(out.Again), Unknown: out.Unknown || decision == fault.Unknown}
	if out.Err == nil && out.Again == 0 {
		settle.State = store.DutyDone
	}
	_, err = s.store.Settle(s.t.Context(), destination, claim.Fence, []store.Settlement{settle})
	s.want(err)
	s.clock.Advance(max(out.Again, time.Millisecond))
	return out
}

func (s *scene) press() {
	s.t.Helper()
	s.want(s.desk.Acknowledge(s.t.Context(), s.id, desk.AnyGeneration, "bob", "on it"))
}

func TestACommandThatWasOnlyHandedOverIsNotTakenForDone(t *testing.T) {
	s := newScene(t, true)
	s.press()
	if out := s.work(); out.Err != nil || out.Again == 0 {
		t.Fatalf("got %+v", out)
	}
	if s.ack().Phase != alert.AckPending {
		t.Fatalf("the card would say %+v before the core shows it", s.ack())
	}
	s.work()
	s.core.status.Acknowledged = true
	if out := s.work(); out.Again != 0 || s.ack().Phase != alert.AckSet || s.ack().By != "bob" {
		t.Errorf("got %+v, %+v", out, s.ack())
	}
	if len(s.core.calls) != 1 {
		t.Errorf("calls: %v", s.core.calls)
	}
}

func TestAnAnswerThatConfirmsIsEnough(t *testing.T) {
	s := newScene(t, false)
	s.core.answer = func() (monitor.Receipt, error) { return monitor.Receipt{Confirmed: true}, nil }
	s.press()
	s.work()
	if s.ack().Phase != alert.AckSet {
		t.Errorf("got %+v", s.ack())
	}
	s.want(s.desk.Unacknowledge(t.Context(), s.id, desk.AnyGeneration, "bob"))
	s.work()
	if s.ack().Phase != alert.AckNone || s.core.calls[1] != "unack Disk /var on web01" {
		t.Errorf("got %+v after %v", s.ack(), s.core.calls)
	}
}

func TestARefusalIsToldWithItsReason(t *testing.T) {
	s := newScene(t, true)
	s.core.answer = func() (monitor.Receipt, error) {
		return monitor.Receipt{}, fault.NewPermanent(errors.New("no such service"))
	}
	s.press()
	if out := s.work(); out.Err != nil || out.Again != 0 || !out.Refused {
		t.Errorf("got %+v", out)
	}
	if a := s.ack(); a.Phase != alert.AckNone || !strings.Contains(a.Trouble, "no such service") {
		t.Errorf("got %+v", a)
	}
}

func TestACoreThatIsDownIsToldLaterAndPeopleKnowWhy(t *testing.T) {
	s := newScene(t, true)
	s.core.answer = func() (monitor.Receipt, error) {
		return monitor.Receipt{}, fault.NewRetry(errors.New("nagios is not running"))
	}
	s.press()
	s.work()
	if a := s.ack(); a.Phase != alert.AckPending || a.Trouble != "nagios is not running" {
		t.Fatalf("got %+v", a)
	}
	revision := s.alerts()[0].Revision
	s.work()
	if s.alerts()[0].Revision != revision {
		t.Error("the same reason made the card change again")
	}
	s.core.answer = func() (monitor.Receipt, error) { return monitor.Receipt{Confirmed: true}, nil }
	s.work()
	if a := s.ack(); a.Phase != alert.AckSet || a.Trouble != "" {
		t.Errorf("got %+v", a)
	}
}

func TestAfterACrashTheStatusIsAskedBeforeACommandIsRepeated(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrived bool
		calls   int
	}{{"it had arrived", true, 0}, {"it had not", false, 1}} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, true)
			s.press()
			// A life that claims and dies.
			if _, err := s.store.Claim(t.Context(), desk.MonitorDestination("nagios"), 10); err != nil {
				t.Fatal(err)
			}
			s.core.status.Acknowledged = c.arrived
			for range 100 {
				s.work()
				if len(s.core.calls) > 0 || s.ack().Phase == alert.AckSet {
					break
				}
			}
			if len(s.core.calls) != c.calls {
				t.Errorf("calls: %v", s.core.calls)
			}
			if c.arrived != (s.ack().Phase == alert.AckSet) {
				t.Errorf("got %+v", s.ack())
			}
		})
	}
}

func TestAfterACrashACoreThatShowsNoStatusIsToldAgain(t *testing.T) {
	for _, set := range []bool{true, false} {
		s := newScene(t, false)
		s.core.answer = func() (monitor.Receipt, error) { return monitor.Receipt{Confirmed: true}, nil }
		want := alert.AckSet
		if set {
			s.press()
		} else {
			want = alert.AckNone
			s.want(s.desk.ConfirmAck(t.Context(), s.id, "bob", "x"))
			s.want(s.desk.Unacknowledge(t.Context(), s.id, desk.AnyGeneration, "bob"))
		}
		// A life that claims and dies before it tells the core.
		if _, err := s.store.Claim(t.Context(), desk.MonitorDestination("nagios"), 10); err != nil {
			t.Fatal(err)
		}
		for start := s.clock.Now(); s.clock.Now().Sub(start) < time.Hour; {
			if out := s.work(); out.Again == 0 {
				break
			}
		}
		if len(s.core.calls) != 1 || s.ack().Phase != want {
			t.Errorf("calls: %v, %+v", s.core.calls, s.ack())
		}
	}
}

func TestAfterACrashACoreWhoseStatusStandsStillIsToldAgain(t *testing.T) {
	s := newScene(t, true)
	s.core.status = monitor.Status{AsOf: s.clock.Now().Add(-time.Hour)}
	s.press()
	if _, err := s.store.Claim(t.Context(), desk.MonitorDestination("nagios"), 10); err != nil {
		t.Fatal(err)
	}
	for start := s.clock.Now(); s.clock.Now().Sub(start) < handAgainAtLast; {
		s.work()
	}
	if len(s.core.calls) != 1 || s.ack().Phase != alert.AckPending {
		t.Errorf("calls: %v, %+v", s.core.calls, s.ack())
	}
}

func TestAStatusOlderThanTheCommandProvesNothing(t *testing.T) {
	s := newScene(t, true)
	s.core.status = monitor.Status{Acknowledged: true, AsOf: s.clock.Now().Add(-time.Minute)}
	s.press()
	s.work()
	s.work()
	if s.ack().Phase != alert.AckPending {
		t.Errorf("got %+v", s.ack())
	}
}

func TestACommandThatDoesNotShowIsHandedOverOnceMoreAndPeopleAreTold(t *testing.T) {
	s := newScene(t, true)
	s.press()
	start := s.clock.Now()
	for s.clock.Now().Sub(start) < handAgainAtLast && len(s.core.calls) < 2 {
		s.work()
	}
	if len(s.core.calls) != 2 || !strings.Contains(s.ack().Trouble, "does not show it yet") {
		t.Errorf("calls %v, %+v", s.core.calls, s.ack())
	}
}

const handAgainAtLast = 2 * time.Minute

func TestARemovalThatNothingConfirmsIsNotClaimed(t *testing.T) {
	s := newScene(t, false)
	s.want(s.desk.ConfirmAck(t.Context(), s.id, "bob", "x"))
	s.want(s.desk.Unacknowledge(t.Context(), s.id, desk.AnyGeneration, "bob"))
	for range 200 {
		if s.work().Again == 0 {
			break
		}
	}
	if a := s.ack(); a.Phase != alert.AckSet || !strings.Contains(a.Trouble, "can't confirm") {
		t.Errorf("got %+v", a)
	}
}

// due are the write-backs that are to be carried out now.
func (s *scene) due() []store.Duty {
	s.t.Helper()
	claim, err := s.store.Claim(s.t.Context(), desk.MonitorDestination("nagios"), 10)
	s.want(err)
	return claim.Duties
}

func TestWhatIsOvertakenIsNotTold(t *testing.T) {
	s := newScene(t, true)
	s.press()
	s.want(s.desk.Instruct(t.Context(), s.id, "bob", "disk ordered", alert.Instruction{Do: "comment"}))
	claimed := s.due()
	s.want(s.desk.ConfirmAck(t.Context(), s.id, "", ""))
	// It was on its way already.
	out := courier.NewWriteback("nagios", s.m, s.store, s.desk, s.clock).Send(t.Context(), delivery.Errand{Duty: claimed[0]})
	if len(claimed) != 2 || len(s.core.calls) != 0 || out != (delivery.Outcome{}) {
		t.Errorf("%d were claimed, outcome %+v, calls: %v", len(claimed), out, s.core.calls)
	}
	if left := s.due(); len(left) != 1 || left[0].ID != claimed[1].ID {
		t.Errorf("left to be told: %+v, want the comment alone", left)
	}
	s.want(s.desk.Unacknowledge(t.Context(), s.id, desk.AnyGeneration, "bob"))
	if left := s.due(); len(left) != 2 {
		t.Errorf("left to be told: %+v, want the comment and the removal", left)
	}
	object := alert.Object{Kind: alert.KindService, Host: "web01", Service: "Disk /var"}
	_, err := s.desk.Ingest(t.Context(), "nagios", []alert.Report{{Kind: alert.ReportRecovery, Object: object, State: "OK"}})
	s.want(err)
	if left := s.due(); len(left) != 1 {
		t.Errorf("left to be told after the problem is over: %+v, want the comment alone", left)
	}
}

func TestAnInstructionOfUnknownOutcomeIsNotRepeated(t *testing.T) {
	s := newScene(t, true)
	s.want(s.desk.Instruct(t.Context(), s.id, "bob", "disk ordered", alert.Instruction{Do: "comment"}))
	if _, err := s.store.Claim(t.Context(), desk.MonitorDestination("nagios"), 10); err != nil {
		t.Fatal(err)
	}
	s.work()
	events, err := s.store.Events(t.Context(), s.id, 100)
	s.want(err)
	last := events[len(events)-1]
	if len(s.core.calls) != 0 || last.Kind != alert.EventInstructFail || !strings.Contains(last.Text, "not known") {
		t.Errorf("calls %v, last event %+v", s.core.calls, last)
	}
}

func TestAnInstructionIsCarriedOutAndNoted(t *testing.T) {
	s := newScene(t, true)
	s.want(s.desk.Instruct(t.Context(), s.id, "bob", "disk ordered", alert.Instruction{Do: "comment"}))
	if out := s.work(); out.Refused {
		t.Errorf("carried out, but: %+v", out)
	}
	events, err := s.store.Events(t.Context(), s.id, 100)
	s.want(err)
	if last := events[len(events)-1]; strings.Join(s.core.calls, ";") != "comment Disk /var on web01 by bob: disk ordered" || last.Kind != alert.EventInstructDone {
		t.Errorf("calls %v, last event %+v", s.core.calls, last)
	}
}

// A system that only queues is believed when its status shows what it was told.
func TestAQueuedInstructionIsDoneWhenTheStatusShowsIt(t *testing.T) {
	s := newScene(t, true)
	s.core.answer = func() (monitor.Receipt, error) { return monitor.Receipt{Queued: true}, nil }
	s.core.status.Notifies = new(true)
	s.want(s.desk.Instruct(t.Context(), s.id, "bob", "", alert.Instruction{Do: "notifications", Off: true}))
	last := func() alert.Event {
		events, err := s.store.Events(t.Context(), s.id, 100)
		s.want(err)
		return events[len(events)-1]
	}
	for range 3 {
		if out := s.work(); out.Again == 0 || last().Kind != alert.EventInstructed {
			t.Fatalf("before it shows: %+v, %+v", out, last())
		}
	}
	s.core.status.Notifies = new(false)
	s.work()
	if e := last(); e.Kind != alert.EventInstructDone || len(s.core.calls) != 1 {
		t.Errorf("after it shows: %+v, told %v", e, s.core.calls)
	}
}

func TestAQueuedInstructionThatNeverShowsIsTold(t *testing.T) {
	s := newScene(t, true)
	s.core.answer = func() (monitor.Receipt, error) { return monitor.Receipt{Queued: true}, nil }
	s.core.status.Notifies = new(true)
	s.want(s.desk.Instruct(t.Context(), s.id, "bob", "", alert.Instruction{Do: "notifications", Off: true}))
	out := s.work()
	for out.Again > 0 {
		out = s.work()
	}
	if !out.Refused {
		t.Errorf("at last: %+v", out)
	}
	events, err := s.store.Events(t.Context(), s.id, 100)
	s.want(err)
	if e := events[len(events)-1]; e.Kind != alert.EventInstructFail || !strings.Contains(e.Text, "does not show it") || len(s.core.calls) != 1 {
		t.Errorf("at last: %+v, told %v", e, s.core.calls)
	}
}
