// SPDX-License-Identifier: Apache-2.0

package desk_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/clock"
	"belfry/desk"
	"belfry/fault"
	"belfry/monitor"
	"belfry/store"
	"belfry/store/opentest"
)

// signs routes critical alerts to two channels and the rest to one.
type signs struct{}

func (signs) Route(l alert.Labeled) desk.Routing {
	if l.Label("severity") == "critical" {
		return desk.Routing{Destinations: []string{"chat/ops", "chat/dba"}, Rings: []alert.Ring{{Mentions: []string{"oncall"}, Priority: alert.PriorityUrgent}, {}}}
	}
	return desk.Routing{Destinations: []string{"chat/ops"}}
}

func (signs) Named(channel string) (string, bool) {
	if strings.HasPrefix(channel, "elsewhere/") {
		return "", false
	}
	return "chat/" + strings.TrimPrefix(channel, "chat/"), true
}

type office struct {
	*desk.Desk
	t     *testing.T
	store *store.Store
	clock *clock.Manual
}

func newOffice(t *testing.T) *office {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := opentest.Open(t, store.Options{Clock: c})
	can := func(source string, a desk.Ability) bool { return source == "nagios" && a != desk.CanCheck }
	return &office{desk.New(s, signs{}, can, c), t, s, c}
}

var disk = alert.Object{Kind: alert.KindService, Host: "web01", Service: "Disk /var"}

func critical() alert.Report {
	return alert.Report{Kind: alert.ReportProblem, Object: disk, State: "CRITICAL", Severity: alert.SeverityCritical, Output: "97% used", ProblemID: "7", Contact: "alice"}
}

func (o *office) take(reports ...alert.Report) []string {
	o.t.Helper()
	warnings, err := o.Ingest(o.t.Context(), "nagios", reports)
	if err != nil {
		o.t.Fatal(err)
	}
	return warnings
}

// alerts returns all alerts, oldest first.
func (o *office) alerts() []*alert.Alert {
	o.t.Helper()
	all, err := o.store.Alerts(o.t.Context(), store.Filter{Limit: 100})
	if err != nil {
		o.t.Fatal(err)
	}
	slices.Reverse(all)
	return all
}

func (o *office) only() *alert.Alert {
	o.t.Helper()
	all := o.alerts()
	if len(all) != 1 {
		o.t.Fatalf("%d alerts, want one", len(all))
	}
	return all[0]
}

// due returns "destination kind" of the duties that are due now.
func (o *office) due() []string {
	o.t.Helper()
	var out []string
	found, err := o.store.Due(o.t.Context(), o.clock.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	for _, d := range found {
		c, err := o.store.Claim(o.t.Context(), d.Name, 100)
		if err != nil {
			o.t.Fatal(err)
		}
		var done []store.Settlement
		for _, duty := range c.Duties {
			out = append(out, duty.Destination+" "+string(duty.Kind))
			done = append(done, store.Settlement{ID: duty.ID, State: store.DutyDone, Reached: duty.Wanted, Receipt: "c p"})
		}
		if _, err := o.store.Settle(o.t.Context(), d.Name, c.Fence, done); err != nil {
			o.t.Fatal(err)
		}
	}
	slices.Sort(out)
	return out
}

func (o *office) wantDue(want ...string) {
	o.t.Helper()
	if diff := cmp.Diff(want, o.due()); diff != "" {
		o.t.Errorf("due (-want +got):\n%s", diff)
	}
}

func TestAProblemGetsACardInEveryChannelItBelongsTo(t *testing.T) {
	o := newOffice(t)
	r := critical()
	r.Channel = "dba-private"
	o.take(r)
	o.wantDue("chat/dba card", "chat/dba-private card", "chat/ops card")
	want := map[string]alert.Ring{"chat/ops": {Mentions: []string{"oncall"}, Priority: alert.PriorityUrgent}}
	if a := o.only(); len(a.Mentions) > 0 || cmp.Diff(want, a.Rings) != "" {
		t.Errorf("rings %v everywhere and %v", a.Mentions, a.Rings)
	}
}

func TestTheSameNotificationOfSeveralContactsMakesOneCard(t *testing.T) {
	o := newOffice(t)
	second := critical()
	second.Contact = "bob"
	o.take(critical(), second)
	o.wantDue("chat/dba card", "chat/ops card")
	if a := o.only(); !slices.Equal(a.Contacts, []string{"alice", "bob"}) {
		t.Errorf("contacts %v", a.Contacts)
	}
}

func TestAWorseStateReachesMoreChannelsAndIsSaidInTheOldOnes(t *testing.T) {
	o := newOffice(t)
	warning := critical()
	warning.State, warning.Severity = "WARNING", alert.SeverityWarning
	o.take(warning)
	o.wantDue("chat/ops card")
	o.take(critical())
	o.wantDue("chat/dba card", "chat/ops card", "chat/ops note")
}

func TestARepeatedHandOverIsRecognised(t *testing.T) {
	o := newOffice(t)
	first := critical()
	first.Intake = "abc"
	o.take(first)
	o.take(alert.Report{Kind: alert.ReportRecovery, Object: disk, State: "OK", ProblemID: "7"})
	late := first
	late.Repeated = true
	o.take(late)
	if a := o.only(); a.Status != alert.Resolved {
		t.Errorf("an old hand-over opened the problem again: %+v", a)
	}
	other := late
	other.Intake = "def"
	o.take(other)
	if n := len(o.alerts()); n != 2 {
		t.Errorf("a hand-over that never arrived was not taken: %d alerts", n)
	}
}

func TestWhatMustNotBeBelievedIsDroppedAndTold(t *testing.T) {
	o := newOffice(t)
	r := critical()
	r.Mention, r.Channel = "@channel", "elsewhere/x"
	r.Output = strings.Repeat("é", 200<<10)
	warnings := strings.Join(o.take(r), "\n")
	for _, want := range []string{"channel", "elsewhere/x", "output has"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("no word of %q in %q", want, warnings)
		}
	}
	a := o.only()
	if len(a.Channels) != 0 || len(a.Mentions) != 0 || len(a.Output) > 256<<10 || !strings.HasSuffix(a.Output, "é") {
		t.Errorf("kept %v, %v, %d bytes of output", a.Channels, a.Mentions, len(a.Output))
	}
}

// breaking breaks down over one host.
type breaking struct{ signs }

func (b breaking) Route(l alert.Labeled) desk.Routing {
	if l.Label("host") == "bad" {
		panic("index out of range")
	}
	return b.signs.Route(l)
}

func TestAReportThatOurRulesBreakDownOverDoesNotHoldUpTheOthers(t *testing.T) {
	o := newOffice(t)
	d := desk.New(o.store, breaking{}, func(string, desk.Ability) bool { return true }, o.clock)
	bad, good := critical(), critical()
	bad.Object.Host, good.Object.Host = "bad", "good"
	_, err := d.Ingest(t.Context(), "nagios", []alert.Report{critical(), bad, good})
	if decision, _ := fault.Of(err); decision != fault.Permanent || !strings.Contains(err.Error(), "report 2") {
		t.Errorf("%v: %v", decision, err)
	}
	if n := len(o.alerts()); n != 2 {
		t.Errorf("%d alerts, want the two others", n)
	}
}

func TestMonitoringCanNotRingAWholeChannel(t *testing.T) {
	for _, mention := range []string{"channel", "@here", "ALL", "everyone", "channel.", "here-", "@all_", "channel._-", "Here..", ".here", "...", "@@here"} {
		o := newOffice(t)
		r := critical()
		r.Mention = mention
		warnings := o.take(r)
		if a := o.only(); len(a.Mentions) != 0 || len(warnings) == 0 {
			t.Errorf("%s: rings %q, warnings %q", mention, a.Mentions, warnings)
		}
	}
}

func TestACustomNotificationForSeveralContactsIsOneNotice(t *testing.T) {
	o := newOffice(t)
	r := alert.Report{Kind: alert.ReportCustom, Object: disk, Author: "dave", Comment: "hello", Contact: "alice"}
	second := r
	second.Contact, second.Channel = "bob", "dba-private"
	o.take(r, second)
	o.wantDue("chat/dba-private card", "chat/ops card")
	o.clock.Advance(time.Hour)
	if err := o.EndNotices(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := o.only(); a.Status != alert.Resolved || !a.EndsAt.Equal(o.clock.Now()) {
		t.Errorf("got %s at %s", a.Status, a.EndsAt)
	}
	o.wantDue()
}

func TestAnAcknowledgementIsPendingUntilTheMonitorConfirmsIt(t *testing.T) {
	o := newOffice(t)
	o.take(critical())
	o.due()
	a := o.only()
	if err := o.Acknowledge(t.Context(), a.ID, a.Ack.Generation, "bob", "on it"); err != nil {
		t.Fatal(err)
	}
	if a := o.only(); a.Ack.Phase != alert.AckPending || a.Ack.By != "bob" {
		t.Errorf("got %+v", a.Ack)
	}
	o.wantDue("chat/dba card", "chat/ops card", "monitor/nagios writeback")
	// It comes back as Nagios' own notification, with what Nagios leaves of it.
	o.take(alert.Report{Kind: alert.ReportAck, Object: disk, State: "CRITICAL", Severity: alert.SeverityCritical, ProblemID: "7", Author: "bob", Comment: "on it"})
	if a := o.only(); a.Ack.Phase != alert.AckSet {
		t.Errorf("got %+v", a.Ack)
	}
	o.wantDue("chat/dba card", "chat/dba note", "chat/ops card", "chat/ops note")
}

func TestASecondPressOfTheSameButtonDoesNothing(t *testing.T) {
	o := newOffice(t)
	o.take(critical())
	a := o.only()
	generation := a.Ack.Generation
	if err := o.Acknowledge(t.Context(), a.ID, generation, "bob", ""); err != nil {
		t.Fatal(err)
	}
	if err := o.Acknowledge(t.Context(), a.ID, generation, "carol", ""); !errors.Is(err, alert.ErrPending) {
		t.Errorf("got %v", err)
	}
	if err := o.ConfirmAck(t.Context(), a.ID, "", ""); err != nil {
		t.Fatal(err)
	}
	if err := o.Unacknowledge(t.Context(), a.ID, generation+1, "bob"); err != nil {
		t.Fatal(err)
	}
	if err := o.ConfirmUnack(t.Context(), a.ID, "bob"); err != nil {
		t.Fatal(err)
	}
	if err := o.Acknowledge(t.Context(), a.ID, generation, "mallory", ""); !errors.Is(err, desk.ErrChanged) {
		t.Errorf("an old button still works: %v", err)
	}
	if a := o.only(); a.Ack.Phase != alert.AckNone {
		t.Errorf("got %+v", a.Ack)
	}
}

func TestASourceThatCanNotBeToldIsAcknowledgedHereAlone(t *testing.T) {
	o := newOffice(t)
	if _, err := o.Ingest(t.Context(), "prometheus", []alert.Report{critical()}); err != nil {
		t.Fatal(err)
	}
	o.due()
	a := o.only()
	if err := o.Acknowledge(t.Context(), a.ID, desk.AnyGeneration, "bob", "on it"); err != nil {
		t.Fatal(err)
	}
	if a := o.only(); a.Ack.Phase != alert.AckSet || !a.Ack.Local {
		t.Errorf("got %+v", a.Ack)
	}
	o.wantDue("chat/dba card", "chat/dba note", "chat/ops card", "chat/ops note")
}

func TestInstructionsGoToMonitorsThatUnderstandThem(t *testing.T) {
	o := newOffice(t)
	o.take(critical())
	o.due()
	a := o.only()
	if err := o.Instruct(t.Context(), a.ID, "bob", "new disk ordered", alert.Instruction{Do: "comment"}); err != nil {
		t.Fatal(err)
	}
	if err := o.Instruct(t.Context(), a.ID, "bob", "", alert.Instruction{Do: "check"}); !errors.Is(err, desk.ErrCannot) {
		t.Errorf("got %v", err)
	}
	if err := o.Instruct(t.Context(), 99, "bob", "", alert.Instruction{Do: "comment"}); !errors.Is(err, desk.ErrNoAlert) {
		t.Errorf("got %v", err)
	}
	o.wantDue("chat/dba card", "chat/ops card", "monitor/nagios writeback")
}

// glass is a monitoring system that shows one status for everything.
type glass struct{ s monitor.Status }

func (g glass) Status(_ context.Context, objects []alert.Object) ([]monitor.Status, error) {
	return slices.Repeat([]monitor.Status{g.s}, len(objects)), nil
}

func TestWhatTheMonitorShowsGetsOntoTheCards(t *testing.T) {
	for _, c := range []struct {
		name   string
		later  time.Duration
		acked  bool
		shows  monitor.Status
		phase  alert.AckPhase
		status alert.Status
	}{
		{"acknowledged there without a notification", time.Minute, false, monitor.Status{Known: true, Acknowledged: true, Author: "op", Comment: "x"}, alert.AckSet, alert.Firing},
		{"the acknowledgement was removed there", time.Minute, true, monitor.Status{Known: true}, alert.AckNone, alert.Firing},
		{"recovered without a notification", time.Minute, false, monitor.Status{Known: true, OK: true}, alert.AckNone, alert.Resolved},
		{"a status too young to be believed", time.Second, true, monitor.Status{Known: true}, alert.AckSet, alert.Firing},
		{"recovered, but the status is too young", time.Second, false, monitor.Status{Known: true, OK: true}, alert.AckNone, alert.Firing},
		{"an object that is not listed", time.Minute, true, monitor.Status{}, alert.AckSet, alert.Firing},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t)
			o.take(critical())
			a := o.only()
			if c.acked {
				if err := o.ConfirmAck(t.Context(), a.ID, "op", "x"); err != nil {
					t.Fatal(err)
				}
			}
			o.clock.Advance(c.later)
			c.shows.AsOf = o.clock.Now()
			if err := o.Observe(t.Context(), "nagios", glass{c.shows}); err != nil {
				t.Fatal(err)
			}
			if a := o.only(); a.Ack.Phase != c.phase || a.Status != c.status {
				t.Errorf("got %q %s, want %q %s", a.Ack.Phase, a.Status, c.phase, c.status)
			}
		})
	}
}

func TestNamesThatTheStatusTellsGetOntoTheCards(t *testing.T) {
	o := newOffice(t)
	o.take(critical())
	before := o.only()
	for range 2 { // the second time there is nothing new
		if err := o.Observe(t.Context(), "nagios", glass{monitor.Status{Known: true, HostName: "Web 1", ServiceName: "Disk", AsOf: o.clock.Now()}}); err != nil {
			t.Fatal(err)
		}
	}
	a := o.only()
	if a.Name() != "Disk on Web 1" || a.Fingerprint != before.Fingerprint || a.Revision != before.Revision+1 || !a.UpdatedAt.Equal(before.UpdatedAt) {
		t.Errorf("%q, revision %d after %d", a.Name(), a.Revision, before.Revision)
	}
}

func TestAStatusThatWasReadBeforeSomethingHappenedChangesNothing(t *testing.T) {
	o := newOffice(t)
	o.take(critical())
	o.clock.Advance(time.Minute)
	slow := meanwhile{glass{monitor.Status{Known: true, OK: true, AsOf: o.clock.Now()}}, func() {
		worse := critical()
		worse.Output = "99% used"
		o.take(worse)
	}}
	if err := o.Observe(t.Context(), "nagios", slow); err != nil {
		t.Fatal(err)
	}
	if a := o.only(); a.Status != alert.Firing {
		t.Error("an old status ended a problem that had just been reported again")
	}
}

type meanwhile struct {
	glass
	happens func()
}

func (m meanwhile) Status(ctx context.Context, objects []alert.Object) ([]monitor.Status, error) {
	m.happens()
	return m.glass.Status(ctx, objects)
}
