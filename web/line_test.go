// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"strings"
	"testing"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/web"
)

// clerk answers typed lines.
type clerk struct {
	*chattest.Recorder
	got    []chat.Command
	answer chat.Answer
}

func (c *clerk) Command(_ context.Context, in chat.Command) chat.Answer {
	c.got = append(c.got, in)
	return c.answer
}

func TestPeopleTypeInTheRoom(t *testing.T) {
	k := &clerk{Recorder: &chattest.Recorder{}}
	s := open(t, func(o *web.Options) { o.Responder = k })
	b := s.setUp("anna")
	s.card("ops", diskFull())
	b.get("/?channel=ops").want(t, 200, `action="/room/line"`, `name="channel" value="ops"`)
	k.answer = chat.Answer{Reply: &chat.Message{State: "started", Title: "#1 <b>slow</b>", Color: "#d9534f", Icon: "🚨", Mentions: []string{"all"}, Buttons: []chat.Button{{Action: "x", Label: "Press"}},
		Lines: []chat.Line{{{Text: "since ever @all"}}}, Table: &chat.Table{Head: []string{"When"}, Rows: [][]chat.Line{{{{Text: "15:09"}}}}}}}
	got := b.post("/room/line", "channel", "ops", "line", "/belfry incident status #1 “<i>”").want(t, 200, "#1 <b>slow</b>", "started", "since ever @all", "15:09", "Only you see the answer.", `value="ops"`)
	for _, bad := range []string{"<b>slow", "<i>", "Press", "@all</span>"} {
		if strings.Contains(got.body, bad) {
			t.Errorf("the answer has %q", bad)
		}
	}
	if len(k.got) != 1 || k.got[0].Text != "incident status #1 “<i>”" || k.got[0].Channel != "ops" || k.got[0].Actor.Name != "anna" || k.got[0].Actor.ID == "" || k.got[0].Actor.Connection != "room" {
		t.Errorf("it arrived as %+v", k.got)
	}
	k.answer = chat.Answer{Whisper: "Which <one>?", Link: &chat.Link{Text: "Connect", URL: "https://belfry.example.org/x"}}
	b.post("/room/line", "channel", "ops", "line", "ack").want(t, 200, "Which <one>?", `<a href="https://belfry.example.org/x">Connect</a>`)
	k.answer = chat.Answer{Dialog: commentDialog()}
	b.post("/room/line", "channel", "ops", "line", "/incident new").want(t, 200, "Acknowledge", "v.comment")
	if last := k.got[len(k.got)-1].Text; last != "incident new" {
		t.Errorf("the slash is %q", last)
	}
	b.post("/room/line", "channel", "../x", "line", "ack").want(t, 400)
	b.post("/room/line", "channel", "ops", "line", strings.Repeat("x", 17<<10)).want(t, 200, "too long")
	if page := s.browser().post("/room/line", "channel", "ops", "line", "ack"); page.status == 200 {
		t.Error("a stranger's line was taken")
	}
	if len(k.got) != 3 {
		t.Errorf("%d lines arrived", len(k.got))
	}
}

func TestARoomWithoutCommandsOffersNone(t *testing.T) {
	b := open(t, nil).setUp("anna")
	if strings.Contains(b.get("/").want(t, 200).body, "/room/line") {
		t.Error("it does")
	}
	b.post("/room/line", "channel", "ops", "line", "ack").want(t, 200, "takes no commands")
}
