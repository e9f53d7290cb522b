// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"errors"
	"net/url"

	"belfry/chat"
)

var _ chat.Leaver = (*Platform)(nil)

// Leaving implements chat.Leaver.
func (p *Platform) Leaving() string {
	if p.tokens != nil {
		return "the app is uninstalled from the workspace (apps.uninstall), with its commands and shortcuts, and its token forgotten"
	}
	return "the bot's token is revoked (auth.revoke); the app itself is deleted by whoever made it, at api.slack.com/apps"
}

// worthless are Slack's answers to a token that lets nobody in any more.
func worthless(err error) bool {
	return refusedAs(err, "invalid_auth", "token_revoked", "account_inactive", "not_authed", "token_expired")
}

// Leave implements chat.Leaver.
func (p *Platform) Leave(ctx context.Context) error {
	t := p.tokens
	if t == nil {
		err := p.ask(ctx, "auth.revoke", url.Values{}, "revoke the bot's token", writes, nil)
		if worthless(err) {
			return nil
		}
		return err
	}
	err := p.ask(ctx, "apps.uninstall", url.Values{"client_id": {p.oauth.client}, "client_secret": {p.oauth.secret.Reveal()}}, "uninstall the app", writes, nil)
	if err != nil && !worthless(err) && !errors.Is(err, errNotInstalled) {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keep(ctx, grant{})
}
