// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"cmp"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) listMethods() {
	s.register("auth.test", method{json: true, do: authTest})
	s.register("conversations.list", method{tier: 2, scopes: []string{"channels:read", "groups:read"}, do: listChannels,
		args: "types exclude_archived limit cursor team_id"})
	s.register("conversations.info", method{tier: 3, scopes: []string{"channels:read", "groups:read"}, do: channelInfo,
		args: "channel include_locale include_num_members"})
	s.register("conversations.members", method{tier: 4, scopes: []string{"channels:read", "groups:read"}, do: channelMembers, args: "channel limit cursor"})
	s.register("conversations.history", method{tier: 3, scopes: []string{"channels:history", "groups:history"}, do: history,
		args: "channel oldest latest inclusive limit cursor include_all_metadata"})
	s.register("conversations.replies", method{tier: 3, scopes: []string{"channels:history", "groups:history"}, do: replies,
		args: "channel ts oldest latest inclusive limit cursor include_all_metadata"})
	s.register("users.list", method{tier: 2, scopes: []string{"users:read"}, do: listUsers, args: "limit cursor include_locale team_id"})
	s.register("users.info", method{tier: 4, scopes: []string{"users:read"}, do: userInfo, args: "user include_locale"})
	s.register("users.lookupByEmail", method{tier: 3, scopes: []string{"users:read.email"}, do: userByEmail, args: "email"})
	s.register("usergroups.list", method{tier: 2, scopes: []string{"usergroups:read"}, do: listGroups,
		args: "include_count include_disabled include_users team_id"})
	s.register("usergroups.users.list", method{tier: 2, scopes: []string{"usergroups:read"}, do: groupUsers, args: "usergroup include_disabled team_id"})
}

func authTest(q *request) reply {
	return reply{"url": "https://" + Domain + ".slack.com/", "team": TeamName, "team_id": TeamID, "user": Bot, "user_id": BotUser, "bot_id": BotID,
		"is_enterprise_install": false}
}

// pageOf returns the part of all that the call asks for, and the next cursor.
func pageOf[T any](q *request, all []T) ([]T, string, reply) {
	limit := 100
	if text := q.args["limit"]; text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return nil, "", refuse("invalid_limit")
		}
		limit = n
	}
	if q.faults.pages > 0 {
		limit = min(limit, q.faults.pages)
	}
	from := 0
	if cursor := q.args["cursor"]; cursor != "" {
		raw, undecoded := base64.StdEncoding.DecodeString(cursor)
		text, ok := strings.CutPrefix(string(raw), "next:")
		var err error
		if from, err = strconv.Atoi(text); err != nil || undecoded != nil || !ok || from > len(all) {
			return nil, "", refuse("invalid_cursor")
		}
	}
	rest := all[from:]
	if len(rest) <= limit {
		return rest, "", nil
	}
	return rest[:limit], base64.StdEncoding.EncodeToString([]byte("next:" + strconv.Itoa(from+limit))), nil
}

func listOf[T any](q *request, name string, all []T, show func(T) any) reply {
	part, next, no := pageOf(q, all)
	if no != nil {
		return no
	}
	shown := make([]any, len(part))
	for i, v := range part {
		shown[i] = show(v)
	}
	return reply{name: shown, "has_more": next != "", "response_metadata": map[string]any{"next_cursor": next}}
}

func (s *Server) showChannel(c *Channel) map[string]any {
	return map[string]any{"id": c.ID, "name": c.Name, "name_normalized": c.Name, "is_channel": !c.Private, "is_group": false, "is_im": false,
		"is_private": c.Private, "is_archived": c.Archived, "is_general": false, "creator": c.Creator, "is_member": c.Members[BotUser], "context_team_id": TeamID,
		"topic": map[string]any{"value": c.Topic}, "purpose": map[string]any{"value": c.Purpose}, "num_members": len(c.Members)}
}

func listChannels(q *request) reply {
	types := q.args["types"]
	if types == "" {
		types = "public_channel"
	}
	for kind := range strings.SplitSeq(types, ",") {
		need := map[string]string{"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read", "mpim": "mpim:read"}[kind]
		if need == "" {
			return refuse("invalid_types")
		}
		if no := q.needs(need); no != nil {
			return no
		}
	}
	var all []*Channel
	for _, c := range q.channels {
		if c.Archived && q.args["exclude_archived"] == "true" || c.Private && (!c.Members[BotUser] || !strings.Contains(types, "private_channel")) ||
			!c.Private && !strings.Contains(types, "public_channel") {
			continue
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *Channel) int { return cmp.Compare(a.ID, b.ID) })
	return listOf(q, "channels", all, func(c *Channel) any { return q.showChannel(c) })
}

func channelInfo(q *request) reply {
	c, no := place(q, false)
	if no != nil {
		return no
	}
	return reply{"channel": q.showChannel(c)}
}

func channelMembers(q *request) reply {
	c, no := place(q, false)
	if no != nil {
		return no
	}
	return listOf(q, "members", slices.Sorted(maps.Keys(c.Members)), func(id string) any { return id })
}

// readable finds a channel whose messages may be read.
func readable(q *request) (*Channel, reply) {
	c, no := place(q, false)
	if no != nil {
		return nil, no
	}
	scope := "channels:history"
	if c.Private {
		scope = "groups:history"
	}
	if no := q.needs(scope); no != nil {
		return nil, no
	}
	if !c.Members[BotUser] {
		return nil, refuse("not_in_channel")
	}
	return c, nil
}

// between leaves the messages that lie in the time asked for.
func between(q *request, m *Message) bool {
	inclusive := q.args["inclusive"] == "true"
	if old := q.args["oldest"]; old != "" && (m.TS < old || m.TS == old && !inclusive) {
		return false
	}
	latest := q.args["latest"]
	return latest == "" || m.TS < latest || m.TS == latest && inclusive
}

// history is a channel's messages, the newest first, threads left out.
func history(q *request) reply {
	c, no := readable(q)
	if no != nil {
		return no
	}
	var all []*Message
	for _, m := range slices.Backward(c.messages) {
		if !m.Deleted && m.ThreadTS == "" && between(q, m) {
			all = append(all, m)
		}
	}
	return listOf(q, "messages", all, func(m *Message) any { return q.show(m, q.args["include_all_metadata"] == "true") })
}

// replies is a thread, the oldest first, its first message always included.
func replies(q *request) reply {
	c, no := readable(q)
	if no != nil {
		return no
	}
	if !isTS(q.args["ts"]) {
		return refuse("invalid_ts_latest")
	}
	var all []*Message
	for _, m := range c.messages {
		if !m.Deleted && (m.TS == q.args["ts"] || m.ThreadTS == q.args["ts"] && between(q, m)) {
			all = append(all, m)
		}
	}
	if len(all) == 0 {
		return refuse("thread_not_found")
	}
	return listOf(q, "messages", all, func(m *Message) any { return q.show(m, q.args["include_all_metadata"] == "true") })
}

func showUser(u *User, email bool) map[string]any {
	profile := map[string]any{"real_name": u.DisplayName, "display_name": strings.ToLower(u.DisplayName)}
	if email {
		profile["email"] = u.Email
	}
	team := TeamID
	if u.Stranger {
		team = OtherTeamID
	}
	return map[string]any{"id": u.ID, "team_id": team, "name": u.Name, "deleted": u.Deleted, "is_bot": u.IsBot, "real_name": u.DisplayName, "profile": profile}
}

func listUsers(q *request) reply {
	all := slices.SortedFunc(maps.Values(q.users), func(a, b *User) int { return cmp.Compare(a.ID, b.ID) })
	return listOf(q, "members", all, func(u *User) any { return showUser(u, q.scopes["users:read.email"]) })
}

func userInfo(q *request) reply {
	u, ok := q.users[q.args["user"]]
	if !ok {
		return refuse("user_not_found")
	}
	return reply{"user": showUser(u, q.scopes["users:read.email"])}
}

func userByEmail(q *request) reply {
	for _, u := range q.users {
		if u.Email != "" && strings.EqualFold(u.Email, q.args["email"]) && !u.Deleted {
			return reply{"user": showUser(u, true)}
		}
	}
	return refuse("users_not_found")
}

func listGroups(q *request) reply {
	if q.free {
		return refuse("plan_upgrade_required")
	}
	all := []any{}
	for _, id := range slices.Sorted(maps.Keys(q.groups)) {
		g := q.groups[id]
		all = append(all, map[string]any{"id": g.ID, "team_id": TeamID, "handle": g.Handle, "name": g.Handle, "is_usergroup": true, "date_delete": 0})
	}
	return reply{"usergroups": all}
}

// groupUsers lists the ids of a user group's members. Slack takes people whose
// accounts end out of their groups; the fake leaves them in, which is harder.
func groupUsers(q *request) reply {
	if q.free {
		return refuse("plan_upgrade_required")
	}
	g, ok := q.groups[q.args["usergroup"]]
	if !ok {
		return refuse("no_such_subteam")
	}
	ids := []string{}
	for _, m := range g.Members {
		ids = append(ids, q.userNamed(m).ID)
	}
	return reply{"users": ids}
}
