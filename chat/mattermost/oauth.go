// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"belfry/chat"
	"belfry/config"
	"belfry/fault"

	"golang.org/x/oauth2"
)

// OAuth is an OAuth 2.0 application of the Mattermost server, by which people
// link their accounts and sign in. Its callback URL is Belfry's address with
// /oauth/CONNECTION/personal.
type OAuth struct {
	ClientID string `yaml:"client_id"`
	// ClientSecret, or ClientSecretFile with the file that holds it.
	ClientSecret     config.Secret `yaml:"client_secret"`
	ClientSecretFile string        `yaml:"client_secret_file"`
}

var (
	_ chat.Identifier = (*Platform)(nil)
	_ config.Linker   = (*Config)(nil)
)

// Links implements config.Linker.
func (c *Config) Links() bool { return c.OAuth != nil }

func (o *OAuth) validate(add func(field, format string, args ...any)) {
	switch {
	case o.ClientID == "":
		add("oauth.client_id", "is missing: the id that Mattermost shows for the OAuth 2.0 application")
	case !isID(o.ClientID):
		add("oauth.client_id", "%q is no id of Mattermost's: 26 small letters and digits", o.ClientID)
	}
	switch {
	case o.ClientSecret == "" && o.ClientSecretFile == "":
		add("oauth.client_secret_file", "is missing: a file with the application's secret (or client_secret with the secret itself)")
	case o.ClientSecret != "" && o.ClientSecretFile != "":
		add("oauth.client_secret", "is given beside client_secret_file; keep one of them")
	case strings.ContainsAny(o.ClientSecret.Reveal(), " \t\r\n\""):
		add("oauth.client_secret", "has white space or quotes in it; write the secret alone")
	}
}

// oauth is what speaks OAuth 2.0 for a connection. Mattermost has no scopes: a
// token is the whole person, which is why none is kept.
type oauth struct {
	config oauth2.Config
	site   string
	secret config.Secret
}

// open returns nil where there is no application.
func (o *OAuth) open(site string) (*oauth, error) {
	if o == nil {
		return nil, nil
	}
	secret, err := config.ReadSecret(o.ClientSecret, o.ClientSecretFile)
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	return &oauth{site: site, secret: secret, config: oauth2.Config{ClientID: o.ClientID, ClientSecret: secret.Reveal(),
		Endpoint: oauth2.Endpoint{AuthURL: site + "/oauth/authorize", TokenURL: site + "/oauth/access_token",
			AuthStyle: oauth2.AuthStyleInParams}}}, nil // the secret counts in the form's body only
}

// errNoOAuth says that people can't be asked who they are.
var errNoOAuth = errors.New("this connection has no oauth application, so accounts can't be linked by it")

// Site implements chat.Identifier.
func (p *Platform) Site() string {
	u, err := url.Parse(p.client.site())
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// AuthorizeURL implements chat.Identifier. A proof key is added for servers
// that know what it is (11.2 and later).
func (p *Platform) AuthorizeURL(ctx context.Context, redirect, state, verifier string) (string, error) {
	if p.oauth == nil {
		return "", fault.NewPermanent(errNoOAuth)
	}
	var options []oauth2.AuthCodeOption
	if p.provesKeys(ctx) {
		options = append(options, oauth2.S256ChallengeOption(verifier))
	}
	c := p.oauth.config
	c.RedirectURL = redirect
	return c.AuthCodeURL(state, options...), nil
}

// provesKeys says whether the server knows PKCE (RFC 7636).
func (p *Platform) provesKeys(ctx context.Context) bool {
	if p.client.version.Load() == nil {
		// Its answer tells the version; without one the key is left out, which
		// the application's secret makes up for.
		_ = p.client.do(ctx, http.MethodGet, "/system/ping", nil, nil)
	}
	v := p.client.version.Load()
	if v == nil {
		return false
	}
	parts := strings.SplitN(*v, ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err1 == nil && err2 == nil && (major > 11 || major == 11 && minor >= 2)
}

// Identify implements chat.Identifier: code → token → GET /users/me → token
// given back. The token is in no error and no log line.
func (p *Platform) Identify(ctx context.Context, redirect, code, verifier string) (chat.Actor, error) {
	if p.oauth == nil {
		return chat.Actor{}, fault.NewPermanent(errNoOAuth)
	}
	ctx, cancel := context.WithTimeout(ctx, p.client.timeout)
	defer cancel()
	token, err := p.exchange(ctx, redirect, code, verifier)
	if err != nil {
		return chat.Actor{}, err
	}
	as := p.client.as(config.Secret(token.AccessToken), p.oauth.secret)
	defer p.giveBack(ctx, as)
	var who person
	if err := as.do(ctx, http.MethodGet, "/users/me", nil, &who); err != nil {
		return chat.Actor{}, p.decide(err, reads, "read who allowed it")
	}
	switch {
	case !isID(who.ID) || who.Username == "" || who.DeleteAt > 0:
		return chat.Actor{}, fault.NewPermanent(fmt.Errorf("mattermost of connection %s named nobody active: %w", p.name, errNobody))
	case who.IsBot:
		return chat.Actor{}, fault.NewPermanent(fmt.Errorf("@%s of connection %s is a bot: only people's accounts can be linked", chat.CleanLine(who.Username), p.name))
	}
	return chat.Actor{Connection: p.name, ID: who.ID, Name: chat.CleanLine(who.Username)}, nil
}

// as returns a client that speaks with another token, knows one more secret to
// be silent about, and shares all else.
func (c *client) as(token, other config.Secret) *client {
	return &client{base: c.base, token: token, others: append(c.secrets(), other), auth: []string{"Bearer " + token.Reveal()}, timeout: c.timeout,
		http: c.http, limit: c.limit, clock: c.clock}
}

// giveBack ends the session that the token opened.
func (p *Platform) giveBack(ctx context.Context, as *client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := as.do(ctx, http.MethodPost, "/users/logout", nil, nil); err != nil {
		p.log.Warn("a token of somebody who linked their account could not be given back; it was forgotten here and ends by itself", "error", err)
	}
}

// exchangeFailed says in plain words why there is no token. Mattermost answers
// with error bodies of its own, not with those of RFC 6749; the library's text
// would show the whole body.
func (p *Platform) exchangeFailed(err error) error {
	got, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return fault.NewRetry(fmt.Errorf("mattermost of connection %s did not answer, or not with a token: %s", p.name, p.oauth.hide(p.client.hide(err.Error()))))
	}
	var body struct {
		ID string `json:"id"`
	}
	status := 0
	if got.Response != nil {
		status = got.Response.StatusCode
	}
	if json.Unmarshal(got.Body, &body) != nil {
		return fault.NewRetry(fmt.Errorf("something before mattermost of connection %s answered with %d and no JSON: is url right, and is there a login page before it?", p.name, status))
	}
	say := func(text string) error {
		return fault.NewPermanent(fmt.Errorf("mattermost of connection %s refuses: %s", p.name, text))
	}
	switch id := body.ID; {
	case strings.Contains(id, "expired_code"):
		return say("the code is used up or older than ten minutes; please begin again")
	case strings.Contains(id, "redirect_uri"):
		return say("the OAuth application doesn't know this callback URL; an administrator adds it there, exactly as it stands in the documentation")
	case strings.Contains(id, "credentials"), strings.Contains(id, "bad_client"), strings.Contains(id, "client_id"), strings.Contains(id, "client_secret"):
		return say("the OAuth application's id or secret is wrong; an administrator corrects oauth in the configuration")
	case strings.Contains(id, "disabled"), strings.Contains(id, "turn_off"), status == http.StatusNotImplemented:
		return say("its OAuth 2.0 service provider is switched off; an administrator switches EnableOAuthServiceProvider on")
	case status == http.StatusTooManyRequests || status >= 500:
		return fault.NewRetry(fmt.Errorf("mattermost of connection %s has trouble (%d); please try again in a moment", p.name, status))
	}
	return say(fmt.Sprintf("%d %s", status, p.oauth.hide(p.client.hide(body.ID))))
}

func (o *oauth) hide(text string) string { return config.Hide(text, o.secret) }
