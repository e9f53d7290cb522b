// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/seal"
)

// urgent is a card that rings and wants to be confirmed.
func urgent(title string) chat.Message {
	m := card(title)
	m.Mentions, m.Priority, m.RequestAck = []string{"alice"}, chat.PriorityUrgent, true
	return m
}

func TestACardIsPostedWithThePriorityThatTheServerTakes(t *testing.T) {
	for name, want := range map[string]struct {
		server func(*mattermosttest.Server)
		label  string
		acks   bool
	}{
		"professional":       {(*mattermosttest.Server).License, "urgent", true},
		"team edition":       {func(*mattermosttest.Server) {}, "urgent", false},
		"priorities off":     {func(s *mattermosttest.Server) { s.SetSetting("PostPriority", false) }, "", false},
		"servers before 7.7": {func(s *mattermosttest.Server) { s.ForgetSetting("PostPriority") }, "", false},
		"off and licensed":   {func(s *mattermosttest.Server) { s.SetSetting("PostPriority", false); s.License() }, "", false},
		"old and licensed":   {func(s *mattermosttest.Server) { s.ForgetSetting("PostPriority"); s.License() }, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, &chattest.Recorder{})
			want.server(c.fake)
			for range 3 {
				ref, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: urgent("disk full")})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Post(t.Context(), chat.Post{Channel: "ops", Thread: &ref, Key: seal.Random(), Message: urgent("note")}); err != nil {
					t.Fatal(err)
				}
				if err := c.Update(t.Context(), ref, "k", urgent("disk fuller")); err != nil {
					t.Fatal(err)
				}
			}
			cards := c.fake.Room("ops").Cards()
			if len(cards) != 3 {
				t.Fatalf("%d cards", len(cards))
			}
			for _, p := range cards {
				if label, acks := p.Priority(); label != want.label || acks != want.acks {
					t.Errorf("shown with %q, confirm %v", label, acks)
				}
				if rings := p.Rings(); len(rings) != 1 || rings[0] != "alice" {
					t.Errorf("rings %q", rings)
				}
			}
		})
	}
}

func TestAPriorityThatWasRefusedIsTriedAgainLater(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	c.fake.SetSetting("PostPriority", false)
	post := func() (label string) {
		t.Helper()
		if _, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: urgent("disk full")}); err != nil {
			t.Fatal(err)
		}
		cards := c.fake.Room("ops").Cards()
		label, _ = cards[len(cards)-1].Priority()
		return label
	}
	post()
	c.fake.SetSetting("PostPriority", true)
	if label := post(); label != "" {
		t.Errorf("asked again at once: %q", label)
	}
	c.clock.Advance(11 * time.Minute)
	if label := post(); label != "urgent" {
		t.Errorf("ten minutes later it is shown with %q", label)
	}
}

func TestAHooksPriority(t *testing.T) {
	for _, wrapped := range []bool{false, true} {
		h := openHook(t, false)
		if wrapped {
			h.fake.WrapHookErrors()
		}
		want := []string{"urgent", ""}
		for i, on := range []bool{true, false} {
			h.fake.SetSetting("PostPriority", on)
			m := urgent("disk full")
			m.RequestAck = false
			if _, err := h.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: m}); err != nil {
				t.Fatal(err)
			}
			cards := h.fake.Room("ops").Cards()
			if label, _ := cards[len(cards)-1].Priority(); label != want[i] || len(cards) != i+1 {
				t.Errorf("card %d of %d is shown with %q", i+1, len(cards), label)
			}
		}
	}
}

// TestAHooksTroubleIsNoRefusal: what may have arrived is not sent again.
func TestAHooksTroubleIsNoRefusal(t *testing.T) {
	h := openHook(t, false)
	h.fake.Fail5xxAfter(1)
	if _, err := h.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: urgent("disk full")}); err == nil {
		t.Error("trouble went unsaid")
	}
	if n := h.fake.PostsIn("ops"); n != 1 {
		t.Errorf("%d posts", n)
	}
}
