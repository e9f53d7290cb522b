// SPDX-License-Identifier: Apache-2.0

// Package checkup looks into a connection to Mattermost: everything that can
// be seen from outside and that keeps people from being reached or heard.
//
// Examine goes from the outside in. server.go asks whether the site answers,
// with which certificate, version, clock and rate limit; account.go whose the
// token is and where it is a member; settings.go reads the settings that
// matter; callback.go has Mattermost call us through its own network, by a
// button that nobody sees and by the slash command, and measures that; words.go
// compares the outgoing webhooks with the words that have an answer.
//
// Most settings are read with the connection's own token, from what every
// client is told (GET /config/client). For the rest an administrator's token
// may be lent; it is used and forgotten. Paths of the System Console are those
// of Mattermost 5.37 to 11.
package checkup

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"belfry/chat/mattermost"
	"belfry/clock"
	"belfry/config"
	"belfry/doctor"
)

// Options are what a connection is looked into with.
type Options struct {
	// Name is the connection's.
	Name string
	// Answers are those to words in the connection's channels.
	Answers []config.Answer
	// Clock defaults to the machine's.
	Clock clock.Clock
	// Lookup resolves host names; it defaults to the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Checkup examines one connection.
type Checkup struct {
	config *mattermost.Config
	opt    Options
}

var _ doctor.Examiner = (*Checkup)(nil)

// New returns the Checkup of a configured connection.
func New(c *mattermost.Config, o Options) *Checkup {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Lookup == nil {
		o.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	return &Checkup{config: c, opt: o}
}

// visit is one examination.
type visit struct {
	*Checkup
	doctor.Visit
	platform *mattermost.Platform
	found    []doctor.Finding

	version release
	me      account
	teamID  string
	// client is what every client is told of the settings, as texts; admin and
	// locked are all settings and those that the environment sets, nil without
	// an administrator.
	client        map[string]string
	admin, locked settings
	// called says what came of having Mattermost call us.
	called outcome
}

// account is whose token it is.
type account struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Roles    string `json:"roles"`
	IsBot    bool   `json:"is_bot"`
}

func (a account) has(role string) bool { return slices.Contains(strings.Fields(a.Roles), role) }

// Examine implements doctor.Examiner. It posts one message to the connection's
// own direct channel, where nobody sees it, and deletes it.
func (c *Checkup) Examine(ctx context.Context, in doctor.Visit) []doctor.Finding {
	v := &visit{Checkup: c, Visit: in}
	platform, err := c.config.OpenChat(mattermost.Options{Name: c.opt.Name, CallbackURL: in.CallbackURL, Clock: c.opt.Clock})
	if err != nil {
		v.bad("configuration", "correct what is named in the configuration file, then: systemctl reload belfry", "%v", err)
		return v.found
	}
	switch p := platform.(type) {
	case *mattermost.Hook:
		defer func() { _ = p.Close(context.WithoutCancel(ctx)) }() // only idle connections
		v.hook(ctx, p)
		return v.found
	case *mattermost.Platform:
		v.platform = p
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		_ = v.platform.Close(ctx) // a session that stays ends by itself
	}()
	if !v.server(ctx) || !v.account(ctx) {
		return v.found
	}
	v.team(ctx)
	v.channels(ctx)
	v.readSettings(ctx)
	before := len(v.found)
	v.callback(ctx)
	v.command(ctx)
	v.words(ctx)
	tried := slices.Clone(v.found[before:])
	// What the settings say is the cause of what was tried, so it is read first.
	v.found = v.found[:before]
	v.judgeSettings(ctx)
	v.found = append(v.found, tried...)
	return v.found
}

// lastWords bounds what is tidied up when the time is over.
const lastWords = 5 * time.Second

func (v *visit) good(check, format string, args ...any) {
	v.found = append(v.found, doctor.Good(check, format, args...))
}

func (v *visit) doubt(check, remedy, format string, args ...any) {
	v.found = append(v.found, doctor.Doubt(check, remedy, format, args...))
}

func (v *visit) bad(check, remedy, format string, args ...any) {
	v.found = append(v.found, doctor.Bad(check, remedy, format, args...))
}

// get reads something with the connection's token.
func (v *visit) get(ctx context.Context, path string, into any) error {
	_, err := v.platform.API().Call(ctx, http.MethodGet, path, nil, into)
	return err
}

// site is the host of the configured address.
func (v *visit) site() *url.URL {
	u, err := url.Parse(v.config.URL)
	if err != nil {
		return &url.URL{} // never: it was checked when it was read
	}
	return u
}

// resolve looks a host up from here.
func (v *visit) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	found, err := v.opt.Lookup(ctx, host)
	for i := range found {
		found[i] = found[i].Unmap()
	}
	return found, err
}

// borrowed returns calls with an administrator's rights, if there are any.
func (v *visit) borrowed() (mattermost.API, bool) {
	switch {
	case v.Admin != nil:
		return v.platform.APIAs(config.Secret(v.Admin.Reveal())), true
	case v.me.has("system_admin"):
		return v.platform.API(), true
	}
	return mattermost.API{}, false
}
