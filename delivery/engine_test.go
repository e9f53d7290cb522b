// SPDX-License-Identifier: Apache-2.0

package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"belfry/alert"
	"belfry/delivery"
	"belfry/fault"
	"belfry/store"
	"belfry/store/opentest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wall is what the sender writes on: a platform that remembers by key, with
// faults to order.
type wall struct {
	mu sync.Mutex
	// posts counts by key how often something was put up.
	posts map[string]int
	// shown is the newest revision by alert, said the notes by alert in order.
	shown map[alert.ID]int64
	said  map[alert.ID][]alert.ID
	order []alert.ID
	// faults are used up one by one, by whoever comes.
	faults []string
	asked  int
	store  *store.Store
	hold   chan struct{}
}

func newWall(s *store.Store) *wall {
	return &wall{posts: map[string]int{}, shown: map[alert.ID]int64{}, said: map[alert.ID][]alert.ID{}, store: s}
}

func (w *wall) fault() string {
	if len(w.faults) == 0 {
		return ""
	}
	f := w.faults[0]
	w.faults = w.faults[1:]
	return f
}

var errWall = errors.New("the wall is wet")

// Send implements delivery.Sender the way a real sender has to.
func (w *wall) Send(ctx context.Context, e delivery.Errand) delivery.Outcome {
	if w.hold != nil {
		select {
		case <-w.hold:
		case <-ctx.Done():
			return delivery.Outcome{Err: fault.NewUnknown(ctx.Err())}
		}
	}
	a, err := w.store.Alert(ctx, e.AlertID)
	if err != nil {
		return delivery.Outcome{Err: fault.NewRetry(err)}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	posted := e.Receipt != ""
	if !posted && !e.UnknownSince.IsZero() {
		w.asked++
		posted = w.posts[e.Key] > 0
	}
	out := delivery.Outcome{Receipt: "wall " + e.Key}
	found := delivery.Outcome{}
	if posted {
		found = out
	}
	f := w.fault()
	switch f {
	case "retry":
		found.Err = fault.NewRetry(errWall)
		return found
	case "busy":
		found.Err = fault.NewRetryAfter(errWall, 5*time.Millisecond)
		return found
	case "deaf": // asking fails: what was unknown stays unknown
		return delivery.Outcome{Err: fault.NewRetry(errWall), Unknown: !e.UnknownSince.IsZero()}
	case "lost":
		found.Err = fault.NewUnknown(errWall)
		return found
	}
	switch {
	case e.Kind == store.DutyNote && !posted:
		w.posts[e.Key]++
		w.said[e.AlertID] = append(w.said[e.AlertID], e.EventID)
		out.Reached = 1
	case e.Kind == store.DutyNote:
		out.Reached = 1
	case !posted:
		w.posts[e.Key]++
		w.order = append(w.order, e.AlertID)
		w.shown[e.AlertID], out.Reached = a.Revision, a.Revision
	default:
		w.shown[e.AlertID], out.Reached = a.Revision, a.Revision
	}
	if f == "accepted" {
		return delivery.Outcome{Err: fault.NewUnknown(errWall)}
	}
	return out
}

func openStore(t testing.TB) *store.Store {
	t.Helper()
	return opentest.Open(t, store.Options{})
}

// run starts an engine over one sender for all destinations.
func run(t testing.TB, s *store.Store, sender delivery.Sender) (stop func()) {
	t.Helper()
	return runObserved(t, s, sender, nil)
}

// runObserved is run for who wants to see each attempt that ended.
func runObserved(t testing.TB, s *store.Store, sender delivery.Sender, observe func(store.Duty, delivery.Result)) (stop func()) {
	t.Helper()
	e := delivery.New(s, delivery.Options{
		Observe: observe,
		Senders: func(string) (delivery.Sender, bool) { return sender, true },
		Poll:    50 * time.Millisecond, Linger: 50 * time.Millisecond,
		Backoff: func(store.DutyKind, int) time.Duration { return time.Millisecond },
	})
	s.SetOnDue(e.Wake)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { e.Run(ctx); close(done) }()
	var once sync.Once
	stop = func() { once.Do(func() { s.SetOnDue(nil); cancel(); <-done }) }
	t.Cleanup(stop)
	return stop
}

// fire makes a new alert with a card at the destination.
func fire(t testing.TB, s *store.Store, host, destination string, severity alert.Severity) alert.ID {
	t.Helper()
	var made *alert.Alert
	object := alert.Object{Kind: alert.KindHost, Host: host}
	change(t, s, store.Change{Source: "test", Fingerprint: object.Fingerprint(), Apply: func(v store.View) ([]store.Effect, error) {
		out := alert.Apply("test", nil, nil, alert.Report{Kind: alert.ReportProblem, Object: object, State: "DOWN", Severity: severity}, time.Now())
		made = out.Alerts[0]
		return []store.Effect{{Alert: made, Events: out.Events[0], NewCards: []string{destination}, Priority: int(severity)}}, nil
	}})
	return made.ID
}

// say changes an alert in a way that its card shows and its thread says.
func say(t testing.TB, s *store.Store, id alert.ID, destination string) {
	t.Helper()
	change(t, s, store.Change{ID: id, Apply: func(v store.View) ([]store.Effect, error) {
		a := v.Alert.Clone()
		a.Revision++
		return []store.Effect{{Alert: a, Events: []alert.Event{{AlertID: id, At: time.Now(), Kind: alert.EventCustom}},
			Stale: true, Notes: []string{destination}, Priority: int(a.Severity)}}, nil
	}})
}

func change(t testing.TB, s *store.Store, c store.Change) {
	t.Helper()
	errs, err := s.Change(context.Background(), c)
	if err = errors.Join(append(errs, err)...); err != nil {
		t.Fatal(err)
	}
}

func settled(t testing.TB, s *store.Store) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		due, err := s.Due(context.Background(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if len(due) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still due: %+v", due)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// TestEverythingArrivesOnceWhateverFails drives random histories over several
// channels with random faults: in the end every card shows the newest state,
// was posted once, and every note was said once, in order, below it.
func TestEverythingArrivesOnceWhateverFails(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := openStore(t)
		w := newWall(s)
		w.faults = rapid.SliceOfN(rapid.SampledFrom([]string{"", "retry", "busy", "lost", "accepted", "deaf"}), 0, 40).Draw(r, "faults")
		stop := run(t, s, w)
		type card struct {
			id          alert.ID
			destination string
		}
		var cards []card
		notes := map[alert.ID]int{}
		for i := range rapid.IntRange(1, 25).Draw(r, "steps") {
			if len(cards) == 0 || rapid.Bool().Draw(r, "new") {
				d := fmt.Sprintf("chat/room%d", rapid.IntRange(1, 3).Draw(r, "channel"))
				sev := alert.Severity(rapid.IntRange(0, 4).Draw(r, "severity"))
				cards = append(cards, card{fire(t, s, fmt.Sprint("host", i), d, sev), d})
				continue
			}
			c := rapid.SampledFrom(cards).Draw(r, "card")
			say(t, s, c.id, c.destination)
			notes[c.id]++
		}
		settled(t, s)
		stop()
		for _, c := range cards {
			a, err := s.Alert(context.Background(), c.id)
			if err != nil {
				r.Fatal(err)
			}
			if w.shown[c.id] != a.Revision {
				r.Errorf("the card shows revision %d, the alert has %d", w.shown[c.id], a.Revision)
			}
			if !slices.IsSorted(w.said[c.id]) || len(w.said[c.id]) != notes[c.id] {
				r.Errorf("notes said: %v, wanted %d in order", w.said[c.id], notes[c.id])
			}
		}
		for key, n := range w.posts {
			if n != 1 {
				r.Errorf("%s was posted %d times", key, n)
			}
		}
		if err := s.Close(); err != nil {
			r.Fatal(err)
		}
	})
}

func TestTenChangesDuringAnOutageAreOneEdit(t *testing.T) {
	s := openStore(t)
	w := newWall(s)
	id := fire(t, s, "web01", "chat/ops", alert.SeverityWarning)
	stop := run(t, s, w)
	settled(t, s)
	stop()
	for range 10 {
		change(t, s, store.Change{ID: id, Apply: func(v store.View) ([]store.Effect, error) {
			a := v.Alert.Clone()
			a.Revision++
			return []store.Effect{{Alert: a, Stale: true}}, nil
		}})
	}
	sent := &counting{Sender: w}
	run(t, s, sent)
	settled(t, s)
	if sent.n != 1 || w.shown[id] != 11 {
		t.Errorf("%d edits, revision %d shown; want 1 and 11", sent.n, w.shown[id])
	}
}

type counting struct {
	delivery.Sender
	mu sync.Mutex
	n  int
}

func (c *counting) Send(ctx context.Context, e delivery.Errand) delivery.Outcome {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
	return c.Sender.Send(ctx, e)
}

func TestCriticalGoesFirst(t *testing.T) {
	s := openStore(t)
	w := newWall(s)
	low := fire(t, s, "a", "chat/ops", alert.SeverityInfo)
	mid := fire(t, s, "b", "chat/ops", alert.SeverityWarning)
	top := fire(t, s, "c", "chat/ops", alert.SeverityCritical)
	run(t, s, w)
	settled(t, s)
	if want := []alert.ID{top, mid, low}; !slices.Equal(w.order, want) {
		t.Errorf("went in the order %v, want %v", w.order, want)
	}
}

func TestACardThatCanNotBeDeliveredDoesNotBlockItsChannel(t *testing.T) {
	s := openStore(t)
	w := newWall(s)
	bad := fire(t, s, "bad", "chat/ops", alert.SeverityCritical)
	say(t, s, bad, "chat/ops")
	good := fire(t, s, "good", "chat/ops", alert.SeverityWarning)
	run(t, s, refusing{w, bad})
	waitFor(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.shown[good] > 0 })
	var dead []store.Duty
	var err error
	waitFor(t, func() bool { dead, err = s.DeadDuties(context.Background(), 10); return len(dead) > 0 })
	if err != nil || len(dead) != 1 || dead[0].AlertID != bad || dead[0].LastError != errWall.Error() {
		t.Errorf("dead letters: %+v, %v", dead, err)
	}
	if len(w.said[bad]) != 0 {
		t.Error("a note was said below a card that is not there")
	}
}

func TestADeadLetterCanBeSentAgain(t *testing.T) {
	s := openStore(t)
	w := newWall(s)
	bad := fire(t, s, "bad", "chat/ops", alert.SeverityCritical)
	say(t, s, bad, "chat/ops")
	stop := run(t, s, refusing{w, bad})
	var dead []store.Duty
	waitFor(t, func() bool { dead, _ = s.DeadDuties(context.Background(), 10); return len(dead) == 1 })
	stop()
	if err := s.Resend(context.Background(), dead[0].ID); err != nil {
		t.Fatal(err)
	}
	run(t, s, w)
	settled(t, s)
	if w.shown[bad] != 2 || len(w.said[bad]) != 1 {
		t.Errorf("revision %d shown, %d notes said; want 2 and 1", w.shown[bad], len(w.said[bad]))
	}
}

type refusing struct {
	*wall
	who alert.ID
}

func (r refusing) Send(ctx context.Context, e delivery.Errand) delivery.Outcome {
	if e.AlertID == r.who {
		return delivery.Outcome{Err: fault.NewPermanent(errWall)}
	}
	return r.wall.Send(ctx, e)
}

func TestStoppingFinishesWhatIsOnItsWayAndHandsTheRestBack(t *testing.T) {
	s := openStore(t)
	w := newWall(s)
	w.hold = make(chan struct{})
	var ids []alert.ID
	for i := range 5 {
		ids = append(ids, fire(t, s, fmt.Sprint("h", i), "chat/ops", alert.SeverityWarning))
	}
	sent := &counting{Sender: w}
	stop := run(t, s, sent)
	waitFor(t, func() bool { sent.mu.Lock(); defer sent.mu.Unlock(); return sent.n == 1 })
	go func() { time.Sleep(20 * time.Millisecond); close(w.hold) }()
	stop()
	if len(w.shown) != 1 {
		t.Fatalf("%d were sent, want the one that was on its way", len(w.shown))
	}
	run(t, s, w)
	settled(t, s)
	if w.asked != 0 || len(w.posts) != len(ids) {
		t.Errorf("asked %d times, %d posts; what was handed back needs no asking", w.asked, len(w.posts))
	}
}

func TestAnEngineThatDiedAsksBeforeItRepeats(t *testing.T) {
	s := openStore(t)
	w := newWall(s)
	id := fire(t, s, "web01", "chat/ops", alert.SeverityWarning)
	// A life that claims, sends, and dies before it records anything.
	claim, err := s.Claim(context.Background(), "chat/ops", 10)
	if err != nil || len(claim.Duties) != 1 {
		t.Fatalf("%+v, %v", claim, err)
	}
	if out := w.Send(context.Background(), delivery.Errand{Duty: claim.Duties[0]}); out.Err != nil {
		t.Fatal(out.Err)
	}
	run(t, s, w)
	settled(t, s)
	if got := slices.Collect(maps.Values(w.posts)); w.asked != 1 || len(got) != 1 || got[0] != 1 || w.shown[id] != 1 {
		t.Errorf("asked %d times, posts %v", w.asked, w.posts)
	}
}

func waitFor(t testing.TB, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}
