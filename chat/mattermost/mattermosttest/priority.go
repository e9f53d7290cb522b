// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import "net/http"

// Metadata of a post, as far as it is known here.
type Metadata struct {
	Priority *PostPriority `json:"priority,omitempty"`
	// Reactions are those on the post.
	Reactions []Reaction `json:"reactions,omitempty"`
}

// PostPriority is how much a post asks for attention: "", "important" or
// "urgent" (7.7 and later).
type PostPriority struct {
	Priority     string `json:"priority"`
	RequestedAck bool   `json:"requested_ack,omitempty"`
}

// takePriority judges the priority of a new post. Where the setting is not
// known, as in servers before 7.7, it is passed over. s.mu is held.
func (s *Server) takePriority(p *Post) *apiError {
	wanted := p.Metadata.Priority
	if _, known := s.config[service]["PostPriority"]; !known {
		p.Metadata = Metadata{}
		return nil
	}
	switch {
	case wanted == nil:
		return nil
	case !s.config.on("PostPriority"):
		return fail(http.StatusForbidden, "api.post.post_priority.priority_post_not_allowed_for_user.request_error", "You are not allowed to create a priority post.")
	case p.RootID != "":
		return fail(http.StatusBadRequest, "api.post.post_priority.priority_post_only_allowed_for_root_post.request_error", "Only root posts can have a priority.")
	case wanted.RequestedAck && !s.licensed:
		return fail(http.StatusNotImplemented, "license_error.feature_unavailable", "Feature is not available for the current license.")
	}
	return nil
}

// License makes the server one of Professional, which may ask people to
// confirm that they read a post.
func (s *Server) License() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.licensed = true
}

// ForgetSetting makes a key of ServiceSettings unknown, as it is to older servers.
func (s *Server) ForgetSetting(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.config[service], key)
}

// Priority is the label that people see beside the post's author: "",
// "important" or "urgent", and whether it asks them to confirm.
func (c *Card) Priority() (label string, requestsAck bool) {
	if p := c.Post().Metadata.Priority; p != nil {
		return p.Priority, p.RequestedAck
	}
	return "", false
}
