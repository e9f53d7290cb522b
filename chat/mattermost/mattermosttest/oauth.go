// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// provider is the server as an OAuth 2.0 provider. There are no scopes: a token
// is the whole person.
type provider struct {
	codes   map[string]grant
	access  map[string]*access // by access token
	refresh map[string]*access
	allowed map[string]bool // user id + client id, remembered at the click on Allow
	version string          // instead of version
	fails   int
}

// grant is what a code stands for.
type grant struct {
	user, client, redirect, challenge string
	until                             time.Time
}

type access struct{ user, client, token, refresh string }

const (
	codeTime   = 10 * time.Minute
	accessTime = 30 * 24 * time.Hour
	authCookie = "MMAUTHTOKEN"
)

// AddOAuthApp registers an application, as an administrator would.
func (s *Server) AddOAuthApp(name string, callbacks ...string) OAuthApp {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &OAuthApp{ID: newID(), ClientSecret: newID(), CreatorID: s.user("admin").ID, CreateAt: millis(s.clock.Now()),
		Name: name, Homepage: "https://belfry.example.org", CallbackURLs: callbacks}
	s.oauthApps = append(s.oauthApps, a)
	return *a
}

// SetVersion makes the server say that it is of another version, 11.2.0 for
// one; from that on it knows proof keys (RFC 7636).
func (s *Server) SetVersion(v string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauth.version = v
}

// FailTokens answers the next n calls of /oauth/access_token with 500.
func (s *Server) FailTokens(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauth.fails = n
}

// OAuthTokens returns how many access tokens of applications are alive.
func (s *Server) OAuthTokens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.oauth.access)
}

// Cookie is what the browser of somebody who is signed in to Mattermost has.
func (s *Server) Cookie(name string) *http.Cookie {
	return &http.Cookie{Name: authCookie, Value: s.UserToken(name), Path: "/"}
}

// Allow is name reading where a link leads and pressing Allow on the consent
// page; it returns where the browser is sent then. authorize is the whole URL.
func (s *Server) Allow(name, authorize string) string {
	u, err := url.Parse(authorize)
	if err != nil {
		s.fatalf("no address: %v", err)
	}
	q := u.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	to, apiErr := s.consent(s.user(name), q)
	if apiErr != nil {
		s.fatalf("the consent page refuses: %s", apiErr.Message)
	}
	return to
}

// Deny is name pressing Deny there. The answer is appended as it is, and says
// nothing of the state.
func (s *Server) Deny(authorize string) string {
	u, err := url.Parse(authorize)
	if err != nil {
		s.fatalf("no address: %v", err)
	}
	return denied(u.Query())
}

func denied(q url.Values) string { return q.Get("redirect_uri") + "?error=access_denied" }

// consent is what POST /oauth/authorize does. s.mu must be held.
func (s *Server) consent(user *User, q url.Values) (redirect string, err *apiError) {
	app, err := s.asked(q)
	if err != nil {
		return "", err
	}
	s.oauth.allowed[user.ID+app.ID] = true
	code := newID() + newID()
	s.oauth.codes[code] = grant{user: user.ID, client: app.ID, redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"),
		until: s.clock.Now().Add(codeTime)}
	return q.Get("redirect_uri") + "?code=" + url.QueryEscape(code) + "&state=" + url.QueryEscape(q.Get("state")), nil
}

// asked judges what an application asks for. s.mu must be held.
func (s *Server) asked(q url.Values) (*OAuthApp, *apiError) {
	if !s.config.on("EnableOAuthServiceProvider") {
		return nil, fail(http.StatusNotImplemented, "api.oauth.authorize_oauth.disabled.app_error", "The system admin has turned off OAuth2 Service Provider.")
	}
	at := slices.IndexFunc(s.oauthApps, func(a *OAuthApp) bool { return a.ID == q.Get("client_id") })
	switch {
	case at < 0:
		return nil, errNotFound("app.oauth.get_app.find.app_error", "Unable to find the requested app.")
	case q.Get("response_type") != "code":
		return nil, fail(http.StatusBadRequest, "api.oauth.authorize_oauth.bad_response.app_error", "Bad response_type.")
	case !slices.Contains(s.oauthApps[at].CallbackURLs, q.Get("redirect_uri")):
		return nil, fail(http.StatusBadRequest, "api.oauth.allow_oauth.redirect_callback.app_error", "Supplied redirect_uri did not match registered callback_url.")
	}
	return s.oauthApps[at], nil
}

// authorize is POST /oauth/authorize with a user's session: Allow, without a page.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ClientID     string `json:"client_id"`
		ResponseType string `json:"response_type"`
		RedirectURI  string `json:"redirect_uri"`
		State        string `json:"state"`
		Challenge    string `json:"code_challenge"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	user := s.session(r)
	err := json.NewDecoder(r.Body).Decode(&body)
	switch {
	case user == nil:
		refuse(w, fail(http.StatusUnauthorized, "api.context.session_expired.app_error", "Invalid or expired session, please login again."))
		return
	case err != nil:
		refuse(w, errParam("authorize_request"))
		return
	}
	to, apiErr := s.consent(user, url.Values{"client_id": {body.ClientID}, "response_type": {body.ResponseType},
		"redirect_uri": {body.RedirectURI}, "state": {body.State}, "code_challenge": {body.Challenge}})
	if apiErr != nil {
		refuse(w, apiErr)
		return
	}
	answer(w, http.StatusOK, map[string]string{"redirect": to})
}

// session finds who a browser or a program belongs to. s.mu must be held.
func (s *Server) session(r *http.Request) *User {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	// What a page of another site makes a browser send does not count.
	own := r.Method == http.MethodGet || r.Header.Get("X-Requested-With") == "XMLHttpRequest"
	if c, err := r.Cookie(authCookie); err == nil && token == "" && own {
		token = c.Value
	}
	u := s.tokens[token]
	if u == nil || u.DeleteAt != 0 || s.oauth.access[token] != nil {
		return nil
	}
	return u
}

var consentPage = template.Must(template.New("consent").Parse(`<!doctype html><title>Mattermost</title>
<h1>Authorize {{.Name}} to connect to your Mattermost user account</h1>
<button id="allow">Allow</button> <a id="deny" href="{{.Deny}}">Deny</a>
<script>document.querySelector("#allow").onclick = async () => {
  const answer = await fetch("/oauth/authorize", {method: "POST", headers: {"X-Requested-With": "XMLHttpRequest"}, body: JSON.stringify({{.Ask}})});
  location.href = (await answer.json()).redirect;
};</script>`))

// consentAsked is GET /oauth/authorize: the page, unless the person or an
// administrator has allowed the application already.
func (s *Server) consentAsked(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	user := s.session(r)
	if user == nil {
		http.Redirect(w, r, "/login?redirect_to="+url.QueryEscape(r.URL.RequestURI()), http.StatusFound)
		return
	}
	app, err := s.asked(q)
	if err != nil {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(err.Status)
		_, _ = w.Write([]byte("<title>Error</title>" + template.HTMLEscapeString(err.Message))) // the reader may be gone
		return
	}
	if app.IsTrusted || s.oauth.allowed[user.ID+app.ID] {
		to, err := s.consent(user, q)
		if err != nil {
			refuse(w, err)
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
		return
	}
	ask := map[string]string{}
	for name := range q {
		ask[name] = q.Get(name)
	}
	_ = consentPage.Execute(w, map[string]any{"Name": app.Name, "Deny": denied(q), "Ask": ask}) // the reader may be gone
}

func refuse(w http.ResponseWriter, err *apiError) {
	err.RequestID = newID()
	answer(w, err.Status, err)
}

func errToken(status int, id, message string) *apiError {
	return fail(status, "api.oauth.get_access_token."+id+".app_error", message)
}

// accessToken is POST /oauth/access_token. It takes a form with the secret in
// its body and nothing else: neither JSON nor Basic.
func (s *Server) accessToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	_ = r.ParseForm() // what can't be read is missing
	form := r.PostForm
	s.mu.Lock()
	defer s.mu.Unlock()
	if take(&s.oauth.fails) {
		refuse(w, errToken(http.StatusInternalServerError, "internal", "We encountered an internal server error while accessing the database."))
		return
	}
	made, err := s.trade(form)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	answer(w, http.StatusOK, map[string]any{"access_token": made.token, "token_type": "bearer",
		"expires_in": int(accessTime / time.Second), "scope": "user", "refresh_token": made.refresh})
}

// trade gives a token for a code or for a refresh token. s.mu must be held.
func (s *Server) trade(form url.Values) (*access, *apiError) {
	grantType := form.Get("grant_type")
	switch {
	case grantType != "authorization_code" && grantType != "refresh_token":
		return nil, errToken(http.StatusBadRequest, "bad_grant", "invalid_request: Bad grant_type.")
	case grantType == "authorization_code" && form.Get("code") == "":
		return nil, errToken(http.StatusBadRequest, "missing_code", "invalid_request: Missing code.")
	case grantType == "refresh_token" && form.Get("refresh_token") == "":
		return nil, errToken(http.StatusBadRequest, "missing_refresh_token", "invalid_request: Missing refresh_token.")
	case !isID(form.Get("client_id")):
		return nil, errToken(http.StatusBadRequest, "bad_client_id", "invalid_request: Bad client_id.")
	case form.Get("client_secret") == "":
		return nil, errToken(http.StatusBadRequest, "bad_client_secret", "invalid_request: Missing client_secret.")
	case !s.config.on("EnableOAuthServiceProvider"):
		return nil, errToken(http.StatusNotImplemented, "disabled", "The system admin has turned off OAuth2 Service Provider.")
	}
	at := slices.IndexFunc(s.oauthApps, func(a *OAuthApp) bool { return a.ID == form.Get("client_id") })
	switch {
	case at < 0:
		return nil, errToken(http.StatusNotFound, "credentials", "invalid_client: Invalid client credentials.")
	case s.oauthApps[at].ClientSecret != form.Get("client_secret"):
		return nil, errToken(http.StatusForbidden, "credentials", "invalid_client: Invalid client credentials.")
	case grantType == "refresh_token":
		old := s.oauth.refresh[form.Get("refresh_token")]
		if old == nil || old.client != form.Get("client_id") {
			return nil, errToken(http.StatusNotFound, "refresh_token", "invalid_grant: Invalid refresh token.")
		}
		s.endAccess(old)
		return s.newAccess(old.user, old.client), nil
	}
	return s.tradeCode(form)
}

func (s *Server) tradeCode(form url.Values) (*access, *apiError) {
	code := form.Get("code")
	g, ok := s.oauth.codes[code]
	switch {
	case !ok || g.client != form.Get("client_id"):
		return nil, errToken(http.StatusBadRequest, "expired_code", "invalid_grant: Invalid or expired authorization code.")
	case s.clock.Now().After(g.until):
		delete(s.oauth.codes, code)
		return nil, errToken(http.StatusForbidden, "expired_code", "invalid_grant: Invalid or expired authorization code.")
	case g.redirect != form.Get("redirect_uri"):
		return nil, errToken(http.StatusBadRequest, "redirect_uri", "invalid_request: Supplied redirect_uri does not match authorization code redirect_uri.")
	case s.knowsProofKeys() && g.challenge != "" && g.challenge != challengeOf(form.Get("code_verifier")):
		return nil, fail(http.StatusBadRequest, "api.oauth.validate_pkce.app_error", "invalid_grant: PKCE verification failed.")
	}
	user := s.users[g.user]
	if user == nil || user.DeleteAt != 0 {
		return nil, errToken(http.StatusForbidden, "expired_code", "invalid_grant: Invalid or expired authorization code.")
	}
	delete(s.oauth.codes, code)
	for _, have := range s.oauth.access {
		if have.user == g.user && have.client == g.client {
			return have, nil // the same token as long as it lives
		}
	}
	return s.newAccess(g.user, g.client), nil
}

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// knowsProofKeys holds from 11.2 on. s.mu must be held.
func (s *Server) knowsProofKeys() bool {
	major, minor, _ := strings.Cut(s.versionNow(), ".")
	minor, _, _ = strings.Cut(minor, ".")
	m, _ := strconv.Atoi(major)
	n, _ := strconv.Atoi(minor)
	return m > 11 || m == 11 && n >= 2
}

// versionNow is what the server says of itself. s.mu must be held.
func (s *Server) versionNow() string {
	if s.oauth.version != "" {
		return s.oauth.version
	}
	return version
}

// newAccess opens a session for an application. s.mu must be held.
func (s *Server) newAccess(user, client string) *access {
	a := &access{user: user, client: client, token: newID(), refresh: newID()}
	s.oauth.access[a.token], s.oauth.refresh[a.refresh] = a, a
	s.tokens[a.token] = s.users[user]
	return a
}

func (s *Server) endAccess(a *access) {
	delete(s.oauth.access, a.token)
	delete(s.oauth.refresh, a.refresh)
	delete(s.tokens, a.token)
}

// logout is POST /users/logout: the session that calls ends, and with it the
// token of an application.
func (s *Server) logout(c call) (int, any, *apiError) {
	token, _ := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.oauth.access[token]; a != nil {
		s.endAccess(a)
	} else if c.user.token != token { // a token of a bot or a person is no session
		delete(s.tokens, token)
	}
	return 0, nil, nil
}

func newProvider() provider {
	return provider{codes: map[string]grant{}, access: map[string]*access{}, refresh: map[string]*access{}, allowed: map[string]bool{}}
}
