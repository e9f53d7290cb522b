// SPDX-License-Identifier: Apache-2.0

package slack

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

// Config is a connection to one Slack workspace.
type Config struct {
	// Token is the bot's (xoxb-…), or TokenFile the file that holds it.
	Token     config.Secret `yaml:"token"`
	TokenFile string        `yaml:"token_file"`
	// AppToken is the app's (xapp-…, scope connections:write), or AppTokenFile
	// the file that holds it. With it Belfry opens the connection by which
	// people's presses come (Socket Mode): nothing has to be reachable.
	AppToken     config.Secret `yaml:"app_token"`
	AppTokenFile string        `yaml:"app_token_file"`
	// SigningSecret proves that a request comes from Slack, or SigningSecretFile
	// holds it. With it presses come over HTTP to the connection's Request URL.
	SigningSecret     config.Secret `yaml:"signing_secret"`
	SigningSecretFile string        `yaml:"signing_secret_file"`
	// WebhookURL is an incoming webhook, or WebhookURLFile the file that holds
	// it: one way, one channel, nothing else.
	WebhookURL     config.Secret `yaml:"webhook_url"`
	WebhookURLFile string        `yaml:"webhook_url_file"`
	// URL is where the Web API is, https://slack.com/api unless it is set
	// (GovSlack: https://slack-gov.com/api).
	URL string `yaml:"url"`
	// Receiving is how people are heard.
	Receiving `yaml:",inline"`
	// Username and IconURL or IconEmoji (":bell:") are shown with messages
	// instead of the app's; they need the scope chat:write.customize.
	Username  string `yaml:"username"`
	IconURL   string `yaml:"icon_url"`
	IconEmoji string `yaml:"icon_emoji"`
	// Mentions says which id of Slack a word in a route's mentions stands for:
	// "U…" for a person, "S…" for a user group. Other words are looked up.
	Mentions map[string]string `yaml:"mention_ids"`
	// CAFile holds certificates in PEM that are trusted beside the system's.
	CAFile string `yaml:"ca_file"`
	// Proxy is used instead of the environment's (HTTPS_PROXY, NO_PROXY).
	Proxy string `yaml:"proxy"`
	// Timeout bounds each call; 10 s when it is not set.
	Timeout time.Duration `yaml:"timeout"`
	// MessagesPerSecond is what one channel gets, 1 when it is not set, and
	// MessagesPerMinute what all channels get together, 300 when it is not set.
	// Slack takes short bursts of more.
	MessagesPerSecond float64 `yaml:"messages_per_second"`
	MessagesPerMinute float64 `yaml:"messages_per_minute"`
}

var _ config.Spec = (*Config)(nil)

const (
	apiURL         = "https://slack.com/api"
	defaultTimeout = 10 * time.Second
	maxTimeout     = time.Minute
	// The published limits: https://docs.slack.dev/apis/web-api/rate-limits
	defaultPerSecond = 1
	defaultPerMinute = 300
)

// Options are what a connection is opened with beside its configuration.
type Options struct {
	// Name is the connection's.
	Name string
	// CallbackURL is the base address at which Slack reaches this connection,
	// such as https://belfry.example/chat/main.
	CallbackURL string
	// Answers are those to words in this connection's channels: they say what
	// the app needs.
	Answers []config.Answer
	// Memory keeps what people did, so that nothing is carried out twice;
	// without one it forgets with the process.
	Memory chat.Memory
	// Vault keeps the tokens of an app that is installed from Belfry's pages;
	// without one they are forgotten with the process.
	Vault chat.Vault
	// Clock and Log default to the machine's clock and to silence. Log tells the
	// connection's name already.
	Clock clock.Clock
	Log   *slog.Logger
}

func (o *Options) fill() {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Memory == nil {
		o.Memory = chat.NewForgetful()
	}
	if o.Vault == nil {
		o.Vault = chat.NewForgetful()
	}
}

// hooked says whether the connection has nothing but an incoming webhook.
func (c *Config) hooked() bool { return c.WebhookURL != "" || c.WebhookURLFile != "" }

// Validate implements config.Spec.
func (c *Config) Validate() []error {
	var wrong []error
	add := func(field, format string, args ...any) { wrong = append(wrong, config.Wrong(field, format, args...)) }
	if c.hooked() {
		c.validateHook(add)
	} else {
		c.validateTokens(add)
		c.Receiving.validate(add)
	}
	c.validateLooks(add)
	for field, value := range map[string]string{"url": c.URL, "proxy": c.Proxy} {
		if value == "" {
			continue
		}
		schemes := []string{"http", "https"}
		if field == "proxy" {
			schemes = append(schemes, "socks5")
		}
		if text := config.WrongAddress(value, schemes...); text != "" {
			add(field, "%s", text)
		}
	}
	if c.Timeout < 0 || c.Timeout > maxTimeout || c.Timeout != 0 && c.Timeout < 100*time.Millisecond {
		add("timeout", "%v is not between 100ms and %v", c.Timeout, maxTimeout)
	}
	if c.MessagesPerSecond < 0 || c.MessagesPerSecond > 100_000 {
		add("messages_per_second", "%v is not between 0 (1 a second) and 100000", c.MessagesPerSecond)
	}
	if c.MessagesPerMinute < 0 || c.MessagesPerMinute > 6_000_000 {
		add("messages_per_minute", "%v is not between 0 (300 a minute) and 6000000", c.MessagesPerMinute)
	}
	return wrong
}

// tokenKinds are the beginnings of tokens with what each is.
var tokenKinds = []struct{ begins, is string }{
	{"xoxb-", "a bot's token"}, {"xapp-", "an app-level token"}, {"xoxp-", "a person's token"},
	{"xoxe", "a token that expires or refreshes another"}, {"xoxa-", "an old workspace token"}, {"https://", "an address"},
}

// wrongToken says what is wrong with a token that should begin with begins, or "".
// It says nothing of the token itself.
func wrongToken(token config.Secret, begins string) string {
	text := token.Reveal()
	if strings.HasPrefix(text, begins) && len(text) > len(begins) && !strings.ContainsAny(text, " \t\r\n") {
		return ""
	}
	for _, k := range tokenKinds {
		if k.begins != begins && strings.HasPrefix(text, k.begins) {
			return "is " + k.is + "; it begins with " + begins
		}
	}
	return "is no token of this kind: it begins with " + begins
}

func (c *Config) validateTokens(add func(field, format string, args ...any)) {
	for _, t := range []struct {
		field, file, begins string
		token               config.Secret
	}{
		{"token", c.TokenFile, "xoxb-", c.Token},
		{"app_token", c.AppTokenFile, "xapp-", c.AppToken},
		{"signing_secret", c.SigningSecretFile, "", c.SigningSecret},
	} {
		switch {
		case t.token != "" && t.file != "":
			add(t.field, "is given beside %s_file; keep one of them", t.field)
		case t.token != "" && t.begins != "":
			if text := wrongToken(t.token, t.begins); text != "" {
				add(t.field, "%s", text)
			}
		}
	}
	if text := swapped(c.SigningSecret.Reveal()); c.SigningSecret != "" && text != "" {
		add("signing_secret", "%s", text)
	}
	hasToken := c.Token != "" || c.TokenFile != ""
	if c.installs() && hasToken {
		add("token", "is given beside oauth with install: true, which keeps a token of its own; keep one of them")
	}
	if !c.installs() && !hasToken {
		add("token_file", "is missing: the file with the bot's token (xoxb-…), from OAuth & Permissions in your Slack app; or give webhook_url_file")
	}
	if !c.socketed() && !c.signed() {
		add("app_token_file", "is missing: the file with the app-level token (xapp-…), from Basic Information in your Slack app; "+
			"or give signing_secret_file where Slack can reach Belfry")
	}
}

// socketed says whether presses come over Socket Mode, signed whether they
// (also) come over HTTP.
func (c *Config) socketed() bool { return c.AppToken != "" || c.AppTokenFile != "" }
func (c *Config) installs() bool { return c.OAuth != nil && c.OAuth.Install }
func (c *Config) signed() bool   { return c.SigningSecret != "" || c.SigningSecretFile != "" }

func (c *Config) validateLooks(add func(field, format string, args ...any)) {
	if len(c.Username) > 80 {
		add("username", "has %d bytes, at most 80 are taken", len(c.Username))
	}
	if c.IconURL != "" {
		if text := config.WrongAddress(c.IconURL, "https"); text != "" {
			add("icon_url", "%s", text)
		}
		if c.IconEmoji != "" {
			add("icon_emoji", "is given beside icon_url; keep one of them")
		}
	}
	if c.IconEmoji != "" && !isEmoji(c.IconEmoji) {
		add("icon_emoji", "%q is no emoji's name; write it like :bell:", c.IconEmoji)
	}
	for word, id := range c.Mentions {
		if !isUserID(id) && !isGroupID(id) {
			add("mention_ids", "%q of %q is no id of Slack: a person's begins with U or W, a user group's with S", id, word)
		}
	}
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

// Open makes the platform. It reads the files with secrets and certificates
// but does not call Slack: SelfCheck does.
func (c *Config) Open(o Options) (*Platform, error) {
	o.fill()
	p := &Platform{name: o.Name, callback: strings.TrimRight(o.CallbackURL, "/"), clock: o.Clock, log: o.Log, memory: o.Memory,
		username: c.Username, iconURL: c.IconURL, iconEmoji: c.IconEmoji, words: c.Mentions}
	for _, s := range []struct {
		into   *config.Secret
		inline config.Secret
		file   string
		begins string
		field  string
	}{
		{&p.token, c.Token, c.TokenFile, "xoxb-", "token"},
		{&p.appToken, c.AppToken, c.AppTokenFile, "xapp-", "app_token"},
		{&p.signing, c.SigningSecret, c.SigningSecretFile, "", "signing_secret"},
	} {
		secret, err := config.ReadSecret(s.inline, s.file)
		if err != nil {
			return nil, fmt.Errorf("connection %s: %w", o.Name, err)
		}
		if text := wrongToken(secret, s.begins); secret != "" && s.begins != "" && text != "" {
			return nil, fmt.Errorf("connection %s: %s %s", o.Name, s.field, text)
		}
		*s.into = secret
	}
	transport, err := c.Transport()
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", o.Name, err)
	}
	p.client = c.client(transport, o.Clock, p.token, p.appToken, p.signing)
	p.pace = newPace(o.Clock, or(c.MessagesPerSecond, defaultPerSecond), or(c.MessagesPerMinute, defaultPerMinute))
	p.open()
	if p.inbound, err = c.Receiving.open(p.client); err != nil {
		return nil, fmt.Errorf("connection %s: %w", o.Name, err)
	}
	p.wish = c.Wish(o.Name, "").Answering(o.Answers)
	if c.installs() {
		p.tokens = &tokens{name: o.Name, vault: o.Vault, memory: o.Memory, clock: o.Clock, trade: p.tradeFor(p.oauth)}
		p.client.installed = p.tokens
	}
	return p, nil
}

// client makes the caller of the Web API; the first secret is its token.
func (c *Config) client(transport http.RoundTripper, now clock.Clock, secrets ...config.Secret) *client {
	base := strings.TrimRight(c.URL, "/")
	if base == "" {
		base = apiURL
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	return newClient(base, timeout, transport, now, secrets...)
}

func or(value, otherwise float64) float64 {
	if value == 0 {
		return otherwise
	}
	return value
}

// Transport returns how the connection reaches Slack: with its proxy and the
// certificates it trusts. It keeps enough connections open that a storm does
// not open new ones for every message.
func (c *Config) Transport() (*http.Transport, error) {
	return outward.Way{CAFile: c.CAFile, Proxy: c.Proxy, Connections: 64}.Transport()
}

// Close brings what people did to its end, and lets go of idle connections.
func (p *Platform) Close(ctx context.Context) error {
	p.work.close(ctx)
	p.client.http.CloseIdleConnections()
	return nil
}
