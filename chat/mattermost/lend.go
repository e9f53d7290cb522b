// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"

	"belfry/config"
	"belfry/fault"

	"golang.org/x/oauth2"
)

// Lend trades the code for the token of who allowed it. Mattermost knows no
// scopes: the token may do whatever they may. It is for one set-up, after which
// giveBack ends it at the server. Errors are those of Identify.
func (p *Platform) Lend(ctx context.Context, redirect, code, verifier string) (token config.Secret, giveBack func(context.Context), err error) {
	if p.oauth == nil {
		return "", nil, fault.NewPermanent(errNoOAuth)
	}
	ctx, cancel := context.WithTimeout(ctx, p.client.timeout)
	defer cancel()
	got, err := p.exchange(ctx, redirect, code, verifier)
	if err != nil {
		return "", nil, err
	}
	token = config.Secret(got.AccessToken)
	if token == "" {
		return "", nil, fault.NewPermanent(fmt.Errorf("mattermost of connection %s gave no token", p.name))
	}
	as := p.client.as(token, p.oauth.secret)
	return token, func(ctx context.Context) { p.giveBack(ctx, as) }, nil
}

// exchange trades a code for a token.
func (p *Platform) exchange(ctx context.Context, redirect, code, verifier string) (*oauth2.Token, error) {
	var options []oauth2.AuthCodeOption
	if p.provesKeys(ctx) {
		options = append(options, oauth2.VerifierOption(verifier))
	}
	c := p.oauth.config
	c.RedirectURL = redirect
	token, err := c.Exchange(context.WithValue(ctx, oauth2.HTTPClient, p.client.http), code, options...)
	if err != nil {
		return nil, p.exchangeFailed(err)
	}
	return token, nil
}
