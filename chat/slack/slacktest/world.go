// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The world every workspace starts with: the app's bot and its people.
const (
	TeamID = "T0SLACKTEST"
	// OtherTeamID is the workspace of strangers.
	OtherTeamID = "T0ELSEWHERE"
	TeamName    = "Operations"
	Domain      = "operations"
	AppID       = "A0BELFRY001"
	Bot         = "belfry"
	BotID       = "B0BELFRY001"
	BotUser     = "U0BELFRY001"
)

// User is a person, or the app's bot.
type User struct {
	ID, Name, DisplayName, Email string
	Deleted, IsBot               bool
	// Stranger is somebody of another workspace who shares a channel with us.
	Stranger bool
}

// Group is a user group.
type Group struct {
	ID, Handle string
	Members    []string
}

// Channel is a channel of the workspace.
type Channel struct {
	ID, Name       string
	Creator        string
	Private        bool
	Archived       bool
	Topic, Purpose string
	// Members are user ids.
	Members   map[string]bool
	Pins      []string // ts
	Bookmarks []*Bookmark
	messages  []*Message
	// refuses is the error that posting here leads to.
	refuses string
}

// Bookmark is a link above a channel.
type Bookmark struct {
	ID, Title, Link, Emoji, AppID string
}

// Message is a message as Slack keeps it.
type Message struct {
	TS, ThreadTS, Channel string
	User, BotID           string
	Username, Icon        string
	// Subtype is that of a message which is no person's words.
	Subtype             string
	Text                string
	Blocks, Attachments []any
	// EventType and Payload are its metadata.
	EventType string
	Payload   map[string]any
	Edited    bool
	Deleted   bool
	// Hooked messages came by an incoming webhook.
	Hooked bool
	// rings is whom it rang when it was posted.
	rings []string
	args  map[string]string
}

// allScopes are the bot scopes of the app, all granted at first.
var allScopes = []string{"chat:write", "chat:write.public", "chat:write.customize", "commands", "channels:manage", "channels:read", "channels:join",
	"groups:write", "groups:read", "channels:history", "groups:history", "users:read", "users:read.email", "usergroups:read", "im:write",
	"app_mentions:read", "reactions:read", "reactions:write", "pins:write", "bookmarks:write", "bookmarks:read", "files:write"}

// populate makes the world. s.mu need not be held.
func (s *Server) populate() {
	s.botToken = "xoxb-5173-0001-" + strings.Repeat("k", 24)
	s.appToken = "xapp-1-" + AppID + "-0001-" + strings.Repeat("p", 32)
	s.secret = strings.Repeat("5ec3e7", 5) + "ab"
	for _, scope := range allScopes {
		s.scopes[scope] = true
	}
	s.users[BotUser] = &User{ID: BotUser, Name: Bot, DisplayName: "Belfry", IsBot: true}
	for _, name := range []string{"alice", "bob"} {
		s.addUser(name)
	}
}

// Token is the bot's.
func (s *Server) Token() string { s.mu.Lock(); defer s.mu.Unlock(); return s.botToken }

// AppToken is the app's, for Socket Mode.
func (s *Server) AppToken() string { s.mu.Lock(); defer s.mu.Unlock(); return s.appToken }

// SigningSecret is what requests are signed with.
func (s *Server) SigningSecret() string { s.mu.Lock(); defer s.mu.Unlock(); return s.secret }

// AddUser makes a person; nothing happens when there is one of this name.
func (s *Server) AddUser(name string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addUser(name)
}

func (s *Server) addUser(name string) *User {
	if u := s.userNamed(name); u != nil {
		return u
	}
	u := &User{ID: s.newID("U"), Name: name, DisplayName: strings.ToUpper(name[:1]) + name[1:], Email: name + "@example.org"}
	s.users[u.ID] = u
	return u
}

// userNamed finds a person by handle or id. s.mu must be held.
func (s *Server) userNamed(name string) *User {
	for _, u := range s.users {
		if u.Name == name || u.ID == name {
			return u
		}
	}
	return nil
}

// UserID returns a person's id. The test fails when there is no such person.
func (s *Server) UserID(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.userNamed(name)
	if u == nil {
		s.fatalf("there is nobody called %q", name)
		return ""
	}
	return u.ID
}

// Deactivate ends a person's account; they stay known.
func (s *Server) Deactivate(name string) { s.change(name, func(u *User) { u.Deleted = true }) }

// Purge makes a person unknown; their screen may still be there. It returns
// the id that they had.
func (s *Server) Purge(name string) (id string) {
	s.change(name, func(u *User) { id = u.ID; delete(s.users, u.ID) })
	return id
}

func (s *Server) change(name string, how func(*User)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.userNamed(name)
	if u == nil {
		s.fatalf("there is nobody called %q", name)
		return
	}
	how(u)
}

// AddGroup makes a user group with this handle.
func (s *Server) AddGroup(handle string, members ...string) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := &Group{ID: s.newID("S"), Handle: handle, Members: members}
	s.groups[g.ID] = g
	return g
}

// Free makes it a workspace without a paid plan: there are no user groups.
func (s *Server) Free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = true
}

// ShowAs gives a person another display name.
func (s *Server) ShowAs(name, display string) {
	s.change(name, func(u *User) { u.DisplayName = display })
}

// AddChannelWith makes a public channel with the bot and these people in it.
func (s *Server) AddChannelWith(name string, members ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.newChannel(name)
	c.Members[BotUser] = true
	for _, m := range members {
		c.Members[s.userNamed(m).ID] = true
	}
}

// AddChannel makes a public channel with the bot and all people in it.
func (s *Server) AddChannel(name string) *Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.newChannel(name)
	for id := range s.users {
		c.Members[id] = true
	}
	return c
}

// AddPrivateChannel makes a private channel without the bot in it.
func (s *Server) AddPrivateChannel(name string) *Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.newChannel(name)
	c.Private = true
	for id, u := range s.users {
		c.Members[id] = !u.IsBot
	}
	return c
}

func (s *Server) newChannel(name string) *Channel {
	c := &Channel{ID: s.newID("C"), Name: name, Members: map[string]bool{}}
	s.channels[c.ID] = c
	return c
}

// Leave takes the bot out of a channel.
func (s *Server) Leave(channel string) {
	s.in(channel, func(c *Channel) { delete(c.Members, BotUser) })
}

// Join puts the bot into a channel.
func (s *Server) Join(channel string) { s.in(channel, func(c *Channel) { c.Members[BotUser] = true }) }

// ArchiveChannel closes a channel.
func (s *Server) ArchiveChannel(channel string) {
	s.in(channel, func(c *Channel) { c.Archived = true })
}

// RefusePosts makes posting to a channel fail with an error of Slack's.
func (s *Server) RefusePosts(channel, code string) {
	s.in(channel, func(c *Channel) { c.refuses = code })
}

// Look returns a copy of a channel.
func (s *Server) Look(channel string) (out Channel) {
	s.in(channel, func(c *Channel) {
		out = *c
		out.Members, out.Pins, out.messages = maps.Clone(c.Members), slices.Clone(c.Pins), nil
	})
	return out
}

// in calls do with the channel of this name or id. The test fails when there is none.
func (s *Server) in(channel string, do func(*Channel)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channelNamed(channel)
	if c == nil {
		s.fatalf("there is no channel %q", channel)
		return
	}
	do(c)
}

// channelNamed finds a channel by name or id, nil when there is none. s.mu must be held.
func (s *Server) channelNamed(name string) *Channel {
	name = strings.TrimPrefix(name, "#")
	if c, ok := s.channels[name]; ok {
		return c
	}
	for _, c := range s.channels {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// message finds a message that is not deleted. s.mu must be held.
func (c *Channel) message(ts string) *Message {
	for _, m := range c.messages {
		if m.TS == ts && !m.Deleted {
			return m
		}
	}
	return nil
}

// Grant sets the scopes that the bot's token has.
func (s *Server) Grant(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.scopes)
	for _, scope := range scopes {
		s.scopes[scope] = true
	}
}

// Ungrant takes scopes away.
func (s *Server) Ungrant(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, scope := range scopes {
		delete(s.scopes, scope)
	}
}

// granted lists the scopes. s.mu must be held.
func (s *Server) granted() string { return strings.Join(slices.Sorted(maps.Keys(s.scopes)), ",") }

// DeleteMessage removes a message, as its author or an administrator would.
func (s *Server) DeleteMessage(channel, ts string) {
	s.in(channel, func(c *Channel) {
		if m := c.message(ts); m != nil {
			m.Deleted = true
			return
		}
		s.fatalf("there is no message %s in %s", ts, channel)
	})
}

// PostAs puts up a person's message and returns its ts.
func (s *Server) PostAs(person, channel, text, threadTS string) (ts string) {
	s.in(channel, func(c *Channel) {
		m := &Message{TS: s.stamp(), Channel: c.ID, User: s.userNamed(person).ID, Text: text, ThreadTS: threadTS}
		c.messages = append(c.messages, m)
		ts = m.TS
	})
	return ts
}

// stamp returns the next message's ts. s.mu must be held.
func (s *Server) stamp() string {
	s.serial = max(s.serial+100, s.clock.Now().UnixMicro())
	t := time.UnixMicro(s.serial)
	return fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000)
}

// PostWithMetadata puts up another app's message with metadata of its own.
func (s *Server) PostWithMetadata(channel, eventType string, payload map[string]any) {
	s.in(channel, func(c *Channel) {
		c.messages = append(c.messages, &Message{TS: s.stamp(), Channel: c.ID, User: "U0OTHERBOT1", BotID: "B0OTHERAPP1", Text: "x",
			EventType: eventType, Payload: payload})
	})
}

// MakeOwn makes a channel by the bot that nothing was done with yet.
func (s *Server) MakeOwn(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.newChannel(name)
	c.Creator, c.Members[BotUser] = BotUser, true
}

// AddBookmark puts a person's link above a channel.
func (s *Server) AddBookmark(channel, title, link string) {
	s.in(channel, func(c *Channel) {
		c.Bookmarks = append(c.Bookmarks, &Bookmark{ID: s.newID("Bk"), Title: title, Link: link})
	})
}

// PinMessage pins a message as a person would.
func (s *Server) PinMessage(channel, ts string) {
	s.in(channel, func(c *Channel) { c.Pins = append(c.Pins, ts) })
}
