// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var disk = Object{Kind: KindService, Host: "web01", Service: "Disk /var"}

func problem(id string) Report {
	return Report{Kind: ReportProblem, Object: disk, State: "CRITICAL", Severity: SeverityCritical, Output: "97% used", ProblemID: id, Contact: "alice", At: t0}
}

func recovery(id string) Report {
	return Report{Kind: ReportRecovery, Object: disk, State: "OK", Output: "12% used", ProblemID: id, At: t0.Add(time.Minute)}
}

// desktop applies reports one after the other, as the desk does.
type desktop struct {
	open   map[Topic]*Alert
	all    []*Alert
	events []EventKind
}

func (d *desktop) apply(now time.Time, reports ...Report) {
	for _, r := range reports {
		topic := r.Kind.Topic()
		var notice *Alert
		if topic != TopicProblem {
			notice = d.open[topic]
		}
		out := Apply("nagios", d.open[TopicProblem], notice, r, now)
		for i, a := range out.Alerts {
			if a.ID == 0 {
				a.ID = ID(len(d.all) + 1)
				d.all = append(d.all, a)
			}
			if a.Status == Firing {
				d.open[a.Topic] = a
			} else if d.open[a.Topic] == a {
				delete(d.open, a.Topic)
			}
			for _, e := range out.Events[i] {
				d.events = append(d.events, e.Kind)
			}
		}
	}
}

func TestReportsMakeOneAlertPerProblem(t *testing.T) {
	second := problem("7")
	second.Contact = "bob"
	worse := problem("7")
	worse.State, worse.Severity = "WARNING", SeverityWarning
	ack := Report{Kind: ReportAck, Object: disk, State: "CRITICAL", Severity: SeverityCritical, ProblemID: "7", Author: "alice", Comment: "on it"}
	numbered := problem("8")
	noNumber := recovery("")
	custom := Report{Kind: ReportCustom, Object: disk, Author: "dave", Comment: "hello"}
	otherCustom, customToo, laterCustom := custom, custom, custom
	otherCustom.Comment, customToo.Channel, laterCustom.At = "bye", "chat/dba", t0.Add(-time.Hour)
	downtime := Report{Kind: ReportDowntime, Object: disk, Author: "carol", Comment: "patching"}
	downtimeEnd := Report{Kind: ReportDowntimeCancelled, Object: disk}
	ackOfOK := ack
	ackOfOK.Severity = SeverityOK

	for _, c := range []struct {
		name    string
		reports []Report
		events  []EventKind
		alerts  int
		status  Status
	}{
		{"problem and recovery", []Report{problem("7"), recovery("7")}, []EventKind{EventOpened, EventResolved}, 1, Resolved},
		{"the same from the same contact is no news", []Report{problem("7"), problem("7")}, []EventKind{EventOpened}, 1, Firing},
		{"the same from a second contact adds the contact", []Report{problem("7"), second, second}, []EventKind{EventOpened, EventRenotified}, 1, Firing},
		{"another state", []Report{problem("7"), worse}, []EventKind{EventOpened, EventChanged}, 1, Firing},
		{"another problem number: the recovery got lost", []Report{problem("7"), numbered}, []EventKind{EventOpened, EventResolved, EventOpened}, 2, Firing},
		{"recovery of another problem changes nothing", []Report{problem("8"), recovery("7")}, []EventKind{EventOpened}, 1, Firing},
		{"recovery without number", []Report{problem("8"), noNumber}, []EventKind{EventOpened, EventResolved}, 1, Resolved},
		{"recovery of nothing", []Report{recovery("7")}, nil, 0, ""},
		{"acknowledged in the core", []Report{problem("7"), ack, ack}, []EventKind{EventOpened, EventAcknowledged}, 1, Firing},
		{"acknowledgement of a problem never seen opens it", []Report{ack}, []EventKind{EventOpened, EventAcknowledged}, 1, Firing},
		{"acknowledgement of what is fine", []Report{ackOfOK}, nil, 0, ""},
		{"custom beside a problem", []Report{problem("7"), custom}, []EventKind{EventOpened, EventCustom}, 1, Firing},
		{"custom beside a problem for two contacts", []Report{problem("7"), custom, custom}, []EventKind{EventOpened, EventCustom}, 1, Firing},
		{"another custom beside a problem", []Report{problem("7"), custom, otherCustom}, []EventKind{EventOpened, EventCustom, EventCustom}, 1, Firing},
		{"custom alone is a notice", []Report{custom}, []EventKind{EventOpened}, 1, Firing},
		{"custom alone for two contacts is one notice", []Report{custom, customToo}, []EventKind{EventOpened, EventRenotified}, 1, Firing},
		{"another custom is another notice", []Report{custom, otherCustom}, []EventKind{EventOpened, EventOpened}, 2, Firing},
		{"the same custom much later is another notice", []Report{custom, laterCustom}, []EventKind{EventOpened, EventOpened}, 2, Firing},
		{"downtime of a fine object lives until its end", []Report{downtime, downtime, downtimeEnd}, []EventKind{EventOpened, EventDowntimeEnd}, 1, Resolved},
		{"downtime beside a problem", []Report{problem("7"), downtime, downtime, downtimeEnd}, []EventKind{EventOpened, EventDowntime, EventDowntimeEnd}, 1, Firing},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &desktop{open: map[Topic]*Alert{}}
			d.apply(t0.Add(2*time.Minute), c.reports...)
			if diff := cmp.Diff(c.events, d.events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if len(d.all) != c.alerts {
				t.Fatalf("%d alerts, want %d", len(d.all), c.alerts)
			}
			if c.alerts > 0 && d.all[c.alerts-1].Status != c.status {
				t.Errorf("the last alert is %s, want %s", d.all[c.alerts-1].Status, c.status)
			}
		})
	}
}

func TestContactsChannelsAndMentionsAreKeptOnce(t *testing.T) {
	d := &desktop{open: map[Topic]*Alert{}}
	first, second := problem("7"), problem("7")
	second.Contact, second.Channel, second.Mention = "bob", "chat/dba", "oncall"
	d.apply(t0, first, second, first, second)
	a := d.all[0]
	if diff := cmp.Diff([][]string{{"alice", "bob"}, {"chat/dba"}, {"oncall"}}, [][]string{a.Contacts, a.Channels, a.Mentions}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestANoticeEndsOnceNoMoreContactsCanBeTold(t *testing.T) {
	d := &desktop{open: map[Topic]*Alert{}}
	d.apply(t0, Report{Kind: ReportCustom, Object: disk, Author: "dave", Comment: "hello"}, problem("7"))
	notice := d.open[TopicCustom]
	if notice.EndNotice(t0.Add(time.Minute)) || notice.Status != Firing {
		t.Error("it ended too early")
	}
	if !notice.EndNotice(t0.Add(sameSaid)) || notice.Status != Resolved || notice.EndNotice(t0.Add(time.Hour)) {
		t.Errorf("it did not end once: %+v", notice)
	}
	if d.open[TopicProblem].EndNotice(t0.Add(time.Hour)) {
		t.Error("a problem is no notice")
	}
}

// Two Alertmanagers of a pair tell different beginnings of one problem.
func TestARuleThatBeganEarlierIsTheSameProblem(t *testing.T) {
	began := func(at time.Time) Report {
		return Report{Kind: ReportProblem, Object: Object{Kind: KindRule, Rule: "DiskFull", Key: "f1"}, State: "firing",
			Severity: SeverityCritical, ProblemID: at.Format(time.RFC3339Nano), At: at}
	}
	d := &desktop{open: map[Topic]*Alert{}}
	d.apply(t0.Add(time.Hour), began(t0), began(t0.Add(-time.Minute)), began(t0), began(t0.Add(-time.Minute)))
	if len(d.all) != 1 || d.all[0].Revision != 1 {
		t.Errorf("%d alerts, events %v", len(d.all), d.events)
	}
	d.apply(t0.Add(time.Hour), began(t0.Add(time.Minute)))
	if len(d.all) != 2 || d.all[0].Status != Resolved {
		t.Errorf("a later beginning is another problem: %d alerts, events %v", len(d.all), d.events)
	}
}

func TestTimesComeFromTheMonitorUnlessTheyAreInTheFuture(t *testing.T) {
	d := &desktop{open: map[Topic]*Alert{}}
	early := problem("1")
	early.At = t0.Add(-time.Hour)
	d.apply(t0, early)
	late := recovery("1")
	late.At = t0.Add(time.Hour)
	d.apply(t0, late)
	if a := d.all[0]; !a.StartsAt.Equal(t0.Add(-time.Hour)) || !a.EndsAt.Equal(t0) {
		t.Errorf("from %s to %s", a.StartsAt, a.EndsAt)
	}
}

func TestDisplayNamesDoNotChangeTheFingerprint(t *testing.T) {
	renamed := disk
	renamed.HostDisplay, renamed.Address = "Web server", "192.0.2.1"
	if disk.Fingerprint() != renamed.Fingerprint() {
		t.Error("a display name changed the identity")
	}
	keyed, retitled := Object{Kind: KindRule, Rule: "web is down", Key: "7"}, Object{Kind: KindRule, Rule: "web is up", Key: "7"}
	if keyed.Fingerprint() != retitled.Fingerprint() {
		t.Error("the system's own identity is not all that counts")
	}
	for _, other := range []Object{
		{Kind: KindHost, Host: "web01"}, {Kind: KindService, Host: "web01D", Service: "isk /var"},
		{Kind: KindService, Host: "web01", Service: "Disk /var", Key: "x"},
	} {
		if other.Fingerprint() == disk.Fingerprint() {
			t.Errorf("%+v has the same identity as %+v", other, disk)
		}
	}
}
