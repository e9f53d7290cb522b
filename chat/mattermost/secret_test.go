// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/mattermost"
	"belfry/config"
	"belfry/config/secrettest"
)

// TestTokenStaysHere: a server, or what stands before it, that echoes the token
// in everything it says does not get it into an error or a log line.
func TestTokenStaysHere(t *testing.T) {
	const token = "tokentokentoken42"
	status := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("the token did not arrive: %q", r.Header.Get("Authorization"))
		}
		w.Header().Set("Location", "https://login.example/?token="+token)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"id": token, "message": "no such token: " + token, "username": "x"})
	}))
	defer srv.Close()
	var log bytes.Buffer
	const hook = "the-token-of-a-webhook"
	c := &mattermost.Config{URL: srv.URL, Token: token, Team: "t", Timeout: time.Second, OutgoingTokens: []config.Secret{hook}}
	p, err := c.Open(mattermost.Options{Name: "main", Log: slog.New(slog.NewJSONHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close(t.Context()) }()
	const id = "abcdefghijklmnopqrstuvwxyz"
	for _, status = range []int{200, 302, 400, 401, 403, 404, 429, 500} {
		_, post := p.Post(t.Context(), chat.Post{Channel: id, Key: "k", Message: card("x")})
		_, note := p.Post(t.Context(), chat.Post{Channel: id, Thread: &chat.Ref{Channel: id, Post: id}, Key: "k", Message: card("x")})
		_, _, find := p.Find(t.Context(), id, "k", time.Now())
		_, person := p.Person(t.Context(), id)
		_, check := p.Check(t.Context())
		edit := p.Update(t.Context(), chat.Ref{Channel: id, Post: id}, "k", card("x"))
		for _, err := range []error{post, note, find, person, edit, check} {
			if err != nil {
				secrettest.Check(t, token, err)
			}
		}
		if post == nil || note == nil || find == nil || person == nil {
			t.Errorf("%d: nonsense was taken for an answer", status)
		}
		w := httptest.NewRecorder()
		p.Handler(&chattest.Recorder{}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/action", bytes.NewReader([]byte(pressBody(id)))))
		secrettest.Check(t, token, w.Body.String(), *c)
		secrettest.Check(t, hook, *c)
	}
	secrettest.Check(t, token, log.String())
}
