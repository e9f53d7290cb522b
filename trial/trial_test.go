// SPDX-License-Identifier: Apache-2.0

package trial_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/clock"
	"belfry/config"
	"belfry/fault"
	"belfry/seal"
	"belfry/store"
	"belfry/store/opentest"
	"belfry/trial"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// responder gives every press to the trials of one node.
type responder struct{ trials *trial.Trials }

func (r responder) Press(ctx context.Context, p chat.Press) chat.Answer {
	answer, ok := r.trials.Press(ctx, p)
	if !ok {
		return chat.Answer{Whisper: "not a trial"}
	}
	return answer
}

func (responder) Submit(context.Context, chat.Submit) chat.Answer { return chat.Answer{} }

// scene is a Mattermost, and two nodes on one database: one runs trials, the
// other may be the one that Mattermost calls.
type scene struct {
	t      *testing.T
	mm     *mattermosttest.Server
	room   *mattermosttest.Room
	store  *store.Store
	here   *trial.Trials
	target trial.Target
	stages chan trial.Event
	done   chan error
}

func open(t *testing.T, elsewhere bool) *scene {
	t.Helper()
	s := &scene{t: t, mm: mattermosttest.Start(t), stages: make(chan trial.Event, 10), done: make(chan error, 1)}
	s.mm.AddChannel("ops")
	s.room = s.mm.Room("ops")
	s.store = opentest.Open(t, store.Options{Clock: clock.System{}})
	sealer, err := seal.New([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	s.here = trial.New(sealer, s.store, clock.System{})
	called := s.here
	if elsewhere {
		called = trial.New(sealer, s.store, clock.System{})
	}
	server := httptest.NewUnstartedServer(nil)
	c := &mattermost.Config{URL: s.mm.URL(), Token: config.Secret(s.mm.Token()), Team: mattermosttest.Team}
	p, err := c.Open(mattermost.Options{Name: "chat", CallbackURL: "http://" + server.Listener.Addr().String() + "/chat/chat"})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p.Handler(responder{called})
	server.Start()
	t.Cleanup(func() { _ = p.Close(context.Background()); server.Close() })
	s.target = trial.Target{Connection: "chat", Channel: "ops", Platform: p}
	return s
}

func (s *scene) run(ctx context.Context, wait time.Duration) {
	go func() {
		s.done <- s.here.Run(ctx, s.target, "root", wait, func(e trial.Event) { s.stages <- e })
	}()
}

func (s *scene) stage(want trial.Stage) trial.Event {
	s.t.Helper()
	select {
	case e := <-s.stages:
		if e.Stage != want || e.Took < 0 {
			s.t.Fatalf("got %+v, want %s", e, want)
		}
		return e
	case err := <-s.done:
		s.t.Fatalf("it ended instead of being %s: %v", want, err)
	case <-time.After(20 * time.Second):
		s.t.Fatalf("never %s", want)
	}
	return trial.Event{}
}

func (s *scene) ended(want error) {
	s.t.Helper()
	if err := <-s.done; !errors.Is(err, want) {
		s.t.Errorf("ended with %v, want %v", err, want)
	}
}

func TestACardIsPostedPressedAndEdited(t *testing.T) {
	for _, elsewhere := range []bool{false, true} {
		s := open(t, elsewhere)
		s.run(t.Context(), time.Minute)
		s.stage(trial.Posted)
		card := s.room.WaitCard("Belfry posted this for root")
		if out := card.Click("Acknowledge"); out.Whisper != "" || out.Failed != "" {
			t.Errorf("the press was answered with %+v", out)
		}
		if e := s.stage(trial.Pressed); e.By != "alice" {
			t.Errorf("pressed by %q", e.By)
		}
		s.stage(trial.Updated)
		s.ended(nil)
		card.WaitText("Acknowledged by alice").WaitText("works in both directions").WaitButtons()
		if n := s.mm.PostsIn("ops"); n != 1 {
			t.Errorf("%d posts", n)
		}
	}
}

func TestOnlyTheFirstPressCounts(t *testing.T) {
	s := open(t, false)
	s.run(t.Context(), time.Minute)
	s.stage(trial.Posted)
	card := s.room.WaitCard("Belfry posted this")
	token := buttonToken(t, card)
	s.mm.Slow(20 * time.Millisecond)
	card.ClickAs("alice", "Acknowledge")
	s.stage(trial.Pressed)
	second := s.here
	if a, ok := second.Press(t.Context(), press("chat", token, card)); !ok || !strings.Contains(a.Whisper, "over") {
		t.Errorf("the second press: %v %+v", ok, a)
	}
	s.stage(trial.Updated)
	s.ended(nil)
	card.WaitText("Acknowledged by alice")
}

func press(connection, token string, c *mattermosttest.Card) chat.Press {
	p := c.Post()
	return chat.Press{Actor: chat.Actor{Connection: connection, ID: "x", Name: "mallory"}, Token: token, Ref: chat.Ref{Channel: p.ChannelID, Post: p.ID}}
}

// buttonToken reads what only the server knows of a button.
func buttonToken(t *testing.T, c *mattermosttest.Card) string {
	t.Helper()
	_, rest, ok := strings.Cut(string(c.Post().Props), `"belfry":"`)
	token, _, ok2 := strings.Cut(rest, `"`)
	if !ok || !ok2 {
		t.Fatalf("no token in %s", c.Post().Props)
	}
	return token
}

func TestAPressFromElsewhereDoesNothing(t *testing.T) {
	s := open(t, false)
	s.run(t.Context(), time.Minute)
	s.stage(trial.Posted)
	card := s.room.WaitCard("Belfry posted this")
	token := buttonToken(t, card)
	moved := press("chat", token, card)
	moved.Ref.Post = "another"
	for name, p := range map[string]chat.Press{"another connection": press("other", token, card), "another message": moved} {
		if a, ok := s.here.Press(t.Context(), p); !ok || a.Whisper == "" {
			t.Errorf("%s: taken: %v %+v", name, ok, a)
		}
	}
	if _, ok := s.here.Press(t.Context(), press("chat", token[:len(token)-1], card)); ok {
		t.Error("a changed token was taken for a trial's")
	}
	if card.Shows("Acknowledged") {
		t.Error("a forged press changed the card")
	}
	card.Click("Acknowledge")
	s.stage(trial.Pressed)
	s.stage(trial.Updated)
	s.ended(nil)
}

func TestNobodyPressing(t *testing.T) {
	s := open(t, false)
	s.run(t.Context(), 30*time.Millisecond)
	s.stage(trial.Posted)
	s.ended(trial.ErrNobody)
	s.room.Card("Nobody pressed the button within 30ms").WaitButtons()
}

func TestWhoWaitsGoesAway(t *testing.T) {
	s := open(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	s.run(ctx, time.Minute)
	s.stage(trial.Posted)
	cancel()
	s.ended(context.Canceled)
	s.room.Card("Nobody waits for this test any more").WaitButtons()
}

func TestAPostWhoseAnswerIsLostIsFound(t *testing.T) {
	s := open(t, false)
	s.mm.TimeoutAfterAccepting(1)
	s.run(t.Context(), time.Minute)
	s.stage(trial.Posted)
	s.room.WaitCard("Belfry posted this").Click("Acknowledge")
	s.stage(trial.Pressed)
	s.stage(trial.Updated)
	s.ended(nil)
	if n := s.mm.PostsIn("ops"); n != 1 {
		t.Errorf("%d posts", n)
	}
}

func TestAnEditOfUnknownOutcomeIsMadeAgain(t *testing.T) {
	s := open(t, false)
	s.run(t.Context(), time.Minute)
	s.stage(trial.Posted)
	card := s.room.WaitCard("Belfry posted this")
	s.mm.Fail5xxBefore(1)
	card.Click("Acknowledge")
	s.stage(trial.Pressed)
	s.stage(trial.Updated)
	s.ended(nil)
	card.WaitText("Acknowledged by alice")
}

func TestAChannelThatIsNotThereIsTold(t *testing.T) {
	s := open(t, false)
	s.target.Channel = "nosuch"
	s.run(t.Context(), time.Minute)
	err := <-s.done
	if d, _ := fault.Of(err); d != fault.Permanent || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("got %v", err)
	}
}
