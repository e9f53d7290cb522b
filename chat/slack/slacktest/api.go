// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// method is one method of the Web API.
type method struct {
	// tier is Slack's rate tier; 0 has a rule of its own.
	tier int
	// scopes: one of them must be granted; none: any token does.
	scopes []string
	// token is the beginning of the token's kind, "xoxb-" when empty.
	token string
	// args are the arguments it knows.
	args string
	// json says whether it takes a JSON body: methods that only read do not,
	// and see no arguments then.
	json bool
	// writes makes it suffer the faults of posts and edits.
	writes bool
	// do carries it out with s.mu held.
	do func(q *request) reply
}

// request is one call.
type request struct {
	*Server
	name string
	args map[string]string
	http *http.Request
}

// reply is the answer's fields; "error" makes it a refusal.
type reply map[string]any

func refuse(code string) reply { return reply{"error": code} }

// refuseBecause adds details, as Slack does in response_metadata.messages.
func refuseBecause(code string, messages ...string) reply {
	return reply{"error": code, "response_metadata": map[string]any{"messages": messages}}
}

// register adds a method.
func (s *Server) register(name string, m method) { s.methods[name] = m }

const maxBody = 4 << 20

// api serves /api/{method}.
func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	s.mu.Lock()
	slow := s.faults.slow
	m, known := s.methods[name]
	s.mu.Unlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	s.sleep(r.Context(), slow)
	if err != nil || r.Context().Err() != nil {
		return
	}
	q := &request{Server: s, name: name, http: r}
	var out reply
	var warning string
	if !known {
		out = refuse("unknown_method")
	} else if q.args, warning, out = readArgs(r, body, m.json); out == nil {
		s.carryOut(w, q, m, warning)
		return
	}
	s.answer(w, q, out, warning)
}

// carryOut checks the token, limits and scopes, suffers faults, and calls.
func (s *Server) carryOut(w http.ResponseWriter, q *request, m method, warning string) {
	s.mu.Lock()
	if wait := s.limit(q, m); wait > 0 {
		s.note(q, "ratelimited")
		s.mu.Unlock()
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"ok":false,"error":"ratelimited"}`)
		return
	}
	if m.writes && take(&s.faults.failBefore) {
		status, code := s.faults.status, s.faults.code
		s.note(q, "fault")
		s.mu.Unlock()
		fail(w, status, code)
		return
	}
	out := s.authorize(q, m)
	if out == nil {
		out = unknownArgs(q, m)
	}
	if out == nil {
		out = m.do(q)
	}
	lose, after := false, false
	if _, refused := out["error"]; m.writes && !refused {
		lose = take(&s.faults.loseAnswers)
		after = !lose && take(&s.faults.failAfter)
	}
	status, code := s.faults.status, s.faults.code
	scopes := s.granted()
	text, _ := out["error"].(string)
	s.note(q, text)
	s.mu.Unlock()
	switch {
	case lose:
		panic(http.ErrAbortHandler)
	case after:
		fail(w, status, code)
	default:
		w.Header().Set("X-Oauth-Scopes", scopes)
		s.answer(w, q, out, warning)
	}
}

func fail(w http.ResponseWriter, status int, code string) {
	if code == "" {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<!DOCTYPE html><html><head><title>Server Error | Slack</title></head></html>")
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"ok":false,"error":%q}`, code)
}

// note remembers a call. s.mu must be held.
func (s *Server) note(q *request, text string) {
	if len(s.calls) < 100_000 {
		s.calls = append(s.calls, Call{Method: q.name, Args: q.args, At: s.clock.Now(), Error: text})
	}
}

func (s *Server) answer(w http.ResponseWriter, q *request, out reply, warning string) {
	_, refused := out["error"]
	out["ok"] = !refused
	if posted, ok := q.args["\x00posted"]; ok && s.opts.OnPost != nil && !refused {
		s.opts.OnPost(time.Now(), q.args["channel"], posted)
	}
	if warning != "" {
		out["warning"] = warning
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(out) // the caller may be gone
}

// readArgs reads a call's arguments from its query, form or JSON, with
// Slack's complaints about content types and charsets.
func readArgs(r *http.Request, body []byte, takesJSON bool) (map[string]string, string, reply) {
	args := map[string]string{}
	for k, v := range r.URL.Query() {
		args[k] = v[0]
	}
	if r.Method == http.MethodGet {
		return args, "", nil
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(body) == 0 && r.Header.Get("Content-Type") == "":
		return args, "", nil
	case err != nil && r.Header.Get("Content-Type") == "":
		return nil, "", refuse("missing_post_type")
	case err != nil:
		return nil, "", refuse("invalid_post_type")
	}
	charset := strings.ToLower(params["charset"])
	if charset != "" && charset != "utf-8" && charset != "iso-8859-1" {
		return nil, "", refuse("invalid_charset")
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, "", refuse("invalid_form_data")
		}
		for k, v := range form {
			args[k] = v[0]
		}
		return args, "", nil
	case "application/json":
		warning := ""
		if charset == "" {
			warning = "missing_charset"
		}
		if !takesJSON {
			return args, warning, nil // Slack does not look at it
		}
		var raw map[string]json.RawMessage
		if json.Unmarshal(body, &raw) != nil {
			return nil, "", refuse("invalid_json")
		}
		for k, v := range raw {
			var text string
			if json.Unmarshal(v, &text) != nil {
				text = string(v)
			}
			args[k] = text
		}
		return args, warning, nil
	}
	return nil, "", refuse("invalid_post_type")
}

// authorize checks the token's kind and its scopes. s.mu must be held.
func (s *Server) authorize(q *request, m method) reply {
	token, ok := strings.CutPrefix(q.http.Header.Get("Authorization"), "Bearer ")
	if !ok {
		token = q.args["token"]
	}
	want := m.token
	if want == "" {
		want = "xoxb-"
	}
	switch {
	case want == "none":
		return nil
	case token == "":
		return refuse("not_authed")
	case token != s.botToken && token != s.appToken:
		return refuse("invalid_auth")
	case !strings.HasPrefix(strings.TrimPrefix(token, "xoxe."), want):
		return refuse("not_allowed_token_type")
	case token == s.botToken && s.tokenExpired():
		return refuse("token_expired")
	case s.revoked && token == s.botToken:
		return refuse("token_revoked")
	}
	return s.needs(m.scopes...)
}

// needs is missing_scope unless one of the scopes is granted. s.mu must be held.
func (s *Server) needs(scopes ...string) reply {
	if len(scopes) == 0 || slices.ContainsFunc(scopes, func(scope string) bool { return s.scopes[scope] }) {
		return nil
	}
	return reply{"error": "missing_scope", "needed": strings.Join(scopes, ","), "provided": s.granted()}
}

// unknownArgs refuses arguments that the method does not have: Slack leaves
// them out silently, which a test must not overlook.
func unknownArgs(q *request, m method) reply {
	known := append(strings.Fields(m.args), "token")
	for name := range q.args {
		if !slices.Contains(known, name) {
			return refuseBecause("invalid_arguments", "[ERROR] unknown argument: "+name+" of "+q.name)
		}
	}
	return nil
}
