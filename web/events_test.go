// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"belfry/clock"
	"belfry/web"
)

// event is one server-sent event as a page gets it.
type event struct {
	id, name string
	data     map[string]string
}

// stream is a page's live updates.
type stream struct {
	t    *testing.T
	scan *bufio.Scanner
	stop context.CancelFunc
}

// listen opens live updates; position is the page's, or what the browser sends
// as Last-Event-ID when it comes back.
func (b *browser) listen(t *testing.T, channel, position, last string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.site.url+"/room/events?channel="+channel+"&after="+position, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	answer, err := b.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); answer.Body.Close() })
	if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("live updates: %d %v", answer.StatusCode, answer.Header)
	}
	return &stream{t, bufio.NewScanner(answer.Body), cancel}
}

// next returns the next event that is no heartbeat; a zero event at the end.
func (s *stream) next() event {
	s.t.Helper()
	var e event
	for s.scan.Scan() {
		name, value, _ := strings.Cut(s.scan.Text(), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = nil
			if err := json.Unmarshal([]byte(value), &e.data); err != nil {
				s.t.Fatalf("%q: %v", value, err)
			}
		case "":
			if e.name != "beat" {
				return e
			}
			e = event{}
		default:
			s.t.Fatalf("the line %q is no server-sent event", s.scan.Text())
		}
	}
	return event{}
}

func (b *browser) position() string {
	b.t.Helper()
	m := regexp.MustCompile(`data-position="([^"]+)"`).FindStringSubmatch(b.get("/").body)
	if m == nil {
		b.t.Fatal("the page has no position")
	}
	return m[1]
}

func TestPagesHearOfCards(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	start := b.position()
	before := s.card("ops", diskFull()) // after the page was made, before it listens
	live := b.listen(t, "ops", start, "")
	if e := live.next(); e.name != "card" || e.data["id"] != before.Post || !strings.Contains(e.data["html"], "Disk /var on web01") {
		t.Fatalf("heard %+v", e)
	}
	m := diskFull()
	m.State = "RECOVERED"
	s.update(before, m)
	second := live.next()
	if second.name != "card" || !strings.Contains(second.data["html"], "RECOVERED") {
		t.Fatalf("heard %+v", second)
	}
	s.note(before, "alice acknowledged")
	if e := live.next(); e.data["id"] != before.Post || !strings.Contains(e.data["html"], "alice acknowledged") {
		t.Errorf("of a note heard %+v", e)
	}
	s.card("db", diskFull())
	if e := live.next(); e.name != "elsewhere" || e.data["channel"] != "db" {
		t.Errorf("of another channel heard %+v", e)
	}
	live.stop()

	// Back after a break: from the last event on, whatever the URL says.
	again := b.listen(t, "ops", start, second.id)
	if e := again.next(); e.name != "card" || !strings.Contains(e.data["html"], "alice acknowledged") {
		t.Errorf("after a break heard %+v", e)
	}
	// From a position of another life of the server: read the page anew.
	if e := b.listen(t, "ops", "another-7", "").next(); e.name != "reload" {
		t.Errorf("with an unknown position heard %+v", e)
	}
	b.get("/room/events?channel=../x", "Accept", "text/event-stream").want(t, 400)
}

func TestADeletedCardLeavesThePage(t *testing.T) {
	s := open(t, nil)
	b := s.setUp("alice")
	ref := s.card("ops", diskFull())
	live := b.listen(t, "ops", b.position(), "")
	list, err := s.store.RoomMessages(t.Context(), "ops", 0, 1)
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	if err := s.room.Delete(t.Context(), list[0].ID); err != nil {
		t.Fatal(err)
	}
	if e := live.next(); e.name != "gone" || e.data["id"] != ref.Post {
		t.Errorf("heard %+v", e)
	}
}

// Whoever signed out in one tab hears nothing more in another.
func TestLiveUpdatesEndWithTheSession(t *testing.T) {
	now := clock.NewManual(time.Now())
	s := open(t, func(o *web.Options) { o.Clock = now })
	b := s.setUp("alice")
	live := b.listen(t, "ops", b.position(), "")
	b.post("/signout").leadsTo(t, "/signin")
	done := make(chan event)
	go func() { done <- live.next() }()
	for {
		select {
		case e := <-done:
			if e.name != "reload" {
				t.Errorf("heard %+v", e)
			}
			return
		case <-time.After(10 * time.Millisecond):
			now.Advance(30 * time.Second) // until the stream's heart beats
		}
	}
}
