// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"belfry/chat"
	"belfry/fault"

	"golang.org/x/oauth2"
)

var _ chat.Installer = (*Platform)(nil)

// Installs implements chat.Installer.
func (p *Platform) Installs() bool { return p.tokens != nil }

var errNoInstall = errors.New("the app of this connection is not installed from here: its configuration has no oauth with install: true")

// InstallURL implements chat.Installer: OAuth v2 with the scopes of the table.
func (p *Platform) InstallURL(_ context.Context, redirect, state, verifier string) (string, error) {
	if p.tokens == nil {
		return "", fault.NewPermanent(errNoInstall)
	}
	return p.oauth.site + "/oauth/v2/authorize?" + url.Values{
		"client_id": {p.oauth.client}, "scope": {strings.Join(namesOf(Scopes(p.wish)), ",")}, "redirect_uri": {redirect}, "state": {state},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
	}.Encode(), nil
}

// Install implements chat.Installer. The workspace of a connection stays the
// same: its cards and people are another's nothing.
func (p *Platform) Install(ctx context.Context, redirect, code, verifier string) (string, error) {
	t := p.tokens
	if t == nil {
		return "", fault.NewPermanent(errNoInstall)
	}
	ctx, cancel := context.WithTimeout(ctx, p.client.timeout)
	defer cancel()
	g, err := t.trade(ctx, url.Values{"code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier}})
	if err != nil {
		return "", err
	}
	if err := p.installed(ctx, g); err != nil {
		return "", err
	}
	me, err := p.askSelf(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Belfry is installed in the workspace %s as @%s.", chat.CleanLine(me.Team), chat.CleanLine(me.User)), nil
}

func (p *Platform) installed(ctx context.Context, g grant) error {
	t := p.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.load(ctx); err != nil {
		return err
	}
	if t.have.Team != "" && g.Team != t.have.Team {
		return fault.NewPermanent(fmt.Errorf("connection %s belongs to another workspace; make a connection of its own for this one", p.name))
	}
	return t.keep(ctx, g)
}
