// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"belfry/chat"
	"belfry/fault"
)

var _ chat.ChannelKeeper = (*Platform)(nil)

// Limits of a channel in characters, as the server checks them (5.37 and later).
const (
	maxChannelName  = 64
	maxChannelTitle = 64
	maxPurpose      = 250
	maxHeader       = 1024
	// maxSuffixes is how many names are tried when one is taken.
	maxSuffixes = 20
)

// Error ids about channels.
const (
	idNameTaken    = "store.sql_channel.save_channel.exists.app_error"
	idNameWasTaken = "store.sql_channel.save_channel.previously.app_error" // before 5.30, by an archived one
	idIsArchived   = "api.channel.delete_channel.deleted.app_error"
	idIsOpen       = "api.channel.restore_channel.restored.app_error"
)

// kept is a channel with what stands above it.
type kept struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Title     string `json:"display_name"`
	Purpose   string `json:"purpose"`
	Header    string `json:"header"`
	Type      string `json:"type"`
	CreatorID string `json:"creator_id"`
	DeleteAt  int64  `json:"delete_at"`
}

// newChannel is the body of POST /channels.
type newChannel struct {
	Team    string `json:"team_id"`
	Name    string `json:"name"`
	Title   string `json:"display_name"`
	Purpose string `json:"purpose"`
	Type    string `json:"type"`
}

// channelPatch is the body of PUT /channels/{id}/patch: what is nil stays.
type channelPatch struct {
	Title   *string `json:"display_name,omitempty"`
	Purpose *string `json:"purpose,omitempty"`
	Header  *string `json:"header,omitempty"`
}

// OpenChannel implements chat.ChannelKeeper. The key stands in the purpose from
// the first moment on. It is looked for before anything is made, because people
// rename channels; and where a name is taken, because an attempt whose answer
// was lost may only just have come through.
func (p *Platform) OpenChannel(ctx context.Context, n chat.NewChannel) (chat.Channel, error) {
	me, err := p.self(ctx)
	if err != nil {
		return chat.Channel{}, err
	}
	team, err := p.teamID(ctx)
	if err != nil {
		return chat.Channel{}, err
	}
	doing := "make the channel " + channelName(n.Name, 0)
	ours := func(c kept) bool {
		return isID(c.ID) && c.CreatorID == me.ID && strings.Contains(c.Purpose, mark(n.Key))
	}
	var mine []kept
	if err := p.client.do(ctx, http.MethodGet, "/users/me/teams/"+team+"/channels?include_deleted=true", nil, &mine); err != nil {
		return chat.Channel{}, p.decide(err, reads, "look for the channel "+channelName(n.Name, 0))
	}
	for _, c := range mine {
		if ours(c) {
			return p.channelOf(c), nil
		}
	}
	body := newChannel{Team: team, Title: title(n), Purpose: marked(n.Purpose, mark(n.Key)), Type: "O"}
	if n.Private {
		body.Type = "P"
	}
	for i := range maxSuffixes {
		body.Name = channelName(n.Name, i)
		var made kept
		err := p.client.do(ctx, http.MethodPost, "/channels", &body, &made)
		switch {
		case err == nil && !isID(made.ID):
			return chat.Channel{}, fault.NewUnknown(fmt.Errorf("can't %s: mattermost of connection %s gives no id for it", doing, p.name))
		case err == nil:
			return p.channelOf(made), nil
		case !refusedAs(err, idNameTaken, idNameWasTaken):
			return chat.Channel{}, p.mayNot(err, doing)
		}
		old, ok, err := p.channelNamed(ctx, body.Name)
		if err != nil {
			return chat.Channel{}, err
		}
		if ok && ours(old) {
			return p.channelOf(old), nil
		}
	}
	return chat.Channel{}, fault.NewPermanent(fmt.Errorf("can't %s: it and %d names like it are taken in the team %s of connection %s", doing, maxSuffixes-1, p.team, p.name))
}

// teamID is the configured team's.
func (p *Platform) teamID(ctx context.Context) (string, error) {
	var team struct {
		ID string `json:"id"`
	}
	err := p.client.do(ctx, http.MethodGet, "/teams/name/"+p.team, nil, &team)
	if r, ok := refusal(err); ok && (r.Status == http.StatusNotFound || r.Status == http.StatusForbidden) {
		return "", fault.NewPermanent(fmt.Errorf("there is no team %q for connection %s, or %s is not in it: add the bot to the team: %w", p.team, p.name, p.handle(), &r))
	}
	if err != nil {
		return "", p.decide(err, reads, "read the team "+p.team)
	}
	if !isID(team.ID) {
		return "", fault.NewRetry(fmt.Errorf("mattermost of connection %s gives no id for the team %s", p.name, p.team))
	}
	return team.ID, nil
}

// channelNamed reads the team's channel with this name, archived ones included;
// of other people's private ones the server says nothing.
func (p *Platform) channelNamed(ctx context.Context, name string) (c kept, found bool, err error) {
	err = p.client.do(ctx, http.MethodGet, "/teams/name/"+p.team+"/channels/name/"+name+"?include_deleted=true", nil, &c)
	if r, ok := refusal(err); ok && (r.Status == http.StatusNotFound || r.Status == http.StatusForbidden) {
		return kept{}, false, nil
	}
	if err != nil {
		return kept{}, false, p.decide(err, reads, "look for the channel "+name)
	}
	return c, true, nil
}

// channelOf is a channel as callers know it.
func (p *Platform) channelOf(c kept) chat.Channel {
	return chat.Channel{ID: c.ID, Name: c.Name, Private: c.Type == "P", URL: p.client.site() + "/" + p.team + "/channels/" + c.Name}
}

// channelInfo reads a channel that is to be kept.
func (p *Platform) channelInfo(ctx context.Context, id, doing string) (kept, error) {
	var c kept
	if !isID(id) {
		return kept{}, fault.NewPermanent(fmt.Errorf("can't %s: %q is no id of a channel in Mattermost", doing, id))
	}
	err := p.client.do(ctx, http.MethodGet, "/channels/"+id, nil, &c)
	if r, ok := refusal(err); ok && r.Status == http.StatusNotFound {
		return kept{}, fault.NewGone(fmt.Errorf("can't %s: it is gone: %w", doing, &r))
	} else if ok && r.Status == http.StatusForbidden {
		return kept{}, p.mayNot(err, doing)
	}
	if err != nil {
		return kept{}, p.decide(err, reads, doing)
	}
	return c, nil
}

// Describe implements chat.ChannelKeeper. Both texts are shown as Markdown.
func (p *Platform) Describe(ctx context.Context, channel string, d chat.Description) error {
	doing := "describe the channel " + p.channelWord(channel)
	c, err := p.channelInfo(ctx, channel, doing)
	if err != nil {
		return err
	}
	header, purpose := headline(d.Topic, maxHeader), marked(d.Purpose, marker(c.Purpose))
	var change channelPatch
	if header != c.Header {
		change.Header = &header
	}
	if purpose != c.Purpose {
		change.Purpose = &purpose
	}
	return p.patchChannel(ctx, c, change, doing)
}

// Rename implements chat.ChannelKeeper. The title alone changes: the name is in
// addresses that people have passed on.
func (p *Platform) Rename(ctx context.Context, channel string, n chat.NewChannel) (chat.Channel, error) {
	doing := "rename the channel " + p.channelWord(channel)
	c, err := p.channelInfo(ctx, channel, doing)
	if err != nil {
		return chat.Channel{}, err
	}
	var change channelPatch
	if t := title(n); t != c.Title {
		change.Title = &t
	}
	if err := p.patchChannel(ctx, c, change, doing); err != nil {
		return chat.Channel{}, err
	}
	return p.channelOf(c), nil
}

// patchChannel changes what is to be changed, if anything is.
func (p *Platform) patchChannel(ctx context.Context, c kept, change channelPatch, doing string) error {
	if change == (channelPatch{}) {
		return nil
	}
	if c.DeleteAt > 0 {
		return fault.NewPermanent(chat.Archived(fmt.Errorf("can't %s: it is archived; un-archive it first", doing)))
	}
	return p.mayNot(p.client.do(ctx, http.MethodPut, "/channels/"+c.ID+"/patch", &change, nil), doing)
}

// Archive implements chat.ChannelKeeper.
func (p *Platform) Archive(ctx context.Context, channel string) error {
	doing := "archive the channel " + p.channelWord(channel)
	if c, err := p.channelInfo(ctx, channel, doing); err != nil || c.DeleteAt > 0 {
		return err
	}
	err := p.client.do(ctx, http.MethodDelete, "/channels/"+channel, nil, nil)
	p.forget(channel)
	if refusedAs(err, idIsArchived) {
		return nil
	}
	return p.mayNot(err, doing)
}

// Unarchive implements chat.ChannelKeeper. It takes the right manage_team,
// which a plain bot does not have.
func (p *Platform) Unarchive(ctx context.Context, channel string) error {
	doing := "open the channel " + p.channelWord(channel) + " again"
	if c, err := p.channelInfo(ctx, channel, doing); err != nil || c.DeleteAt == 0 {
		return err
	}
	err := p.client.do(ctx, http.MethodPost, "/channels/"+channel+"/restore", nil, nil)
	p.forget(channel)
	r, ok := refusal(err)
	switch {
	case refusedAs(err, idIsOpen):
		return nil
	case ok && r.Status == http.StatusForbidden:
		return fault.NewPermanent(fmt.Errorf("can't %s: %s of connection %s may not; a team administrator has to un-archive it by hand, or make the bot a team administrator: %w",
			doing, p.handle(), p.name, &r))
	}
	return p.mayNot(err, doing)
}

// mayNot decides about a change of a channel; a lack of rights is final, and
// says who can help.
func (p *Platform) mayNot(err error, doing string) error {
	r, ok := refusal(err)
	switch {
	case err == nil:
		return nil
	case ok && r.Status == http.StatusForbidden:
		return fault.NewPermanent(fmt.Errorf("can't %s: %s of connection %s may not; a system administrator can allow it (System Console → Permissions: "+
			"create channels, manage their settings, members and bookmarks, archive them), and the bot must be in the channel: %w", doing, p.handle(), p.name, &r))
	case ok && r.Status == http.StatusNotFound:
		return fault.NewGone(fmt.Errorf("can't %s: it is gone: %w", doing, &r))
	}
	return p.decide(err, writes, doing)
}

// refusedAs says whether the server refused with one of these ids.
func refusedAs(err error, ids ...string) bool {
	r, ok := refusal(err)
	for _, id := range ids {
		if ok && r.ID == id {
			return true
		}
	}
	return false
}

// mark is how a key stands in a purpose.
func mark(key string) string { return "[belfry " + key + "]" }

// marker returns the mark in a purpose, "" when there is none.
func marker(purpose string) string {
	i := strings.LastIndex(purpose, "[belfry ")
	if i < 0 || !strings.HasSuffix(purpose, "]") {
		return ""
	}
	return purpose[i:]
}

// marked is a purpose with our mark behind it.
func marked(text, mark string) string {
	if mark == "" {
		return headline(text, maxPurpose)
	}
	return strings.TrimSpace(headline(text, maxPurpose-len(mark)-1) + " " + mark)
}

// headline is a text above a channel: one line of literal Markdown, at most
// limit characters.
func headline(text string, limit int) string {
	text = strings.TrimSpace(chat.CleanLine(text))
	for n := limit; n > 0; n-- {
		if out := literal(cut(text, n)); utf8.RuneCountInString(out) <= limit {
			return out
		}
	}
	return ""
}

// title is what people read; plain text to Mattermost.
func title(n chat.NewChannel) string {
	for _, text := range []string{n.Title, n.Name} {
		if t := strings.TrimSpace(cut(strings.TrimSpace(chat.CleanLine(text)), maxChannelTitle)); t != "" {
			return t
		}
	}
	return channelName(n.Name, 0)
}

// channelName makes a handle that Mattermost takes: 2 to 64 of small letters,
// digits, "-" and "_", no dash at its ends; nothing that looks like an id or
// like a conversation of two ("__"). again counts the names that were taken.
func channelName(wish string, again int) string {
	var b strings.Builder
	last := byte('-')
	for _, r := range strings.ToLower(chat.CleanLine(wish)) {
		next := byte('-')
		if r < utf8.RuneSelf && (isAlnumByte(byte(r)) || r == '_') {
			next = byte(r)
		}
		if next == last && (next == '-' || next == '_') {
			continue
		}
		b.WriteByte(next)
		last = next
	}
	name := strings.Trim(b.String(), "-_")
	if name == "" {
		name = "incident"
	} else if len(name) < 2 || isID(name) {
		name = "incident-" + name
	}
	suffix := ""
	if again > 0 {
		suffix = fmt.Sprintf("-%d", again+1)
	}
	name = strings.TrimRight(name[:min(len(name), maxChannelName-len(suffix))], "-_")
	return name + suffix
}
