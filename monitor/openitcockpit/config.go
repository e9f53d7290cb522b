// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"belfry/config"
	"belfry/outward"
)

const (
	// defaultTimeout bounds one request; PHP takes its time on lists.
	defaultTimeout = 10 * time.Second
	maxTimeout     = time.Minute
	// PagesOf5 comes between the address and the page in openITCOCKPIT 5.
	PagesOf5 = "/a"
	// PagesOf4 is that of openITCOCKPIT 4.
	PagesOf4 = "/#!"
)

// Config is how Belfry reaches one openITCOCKPIT. Without an API key its
// notifications are shown, but it can't be told anything.
type Config struct {
	// URL is its address as Belfry reaches it, such as https://oitc.example.org.
	URL string `yaml:"url,omitempty"`
	// APIKey is a key of a user of openITCOCKPIT, or APIKeyFile the file that
	// holds it. It is sent in a header and never stands in an address.
	APIKey     config.Secret `yaml:"api_key,omitempty"`
	APIKeyFile string        `yaml:"api_key_file,omitempty"`
	// LinkURL is where people's browsers reach its pages, with the port where
	// it is not the usual one; URL when left out.
	LinkURL string `yaml:"link_url,omitempty"`
	// Pages is what follows in the addresses of pages: /a (openITCOCKPIT 5, the
	// default) or /#! (openITCOCKPIT 4).
	Pages string `yaml:"pages,omitempty"`
	// CAFile holds certificates in PEM that are trusted beside the system's.
	CAFile string `yaml:"ca_file,omitempty"`
	// Insecure takes any certificate: whoever is in between reads the key.
	Insecure bool `yaml:"insecure_skip_verify,omitempty"`
	// Proxy is used instead of the environment's (HTTPS_PROXY, NO_PROXY).
	Proxy string `yaml:"proxy,omitempty"`
	// Timeout bounds one request; 10s by default.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	// Sticky is 2 (the default: the acknowledgement stays until the object is
	// fine), or 0 (it goes with the next change of state).
	Sticky *int `yaml:"sticky,omitempty"`
	// Notify, true by default, has the core tell its contacts of an
	// acknowledgement, and so us.
	Notify *bool `yaml:"notify,omitempty"`
	// Persistent, true by default, keeps the comment over a restart of the core.
	Persistent *bool `yaml:"persistent,omitempty"`
}

var _ config.Spec = (*Config)(nil)

// Validate implements config.Spec.
func (c *Config) Validate() []error {
	var wrong []error
	add := func(field, format string, args ...any) { wrong = append(wrong, config.Wrong(field, format, args...)) }
	for _, f := range []struct{ field, address, right string }{
		{"url", c.URL, "https://openitcockpit.example.org"},
		{"link_url", c.LinkURL, "https://openitcockpit.example.org:8443"},
	} {
		if text := config.WrongAddress(f.address, "http", "https"); f.address != "" && text != "" {
			add(f.field, "%s; write it like %s", text, f.right)
		}
	}
	if text := config.WrongAddress(c.Proxy, "http", "https", "socks5"); c.Proxy != "" && text != "" {
		add("proxy", "%s; write it like http://proxy.example.org:3128", text)
	}
	if c.URL == "" && c.keyed() {
		add("url", "is missing, with an api key there; write the address of openITCOCKPIT, like https://openitcockpit.example.org")
	}
	if text := wrongKey(c.APIKey); text != "" {
		add("api_key", "%s; openITCOCKPIT shows it in the user's profile", text)
	}
	if c.APIKey != "" && c.APIKeyFile != "" {
		add("api_key_file", "api_key is set too; keep one of the two")
	}
	if c.Pages != "" && !slices.Contains([]string{PagesOf4, PagesOf5}, c.Pages) {
		add("pages", "%q is not known; it is %s (openITCOCKPIT 5) or %s (openITCOCKPIT 4)", c.Pages, PagesOf5, PagesOf4)
	}
	if c.Insecure && c.CAFile != "" {
		add("insecure_skip_verify", "ca_file is set too, which has no effect then; leave insecure_skip_verify out")
	}
	if c.Insecure && strings.HasPrefix(c.URL, "http:") {
		add("insecure_skip_verify", "has no effect where url does not begin with https://")
	}
	if s := c.sticky(); s != 0 && s != 2 {
		add("sticky", "%d is not known; it is 2 (until the object is fine) or 0 (until its state changes)", s)
	}
	if c.Timeout != 0 && (c.Timeout < 100*time.Millisecond || c.Timeout > maxTimeout) {
		add("timeout", "%s is not between 100ms and %s", c.Timeout, maxTimeout)
	}
	return wrong
}

// wrongKey says what keeps a text from being a key that a header can carry.
func wrongKey(key config.Secret) string {
	switch text := key.Reveal(); {
	case len(text) > 4096:
		return "has more than 4096 bytes"
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "has spaces, line ends or other characters in it that no key has"
	}
	return ""
}

func (c *Config) keyed() bool { return c.APIKey != "" || c.APIKeyFile != "" }

func (c *Config) sticky() int {
	if c.Sticky == nil {
		return 2
	}
	return *c.Sticky
}

// on returns the value of a switch that is true by default.
func on(b *bool) bool { return b == nil || *b }

// key reads the API key; empty where none is configured.
func (c *Config) key() (config.Secret, error) {
	if !c.keyed() {
		return "", nil
	}
	key, err := config.ReadSecret(c.APIKey, c.APIKeyFile)
	if err != nil {
		return "", fmt.Errorf("the api key: %w", err)
	}
	if text := wrongKey(key); text != "" || key == "" {
		if text == "" {
			text = "is empty"
		}
		return "", errors.New("the api key " + text)
	}
	return key, nil
}

// transport is how requests go out: with the proxy and the trusted certificates.
func (c *Config) transport() (*http.Transport, error) {
	return outward.Way{CAFile: c.CAFile, Proxy: c.Proxy, Insecure: c.Insecure, Connections: 2 * atOnce}.Transport()
}
