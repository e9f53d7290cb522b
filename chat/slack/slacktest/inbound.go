// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// How long Slack keeps what an interaction brings along.
const (
	triggerLife   = 3 * time.Second
	responseLife  = 30 * time.Minute
	responseUses  = 5
	maxSockets    = 10
	maxSocketBack = 20 << 10
)

// inbound is what the workspace knows of what people did.
type inbound struct {
	// request is where Slack calls the app; empty: Socket Mode.
	request   string
	triggers  map[string]*trigger
	responses map[string]*response
	whispers  map[string][]Whisper // by user id
	views     map[string]*Form     // by user id: the one that is open
	sockets   []*socket
	tickets   map[string]bool
	turn      int // whose turn it is among the sockets
	disabled  bool
	serial    int
	signin    signin
	missed    []map[string]any // events that nobody took
}

func newInbound() inbound {
	return inbound{triggers: map[string]*trigger{}, responses: map[string]*response{}, whispers: map[string][]Whisper{}, views: map[string]*Form{},
		tickets: map[string]bool{}, signin: newSignin()}
}

// trigger is a trigger_id: it opens one form, soon.
type trigger struct {
	user  string
	until time.Time
	used  bool
}

// response is a response_url.
type response struct {
	user, channel string
	until         time.Time
	uses          int
}

// Whisper is a message that only one person sees.
type Whisper struct {
	Reading
	Channel, Thread string
	// By is how it came: "response_url", "chat.postEphemeral", or "answer".
	By string

	// What Click needs.
	s    *Server
	user string
	m    *Message
}

// Click presses a button of a message that only one person sees, as that
// person. What is sent then has no message in it: Slack keeps none.
func (w Whisper) Click(label string) Outcome {
	s := w.s
	button, _ := w.m.button(label)
	if button == nil {
		s.fatalf("there is no button %q on %q", label, w.Text)
		return Outcome{}
	}
	s.mu.Lock()
	p := s.base("block_actions", w.user)
	p["trigger_id"], p["response_url"] = s.newTrigger(w.user, w.Channel)
	p["channel"] = map[string]any{"id": w.Channel, "name": s.channels[w.Channel].Name}
	p["container"] = map[string]any{"type": "message", "message_ts": s.stamp(), "channel_id": w.Channel, "is_ephemeral": true}
	p["state"] = map[string]any{"values": map[string]any{}}
	p["actions"] = []any{map[string]any{"type": "button", "action_id": button["action_id"], "block_id": "b1", "value": button["value"],
		"text": button["text"], "action_ts": s.stamp()}}
	s.mu.Unlock()
	return s.outcome(w.user, s.deliver("interactive", p, false))
}

func (s *Server) inboundMethods() {
	s.register("chat.postEphemeral", method{tier: 4, scopes: []string{"chat:write"}, json: true, do: postEphemeral,
		args: "channel user text blocks attachments thread_ts username icon_url icon_emoji link_names parse"})
	s.register("views.open", method{tier: 4, json: true, do: openView, args: "trigger_id view interactivity_pointer"})
	s.register("apps.connections.open", method{tier: 1, token: "xapp-", do: openConnection})
	s.signinMethods()
}

func (s *Server) inboundRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /response/{id}", s.responded)
	mux.HandleFunc("GET /link", s.link)
	s.signinRoutes(mux)
}

// newTrigger makes a trigger_id and a response_url. s.mu must be held.
func (s *Server) newTrigger(user, channel string) (triggerID, responseURL string) {
	s.inbox.serial++
	id := fmt.Sprintf("%d.%d.%032x", 1000+s.inbox.serial, 5173, s.inbox.serial)
	now := s.clock.Now()
	s.inbox.triggers[id] = &trigger{user: user, until: now.Add(triggerLife)}
	key := fmt.Sprintf("T%dx", s.inbox.serial)
	s.inbox.responses[key] = &response{user: user, channel: channel, until: now.Add(responseLife)}
	return id, "http://" + s.Addr() + "/response/" + key
}

// ExpireTriggers lets all trigger ids grow too old.
func (s *Server) ExpireTriggers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.inbox.triggers {
		t.until = time.Time{}
	}
}

// BreakResponses makes all response_urls worthless.
func (s *Server) BreakResponses() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.inbox.responses)
}

// responded takes what is posted to a response_url.
func (s *Server) responded(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.inbox.responses[r.PathValue("id")]
	switch {
	case to == nil:
		http.Error(w, "expired_url", http.StatusNotFound)
		return
	case s.clock.Now().After(to.until), to.uses >= responseUses:
		http.Error(w, "used_url", http.StatusNotFound)
		return
	}
	whisper, kind, code := s.readShown(raw)
	if code != "" {
		http.Error(w, code, http.StatusBadRequest)
		return
	}
	to.uses++
	if kind != "ephemeral" {
		http.Error(w, "this fake takes no public answers", http.StatusBadRequest)
		return
	}
	whisper.Channel, whisper.By, whisper.user = to.channel, "response_url", to.user
	s.inbox.whispers[to.user] = append(s.inbox.whispers[to.user], whisper)
	_, _ = io.WriteString(w, "ok") // the caller may be gone
}

// readShown reads a message for one person as it stands in an answer.
func (s *Server) readShown(raw []byte) (w Whisper, kind, code string) {
	var body struct {
		Kind        string          `json:"response_type"`
		Replace     *bool           `json:"replace_original"`
		Delete      bool            `json:"delete_original"`
		Text        string          `json:"text"`
		Blocks      json.RawMessage `json:"blocks"`
		Attachments json.RawMessage `json:"attachments"`
	}
	if json.Unmarshal(raw, &body) != nil {
		return Whisper{}, "", "invalid_payload"
	}
	if body.Kind == "" {
		body.Kind = "ephemeral"
	}
	m, no := content(map[string]string{"text": body.Text, "blocks": string(body.Blocks), "attachments": string(body.Attachments)})
	if no != nil {
		return Whisper{}, "", fmt.Sprint(no["error"])
	}
	return Whisper{Reading: m.read(), s: s, m: m}, body.Kind, ""
}

func postEphemeral(q *request) reply {
	c, no := place(q, true)
	if no != nil {
		return no
	}
	switch {
	case !c.Members[BotUser]:
		return refuse("not_in_channel")
	case q.users[q.args["user"]] == nil || !c.Members[q.args["user"]]:
		return refuse("user_not_in_channel")
	}
	m, no := content(q.args)
	if no != nil {
		return no
	}
	user := q.args["user"]
	q.inbox.whispers[user] = append(q.inbox.whispers[user], Whisper{Reading: m.read(), Channel: c.ID, Thread: m.ThreadTS, By: q.name,
		s: q.Server, user: user, m: m})
	return reply{"message_ts": q.stamp()}
}

// Whispers returns what somebody alone was shown, oldest first.
func (s *Server) Whispers(person string) []Whisper { return s.WhispersTo(s.UserID(person)) }

// WhispersTo is Whispers by a user's id.
func (s *Server) WhispersTo(id string) []Whisper {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Whisper(nil), s.inbox.whispers[id]...)
}

// WaitWhisper waits until somebody was whispered something with text in it.
func (s *Server) WaitWhisper(person, text string) Whisper {
	deadline := time.Now().Add(patience)
	for {
		all := s.Whispers(person)
		for _, w := range all {
			if contains(w.Text, text) {
				return w
			}
		}
		if time.Now().After(deadline) {
			s.fatalf("waited %v for %s to be told %q; they were told %+v", patience, person, text, all)
			return Whisper{}
		}
		time.Sleep(2 * time.Millisecond)
	}
}
