// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"time"
)

// The app's client, as Basic Information shows it.
const (
	ClientID     = "5173.1001"
	ClientSecret = "c11e57c11e57c11e57c11e57c11e57c1"
)

// signin is Sign in with Slack: codes, tokens and the key that signs them.
type signin struct {
	key    *rsa.PrivateKey
	kid    string
	codes  map[string]grant
	tokens map[string]string // access token → user id
	// alter changes the claims of the next id token.
	alter func(claims map[string]any)
	alg   string
	// rotates has the bot's token expire; refresh is what renews it, once.
	rotates bool
	refresh string
	expires time.Time
	renewed int
}

type grant struct {
	user, redirect, nonce, challenge string
	until                            time.Time
}

func newSignin() signin {
	return signin{codes: map[string]grant{}, tokens: map[string]string{}, kid: "mB2MAyKSn555isd0EbdhKx6nkyAi9xLq8rvCEb_nOyY"}
}

func (s *Server) signinMethods() {
	s.register("openid.connect.token", method{tier: 4, token: "none", do: exchange,
		args: "client_id client_secret code code_verifier grant_type redirect_uri refresh_token"})
	s.register("oauth.v2.access", method{tier: 4, token: "none", do: access,
		args: "client_id client_secret code code_verifier grant_type redirect_uri refresh_token"})
	s.register("auth.revoke", method{tier: 3, token: "none", do: revoke, args: "test"})
	s.register("apps.uninstall", method{tier: 1, do: uninstall, args: "client_id client_secret"})
}

func (s *Server) signinRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /openid/connect/keys", s.jwks)
}

// Allow is somebody reading where a sign-in leads and pressing Allow; it
// returns where the browser is sent then. authorize is the whole URL.
func (s *Server) Allow(person, authorize string) string {
	u, err := url.Parse(authorize)
	if err != nil {
		s.fatalf("no address: %v", err)
		return ""
	}
	q := u.Query()
	if u.Path == "/oauth/v2/authorize" {
		return s.allowInstall(q)
	}
	user := s.UserID(person)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case u.Path != "/openid/connect/authorize", q.Get("client_id") != ClientID, q.Get("response_type") != "code", q.Get("scope") != "openid",
		q.Get("redirect_uri") == "", q.Get("code_challenge") != "" && q.Get("code_challenge_method") != "S256":
		s.fatalf("Slack's page refuses %s", authorize)
		return ""
	}
	code := "code-" + rand.Text()
	s.inbox.signin.codes[code] = grant{user: user, redirect: q.Get("redirect_uri"), nonce: q.Get("nonce"), challenge: q.Get("code_challenge"),
		until: s.clock.Now().Add(10 * time.Minute)}
	return q.Get("redirect_uri") + "?code=" + url.QueryEscape(code) + "&state=" + url.QueryEscape(q.Get("state"))
}

// AlterNextToken changes the next id token's claims before it is signed; alg
// is RS256, or "none" for one without a signature, or "other" for one that
// somebody else signed.
func (s *Server) AlterNextToken(alg string, alter func(claims map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbox.signin.alter, s.inbox.signin.alg = alter, alg
}

// SignInTokens is how many access tokens of people are alive.
func (s *Server) SignInTokens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.inbox.signin.tokens)
}

func exchange(q *request) reply {
	g, ok := q.inbox.signin.codes[q.args["code"]]
	switch {
	case q.args["client_id"] != ClientID:
		return refuse("invalid_client_id")
	case q.args["client_secret"] != ClientSecret:
		return refuse("bad_client_secret")
	case q.args["grant_type"] != "authorization_code":
		return refuse("invalid_grant_type")
	case !ok:
		return refuse("invalid_code")
	case q.clock.Now().After(g.until):
		return refuse("code_expired")
	case g.redirect != q.args["redirect_uri"]:
		return refuse("bad_redirect_uri")
	}
	sum := sha256.Sum256([]byte(q.args["code_verifier"]))
	if g.challenge != "" && g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
		return refuse("invalid_code_verifier")
	}
	delete(q.inbox.signin.codes, q.args["code"])
	token, err := q.idToken(g)
	if err != nil {
		return refuse("internal_error")
	}
	access := "xoxp-" + rand.Text()
	q.inbox.signin.tokens[access] = g.user
	return reply{"access_token": access, "token_type": "Bearer", "id_token": token}
}

// idToken signs who somebody is. s.mu must be held.
func (s *Server) idToken(g grant) (string, error) {
	now := s.clock.Now()
	claims := map[string]any{"iss": "https://slack.com", "sub": g.user, "aud": ClientID, "exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(),
		"auth_time": now.Unix(), "nonce": g.nonce, "at_hash": "abc", "https://slack.com/team_id": TeamID, "https://slack.com/user_id": g.user}
	if s.inbox.signin.alter != nil {
		s.inbox.signin.alter(claims)
	}
	alg := s.inbox.signin.alg
	s.inbox.signin.alter, s.inbox.signin.alg = nil, ""
	if err := s.signingKey(); err != nil {
		return "", err
	}
	return sealToken(s.inbox.signin.key, s.inbox.signin.kid, alg, claims)
}

// signingKey makes the key when it is first needed. s.mu must be held.
func (s *Server) signingKey() (err error) {
	if s.inbox.signin.key == nil {
		s.inbox.signin.key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	return err
}

func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.signingKey(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	k := s.inbox.signin.key.PublicKey
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": s.inbox.signin.kid,
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.E)).Bytes()), "n": base64.RawURLEncoding.EncodeToString(k.N.Bytes())}}})
}

func revoke(q *request) reply {
	token := bearer(q.http)
	if token == q.botToken && !q.revoked {
		q.revoked = true
		return reply{"revoked": true}
	}
	if _, ok := q.inbox.signin.tokens[token]; !ok {
		return refuse("invalid_auth")
	}
	delete(q.inbox.signin.tokens, token)
	return reply{"revoked": true}
}
