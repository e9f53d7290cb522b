// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/fault"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OAuth is the app's client id and secret, from Basic Information in the app's
// settings. Its redirect URLs are Belfry's address with
// /oauth/CONNECTION/personal and /oauth/CONNECTION/app.
type OAuth struct {
	ClientID string `yaml:"client_id"`
	// ClientSecret, or ClientSecretFile with the file that holds it.
	ClientSecret     config.Secret `yaml:"client_secret"`
	ClientSecretFile string        `yaml:"client_secret_file"`
	// Install has administrators install the app from Belfry's pages: the bot's
	// token is kept by Belfry, sealed, and renewed where it expires. There is
	// no token_file then.
	Install bool `yaml:"install"`
}

var _ chat.Identifier = (*Platform)(nil)

func (o *OAuth) validate(add func(field, format string, args ...any)) {
	id, rest, ok := strings.Cut(o.ClientID, ".")
	switch {
	case o.ClientID == "":
		add("oauth.client_id", "is missing: the Client ID that stands under Basic Information in the app's settings")
	case !ok || id == "" || rest == "" || !isDigits(id) || !isDigits(rest):
		add("oauth.client_id", "%q is no Client ID: two numbers with a dot between them", o.ClientID)
	}
	switch {
	case o.ClientSecret == "" && o.ClientSecretFile == "":
		add("oauth.client_secret_file", "is missing: a file with the app's Client Secret (or client_secret with the secret itself)")
	case o.ClientSecret != "" && o.ClientSecretFile != "":
		add("oauth.client_secret", "is given beside client_secret_file; keep one of them")
	case strings.HasPrefix(o.ClientSecret.Reveal(), "xox"), strings.HasPrefix(o.ClientSecret.Reveal(), "xapp-"):
		add("oauth.client_secret", "is a token; it takes the Client Secret from Basic Information")
	case strings.ContainsAny(o.ClientSecret.Reveal(), " \t\r\n\""):
		add("oauth.client_secret", "has white space or quotes in it; write the secret alone")
	}
}

// Claims of Slack's id tokens beyond those of OpenID Connect (docs.slack.dev,
// "Sign in with Slack").
const (
	claimUser = "https://slack.com/user_id"
	claimTeam = "https://slack.com/team_id"
)

// oauth is what speaks OAuth 2.0 and OpenID Connect for a connection.
type oauth struct {
	client string
	secret config.Secret
	// site is https://slack.com; api is below it.
	site string
	keys oidc.KeySet
}

// open returns nil where there is no client.
func (o *OAuth) open(c *client) (*oauth, error) {
	if o == nil {
		return nil, nil
	}
	secret, err := config.ReadSecret(o.ClientSecret, o.ClientSecretFile)
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	site := strings.TrimSuffix(c.base, "/api")
	// The keys are fetched when a token comes that is signed with one that isn't
	// known, through the connection's own transport.
	ctx := oidc.ClientContext(context.Background(), c.http)
	return &oauth{client: o.ClientID, secret: secret, site: site,
		keys: oidc.NewRemoteKeySet(ctx, site+"/openid/connect/keys")}, nil
}

// errNoOAuth says that people can't be asked who they are.
var errNoOAuth = errors.New("this connection has no oauth client, so accounts can't be connected by it")

// Identifies says whether people can be asked who they are.
func (p *Platform) Identifies() bool { return p.oauth != nil }

// Site implements chat.Identifier.
func (p *Platform) Site() string {
	u, err := url.Parse(p.client.base)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// AuthorizeURL implements chat.Identifier: Sign in with Slack. What is asked
// for is who it is, and nothing else.
func (p *Platform) AuthorizeURL(ctx context.Context, redirect, state, verifier string) (string, error) {
	if p.oauth == nil {
		return "", fault.NewPermanent(errNoOAuth)
	}
	me, err := p.self(ctx)
	if err != nil {
		return "", err
	}
	return p.oauth.site + "/openid/connect/authorize?" + url.Values{
		"response_type": {"code"}, "scope": {"openid"}, "client_id": {p.oauth.client}, "redirect_uri": {redirect}, "state": {state},
		"nonce": {nonceOf(verifier)}, "team": {me.TeamID},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
	}.Encode(), nil
}

// nonceOf ties the id token to this sign-in: whoever has the verifier can tell
// it, and whoever sees the nonce can't tell the verifier.
func nonceOf(verifier string) string {
	sum := sha256.Sum256([]byte("belfry nonce " + verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Identify implements chat.Identifier: code → id token → who it is. The token
// is believed if Slack signed it, for this app, for this sign-in, and a moment
// ago; the person then is looked up like whoever presses a button.
func (p *Platform) Identify(ctx context.Context, redirect, code, verifier string) (chat.Actor, error) {
	if p.oauth == nil {
		return chat.Actor{}, fault.NewPermanent(errNoOAuth)
	}
	ctx, cancel := context.WithTimeout(ctx, p.client.timeout)
	defer cancel()
	var got struct {
		IDToken string `json:"id_token"`
		Access  string `json:"access_token"`
	}
	_, err := p.oauthClient().callAs(ctx, "", "openid.connect.token", url.Values{
		"client_id": {p.oauth.client}, "client_secret": {p.oauth.secret.Reveal()}, "grant_type": {"authorization_code"},
		"code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier},
	}, &got)
	if err != nil {
		return chat.Actor{}, p.exchangeFailed(err)
	}
	defer p.giveBack(ctx, config.Secret(got.Access))
	user, team, err := p.oauth.read(ctx, got.IDToken, verifier, p.clock)
	if err != nil {
		p.log.Warn("an id token was refused", "err", err)
		return chat.Actor{}, fault.NewPermanent(fmt.Errorf("what Slack says about you can't be believed: %w", err))
	}
	me, err := p.self(ctx)
	if err != nil {
		return chat.Actor{}, err
	}
	if !me.ours(team, "") {
		return chat.Actor{}, fault.NewPermanent(fmt.Errorf("you signed in to another workspace than that of connection %s", p.name))
	}
	return p.Person(ctx, user)
}

// oauthClient calls without a token of ours and never shows the client's secret.
func (p *Platform) oauthClient() *client {
	return newClient(p.client.base, p.client.timeout, p.client.http.Transport, p.clock, append([]config.Secret{"", p.oauth.secret}, p.client.secrets...)...)
}

// read judges an id token and returns whose it is.
func (o *oauth) read(ctx context.Context, token, verifier string, c clock.Clock) (user, team string, err error) {
	v := oidc.NewVerifier(issuer, o.keys, &oidc.Config{ClientID: o.client, SupportedSigningAlgs: []string{oidc.RS256}, Now: c.Now})
	t, err := v.Verify(ctx, token)
	if err != nil {
		return "", "", err
	}
	if subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(nonceOf(verifier))) != 1 {
		return "", "", errors.New("the id token was made for another sign-in")
	}
	var claims map[string]any
	if err := t.Claims(&claims); err != nil {
		return "", "", errors.New("the id token's claims can't be read")
	}
	user, _ = claims[claimUser].(string)
	team, _ = claims[claimTeam].(string)
	if !isUserID(user) || !isSlackID(team) {
		return "", "", errors.New("the id token doesn't say who you are")
	}
	return user, team, nil
}

// issuer signs id tokens, wherever the API is.
const issuer = "https://slack.com"

// giveBack ends the token that was had on the way.
func (p *Platform) giveBack(ctx context.Context, token config.Secret) {
	if token == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.client.timeout)
	defer cancel()
	c := newClient(p.client.base, p.client.timeout, p.client.http.Transport, p.clock, append([]config.Secret{token, p.oauth.secret}, p.client.secrets...)...)
	if err := c.call(ctx, "auth.revoke", url.Values{}, nil); err != nil {
		p.log.Warn("a token of somebody who connected their account could not be given back; it was forgotten here", "err", err)
	}
}

// exchangeFailed says in plain words why there is no token.
func (p *Platform) exchangeFailed(err error) error {
	r, ok := errors.AsType[*refused](err)
	if !ok {
		return fault.NewRetry(fmt.Errorf("slack of connection %s did not answer, or not with a token: %w", p.name, err))
	}
	say := func(text string) error {
		return fault.NewPermanent(fmt.Errorf("slack of connection %s refuses: %s", p.name, text))
	}
	switch r.Code {
	case "invalid_code", "code_already_used", "code_expired":
		return say("the code is used up or too old; please begin again")
	case "bad_redirect_uri", "redirect_uri_mismatch":
		return say("the app doesn't know this redirect URL; an administrator adds it there, exactly as it stands in the documentation")
	case "bad_client_secret", "invalid_client_id":
		return say("the app's Client ID or Client Secret is wrong; an administrator corrects oauth in the configuration")
	case "pkce_not_allowed", "invalid_code_verifier":
		return say("the proof key was not taken; please begin again (" + r.Code + ")")
	}
	if r.Status >= 500 || r.After > 0 || r.Code == "internal_error" || r.Code == "fatal_error" {
		return fault.NewRetry(fmt.Errorf("slack of connection %s has trouble (%w); please try again in a moment", p.name, r))
	}
	return say(r.Error())
}
