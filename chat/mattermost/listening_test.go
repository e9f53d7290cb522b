// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/config"
)

// ears is a Responder that keeps what it hears.
type ears struct {
	chattest.Recorder
	mu       sync.Mutex
	commands []chat.Command
	reacts   []chat.Reaction
	open     []chat.Ref
	answer   func(chat.Command) chat.Answer
	panics   bool
	// hear answers to words in channels; nil: there is nothing to say.
	hear func(context.Context, chat.Heard) *chat.Reply
}

func (e *ears) Hears(_, text string) bool { return e.hear != nil && strings.HasPrefix(text, "fridge") }

func (e *ears) Hear(ctx context.Context, h chat.Heard) *chat.Reply { return e.hear(ctx, h) }

func (e *ears) Command(_ context.Context, c chat.Command) chat.Answer {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.commands = append(e.commands, c)
	if e.panics {
		panic("broken")
	}
	if e.answer != nil {
		return e.answer(c)
	}
	return chat.Answer{Whisper: "did " + c.Text}
}

func (e *ears) React(_ context.Context, r chat.Reaction) chat.Answer {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reacts = append(e.reacts, r)
	return chat.Answer{}
}

func (e *ears) IsOpen(_ context.Context, _ string, ref chat.Ref) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.open, ref), nil
}

func (e *ears) Open(context.Context, string, int) ([]chat.Ref, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.open), nil
}

func (e *ears) texts() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, c := range e.commands {
		out = append(out, c.Text)
	}
	return out
}

func (e *ears) acts() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, r := range e.reacts {
		out = append(out, r.Actor.Name+" "+r.Act)
	}
	return out
}

// memory is what a process leaves behind.
type memory struct {
	mu       sync.Mutex
	used     map[string]bool
	settings map[string]string
	failing  bool
}

func (m *memory) UseOnce(_ context.Context, token string, _ time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing {
		return false, errors.New("disk full")
	}
	first := !m.used[token]
	m.used[token] = true
	return first, nil
}

func (m *memory) Setting(_ context.Context, name string) (string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.settings[name]
	return value, ok, nil
}

func (m *memory) SetSetting(_ context.Context, name, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settings[name] = value
	return nil
}

func (m *memory) fail(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failing = on
}

// listening is a connection that listens, on the machine's clock.
type listening struct {
	*mattermost.Platform
	*ears
	t      *testing.T
	fake   *mattermosttest.Server
	memory *memory
	cfg    *mattermost.Config
	stop   func()
	log    *syncLog
}

// syncLog keeps what was logged.
type syncLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *syncLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *syncLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func listen(t *testing.T, change ...func(*mattermost.Config)) *listening {
	t.Helper()
	l := &listening{t: t, ears: &ears{}, memory: &memory{used: map[string]bool{}, settings: map[string]string{}}, log: &syncLog{}}
	l.fake = mattermosttest.Start(t)
	l.fake.AddChannel("ops")
	l.cfg = &mattermost.Config{URL: l.fake.URL(), Token: config.Secret(l.fake.Token()), Team: mattermosttest.Team}
	l.cfg.Websocket = true
	for _, f := range change {
		f(l.cfg)
	}
	if wrong := l.cfg.Validate(); len(wrong) != 0 {
		t.Fatalf("the configuration is wrong: %v", wrong)
	}
	l.start()
	t.Cleanup(func() { l.stop() })
	l.until("somebody listens", func() bool { return l.fake.Listening() == 1 && l.caughtUp() })
	return l
}

// caughtUp is true once the connection was logged as working.
func (l *listening) caughtUp() bool {
	return strings.Contains(l.log.String(), "listening over the websocket")
}

func (l *listening) start() {
	l.t.Helper()
	p, err := l.cfg.Open(mattermost.Options{Name: "main", Memory: l.memory, Log: slog.New(slog.NewTextHandler(l.log, nil))})
	if err != nil {
		l.t.Fatal(err)
	}
	mattermost.Hurry(p)
	l.Platform = p
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Listen(ctx, l.ears) }()
	l.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			l.t.Errorf("Listen ended with %v", err)
		}
		_ = p.Close(context.Background())
	})
}

func (l *listening) until(what string, ok func() bool) {
	l.t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("waited in vain until %s; heard %q, reacted %q\n%s", what, l.texts(), l.acts(), l.log)
		}
	}
}

// heard waits until exactly these commands came, in this order, and no other
// by the time that a last one did.
func (l *listening) heard(want ...string) {
	l.t.Helper()
	l.until(fmt.Sprintf("%q is heard", want), func() bool { return len(l.texts()) >= len(want) })
	if got := l.texts(); !slices.Equal(got, want) {
		l.t.Fatalf("heard %q, not %q", got, want)
	}
}
