// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/fault"
)

const (
	// renewBefore is how long before its end a token is renewed; it lives 12 h.
	renewBefore = 2 * time.Hour
	// renewClaim is how long the node that renews a token has for it; then
	// another one may try.
	renewClaim = time.Minute
	// renewWait is how long the others wait for it, looking every renewLook.
	renewWait = 10 * time.Second
	renewLook = 100 * time.Millisecond
	// tokenRead is how long a token is used before the vault is asked whether
	// somebody installed the app anew.
	tokenRead = time.Minute
)

// grant is what an installation gave us, as the vault keeps it.
type grant struct {
	Token   string `json:"token"`
	Refresh string `json:"refresh,omitempty"`
	// Expires is in Unix seconds; 0: never.
	Expires int64  `json:"expires,omitempty"`
	Team    string `json:"team"`
}

// tokens are the bot's token where the app is installed from Belfry's pages.
// It is the same for all nodes: the vault has it, and only one node at a time
// may renew it, because a refresh token works once.
type tokens struct {
	name   string
	vault  chat.Vault
	memory chat.Memory
	clock  clock.Clock
	// trade calls oauth.v2.access with the client's id and secret.
	trade func(ctx context.Context, args url.Values) (grant, error)

	mu   sync.Mutex // held while renewing: one call, however many need it
	have grant
	read time.Time
	seen []config.Secret
	// stale is a token that Slack called expired.
	stale string
}

// errNotInstalled says that nobody installed the app yet.
var errNotInstalled = errors.New("the app is not installed yet")

func (t *tokens) key() string { return "slack installation " + t.name }

// bot returns the token, renewed where it is near its end.
func (t *tokens) bot(ctx context.Context) (config.Secret, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	if t.have.Token == "" || now.Sub(t.read) > tokenRead || t.ending(now) {
		if err := t.load(ctx); err != nil {
			return "", err
		}
	}
	if t.have.Token == "" {
		return "", fault.NewRetry(fmt.Errorf("%w on connection %s: an administrator opens Belfry's page /oauth/%s/app", errNotInstalled, t.name, url.PathEscape(t.name)))
	}
	if t.ending(now) {
		if err := t.renew(ctx); err != nil && !now.Before(t.end()) {
			return "", err
		}
	}
	return config.Secret(t.have.Token), nil
}

func (t *tokens) end() time.Time { return time.Unix(t.have.Expires, 0) }

func (t *tokens) ending(now time.Time) bool {
	return t.have.Refresh != "" && (t.have.Token == t.stale || t.have.Expires != 0 && t.end().Sub(now) < renewBefore)
}

// expired makes the next call renew the token that Slack called expired.
func (t *tokens) expired() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stale = t.have.Token
}

// load reads what the vault has. t.mu must be held.
func (t *tokens) load(ctx context.Context) error {
	text, ok, err := t.vault.Kept(ctx, t.key())
	if err != nil {
		return fault.NewRetry(fmt.Errorf("can't read the token of connection %s: %w", t.name, err))
	}
	t.read = t.clock.Now()
	var g grant
	if !ok {
		t.have = g
		return nil
	}
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		return fault.NewPermanent(fmt.Errorf("what is kept of connection %s's installation can't be read; install the app again", t.name))
	}
	t.take(g)
	return nil
}

// take remembers a grant, and what must not be shown. t.mu must be held.
func (t *tokens) take(g grant) {
	if g.Token != t.have.Token {
		t.seen = append(t.seen, config.Secret(g.Token))
	}
	if g.Refresh != "" && g.Refresh != t.have.Refresh {
		t.seen = append(t.seen, config.Secret(g.Refresh))
	}
	t.seen = t.seen[max(0, len(t.seen)-8):]
	t.have = g
}

// secrets are those of now and of a little before.
func (t *tokens) secrets() []config.Secret {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]config.Secret(nil), t.seen...)
}

// keep stores a grant for all nodes. t.mu must be held.
func (t *tokens) keep(ctx context.Context, g grant) error {
	raw, err := json.Marshal(g)
	if err != nil {
		return err
	}
	// The old token is worth nothing from here on: this must not be given up
	// because a caller goes away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewWait)
	defer cancel()
	if err := t.vault.Keep(ctx, t.key(), string(raw)); err != nil {
		return fault.NewRetry(fmt.Errorf("can't keep the new token of connection %s: %w", t.name, err))
	}
	t.take(g)
	t.read = t.clock.Now()
	return nil
}

// renew trades the refresh token for new ones, or waits for the node that does.
// t.mu must be held.
func (t *tokens) renew(ctx context.Context) error {
	old := t.have
	sum := sha256.Sum256([]byte(old.Refresh))
	first, err := t.memory.UseOnce(ctx, t.key()+" renew "+base64.RawURLEncoding.EncodeToString(sum[:]), t.clock.Now().Add(renewClaim))
	if err != nil {
		return fault.NewRetry(fmt.Errorf("can't note that the token of connection %s is renewed: %w", t.name, err))
	}
	if !first {
		return t.await(ctx, old)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewClaim/2)
	defer cancel()
	g, err := t.trade(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh}})
	if err != nil {
		return err
	}
	if g.Team == "" {
		g.Team = old.Team
	}
	return t.keep(ctx, g)
}

// await waits until another node has renewed the token.
func (t *tokens) await(ctx context.Context, old grant) error {
	for until := t.clock.Now().Add(renewWait); t.clock.Now().Before(until); {
		select {
		case <-ctx.Done():
			return fault.NewRetry(ctx.Err())
		case <-t.clock.After(renewLook):
		}
		if err := t.load(ctx); err != nil {
			return err
		}
		if t.have.Refresh != old.Refresh {
			return nil
		}
	}
	return fault.NewRetry(fmt.Errorf("the token of connection %s is being renewed elsewhere", t.name))
}

// tradeFor returns what calls oauth.v2.access for a connection.
func (p *Platform) tradeFor(o *oauth) func(context.Context, url.Values) (grant, error) {
	return func(ctx context.Context, args url.Values) (grant, error) {
		args.Set("client_id", o.client)
		args.Set("client_secret", o.secret.Reveal())
		var got struct {
			Token   string `json:"access_token"`
			Refresh string `json:"refresh_token"`
			Lives   int64  `json:"expires_in"`
			Kind    string `json:"token_type"`
			Team    struct {
				ID string `json:"id"`
			} `json:"team"`
		}
		if _, err := p.oauthClient().callAs(ctx, "", "oauth.v2.access", args, &got); err != nil {
			return grant{}, p.exchangeFailed(err)
		}
		if got.Kind != "bot" || !strings.HasPrefix(got.Token, "xoxb-") && !strings.HasPrefix(got.Token, "xoxe.xoxb-") {
			return grant{}, fault.NewPermanent(fmt.Errorf("slack of connection %s gave no bot's token", p.name))
		}
		g := grant{Token: got.Token, Refresh: got.Refresh, Team: got.Team.ID}
		if got.Lives > 0 {
			g.Expires = p.clock.Now().Add(time.Duration(got.Lives) * time.Second).Unix()
		}
		return g, nil
	}
}
