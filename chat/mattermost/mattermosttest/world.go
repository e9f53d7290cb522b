// SPDX-License-Identifier: Apache-2.0

package mattermosttest

// User is a person or a bot.
type User struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	// DeleteAt is when the account was deactivated, in ms; 0: active.
	DeleteAt int64  `json:"delete_at"`
	CreateAt int64  `json:"create_at"`
	Nickname string `json:"nickname"`
	Roles    string `json:"roles"`
	IsBot    bool   `json:"is_bot,omitempty"`
	token    string
	purged   bool

	display, description, owner string // of a bot
}

type team struct {
	id, name string
	members  map[string]bool
}

// Channel is a channel of a team.
type Channel struct {
	ID          string `json:"id"`
	TeamID      string `json:"team_id"`
	Name        string `json:"name"`
	DisplayName string `json:"display_name"`
	// Type is "O" for a public channel, "P" for a private one.
	Type string `json:"type"`
	// DeleteAt is when it was archived, in ms; 0: it was not.
	DeleteAt int64 `json:"delete_at"`
	CreateAt int64 `json:"create_at"`
	// LastPostAt is when the newest post was made, in ms.
	LastPostAt int64 `json:"last_post_at"`
	// Header and Purpose are at most 1024 and 250 characters.
	Header    string `json:"header"`
	Purpose   string `json:"purpose"`
	CreatorID string `json:"creator_id"`
	members   map[string]bool
	posts     []*Post
	bookmarks []Bookmark
}

// populate makes the first team, its bot, and the people alice and bob.
func (s *Server) populate() {
	t := &team{id: newID(), name: Team, members: map[string]bool{}}
	s.teams[t.id] = t
	s.config = shipped()
	if !s.opts.Fresh {
		for _, key := range []string{"EnableUserAccessTokens", "EnableBotAccountCreation", "EnableOAuthServiceProvider", "EnablePostUsernameOverride", "EnablePostIconOverride"} {
			s.config[service][key] = true
		}
		bot := s.addUser(Bot)
		bot.IsBot = true
		s.botToken = bot.token
	}
	s.addUser("alice")
	s.addUser("bob")
	s.addUser("admin").Roles = "system_user system_admin"
}

func (s *Server) addUser(name string) *User {
	u := &User{ID: newID(), Username: name, CreateAt: millis(s.clock.Now()), Roles: "system_user", token: newID()}
	s.users[u.ID], s.names[name], s.tokens[u.token] = u, u, u
	for _, t := range s.teams {
		t.members[u.ID] = true
	}
	for _, c := range s.channels {
		if !u.IsBot {
			c.members[u.ID] = true
		}
	}
	return u
}

// AddUser adds a person who is in the team and in every channel there is.
func (s *Server) AddUser(name string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addUser(name)
}

// ShowAs gives a person a nickname, as which clients show them where the server
// says so (TeammateNameDisplay).
func (s *Server) ShowAs(name, nickname string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user(name).Nickname = nickname
}

// User returns the person or bot with this handle.
func (s *Server) User(name string) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.user(name)
}

func (s *Server) user(name string) *User {
	u := s.names[name]
	if u == nil {
		s.fatalf("nobody is called %q here", name)
	}
	return u
}

// UserToken returns a token of the person's session, to talk to the API as them.
func (s *Server) UserToken(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.user(name).token
}

// Deactivate ends an account; its name stays readable.
func (s *Server) Deactivate(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(name)
	u.DeleteAt = millis(s.clock.Now())
	delete(s.tokens, u.token)
}

// Purge removes an account for good: the API no longer knows its id.
func (s *Server) Purge(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(name)
	u.purged = true
	delete(s.tokens, u.token)
	delete(s.users, u.ID)
}

// Rename gives an account another handle.
func (s *Server) Rename(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(from)
	delete(s.names, from)
	u.Username = to
	s.names[to] = u
}

// AddTeam makes another team with everybody in it.
func (s *Server) AddTeam(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &team{id: newID(), name: name, members: map[string]bool{}}
	for id := range s.users {
		t.members[id] = true
	}
	s.teams[t.id] = t
}

// AddChannel makes a public channel in the first team with everybody in it,
// the bot included.
func (s *Server) AddChannel(name string) *Channel { return s.AddChannelIn(Team, name, "O") }

// AddChannelIn makes a channel of a type ("O", "P") in a team, with everybody in it.
func (s *Server) AddChannelIn(teamName, name, kind string) *Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.teamNamed(teamName)
	if t == nil {
		s.fatalf("there is no team %q", teamName)
	}
	c := &Channel{ID: newID(), TeamID: t.id, Name: name, DisplayName: "Channel " + name, Type: kind,
		CreateAt: millis(s.clock.Now()), members: map[string]bool{}}
	for id := range s.users {
		c.members[id] = true
	}
	s.channels[c.ID] = c
	return c
}

func (s *Server) teamNamed(name string) *team {
	for _, t := range s.teams {
		if t.name == name {
			return t
		}
	}
	return nil
}

// channelNamed finds a channel by handle in any team, or by id.
func (s *Server) channelNamed(name string) *Channel {
	if c := s.channels[name]; c != nil {
		return c
	}
	for _, c := range s.channels {
		if c.Name == name {
			return c
		}
	}
	s.fatalf("there is no channel %q", name)
	return nil
}

// Leave takes somebody out of a channel; Join puts them in.
func (s *Server) Leave(user, channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.channelNamed(channel).members, s.user(user).ID)
}

// Join puts somebody into a channel.
func (s *Server) Join(user, channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channelNamed(channel).members[s.user(user).ID] = true
}

// LeaveTeam takes somebody out of the first team, and with it out of its channels.
func (s *Server) LeaveTeam(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, u := s.teamNamed(Team), s.user(user)
	delete(t.members, u.ID)
	for _, ch := range s.channels {
		if ch.TeamID == t.id {
			delete(ch.members, u.ID)
		}
	}
}

// ArchiveChannel archives a channel: it keeps its name and takes no posts.
func (s *Server) ArchiveChannel(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channelNamed(name).DeleteAt = millis(s.clock.Now())
}

// RemoveChannel deletes a channel for good, as if it had never been.
func (s *Server) RemoveChannel(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.channels, s.channelNamed(name).ID)
}

// DeletePost deletes a post and its replies, as its author or an administrator would.
func (s *Server) DeletePost(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.posts[id]
	if p == nil {
		s.fatalf("there is no post %q", id)
	}
	s.deletePost(p)
}

func (s *Server) deletePost(p *Post) {
	now := millis(s.clock.Now())
	p.DeleteAt, p.UpdateAt = now, now
	if p.RootID != "" {
		return
	}
	if c := s.channels[p.ChannelID]; c != nil {
		for _, reply := range c.posts {
			if reply.RootID == p.ID {
				reply.DeleteAt, reply.UpdateAt = now, now
			}
		}
	}
}

// PostsIn returns how many posts, notes in threads included, stand in a channel.
func (s *Server) PostsIn(channel string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.channelNamed(channel).posts {
		if p.DeleteAt == 0 {
			n++
		}
	}
	return n
}

// Posts returns copies of what stands in a channel, oldest first, as stored:
// with the integrations of buttons, which no client is ever shown.
func (s *Server) Posts(channel string) []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Post
	for _, p := range s.channelNamed(channel).posts {
		if p.DeleteAt == 0 {
			out = append(out, *p)
		}
	}
	return out
}
