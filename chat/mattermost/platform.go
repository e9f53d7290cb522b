// SPDX-License-Identifier: Apache-2.0

// Package mattermost is the chat platform Mattermost, servers 5.37 and later.
//
// Outward: render.go turns a chat.Message into a post's text and one
// attachment, escape.go makes untrusted text literal, post.go puts posts up,
// edits and finds them through client.go, and faults.go turns what went wrong
// into decisions. channels.go and invite.go make channels for incidents and keep
// them. Inward: callback.go takes presses and dialogs, has person.go
// name who it was, and asks the Responder.
//
// Three habits of the server shape all of this. What a button does
// (integration) is never given back, so posts are always built anew from our
// own state. Callbacks carry no signature, so a button's token is sealed by
// its maker and the actor is only ever the user id, looked up. And a callback
// answered with anything but 200 and JSON shows people nothing at all, so bad
// news is a whisper too.
//
// Wire facts come from Mattermost's API v4 reference and from a server of the
// 5.37 line.
package mattermost

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"belfry/chat"
	"belfry/clock"
	"belfry/fault"

	"golang.org/x/time/rate"
)

var (
	_ chat.Platform = (*Platform)(nil)
	_ chat.Receiver = (*Platform)(nil)
)

// Platform is one connection. It is safe for concurrent use.
type Platform struct {
	name, team, callback string
	clock                clock.Clock
	log                  *slog.Logger
	client               *client
	channels             *cache[channel]
	people               *cache[person]
	lookups              *rate.Limiter
	oauth                *oauth // nil: none is configured
	// username and icon are shown instead of the account's; often empty.
	username, icon string

	// How we listen where the server can't reach us; see Listening.
	listens, buttonless bool
	word                string
	reactions           map[string]string // emoji → what it does
	memory              chat.Memory
	pace                pace
	slash, hooks        tokens
	complaints          *complaints
	loudness            *loudness
	way                 way

	mu sync.Mutex
	me person
}

// self returns who we are on the server.
func (p *Platform) self(ctx context.Context) (person, error) {
	p.mu.Lock()
	me := p.me
	p.mu.Unlock()
	if me.ID != "" {
		return me, nil
	}
	if err := p.client.do(ctx, http.MethodGet, "/users/me", nil, &me); err != nil {
		return person{}, p.decide(err, reads, "read who the token belongs to")
	}
	if !isID(me.ID) {
		return person{}, fault.NewRetry(fmt.Errorf("mattermost of connection %s doesn't say who its token belongs to", p.name))
	}
	p.mu.Lock()
	p.me = me
	p.mu.Unlock()
	return me, nil
}

// handle is how people call our bot, as far as it is known.
func (p *Platform) handle() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.me.Username == "" {
		return "the bot of connection " + p.name
	}
	return "@" + p.me.Username
}

// Report is what Check found.
type Report struct {
	// Bot is the handle of the token's owner, Version the server's.
	Bot, Version string
	// Advice is what should be changed, in plain words; often empty.
	Advice []string
}

// String says it in one line.
func (r Report) String() string {
	text := "mattermost " + r.Version + " knows us as @" + r.Bot
	if len(r.Advice) > 0 {
		text += "; " + strings.Join(r.Advice, "; ")
	}
	return text
}

// Check asks the server whether the connection works: token, team, version.
func (p *Platform) Check(ctx context.Context) (Report, error) {
	var me person
	if err := p.client.do(ctx, http.MethodGet, "/users/me", nil, &me); err != nil {
		return Report{}, p.decide(err, reads, "read who the token belongs to")
	}
	p.mu.Lock()
	p.me = me
	p.mu.Unlock()
	r := Report{Bot: me.Username, Version: "of an unknown version"}
	if p.way.insecure {
		r.Advice = append(r.Advice, sayInsecure)
	}
	if v := p.client.version.Load(); v != nil {
		r.Version = versionOf(*v)
	}
	if p.client.account != nil {
		r.Advice = append(r.Advice, "signed in with a password: a bot's token is the better way where one can be had")
	} else if !me.IsBot {
		r.Advice = append(r.Advice, "the token is a person's: a bot's token keeps working when people leave")
	}
	var team struct {
		ID string `json:"id"`
	}
	err := p.client.do(ctx, http.MethodGet, "/teams/name/"+p.team, nil, &team)
	if got, ok := refusal(err); ok && (got.Status == http.StatusNotFound || got.Status == http.StatusForbidden) {
		return r, fault.NewPermanent(fmt.Errorf("there is no team %q for connection %s, or @%s is not in it: use the team's handle and add the bot to the team", p.team, p.name, me.Username))
	}
	if err != nil {
		return r, p.decide(err, reads, "read the team "+p.team)
	}
	if p.listens && p.buttonless {
		r.Advice = append(r.Advice, "cards have no buttons: people "+p.ways(true, " 42")+" (websocket)")
	} else if !strings.HasPrefix(p.callback, "http://") && !strings.HasPrefix(p.callback, "https://") {
		r.Advice = append(r.Advice, "buttons can't work: set callback_url to where Mattermost reaches Belfry")
	}
	return r, nil
}

// versionOf cuts the version out of X-Version-Id: "5.37.0.5.37.0.<hash>.false".
func versionOf(header string) string {
	parts := strings.SplitN(header, ".", 4)
	return chat.CleanLine(strings.Join(parts[:min(3, len(parts))], "."))
}

// isID holds for ids of Mattermost: 26 characters a–z 0–9.
func isID(s string) bool { return len(s) == 26 && isAlnum(s) }

func isAlnum(s string) bool {
	for _, c := range []byte(s) {
		if !isAlnumByte(c) {
			return false
		}
	}
	return s != ""
}

func isAlnumByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// SelfCheck implements chat.SelfChecker.
func (p *Platform) SelfCheck(ctx context.Context) (string, error) {
	r, err := p.Check(ctx)
	if err != nil {
		return "", err
	}
	return r.String(), nil
}
