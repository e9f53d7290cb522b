// SPDX-License-Identifier: Apache-2.0

package farewell_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/clock"
	"belfry/config"
	"belfry/farewell"
	"belfry/message"
	"belfry/store"
)

// TestItsCountsAreWhatPeopleSee: of seven cards five were posted; somebody deleted one
// of them, one is of an alert that is over, and the answer to one was lost.
// What waited is told apart from what was marked.
func TestItsCountsAreWhatPeopleSee(t *testing.T) {
	m := mattermosttest.Start(t)
	m.AddChannel("ops")
	p, err := (&mattermost.Config{URL: m.URL(), Token: config.Secret(m.Token()), Team: mattermosttest.Team}).Open(mattermost.Options{Name: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(t.Context()) })
	now := clock.NewManual(time.Now())
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "belfry.db"), store.Options{Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	report := func(host string) (d store.Duty, fence int64) {
		t.Helper()
		a := &alert.Alert{Source: "nagios", Topic: alert.TopicProblem, Status: alert.Firing, Revision: 1, Object: alert.Object{Kind: alert.KindHost, Host: host}, StartsAt: now.Now(), UpdatedAt: now.Now()}
		a.Fingerprint = a.Object.Fingerprint()
		if _, err := s.Change(t.Context(), store.Change{Source: a.Source, Fingerprint: a.Fingerprint, Apply: func(store.View) ([]store.Effect, error) {
			return []store.Effect{{Alert: a, NewCards: []string{"chat/ops"}}}, nil
		}}); err != nil {
			t.Fatal(err)
		}
		c, err := s.Claim(t.Context(), "chat/ops", 10)
		if err != nil || len(c.Duties) != 1 {
			t.Fatalf("%+v, %v", c, err)
		}
		return c.Duties[0], c.Fence
	}
	settle := func(fence int64, r store.Settlement) {
		t.Helper()
		if lost, err := s.Settle(t.Context(), "chat/ops", fence, []store.Settlement{r}); err != nil || lost {
			t.Fatal(lost, err)
		}
	}
	post := func(host string) (ref chat.Ref, d store.Duty, fence int64) {
		t.Helper()
		d, fence = report(host)
		ref, err := p.Post(t.Context(), chat.Post{Channel: "ops", Key: d.Key, Message: chat.Message{Title: host, Summary: host}})
		if err != nil {
			t.Fatal(err)
		}
		return ref, d, fence
	}
	posted := func(host string) (chat.Ref, store.Duty) {
		t.Helper()
		ref, d, fence := post(host)
		settle(fence, store.Settlement{ID: d.ID, State: store.DutyDone, Reached: d.Wanted, Receipt: ref.Receipt()})
		return ref, d
	}
	posted("stands")
	posted("stands too")
	deleted, _ := posted("deleted")
	m.DeletePost(deleted.Post)
	_, over := posted("over")
	if _, err := s.Change(t.Context(), store.Change{ID: over.AlertID, Apply: func(v store.View) ([]store.Effect, error) {
		a := v.Alert.Clone()
		a.Status, a.EndsAt = alert.Resolved, now.Now()
		return []store.Effect{{Alert: a}}, nil
	}}); err != nil {
		t.Fatal(err)
	}
	d, fence := report("given up")
	settle(fence, store.Settlement{ID: d.ID, State: store.DutyDead, Failed: true, Err: "no"})
	d, fence = report("waits")
	settle(fence, store.Settlement{ID: d.ID, State: store.DutyDue, Failed: true, Err: "later", RetryAt: now.Now().Add(time.Hour)})
	post("its answer was lost") // and nobody settles it
	now.Advance(time.Minute)

	var did []string
	f := farewell.New(farewell.Options{Connection: "chat", Platform: p, Store: s, Clock: now, Why: "chat was disconnected", Say: func() message.Options { return message.Options{Now: now.Now()} }})
	plan, err := f.Plan(t.Context())
	if want := []string{"3 cards are marked as no longer kept, and lose their buttons",
		"1 card may stand there, because an answer was lost: it is looked for, and marked alike",
		"what waits to be delivered there, or could not be, ends with the reason"}; err != nil || !slices.Equal(plan, want) {
		t.Errorf("the plan is %q, %v", plan, err)
	}
	left, err := f.Run(t.Context(), func(what, wrong string) { did = append(did, what+wrong) })
	if want := []string{"3 cards are marked as no longer kept", "3 deliveries that waited, or could not be made, have ended"}; err != nil || left != 0 || !slices.Equal(did, want) {
		t.Errorf("it did %q, %d left, %v", did, left, err)
	}
	marked := 0
	for _, c := range m.Room("ops").Cards() {
		if strings.Contains(c.Text(), "no longer kept") {
			marked++
		}
	}
	if marked != 3 {
		t.Errorf("%d cards are marked", marked)
	}
}
