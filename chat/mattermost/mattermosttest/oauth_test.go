// SPDX-License-Identifier: Apache-2.0

package mattermosttest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"belfry/chat/mattermost/mattermosttest"
)

// token asks for a token and returns the status, the body and Mattermost's error id.
func token(t *testing.T, s *mattermosttest.Server, form url.Values) (int, map[string]any) {
	t.Helper()
	return sent(t, s, "application/x-www-form-urlencoded", form.Encode(), "")
}

func sent(t *testing.T, s *mattermosttest.Server, kind, text, basic string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/oauth/access_token", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if id, secret, ok := strings.Cut(basic, ":"); ok {
		req.SetBasicAuth(id, secret)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	var body map[string]any
	if err != nil || json.Unmarshal(raw, &body) != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return res.StatusCode, body
}

// TestTheProviderIsAsHardAsTheRealOne holds the fake to what a real server did.
func TestTheProviderIsAsHardAsTheRealOne(t *testing.T) {
	const back = "https://belfry.example.org/cb"
	s := mattermosttest.Start(t)
	app := s.AddOAuthApp("Belfry", back)
	ask := "/oauth/authorize?" + url.Values{"client_id": {app.ID}, "response_type": {"code"}, "redirect_uri": {back}, "state": {"s&t"}}.Encode()
	code := func() string {
		t.Helper()
		u, err := url.Parse(s.Allow("alice", s.URL()+ask))
		if err != nil || u.Query().Get("state") != "s&t" {
			t.Fatal(u, err)
		}
		return u.Query().Get("code")
	}
	form := func(code string) url.Values {
		return url.Values{"grant_type": {"authorization_code"}, "client_id": {app.ID}, "client_secret": {app.ClientSecret}, "redirect_uri": {back}, "code": {code}}
	}
	c := code()
	if status, body := sent(t, s, "application/json", `{"grant_type":"authorization_code"}`, ""); status != 400 {
		t.Error("JSON was taken", status, body)
	}
	basic := form(c)
	basic.Del("client_secret")
	if status, body := sent(t, s, "application/x-www-form-urlencoded", basic.Encode(), app.ID+":"+app.ClientSecret); status != 400 {
		t.Error("Basic was taken", status, body)
	}
	status, made := token(t, s, form(c))
	if status != 200 || made["token_type"] != "bearer" {
		t.Fatal(status, made)
	}
	if status, body := token(t, s, form(c)); status != 400 || body["id"] != "api.oauth.get_access_token.expired_code.app_error" {
		t.Error("a used code", status, body)
	}
	if s.Deny(s.URL()+ask) != back+"?error=access_denied" {
		t.Error(s.Deny(s.URL() + ask))
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {app.ID}, "client_secret": {app.ClientSecret}, "refresh_token": {made["refresh_token"].(string)}}
	status, rotated := token(t, s, refresh)
	if status != 200 || rotated["access_token"] == made["access_token"] || rotated["refresh_token"] == made["refresh_token"] {
		t.Error("not rotated", status, rotated)
	}
	if status, _ := token(t, s, refresh); status != 404 {
		t.Error("a used refresh token", status)
	}
	for token, want := range map[any]int{made["access_token"]: 401, rotated["access_token"]: 200} {
		if got := me(t, s, token.(string)); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/api/v4/users/logout", nil)
	req.Header.Set("Authorization", "Bearer "+rotated["access_token"].(string))
	if res, err := http.DefaultClient.Do(req); err != nil || res.StatusCode != 200 || res.Body.Close() != nil {
		t.Fatal(res, err)
	}
	if got := me(t, s, rotated["access_token"].(string)); got != 401 || s.OAuthTokens() != 0 {
		t.Errorf("given back, but %d", got)
	}
}

func me(t *testing.T, s *mattermosttest.Server, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/api/v4/users/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}
