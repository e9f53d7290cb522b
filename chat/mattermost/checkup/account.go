// SPDX-License-Identifier: Apache-2.0

package checkup

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"belfry/chat"
	"belfry/chat/mattermost"
)

func plain(text string) string { return chat.CleanLine(text) }

// account looks whose the token is; false: it is nobody's.
func (v *visit) account(ctx context.Context) bool {
	err := v.get(ctx, "/users/me", &v.me)
	if r, ok := mattermost.Refused(err); ok && r.Status == http.StatusUnauthorized {
		if v.config.LoginID != "" {
			v.bad("token", "correct login_id and password of connection "+v.opt.Name+" (an account with a second factor can't be used), then: systemctl reload belfry",
				"Mattermost does not let the account in: %v", err)
			return false
		}
		v.bad("token", "make a new one: System Console or Integrations → Bot Accounts → the bot → Create New Token (or: mmctl token generate BOT belfry), put it into "+v.tokenPlace()+", then: systemctl reload belfry\n"+
			"if the bot is disabled there, enable it; a person's token also needs ServiceSettings.EnableUserAccessTokens",
			"Mattermost refuses the token: it was revoked, its account deactivated, or it was never right")
		return false
	}
	if err != nil {
		v.bad("token", "run belfry doctor again when Mattermost is well; its log is in System Console → Reporting → Server Logs", "nobody can see whose the token is: %v", err)
		return false
	}
	name := plain(v.me.Username)
	switch {
	case v.config.LoginID != "":
		v.doubt("token", "use a bot's token where one can be had: belfry mattermost setup --url "+v.config.URL+" --team "+v.config.Team,
			"signed in as @%s with a password, which ends with that account and its sessions", name)
	case !v.me.IsBot:
		v.doubt("token", "use a bot's token: belfry mattermost setup --url "+v.config.URL+" --team "+v.config.Team,
			"the token is a person's (@%s): it ends when they leave", name)
	default:
		v.good("token", "the token is that of the bot @%s", name)
	}
	if !v.me.IsBot && v.config.Username+v.config.IconURL != "" && !v.version.before(botsAlone, 0) {
		v.doubt("version", "use a bot's token", "from Mattermost %d on, username and icon_url have no effect with a person's account", botsAlone)
	}
	return true
}

func (v *visit) tokenPlace() string {
	if v.config.TokenFile != "" {
		return v.config.TokenFile
	}
	return "the setting token of connection " + v.opt.Name
}

// asks is an answer to whether something is there and we are in it.
func missing(err error) bool {
	r, ok := mattermost.Refused(err)
	return ok && (r.Status == http.StatusNotFound || r.Status == http.StatusForbidden || r.Status == http.StatusBadRequest)
}

// team looks whether the team is there and we are in it.
func (v *visit) team(ctx context.Context) {
	var team struct {
		ID string `json:"id"`
	}
	name, bot := v.config.Team, plain(v.me.Username)
	err := v.get(ctx, "/teams/name/"+name, &team)
	invite := fmt.Sprintf("mmctl team users add %s %s, or in the team's menu: Add People → @%s", name, bot, bot)
	switch {
	case missing(err):
		v.bad("team", "set team of connection "+v.opt.Name+" to the first word after the site's address in the browser, in small letters\nif it is right: "+invite,
			"there is no team %q, or @%s may not see it", name, bot)
		return
	case err != nil:
		v.bad("team", "run belfry doctor again when Mattermost is well", "the team can't be looked up: %v", err)
		return
	}
	v.teamID = team.ID
	if err := v.get(ctx, "/teams/"+team.ID+"/members/"+v.me.ID, nil); missing(err) {
		v.bad("team", invite, "@%s is not in the team %s", bot, name)
		return
	}
	v.good("team", "@%s is in the team %s", bot, name)
}

// channels looks into every channel that the configuration names.
func (v *visit) channels(ctx context.Context) {
	for _, name := range v.Channels {
		v.channel(ctx, name)
	}
}

func (v *visit) channel(ctx context.Context, configured string) {
	check, bot := "channel "+configured, plain(v.me.Username)
	path, wrong := v.platform.ChannelPath(configured)
	if wrong != "" {
		v.bad(check, "in routes and default, "+wrong, "%q is no channel", configured)
		return
	}
	team, handle := v.config.Team, strings.TrimPrefix(configured, "~")
	if t, h, ok := strings.Cut(handle, "/"); ok {
		team, handle = t, h
	}
	invite := fmt.Sprintf("in that channel type: /invite @%s; or: mmctl channel users add %s:%s %s", bot, team, handle, bot)
	var ch struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		DeleteAt int64  `json:"delete_at"`
	}
	err := v.get(ctx, path, &ch)
	switch {
	case missing(err):
		v.bad(check, "use the channel's handle, which stands in its address in the browser, not its display name\nif it is a private channel: "+invite,
			"there is no channel %q in the team %s, or it is private and @%s is not in it", handle, team, bot)
		return
	case err != nil:
		v.bad(check, "run belfry doctor again when Mattermost is well", "the channel can't be looked up: %v", err)
		return
	case ch.DeleteAt > 0:
		v.bad(check, fmt.Sprintf("mmctl channel unarchive %s:%s, or name another channel in routes and default", team, handle), "the channel is archived: nothing can be posted")
		return
	}
	if err := v.get(ctx, "/channels/"+ch.ID+"/members/"+v.me.ID, nil); missing(err) {
		if v.me.has("system_post_all") || ch.Type == "O" && v.me.has("system_post_all_public") {
			v.good(check, "@%s is not a member and may post to it all the same", bot)
			return
		}
		v.bad(check, invite, "@%s is not in the channel, so it can't post", bot)
		return
	}
	v.good(check, "@%s is in it", bot)
}

// hook looks at a connection that has only an incoming webhook.
func (v *visit) hook(ctx context.Context, p *mattermost.Hook) {
	if _, err := p.SelfCheck(ctx); err != nil {
		v.bad("webhook", "make it anew in Integrations → Incoming Webhooks and put its address into webhook_url_file of connection "+v.opt.Name+"\n"+
			"if it says that webhooks are off: System Console → Integrations → Integration Management → Enable Incoming Webhooks: true (mmctl config set ServiceSettings.EnableIncomingWebhooks true)", "%v", err)
		return
	}
	v.good("webhook", "the webhook is there and takes posts")
	v.doubt("one way", "give the connection a bot's token instead (belfry mattermost setup), where one can be had",
		"a webhook is one-way: cards are never brought up to date, and nothing can be acknowledged from chat")
}
