// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/config"
	"belfry/seal"
)

// TestMarks holds Mattermost to the contract of those on which messages are
// marked, and so servers that don't tell of reactions.
func TestMarks(t *testing.T) {
	for name, tells := range map[string]bool{"Told": true, "Asked": false} {
		t.Run(name, func(t *testing.T) {
			chattest.RunMarks(t, func(t *testing.T) *chattest.Marks {
				m, _ := marks(t, tells)
				return m
			})
		})
	}
}

// TestMarksAmongMoreThanIsRead: who looks after Belfry learns that marks may have
// been missed.
func TestMarksAmongMoreThanIsRead(t *testing.T) {
	m, log := marks(t, true)
	m.Scribe.Own(m.Own)
	m.Leave()
	for range 1000 { // as many as a server lists
		m.Say(chattest.Alice, m.Own, "hello", "")
	}
	m.Return()
	for end := time.Now().Add(15 * time.Second); !strings.Contains(log.String(), "marked among it may be missed"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nobody is told: %s", log)
		}
	}
	if !strings.Contains(log.String(), m.Own) {
		t.Errorf("the channel is not named: %s", log)
	}
}

func marks(t *testing.T, tells bool) (*chattest.Marks, *syncLog) {
	t.Helper()
	fake := mattermosttest.Start(t)
	if !tells {
		fake.HideReactions()
		fake.SetVersion("11.10.0")
	}
	own, other := fake.AddChannel("inc-42"), fake.AddChannel("town")
	cfg := &mattermost.Config{URL: fake.URL(), Token: config.Secret(fake.Token()), Team: mattermosttest.Team}
	cfg.Websocket, cfg.Reactions = true, map[string]string{"wrench": chat.ReactAck}
	scribe, mem, log := &chattest.Scribe{}, &memory{used: map[string]bool{}, settings: map[string]string{}}, &syncLog{}
	var p *mattermost.Platform
	stop := func() {}
	start := func() {
		var err error
		if p, err = cfg.Open(mattermost.Options{Name: "main", Memory: mem, Log: slog.New(slog.NewTextHandler(log, nil))}); err != nil {
			t.Fatal(err)
		}
		mattermost.Hurry(p)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		running := p
		go func() { done <- running.Listen(ctx, scribe) }()
		stop = sync.OnceFunc(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Listen ended with %v", err)
			}
			_ = running.Close(context.Background())
		})
		for end := time.Now().Add(15 * time.Second); fake.Listening() != 1; time.Sleep(2 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("nobody listens")
			}
		}
	}
	start()
	t.Cleanup(func() { stop() })
	mark := func(person, _, post, emoji string) { fake.React(person, post, emoji) }
	return &chattest.Marks{
		Scribe: scribe, Connection: "main", Own: own.ID, Other: other.ID, Now: time.Now, Longest: 16383,
		Say:          func(person, channel, text, thread string) string { return fake.Say(person, channel, thread, text) },
		SayAsProgram: func(person, channel, text string) string { return fake.SayByHook(person, channel, text) },
		SayJoined:    func(person, channel string) string { return fake.SayJoined(person, channel) },
		MarkDeleted: func(person, _, post, emoji string) {
			fake.DeletePost(post)
			fake.ReactLate(person, post, emoji)
		},
		SayOurs: func(channel, text string) string {
			ref, err := p.Post(t.Context(), chat.Post{Channel: channel, Key: seal.Random(), Message: chat.Message{Title: text, Summary: text}})
			if err != nil {
				t.Fatal(err)
			}
			return ref.Post
		},
		Mark:   mark,
		Unmark: func(person, _, post, emoji string) { fake.Unreact(person, post, emoji) },
		Told: func(_, post, text string) {
			for end := time.Now().Add(15 * time.Second); ; time.Sleep(2 * time.Millisecond) {
				for _, said := range fake.Posts("inc-42") {
					if said.RootID == post && strings.Contains(string(said.Props)+said.Message, text) {
						return
					}
				}
				if time.Now().After(end) {
					t.Fatalf("nothing like %q was said below %s", text, post)
				}
			}
		},
		Settled: func() { time.Sleep(100 * time.Millisecond) },
		Leave:   func() { stop() },
		Return:  start,
	}, log
}
