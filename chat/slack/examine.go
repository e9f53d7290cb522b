// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"belfry/chat"
	"belfry/doctor"
	"belfry/fault"
)

var _ doctor.Examiner = (*Platform)(nil)

// maxBehind is how far Slack's clock may be from ours before its signatures
// come near to their end.
const maxBehind = time.Minute

const reinstall = "in the app's settings (api.slack.com/apps): OAuth & Permissions, Install to Workspace; put the new bot token (xoxb-…) into token_file; systemctl reload belfry"

// Examine implements doctor.Examiner: the tokens, the scopes, how people are
// heard, and the channels. It changes nothing in Slack.
func (p *Platform) Examine(ctx context.Context, v doctor.Visit) []doctor.Finding {
	asked := p.clock.Now()
	me, err := p.askSelf(ctx)
	if err != nil {
		return append([]doctor.Finding{doctor.Bad("token", tokenRemedy(err, v, p.name), "%v", err)}, p.examineHearing(ctx, v)...)
	}
	out := []doctor.Finding{doctor.Good("token", "the workspace %s knows us as @%s", me.Team, me.User), p.examineScopes(me)}
	out = append(out, p.examineHearing(ctx, v)...)
	out = append(out, p.examineClock(asked))
	for _, name := range v.Channels {
		out = append(out, p.examineChannel(ctx, me, name))
	}
	return out
}

func tokenRemedy(err error, v doctor.Visit, name string) string {
	if errors.Is(err, errNotInstalled) {
		return "as an administrator, open " + strings.TrimSuffix(v.CallbackURL, "/chat/"+name) + "/oauth/" + url.PathEscape(name) + "/app (a running server is needed)"
	}
	if r, ok := errors.AsType[*refused](err); ok && r.Code != "" {
		return reinstall
	}
	return "curl -sS https://slack.com/api/api.test on Belfry's host; look at proxy and ca_file"
}

// examineScopes compares what was granted with what is wanted.
func (p *Platform) examineScopes(me self) doctor.Finding {
	const check = "scopes"
	if len(me.Scopes) == 0 {
		return doctor.Doubt(check, "look at OAuth & Permissions in the app's settings and compare with belfry slack manifest", "slack doesn't say which scopes the token has")
	}
	lacks := missing(Scopes(p.wish), me.Scopes)
	if len(lacks) == 0 {
		return doctor.Good(check, "all %d that are needed are granted", len(Scopes(p.wish)))
	}
	var seen []string
	posting := false
	for _, s := range lacks {
		seen = append(seen, s.Name+" ("+s.For+")")
		posting = posting || slices.Contains(postingScopes, s.Name)
	}
	remedy := "put the manifest that belfry slack manifest --config FILE prints into the app's settings (App Manifest), then " + reinstall
	if posting {
		return doctor.Bad(check, remedy, "not granted: %s", strings.Join(seen, ", "))
	}
	return doctor.Doubt(check, remedy, "not granted: %s", strings.Join(seen, ", "))
}

// examineHearing looks at how people are heard: Socket Mode or signed requests.
func (p *Platform) examineHearing(ctx context.Context, v doctor.Visit) []doctor.Finding {
	var out []doctor.Finding
	if p.appToken != "" {
		out = append(out, p.examineSocket(ctx))
	}
	if p.signing != "" {
		out = append(out, p.examineSigning(v))
	}
	return out
}

// examineSocket asks for a connection and doesn't open it.
func (p *Platform) examineSocket(ctx context.Context) doctor.Finding {
	const check = "socket mode"
	var opened struct {
		URL string `json:"url"`
	}
	_, err := p.client.callAs(ctx, p.appToken, "apps.connections.open", url.Values{}, &opened)
	r, refused := errors.AsType[*refused](err)
	switch {
	case err == nil && opened.URL != "":
		return doctor.Good(check, "the app-level token opens connections")
	case refused && r.After > 0, refused && r.Code == reasonTooMany:
		return doctor.Doubt(check, "run belfry doctor again in a minute", "slack asks to wait: %v", r)
	case refused && r.Code == "socket_mode_disabled":
		return doctor.Bad(check, "in the app's settings: Socket Mode, Enable Socket Mode", "it is switched off in the app's settings")
	case refused:
		return doctor.Bad(check, "in the app's settings: Basic Information, App-Level Tokens, make one (xapp-…) with the scope connections:write, and put it into app_token_file", "%v", p.socketFault(err))
	}
	return doctor.Bad(check, "curl -sS https://slack.com/api/api.test on Belfry's host; look at proxy and ca_file", "%v", p.client.clean(err))
}

// examineSigning looks at the secret's shape, and at where Slack is to call.
func (p *Platform) examineSigning(v doctor.Visit) doctor.Finding {
	const check = "signing secret"
	const take = "take the Signing Secret from Basic Information in the app's settings"
	if text := swapped(p.signing.Reveal()); text != "" {
		return doctor.Bad(check, take, "%s", text)
	}
	if !likeSigning(p.signing.Reveal()) {
		return doctor.Doubt(check, take, "it does not look like a signing secret, which has 32 of 0–9 and a–f")
	}
	if p.appToken != "" {
		return doctor.Good(check, "it is there; people are heard over Socket Mode, so nothing need come by it")
	}
	if !strings.HasPrefix(v.CallbackURL, "https://") {
		return doctor.Bad(check, "set server.public_url to an https address that the internet reaches, or use Socket Mode (app_token_file)",
			"slack calls only https addresses, and the connection's is %s", v.CallbackURL)
	}
	return doctor.Good(check, "it has the right shape; slack calls %s%s, %s and %s", v.CallbackURL, pathInteractive, pathEvents, pathCommand)
}

// swapped says which other secret was given as the signing secret, or "".
func swapped(secret string) string {
	for _, k := range tokenKinds {
		if strings.HasPrefix(secret, k.begins) {
			return "it is " + k.is + ", not the signing secret"
		}
	}
	return ""
}

// likeSigning holds for 32 hexadecimal digits, as signing secrets have been so far.
func likeSigning(secret string) bool {
	return len(secret) == 32 && strings.Trim(secret, "0123456789abcdefABCDEF") == ""
}

// examineClock compares the clocks: signatures hold for five minutes.
func (p *Platform) examineClock(asked time.Time) doctor.Finding {
	const check = "clock"
	off := time.Duration(p.client.behind.Load()) - p.clock.Now().Sub(asked)
	if off > maxBehind {
		return doctor.Bad(check, "set the host's clock (timedatectl set-ntp true)", "ours is %d s ahead of Slack's; signed requests are refused from 300 s on", int(off.Seconds()))
	}
	return doctor.Good(check, "it agrees with Slack's")
}

// examineChannel says whether a configured channel can be posted to and heard.
func (p *Platform) examineChannel(ctx context.Context, me self, name string) doctor.Finding {
	check := "channel " + name
	invite := "in Slack, in the channel " + name + ": /invite @" + me.User
	id, err := p.resolve(ctx, name)
	if err != nil {
		return doctor.Bad(check, invite+"; or correct its name in the route", "%v", err)
	}
	var got struct {
		Channel listed `json:"channel"`
	}
	if err := p.read(ctx, "conversations.info", url.Values{"channel": {id}}, "look at the channel "+name, &got); err != nil {
		if d, _ := fault.Of(err); d == fault.RetryAfter {
			return doctor.Doubt(check, "run belfry doctor again in a minute", "%v", err)
		}
		return doctor.Bad(check, invite+"; or correct its name in the route", "%v", err)
	}
	switch c := got.Channel; {
	case c.IsArchived:
		return doctor.Bad(check, "un-archive it in Slack, or name another in the route", "it is archived")
	case !c.IsMember && c.IsPrivate:
		return doctor.Bad(check, invite, "it is private and @%s is not in it", chat.CleanLine(me.User))
	case !c.IsMember && slices.Contains(me.Scopes, "chat:write.public"):
		return doctor.Doubt(check, invite, "@%s is not in it: cards arrive, but emoji and words there are not heard, and whispers may be lost", chat.CleanLine(me.User))
	case !c.IsMember:
		return doctor.Bad(check, invite, "@%s is not in it", chat.CleanLine(me.User))
	}
	return doctor.Good(check, "@%s is in it", chat.CleanLine(me.User))
}
