// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAcknowledgementFollowsItsTable drives random acts and compares the phase
// with a table written down a second time, the way the package comment draws it.
func TestAcknowledgementFollowsItsTable(t *testing.T) {
	next := map[AckPhase]map[string]AckPhase{
		AckNone:     {"request": AckPending, "confirm": AckSet, "removeConfirmed": AckNone, "refuse": AckNone, "unrequest": AckNone, "delay": AckNone},
		AckPending:  {"request": AckPending, "confirm": AckSet, "removeConfirmed": AckPending, "refuse": AckNone, "unrequest": AckPending, "delay": AckPending},
		AckSet:      {"request": AckSet, "confirm": AckSet, "removeConfirmed": AckNone, "refuse": AckSet, "unrequest": AckRemoving, "delay": AckSet},
		AckRemoving: {"request": AckRemoving, "confirm": AckRemoving, "removeConfirmed": AckNone, "refuse": AckSet, "unrequest": AckRemoving, "delay": AckRemoving},
	}
	rapid.Check(t, func(t *rapid.T) {
		a := &Alert{ID: 1, Topic: TopicProblem, Status: Firing, State: "CRITICAL"}
		now := t0
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Second)
			act := rapid.SampledFrom([]string{"request", "confirm", "removeConfirmed", "refuse", "unrequest", "delay"}).Draw(t, "act")
			before := *a.Clone()
			changed := false
			switch act {
			case "request":
				_, err := a.RequestAck("alice", "on it", false, now)
				changed = err == nil
			case "unrequest":
				_, err := a.RequestUnack("alice", now)
				changed = err == nil
			case "confirm":
				_, changed = a.ConfirmAck("", "", now)
			case "removeConfirmed":
				_, changed = a.ConfirmUnack("", now)
			case "refuse":
				_, changed = a.RefuseAck(a.Ack.Generation, "no such service", now)
			case "delay":
				_, changed = a.DelayAck(a.Ack.Generation, "not running", now)
			}
			if want := next[before.Ack.Phase][act]; a.Ack.Phase != want {
				t.Fatalf("%s while %q led to %q, want %q", act, before.Ack.Phase, a.Ack.Phase, want)
			}
			if (a.Revision != before.Revision) != changed {
				t.Fatalf("%s: revision went from %d to %d, changed says %v", act, before.Revision, a.Revision, changed)
			}
			if a.Ack.Phase == AckSet && before.Ack.Phase == AckPending && act != "confirm" {
				t.Fatalf("%s made the acknowledgement set without a confirmation", act)
			}
		}
	})
}

func TestRefusalsForOldGenerationsChangeNothing(t *testing.T) {
	a := &Alert{ID: 1, Topic: TopicProblem, Status: Firing}
	if _, err := a.RequestAck("alice", "", false, t0); err != nil {
		t.Fatal(err)
	}
	if _, changed := a.RefuseAck(a.Ack.Generation-1, "late", t0); changed || a.Ack.Phase != AckPending {
		t.Errorf("an old refusal changed the acknowledgement to %+v", a.Ack)
	}
	if _, changed := a.DelayAck(a.Ack.Generation-1, "late", t0); changed || a.Ack.Trouble != "" {
		t.Errorf("an old delay changed the acknowledgement to %+v", a.Ack)
	}
}

func TestAReasonThatChangesIsOnTheCardAndNotSaidAnew(t *testing.T) {
	a := &Alert{ID: 1, Topic: TopicProblem, Status: Firing}
	if _, err := a.RequestAck("alice", "", false, t0); err != nil {
		t.Fatal(err)
	}
	for i, reason := range []string{"not running", "not running", "no answer", "not running"} {
		e, changed := a.DelayAck(a.Ack.Generation, reason, t0)
		if changed != (i != 1) || a.Ack.Trouble != reason || changed && e.Kind.Notable() != (i == 0) {
			t.Errorf("%d: %v, %+v, %+v", i, changed, e, a.Ack)
		}
	}
}

func TestSomebodyElsesAcknowledgementWinsOverAPendingOne(t *testing.T) {
	a := &Alert{ID: 1, Topic: TopicProblem, Status: Firing}
	if _, err := a.RequestAck("alice", "mine", false, t0); err != nil {
		t.Fatal(err)
	}
	if _, ok := a.ConfirmAck("Bob", "in the core", t0); !ok || a.Ack.By != "Bob" || a.Ack.Comment != "in the core" {
		t.Errorf("got %+v", a.Ack)
	}
}

func TestOurOwnAcknowledgementComingBackKeepsWhatThePersonWrote(t *testing.T) {
	a := &Alert{ID: 1, Topic: TopicProblem, Status: Firing}
	if _, err := a.RequestAck("o'brien", `ticket "42" & more`, false, t0); err != nil {
		t.Fatal(err)
	}
	// Nagios strips quotes and ampersands from macros.
	if _, ok := a.ConfirmAck("obrien", "ticket 42  more", t0); !ok || a.Ack.Comment != `ticket "42" & more` || a.Ack.By != "o'brien" {
		t.Errorf("got %+v", a.Ack)
	}
}

// Macros are often empty: a notification without an author does not take an
// acknowledgement away from whoever is known to have made it.
func TestANotificationWithoutAuthorConfirmsWhoeverIsKnown(t *testing.T) {
	for _, phase := range []AckPhase{AckPending, AckSet, AckRemoving} {
		d := &desktop{open: map[Topic]*Alert{}}
		d.apply(t0, problem("7"))
		a := d.open[TopicProblem]
		a.Ack = Ack{Phase: phase, By: "alice", Comment: "on it", Generation: 1}
		d.apply(t0, Report{Kind: ReportAck, Object: disk, State: "CRITICAL", Severity: SeverityCritical, ProblemID: "7", Comment: "x"})
		want := AckSet
		if phase == AckRemoving {
			want = AckRemoving
		}
		if a.Ack.By != "alice" || a.Ack.Comment != "on it" || a.Ack.Phase != want {
			t.Errorf("%s: got %+v", phase, a.Ack)
		}
	}
	d := &desktop{open: map[Topic]*Alert{}}
	d.apply(t0, problem("7"), Report{Kind: ReportAck, Object: disk, State: "CRITICAL", Severity: SeverityCritical, ProblemID: "7"})
	if a := d.open[TopicProblem]; a.Ack.By != "somebody" || a.Ack.Phase != AckSet {
		t.Errorf("got %+v", a.Ack)
	}
}

// The notification of an acknowledgement that waited in a spool says nothing
// once the acknowledgement was removed.
func TestANotificationFromBeforeTheRemovalAcknowledgesNothing(t *testing.T) {
	d := &desktop{open: map[Topic]*Alert{}}
	ack := func(at time.Time) Report {
		return Report{Kind: ReportAck, Object: disk, State: "CRITICAL", Severity: SeverityCritical, ProblemID: "7", Author: "alice", At: at}
	}
	removed := t0.Add(10 * time.Minute)
	d.apply(removed, problem("7"), ack(t0))
	a := d.open[TopicProblem]
	if _, ok := a.ConfirmUnack("bob", removed); !ok {
		t.Fatalf("got %+v", a.Ack)
	}
	d.apply(removed.Add(time.Minute), ack(t0))
	if a.Ack.Phase != AckNone {
		t.Errorf("an old notification acknowledged it: %+v", a.Ack)
	}
	d.apply(removed.Add(time.Minute), ack(removed.Add(-time.Second)))
	if a.Ack.Phase != AckSet {
		t.Errorf("a new one by a clock that is behind did not: %+v", a.Ack)
	}
}

func TestNothingToAcknowledge(t *testing.T) {
	over := &Alert{Topic: TopicProblem, Status: Resolved}
	if _, err := over.RequestAck("alice", "", false, t0); !errors.Is(err, ErrResolved) {
		t.Errorf("got %v", err)
	}
	notice := &Alert{Topic: TopicDowntime, Status: Firing}
	if _, err := notice.RequestAck("alice", "", false, t0); !errors.Is(err, ErrNotProblem) {
		t.Errorf("got %v", err)
	}
}

func TestRecoveryEndsAPendingAcknowledgement(t *testing.T) {
	d := &desktop{open: map[Topic]*Alert{}}
	d.apply(t0, problem("7"))
	a := d.open[TopicProblem]
	if _, err := a.RequestAck("alice", "", false, t0); err != nil {
		t.Fatal(err)
	}
	d.apply(t0, recovery("7"))
	if a.Ack.Phase != AckNone || a.Status != Resolved {
		t.Errorf("got %s, %+v", a.Status, a.Ack)
	}
}
