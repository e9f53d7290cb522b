// SPDX-License-Identifier: Apache-2.0

// Package slack is the chat platform Slack.
//
// Outward: render.go turns a chat.Message into Block Kit, post.go puts
// messages up and edits them through client.go, find.go asks for what an
// attempt of unknown outcome left, faults.go turns what Slack says into
// decisions, and pace.go keeps to its limits. Where there is nothing but an
// incoming webhook, hook.go posts one way.
//
// Inward, what people do comes over HTTP (receive.go, believed by signature.go)
// or over connections that we open (socket.go, envelope.go). Both decode it
// (payload.go, typed.go, event.go), note it so that it counts once, and go on to
// the same functions: action.go and modal.go for buttons and forms, slash.go
// for commands, events.go for emoji and typed lines, hear.go for words that an
// administrator has answered (reply.go, compose.go and markdown.go turn his
// Markdown into rich text), foreign.go for other programs' buttons. person.go names who it was; whisper.go tells them afterwards. work.go
// bounds what is worked on. Who signs in is oauth.go's, the app's own token
// where it is installed from our pages install.go's and tokens.go's, what it
// needs scopes.go's and manifest.go's, and examine.go looks for what is wrong.
//
// Three habits of Slack shape all of this. It has no key that makes a repeated
// post harmless, so every message carries its key as metadata and is asked for
// before anything is repeated. A note whose card was deleted is not refused
// but put into the channel, so what a post gives back is looked at. And text
// is markup wherever it is not said otherwise, so what comes from outside goes
// into rich text, which nobody parses.
//
// Wire facts come from docs.slack.dev as of November 2026.
package slack

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"

	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/fault"
)

var (
	_ chat.Platform    = (*Platform)(nil)
	_ chat.SelfChecker = (*Platform)(nil)
	_ chat.Closer      = (*Platform)(nil)
)

// Platform is one connection. It is safe for concurrent use.
type Platform struct {
	name, callback string
	clock          clock.Clock
	log            *slog.Logger
	memory         chat.Memory
	client         *client
	pace           *pace
	// appToken opens Socket Mode, signing proves requests; often one is empty.
	token, appToken, signing config.Secret
	// username and icon are shown instead of the app's; often empty.
	username, iconURL, iconEmoji string
	// words are what the configuration says about mentions.
	words map[string]string

	channels  *channels
	directory *directory
	sent      *sent

	inbound

	mu sync.Mutex
	me self
}

// open makes what a Platform keeps in memory.
func (p *Platform) open() {
	p.channels, p.directory, p.sent = newChannels(), newDirectory(), newSent()
}

// self is who we are in the workspace, as auth.test tells.
type self struct {
	URL    string `json:"url"`
	Team   string `json:"team"`
	TeamID string `json:"team_id"`
	User   string `json:"user"`
	UserID string `json:"user_id"`
	BotID  string `json:"bot_id"`
	// Enterprise is the organization that the workspace belongs to; often empty.
	Enterprise string `json:"enterprise_id"`
	// Scopes are those that the token was granted, from x-oauth-scopes.
	Scopes []string `json:"-"`
}

// self returns who we are, and asks once.
func (p *Platform) self(ctx context.Context) (self, error) {
	p.mu.Lock()
	me := p.me
	p.mu.Unlock()
	if me.UserID != "" {
		return me, nil
	}
	return p.askSelf(ctx)
}

func (p *Platform) askSelf(ctx context.Context) (self, error) {
	var me self
	header, err := p.client.callBot(ctx, "auth.test", url.Values{}, &me)
	if err != nil {
		return self{}, p.decide(err, reads, "ask who the token belongs to")
	}
	if !isUserID(me.UserID) {
		return self{}, fault.NewRetry(fmt.Errorf("slack of connection %s doesn't say who its token belongs to", p.name))
	}
	for s := range strings.SplitSeq(header.Get("X-Oauth-Scopes"), ",") {
		if s = strings.TrimSpace(s); s != "" {
			me.Scopes = append(me.Scopes, s)
		}
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
	if p.me.User == "" {
		return "the app of connection " + p.name
	}
	return "@" + p.me.User
}

// SelfCheck implements chat.SelfChecker.
func (p *Platform) SelfCheck(ctx context.Context) (string, error) {
	me, err := p.askSelf(ctx)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("the workspace %s knows us as @%s", chat.CleanLine(me.Team), chat.CleanLine(me.User))
	if missing := missingScopes(me.Scopes); len(me.Scopes) > 0 && len(missing) > 0 {
		text += "; these scopes are not granted: " + strings.Join(missing, " ") + " (add them to the app and install it again)"
	}
	return text, nil
}

// postingScopes are what posting, editing and asking need.
var postingScopes = []string{"chat:write", "channels:read", "channels:history", "groups:read", "groups:history"}

// missingScopes are the scopes that posting needs and that were not granted.
func missingScopes(granted []string) []string {
	var missing []string
	for _, s := range postingScopes {
		if !slices.Contains(granted, s) {
			missing = append(missing, s)
		}
	}
	return missing
}

// isTS holds for message ids of Slack: seconds "." six digits.
func isTS(s string) bool {
	sec, frac, ok := strings.Cut(s, ".")
	return ok && len(frac) == 6 && len(sec) >= 9 && len(sec) <= 12 && isDigits(sec) && isDigits(frac)
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// isID holds for ids of Slack: a letter that tells the kind, then capitals and digits.
func isID(s, kinds string) bool {
	if len(s) < 3 || len(s) > 32 || !strings.ContainsRune(kinds, rune(s[0])) {
		return false
	}
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func isUserID(s string) bool    { return isID(s, "UW") }
func isGroupID(s string) bool   { return isID(s, "S") }
func isChannelID(s string) bool { return len(s) >= 8 && isID(s, "CGD") }

// isEmoji holds for an emoji's name between colons.
func isEmoji(s string) bool {
	name, ok := strings.CutPrefix(s, ":")
	name, ok2 := strings.CutSuffix(name, ":")
	return ok && ok2 && name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_+'-:") == ""
}
