// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"belfry/chat"
	"belfry/fault"
)

// channel is a channel as the API shows it.
type channel struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	DeleteAt int64  `json:"delete_at"`
}

// resolve turns a configured channel into its id: a handle in the configured
// team (with or without "~"), "team/handle", or an id. Ids are believed for
// ten minutes, and until a post is refused.
func (p *Platform) resolve(ctx context.Context, configured string) (channel, error) {
	now := p.clock.Now()
	if got, ok := p.channels.get(configured, now); ok {
		return got, nil
	}
	path, text := p.channelPath(configured)
	if text != "" {
		return channel{}, fault.NewPermanent(fmt.Errorf("%q of connection %s is no channel: %s", configured, p.name, text))
	}
	var got channel
	err := p.client.do(ctx, http.MethodGet, path, nil, &got)
	if r, ok := refusal(err); ok && (r.Status == http.StatusNotFound || r.Status == http.StatusForbidden || r.Status == http.StatusBadRequest) {
		return channel{}, fault.NewPermanent(fmt.Errorf(
			"there is no channel %q for connection %s, or it is private and %s is not in it: use the handle from the channel's address, not its display name, and invite the bot: %w",
			configured, p.name, p.handle(), &r))
	}
	if err != nil {
		return channel{}, p.decide(err, reads, "look up the channel "+configured)
	}
	if !isID(got.ID) {
		return channel{}, fault.NewRetry(fmt.Errorf("mattermost of connection %s gives no id for the channel %q", p.name, configured))
	}
	if got.DeleteAt > 0 {
		return channel{}, p.archived(configured, nil)
	}
	p.channels.put(configured, got, now)
	return got, nil
}

var _ chat.Locator = (*Platform)(nil)

// Locate implements chat.Locator.
func (p *Platform) Locate(ctx context.Context, configured string) (chat.Channel, error) {
	c, err := p.resolve(ctx, configured)
	if err != nil {
		return chat.Channel{}, err
	}
	if strings.Contains(strings.TrimPrefix(configured, "~"), "/") {
		return chat.Channel{ID: c.ID, Name: c.Name}, nil // of another team, whose address is not ours
	}
	return p.channelOf(kept{ID: c.ID, Name: c.Name}), nil
}

// handleOf returns by which handle the configuration would name the channel with
// this id; "" for one of another team, or one that can't be looked up: whoever
// may make a channel there could give it the name of one here.
func (p *Platform) handleOf(ctx context.Context, id string) string {
	c, err := p.resolve(ctx, id)
	if err != nil || isID(c.Name) || !isHandle(c.Name) || strings.Contains(c.Name, "__") { // two people's
		return ""
	}
	if here, err := p.resolve(ctx, c.Name); err != nil || here.ID != id {
		return ""
	}
	return c.Name
}

// channelPath returns where to look for a configured channel, or what is wrong with it.
func (p *Platform) channelPath(configured string) (path, wrong string) {
	name := strings.TrimPrefix(configured, "~")
	if isID(name) {
		return "/channels/" + name, ""
	}
	team := p.team
	if t, n, ok := strings.Cut(name, "/"); ok {
		team, name = t, n
	}
	if !isHandle(team) || !isHandle(name) {
		return "", "write its handle (small letters, digits, - and _, as in its address), team/handle, or its id"
	}
	return "/teams/name/" + team + "/channels/name/" + name, ""
}

func (p *Platform) archived(configured string, cause error) error {
	err := fmt.Errorf("the channel %q of connection %s is archived: un-archive it or name another in the route", configured, p.name)
	if cause != nil {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return fault.NewPermanent(chat.Archived(err))
}

// forget drops what is known of a channel id.
func (p *Platform) forget(id string) {
	p.channels.drop(func(_ string, c channel) bool { return c.ID == id })
}

// channelWord is how people know the channel with this id, as far as we do.
func (p *Platform) channelWord(id string) string {
	if name, ok := p.channels.any(func(c channel) bool { return c.ID == id }); ok {
		return name
	}
	return id
}
