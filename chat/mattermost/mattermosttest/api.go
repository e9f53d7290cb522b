// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

const version = "5.37.0"

// apiError is Mattermost's error body. Its detail is empty, as in production.
type apiError struct {
	ID        string `json:"id"`
	Message   string `json:"message"`
	Detail    string `json:"detailed_error"`
	RequestID string `json:"request_id"`
	Status    int    `json:"status_code"`
}

func fail(status int, id, message string) *apiError {
	return &apiError{ID: id, Message: message, Status: status}
}

func errPermissions() *apiError {
	return fail(http.StatusForbidden, "api.context.permissions.app_error", "You do not have the appropriate permissions.")
}

func errParam(name string) *apiError {
	return fail(http.StatusBadRequest, "api.context.invalid_body_param.app_error", "Invalid or missing "+name+" in request body.")
}

func errNotFound(id, message string) *apiError { return fail(http.StatusNotFound, id, message) }

// call is one authenticated API call.
type call struct {
	*http.Request
	user *User
}

// handler answers a call with a status and what is to be encoded; a nil error
// with a nil body means {"status":"OK"}.
type handler func(s *Server, c call) (status int, body any, err *apiError)

// routes is the API.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET /api/v4/users/me":                                  (*Server).getMe,
		"GET /api/v4/users/{id}":                                (*Server).getUser,
		"GET /api/v4/channels/{id}":                             (*Server).getChannel,
		"GET /api/v4/teams/name/{team}":                         (*Server).getTeam,
		"GET /api/v4/teams/name/{team}/channels/name/{channel}": (*Server).getChannelByName,
		"GET /api/v4/channels/{id}/posts":                       (*Server).listPosts,
		"POST /api/v4/posts":                                    (*Server).createPost,
		"POST /api/v4/posts/ephemeral":                          (*Server).createEphemeral,
		"GET /api/v4/posts/{id}":                                (*Server).getPost,
		"PUT /api/v4/posts/{id}/patch":                          (*Server).patchPost,
		"DELETE /api/v4/posts/{id}":                             (*Server).removePost,
		"POST /api/v4/posts/{id}/actions/{action}":              (*Server).doAction,
		"POST /api/v4/actions/dialogs/submit":                   (*Server).submitDialog,
	} {
		mux.Handle(pattern, s.serve(h, true))
	}
	for pattern, h := range adminRoutes() {
		mux.Handle(pattern, s.serve(h, true))
	}
	for pattern, h := range keepRoutes() {
		mux.Handle(pattern, s.serve(h, true))
	}
	for pattern, h := range directoryRoutes() {
		mux.Handle(pattern, s.serve(h, true))
	}
	mux.Handle("POST /api/v4/users/logout", s.serve((*Server).logout, true))
	for pattern, h := range map[string]handler{
		"GET /api/v4/posts/{id}/reactions":           (*Server).listReactions,
		"GET /api/v4/users/me/teams":                 (*Server).myTeams,
		"GET /api/v4/users/me/teams/{team}/channels": (*Server).myChannels,
		"POST /api/v4/channels/direct":               (*Server).createDirect,
	} {
		mux.Handle(pattern, s.serve(h, true))
	}
	mux.HandleFunc("GET /api/v4/websocket", s.socket)
	mux.HandleFunc("POST /api/v4/users/login", s.login)
	mux.HandleFunc("POST /hooks/{id}", s.incomingHook)
	mux.HandleFunc("GET /oauth/authorize", s.consentAsked)
	mux.HandleFunc("POST /oauth/authorize", s.authorize)
	mux.HandleFunc("POST /oauth/access_token", s.accessToken)
	mux.Handle("POST /api/v4/commands/execute", s.serve((*Server).executeCommand, true))
	// A command's response_url is the permission, too.
	mux.Handle("POST /hooks/commands/{id}", s.serve((*Server).respond, false))
	// Opening a dialog asks for no session: the trigger id is the permission.
	mux.Handle("POST /api/v4/actions/dialogs/open", s.serve((*Server).openDialog, false))
	mux.Handle("GET /api/v4/system/ping", s.serve(func(*Server, call) (int, any, *apiError) {
		return http.StatusOK, map[string]string{"status": "OK"}, nil
	}, false))
	mux.Handle("/", s.serve(func(*Server, call) (int, any, *apiError) {
		return 0, nil, errNotFound("api.context.404.app_error", "Sorry, we could not find the page.")
	}, false))
	return mux
}

// serve does what comes before and after every call: rate limit, session,
// faults, headers, encoding.
func (s *Server) serve(h handler, session bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 50<<20)
		header := w.Header()
		requestID := newID()
		header["X-Request-Id"] = []string{requestID}
		now := s.clock.Now()
		header["Date"] = []string{now.Format(http.TimeFormat)}

		s.mu.Lock()
		version := s.versionNow()
		header["X-Version-Id"] = []string{version + "." + version + ".f5fa9a4b9e1f4a3c8f6d0d6ed0b1a2c3.false"}
		s.faults.calls++
		slow := s.faults.slow
		if take(&s.faults.proxyErrors) {
			status := s.faults.proxyStatus
			s.mu.Unlock()
			header.Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = w.Write([]byte("<html><body><h1>" + http.StatusText(status) + "</h1></body></html>")) // the reader may be gone
			return
		}
		if f := &s.faults; f.limited {
			ok := f.allowed(now)
			header.Set("X-Ratelimit-Limit", strconv.Itoa(int(f.burst)+1))
			header.Set("X-Ratelimit-Remaining", strconv.Itoa(int(f.tokens)))
			header.Set("X-Ratelimit-Reset", "1")
			if !ok {
				s.mu.Unlock()
				header.Set("Retry-After", "1")
				http.Error(w, "limit exceeded", http.StatusTooManyRequests)
				return
			}
		}
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		user := s.tokens[token]
		if user != nil && user.DeleteAt != 0 { // an account that was ended has no sessions
			user = nil
		}
		s.mu.Unlock()

		s.sleep(r.Context(), slow)
		var status int
		var body any
		var err *apiError
		if session && user == nil {
			err = fail(http.StatusUnauthorized, "api.context.session_expired.app_error", "Invalid or expired session, please login again.")
		} else {
			status, body, err = h(s, call{r, user})
		}
		if err != nil {
			err.RequestID = requestID
			status, body = err.Status, err
		} else if body == nil {
			status, body = http.StatusOK, map[string]string{"status": "OK"}
		}
		answer(w, status, body)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	raw, ok := body.(json.RawMessage)
	if !ok {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			panic(err) // only our own types come here
		}
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(raw))}
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the reader may be gone
}

// isID says whether text has the form of an id.
func isID(text string) bool {
	if len(text) != 26 {
		return false
	}
	return isAlnum(text)
}

// isAlnum holds for the characters that routes take in an id: [A-Za-z0-9]+.
func isAlnum(text string) bool {
	for _, c := range []byte(text) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return text != ""
}

func (s *Server) getMe(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return http.StatusOK, *c.user, nil
}

func (s *Server) getUser(c call) (int, any, *apiError) {
	id := c.PathValue("id")
	s.mu.Lock()
	defer s.mu.Unlock()
	if take(&s.faults.usersFail) {
		return 0, nil, fail(http.StatusInternalServerError, "app.user.get.app_error", "We encountered an error finding the account.")
	}
	if !isID(id) {
		return 0, nil, fail(http.StatusBadRequest, "api.context.invalid_url_param.app_error", "Invalid or missing user_id parameter in request URL.")
	}
	u := s.users[id]
	if u == nil {
		return 0, nil, errNotFound("app.user.missing_account.const", "Unable to find the user.")
	}
	return http.StatusOK, *u, nil
}

func (s *Server) getChannel(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[c.PathValue("id")]
	if ch == nil {
		return 0, nil, errNotFound("app.channel.get.existing.app_error", "Unable to find the existing channel.")
	}
	if !ch.members[c.user.ID] && (ch.Type != "O" || !s.teams[ch.TeamID].members[c.user.ID]) {
		return 0, nil, errPermissions()
	}
	return http.StatusOK, *ch, nil
}

func (s *Server) getTeam(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.teamNamed(c.PathValue("team"))
	if t == nil {
		return 0, nil, errNotFound("app.team.get_by_name.missing.app_error", "Unable to find the existing team.")
	}
	if !t.members[c.user.ID] && !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	return http.StatusOK, map[string]string{"id": t.id, "name": t.name}, nil
}

func (s *Server) getChannelByName(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.teamNamed(c.PathValue("team"))
	if t == nil {
		return 0, nil, errNotFound("app.team.get_by_name.missing.app_error", "Unable to find the existing team.")
	}
	missing := errNotFound("app.channel.get_by_name.missing.app_error", "Channel does not exist.")
	for _, ch := range s.channels {
		if ch.TeamID != t.id || ch.Name != c.PathValue("channel") {
			continue
		}
		switch {
		case ch.members[c.user.ID], c.user.isAdmin():
		case ch.Type != "O":
			return 0, nil, missing // a private channel is not even said to exist
		case !t.members[c.user.ID]:
			return 0, nil, errPermissions()
		}
		return http.StatusOK, *ch, nil // archived ones too: look at delete_at
	}
	return 0, nil, missing
}
