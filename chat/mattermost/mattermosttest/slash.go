// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	// responseTime and responseUses bound a command's response_url.
	responseTime = 30 * time.Minute
	responseUses = 5
)

// Typed is what somebody sees after typing a line that begins with "/".
type Typed struct {
	Outcome
	// By is who the answer is signed with: without a username of its own it is
	// the person themselves.
	By string
	// Posted is what an in_channel answer put up, as a post by the person.
	Posted *Card

	// What only the person sees, for Click.
	s       *Server
	user    User
	channel string
	shown   []attachment
}

// commandCall is one execution of a slash command: where late answers go.
type commandCall struct {
	user, channel string
	until         time.Time
	uses          int
}

// AddCommand registers a slash command in the first team, as an administrator
// would, and returns its token.
func (s *Server) AddCommand(trigger, url string) (token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Command{Trigger: trigger, URL: url, Method: "P", AutoComplete: true, TeamID: s.teamNamed(Team).id}
	if err := s.wrongCommand(c, ""); err != nil {
		s.fatalf("can't add the command /%s: %s", trigger, err.text())
	}
	c.ID, c.Token, c.CreateAt = newID(), newID(), millis(s.clock.Now())
	s.commands = append(s.commands, &c)
	return c.Token
}

// MoveCommand has a command call another address.
func (s *Server) MoveCommand(trigger, url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.commands {
		if c.Trigger == trigger {
			c.URL = url
		}
	}
}

// SetCommandToken gives a command another token, as an administrator's
// "Regenerate token" does.
func (s *Server) SetCommandToken(trigger, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.commands {
		if c.Trigger == trigger {
			c.Token = token
		}
	}
}

// Type types a line into a channel as somebody and returns what they see.
func (s *Server) Type(person, channel, line string) Typed {
	s.mu.Lock()
	user, ch := *s.user(person), s.channelNamed(channel).ID
	before := s.dialogs[user.ID]
	s.mu.Unlock()
	answer, err := s.execute(user, ch, "", line)
	if err != nil {
		return Typed{Outcome: Outcome{Failed: err.text()}}
	}
	t := s.shownTo(user, ch, answer)
	s.mu.Lock()
	defer s.mu.Unlock()
	if opened := s.dialogs[user.ID]; opened != before {
		t.Dialog = opened
	}
	return t
}

// LateWhispers returns what somebody was shown through response_url, oldest first.
func (s *Server) LateWhispers(person string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.late[s.user(person).ID]...)
}

// commandAnswer is what an integration answers.
type commandAnswer struct {
	ResponseType string       `json:"response_type"`
	Text         string       `json:"text"`
	Username     string       `json:"username"`
	Attachments  []attachment `json:"attachments"`
	Literal      bool         `json:"skip_slack_parsing"`
}

// shownTo carries an answer out and returns what the person sees of it.
func (s *Server) shownTo(user User, channel string, a commandAnswer) Typed {
	t := Typed{By: a.Username}
	if t.By == "" {
		t.By = user.Username
	}
	text := a.Text
	if !a.Literal {
		text = slackLinks(text)
	}
	if a.ResponseType == "in_channel" {
		s.mu.Lock()
		defer s.mu.Unlock()
		p := Post{Message: text, ChannelID: channel, Props: attachmentProps(a.Attachments)}
		if err := s.insert(&p, s.channels[channel], &user); err != nil {
			t.Failed = err.text()
			return t
		}
		s.callHooks(&p, s.channels[channel], &user)
		t.Posted = &Card{s: s, id: p.ID}
		return t
	}
	t.s, t.user, t.channel, t.shown = s, user, channel, a.Attachments
	t.Reading = readPost(text, a.Attachments)
	t.Whisper = t.Reading.Text
	return t
}

func attachmentProps(list []attachment) json.RawMessage {
	raw, err := json.Marshal(map[string]any{"attachments": list})
	if err != nil {
		panic(err) // only our own types come here
	}
	return raw
}

var slackLink = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`<([^<>|\s]+)\|([^<>|\n]+)>`) })

// slackLinks reads Slack's markup in an answer, as the server does unless told
// not to.
func slackLinks(text string) string {
	text = slackLink().ReplaceAllString(text, "[$2]($1)")
	return strings.NewReplacer("<!here>", "@here", "<!channel>", "@channel", "<!all>", "@all", "<!everyone>", "@all").Replace(text)
}

// executeCommand is POST /commands/execute.
func (s *Server) executeCommand(c call) (int, any, *apiError) {
	var in struct {
		ChannelID string `json:"channel_id"`
		TeamID    string `json:"team_id"`
		Command   string `json:"command"`
	}
	if err := c.read(&in); err != nil {
		return 0, nil, err
	}
	if len(in.Command) <= 1 || in.Command[0] != '/' || !isID(in.ChannelID) {
		return 0, nil, errParam("command")
	}
	s.mu.Lock()
	user := *c.user
	s.mu.Unlock()
	answer, err := s.execute(user, in.ChannelID, in.TeamID, in.Command)
	if err != nil {
		return 0, nil, err
	}
	s.shownTo(user, in.ChannelID, answer)
	return http.StatusOK, answer, nil
}

// execute finds the command that a line begins with and calls its integration.
// A direct channel is in no team, so there the caller says which is meant.
func (s *Server) execute(user User, channel, teamID, line string) (commandAnswer, *apiError) {
	trigger, text := strings.TrimPrefix(line, "/"), ""
	// What follows the first white space is handed on raw.
	if i := strings.IndexFunc(line, unicode.IsSpace); i > 0 {
		trigger, text = line[1:i], line[i+1:]
	}
	s.mu.Lock()
	ch := s.channels[channel]
	if ch == nil || !ch.members[user.ID] {
		s.mu.Unlock()
		return commandAnswer{}, errPermissions()
	}
	if ch.TeamID != "" {
		teamID = ch.TeamID
	} else if t := s.teams[teamID]; t == nil || !t.members[user.ID] {
		s.mu.Unlock()
		return commandAnswer{}, errPermissions()
	}
	var found *Command
	for _, c := range s.commands {
		if c.TeamID == teamID && strings.EqualFold(c.Trigger, trigger) {
			found = c
		}
	}
	if found == nil || !s.config.on("EnableCommands") {
		s.mu.Unlock()
		return commandAnswer{}, errNotFound("api.command.execute_command.not_found.app_error", "Command with a trigger of '/"+trigger+"' not found. To send a message beginning with \"/\" try adding an empty space at the beginning of the message.")
	}
	command := *found
	form := s.commandForm(command, user, ch, text)
	s.mu.Unlock()
	return s.callCommand(command, form)
}

// commandForm is what an integration gets. s.mu must be held.
func (s *Server) commandForm(c Command, user User, ch *Channel, text string) url.Values {
	call := &commandCall{user: user.ID, channel: ch.ID, until: s.clock.Now().Add(responseTime)}
	id := newID()
	if s.calls == nil {
		s.calls = map[string]*commandCall{}
	}
	s.calls[id] = call
	form := url.Values{
		"token": {c.Token}, "team_id": {c.TeamID}, "team_domain": {s.teams[c.TeamID].name}, "channel_id": {ch.ID}, "channel_name": {ch.Name},
		"user_id": {user.ID}, "user_name": {user.Username}, "command": {"/" + c.Trigger}, "text": {text},
		"trigger_id": {s.newTrigger(user.ID, ch.ID)}, "response_url": {s.URL() + "/hooks/commands/" + id},
	}
	// Mentions are there only when somebody is mentioned.
	for _, m := range mention().FindAllStringSubmatch(text, -1) {
		if u := s.names[strings.ToLower(m[1])]; u != nil {
			form.Add("user_mentions", u.Username)
			form.Add("user_mentions_ids", u.ID)
		}
	}
	return form
}

// callCommand calls an integration. Only 200 with JSON counts.
func (s *Server) callCommand(c Command, form url.Values) (commandAnswer, *apiError) {
	failed := func(id, what string) (commandAnswer, *apiError) {
		return commandAnswer{}, fail(http.StatusInternalServerError, "api.command.execute_command."+id+".app_error", "Command with a trigger of '"+c.Trigger+"' "+what)
	}
	method, address, body := http.MethodPost, c.URL, form.Encode()
	if c.Method == "G" {
		method, address, body = http.MethodGet, c.URL+"?"+form.Encode(), ""
	}
	req, err := http.NewRequest(method, address, strings.NewReader(body)) //nolint:noctx // the client has the server's 30 s
	if err != nil {
		return failed("failed", "failed.")
	}
	if !s.mayCall(req.URL.Hostname()) {
		return failed("failed", "failed.")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Token "+c.Token)
	req.Header.Set("User-Agent", "Mattermost-Bot/1.1")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := s.client.Do(req)
	if err != nil {
		return failed("failed", "failed.")
	}
	defer func() { _ = res.Body.Close() }() // only read from
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return failed("failed", "failed.")
	}
	if res.StatusCode != http.StatusOK {
		return failed("failed_resp", "returned response "+res.Status+".")
	}
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return failed("failed", "failed.")
	}
	var answer *commandAnswer
	switch err := json.Unmarshal(raw, &answer); {
	case len(bytes.TrimSpace(raw)) == 0 || err == nil && (answer == nil || answer.Text == "" && len(answer.Attachments) == 0):
		return failed("failed_empty", "returned an empty response.")
	case err != nil:
		return failed("failed", "failed.")
	}
	return *answer, nil
}

// respond is POST /hooks/commands/{id}: a late answer by response_url.
func (s *Server) respond(c call) (int, any, *apiError) {
	invalid := func(what string) *apiError {
		return fail(http.StatusBadRequest, "web.command_webhook."+what+".app_error", "Invalid webhook.")
	}
	raw, err := io.ReadAll(c.Body)
	var answer commandAnswer
	if err != nil || json.Unmarshal(raw, &answer) != nil {
		return 0, nil, invalid("parse")
	}
	s.mu.Lock()
	call := s.calls[c.PathValue("id")]
	if call == nil || s.clock.Now().After(call.until) || call.uses >= responseUses {
		s.mu.Unlock()
		return 0, nil, invalid("invalid")
	}
	call.uses++
	user := *s.users[call.user]
	s.mu.Unlock()
	if seen := s.shownTo(user, call.channel, answer); seen.Posted == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.late == nil {
			s.late = map[string][]string{}
		}
		s.late[user.ID] = append(s.late[user.ID], seen.Whisper)
	}
	return http.StatusOK, json.RawMessage(`"ok"`), nil
}

// readPost is what is read of a text with attachments.
func readPost(message string, list []attachment) Reading {
	var r Reading
	var parts []string
	add := func(part Reading) {
		if part.Text != "" {
			parts = append(parts, part.Text)
		}
		r.Links = append(r.Links, part.Links...)
		r.Looks = append(r.Looks, part.Looks...)
	}
	add(Read(message))
	for _, a := range list {
		add(Read(a.Pretext))
		add(ReadLiteral(a.AuthorName))
		if a.TitleLink != "" {
			// The clients show a title with a link as it is.
			add(ReadLiteral(a.Title))
			r.Links = append(r.Links, a.TitleLink)
		} else {
			add(Read(a.Title))
		}
		add(Read(a.Text))
		for _, f := range a.Fields {
			add(ReadLiteral(f.Title))
			add(Read(fmt.Sprint(f.Value)))
		}
		add(ReadLiteral(a.Footer))
	}
	r.Text = strings.Join(parts, "\n")
	return r
}
