// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// Reaction is an emoji on a post.
type Reaction struct {
	UserID    string `json:"user_id"`
	PostID    string `json:"post_id"`
	EmojiName string `json:"emoji_name"`
	CreateAt  int64  `json:"create_at"`
}

// React puts an emoji on a post as somebody.
func (s *Server) React(user, post, emoji string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.posts[post]
	if p == nil || p.DeleteAt != 0 {
		s.fatalf("there is no post %q", post)
	}
	s.react(s.user(user), p, emoji)
}

// ReactLate tells of an emoji on a post that was deleted meanwhile.
func (s *Server) ReactLate(user, post, emoji string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tellReaction("reaction_added", Reaction{UserID: s.user(user).ID, PostID: post, EmojiName: emoji, CreateAt: millis(s.clock.Now())})
}

// ReactAs puts an emoji on the card as somebody.
func (c *Card) ReactAs(user, emoji string) { c.s.React(user, c.id, emoji) }

// react adds an emoji, once. s.mu is held.
func (s *Server) react(u *User, p *Post, emoji string) Reaction {
	r := Reaction{UserID: u.ID, PostID: p.ID, EmojiName: emoji, CreateAt: millis(s.clock.Now())}
	for _, old := range s.reactions[p.ID] {
		if old.UserID == r.UserID && old.EmojiName == emoji {
			return old
		}
	}
	if s.reactions == nil {
		s.reactions = map[string][]Reaction{}
	}
	s.reactions[p.ID] = append(s.reactions[p.ID], r)
	s.noteReactions(p)
	s.tellReaction("reaction_added", r)
	return r
}

// noteReactions keeps what lists show of a post's reactions. A reaction changes
// the post's update_at (updatePostForReactionsOnInsert in the server's store), so
// that ?since= lists it.
func (s *Server) noteReactions(p *Post) {
	p.Metadata.Reactions = slices.Clone(s.reactions[p.ID])
	p.UpdateAt = millis(s.clock.Now())
}

func (s *Server) tellReaction(name string, r Reaction) {
	raw, err := json.Marshal(r)
	if err != nil {
		panic(err) // only our own types come here
	}
	if ch := s.channels[s.posts[r.PostID].ChannelID]; ch != nil && !s.sockets.noReactions {
		s.publish(name, map[string]any{"reaction": string(raw)}, ch)
	}
}

// Unreact takes an emoji away.
func (s *Server) Unreact(user, post, emoji string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.user(user).ID
	s.reactions[post] = slices.DeleteFunc(s.reactions[post], func(r Reaction) bool {
		gone := r.UserID == id && r.EmojiName == emoji
		if gone {
			s.tellReaction("reaction_removed", r)
		}
		return gone
	})
	s.noteReactions(s.posts[post])
}

// listReactions is GET /posts/{id}/reactions: null where there are none.
func (s *Server) listReactions(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.readable(c)
	if err != nil {
		return 0, nil, err
	}
	if len(s.reactions[p.ID]) == 0 {
		return http.StatusOK, json.RawMessage("null"), nil
	}
	return http.StatusOK, slices.Clone(s.reactions[p.ID]), nil
}

// Say posts as somebody, in a thread when root isn't "", and returns the post's id.
func (s *Server) Say(user, channel, root, message string) string {
	return s.sayWith(user, channel, root, message, nil)
}

// SayByHook posts as an integration in somebody's name: it is stored as theirs.
func (s *Server) SayByHook(owner, channel, message string) string {
	return s.sayWith(owner, channel, "", message, json.RawMessage(`{"from_webhook":"true"}`))
}

// SayJoined has the server say that somebody joined a channel: a post of theirs
// that they did not write.
func (s *Server) SayJoined(user, channel string) string {
	id := s.sayWith(user, channel, "", user+" joined the channel.", json.RawMessage(`{"username":"`+user+`"}`))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts[id].Type = "system_join_channel"
	return id
}

func (s *Server) sayWith(user, channel, root, message string, props json.RawMessage) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channelNamed(channel)
	p := &Post{ChannelID: ch.ID, RootID: root, Message: message, Props: props}
	if err := s.insert(p, ch, s.user(user)); err != nil {
		s.fatalf("%s can't post: %s", user, err.Message)
	}
	if props == nil { // what webhooks post calls none
		s.callHooks(p, ch, s.user(user))
	}
	return p.ID
}

func (s *Server) myTeams(call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []map[string]string{}
	for _, t := range s.teams {
		out = append(out, map[string]string{"id": t.id, "name": t.name})
	}
	return http.StatusOK, out, nil
}

func (s *Server) myChannels(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Channel{}
	for _, ch := range s.channels {
		if ch.members[c.user.ID] && (ch.TeamID == c.PathValue("team") || ch.TeamID == "") &&
			(ch.DeleteAt == 0 || c.URL.Query().Get("include_deleted") == "true") {
			out = append(out, *ch)
		}
	}
	return http.StatusOK, out, nil
}

// createDirect is POST /channels/direct: the channel of two people, made when
// there is none.
func (s *Server) createDirect(c call) (int, any, *apiError) {
	var ids []string
	if err := c.read(&ids); err != nil || len(ids) != 2 {
		return 0, nil, errParam("user_ids")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[ids[0]] == nil || s.users[ids[1]] == nil {
		return 0, nil, errParam("user_ids")
	}
	if !slices.Contains(ids, c.user.ID) {
		return 0, nil, errPermissions()
	}
	slices.Sort(ids)
	name := ids[0] + "__" + ids[1]
	for _, ch := range s.channels {
		if ch.Name == name {
			return http.StatusCreated, *ch, nil
		}
	}
	ch := &Channel{ID: newID(), Name: name, Type: "D", CreateAt: millis(s.clock.Now()), members: map[string]bool{ids[0]: true, ids[1]: true}}
	s.channels[ch.ID] = ch
	return http.StatusCreated, *ch, nil
}

// Direct returns what stands in the channel that two people share alone, as stored.
func (s *Server) Direct(a, b string) []Post {
	s.mu.Lock()
	ids := []string{s.user(a).ID, s.user(b).ID}
	slices.Sort(ids)
	there := false
	for _, ch := range s.channels {
		there = there || ch.Name == ids[0]+"__"+ids[1]
	}
	s.mu.Unlock()
	if !there {
		return nil
	}
	return s.Posts(ids[0] + "__" + ids[1])
}

// Backdate makes a post, and the reactions to it, older than they are.
func (s *Server) Backdate(post string, by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts[post].CreateAt -= by.Milliseconds()
	for i := range s.reactions[post] {
		s.reactions[post][i].CreateAt -= by.Milliseconds()
	}
	s.posts[post].Metadata.Reactions = slices.Clone(s.reactions[post])
}
