// SPDX-License-Identifier: Apache-2.0

// Package setup makes on a Mattermost server what a connection needs, with an
// administrator's token that is used and forgotten: settings, the bot and its
// token, its memberships, the slash command, the outgoing webhook, the OAuth
// application.
//
// The flow: Open checks the wish; Plan only reads (look.go) and turns every
// wish into steps (settings.go, bot.go, integrations.go): what is there, what
// will be made or changed, and what is in the way of it and who can help.
// Apply carries the steps out, each find-or-create, so that a run that broke
// off is gone on with by another. Before anything is made it is noted in the
// receipts (receipts.go), by which Removal undoes exactly that (remove.go).
// Block and Merge (yaml.go) give the connection's part of the configuration.
package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"belfry/chat/mattermost"
	"belfry/clock"
	"belfry/config"
	"belfry/seal"
)

// Wish is what a connection is to have.
type Wish struct {
	// URL is the site's address, Team the team's handle.
	URL, Team string
	// Channels are handles of channels that the bot is to post to.
	Channels []string
	// CreateChannels makes public channels that are missing.
	CreateChannels bool
	// Connection is the connection's name in the configuration.
	Connection string
	// Bot is the bot's user name.
	Bot string
	// CallbackURL is where Mattermost reaches the connection, such as
	// https://belfry.example.org/chat/chat; PublicURL where people reach Belfry.
	CallbackURL, PublicURL string
	// Command is the slash command's word without "/"; empty: none.
	Command string
	// CommandHint is shown while somebody types the command.
	CommandHint string
	// IncidentCommand and IncidentHint are the same for the command by which
	// incidents are run.
	IncidentCommand, IncidentHint string
	// Triggers are the words of the outgoing webhook; none: no webhook.
	Triggers []string
	// OAuth makes the application by which people connect their accounts.
	OAuth bool
	// ChangeSettings changes settings of the server that stand in the way.
	ChangeSettings bool
	// Data is the directory for secrets and receipts.
	Data string
	// CAFile, Proxy and Insecure are those of the connection: how its server is
	// reached.
	CAFile, Proxy string
	Insecure      bool
}

// ReachedAs is the wish with its server reached as a configured connection
// reaches it; one of another platform says nothing of that. What that leaves
// unchecked holds for its own address alone: nobody said it of another server.
func (w Wish) ReachedAs(connection config.Spec) Wish {
	c, ok := connection.(*mattermost.Config)
	if !ok {
		return w
	}
	address := strings.TrimRight(c.Address(), "/")
	if w.URL == "" {
		w.URL = address
	}
	w.CAFile, w.Proxy = c.CAFile, c.Proxy
	w.Insecure = c.Insecure && address != "" && strings.TrimRight(w.URL, "/") == address
	return w
}

// SayInsecure is what it means for a set-up, and for undoing one, that the
// server's certificate is not checked.
const SayInsecure = "insecure: the server's certificate is not checked, so that whoever stands between can read the administrator's token and act with it; name its CA in ca_file instead"

// Options are what a set-up works with; zero values are fine.
type Options struct {
	Clock clock.Clock
	// Lookup resolves a host as Mattermost would. Default: this machine's DNS.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// Random makes the part of a token's description that nobody can guess.
	Random func() string
}

// Setup is one set-up. It is for one goroutine.
type Setup struct {
	wish     Wish
	opt      Options
	api      *api
	receipts *receipts
	known    known
	// commandTokens are the tokens of the slash commands by their words.
	commandTokens map[string]string
}

// Open checks the wish and reads what earlier set-ups noted. It calls nobody.
func Open(w Wish, token config.Secret, o Options) (*Setup, error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Lookup == nil {
		o.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if o.Random == nil {
		o.Random = seal.Random
	}
	w.URL = strings.TrimRight(w.URL, "/")
	w.Command, w.IncidentCommand = strings.TrimPrefix(w.Command, "/"), strings.TrimPrefix(w.IncidentCommand, "/")
	if err := w.check(); err != nil {
		return nil, err
	}
	a, err := dial(w)
	if err != nil {
		return nil, err
	}
	if err := a.use(token); err != nil {
		return nil, err
	}
	r, err := loadReceipts(w.Data, w.Connection)
	if err != nil {
		return nil, err
	}
	if r.URL != "" && r.URL != w.URL {
		return nil, fmt.Errorf("connection %s was set up on %s, as %s says: remove that first with belfry mattermost remove, or take another --name", w.Connection, r.URL, r.path)
	}
	r.URL, r.Team = w.URL, w.Team
	r.Asked = asked{w.Channels, w.Bot, w.Command, w.IncidentCommand, w.Triggers, w.OAuth}
	return &Setup{wish: w, opt: o, api: a, receipts: r}, nil
}

// dial makes the API's client as the connection itself would be made.
func dial(w Wish) (*api, error) {
	transport, err := (&mattermost.Config{CAFile: w.CAFile, Proxy: w.Proxy, Insecure: w.Insecure}).Transport()
	if err != nil {
		return nil, err
	}
	return &api{base: w.URL + "/api/v4", http: &http.Client{Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// use takes the administrator's token.
func (a *api) use(token config.Secret) error {
	if token == "" || strings.ContainsAny(token.Reveal(), " \t\r\n\"") {
		return errors.New("the administrator's token is empty or has white space in it")
	}
	a.token = token
	return nil
}

// check asks the connection's own rules, and those of what is made beside it.
func (w Wish) check() error {
	wrong := (&mattermost.Config{URL: w.URL, Team: w.Team, Token: "x", CallbackURL: w.CallbackURL, CAFile: w.CAFile, Proxy: w.Proxy, Insecure: w.Insecure}).Validate()
	if !isBotName(w.Bot) {
		wrong = append(wrong, fmt.Errorf("bot: %q is no bot's name: 3 to 22 small letters, digits, . - and _, beginning with a letter", w.Bot))
	}
	if w.CallbackURL == "" {
		wrong = append(wrong, errors.New("public url: is missing: where Mattermost reaches Belfry, such as https://belfry.example.org"))
	}
	for _, c := range w.Channels {
		if !isHandle(c) {
			wrong = append(wrong, fmt.Errorf("channel: %q is no channel's handle: small letters, digits, - and _, as in its address, not the display name", c))
		}
	}
	if w.Command != "" && !isHandle(w.Command) {
		wrong = append(wrong, fmt.Errorf("command: %q is no command's word: small letters, digits, - and _", w.Command))
	}
	if w.IncidentCommand != "" && !isHandle(w.IncidentCommand) {
		wrong = append(wrong, fmt.Errorf("incident command: %q is no command's word: small letters, digits, - and _", w.IncidentCommand))
	}
	if w.IncidentCommand != "" && w.IncidentCommand == w.Command {
		wrong = append(wrong, fmt.Errorf("incident command: /%s is the other command's word; take another", w.Command))
	}
	for _, t := range w.Triggers {
		if t == "" || strings.ContainsAny(t, " \t\r\n") || len(t) > 64 {
			wrong = append(wrong, fmt.Errorf("trigger: %q is not one word of at most 64 letters", t))
		}
	}
	return errors.Join(wrong...)
}

func isHandle(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "-") == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' })
}

func isBotName(s string) bool {
	return len(s) >= 3 && len(s) <= 22 && s[0] >= 'a' && s[0] <= 'z' &&
		!strings.ContainsFunc(s, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
		})
}

// Close lets go of connections.
func (s *Setup) Close() { s.api.http.CloseIdleConnections() }

// TokenFile is where the bot's token is kept.
func (w Wish) TokenFile() string { return w.file("token") }

// CommandFile is where the slash commands' tokens are kept, one on each line.
func (w Wish) CommandFile() string { return w.file("command") }

// OutgoingFile is where the outgoing webhook's token is kept.
func (w Wish) OutgoingFile() string { return w.file("outgoing") }

// OAuthFile is where the OAuth application's secret is kept.
func (w Wish) OAuthFile() string { return w.file("oauth") }

func (w Wish) file(what string) string {
	path := filepath.Join(w.Data, "mattermost-"+w.Connection+"."+what)
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// callbackHost is the host that Mattermost is to call.
func (w Wish) callbackHost() string {
	u, err := url.Parse(w.CallbackURL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// redirects are the callback URLs of the OAuth application: the one for
// people's accounts and the one for installing are separate.
func (w Wish) redirects() []string {
	base := strings.TrimRight(w.PublicURL, "/") + "/oauth/" + w.Connection
	return []string{base + "/personal", base + "/install"}
}
