// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/clock"
	"belfry/store/opentest"
)

// street is a Mattermost with one card in it, and a Belfry whose clock the test turns.
type street struct {
	t     *testing.T
	m     *mattermosttest.Server
	a     *app.App
	clock *clock.Manual
	card  *mattermosttest.Card
}

func newStreet(t *testing.T) *street {
	t.Helper()
	s := &street{t: t, m: mattermosttest.Start(t), clock: clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	s.m.AddChannel("ops")
	f := file(t, "connections: [{name: chat, kind: mattermost, url: \""+s.m.URL()+"\", token: \""+s.m.Token()+"\", team: "+mattermosttest.Team+"}]\n"+
		"default: {channels: [chat/ops]}\n")
	var err error
	if s.a, err = app.Start(t.Context(), app.Options{File: f, Data: opentest.Dir(t), Clock: s.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s.a) })
	if err := s.a.Report("nagios")(t.Context(), problem("web01")); err != nil {
		t.Fatal(err)
	}
	s.card = s.m.Room("ops").WaitCard("web01 is gone").WaitButtons("Acknowledge", "Acknowledge with comment…")
	return s
}

// context is the hidden context of a button, which only Mattermost's server sees.
func (s *street) context(label string) map[string]any {
	s.t.Helper()
	var props struct {
		Attachments []struct {
			Actions []struct {
				Name        string
				Integration struct{ Context map[string]any }
			}
		}
	}
	if err := json.Unmarshal(s.card.Post().Props, &props); err != nil {
		s.t.Fatal(err)
	}
	for _, a := range props.Attachments[0].Actions {
		if a.Name == label {
			return a.Integration.Context
		}
	}
	s.t.Fatalf("no button %q", label)
	return nil
}

// call sends what Mattermost would send for a press by alice, altered.
func (s *street) call(path string, body map[string]any) (int, string) {
	s.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.Post("http://"+s.a.Address()+"/chat/chat/"+path, "application/json", bytes.NewReader(b))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	said, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(said)
}

func (s *street) press(label string) map[string]any {
	p := s.card.Post()
	return map[string]any{"user_id": s.m.User("alice").ID, "user_name": "alice", "channel_id": p.ChannelID, "channel_name": "ops",
		"team_id": "t", "team_domain": mattermosttest.Team, "post_id": p.ID, "trigger_id": "x", "type": "button", "data_source": "", "context": s.context(label)}
}

// untouched wants the card, its thread and its buttons as they were.
func (s *street) untouched() {
	s.t.Helper()
	// Whatever the call might have led to has been delivered when something
	// that was reported afterwards has.
	if err := s.a.Report("nagios")(s.t.Context(), problem("marker")); err != nil {
		s.t.Fatal(err)
	}
	s.m.Room("ops").WaitCard("marker is gone")
	if s.card.Shows("acknowledg") || len(s.card.Thread()) != 0 || len(s.card.Buttons()) != 2 {
		s.t.Errorf("the card reads %q with %d notes and %q", s.card.Text(), len(s.card.Thread()), s.card.Buttons())
	}
}

func TestCallbacksThatAreNotGenuineChangeNothing(t *testing.T) {
	for name, alter := range map[string]func(s *street, body map[string]any){
		"forged context": func(_ *street, body map[string]any) { body["context"] = map[string]any{"belfry": "eyJjIjoxfQ.AAAA"} },
		"no context":     func(_ *street, body map[string]any) { delete(body, "context") },
		"altered": func(_ *street, body map[string]any) {
			c := body["context"].(map[string]any)
			for k, v := range c {
				token := v.(string)
				c[k] = token[:len(token)-2] + "xx"
			}
		},
		"from another post":    func(_ *street, body map[string]any) { body["post_id"] = strings.Repeat("z", 26) },
		"from another channel": func(_ *street, body map[string]any) { body["channel_id"] = strings.Repeat("z", 26) },
		"by nobody":            func(_ *street, body map[string]any) { delete(body, "user_id") },
		"by an invented person": func(_ *street, body map[string]any) {
			body["user_id"], body["user_name"] = strings.Repeat("z", 26), "admin"
		},
		"by somebody deactivated": func(s *street, body map[string]any) {
			s.m.Deactivate("bob")
			body["user_id"] = s.m.User("bob").ID
		},
		"expired": func(s *street, _ map[string]any) { s.clock.Advance(31 * 24 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreet(t)
			body := s.press("Acknowledge")
			alter(s, body)
			status, said := s.call("action", body)
			if status != http.StatusOK || !strings.Contains(said, "ephemeral_text") {
				t.Errorf("the person sees %d %s", status, said)
			}
			s.untouched()
		})
	}
}

func TestTheActorIsWhomMattermostNamesAndNotWhatTheBodySays(t *testing.T) {
	s := newStreet(t)
	body := s.press("Acknowledge")
	body["user_name"] = "the-boss"
	s.call("action", body)
	s.card.WaitText("acknowledged by alice")
	if s.card.Shows("the-boss") {
		t.Errorf("the card reads %q", s.card.Text())
	}
}

func TestAReplayedPressDoesNothingMore(t *testing.T) {
	s := newStreet(t)
	first := s.press("Acknowledge")
	s.call("action", first)
	s.card.WaitText("acknowledged by alice").WaitButtons("Un-acknowledge").WaitNote("alice")
	if _, said := s.call("action", first); !strings.Contains(strings.ToLower(said), "already acknowledged") {
		t.Errorf("the second time: %s", said)
	}
	s.card.Click("Un-acknowledge")
	s.card.WaitButtons("Acknowledge", "Acknowledge with comment…")
	// The alert is as it was for the first press, but the button is an old one.
	if _, said := s.call("action", first); !strings.Contains(said, "changed since") {
		t.Errorf("the third time: %s", said)
	}
	if s.card.Shows("acknowledged by alice") {
		t.Errorf("a replay acknowledged: %q", s.card.Text())
	}
}

func TestAFormThatIsNotGenuineChangesNothing(t *testing.T) {
	for name, alter := range map[string]func(s *street, body map[string]any){
		"forged state":     func(_ *street, body map[string]any) { body["state"] = "eyJjIjoxfQ.AAAA" },
		"a button's token": func(s *street, body map[string]any) { body["state"] = s.context("Acknowledge")["belfry"] },
		"by somebody else": func(s *street, body map[string]any) { body["user_id"] = s.m.User("bob").ID },
		"two hours later":  func(s *street, _ map[string]any) { s.clock.Advance(2 * time.Hour) },
		"a comment of 9 KB": func(_ *street, body map[string]any) {
			body["submission"] = map[string]any{"comment": strings.Repeat("x", 9<<10)}
		},
		"cancelled":          func(_ *street, body map[string]any) { body["cancelled"] = true; delete(body, "submission") },
		"junk for a comment": func(_ *street, body map[string]any) { body["submission"] = map[string]any{"comment": []int{1}} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreet(t)
			s.card.ClickAs("alice", "Acknowledge with comment…")
			d := s.m.WaitDialog("alice")
			body := map[string]any{"type": "dialog_submission", "callback_id": "", "state": d.State, "user_id": s.m.User("alice").ID,
				"channel_id": s.card.Post().ChannelID, "team_id": "t", "submission": map[string]any{"comment": "on it"}, "cancelled": false}
			alter(s, body)
			s.call("dialog", body)
			s.untouched()
		})
	}
}
