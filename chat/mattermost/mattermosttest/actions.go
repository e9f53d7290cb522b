// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// triggerTime is how long a trigger id lives, as on old servers.
const triggerTime = 3 * time.Second

// trigger is the permission to open dialogs for somebody.
type trigger struct {
	user    string
	channel string
	until   time.Time
}

// integration is what a button sends and where to.
type integration struct {
	URL     string          `json:"url"`
	Context json.RawMessage `json:"context"`
}

// action is a button or a menu of an attachment.
type action struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Type        string      `json:"type"`
	Style       string      `json:"style"`
	Integration integration `json:"integration"`
}

// attachment is one attachment of a post's props.
type attachment struct {
	Fallback   string   `json:"fallback"`
	Color      string   `json:"color"`
	Pretext    string   `json:"pretext"`
	AuthorName string   `json:"author_name"`
	Title      string   `json:"title"`
	TitleLink  string   `json:"title_link"`
	Text       string   `json:"text"`
	Footer     string   `json:"footer"`
	Actions    []action `json:"actions"`
	Fields     []struct {
		Title string `json:"title"`
		Value any    `json:"value"`
	} `json:"fields"`
}

func attachmentsOf(props json.RawMessage) []attachment {
	var p struct {
		Attachments []attachment `json:"attachments"`
	}
	_ = json.Unmarshal(props, &p) // what is not as it should be is not shown
	return p.Attachments
}

// pressed is what a click led to: the API's answer and what came over the
// person's websocket.
type pressed struct {
	err     *apiError
	whisper string
}

// doAction is POST /posts/{id}/actions/{action}: a click by the caller.
func (s *Server) doAction(c call) (int, any, *apiError) {
	id, name := c.PathValue("id"), c.PathValue("action")
	if !isAlnum(id) || !isAlnum(name) { // the real route matches [A-Za-z0-9]+ only
		return 0, nil, errNotFound("api.context.404.app_error", "Sorry, we could not find the page.")
	}
	s.mu.Lock()
	user := *c.user
	s.mu.Unlock()
	return 0, nil, s.press(user, id, name).err
}

func errAction() *apiError {
	return fail(http.StatusBadRequest, "api.post.do_action.action_integration.app_error", "Action integration error.")
}

// press carries a click out: it calls the integration and applies its answer.
func (s *Server) press(user User, postID, actionID string) pressed {
	missing := errNotFound("api.post.do_action.action_id.app_error", "Invalid action id.")
	if !isAlnum(actionID) {
		return pressed{err: errNotFound("api.context.404.app_error", "Sorry, we could not find the page.")}
	}
	s.mu.Lock()
	p := s.posts[postID]
	if p == nil || p.DeleteAt != 0 {
		s.mu.Unlock()
		return pressed{err: missing}
	}
	ch := s.channels[p.ChannelID]
	if ch == nil || !ch.members[user.ID] {
		s.mu.Unlock()
		return pressed{err: errPermissions()}
	}
	var clicked *action
	for _, a := range attachmentsOf(p.Props) {
		for _, act := range a.Actions {
			if act.ID == actionID && act.Integration.URL != "" {
				clicked = &act
			}
		}
	}
	if clicked == nil {
		s.mu.Unlock()
		return pressed{err: missing}
	}
	body := s.clickOf(user, ch, p.ID, clicked)
	s.mu.Unlock()
	raw, err := s.callBack(clicked.Integration.URL, body)
	if err != nil {
		return pressed{err: errAction()}
	}
	return s.applyAnswer(postID, raw)
}

// clickOf is what an integration is sent for a click. s.mu must be held.
func (s *Server) clickOf(user User, ch *Channel, postID string, clicked *action) map[string]any {
	t := s.teams[ch.TeamID]
	if t == nil { // a direct channel is in no team
		t = &team{}
	}
	return map[string]any{
		"user_id": user.ID, "user_name": user.Username, "channel_id": ch.ID, "channel_name": ch.Name,
		"team_id": t.id, "team_domain": t.name, "post_id": postID, "trigger_id": s.newTrigger(user.ID, ch.ID),
		"type": clicked.Type, "data_source": "", "context": clicked.Integration.Context,
	}
}

// Click has whoever typed the command click a button of the answer that they
// alone see. The message is kept nowhere: an answer that wants to update it
// shows them an error, although everything was done.
func (t Typed) Click(label string) Outcome {
	s := t.s
	for _, a := range t.shown {
		for n := range a.Actions {
			clicked := &a.Actions[n]
			if clicked.Name != label || clicked.Integration.URL == "" || !isAlnum(clicked.ID) {
				continue
			}
			s.mu.Lock()
			body := s.clickOf(t.user, s.channels[t.channel], newID(), clicked)
			s.mu.Unlock()
			raw, err := s.callBack(clicked.Integration.URL, body)
			res := pressed{err: errAction()}
			if err == nil {
				res = s.applyAnswer("", raw)
			}
			out := Outcome{Failed: res.err.text(), Reading: Read(res.whisper)}
			out.Whisper = out.Reading.Text
			return out
		}
	}
	s.fatalf("the answer has no button %q: %q", label, t.Whisper)
	return Outcome{}
}

// applyAnswer reads the answer to a click and does what it says. An update of a
// post that is not kept, or was deleted meanwhile, fails after the side effect.
func (s *Server) applyAnswer(postID string, raw []byte) pressed {
	var answer struct {
		Update *struct {
			Message string           `json:"message"`
			Props   *json.RawMessage `json:"props"`
		} `json:"update"`
		EphemeralText string `json:"ephemeral_text"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return pressed{err: errAction()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.posts[postID]; answer.Update != nil {
		if p == nil || p.DeleteAt != 0 {
			return pressed{err: errNotFound("app.post.get.app_error", "Unable to get the post.")}
		}
		p.Message = answer.Update.Message // blank if the answer has none
		if answer.Update.Props != nil {
			p.Props = *answer.Update.Props
		}
		p.EditAt = millis(s.clock.Now())
		p.UpdateAt = p.EditAt
	}
	return pressed{whisper: answer.EphemeralText}
}

// newTrigger returns a trigger id. s.mu must be held.
func (s *Server) newTrigger(user, channel string) string {
	id := newID() + newID()
	s.triggers[id] = trigger{user: user, channel: channel, until: s.clock.Now().Add(triggerTime)}
	return id
}

// callBack posts to an integration without any sign of who we are. Only 200
// counts. A redirect is followed as GET, so the body is lost.
func (s *Server) callBack(url string, body any) ([]byte, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(b)) //nolint:noctx // the client has the server's 30 s
	if err != nil {
		return nil, err
	}
	if !s.mayCall(req.URL.Hostname()) {
		return nil, fmt.Errorf("address forbidden, you may need to set AllowedUntrustedInternalConnections to allow an integration access to your internal network")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // only read from
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status=%d", res.StatusCode)
	}
	return raw, nil
}
