// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"context"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/slack"
)

// fast makes a listener's waits short; the clock is turned by hand.
func (d *desk) turn(t *testing.T, what string, ok func() bool) {
	t.Helper()
	soon(t, what, func() bool {
		if ok() {
			return true
		}
		d.clock.Advance(time.Second)
		return false
	})
}

// TestARenewedConnectionLosesNothing: when Slack announces that it ends a
// connection, there is a new one before the old one is gone.
func TestARenewedConnectionLosesNothing(t *testing.T) {
	for _, reason := range []string{"warning", "refresh_requested"} {
		t.Run(reason, func(t *testing.T) {
			d := openDesk(t, true)
			end := d.fake.Refresh(reason)
			d.fake.WaitSockets(4) // two old, two new, without any wait
			if out := d.card.ClickAs("alice", "Acknowledge"); out.Failed != "" {
				t.Errorf("between the connections: %+v", out)
			}
			end()
			d.fake.WaitSockets(2)
			if out := d.card.ClickAs("bob", "Acknowledge"); out.Failed != "" {
				t.Errorf("after that: %+v", out)
			}
			d.Idle()
			if n := len(d.Presses()); n != 2 {
				t.Errorf("%d presses, not two", n)
			}
		})
	}
}

// TestAnOldConnectionIsLeftAfterAWhile where Slack forgets to end it.
func TestAnOldConnectionIsLeftAfterAWhile(t *testing.T) {
	d := openDesk(t, true)
	d.fake.Refresh("warning")
	d.fake.WaitSockets(4)
	// What is taken over a new connection was taken after its greeting: it is
	// not given up as silent when the clock is turned.
	for range 2 {
		if out := d.card.ClickAs("alice", "Acknowledge"); out.Failed != "" {
			t.Errorf("over a new connection: %+v", out)
		}
	}
	d.clock.Advance(11 * time.Second)
	d.fake.WaitSockets(2)
}

func TestALostConnectionIsMadeAgain(t *testing.T) {
	d := openDesk(t, true)
	for range 3 {
		d.fake.Cut()
		d.turn(t, "two connections", func() bool { return d.fake.Sockets() == 2 })
	}
	if out := d.card.ClickAs("alice", "Acknowledge"); out.Failed != "" {
		t.Errorf("%+v", out)
	}
}

func TestSlackThatIsDownComesBack(t *testing.T) {
	d := openDesk(t, true)
	d.fake.Stop()
	d.clock.Advance(5 * time.Second)
	d.fake.Restart()
	d.turn(t, "two connections", func() bool { return d.fake.Sockets() == 2 })
}

func TestSocketModeThatIsSwitchedOff(t *testing.T) {
	d := openDesk(t, true)
	d.fake.DisableSocketMode(true)
	d.fake.Refresh("link_disabled")()
	soon(t, "no connection", func() bool { return d.fake.Sockets() == 0 })
	asked := len(d.fake.Calls("apps.connections.open"))
	d.clock.Advance(5 * time.Second)
	time.Sleep(20 * time.Millisecond)
	if n := len(d.fake.Calls("apps.connections.open")); n > asked+2 {
		t.Errorf("asked %d times within seconds although somebody has to switch it on first", n-asked)
	}
	d.fake.DisableSocketMode(false)
	d.turn(t, "two connections", func() bool { return d.fake.Sockets() == 2 })
}

// TestWhatComesTwiceIsDoneOnce: an envelope whose acknowledgement was lost is
// given to another connection.
func TestWhatComesTwiceIsDoneOnce(t *testing.T) {
	d := openDesk(t, true)
	d.fake.Twice("slash_commands", map[string]any{"command": "/belfry", "text": "ack 7", "user_id": d.fake.UserID("alice"),
		"channel_id": d.fake.Look("ops").ID, "team_id": "T0SLACKTEST", "trigger_id": "1.2.3"})
	d.expect(t, "alice: ack 7")
}

// TestListeningEndsWithItsContext and acknowledges what is worked on.
func TestListeningEndsWithItsContext(t *testing.T) {
	c := connect(t)
	o := &office{open: map[chat.Ref]bool{}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Listen(ctx, o) }()
	c.fake.WaitSockets(2)
	begun, hold := make(chan struct{}), make(chan struct{})
	o.answer = func(chat.Command) chat.Answer { close(begun); <-hold; return chat.Answer{Whisper: "in time"} }
	answered := make(chan string, 1)
	go func() {
		out := c.fake.Type("alice", "ops", "/belfry ack 7")
		if out.Answer == nil {
			answered <- out.Failed
			return
		}
		answered <- out.Answer.Text
	}()
	<-begun
	cancel()
	close(hold)
	if got := <-answered; got != "in time" {
		t.Errorf("the answer is %q", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	c.fake.WaitSockets(0)
}

func TestWithoutAnAppTokenThereIsNothingToListenTo(t *testing.T) {
	c := connect(t, func(c *slack.Config) { c.AppToken = "" })
	if err := c.Listen(t.Context(), &office{}); err != nil {
		t.Error(err)
	}
}

func TestTheNumberOfConnectionsIsConfigured(t *testing.T) {
	c := connect(t, func(c *slack.Config) { c.Sockets = 3 })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Listen(ctx, &office{}) }()
	c.fake.WaitSockets(3)
	cancel()
	<-done
}
