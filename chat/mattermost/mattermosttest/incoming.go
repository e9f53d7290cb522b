// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// IncomingHook is an incoming webhook.
type IncomingHook struct {
	ID      string
	owner   *User
	channel *Channel
	locked  bool
}

// AddIncoming makes an incoming webhook of somebody that posts to a channel;
// locked: to no other. It returns the hook's address.
func (s *Server) AddIncoming(owner, channel string, locked bool) (url string) {
	s.mu.Lock()
	h := &IncomingHook{ID: newID(), owner: s.user(owner), channel: s.channelNamed(channel), locked: locked}
	if s.incoming == nil {
		s.incoming = map[string]*IncomingHook{}
	}
	s.incoming[h.ID] = h
	s.mu.Unlock()
	return s.URL() + "/hooks/" + h.ID
}

// RemoveIncoming deletes the webhook with this address.
func (s *Server) RemoveIncoming(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.incoming, url[strings.LastIndexByte(url, '/')+1:])
}

// WrapHookErrors makes refusals of webhooks look as they do from 10.4 on: one
// id for all, and a text with the webhook's secret id in it.
func (s *Server) WrapHookErrors() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrapHooks = true
}

// incomingHook is POST /hooks/{id}. It answers "ok", and no post's id.
func (s *Server) incomingHook(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.serve(func(s *Server, c call) (int, any, *apiError) {
		err := s.postByHook(c, id)
		s.mu.Lock()
		wrap := s.wrapHooks
		s.mu.Unlock()
		if err != nil && wrap {
			err = fail(err.Status, "web.incoming_webhook.general.app_error", fmt.Sprintf("Failed to handle the payload of webhook %s: %s", id, err.Message))
		}
		return http.StatusOK, json.RawMessage("ok"), err
	}, false).ServeHTTP(w, r)
}

func (s *Server) postByHook(c call, id string) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.config.on("EnableIncomingWebhooks") {
		return fail(http.StatusNotImplemented, "web.incoming_webhook.disabled.app_error", "Incoming webhooks have been disabled by the system admin.")
	}
	var body struct {
		Text        string          `json:"text"`
		Channel     string          `json:"channel"`
		Username    string          `json:"username"`
		IconURL     string          `json:"icon_url"`
		Attachments json.RawMessage `json:"attachments"`
		Priority    *PostPriority   `json:"priority"`
	}
	if err := json.NewDecoder(c.Body).Decode(&body); err != nil {
		return fail(http.StatusBadRequest, "web.incoming_webhook.parse.app_error", "Unable to parse incoming data.")
	}
	if body.Text == "" && len(body.Attachments) == 0 {
		return fail(http.StatusBadRequest, "web.incoming_webhook.text.app_error", "No text specified.")
	}
	h := s.incoming[id]
	if h == nil {
		return fail(http.StatusBadRequest, "web.incoming_webhook.invalid.app_error", "Invalid webhook.")
	}
	ch := h.channel
	if body.Channel != "" {
		ch = nil
		for _, other := range s.channels {
			if other.TeamID == h.channel.TeamID && other.Name == strings.TrimPrefix(body.Channel, "#") {
				ch = other
			}
		}
		switch {
		case ch == nil:
			return fail(http.StatusNotFound, "web.incoming_webhook.channel.app_error", "Couldn't find the channel.")
		case h.locked && ch != h.channel:
			return fail(http.StatusForbidden, "web.incoming_webhook.channel_locked.app_error", "This webhook is not permitted to post to the requested channel.")
		case ch.Type != "O" && !ch.members[h.owner.ID]:
			return fail(http.StatusForbidden, "web.incoming_webhook.permissions.app_error", "Inappropriate channel permissions.")
		}
	}
	if take(&s.faults.failBefore) {
		return errSave()
	}
	props := map[string]any{"from_webhook": "true"}
	if len(body.Attachments) > 0 {
		props["attachments"] = body.Attachments
	}
	if body.Username != "" && s.config.on("EnablePostUsernameOverride") {
		props["override_username"] = body.Username
	}
	if body.IconURL != "" && s.config.on("EnablePostIconOverride") {
		props["override_icon_url"] = body.IconURL
	}
	raw, err := json.Marshal(props)
	if err != nil {
		return errParam("attachments")
	}
	if bad := s.insert(&Post{ChannelID: ch.ID, Message: body.Text, Props: raw, Metadata: Metadata{Priority: body.Priority}}, ch, h.owner); bad != nil {
		return bad
	}
	if take(&s.faults.loseAnswers) {
		panic(http.ErrAbortHandler)
	}
	if take(&s.faults.failAfter) {
		return errSave()
	}
	return nil
}
