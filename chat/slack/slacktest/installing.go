// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"time"
)

// tokenLife is how long a token lives whose app rotates them.
const tokenLife = 12 * time.Hour

// RotateTokens has the app's tokens expire and be renewed, from the next
// installation on.
func (s *Server) RotateTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbox.signin.rotates = true
}

// Renewals is how often a refresh token was traded.
func (s *Server) Renewals() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inbox.signin.renewed
}

// allowInstall is an administrator of the workspace pressing Allow.
func (s *Server) allowInstall(q url.Values) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.Get("client_id") != ClientID || q.Get("scope") == "" || q.Get("redirect_uri") == "" || q.Get("code_challenge") != "" && q.Get("code_challenge_method") != "S256" {
		s.fatalf("Slack's page refuses %v", q)
		return ""
	}
	clear(s.scopes)
	for scope := range strings.SplitSeq(q.Get("scope"), ",") {
		s.scopes[scope] = true
	}
	code := "code-" + rand.Text()
	s.inbox.signin.codes[code] = grant{user: "", redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), until: s.clock.Now().Add(10 * time.Minute)}
	return q.Get("redirect_uri") + "?code=" + url.QueryEscape(code) + "&state=" + url.QueryEscape(q.Get("state"))
}

// access is oauth.v2.access: an installation, or the renewal of a token.
func access(q *request) reply {
	in := &q.inbox.signin
	switch {
	case q.args["client_id"] != ClientID:
		return refuse("invalid_client_id")
	case q.args["client_secret"] != ClientSecret:
		return refuse("bad_client_secret")
	case q.args["grant_type"] == "refresh_token":
		if in.refresh == "" || q.args["refresh_token"] != in.refresh {
			return refuse("invalid_refresh_token")
		}
		in.renewed++
		return q.issue()
	}
	g, ok := in.codes[q.args["code"]]
	sum := sha256.Sum256([]byte(q.args["code_verifier"]))
	switch {
	case !ok || g.user != "":
		return refuse("invalid_code")
	case q.clock.Now().After(g.until):
		return refuse("code_expired")
	case g.redirect != q.args["redirect_uri"]:
		return refuse("bad_redirect_uri")
	case g.challenge != "" && g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]):
		return refuse("invalid_code_verifier")
	}
	delete(in.codes, q.args["code"])
	return q.issue()
}

// issue makes a new token for the bot; the ones before are worth nothing.
func (q *request) issue() reply {
	in := &q.inbox.signin
	out := reply{"token_type": "bot", "scope": q.granted(), "bot_user_id": BotUser, "app_id": AppID, "team": map[string]any{"id": TeamID, "name": TeamName},
		"enterprise": nil, "authed_user": map[string]any{"id": "U0ADMIN0001"}}
	q.botToken, q.revoked = "xoxb-5173-"+rand.Text(), false
	if in.rotates {
		q.botToken, in.refresh = "xoxe."+q.botToken, "xoxe-1-"+rand.Text()
		in.expires = q.clock.Now().Add(tokenLife)
		out["refresh_token"], out["expires_in"] = in.refresh, int(tokenLife.Seconds())
	}
	out["access_token"] = q.botToken
	return out
}

// tokenExpired says whether the bot's token is past its time. s.mu must be held.
func (s *Server) tokenExpired() bool {
	return !s.inbox.signin.expires.IsZero() && s.clock.Now().After(s.inbox.signin.expires)
}

// ExpireToken ends the bot's token before its time.
func (s *Server) ExpireToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbox.signin.expires = s.clock.Now().Add(-time.Second)
}

// uninstall is apps.uninstall: everything of the app's goes.
func uninstall(q *request) reply {
	switch {
	case q.args["client_id"] != ClientID:
		return refuse("client_id_token_mismatch")
	case q.args["client_secret"] != ClientSecret:
		return refuse("bad_client_secret")
	}
	q.revoked, q.inbox.signin.refresh = true, ""
	clear(q.scopes)
	return reply{}
}

// Installed says whether the app's token still lets it in.
func (s *Server) Installed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.revoked
}
