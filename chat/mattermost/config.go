// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/outward"
)

// Config is a connection to one team of a Mattermost server.
type Config struct {
	// URL is the site's address as people type it, a subpath included.
	URL string `yaml:"url"`
	// Token is the bot's access token, or TokenFile the file that holds it.
	Token     config.Secret `yaml:"token"`
	TokenFile string        `yaml:"token_file"`
	// LoginID and Password, or the file that holds it, are an account's, for
	// where no bot can be had.
	LoginID      string        `yaml:"login_id"`
	Password     config.Secret `yaml:"password"`
	PasswordFile string        `yaml:"password_file"`
	// WebhookURL is an incoming webhook, or WebhookURLFile the file that holds
	// it: all there is to post with where no account can be had at all.
	WebhookURL     config.Secret `yaml:"webhook_url"`
	WebhookURLFile string        `yaml:"webhook_url_file"`
	// Username and IconURL are shown with posts instead of the account's,
	// where the server allows that.
	Username string `yaml:"username"`
	IconURL  string `yaml:"icon_url"`
	// Listening is for servers that can't reach Belfry.
	Listening `yaml:",inline"`
	// Team is the handle of the team in which channels are looked for.
	Team string `yaml:"team"`
	// CAFile holds certificates in PEM that are trusted beside the system's.
	CAFile string `yaml:"ca_file"`
	// Proxy is used instead of the environment's (HTTPS_PROXY, NO_PROXY).
	Proxy string `yaml:"proxy"`
	// Insecure leaves the server's certificate unchecked. It is shown as a
	// warning wherever the connection is.
	Insecure bool `yaml:"insecure"`
	// Timeout bounds each call; 10 s when it is not set.
	Timeout time.Duration `yaml:"timeout"`
	// RequestsPerSecond is kept to by this side; 0: only the server's limit counts.
	RequestsPerSecond float64 `yaml:"requests_per_second"`
	// CallbackURL is where Mattermost reaches this connection, when that is not
	// where Belfry thinks it can be reached.
	CallbackURL string `yaml:"callback_url"`
	// CommandTokens are the tokens of the slash commands that lead here, one
	// for each team; CommandTokenFile holds more, one on each line.
	CommandTokens    []config.Secret `yaml:"command_tokens"`
	CommandTokenFile string          `yaml:"command_token_file"`
	// OutgoingTokens are the tokens of the outgoing webhooks that lead here, one
	// for each; OutgoingTokenFile holds more, one on each line.
	OutgoingTokens    []config.Secret `yaml:"outgoing_tokens"`
	OutgoingTokenFile string          `yaml:"outgoing_token_file"`
	// OAuth lets people link their accounts and sign in; nil: they can't.
	OAuth *OAuth `yaml:"oauth"`
}

var _ config.Spec = (*Config)(nil)

const (
	defaultTimeout = 10 * time.Second
	maxTimeout     = time.Minute
)

// Validate implements config.Spec.
func (c *Config) Validate() []error {
	var wrong []error
	add := func(field, format string, args ...any) { wrong = append(wrong, config.Wrong(field, format, args...)) }
	c.validateAccess(add)
	if c.Proxy != "" {
		if text := config.WrongAddress(c.Proxy, "http", "https", "socks5"); text != "" {
			add("proxy", "%s; write it like http://proxy.example.org:3128", text)
		}
	}
	if c.CallbackURL != "" {
		if text := config.WrongAddress(c.CallbackURL, "http", "https"); text != "" {
			add("callback_url", "%s; write the address at which Mattermost reaches Belfry", text)
		}
	}
	if c.Insecure && c.CAFile != "" {
		add("insecure", "is given beside ca_file, which then means nothing; keep one of them, ca_file if you can")
	}
	if c.OAuth != nil {
		c.OAuth.validate(add)
	}
	validateTokens(add, "command_tokens", c.CommandTokens, "slash command")
	validateTokens(add, "outgoing_tokens", c.OutgoingTokens, "outgoing webhook")
	if c.Timeout < 0 || c.Timeout > maxTimeout || c.Timeout != 0 && c.Timeout < 100*time.Millisecond {
		add("timeout", "%v is not between 100ms and %v", c.Timeout, maxTimeout)
	}
	if c.RequestsPerSecond < 0 || c.RequestsPerSecond > 100_000 {
		add("requests_per_second", "%v is not between 0 (no limit of our own) and 100000", c.RequestsPerSecond)
	}
	return wrong
}

func validateTokens(add func(field, format string, args ...any), field string, tokens []config.Secret, of string) {
	for _, token := range tokens {
		if text := wrongToken(token.Reveal()); text != "" {
			add(field, "one of them %s; it is shown where the %s is set up in Mattermost", text, of)
		}
	}
	if len(tokens) > maxTokens {
		add(field, "there are %d, at most %d are taken", len(tokens), maxTokens)
	}
}

// isHandle holds for the handles of teams and channels: [a-z0-9_-], 1 to 64,
// no dash at the ends.
func isHandle(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// Options are what a connection is opened with beside its configuration.
type Options struct {
	// Name is the connection's.
	Name string
	// CallbackURL is the base address at which Mattermost reaches this
	// connection, such as https://belfry.example/chat/main.
	CallbackURL string
	// Memory keeps what a listener did; without one it forgets with the process.
	Memory chat.Memory
	// Clock and Log default to the machine's clock and to silence. Log tells the
	// connection's name already.
	Clock clock.Clock
	Log   *slog.Logger
}

// PostsOnly implements config.Poster.
func (c *Config) PostsOnly() bool { return c.hooked() }

// OpenChat makes what the configuration says: a Hook, or else a Platform.
func (c *Config) OpenChat(o Options) (chat.Platform, error) {
	if c.hooked() {
		return c.openHook(o)
	}
	return c.Open(o)
}

// Open makes the platform. It reads the token's and the certificates' files
// but does not call the server: Check does.
func (c *Config) Open(o Options) (*Platform, error) {
	token, who, err := c.credentials()
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", o.Name, err)
	}
	slash, err := readTokens("command_token_file", c.CommandTokens, c.CommandTokenFile)
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", o.Name, err)
	}
	hooks, err := readTokens("outgoing_token_file", c.OutgoingTokens, c.OutgoingTokenFile)
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", o.Name, err)
	}
	transport, err := c.transport()
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", o.Name, err)
	}
	oauth, err := c.OAuth.open(strings.TrimRight(c.URL, "/"))
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", o.Name, err)
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	callback := o.CallbackURL
	if c.CallbackURL != "" {
		callback = c.CallbackURL
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	if o.Memory == nil {
		o.Memory = chat.NewForgetful()
	}
	p := &Platform{
		name: o.Name, team: c.Team, callback: strings.TrimRight(callback, "/"),
		clock: o.Clock, log: o.Log, memory: o.Memory, pace: usualPace(),
		client: newClient(clientOptions{
			base: strings.TrimRight(c.URL, "/") + apiPath, token: token, timeout: timeout,
			perSecond: c.RequestsPerSecond, transport: transport, clock: o.Clock,
		}),
		channels:   newCache[channel](channelsKept, maxCached),
		people:     newCache[person](peopleKept, maxCached),
		lookups:    newLookups(),
		oauth:      oauth,
		slash:      slash,
		loudness:   &loudness{clock: o.Clock},
		hooks:      hooks,
		complaints: &complaints{clock: o.Clock},
		username:   c.Username, icon: c.IconURL,
	}
	p.client.account, p.way = who, way{c.Proxy, c.Insecure}
	c.Listening.open(p)
	return p, nil
}

// transport keeps enough connections open that a storm does not open new ones
// for every post.
func (c *Config) transport() (*http.Transport, error) {
	t, err := outward.Way{CAFile: c.CAFile, Proxy: c.Proxy, Insecure: c.Insecure, Connections: 64}.Transport()
	if err == nil {
		t.DisableCompression = true // answers are short
	}
	return t, err
}

// Close lets go of idle connections, and of an account's session as soon as
// nothing needs it. Calls under way end on their own.
func (p *Platform) Close(ctx context.Context) error {
	p.client.close(ctx)
	p.client.http.CloseIdleConnections()
	return nil
}
