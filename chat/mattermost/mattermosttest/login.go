// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import "net/http"

// maxLogins is after how many wrong passwords an account is locked.
const maxLogins = 10

// logins are the accounts that can sign in with a password.
type logins struct {
	passwords map[string]string // by handle
	wrong     map[string]int
	count     int
}

// SetPassword gives somebody a password.
func (s *Server) SetPassword(user, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logins.passwords == nil {
		s.logins.passwords, s.logins.wrong = map[string]string{}, map[string]int{}
	}
	s.logins.passwords[s.user(user).Username] = password
}

// EndSessions ends all that somebody opened by signing in.
func (s *Server) EndSessions(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(user)
	for token, owner := range s.tokens {
		if owner == u && token != u.token {
			delete(s.tokens, token)
		}
	}
}

// Logins returns how often signing in was tried, and how many sessions stand.
func (s *Server) Logins(user string) (tried, sessions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(user)
	for token, owner := range s.tokens {
		if owner == u && token != u.token {
			sessions++
		}
	}
	return s.logins.count, sessions
}

// login is POST /users/login: the session's token stands in a header.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	s.serve(func(s *Server, c call) (int, any, *apiError) {
		var ask struct {
			LoginID  string `json:"login_id"`
			Password string `json:"password"`
		}
		if err := c.read(&ask); err != nil {
			return 0, nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.logins.count++
		u := s.names[ask.LoginID]
		if s.logins.wrong[ask.LoginID] >= maxLogins {
			return 0, nil, fail(http.StatusUnauthorized, "api.user.check_user_login_attempts.too_many.app_error", "Your account is locked because of too many failed password attempts. Please reset your password.")
		}
		if want, ok := s.logins.passwords[ask.LoginID]; u == nil || u.DeleteAt != 0 || !ok || want != ask.Password {
			if ok {
				s.logins.wrong[ask.LoginID]++
			}
			return 0, nil, fail(http.StatusUnauthorized, "api.user.login.invalid_credentials_email_username", "Enter a valid email or username and/or password.")
		}
		token := newID()
		s.tokens[token] = u
		w.Header().Set("Token", token)
		return http.StatusOK, *u, nil
	}, false).ServeHTTP(w, r)
}
