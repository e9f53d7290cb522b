// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// adminRoutes are the calls by which a server is set up: settings (config.go),
// bots and their tokens, memberships, and integrations (integrations.go).
func adminRoutes() map[string]handler {
	return map[string]handler{
		"GET /api/v4/config":             (*Server).getConfig,
		"GET /api/v4/config/client":      (*Server).getClientConfig,
		"GET /api/v4/config/environment": (*Server).getConfigEnvironment,
		"PUT /api/v4/config/patch":       (*Server).patchConfig,

		"POST /api/v4/bots":                (*Server).createBot,
		"POST /api/v4/bots/{id}/enable":    (*Server).enableBot,
		"POST /api/v4/bots/{id}/disable":   (*Server).disableBot,
		"GET /api/v4/users/{id}/{what}":    (*Server).getOfUser,
		"POST /api/v4/users/{id}/tokens":   (*Server).createUserToken,
		"POST /api/v4/users/tokens/revoke": (*Server).revokeUserToken,

		"POST /api/v4/channels":                       (*Server).createChannel,
		"DELETE /api/v4/channels/{id}":                (*Server).archiveChannelCall,
		"GET /api/v4/teams/{id}/members/{user}":       (*Server).getTeamMember,
		"POST /api/v4/teams/{id}/members":             (*Server).addTeamMember,
		"DELETE /api/v4/teams/{id}/members/{user}":    (*Server).removeTeamMember,
		"GET /api/v4/channels/{id}/members/{user}":    (*Server).getChannelMember,
		"POST /api/v4/channels/{id}/members":          (*Server).addChannelMember,
		"DELETE /api/v4/channels/{id}/members/{user}": (*Server).removeChannelMember,

		"GET /api/v4/commands":               (*Server).listCommands,
		"POST /api/v4/commands":              (*Server).createCommand,
		"PUT /api/v4/commands/{id}":          (*Server).updateCommand,
		"DELETE /api/v4/commands/{id}":       (*Server).deleteCommand,
		"GET /api/v4/hooks/outgoing":         (*Server).listOutgoing,
		"POST /api/v4/hooks/outgoing":        (*Server).createOutgoing,
		"PUT /api/v4/hooks/outgoing/{id}":    (*Server).updateOutgoing,
		"DELETE /api/v4/hooks/outgoing/{id}": (*Server).deleteOutgoing,
		"GET /api/v4/oauth/apps":             (*Server).listOAuthApps,
		"POST /api/v4/oauth/apps":            (*Server).createOAuthApp,
		"PUT /api/v4/oauth/apps/{id}":        (*Server).updateOAuthApp,
		"DELETE /api/v4/oauth/apps/{id}":     (*Server).deleteOAuthApp,
	}
}

// accessToken is a token that was made by POST /users/{id}/tokens. What it is
// is shown once.
type accessToken struct {
	ID          string `json:"id"`
	Token       string `json:"token,omitempty"`
	UserID      string `json:"user_id"`
	Description string `json:"description"`
	IsActive    bool   `json:"is_active"`
}

// bot is an account that is no person, as POST /bots shows it.
type bot struct {
	UserID      string `json:"user_id"`
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	Description string `json:"description"`
	OwnerID     string `json:"owner_id"`
	CreateAt    int64  `json:"create_at"`
	DeleteAt    int64  `json:"delete_at"`
}

// isAdmin says whether somebody administers the system.
func (u *User) isAdmin() bool { return slices.Contains(strings.Fields(u.Roles), "system_admin") }

// read decodes a call's body; what is no JSON object is refused.
func (c call) read(into any) *apiError {
	if err := json.NewDecoder(c.Body).Decode(into); err != nil {
		return errParam("body")
	}
	return nil
}

func (s *Server) createBot(c call) (int, any, *apiError) {
	var b bot
	if err := c.read(&b); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.user.IsBot || !c.user.isAdmin():
		return 0, nil, errPermissions()
	case !s.config.on("EnableBotAccountCreation"):
		return 0, nil, fail(http.StatusForbidden, "api.bot.create_disabled", "Bot creation has been disabled.")
	case len(b.Username) < 3 || len(b.Username) > 22 || strings.ToLower(b.Username) != b.Username:
		return 0, nil, fail(http.StatusBadRequest, "model.user.is_valid.username.app_error", "Username must begin with a letter, and contain between 3 to 22 lowercase characters made up of numbers, letters, and the symbols \".\", \"-\", and \"_\".")
	case s.names[b.Username] != nil:
		return 0, nil, fail(http.StatusBadRequest, "app.user.save.username_exists.app_error", "An account with that username already exists.")
	}
	// A new bot is in no team and in no channel.
	u := &User{ID: newID(), Username: b.Username, CreateAt: millis(s.clock.Now()), Roles: "system_user", IsBot: true, display: b.DisplayName, description: b.Description, owner: c.user.ID}
	s.users[u.ID], s.names[u.Username] = u, u
	return http.StatusCreated, u.asBot(), nil
}

func (u *User) asBot() bot {
	return bot{UserID: u.ID, Username: u.Username, DisplayName: u.display, Description: u.description, OwnerID: u.owner, CreateAt: u.CreateAt, DeleteAt: u.DeleteAt}
}

func (s *Server) enableBot(c call) (int, any, *apiError) { return s.switchBot(c, 0) }
func (s *Server) disableBot(c call) (int, any, *apiError) {
	return s.switchBot(c, millis(s.clock.Now()))
}

func (s *Server) switchBot(c call, deleteAt int64) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[c.PathValue("id")]
	if !c.user.isAdmin() || u == nil || !u.IsBot {
		return 0, nil, errNotFound("store.sql_bot.get.missing.app_error", "Bot does not exist.")
	}
	u.DeleteAt = deleteAt
	return http.StatusOK, u.asBot(), nil
}

// getOfUser is two calls that one pattern of the router must tell apart.
func (s *Server) getOfUser(c call) (int, any, *apiError) {
	switch {
	case c.PathValue("id") == "username":
		return s.getUserByName(c)
	case c.PathValue("what") == "tokens":
		return s.listUserTokens(c)
	}
	return 0, nil, errNotFound("api.context.404.app_error", "Sorry, we could not find the page.")
}

func (s *Server) getUserByName(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.names[c.PathValue("what")]
	if u == nil {
		return 0, nil, errNotFound("app.user.missing_account.const", "Unable to find the user.")
	}
	return http.StatusOK, *u, nil
}

func (s *Server) createUserToken(c call) (int, any, *apiError) {
	var t accessToken
	if err := c.read(&t); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[c.PathValue("id")]
	switch {
	case u == nil || !c.user.isAdmin():
		return 0, nil, errPermissions()
	case t.Description == "":
		return 0, nil, errParam("description")
	case !s.config.on("EnableUserAccessTokens"):
		return 0, nil, fail(http.StatusNotImplemented, "app.user_access_token.disabled", "Personal access tokens are disabled on this server. Please contact your system administrator for details.")
	}
	t.ID, t.UserID, t.Token, t.IsActive = newID(), u.ID, newID(), true
	s.accessTokens = append(s.accessTokens, t)
	s.tokens[t.Token] = u
	return http.StatusOK, t, nil
}

func (s *Server) listUserTokens(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	list := []accessToken{}
	for _, t := range s.accessTokens {
		if t.UserID == c.PathValue("id") {
			t.Token = ""
			list = append(list, t)
		}
	}
	return http.StatusOK, list, nil
}

func (s *Server) revokeUserToken(c call) (int, any, *apiError) {
	var body struct {
		TokenID string `json:"token_id"`
	}
	if err := c.read(&body); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.accessTokens, func(t accessToken) bool { return t.ID == body.TokenID })
	if at < 0 || !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	delete(s.tokens, s.accessTokens[at].Token)
	s.accessTokens = slices.Delete(s.accessTokens, at, at+1)
	return 0, nil, nil
}

func (s *Server) createChannel(c call) (int, any, *apiError) {
	var made Channel
	if err := c.read(&made); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.teams[made.TeamID]
	switch {
	case t == nil || !t.members[c.user.ID]:
		return 0, nil, errPermissions()
	case made.Type != "O" && made.Type != "P":
		return 0, nil, fail(http.StatusBadRequest, "model.channel.is_valid.type.app_error", "Invalid type.")
	case !s.may(c.user, "create_*_channel", made.Type):
		return 0, nil, errPermissions()
	case made.DisplayName == "":
		return 0, nil, errParam("display_name")
	}
	if err := wrongTexts(&made); err != nil {
		return 0, nil, err
	}
	for _, other := range s.channels {
		if other.TeamID == t.id && other.Name == made.Name { // archived ones keep their names
			return 0, nil, fail(http.StatusBadRequest, "store.sql_channel.save_channel.exists.app_error", "A channel with that name already exists on the same team.")
		}
	}
	made.ID, made.CreateAt, made.DeleteAt = newID(), millis(s.clock.Now()), 0
	made.CreatorID = c.user.ID
	made.members = map[string]bool{c.user.ID: true}
	s.channels[made.ID] = &made
	return http.StatusCreated, made, nil
}

func (s *Server) archiveChannelCall(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.keepable(c, "delete_*_channel")
	if err != nil {
		return 0, nil, err
	}
	if ch.DeleteAt != 0 {
		return 0, nil, fail(http.StatusBadRequest, "api.channel.delete_channel.deleted.app_error", "The channel has been archived or deleted.")
	}
	ch.DeleteAt = millis(s.clock.Now())
	return 0, nil, nil
}

// TokensOf returns the access tokens that were made for somebody through the API.
func (s *Server) TokensOf(user string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(user)
	var out []string
	for _, t := range s.accessTokens {
		if t.UserID == u.ID {
			out = append(out, t.Token)
		}
	}
	return out
}
