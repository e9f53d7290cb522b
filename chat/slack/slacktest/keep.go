// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// keepMethods are those by which an app makes and keeps channels.
func (s *Server) keepMethods() {
	manage := []string{"channels:manage", "groups:write"}
	for name, m := range map[string]method{
		"conversations.create":     {tier: 2, scopes: manage, do: createChannel, args: "name is_private team_id"},
		"conversations.invite":     {tier: 3, scopes: append(slices.Clone(manage), "channels:write.invites"), do: invite, args: "channel users force"},
		"conversations.join":       {tier: 3, scopes: []string{"channels:join"}, do: join, args: "channel"},
		"conversations.setTopic":   {tier: 2, scopes: manage, do: setText(func(c *Channel) *string { return &c.Topic }, "topic"), args: "channel topic"},
		"conversations.setPurpose": {tier: 2, scopes: manage, do: setText(func(c *Channel) *string { return &c.Purpose }, "purpose"), args: "channel purpose"},
		"conversations.archive":    {tier: 2, scopes: manage, do: archive, args: "channel"},
		"conversations.unarchive":  {tier: 2, scopes: manage, do: unarchive, args: "channel"},
		"conversations.rename":     {tier: 2, scopes: manage, do: rename, args: "channel name"},
		"pins.add":                 {tier: 2, scopes: []string{"pins:write"}, do: pin, args: "channel timestamp"},
		"pins.remove":              {tier: 2, scopes: []string{"pins:write"}, do: unpin, args: "channel timestamp"},
		"bookmarks.list":           {tier: 3, scopes: []string{"bookmarks:read"}, do: listBookmarks, args: "channel_id"},
		"bookmarks.add":            {tier: 2, scopes: []string{"bookmarks:write"}, do: addBookmark, args: "channel_id title type link emoji entity_id parent_id"},
		"bookmarks.remove":         {tier: 2, scopes: []string{"bookmarks:write"}, do: removeBookmark, args: "channel_id bookmark_id quip_section_id"},
	} {
		m.json = name != "bookmarks.list"
		m.writes = m.json
		s.register(name, m)
	}
}

const (
	maxChannelName = 80
	maxTopic       = 250
)

// wrongName says what is wrong with a channel's name: conversations.create.
func (s *Server) wrongName(name string) reply {
	switch {
	case name == "":
		return refuse("invalid_name_required")
	case len(name) > maxChannelName:
		return refuse("invalid_name_maxlength")
	case strings.Trim(name, "-_") == "":
		return refuse("invalid_name_punctuation")
	case name != strings.ToLower(name) || strings.ContainsFunc(name, func(r rune) bool {
		return r < 0x80 && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}):
		return refuse("invalid_name_specials")
	case s.channelNamed(name) != nil:
		return refuse("name_taken")
	}
	return nil
}

func createChannel(q *request) reply {
	private := q.args["is_private"] == "true"
	need := "channels:manage"
	if private {
		need = "groups:write"
	}
	if no := q.needs(need); no != nil {
		return no
	}
	if no := q.wrongName(q.args["name"]); no != nil {
		return no
	}
	c := q.newChannel(q.args["name"])
	c.Private = private
	c.Members[BotUser] = true
	c.Creator = BotUser
	return reply{"channel": q.showChannel(c)}
}

// kept finds a channel that the bot may manage.
func kept(q *request) (*Channel, reply) {
	c, no := place(q, false)
	switch {
	case no != nil:
		return nil, no
	case c.Archived:
		return nil, refuse("is_archived")
	case !c.Members[BotUser]:
		return nil, refuse("not_in_channel")
	}
	return c, nil
}

// invite brings people in, all or none: one who is refused keeps the others
// out, unless force is set.
func invite(q *request) reply {
	c, no := kept(q)
	if no != nil {
		return no
	}
	ids := strings.Split(q.args["users"], ",")
	if q.args["users"] == "" {
		return refuse("no_user")
	}
	var errs []any
	code := ""
	var good []string
	for _, id := range ids {
		why := ""
		switch u := q.users[id]; {
		case u == nil:
			why = "user_not_found"
		case u.Deleted:
			why = "user_is_deactivated"
		case id == BotUser:
			why = "cant_invite_self"
		case c.Members[id]:
			why = "already_in_channel"
		default:
			good = append(good, id)
			continue
		}
		code = why
		errs = append(errs, map[string]any{"user": id, "ok": false, "error": why})
	}
	if len(errs) > 0 && (q.args["force"] != "true" || len(good) == 0) {
		return reply{"error": code, "errors": errs}
	}
	for _, id := range good {
		c.Members[id] = true
	}
	out := reply{"channel": q.showChannel(c)}
	if len(errs) > 0 {
		out["errors"] = errs
	}
	return out
}

func join(q *request) reply {
	c, no := place(q, false)
	switch {
	case no != nil:
		return no
	case c.Archived:
		return refuse("is_archived")
	case c.Private:
		return refuse("method_not_supported_for_channel_type")
	}
	c.Members[BotUser] = true
	return reply{"channel": q.showChannel(c)}
}

func setText(field func(*Channel) *string, name string) func(*request) reply {
	return func(q *request) reply {
		c, no := kept(q)
		if no != nil {
			return no
		}
		if utf8.RuneCountInString(q.args[name]) > maxTopic {
			return refuse("too_long")
		}
		*field(c) = q.args[name]
		return reply{"channel": q.showChannel(c)}
	}
}

func archive(q *request) reply {
	c, no := place(q, false)
	switch {
	case no != nil:
		return no
	case c.Archived:
		return refuse("already_archived")
	case !c.Members[BotUser]:
		return refuse("not_in_channel")
	}
	c.Archived = true
	delete(c.Members, BotUser)
	return reply{}
}

// unarchive is not for bots: Slack leaves no bot in an archived channel.
func unarchive(q *request) reply {
	c, no := place(q, false)
	switch {
	case no != nil:
		return no
	case !c.Archived:
		return refuse("not_archived")
	case !c.Members[BotUser]:
		return refuse("not_in_channel")
	}
	c.Archived = false
	return reply{}
}

func rename(q *request) reply {
	c, no := kept(q)
	if no != nil {
		return no
	}
	if q.args["name"] != c.Name {
		if no := q.wrongName(q.args["name"]); no != nil {
			return no
		}
	}
	c.Name = q.args["name"]
	return reply{"channel": q.showChannel(c)}
}

func pin(q *request) reply {
	c, no := kept(q)
	switch {
	case no != nil:
		return no
	case c.message(q.args["timestamp"]) == nil:
		return refuse("message_not_found")
	case slices.Contains(c.Pins, q.args["timestamp"]):
		return refuse("already_pinned")
	}
	c.Pins = append(c.Pins, q.args["timestamp"])
	return reply{}
}

func unpin(q *request) reply {
	c, no := kept(q)
	if no != nil {
		return no
	}
	i := slices.Index(c.Pins, q.args["timestamp"])
	if i < 0 {
		return refuse("no_pin")
	}
	c.Pins = slices.Delete(c.Pins, i, i+1)
	return reply{}
}

// bookmarked finds the channel of a bookmarks method, which calls it channel_id.
func bookmarked(q *request) (*Channel, reply) {
	q.args["channel"] = q.args["channel_id"]
	return kept(q)
}

func showBookmark(b *Bookmark) map[string]any {
	return map[string]any{"id": b.ID, "title": b.Title, "link": b.Link, "emoji": b.Emoji, "type": "link", "app_id": b.AppID}
}

func listBookmarks(q *request) reply {
	c, no := bookmarked(q)
	if no != nil {
		return no
	}
	all := []any{}
	for _, b := range c.Bookmarks {
		all = append(all, showBookmark(b))
	}
	return reply{"bookmarks": all}
}

func addBookmark(q *request) reply {
	c, no := bookmarked(q)
	switch {
	case no != nil:
		return no
	case q.args["type"] != "link":
		return refuse("invalid_bookmark_type")
	case !strings.HasPrefix(q.args["link"], "http"):
		return refuse("invalid_link")
	case q.args["title"] == "":
		return refuse("invalid_arguments")
	case len(c.Bookmarks) >= 100:
		return refuse("too_many_bookmarks")
	}
	b := &Bookmark{ID: q.newID("Bk"), Title: q.args["title"], Link: q.args["link"], Emoji: q.args["emoji"], AppID: AppID}
	c.Bookmarks = append(c.Bookmarks, b)
	return reply{"bookmark": showBookmark(b)}
}

func removeBookmark(q *request) reply {
	c, no := bookmarked(q)
	if no != nil {
		return no
	}
	n := len(c.Bookmarks)
	c.Bookmarks = slices.DeleteFunc(c.Bookmarks, func(b *Bookmark) bool { return b.ID == q.args["bookmark_id"] })
	if len(c.Bookmarks) == n {
		return refuse("not_found")
	}
	return reply{}
}

// ChannelNames are the names of all channels, archived ones included.
func (s *Server) ChannelNames() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.channels {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}
