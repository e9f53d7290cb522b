// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/alert"
)

func disk(id alert.ID) *alert.Alert {
	o := alert.Object{Kind: alert.KindService, Host: "web01", Service: "Disk"}
	return &alert.Alert{ID: id, Number: int64(id), Source: "nagios", Fingerprint: o.Fingerprint(), Topic: alert.TopicProblem, Status: alert.Firing,
		Severity: alert.SeverityWarning, Object: o, StartsAt: day()}
}

func withDisk(t *testing.T) *Incident {
	t.Helper()
	i, _, err := Declare(settings(), Declaration{Alert: disk(5), By: anna()}, day())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestWhatBecomesOfAnAlertIsTold(t *testing.T) {
	i, now := withDisk(t), day().Add(time.Hour)
	if i.Alerts[0].State != AlertFiring {
		t.Errorf("%+v", i.Alerts[0])
	}
	said := func(e alert.Event) alert.Event { e.At = now.Add(-time.Minute); return e }
	tell := func(a *alert.Alert, state AlertState, want string, events ...alert.Event) {
		t.Helper()
		was := i.Revision
		var got []string
		for _, e := range i.Follow(a, events, now) {
			got = append(got, fmt.Sprintf("%s %s #%d %s %s", e.By.Name, e.What, e.Alert, e.Was, e.Text))
			if e.Kind != EntryAlert || !e.At.Equal(now.Add(-time.Minute)) || !e.RecordedAt.Equal(now) || e.Is != "Disk on web01" {
				t.Errorf("%+v", e)
			}
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("want %q\n got %q", want, text)
		}
		if last := i.Alerts[len(i.Alerts)-1]; last.State != state {
			t.Errorf("it is %q, want %q", last.State, state)
		}
		if (want != "") != (i.Revision > was) {
			t.Errorf("the revision went from %d to %d", was, i.Revision)
		}
	}
	a := disk(5)
	tell(a, AlertFiring, "nagios worse #5 warning → critical 2% free", said(alert.Event{Kind: alert.EventChanged, PreviousSeverity: 3, Severity: 4, Text: "2% free"}))
	tell(a, AlertFiring, "", said(alert.Event{Kind: alert.EventChanged, PreviousSeverity: 4, Severity: 4}), said(alert.Event{Kind: alert.EventRenotified}),
		said(alert.Event{Kind: alert.EventAckWanted, Actor: "anna"}))
	a.Ack.Phase = alert.AckSet
	tell(a, AlertAcknowledged, "bert acknowledged #5  on it", said(alert.Event{Kind: alert.EventAcknowledged, Actor: "bert", Text: "on it"}))
	a.Ack.Phase = alert.AckNone
	tell(a, AlertFiring, "bert unacknowledged #5  ; nagios better #5 critical → warning ", said(alert.Event{Kind: alert.EventUnacked, Actor: "bert"}),
		said(alert.Event{Kind: alert.EventChanged, PreviousSeverity: 4, Severity: 3}))
	a.Status = alert.Resolved
	tell(a, AlertOver, "nagios over #5  ", said(alert.Event{Kind: alert.EventResolved}))
	b := disk(9)
	tell(b, AlertFiring, "nagios again #9  full", said(alert.Event{Kind: alert.EventOpened, Text: "full"}))
	if len(i.Alerts) != 2 || i.Alerts[1].Alert != 9 || i.Alerts[0].State != AlertOver {
		t.Errorf("attached are %+v", i.Alerts)
	}
	// What is attached as it opens is not back.
	other := disk(11)
	other.Topic = alert.TopicDowntime
	if got := i.Follow(other, []alert.Event{said(alert.Event{Kind: alert.EventOpened})}, now); got != nil {
		t.Errorf("%+v", got)
	}
	if i.Takes(Person{Name: "bert"}) || i.Takes(Person{Name: "nagios"}) {
		t.Error("who acknowledged in monitoring takes part")
	}
	long := strings.Repeat("ü\x00", MaxLine)
	b.Status = alert.Resolved
	if e := i.Follow(b, []alert.Event{said(alert.Event{Kind: alert.EventResolved, Text: long})}, now); len([]rune(e[0].Text)) != MaxLine || strings.ContainsRune(e[0].Text, 0) {
		t.Errorf("%q", e[0].Text)
	}
}

func TestFollowingEnds(t *testing.T) {
	over := []alert.Event{{Kind: alert.EventResolved}}
	for name, c := range map[string]struct {
		acts []Act
		wait time.Duration
		want int
	}{
		"while it is open":           {nil, 30 * 24 * time.Hour, 1},
		"mitigated":                  {[]Act{Mitigate}, time.Hour, 1},
		"just resolved":              {[]Act{Resolve}, time.Hour, 1},
		"resolved long ago":          {[]Act{Resolve}, 25 * time.Hour, 0},
		"closed":                     {[]Act{Resolve, Close}, time.Minute, 0},
		"cancelled":                  {[]Act{Cancel}, time.Minute, 0},
		"reopened after it was shut": {[]Act{Resolve, Close, Reopen}, time.Hour, 1},
	} {
		i := withDisk(t)
		for _, act := range c.acts {
			if _, err := i.Move(act, anna(), day(), ""); err != nil {
				t.Fatal(err)
			}
		}
		a := disk(5)
		a.Status = alert.Resolved
		if got := i.Follow(a, over, day().Add(c.wait)); len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestAFlappingAlertLeavesRoom: monitoring can fill half of a timeline, and
// says so where it stops; and it attaches no more than half of the alerts.
func TestAFlappingAlertLeavesRoom(t *testing.T) {
	i := withDisk(t)
	var last []Entry
	for n := range MaxEntries {
		a := disk(alert.ID(n + 100))
		got := i.Follow(a, []alert.Event{{Kind: alert.EventOpened}}, day())
		a.Status = alert.Resolved
		got = slices.Concat(got, i.Follow(a, []alert.Event{{Kind: alert.EventResolved}}, day()))
		if len(got) > 0 {
			last = got
		}
	}
	if i.Entries != MaxEntries/2+1 || len(i.Alerts) != MaxAlerts/2 || last[len(last)-1].Kind != EntryTrouble {
		t.Errorf("%d entries, %d alerts, at last %+v", i.Entries, len(i.Alerts), last)
	}
	if got := i.Alerts[len(i.Alerts)-1].State; got != AlertOver {
		t.Errorf("the state is not kept up: %s", got)
	}
	if _, err := i.Note("there is room", anna(), day()); err != nil {
		t.Error(err)
	}
}

// TestWhereAlertsAreNoLongerToldIsSaid: also when it was a person's note that
// took the last place.
func TestWhereAlertsAreNoLongerToldIsSaid(t *testing.T) {
	i := withDisk(t)
	for i.Entries < MaxEntries/2 {
		if _, err := i.Note("busy", anna(), day()); err != nil {
			t.Fatal(err)
		}
	}
	over := disk(5)
	over.Status = alert.Resolved
	events := []alert.Event{{Kind: alert.EventResolved}}
	if got := i.Follow(over, events, day()); len(got) != 1 || got[0].Kind != EntryTrouble || i.Alerts[0].State != AlertOver {
		t.Errorf("%+v", got)
	}
	if got := i.Follow(over, events, day()); len(got) != 0 {
		t.Errorf("said again: %+v", got)
	}
}

// TestRecallTakesOverHowAlertsStand: one that is not kept any more is over, one
// that was not looked for is left as it is.
func TestRecallTakesOverHowAlertsStand(t *testing.T) {
	i := withDisk(t)
	if i.Recall(nil, nil); i.Alerts[0].State != AlertFiring {
		t.Errorf("%+v", i.Alerts)
	}
	if i.Recall(nil, []alert.ID{i.Alerts[0].Alert}); i.Alerts[0].State != AlertOver {
		t.Errorf("%+v", i.Alerts)
	}
}
