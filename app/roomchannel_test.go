// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"belfry/app"
	"belfry/clock"
	"belfry/store/opentest"
)

// visitor is somebody's browser on the pages of a Belfry that knows no chat
// but its own room.
type visitor struct {
	t      *testing.T
	a      *app.App
	clock  *clock.Manual
	client *http.Client
}

func newVisitor(t *testing.T, incidents string) *visitor {
	t.Helper()
	now := clock.NewManual(time.Now().UTC().Truncate(time.Second))
	a, err := app.Start(t.Context(), app.Options{Data: opentest.Dir(t), DemoKey: "k", Clock: now, File: file(t, `
connections: [{name: room, kind: console, channels: [wall]}]
default: {channels: [room/wall]}
incidents: `+incidents)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	v := &visitor{t: t, a: a, clock: now, client: browser(t)}
	v.get("/demo?key=k")
	return v
}

func (v *visitor) page(r *http.Response, err error) string {
	v.t.Helper()
	return html.UnescapeString(textOf(v.t)(r, err))
}

func (v *visitor) get(path string) string {
	v.t.Helper()
	return v.page(v.client.Get(v.a.URL() + path))
}

// types a line in a channel, and expects something in the answer.
func (v *visitor) types(channel, line, want string) {
	v.t.Helper()
	if got := v.page(v.client.PostForm(v.a.URL()+"/room/line", url.Values{"channel": {channel}, "line": {line}})); !strings.Contains(got, want) {
		v.t.Errorf("%q in %s: no %q in %s", line, channel, want, got)
	}
}

// shows waits until a channel's page has all of the texts.
func (v *visitor) shows(channel string, want ...string) string {
	v.t.Helper()
	var page string
	eventually(v.t, channel+" shows "+strings.Join(want, ", "), func() bool {
		page = v.get("/?channel=" + channel)
		for _, w := range want {
			if !strings.Contains(page, w) {
				return false
			}
		}
		return true
	})
	return page
}

// TestAnIncidentInTheRoomAlone: without any other chat an incident goes the
// whole way, from its declaration to its channel's end and back.
func TestAnIncidentInTheRoomAlone(t *testing.T) {
	v := newVisitor(t, `{announce: [room/wall], channel: {on: [room], archive: 1h}}`)
	const own = "inc-1-the-shop-is-slow"
	v.types("wall", "incident new SEV1 the shop is slow", "#1 SEV1 started")
	v.shows("wall", "#1 the shop is slow")
	v.shows(own, "#1 the shop is slow</h1>", "SEV1 started", "1 member", "<p>you</p>", "Pinned", "/incidents/1")
	v.types(own, "incident assign commander me", "You made you commander")
	v.types(own, "incident mitigate rolled back", "#1 SEV1 mitigated")
	v.shows(own, "SEV1 mitigated", "commander: you")
	v.types(own, "incident rename orders are stuck", "You renamed it")
	v.shows(own, "orders are stuck</h1>")
	v.types(own, "incident resolve", "#1 SEV1 resolved")
	v.types(own, "incident close", "#1 SEV1 closed")
	v.shows(own, "Summary of #1")
	for range 50 { // what waits looks at the clock again and again
		if strings.Contains(v.get("/?channel="+own), "This channel is archived") {
			break
		}
		v.clock.Advance(5 * time.Minute)
		time.Sleep(20 * time.Millisecond)
	}
	page := v.shows(own, "This channel is archived")
	if strings.Contains(page, "/room/line") {
		t.Error("it can be written to")
	}
	v.types(own, "incident status", "This channel is archived")
	v.types("wall", "incident reopen #1", "#1 SEV1")
	eventually(t, "the channel is open again", func() bool { return !strings.Contains(v.get("/?channel="+own), "This channel is archived") })
	v.types(own, "incident update it is back", "Noted how it stands")
	v.shows(own, "it is back")
}
