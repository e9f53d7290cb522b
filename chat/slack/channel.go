// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"belfry/chat"
	"belfry/fault"
)

const (
	// listKept is how long the names of channels and people are believed.
	listKept = 10 * time.Minute
	// listAgain is how soon after a whole list a name that is not in it makes
	// us ask anew: the list's methods are of Slack's tier 2, 20 a minute.
	listAgain = 10 * time.Second
	// listPages bounds the walk through a workspace.
	listPages = 500
	// A page has as many channels or people as Slack gives at once, since their
	// lists may be read 20 times a minute only: 20,000 names. Of messages, which
	// are large, it has as many as Slack advises.
	namesAtOnce    = "1000"
	messagesAtOnce = "200"
)

// channels are the channels of the workspace by name.
type channels struct {
	mu    sync.Mutex // held over a walk, so that there is one at a time
	ids   map[string]string
	names map[string]string
	read  time.Time
	// doubted: one of the ids was refused, so that the list is read anew as
	// soon as it may be; until then the ids are still the best there is.
	doubted bool
}

func newChannels() *channels { return &channels{ids: map[string]string{}, names: map[string]string{}} }

// listed is a channel as conversations.list and .info show it.
type listed struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Creator    string `json:"creator"`
	IsArchived bool   `json:"is_archived"`
	IsMember   bool   `json:"is_member"`
	IsPrivate  bool   `json:"is_private"`
	Topic      struct {
		Value string `json:"value"`
	} `json:"topic"`
	Purpose struct {
		Value string `json:"value"`
	} `json:"purpose"`
}

// resolve turns a configured channel, its name with or without "#" or its id,
// into its id.
func (p *Platform) resolve(ctx context.Context, configured string) (string, error) {
	name := strings.TrimPrefix(configured, "#")
	if isChannelID(name) {
		return name, nil
	}
	name = strings.ToLower(name)
	c := p.channels
	c.mu.Lock()
	defer c.mu.Unlock()
	now := p.clock.Now()
	old := now.Sub(c.read)
	if id, ok := c.ids[name]; ok && old < listKept && (!c.doubted || old < listAgain) {
		return id, nil
	}
	if c.read.IsZero() || old >= listAgain {
		if err := p.readChannels(ctx, c); err != nil {
			if id, ok := c.ids[name]; ok {
				return id, nil // what we knew is better than nothing; a wrong id is refused
			}
			return "", err
		}
		c.read, c.doubted = now, false
	}
	if id, ok := c.ids[name]; ok {
		return id, nil
	}
	return "", fault.NewPermanent(fmt.Errorf("there is no channel %q for connection %s, or it is archived, or private and %s is not in it: "+
		"use its name as Slack shows it behind #, and invite the app to private channels", configured, p.name, p.handle()))
}

var _ chat.Locator = (*Platform)(nil)

// Locate implements chat.Locator.
func (p *Platform) Locate(ctx context.Context, configured string) (chat.Channel, error) {
	id, err := p.resolve(ctx, configured)
	if err != nil {
		return chat.Channel{}, err
	}
	return p.channelOf(ctx, id, strings.TrimPrefix(configured, "#")), nil
}

// readChannels reads the names of all channels; the caller holds c.mu.
func (p *Platform) readChannels(ctx context.Context, c *channels) error {
	ids, names := map[string]string{}, map[string]string{}
	err := p.walk(ctx, "conversations.list", url.Values{"types": {"public_channel,private_channel"}, "exclude_archived": {"true"}},
		"list the channels", func(page *page) {
			for _, ch := range page.Channels {
				if isChannelID(ch.ID) && ch.Name != "" {
					ids[ch.Name], names[ch.ID] = ch.ID, ch.Name
				}
			}
		})
	if err == nil {
		c.ids, c.names = ids, names
	}
	return err
}

// page is a page of any list.
type page struct {
	Channels   []listed    `json:"channels"`
	Members    []person    `json:"members"`
	Usergroups []usergroup `json:"usergroups"`
	Messages   []kept      `json:"messages"`
	HasMore    bool        `json:"has_more"`
	Metadata   struct {
		Cursor string `json:"next_cursor"`
	} `json:"response_metadata"`
}

// walk calls a listing method page by page.
func (p *Platform) walk(ctx context.Context, method string, args url.Values, doing string, each func(*page)) error {
	args.Set("limit", namesAtOnce)
	if strings.HasSuffix(method, ".history") || strings.HasSuffix(method, ".replies") {
		args.Set("limit", messagesAtOnce)
	}
	for range listPages {
		var got page
		if err := p.read(ctx, method, args, doing, &got); err != nil {
			return err
		}
		each(&got)
		if got.Metadata.Cursor == "" {
			return nil
		}
		args.Set("cursor", got.Metadata.Cursor)
	}
	return fault.NewPermanent(fmt.Errorf("can't %s of connection %s: there are more than %d pages", doing, p.name, listPages))
}

// read calls a method that changes nothing, unless Slack asked for a pause.
func (p *Platform) read(ctx context.Context, method string, args url.Values, doing string, into any) error {
	return p.ask(ctx, method, args, doing, reads, into)
}

// ask calls a method, unless Slack asked for a pause, and decides.
func (p *Platform) ask(ctx context.Context, method string, args url.Values, doing string, e effect, into any) error {
	if err := p.pace.method(method); err != nil {
		return fmt.Errorf("can't %s: %w", doing, err)
	}
	err := p.client.call(ctx, method, args, into)
	if err == nil {
		return nil
	}
	if r, ok := refusal(err); ok && r.After > 0 {
		p.pace.askedFor(method, r.After)
	}
	return p.decide(err, e, doing)
}

// doubt notes that what is known of channels may not be true any more.
func (p *Platform) doubt() {
	c := p.channels
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doubted = true
}

// channelWord is how people know the channel with this id, as far as we do.
func (p *Platform) channelWord(id string) string {
	c := p.channels
	c.mu.Lock()
	defer c.mu.Unlock()
	if name, ok := c.names[id]; ok {
		return name
	}
	return id
}
