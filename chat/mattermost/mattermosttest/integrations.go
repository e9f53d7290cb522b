// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"net/http"
	"slices"
	"strings"
)

// Command is a slash command of a team.
type Command struct {
	ID               string `json:"id"`
	Token            string `json:"token"`
	CreateAt         int64  `json:"create_at"`
	CreatorID        string `json:"creator_id"`
	TeamID           string `json:"team_id"`
	Trigger          string `json:"trigger"`
	Method           string `json:"method"`
	Username         string `json:"username"`
	IconURL          string `json:"icon_url"`
	AutoComplete     bool   `json:"auto_complete"`
	AutoCompleteDesc string `json:"auto_complete_desc"`
	AutoCompleteHint string `json:"auto_complete_hint"`
	DisplayName      string `json:"display_name"`
	Description      string `json:"description"`
	URL              string `json:"url"`
}

// OutgoingHook is an outgoing webhook of a team.
type OutgoingHook struct {
	ID           string   `json:"id"`
	Token        string   `json:"token"`
	CreateAt     int64    `json:"create_at"`
	CreatorID    string   `json:"creator_id"`
	ChannelID    string   `json:"channel_id"`
	TeamID       string   `json:"team_id"`
	TriggerWords []string `json:"trigger_words"`
	TriggerWhen  int      `json:"trigger_when"`
	CallbackURLs []string `json:"callback_urls"`
	DisplayName  string   `json:"display_name"`
	Description  string   `json:"description"`
	ContentType  string   `json:"content_type"`
}

// OAuthApp is an application that people can sign in to with their account.
type OAuthApp struct {
	ID           string   `json:"id"`
	CreatorID    string   `json:"creator_id"`
	CreateAt     int64    `json:"create_at"`
	ClientSecret string   `json:"client_secret"`
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	CallbackURLs []string `json:"callback_urls"`
	Homepage     string   `json:"homepage"`
	IsTrusted    bool     `json:"is_trusted"`
}

// builtinTriggers are some of the words that the server keeps for itself.
func builtinTriggers() []string {
	return []string{"away", "code", "collapse", "dnd", "echo", "expand", "header", "help", "invite", "join", "kick", "leave", "logout", "me", "msg", "mute", "offline", "online", "open", "purpose", "rename", "remove", "search", "settings", "shortcuts", "shrug", "status"}
}

func errCommandsOff() *apiError {
	return fail(http.StatusNotImplemented, "api.command.disabled.app_error", "Commands have been disabled by the system admin.")
}

// wrongCommand judges a command that somebody wants; id is its own.
func (s *Server) wrongCommand(c Command, id string) *apiError {
	invalid := func(what string) *apiError {
		return fail(http.StatusBadRequest, "model.command.is_valid."+what+".app_error", "Invalid "+what+".")
	}
	switch {
	case s.teams[c.TeamID] == nil:
		return invalid("team_id")
	case c.Trigger == "" || len(c.Trigger) > 128 || strings.HasPrefix(c.Trigger, "/") || strings.Contains(c.Trigger, " "):
		return invalid("trigger")
	case !isHTTP(c.URL) || len(c.URL) > 1024:
		return invalid("url")
	case c.Method != "P" && c.Method != "G":
		return invalid("method")
	case len(c.DisplayName) > 64:
		return invalid("display_name")
	case len(c.AutoCompleteHint) > 1024 || len(c.AutoCompleteDesc) > 1024:
		return invalid("description")
	}
	taken := slices.Contains(builtinTriggers(), c.Trigger)
	for _, other := range s.commands {
		taken = taken || other.ID != id && other.TeamID == c.TeamID && other.Trigger == c.Trigger
	}
	if taken {
		return fail(http.StatusBadRequest, "api.command.duplicate_trigger.app_error", "This trigger word is already in use. Please choose another word.")
	}
	return nil
}

func isHTTP(url string) bool {
	return strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://")
}

func (s *Server) createCommand(c call) (int, any, *apiError) {
	var made Command
	if err := c.read(&made); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	if !s.config.on("EnableCommands") {
		return 0, nil, errCommandsOff()
	}
	if err := s.wrongCommand(made, ""); err != nil {
		return 0, nil, err
	}
	made.ID, made.Token, made.CreatorID, made.CreateAt = newID(), newID(), c.user.ID, millis(s.clock.Now())
	s.commands = append(s.commands, &made)
	return http.StatusCreated, made, nil
}

func (s *Server) listCommands(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.config.on("EnableCommands") {
		return 0, nil, errCommandsOff()
	}
	list := []Command{}
	for _, cmd := range s.commands {
		if c.user.isAdmin() && cmd.TeamID == c.URL.Query().Get("team_id") {
			list = append(list, *cmd)
		}
	}
	return http.StatusOK, list, nil
}

// commandOf finds a command that the caller may change.
func (s *Server) commandOf(c call) (*Command, *apiError) {
	at := slices.IndexFunc(s.commands, func(cmd *Command) bool { return cmd.ID == c.PathValue("id") })
	if at < 0 || !c.user.isAdmin() {
		return nil, errNotFound("store.sql_command.get.missing.app_error", "Command does not exist.")
	}
	return s.commands[at], nil
}

func (s *Server) updateCommand(c call) (int, any, *apiError) {
	var want Command
	if err := c.read(&want); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.commandOf(c)
	if err != nil {
		return 0, nil, err
	}
	want.ID, want.Token, want.CreatorID, want.CreateAt, want.TeamID = old.ID, old.Token, old.CreatorID, old.CreateAt, old.TeamID
	if err := s.wrongCommand(want, old.ID); err != nil {
		return 0, nil, err
	}
	*old = want
	return http.StatusOK, want, nil
}

func (s *Server) deleteCommand(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd, err := s.commandOf(c)
	if err != nil {
		return 0, nil, err
	}
	s.commands = slices.DeleteFunc(s.commands, func(x *Command) bool { return x == cmd })
	return 0, nil, nil
}

// Commands returns the slash commands there are.
func (s *Server) Commands() []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Command
	for _, c := range s.commands {
		out = append(out, *c)
	}
	return out
}

func (s *Server) createOutgoing(c call) (int, any, *apiError) {
	var made OutgoingHook
	if err := c.read(&made); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.config.on("EnableOutgoingWebhooks"):
		return 0, nil, fail(http.StatusNotImplemented, "api.outgoing_webhook.disabled.app_error", "Outgoing webhooks have been disabled by the system admin.")
	case !c.user.isAdmin() || s.teams[made.TeamID] == nil:
		return 0, nil, errPermissions()
	case len(made.TriggerWords) == 0 && made.ChannelID == "":
		return 0, nil, fail(http.StatusBadRequest, "api.webhook.create_outgoing.triggers.app_error", "Either trigger_words or channel_id must be set.")
	case len(made.CallbackURLs) == 0 || slices.ContainsFunc(made.CallbackURLs, func(u string) bool { return !isHTTP(u) }):
		return 0, nil, fail(http.StatusBadRequest, "model.outgoing_hook.is_valid.callback.app_error", "Invalid callback URLs. Each must be a valid URL and start with http:// or https://.")
	case made.ChannelID != "" && (s.channels[made.ChannelID] == nil || s.channels[made.ChannelID].Type != "O"):
		return 0, nil, fail(http.StatusForbidden, "api.webhook.create_outgoing.not_open.app_error", "Outgoing webhooks can only be created for public channels.")
	}
	for _, other := range s.outgoing {
		if other.ChannelID == made.ChannelID && other.TeamID == made.TeamID && intersects(other.TriggerWords, made.TriggerWords) && intersects(other.CallbackURLs, made.CallbackURLs) {
			return 0, nil, fail(http.StatusBadRequest, "api.webhook.create_outgoing.intersect.app_error", "Outgoing webhooks from the same channel cannot have the same trigger words/callback URLs.")
		}
	}
	switch owner := s.users[made.CreatorID]; {
	case made.CreatorID == "":
		made.CreatorID = c.user.ID
	case owner == nil:
		return 0, nil, errNotFound("app.user.missing_account.const", "Unable to find the user.")
	}
	made.ID, made.Token, made.CreateAt = newID(), newID(), millis(s.clock.Now())
	s.outgoing = append(s.outgoing, &made)
	return http.StatusCreated, made, nil
}

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

func (s *Server) listOutgoing(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.config.on("EnableOutgoingWebhooks") {
		return 0, nil, fail(http.StatusNotImplemented, "api.outgoing_webhook.disabled.app_error", "Outgoing webhooks have been disabled by the system admin.")
	}
	list := []OutgoingHook{}
	for _, h := range s.outgoing {
		if team := c.URL.Query().Get("team_id"); c.user.isAdmin() && (team == "" || h.TeamID == team) {
			list = append(list, *h)
		}
	}
	return http.StatusOK, list, nil
}

func (s *Server) updateOutgoing(c call) (int, any, *apiError) {
	var want OutgoingHook
	if err := c.read(&want); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.outgoing, func(h *OutgoingHook) bool { return h.ID == c.PathValue("id") })
	if at < 0 || !c.user.isAdmin() {
		return 0, nil, errNotFound("app.webhooks.get_outgoing.app_error", "Unable to get the webhook.")
	}
	old := s.outgoing[at]
	want.ID, want.Token, want.TeamID, want.CreatorID, want.CreateAt = old.ID, old.Token, old.TeamID, old.CreatorID, old.CreateAt
	*old = want
	return http.StatusOK, want, nil
}

func (s *Server) deleteOutgoing(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.outgoing, func(h *OutgoingHook) bool { return h.ID == c.PathValue("id") }) || !c.user.isAdmin() {
		return 0, nil, errNotFound("app.webhooks.get_outgoing.app_error", "Unable to get the webhook.")
	}
	s.outgoing = slices.DeleteFunc(s.outgoing, func(h *OutgoingHook) bool { return h.ID == c.PathValue("id") })
	return 0, nil, nil
}

// OutgoingHooks returns the outgoing webhooks there are.
func (s *Server) OutgoingHooks() []OutgoingHook {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []OutgoingHook
	for _, h := range s.outgoing {
		out = append(out, *h)
	}
	return out
}
