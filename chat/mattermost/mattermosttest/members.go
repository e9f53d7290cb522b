// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import "net/http"

func errNoTeamMember() *apiError {
	return errNotFound("app.team.get_member.missing.app_error", "No team member found for that user ID and team ID.")
}

func (s *Server) getTeamMember(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, user := s.teams[c.PathValue("id")], c.PathValue("user")
	if t == nil || !t.members[c.user.ID] && !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	if !t.members[user] {
		return 0, nil, errNoTeamMember()
	}
	return http.StatusOK, map[string]any{"team_id": t.id, "user_id": user, "delete_at": 0}, nil
}

func (s *Server) addTeamMember(c call) (int, any, *apiError) {
	var body struct {
		TeamID string `json:"team_id"`
		UserID string `json:"user_id"`
	}
	if err := c.read(&body); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.teams[c.PathValue("id")]
	switch {
	case t == nil || !c.user.isAdmin():
		return 0, nil, errPermissions()
	case body.TeamID != t.id:
		return 0, nil, errParam("team_id")
	case s.users[body.UserID] == nil:
		return 0, nil, errNotFound("app.user.missing_account.const", "Unable to find the user.")
	}
	t.members[body.UserID] = true
	return http.StatusCreated, map[string]any{"team_id": t.id, "user_id": body.UserID, "delete_at": 0}, nil
}

// removeTeamMember takes somebody out of a team, and with it out of its channels.
func (s *Server) removeTeamMember(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, user := s.teams[c.PathValue("id")], c.PathValue("user")
	if t == nil || !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	if !t.members[user] {
		return 0, nil, errNoTeamMember()
	}
	delete(t.members, user)
	for _, ch := range s.channels {
		if ch.TeamID == t.id {
			delete(ch.members, user)
		}
	}
	return 0, nil, nil
}

// memberOf finds a channel that the caller may look into.
func (s *Server) memberOf(c call) (*Channel, *apiError) {
	ch := s.channels[c.PathValue("id")]
	if ch == nil || !ch.members[c.user.ID] && !c.user.isAdmin() {
		return nil, errPermissions()
	}
	return ch, nil
}

func (s *Server) getChannelMember(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.memberOf(c)
	if err != nil {
		return 0, nil, err
	}
	user := c.PathValue("user")
	if !ch.members[user] {
		return 0, nil, errNotFound("app.channel.get_member.missing.app_error", "No channel member found for that user ID and channel ID.")
	}
	return http.StatusOK, map[string]any{"channel_id": ch.ID, "user_id": user}, nil
}

func (s *Server) addChannelMember(c call) (int, any, *apiError) {
	var body struct {
		UserID string `json:"user_id"`
	}
	if err := c.read(&body); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.memberOf(c)
	switch {
	case err != nil:
		return 0, nil, err
	case ch.DeleteAt != 0:
		return 0, nil, fail(http.StatusBadRequest, "api.channel.add_user_to_channel.deleted.app_error", "The channel has been archived or deleted.")
	case !s.may(c.user, "manage_*_channel_members", ch.Type):
		return 0, nil, errPermissions()
	case s.users[body.UserID] == nil:
		return 0, nil, errNotFound("app.user.missing_account.const", "Unable to find the user.")
	case !s.teams[ch.TeamID].members[body.UserID]:
		return 0, nil, errNoTeamMember()
	}
	ch.members[body.UserID] = true
	return http.StatusCreated, map[string]any{"channel_id": ch.ID, "user_id": body.UserID}, nil
}

func (s *Server) removeChannelMember(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.memberOf(c)
	if err != nil {
		return 0, nil, err
	}
	delete(ch.members, c.PathValue("user"))
	return 0, nil, nil
}

// InTeam says whether somebody is in the first team; InChannel whether they
// are in a channel.
func (s *Server) InTeam(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.teamNamed(Team).members[s.user(user).ID]
}

// InChannel says whether somebody is in a channel.
func (s *Server) InChannel(user, channel string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channelNamed(channel).members[s.user(user).ID]
}

// Knows says whether there is an active account of this name.
func (s *Server) Knows(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.names[user]
	return u != nil && u.DeleteAt == 0
}
