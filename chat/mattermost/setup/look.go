// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"belfry/config"
)

// user is an account as the API shows it.
type user struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Roles    string `json:"roles"`
	DeleteAt int64  `json:"delete_at"`
	IsBot    bool   `json:"is_bot"`
}

type channel struct {
	ID       string `json:"id"`
	DeleteAt int64  `json:"delete_at"`
}

// command is a slash command, with all that an update must name.
type command struct {
	ID               string `json:"id,omitempty"`
	Token            string `json:"token,omitempty"`
	TeamID           string `json:"team_id"`
	Trigger          string `json:"trigger"`
	Method           string `json:"method"`
	Username         string `json:"username,omitempty"`
	AutoComplete     bool   `json:"auto_complete"`
	AutoCompleteDesc string `json:"auto_complete_desc"`
	AutoCompleteHint string `json:"auto_complete_hint"`
	DisplayName      string `json:"display_name"`
	Description      string `json:"description"`
	URL              string `json:"url"`
}

type outgoing struct {
	ID        string `json:"id,omitempty"`
	Token     string `json:"token,omitempty"`
	TeamID    string `json:"team_id"`
	ChannelID string `json:"channel_id,omitempty"`
	// CreatorID is the owner; empty when it is made: who makes it.
	CreatorID    string   `json:"creator_id,omitempty"`
	TriggerWords []string `json:"trigger_words"`
	TriggerWhen  int      `json:"trigger_when"`
	CallbackURLs []string `json:"callback_urls"`
	DisplayName  string   `json:"display_name"`
	Description  string   `json:"description"`
	ContentType  string   `json:"content_type"`
}

type application struct {
	ID           string   `json:"id,omitempty"`
	ClientSecret string   `json:"client_secret,omitempty"`
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	CallbackURLs []string `json:"callback_urls"`
	Homepage     string   `json:"homepage"`
	IsTrusted    bool     `json:"is_trusted"`
}

type accessToken struct {
	ID          string `json:"id"`
	Token       string `json:"token,omitempty"`
	Description string `json:"description"`
}

// known is what was read of the server.
type known struct {
	me user
	// settings are the keys of ServiceSettings; nil when they can't be read.
	settings map[string]any
	// locked are those that the server's environment sets.
	locked map[string]any

	bot      user // without an ID: there is none
	teamID   string
	inTeam   bool
	channels map[string]channel // by handle; a missing one has no ID
	inside   map[string]bool    // the bot is in the channel, by handle
	holds    user               // whose token the token file holds
	commands []command
	hooks    []outgoing
	apps     []application

	addresses, own []netip.Addr // of the callback's host and of Mattermost
	unresolved     bool
}

// look reads all that the plan depends on, and changes nothing.
func (s *Setup) look(ctx context.Context) error {
	s.known = known{channels: map[string]channel{}, inside: map[string]bool{}}
	k := &s.known
	if err := s.api.get(ctx, "/users/me", &k.me); status(err) == http.StatusUnauthorized {
		return fmt.Errorf("%s does not accept the administrator's token (expired, revoked, or personal tokens are off): %w", s.wish.URL, err)
	} else if err != nil {
		return fmt.Errorf("can't read who the administrator's token belongs to: %w", err)
	}
	if err := s.lookSettings(ctx); err != nil {
		return err
	}
	var team struct {
		ID string `json:"id"`
	}
	if err := s.api.get(ctx, "/teams/name/"+s.wish.Team, &team); status(err) == http.StatusNotFound || status(err) == http.StatusForbidden {
		return fmt.Errorf("there is no team %q, or @%s may not see it: use the team's handle, the first word after the site's address in the browser", s.wish.Team, k.me.Username)
	} else if err != nil {
		return fmt.Errorf("can't look the team up: %w", err)
	}
	k.teamID = team.ID
	if err := s.lookBot(ctx); err != nil {
		return err
	}
	for _, name := range s.wish.Channels {
		if err := s.lookChannel(ctx, name); err != nil {
			return err
		}
	}
	if err := s.lookIntegrations(ctx); err != nil {
		return err
	}
	s.lookUp(ctx)
	return nil
}

func (s *Setup) lookSettings(ctx context.Context) error {
	var cfg struct {
		ServiceSettings map[string]any
	}
	err := s.api.get(ctx, "/config", &cfg)
	if _, no := refused(err); no {
		return nil // no system administrator: the plan says so
	}
	if err != nil {
		return fmt.Errorf("can't read the server's settings: %w", err)
	}
	s.known.settings = cfg.ServiceSettings
	var env struct {
		ServiceSettings map[string]any
	}
	err = s.api.get(ctx, "/config/environment", &env)
	if _, no := refused(err); err != nil && !no {
		return fmt.Errorf("can't read which settings the server's environment sets: %w", err)
	}
	s.known.locked = env.ServiceSettings
	return nil
}

func (s *Setup) lookBot(ctx context.Context) error {
	k := &s.known
	err := s.api.get(ctx, "/users/username/"+url.PathEscape(s.wish.Bot), &k.bot)
	switch {
	case status(err) == http.StatusNotFound:
		return nil
	case err != nil:
		return fmt.Errorf("can't look @%s up: %w", s.wish.Bot, err)
	}
	if k.inTeam, err = s.has(ctx, "/teams/"+k.teamID+"/members/"+k.bot.ID); err != nil {
		return fmt.Errorf("can't see whether @%s is in the team: %w", s.wish.Bot, err)
	}
	token, err := config.ReadSecret("", s.wish.TokenFile())
	if err != nil || token == "" {
		return nil // there is no such file, or none that can be read: it is made anew
	}
	err = s.api.as(ctx, token, http.MethodGet, "/users/me", nil, &k.holds)
	if err != nil && status(err) != http.StatusUnauthorized {
		return fmt.Errorf("can't see whose token %s holds: %w", s.wish.TokenFile(), err)
	}
	return nil
}

// has says whether something is there.
func (s *Setup) has(ctx context.Context, path string) (bool, error) {
	err := s.api.get(ctx, path, nil)
	if status(err) == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}

func (s *Setup) lookChannel(ctx context.Context, name string) error {
	k := &s.known
	var c channel
	err := s.api.get(ctx, "/teams/name/"+s.wish.Team+"/channels/name/"+name, &c)
	if _, no := refused(err); err != nil && !no {
		return fmt.Errorf("can't look the channel %s up: %w", name, err)
	}
	k.channels[name] = c
	if c.ID == "" || k.bot.ID == "" {
		return nil
	}
	if k.inside[name], err = s.has(ctx, "/channels/"+c.ID+"/members/"+k.bot.ID); err != nil {
		if _, no := refused(err); !no {
			return fmt.Errorf("can't see whether @%s is in the channel %s: %w", s.wish.Bot, name, err)
		}
	}
	return nil
}

// page is how many entries of a list are asked for at once, pages how often.
const (
	page  = 200
	pages = 50
)

func (s *Setup) lookIntegrations(ctx context.Context) error {
	k := &s.known
	if len(s.wish.slashes()) > 0 {
		if err := s.api.get(ctx, "/commands?custom_only=true&team_id="+k.teamID, &k.commands); !off(err) {
			return fmt.Errorf("can't list the slash commands: %w", err)
		}
	}
	if len(s.wish.Triggers) > 0 {
		err := everyPage(func(n int) (int, error) {
			var some []outgoing
			err := s.api.get(ctx, "/hooks/outgoing?per_page="+strconv.Itoa(page)+"&page="+strconv.Itoa(n)+"&team_id="+k.teamID, &some)
			k.hooks = append(k.hooks, some...)
			return len(some), err
		})
		if !off(err) {
			return fmt.Errorf("can't list the outgoing webhooks: %w", err)
		}
	}
	if s.wish.OAuth {
		err := everyPage(func(n int) (int, error) {
			var some []application
			err := s.api.get(ctx, "/oauth/apps?per_page="+strconv.Itoa(page)+"&page="+strconv.Itoa(n), &some)
			k.apps = append(k.apps, some...)
			return len(some), err
		})
		if !off(err) {
			return fmt.Errorf("can't list the OAuth applications: %w", err)
		}
	}
	return nil
}

func everyPage(get func(n int) (int, error)) error {
	for n := range pages {
		if got, err := get(n); err != nil || got < page {
			return err
		}
	}
	return nil
}

// off holds for success, and where the server says no: a feature that is off
// or closed to us has nothing to list, and the step that needs it says why.
func off(err error) bool {
	_, no := refused(err)
	return err == nil || no
}

// lookUp resolves where Mattermost is to call.
func (s *Setup) lookUp(ctx context.Context) {
	k := &s.known
	addresses := func(host string) ([]netip.Addr, error) {
		if a, err := netip.ParseAddr(host); err == nil {
			return []netip.Addr{a.Unmap()}, nil
		}
		found, err := s.opt.Lookup(ctx, host)
		for i := range found {
			found[i] = found[i].Unmap()
		}
		return found, err
	}
	var err error
	if k.addresses, err = addresses(s.wish.callbackHost()); err != nil {
		k.unresolved = true
	}
	if u, err := url.Parse(s.wish.URL); err == nil {
		k.own, _ = addresses(strings.ToLower(u.Hostname())) // unknown: nothing is held for the server's own
	}
}
