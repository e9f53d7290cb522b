// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"belfry/config"
)

// afterRefusal is how long a refused login is not tried again: a server locks
// accounts after ten wrong passwords.
const afterRefusal = 5 * time.Minute

// account is a person's account that is signed in to where no bot can be had.
// Its session lives in memory alone.
type account struct {
	login    string
	password config.Secret

	mu      sync.Mutex // held while signing in: one login, however many calls want one
	session []string   // the header; nil: none
	// last is the session's token and the one before it: late answers may
	// still repeat that.
	last [2]config.Secret
	// refused is what the last login was answered with, until when it counts.
	refused error
	until   time.Time
	// underWay counts the calls that may use a session, and closed says that the
	// platform was let go of: whoever then ends last ends the session.
	underWay atomic.Int64
	closed   atomic.Bool
}

// authorization returns the header of a call, and signs in first where that is
// needed. It returns a *refused or a *broken.
func (c *client) authorization(ctx context.Context) ([]string, error) {
	a := c.account
	if a == nil {
		return c.auth, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.session != nil {
		return a.session, nil
	}
	if a.refused != nil && c.clock.Now().Before(a.until) {
		return nil, a.refused
	}
	token, err := c.signIn(ctx, a.login, a.password)
	if r, ok := refusal(err); ok && r.Status >= 400 && r.Status < 500 && r.Status != http.StatusTooManyRequests {
		r.Status = http.StatusUnauthorized // whatever the server calls it: who we are doesn't get in
		a.refused, a.until = &r, c.clock.Now().Add(afterRefusal)
		return nil, &r
	}
	if err != nil {
		// The login may have been done, but what was called for was not sent.
		if b, ok := errors.AsType[*broken](err); ok {
			return nil, &broken{Err: b.Err}
		}
		return nil, err
	}
	a.refused = nil
	a.session = []string{"Bearer " + token.Reveal()}
	a.last = [2]config.Secret{token, a.last[0]}
	return a.session, nil
}

// signIn opens a session; its token stands in a header of the answer. It is
// called with a.mu held, so that hiding must not ask for a.secrets.
func (c *client) signIn(ctx context.Context, login string, password config.Secret) (config.Secret, error) {
	var header http.Header
	bare := &client{base: c.base, token: password, others: []config.Secret{c.account.last[0], c.account.last[1]},
		timeout: c.timeout, http: c.http, limit: c.limit, clock: c.clock}
	err := bare.call(ctx, http.MethodPost, "/users/login",
		map[string]string{"login_id": login, "password": password.Reveal()}, nil, nil, &header)
	if err != nil {
		return "", err
	}
	token := header.Get("Token")
	if token == "" || len(token) > maxToken || strings.ContainsAny(token, " \t\r\n") {
		return "", &broken{Err: errors.New("mattermost took the login and gave no session; does something before it take the header Token away?")}
	}
	return config.Secret(token), nil
}

// expired forgets the session that auth is; a newer one stays.
func (a *account) expired(auth []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(auth) == 1 && len(a.session) == 1 && a.session[0] == auth[0] {
		a.session = nil
	}
}

// expire forgets the session, if there is one.
func (c *client) expire() {
	if c.account == nil {
		return
	}
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	c.account.session = nil
}

func (a *account) secrets() []config.Secret {
	a.mu.Lock()
	defer a.mu.Unlock()
	return []config.Secret{a.password, a.last[0], a.last[1]}
}

// begin notes a call that may use a session, and returns what is to be done when
// it ended. A reload of the configuration lets go of a platform while deliveries
// and answers are under way with it: they are finished by it, and sign in anew
// where they must, so that session is ended here.
func (c *client) begin(ctx context.Context) (end func()) {
	a := c.account
	if a == nil {
		return func() {}
	}
	a.underWay.Add(1)
	return func() {
		if a.underWay.Add(-1) == 0 && a.closed.Load() {
			c.signOut(context.WithoutCancel(ctx)) // whoever called may have given up
		}
	}
}

// close has the session end as soon as no call needs it any more, so that none is
// left behind at every reload and restart.
func (c *client) close(ctx context.Context) {
	if c.account == nil {
		return
	}
	c.account.closed.Store(true)
	if c.account.underWay.Load() == 0 {
		c.signOut(ctx)
	}
}

// signOut ends the session at the server.
func (c *client) signOut(ctx context.Context) {
	c.account.mu.Lock()
	auth := c.account.session
	c.account.session = nil
	c.account.mu.Unlock()
	if auth != nil {
		_ = c.call(ctx, http.MethodPost, "/users/logout", nil, nil, auth, nil) // it ends by itself, only later
	}
}

// bearer is the token in an authorization header.
func bearer(auth []string) string {
	if len(auth) != 1 {
		return ""
	}
	return strings.TrimPrefix(auth[0], "Bearer ")
}
