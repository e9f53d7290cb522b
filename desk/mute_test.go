// SPDX-License-Identifier: Apache-2.0

package desk_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"belfry/alert"
	"belfry/desk"
	"belfry/store"
)

// keep runs KeepMutes until the test ends.
func (o *office) keep() {
	o.t.Helper()
	if err := o.LoadMutes(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(o.t.Context())
	var wait sync.WaitGroup
	wait.Go(func() { o.KeepMutes(ctx, slog.New(slog.DiscardHandler)) })
	o.t.Cleanup(func() { cancel(); wait.Wait() })
}

// soon waits until these duties are due; the clock is turned on in small
// steps meanwhile.
func (o *office) soon(want ...string) {
	o.t.Helper()
	slices.Sort(want)
	var got []string
	for range 2000 {
		got = append(got, o.due()...)
		slices.Sort(got)
		if len(got) >= len(want) {
			break
		}
		o.clock.Advance(time.Millisecond)
		time.Sleep(time.Millisecond)
	}
	if !slices.Equal(got, want) {
		o.t.Errorf("due: %q, want %q", got, want)
	}
}

func (o *office) mute(matchers string, lasts time.Duration) store.Mute {
	o.t.Helper()
	m, err := o.Mute(o.t.Context(), "alice", matchers, lasts, "moving house")
	if err != nil {
		o.t.Fatal(err)
	}
	return m
}

func hostDown(host string) alert.Report {
	return alert.Report{Kind: alert.ReportProblem, Object: alert.Object{Kind: alert.KindHost, Host: host}, State: "DOWN", Severity: alert.SeverityWarning, ProblemID: host}
}

func recovered(r alert.Report) alert.Report {
	r.Kind, r.State, r.Severity = alert.ReportRecovery, "UP", alert.SeverityOK
	return r
}

func TestMutedAlertsAreRecordedAndGetTheirCardsWhenItEnds(t *testing.T) {
	o := newOffice(t)
	o.keep()
	m := o.mute(`host="web01"`, time.Hour)
	over := hostDown("web01")
	o.take(critical(), over, hostDown("db01"))
	o.take(recovered(over))
	o.soon("chat/ops card") // db01's
	if n := len(o.alerts()); n != 3 {
		t.Errorf("%d alerts are recorded", n)
	}
	if list, err := o.Mutes(t.Context()); err != nil || len(list) != 1 || list[0] != m || m.Number != 1 || m.By != "alice" {
		t.Errorf("mutes: %+v, %v", list, err)
	}
	o.clock.Advance(time.Hour - time.Minute)
	time.Sleep(5 * time.Millisecond)
	if due := o.due(); len(due) != 0 {
		t.Errorf("before its end: %q", due)
	}
	o.clock.Advance(time.Minute)
	// What recovered meanwhile stays where nobody was rung for it.
	o.soon("chat/dba card", "chat/ops card")
	o.clock.Advance(time.Minute)
	time.Sleep(5 * time.Millisecond)
	if due := o.due(); len(due) != 0 {
		t.Errorf("a second time: %q", due)
	}
}

func TestAMuteOutlivesARestart(t *testing.T) {
	o := newOffice(t)
	if err := o.LoadMutes(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.mute(`severity=~"warn.*"`, time.Hour)
	o.take(hostDown("web01"))
	o.Desk = desk.New(o.store, signs{}, func(string, desk.Ability) bool { return false }, o.clock)
	if err := o.LoadMutes(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.take(hostDown("web02"))
	if due := o.due(); len(due) != 0 {
		t.Errorf("due: %q", due)
	}
	// Another process was down when it ended.
	o.clock.Advance(2 * time.Hour)
	o.Desk = desk.New(o.store, signs{}, func(string, desk.Ability) bool { return false }, o.clock)
	o.keep()
	o.soon("chat/ops card", "chat/ops card")
	settled := func() bool {
		left, err := o.store.Mutes(t.Context())
		return err == nil && len(left) == 0
	}
	for range 1000 {
		if settled() {
			break
		}
		o.clock.Advance(time.Second)
		time.Sleep(time.Millisecond)
	}
	if !settled() {
		t.Error("the mute is never settled")
	}
}

func TestUnmutingBringsTheCardsAtOnce(t *testing.T) {
	o := newOffice(t)
	o.keep()
	first := o.mute(`host="web01"`, 24*time.Hour)
	second := o.mute(`kind="host", host=~"web.*"`, 24*time.Hour)
	o.take(critical(), hostDown("web01"))
	if m, err := o.Unmute(t.Context(), "bob", first.Number); err != nil || m.EndedBy != "bob" {
		t.Errorf("%+v, %v", m, err)
	}
	o.soon("chat/dba card", "chat/ops card") // the other is still held back by the second
	if _, err := o.Unmute(t.Context(), "bob", first.Number); !errors.Is(err, desk.ErrNoMute) {
		t.Errorf("again: %v", err)
	}
	if _, err := o.Unmute(t.Context(), "bob", second.Number); err != nil {
		t.Error(err)
	}
	o.soon("chat/ops card")
}

func TestACardThatIsThereLivesOnUnderAMute(t *testing.T) {
	o := newOffice(t)
	o.keep()
	r := hostDown("web01")
	o.take(r)
	o.soon("chat/ops card")
	o.mute(`host="web01"`, time.Hour)
	o.take(recovered(r))
	o.soon("chat/ops card", "chat/ops note")
}

func TestManyAlertsComeBackFromAMute(t *testing.T) {
	o := newOffice(t)
	o.keep()
	o.mute(`host=~"h.*"`, time.Minute)
	var reports []alert.Report
	var want []string
	for i := range 450 {
		reports = append(reports, hostDown(fmt.Sprint("h", i)))
		want = append(want, "chat/ops card")
	}
	o.take(reports...)
	o.clock.Advance(time.Minute)
	o.soon(want...)
}

func TestMutesThatAreRefused(t *testing.T) {
	o := newOffice(t)
	for matchers, want := range map[string]error{"": desk.ErrMuteAll, `host=~".*"`: desk.ErrMuteAll, `host!="x"`: desk.ErrMuteAll, `{}`: desk.ErrMuteAll} {
		if _, err := o.Mute(t.Context(), "a", matchers, time.Hour, ""); !errors.Is(err, want) {
			t.Errorf("%q: %v", matchers, err)
		}
	}
	for _, lasts := range []time.Duration{0, -time.Hour, time.Second, desk.MaxMute + 1} {
		if _, err := o.Mute(t.Context(), "a", `host="x"`, lasts, ""); !errors.Is(err, desk.ErrMuteTime) {
			t.Errorf("%v: %v", lasts, err)
		}
	}
	if _, err := o.Mute(t.Context(), "a", `host=`, time.Hour, ""); err == nil {
		t.Error("half a matcher was taken")
	}
	if list, err := o.store.Mutes(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("stored: %v, %v", list, err)
	}
}
