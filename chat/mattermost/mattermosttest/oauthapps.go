// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"net/http"
	"slices"
)

func errOAuthOff() *apiError {
	return fail(http.StatusNotImplemented, "api.oauth.register_oauth_app.turn_off.app_error", "The system admin has turned off OAuth2 Service Provider.")
}

// wrongApp judges an application that somebody wants.
func wrongApp(a OAuthApp) *apiError {
	switch {
	case a.Name == "" || len(a.Name) > 64:
		return fail(http.StatusBadRequest, "model.oauth.is_valid.name.app_error", "Invalid name.")
	case len(a.CallbackURLs) == 0 || slices.ContainsFunc(a.CallbackURLs, func(u string) bool { return !isHTTP(u) }):
		return fail(http.StatusBadRequest, "model.oauth.is_valid.callback.app_error", "Callback URL must be a valid URL and start with http:// or https://.")
	case !isHTTP(a.Homepage):
		return fail(http.StatusBadRequest, "model.oauth.is_valid.homepage.app_error", "Homepage must be a valid URL and start with http:// or https://.")
	}
	return nil
}

func (s *Server) createOAuthApp(c call) (int, any, *apiError) {
	var made OAuthApp
	if err := c.read(&made); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	if !s.config.on("EnableOAuthServiceProvider") {
		return 0, nil, errOAuthOff()
	}
	if err := wrongApp(made); err != nil {
		return 0, nil, err
	}
	made.ID, made.ClientSecret, made.CreatorID, made.CreateAt = newID(), newID(), c.user.ID, millis(s.clock.Now())
	s.oauthApps = append(s.oauthApps, &made)
	return http.StatusCreated, made, nil
}

// HideOAuthSecrets has applications listed without their secrets, as those that
// have none are (public clients, from 11.2 on).
func (s *Server) HideOAuthSecrets() { s.set(func(f *faults) { f.hideSecrets = true }) }

func (s *Server) listOAuthApps(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	if !s.config.on("EnableOAuthServiceProvider") {
		return 0, nil, errOAuthOff()
	}
	list := []OAuthApp{}
	for _, a := range s.oauthApps {
		list = append(list, *a)
		if s.faults.hideSecrets {
			list[len(list)-1].ClientSecret = ""
		}
	}
	return http.StatusOK, list, nil
}

// appOf finds an application that the caller may change.
func (s *Server) appOf(c call) (*OAuthApp, *apiError) {
	at := slices.IndexFunc(s.oauthApps, func(a *OAuthApp) bool { return a.ID == c.PathValue("id") })
	if at < 0 || !c.user.isAdmin() {
		return nil, errNotFound("app.oauth.get_app.find.app_error", "Unable to find the requested app.")
	}
	return s.oauthApps[at], nil
}

func (s *Server) updateOAuthApp(c call) (int, any, *apiError) {
	var want OAuthApp
	if err := c.read(&want); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.appOf(c)
	if err != nil {
		return 0, nil, err
	}
	if err := wrongApp(want); err != nil {
		return 0, nil, err
	}
	want.ID, want.ClientSecret, want.CreatorID, want.CreateAt = old.ID, old.ClientSecret, old.CreatorID, old.CreateAt
	*old = want
	return http.StatusOK, want, nil
}

func (s *Server) deleteOAuthApp(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, err := s.appOf(c)
	if err != nil {
		return 0, nil, err
	}
	s.oauthApps = slices.DeleteFunc(s.oauthApps, func(a *OAuthApp) bool { return a == app })
	return 0, nil, nil
}

// OAuthApps returns the applications there are.
func (s *Server) OAuthApps() []OAuthApp {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []OAuthApp
	for _, a := range s.oauthApps {
		out = append(out, *a)
	}
	return out
}
