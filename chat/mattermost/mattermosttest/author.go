// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import "encoding/json"

// looks are the props by which a post shows another name and picture than its
// author's. The server keeps what it is given; clients show it if the post is
// marked as an integration's and the settings allow it.
type looks struct {
	Hook string `json:"from_webhook"`
	Name string `json:"override_username"`
	Icon string `json:"override_icon_url"`
}

// Author is the name and the picture's address that people see with the post;
// the picture is empty where it is the author's own.
func (c *Card) Author() (name, icon string) {
	p := c.Post()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	name = c.s.users[p.UserID].Username
	var l looks
	if json.Unmarshal(p.Props, &l) != nil || l.Hook != "true" {
		return name, ""
	}
	if l.Name != "" && c.s.config.on("EnablePostUsernameOverride") {
		name = l.Name
	}
	if c.s.config.on("EnablePostIconOverride") {
		icon = l.Icon
	}
	return name, icon
}

// StripOverrides makes the server one of 12 and later: only bots and webhooks
// may show another name and picture.
func (s *Server) StripOverrides() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strips = true
}

// stripped is a person's props without what only integrations may set. s.mu is held.
func (s *Server) stripped(props json.RawMessage, by *User) json.RawMessage {
	if !s.strips || by.IsBot || len(props) == 0 {
		return props
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(props, &all) != nil {
		return props
	}
	delete(all, "override_username")
	delete(all, "override_icon_url")
	out, err := json.Marshal(all)
	if err != nil {
		return props
	}
	return out
}
