// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"strings"
	"testing"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/mattermost"
	"belfry/config"
	"belfry/fault"
)

// said joins what is to be known about a connection; warnings are marked.
func said(p chat.Platform) string {
	var all []string
	for _, t := range p.(chat.Describer).Traits() {
		if t.Warning {
			t.Text = "! " + t.Text
		}
		all = append(all, t.Text)
	}
	return strings.Join(all, "\n")
}

func TestWhatIsToBeKnownAboutAConnection(t *testing.T) {
	listening := func(c *mattermost.Config) { c.Websocket = true }
	for _, c := range []struct {
		change func(*mattermost.Config)
		want   []string
	}{
		{func(*mattermost.Config) {}, []string{"takes buttons, forms and commands at http://127.0.0.1"}},
		{byAccount, []string{"an account's password"}},
		{listening, []string{"listens by websocket", "cards have no buttons", "!ack 42"}},
		{func(c *mattermost.Config) { listening(c); c.Buttons = true }, []string{"listens by websocket, and takes buttons at"}},
		{func(c *mattermost.Config) { c.Proxy = "http://proxy.example.org:3128" }, []string{"through the proxy http://proxy.example.org:3128"}},
		{func(c *mattermost.Config) { c.Insecure = true }, []string{"! insecure", "ca_file"}},
	} {
		got := said(connect(t, &chattest.Recorder{}, c.change).Platform)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("no word of %q in %q", want, got)
			}
		}
	}
	if got := said(openHook(t, false, func(c *mattermost.Config) { c.Insecure = true }).Platform); !strings.Contains(got, "one-way") || !strings.Contains(got, "! insecure") {
		t.Errorf("a webhook is %q", got)
	}
}

// TestInsecureOnlyWhenWrittenOut: a certificate that nobody vouches for is
// refused, unless the configuration says otherwise; then the check warns.
func TestInsecureOnlyWhenWrittenOut(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	strange, err := c.fake.HTTPS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(strange.Close)
	open := func(insecure bool) *mattermost.Platform {
		cfg := &mattermost.Config{URL: strange.URL, Token: config.Secret(c.fake.Token()), Team: "ops-team", Insecure: insecure}
		p, err := cfg.Open(mattermost.Options{Name: "main"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close(t.Context()) })
		return p
	}
	_, err = open(false).SelfCheck(t.Context())
	says(t, err, fault.Retry, "certificate")
	report, err := open(true).SelfCheck(t.Context())
	if err != nil || !strings.Contains(report, "insecure: ") {
		t.Errorf("%q, %v", report, err)
	}
	both := &mattermost.Config{URL: strange.URL, Token: "x", Team: "t", Insecure: true, CAFile: "/ca.pem"}
	if wrong := both.Validate(); len(wrong) != 1 || !strings.Contains(wrong[0].Error(), "insecure") {
		t.Errorf("%v", wrong)
	}
}
