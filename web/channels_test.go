// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"belfry/trial"
	"belfry/web"
)

// tester is a channel whose tests end when they are told to.
type tester struct {
	by  chan string
	end chan error
}

func (*tester) TestChannels() []string { return []string{"chat/ops", "room/alerts"} }

func (s *tester) Test(ctx context.Context, channel, by string, _ time.Duration, tell func(trial.Event)) error {
	tell(trial.Event{Stage: trial.Posted, Took: 5 * time.Millisecond})
	s.by <- by + " " + channel
	select {
	case err := <-s.end:
		if err == nil {
			tell(trial.Event{Stage: trial.Pressed, Took: time.Second, By: "alice"})
			tell(trial.Event{Stage: trial.Updated, Took: 3 * time.Millisecond, By: "alice"})
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func withTester(t *testing.T) (*site, *tester) {
	c := &tester{by: make(chan string, 1), end: make(chan error)}
	return open(t, func(o *web.Options) { o.Tester = c }), c
}

// refreshes has a page load itself again.
const refreshes = `http-equiv="refresh"`

// shows waits until the page of channels shows a text.
func (b *browser) shows(text string) page {
	b.t.Helper()
	return b.comes(text, true)
}

// rests waits until the page of channels shows a text and follows nothing more.
func (b *browser) rests(text string) page {
	b.t.Helper()
	return b.comes(text, false)
}

func (b *browser) comes(text string, moving bool) page {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		p := b.get("/channels")
		if strings.Contains(p.text(), text) && (moving || !strings.Contains(p.body, refreshes)) {
			return p
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%q never stood on the page, or the page went on loading itself:\n%s", text, p.body)
		}
	}
}

func TestAnAdministratorTestsAChannel(t *testing.T) {
	for _, c := range []struct {
		err  error
		text string
	}{
		{nil, "alice pressed after 1s, and the card was edited 3ms later: it works in both directions"},
		{trial.ErrNobody, "nobody pressed within 5m0s"},
		{errors.New("there is no channel <b>ops</b>"), "failed: there is no channel <b>ops</b>"},
	} {
		s, at := withTester(t)
		root := s.setUp("root")
		root.get("/channels").want(t, 200, "Test chat/ops", "Test room/alerts")
		root.post("/channels/test", "channel", "chat/ops").leadsTo(t, "/channels")
		if got := <-at.by; got != "root chat/ops" {
			t.Errorf("tested as %q", got)
		}
		p := root.shows("posted in 5ms: press Acknowledge")
		if !strings.Contains(p.body, refreshes) {
			t.Error("the page does not follow the test")
		}
		root.post("/channels/test", "channel", "chat/ops").leadsTo(t, "/channels") // a second one does not begin
		at.end <- c.err
		if p := root.rests(c.text); strings.Contains(p.body, "<b>ops") {
			t.Errorf("after the test: %s", p.body)
		}
	}
}

func TestOnlyAdministratorsTest(t *testing.T) {
	s, at := withTester(t)
	member := s.letIn(s.setUp("root"), "bob")
	member.get("/channels").want(t, 403)
	member.post("/channels/test", "channel", "chat/ops").want(t, 403)
	s.browser().post("/channels/test", "channel", "chat/ops").leadsTo(t, "/signin")
	select {
	case by := <-at.by:
		t.Errorf("%s tested", by)
	default:
	}
}

func TestAChannelThatIsNotConfiguredIsNotTested(t *testing.T) {
	s, _ := withTester(t)
	root := s.setUp("root")
	root.post("/channels/test", "channel", "chat/secret").want(t, 404, "no such channel")
	s2 := open(t, nil)
	admin := s2.setUp("root")
	admin.get("/channels").want(t, 200, "names no channels")
	admin.post("/channels/test", "channel", "chat/ops").want(t, 404)
}

func TestATestEndsWithThePages(t *testing.T) {
	s, at := withTester(t)
	root := s.setUp("root")
	root.post("/channels/test", "channel", "chat/ops").leadsTo(t, "/channels")
	<-at.by // and the site's end must not wait for it, nor leave it behind (goleak)
}
