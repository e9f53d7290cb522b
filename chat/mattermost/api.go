// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"net/http"
	"strings"

	"belfry/config"
)

// API calls a connection's server as the connection itself does: over its
// proxy, with the certificates it trusts, within its time and its rate. It is
// for those who look into a connection.
type API struct{ client *client }

// API returns calls with the connection's own account.
func (p *Platform) API() API { return API{p.client} }

// APIAs returns calls with somebody else's token, which lives as long as they do.
func (p *Platform) APIAs(token config.Secret) API {
	c := newClient(clientOptions{base: p.client.base, token: token, timeout: p.client.timeout, transport: p.client.http.Transport, clock: p.clock})
	c.others = p.client.secrets()
	return API{c}
}

// Call makes one call below /api/v4: body is encoded, and a successful answer
// decoded to into; either may be nil. The header is the answer's, nil if there
// was none. Errors show no token; Refused tells what the server itself said.
func (a API) Call(ctx context.Context, method, path string, body, into any) (http.Header, error) {
	var header http.Header
	err := a.client.doAnd(ctx, method, path, body, into, &header)
	return header, err
}

// Refusal is an answer of the server other than success: its status, the id
// and the message of Mattermost's error (empty when something else answered),
// and where a redirect leads.
type Refusal = refused

// Refused returns the server's refusal in err, if there is one.
func Refused(err error) (Refusal, bool) { return refusal(err) }

// CallbackURL is where the server reaches this connection, without a slash at
// its end.
func (p *Platform) CallbackURL() string { return p.callback }

// Buttonless says whether cards have no buttons because the server can't reach us.
func (p *Platform) Buttonless() bool { return p.buttonless }

// TakesCommands says whether the tokens of slash commands are configured.
func (p *Platform) TakesCommands() bool { return len(p.slash) > 0 }

// TakesOutgoing says whether the tokens of outgoing webhooks are configured.
func (p *Platform) TakesOutgoing() bool { return len(p.hooks) > 0 }

// KnowsOutgoing says whether a token is one of them.
func (p *Platform) KnowsOutgoing(token config.Secret) bool { return p.hooks.known(token.Reveal()) }

// PathOutgoing follows the connection's address where outgoing webhooks lead.
const PathOutgoing = "/outgoing"

// ChannelPath returns where the API looks up a configured channel, or what is
// wrong with how it is written.
func (p *Platform) ChannelPath(configured string) (path, wrong string) {
	return p.channelPath(configured)
}

// Version cuts the version out of the header X-Version-Id.
func Version(header http.Header) string {
	id := header.Get("X-Version-Id")
	if strings.Count(id, ".") < 2 {
		return ""
	}
	return versionOf(id)
}

// ButtonContext is the context of a button that carries a token.
func ButtonContext(token string) any { return buttonContext{Token: token} }
