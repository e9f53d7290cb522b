// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"belfry/app"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/doctor"
	"belfry/doctor/doctortest"
)

// TestATokenThatWasLentReachesNoOtherServer: two connections, one token.
func TestATokenThatWasLentReachesNoOtherServer(t *testing.T) {
	mm := mattermosttest.Start(t)
	mm.AddChannel("ops")
	var mu sync.Mutex
	var shown []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		shown = append(shown, r.Header.Get("Authorization"))
		w.Header().Set("X-Version-Id", "5.37.0.5.37.0.x.false")
		_, _ = w.Write([]byte(`{"id":"aaaaaaaaaaaaaaaaaaaaaaaaaa","username":"belfry","is_bot":true}`))
	}))
	defer other.Close()
	file := config.Default(app.Kinds())
	file.Server.Data = t.TempDir()
	file.Connections = append(file.Connections,
		config.Connection{Name: "chat", Kind: "mattermost", Spec: &mattermost.Config{URL: mm.URL(), Token: config.Secret(mm.Token()), Team: mattermosttest.Team}},
		config.Connection{Name: "other", Kind: "mattermost", Spec: &mattermost.Config{URL: other.URL, Token: "a-token-of-the-other-server", Team: "ops"}})
	admin := config.Secret(mm.UserToken("admin"))
	for connection, sees := range map[string]bool{"chat": true, "": false, "nosuch": false} {
		r := app.ExamineStopped(t.Context(), file, "1", errors.New("not started"), doctor.Lent{Connection: connection, Token: admin})
		secrettest.Check(t, admin.Reveal(), r)
		var chat, lent []doctor.Finding
		for _, f := range r.Findings {
			switch f.Subject {
			case "connection chat":
				chat = append(chat, f)
			case "what was lent":
				lent = append(lent, f)
			}
		}
		hidden := strings.Contains(doctortest.Text(chat), "hidden settings")
		if hidden == sees || (len(lent) == 0) != sees {
			t.Errorf("--connection %q: %s\n%s", connection, doctortest.Text(chat), doctortest.Text(lent))
		}
		if !sees {
			doctortest.Check(t, lent)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(shown) == 0 {
		t.Error("the other server was not looked at")
	}
	for _, auth := range shown {
		if strings.Contains(auth, admin.Reveal()) {
			t.Fatal("the other server was shown the token")
		}
	}
}
