// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// hook is an incoming webhook.
type hook struct {
	channel string
	dead    string // what it answers since it was taken away
	status  int
}

// AddHook makes an incoming webhook for a channel and returns its address.
func (s *Server) AddHook(channel string) string {
	addr := s.Addr()
	path := ""
	s.in(channel, func(c *Channel) {
		path = TeamID + "/" + s.newID("B") + "/" + strings.Repeat("hOoK", 6)
		s.hooks[path] = &hook{channel: c.ID}
	})
	return "http://" + addr + "/services/" + path
}

// KillHooks makes every webhook answer with a status and a word of Slack's.
func (s *Server) KillHooks(status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.hooks {
		h.dead, h.status = body, status
	}
}

// hookBody is all that an incoming webhook of an app looks at; username,
// icon and channel worked on retired custom hooks only and are left alone.
type hookBody struct {
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks"`
	Attachments json.RawMessage `json:"attachments"`
	ThreadTS    string          `json:"thread_ts"`
}

// incoming serves /services/…: plain text, whatever happens.
func (s *Server) incoming(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	s.mu.Lock()
	slow := s.faults.slow
	s.mu.Unlock()
	s.sleep(r.Context(), slow)
	if err != nil || r.Context().Err() != nil {
		return
	}
	say := func(status int, text string) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
	s.mu.Lock()
	h := s.hooks[r.PathValue("team")+"/"+r.PathValue("app")+"/"+r.PathValue("secret")]
	status, text := s.take(h, r, raw)
	lose := status == http.StatusOK && take(&s.faults.loseAnswers)
	if status == http.StatusOK && !lose && take(&s.faults.failAfter) {
		status, text = s.faults.status, "Server Error"
	}
	wait := s.faults.limited
	s.mu.Unlock()
	switch {
	case lose:
		panic(http.ErrAbortHandler)
	case status == http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
		if wait > time.Second {
			w.Header().Set("Retry-After", "30")
		}
	}
	say(status, text)
}

// take carries a hook's order out. s.mu must be held.
func (s *Server) take(h *hook, r *http.Request, raw []byte) (int, string) {
	var body hookBody
	switch {
	case h == nil:
		return http.StatusNotFound, "no_service"
	case h.dead != "":
		return h.status, h.dead
	case s.faults.limited > 0:
		return http.StatusTooManyRequests, "rate_limited"
	case take(&s.faults.failBefore):
		return s.faults.status, "Server Error"
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"), json.Unmarshal(raw, &body) != nil:
		return http.StatusBadRequest, "invalid_payload"
	}
	c := s.channels[h.channel]
	switch {
	case c == nil:
		return http.StatusNotFound, "channel_not_found"
	case c.Archived:
		return http.StatusGone, "channel_is_archived"
	case c.refuses != "":
		return http.StatusForbidden, "action_prohibited"
	}
	m, no := content(map[string]string{"text": body.Text, "blocks": string(body.Blocks), "attachments": string(body.Attachments)})
	if no != nil {
		code, _ := no["error"].(string)
		return http.StatusBadRequest, code
	}
	m.User, m.BotID, m.Hooked = BotUser, BotID, true
	s.keep(c, m)
	return http.StatusOK, "ok"
}
