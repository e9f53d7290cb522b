// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The habits of outgoing webhooks stand in this file: they fire on new posts in
// public channels, bots' and replies in threads too, on no edit and on nothing
// that webhooks post; each address is called once, and what it answers is
// posted as the webhook's owner.

const (
	contentJSON = "application/json"
	contentForm = "application/x-www-form-urlencoded"
)

// HookCall is one call of an outgoing webhook and what came of it.
type HookCall struct {
	// Post called, Word was the trigger word.
	Post, Word string
	// Status is the answer's; 0: there was none. Body is what it said.
	Status int
	Body   string
	// Answered is the post that the answer became; empty: none, and Failed says
	// what the server's log would.
	Answered, Failed string
}

// AddOutgoing makes an outgoing webhook in the first team, as somebody would
// who may, and returns its token. channel may be empty.
func (s *Server) AddOutgoing(owner, channel, contentType string, when int, words []string, urls ...string) (token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := &OutgoingHook{ID: newID(), Token: newID(), CreateAt: millis(s.clock.Now()), CreatorID: s.user(owner).ID, TeamID: s.teamNamed(Team).id,
		TriggerWords: words, TriggerWhen: when, CallbackURLs: urls, DisplayName: "words", ContentType: contentType}
	if channel != "" {
		h.ChannelID = s.channelNamed(channel).ID
	}
	s.outgoing = append(s.outgoing, h)
	return h.Token
}

// ChangeOutgoing changes all outgoing webhooks as their owners would.
func (s *Server) ChangeOutgoing(change func(*OutgoingHook)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.outgoing {
		change(h)
	}
}

// HookCalls waits for the calls under way, and those that their answers cause,
// and returns all there were.
func (s *Server) HookCalls() []HookCall {
	s.calling.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.hookCalls)
}

// EditAs changes what somebody wrote, as they do.
func (s *Server) EditAs(user, post, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.posts[post]
	if p == nil || p.UserID != s.user(user).ID {
		s.fatalf("%s can't edit the post %q", user, post)
	}
	p.Message, p.EditAt = message, millis(s.clock.Now())
	p.UpdateAt = p.EditAt
}

// triggered returns the word by which a message calls a webhook: its first
// word, or the beginning of that; capitals count.
func (h *OutgoingHook) triggered(message, channel string) (word string, ok bool) {
	if h.ChannelID != "" && h.ChannelID != channel {
		return "", false
	}
	if len(h.TriggerWords) == 0 {
		return "", h.ChannelID == channel
	}
	words := strings.Fields(message)
	if len(words) == 0 {
		return "", false
	}
	for _, w := range h.TriggerWords {
		if h.TriggerWhen == 0 && words[0] == w || h.TriggerWhen == 1 && strings.HasPrefix(words[0], w) {
			return w, true
		}
	}
	return "", false
}

// callHooks starts the calls of a new post. s.mu is held.
func (s *Server) callHooks(p *Post, ch *Channel, by *User) {
	if !s.config.on("EnableOutgoingWebhooks") || ch.Type != "O" {
		return
	}
	for _, h := range s.outgoing {
		word, ok := h.triggered(p.Message, ch.ID)
		if !ok || h.TeamID != ch.TeamID {
			continue
		}
		body, kind := h.payload(s.teams[ch.TeamID].name, *p, ch, by, word), contentForm
		if h.ContentType == contentJSON {
			kind = contentJSON
		}
		hook, post := *h, *p // as they are now
		for i, address := range hook.CallbackURLs {
			sent := body
			if i > 0 {
				sent = "" // only the first gets one, up to 9.8
			}
			s.calling.Add(1)
			go func() {
				defer s.calling.Done()
				call := s.callHook(hook, post, address, kind, sent)
				call.Word = word
				s.mu.Lock()
				defer s.mu.Unlock()
				s.hookCalls = append(s.hookCalls, call)
			}()
		}
	}
}

// payload is what is sent: in a form the timestamp is in seconds, in JSON in
// milliseconds.
func (h *OutgoingHook) payload(team string, p Post, ch *Channel, by *User, word string) string {
	fields := map[string]any{"token": h.Token, "team_id": h.TeamID, "team_domain": team, "channel_id": ch.ID, "channel_name": ch.Name,
		"timestamp": p.CreateAt, "user_id": by.ID, "user_name": by.Username, "post_id": p.ID, "text": p.Message, "trigger_word": word, "file_ids": ""}
	if h.ContentType == contentJSON {
		raw, err := json.Marshal(fields)
		if err != nil {
			panic(err) // only our own types come here
		}
		return string(raw)
	}
	form := url.Values{"timestamp": {strconv.FormatInt(p.CreateAt/1000, 10)}}
	for name, value := range fields {
		if text, ok := value.(string); ok {
			form.Set(name, text)
		}
	}
	return form.Encode()
}

// callHook makes one call, never twice, and posts what is answered.
func (s *Server) callHook(h OutgoingHook, p Post, address, kind, body string) HookCall {
	call := HookCall{Post: p.ID}
	failed := func(text string) HookCall { call.Failed = text; return call }
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body)) //nolint:noctx // the client has the server's 30 s
	if err != nil {
		return failed(err.Error())
	}
	if !s.mayCall(req.URL.Hostname()) {
		return failed("address forbidden, you may need to set AllowedUntrustedInternalConnections to allow an integration access to your internal network")
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Accept", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return failed(err.Error())
	}
	defer func() { _ = res.Body.Close() }() // only read from
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return failed(err.Error())
	}
	call.Status, call.Body = res.StatusCode, string(raw) // the status decides nothing
	var answer hookAnswer
	if len(raw) == 0 {
		return call
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return failed("unmarshal: " + err.Error())
	}
	if answer.Text == nil && len(answer.Attachments) == 0 {
		return call
	}
	id, wrong := s.postAnswer(h, p, answer)
	if wrong != nil {
		return failed(wrong.text())
	}
	call.Answered = id
	return call
}

// hookAnswer is what an outgoing webhook may be answered.
type hookAnswer struct {
	Text        *string                    `json:"text"`
	Username    string                     `json:"username"`
	IconURL     string                     `json:"icon_url"`
	Props       map[string]json.RawMessage `json:"props"`
	Attachments []attachment               `json:"attachments"`
	Type        string                     `json:"type"`
	Response    string                     `json:"response_type"`
}

// postAnswer posts an answer as the webhook's owner. It calls no webhook.
func (s *Server) postAnswer(h OutgoingHook, p Post, a hookAnswer) (string, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner, ch := s.users[h.CreatorID], s.channels[p.ChannelID]
	if owner == nil || ch == nil {
		return "", errNotFound("app.user.missing_account.const", "Unable to find the user.")
	}
	props := map[string]any{"from_webhook": "true", "webhook_display_name": h.DisplayName}
	for name, value := range a.Props {
		if name != "from_webhook" && name != "override_username" && name != "override_icon_url" {
			props[name] = value
		}
	}
	for i := range a.Attachments {
		a.Attachments[i].Text = slackLinks(a.Attachments[i].Text)
	}
	if len(a.Attachments) > 0 {
		props["attachments"] = a.Attachments
	}
	if s.config.on("EnablePostUsernameOverride") {
		if props["override_username"] = a.Username; a.Username == "" {
			props["override_username"] = "webhook"
		}
	}
	if a.IconURL != "" && s.config.on("EnablePostIconOverride") {
		props["override_icon_url"] = a.IconURL
	}
	raw, err := json.Marshal(props)
	if err != nil {
		return "", errParam("props")
	}
	text, root, first := "", "", ""
	if a.Text != nil {
		text = slackLinks(*a.Text)
	}
	if a.Response == "comment" {
		root = p.ID // which 5.37 refuses below a reply
	}
	for more := true; more; more = text != "" {
		part := text
		if utf8.RuneCountInString(text) > maxMessage {
			part = string([]rune(text)[:maxMessage])
		}
		text = text[len(part):]
		made := Post{ChannelID: ch.ID, RootID: root, Message: part, Props: raw, Type: a.Type}
		if wrong := s.insert(&made, ch, owner); wrong != nil {
			return "", wrong
		}
		if first == "" {
			first = made.ID
		}
	}
	return first, nil
}

// OnPost has f called after each new post, like Options.OnPost.
func (s *Server) OnPost(f func(at time.Time, p *Post)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.OnPost = f
}

// AddBot adds a bot of somebody else's that is in every channel there is.
func (s *Server) AddBot(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.addUser(name)
	u.IsBot = true
	for _, c := range s.channels {
		c.members[u.ID] = true
	}
}
