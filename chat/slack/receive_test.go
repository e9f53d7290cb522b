// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/seal"
)

// office is a Responder that takes everything and writes it down.
type office struct {
	chattest.Recorder

	mu       sync.Mutex
	did      []string
	open     map[chat.Ref]bool
	answer   func(chat.Command) chat.Answer
	reaction chat.Answer
	ours     func(sealed string) bool
}

func (o *office) note(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.did = append(o.did, text)
}

func (o *office) done() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.did)
}

func (o *office) Command(_ context.Context, c chat.Command) chat.Answer {
	text := c.Actor.Name + ": " + c.Text
	if c.Thread != nil {
		text += " below " + c.Thread.Post
	}
	o.note(text)
	if o.answer != nil {
		return o.answer(c)
	}
	return chat.Answer{Whisper: "heard " + c.Text}
}

func (o *office) React(_ context.Context, r chat.Reaction) chat.Answer {
	text := r.Actor.Name + " " + r.Act
	if r.Withdrawn {
		text += " (withdrawn)"
	}
	o.note(text)
	return o.reaction
}

func (o *office) IsOpen(_ context.Context, _ string, ref chat.Ref) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open[ref], nil
}

func (o *office) Open(context.Context, string, int) ([]chat.Ref, error) { return nil, nil }

func (o *office) Adopt(_ context.Context, f chat.Foreign) chat.Answer {
	o.note(f.Actor.Name + " adopts " + f.Names[0])
	return chat.Answer{}
}

func (o *office) Genuine(sealed string) bool { return o.ours == nil || o.ours(sealed) }

// desk is a connection with an office behind it and one open card.
type desk struct {
	*connection
	*office
	card *slacktest.Card
}

func openDesk(t *testing.T, overSocket bool, change ...func(*slack.Config)) *desk {
	t.Helper()
	d := &desk{connection: connect(t, change...), office: &office{open: map[chat.Ref]bool{}}}
	if overSocket {
		d.listen(t, d.office)
	} else {
		d.callAt(t, d.office)
	}
	d.card = d.postCard(t, "Disk /var on web01")
	return d
}

// postCard puts an open card up.
func (d *desk) postCard(t *testing.T, title string) *slacktest.Card {
	t.Helper()
	ref, err := d.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: chat.Message{Color: "#cc0000", Title: title, Summary: title,
		Buttons: []chat.Button{{Action: "ack", Label: "Acknowledge", Token: "token-of.ack"}}}})
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	d.open[ref] = true
	d.mu.Unlock()
	return d.fake.Room("ops").At(ref.Post)
}

// bothWays runs a test over HTTP and over Socket Mode.
func bothWays(t *testing.T, test func(t *testing.T, overSocket bool)) {
	t.Run("HTTP", func(t *testing.T) { test(t, false) })
	t.Run("Socket", func(t *testing.T) { test(t, true) })
}

const pressed = `payload=%7B%22type%22%3A%22block_actions%22%2C%22user%22%3A%7B%22id%22%3A%22USER%22%7D%2C%22team%22%3A%7B%22id%22%3A%22T0SLACKTEST%22%7D%2C%22channel%22%3A%7B%22id%22%3A%22C012345678%22%7D%2C%22container%22%3A%7B%22message_ts%22%3A%221548261231.000200%22%7D%2C%22trigger_id%22%3A%221.2.3%22%2C%22actions%22%3A%5B%7B%22type%22%3A%22button%22%2C%22value%22%3A%22token%22%7D%5D%7D`

const form = "application/x-www-form-urlencoded"

func (d *desk) pressBody() []byte {
	return []byte(strings.Replace(pressed, "USER", d.fake.UserID("alice"), 1))
}

// TestRequestsThatAreNotSlacksChangeNothing: forged, altered, late, and those
// of another app.
func TestRequestsThatAreNotSlacksChangeNothing(t *testing.T) {
	for name, c := range map[string]struct {
		request func(d *desk) *http.Request
		status  int
	}{
		"unsigned": {func(d *desk) *http.Request {
			r := d.fake.Signed(slacktest.PathInteractive, form, d.pressBody())
			r.Header.Del("X-Slack-Signature")
			return r
		}, http.StatusUnauthorized},
		"altered": {func(d *desk) *http.Request {
			r := d.fake.Signed(slacktest.PathInteractive, form, d.pressBody())
			body := strings.Replace(string(d.pressBody()), d.fake.UserID("alice"), d.fake.UserID("bob"), 1)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			return r
		}, http.StatusUnauthorized},
		"another app's": {func(d *desk) *http.Request {
			r := d.fake.Signed(slacktest.PathInteractive, form, d.pressBody())
			r.Header.Set("X-Slack-Signature", slacktest.Signature("another secret", r.Header.Get("X-Slack-Request-Timestamp"), d.pressBody()))
			return r
		}, http.StatusUnauthorized},
		"late": {func(d *desk) *http.Request {
			return d.fake.SignedAt(slacktest.PathInteractive, form, d.pressBody(), d.clock.Now().Add(-5*time.Minute-time.Second))
		}, http.StatusUnauthorized},
		"early": {func(d *desk) *http.Request {
			return d.fake.SignedAt(slacktest.PathInteractive, form, d.pressBody(), d.clock.Now().Add(5*time.Minute+time.Second))
		}, http.StatusUnauthorized},
		"too long": {func(d *desk) *http.Request {
			return d.fake.Signed(slacktest.PathInteractive, form, append(d.pressBody(), make([]byte, 1<<20)...))
		}, http.StatusRequestEntityTooLarge},
		"no POST": {func(d *desk) *http.Request {
			r := d.fake.Signed(slacktest.PathInteractive, form, nil)
			r.Method = http.MethodGet
			return r
		}, http.StatusMethodNotAllowed},
		"elsewhere": {func(d *desk) *http.Request { return d.fake.Signed("/other", form, d.pressBody()) }, http.StatusNotFound},
		"signed nonsense": {func(d *desk) *http.Request {
			return d.fake.Signed(slacktest.PathInteractive, form, []byte("payload=%7B%7D"))
		}, http.StatusBadRequest},
		"another content": {func(d *desk) *http.Request {
			return d.fake.Signed(slacktest.PathInteractive, "application/json", d.pressBody())
		}, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDesk(t, false)
			got := d.fake.Post(c.request(d))
			d.Idle()
			if got.Status != c.status || len(d.Presses()) != 0 {
				t.Errorf("answered %d %s; presses %+v", got.Status, got.Body, d.Presses())
			}
		})
	}
}

// TestAReplayIsRefused: the same signature counts once, however it is spelt,
// also where Slack's own retry seems to bring it.
func TestAReplayIsRefused(t *testing.T) {
	d := openDesk(t, false)
	again := func(change func(h http.Header)) slacktest.Answered {
		r := d.fake.Signed(slacktest.PathInteractive, form, d.pressBody())
		change(r.Header)
		return d.fake.Post(r)
	}
	if got := again(func(http.Header) {}); got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if got := again(func(http.Header) {}); got.Status != http.StatusForbidden {
		t.Errorf("a replay was answered with %d %s", got.Status, got.Body)
	}
	if got := again(func(h http.Header) {
		h.Set("X-Slack-Signature", "v0="+strings.ToUpper(h.Get("X-Slack-Signature")[3:]))
	}); got.Status != http.StatusForbidden {
		t.Errorf("a replay in capitals was answered with %d %s", got.Status, got.Body)
	}
	if got := again(func(h http.Header) { h.Set("X-Slack-Retry-Num", "1") }); got.Status != http.StatusOK {
		t.Errorf("a retry was answered with %d %s", got.Status, got.Body)
	}
	d.Idle()
	if n := len(d.Presses()); n != 1 {
		t.Errorf("%d presses were taken, not one", n)
	}
}

// broken is a Memory that can't note anything.
type broken struct{ chat.Memory }

func (broken) UseOnce(context.Context, string, time.Time) (bool, error) {
	return false, errors.New("the disk is full")
}

func TestWhatCantBeNotedIsNotDone(t *testing.T) {
	c := connect(t)
	o := &office{}
	cfg := c.config
	p, err := cfg.Open(slack.Options{Name: "main", Clock: c.clock, Memory: broken{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(t.Context()) })
	server := httptest.NewServer(p.Handler(o))
	t.Cleanup(server.Close)
	c.fake.CallAt(server.URL)
	d := &desk{connection: c, office: o}
	if got := c.fake.Post(c.fake.Signed(slacktest.PathInteractive, form, d.pressBody())); got.Status != http.StatusServiceUnavailable || len(o.Presses()) > 0 {
		t.Errorf("%d %s, %+v", got.Status, got.Body, o.Presses())
	}
}

func TestWithoutASigningSecretNothingIsTakenOverHTTP(t *testing.T) {
	d := openDesk(t, false, func(c *slack.Config) { c.SigningSecret = "" })
	if got := d.fake.Post(d.fake.Signed(slacktest.PathInteractive, form, d.pressBody())); got.Status != http.StatusNotFound || len(d.Presses()) > 0 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestTheRequestURLIsConfirmed(t *testing.T) {
	d := openDesk(t, false)
	if got := d.fake.Challenge("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"); got.Status != 200 || string(got.Body) != "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// TestPeopleOfOtherWorkspacesAndBotsCantAct: whoever Slack names must be an
// active person of ours.
func TestPeopleOfOtherWorkspacesAndBotsCantAct(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		d := openDesk(t, overSocket)
		d.fake.AddStranger("mallory")
		for _, who := range []string{"mallory", slacktest.BotUser} {
			if out := d.card.ClickID(d.fake.UserID(who), "Acknowledge"); out.Failed != "" {
				t.Errorf("%s: %+v", who, out)
			}
			d.Idle()
			if said := d.fake.Whispers(who); len(said) != 1 || !strings.Contains(said[0].Text, "othing was done") {
				t.Errorf("%s was told %+v", who, said)
			}
		}
		if n := len(d.Presses()); n != 0 {
			t.Errorf("%d presses were taken", n)
		}
	})
}

func TestAForgedButtonIsNotEvenLookedUp(t *testing.T) {
	d := openDesk(t, false)
	d.ours = func(string) bool { return false }
	before := len(d.fake.Calls("users.info"))
	d.card.ClickAs("alice", "Acknowledge")
	d.Idle()
	if len(d.fake.Calls("users.info")) != before || len(d.Presses()) != 0 {
		t.Error("a token that is not ours made us ask Slack")
	}
	d.fake.WaitWhisper("alice", "not one of Belfry's")
}

// TestAWhisperWithoutAResponseURL: where response_url fails, the API tells.
func TestAWhisperWithoutAResponseURL(t *testing.T) {
	d := openDesk(t, false)
	d.OnPress = func(chat.Press) chat.Answer { d.fake.BreakResponses(); return chat.Answer{Whisper: "too late"} }
	d.SetPatience(time.Minute)
	d.card.ClickAs("alice", "Acknowledge")
	if w := d.fake.WaitWhisper("alice", "too late"); w.By != "chat.postEphemeral" {
		t.Errorf("%+v", w)
	}
}

// TestWhatTakesLongerThanSlackWaits is answered in time and told afterwards.
func TestWhatTakesLongerThanSlackWaits(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		d := openDesk(t, overSocket)
		hold := make(chan struct{})
		d.OnPress = func(chat.Press) chat.Answer { <-hold; return chat.Answer{Whisper: "it worked at last"} }
		d.SetPatience(0) // the clock stands still
		if out := d.card.ClickAs("alice", "Acknowledge"); out.Failed != "" {
			t.Errorf("%+v", out)
		}
		d.fake.WaitWhisper("alice", "longer than usual")
		close(hold)
		d.fake.WaitWhisper("alice", "it worked at last")
	})
}

// TestWhatWasBegunIsFinishedWhenThePlatformCloses: a press that is worked on
// is not dropped.
func TestWhatWasBegunIsFinishedWhenThePlatformCloses(t *testing.T) {
	d := openDesk(t, false)
	begun, hold := make(chan struct{}), make(chan struct{})
	d.OnPress = func(chat.Press) chat.Answer { close(begun); <-hold; return chat.Answer{Whisper: "done"} }
	var clicking sync.WaitGroup
	clicking.Go(func() { d.card.ClickAs("alice", "Acknowledge") })
	<-begun
	closed := make(chan struct{})
	go func() { _ = d.Close(context.Background()); close(closed) }()
	select {
	case <-closed:
		t.Fatal("closed over a press that is worked on")
	case <-time.After(20 * time.Millisecond):
	}
	close(hold)
	<-closed
	clicking.Wait()
	if n := len(d.Presses()); n != 1 {
		t.Errorf("%d presses", n)
	}
	// And nothing new is begun.
	if out := d.card.ClickAs("alice", "Acknowledge"); out.Failed == "" {
		t.Error("a press after the end looked taken")
	}
}

func TestAnExpiredTriggerIsTold(t *testing.T) {
	d := openDesk(t, false)
	d.OnPress = func(chat.Press) chat.Answer {
		d.fake.ExpireTriggers()
		return chat.Answer{Dialog: &chat.Dialog{Title: "Acknowledge", State: "s", Fields: []chat.Field{{Name: "comment", Label: "Comment"}}}}
	}
	if out := d.card.ClickAs("alice", "Acknowledge"); out.Form != nil || out.Failed != "" {
		t.Errorf("%+v", out)
	}
	d.fake.WaitWhisper("alice", "form could not be opened")
}

func TestAFormThatCarriesTooMuchIsTold(t *testing.T) {
	d := openDesk(t, false)
	d.OnPress = func(chat.Press) chat.Answer {
		return chat.Answer{Dialog: &chat.Dialog{Title: "Acknowledge", State: strings.Repeat("s", 3001)}}
	}
	d.card.ClickAs("alice", "Acknowledge")
	d.fake.WaitWhisper("alice", "form could not be opened")
}

// TestWhisperedLinksLead: the way to connect an account is offered.
func TestWhisperedLinksLead(t *testing.T) {
	d := openDesk(t, false)
	d.OnPress = func(chat.Press) chat.Answer {
		return chat.Answer{Whisper: "Connect first.", Link: &chat.Link{Text: "Connect", URL: "https://belfry.example.org/connect/x.y"}}
	}
	d.card.ClickAs("alice", "Acknowledge")
	if w := d.fake.WaitWhisper("alice", "Connect first."); !slices.Contains(w.Links, "https://belfry.example.org/connect/x.y") {
		t.Errorf("%+v", w)
	}
}

func TestAResponseURLElsewhereIsNotCalled(t *testing.T) {
	d := openDesk(t, false)
	called := make(chan struct{}, 1)
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called <- struct{}{} }))
	t.Cleanup(trap.Close)
	d.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Whisper: "hello"} }
	body, err := url.QueryUnescape(string(d.pressBody()))
	if err != nil {
		t.Fatal(err)
	}
	body = strings.Replace(strings.TrimPrefix(body, "payload="), `"trigger_id"`, `"response_url":"`+trap.URL+`/x","trigger_id"`, 1)
	d.fake.Post(d.fake.Signed(slacktest.PathInteractive, form, []byte(url.Values{"payload": {body}}.Encode())))
	d.Idle()
	select {
	case <-called:
		t.Error("an address of nobody we know was called")
	default:
	}
	if n := len(d.Presses()); n != 1 {
		t.Errorf("%d presses", n)
	}
}
