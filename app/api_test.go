// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"belfry/app"
	"belfry/config"
	"belfry/store/opentest"
)

// TestAProgramNamesPeopleOfTheRoom: with the built-in room alone a private
// incident of a program must find somebody who can see it.
func TestAProgramNamesPeopleOfTheRoom(t *testing.T) {
	dir := opentest.Dir(t)
	a, err := app.Start(t.Context(), app.Options{Data: dir, DemoKey: "k", File: file(t, "incidents: {api: [deploy]}\n")})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, a)
	client, body := browser(t), textOf(t)
	body(client.Get(a.URL() + "/demo?key=k"))
	token, err := os.ReadFile(filepath.Join(dir, "api_deploy.token"))
	if err != nil {
		t.Fatal(err)
	}
	declare := func(people string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL()+"/api/incidents", bytes.NewBufferString(`{"title":"a secret","private":true,"people":[`+people+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(token)))
		return body(client.Do(r))
	}
	for _, nobody := range []string{`"room/nobody"`, `"elsewhere/you"`} {
		if got := declare(nobody); !strings.Contains(got, "nobody is called") {
			t.Errorf("%s: %s", nobody, got)
		}
	}
	if got := declare(`"room/you"`); !strings.Contains(got, `"people":["you"]`) {
		t.Error(got)
	}
	if page := body(client.Get(a.URL() + "/incidents/1")); !strings.Contains(page, "a secret") {
		t.Error("who was named does not see it")
	}
}

// TestOneLengthHoldsForTokens by which Belfry is called: a source's and a
// program's.
func TestOneLengthHoldsForTokens(t *testing.T) {
	for length, refused := range map[int]bool{config.MinToken - 1: true, config.MinToken: false} {
		dir := opentest.Dir(t)
		if err := os.WriteFile(filepath.Join(dir, "api_ci.token"), []byte(strings.Repeat("t", length)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, problems := config.Load("belfry.yaml", []byte("sources: [{name: nagios, kind: nagios, token: "+strings.Repeat("s", length)+"}]\ndefault: {channels: [room/alerts]}\n"), app.Kinds())
		if got := strings.Contains(problems.Error(), fmt.Sprintf("at least %d are wanted", config.MinToken)); got != refused {
			t.Errorf("a source's of %d: %v", length, problems)
		}
		for api, want := range map[string]string{
			"[ci]": "too short to be safe",
			"[{name: ci, token_file: " + filepath.Join(dir, "api_ci.token") + "}]": fmt.Sprintf("fewer than %d characters", config.MinToken),
		} {
			a, err := app.Start(t.Context(), app.Options{Data: dir, File: file(t, "incidents: {api: "+api+"}\n")})
			if err == nil {
				stop(t, a)
			}
			if (err != nil) != refused || refused && !strings.Contains(err.Error(), want) {
				t.Errorf("a program's of %d by %s: %v", length, api, err)
			}
		}
	}
}
