// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"net/url"

	"belfry/chat"
)

var (
	_ chat.Describer = (*Platform)(nil)
	_ chat.Describer = (*Hook)(nil)
)

// sayInsecure is what anybody with a hand in the network could do.
const sayInsecure = "insecure: the server's certificate is not checked, so that whoever stands between can read the token and act as Belfry; name its CA in ca_file instead"

// way is how the server is reached.
type way struct {
	proxy    string // without a password: none is taken
	insecure bool
}

func (w way) traits() []chat.Trait {
	var out []chat.Trait
	if w.insecure {
		out = append(out, chat.Trait{Text: sayInsecure, Warning: true})
	}
	if w.proxy != "" {
		out = append(out, chat.Trait{Text: "goes through the proxy " + w.proxy})
	}
	return out
}

// Traits implements chat.Describer.
func (p *Platform) Traits() []chat.Trait {
	out := p.way.traits()
	add := func(text string) { out = append(out, chat.Trait{Text: text}) }
	if p.client.account != nil {
		add("signs in with an account's password; a bot's token is the better way where one can be had")
	}
	switch {
	case p.listens && p.buttonless:
		add("listens by websocket: no way leads from Mattermost to Belfry, so that cards have no buttons, and people " + p.ways(true, " 42"))
	case p.listens:
		add("listens by websocket, and takes buttons at " + p.callback)
	default:
		add("takes buttons, forms and commands at " + p.callback)
	}
	if p.oauth != nil {
		add("people can link their accounts and sign in")
	}
	return out
}

// Address is the site's, as people type it.
func (c *Config) Address() string {
	if !c.hooked() {
		return c.URL
	}
	u, wrong := hookURL(c.WebhookURL)
	if wrong != "" {
		return "" // it stands in a file
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}

// Traits implements chat.Describer.
func (h *Hook) Traits() []chat.Trait {
	return append(h.team.way.traits(), chat.Trait{Text: chat.OneWayIs})
}
