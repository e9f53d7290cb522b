// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"belfry/chat"
	"belfry/fault"
)

// idNoEndpoint is what a server answers that does not know the call.
const idNoEndpoint = "api.context.404.app_error"

// whyNot are the server's reasons not to bring somebody in, as people read them.
var whyNot = map[string]string{
	"app.team.get_member.missing.app_error":                    notInTeam,
	"store.sql_team.get_member.missing.app_error":              notInTeam,
	"api.channel.add_user.to.channel.failed.deleted.app_error": notInTeam,
	"app.user.missing_account.const":                           "is not known on this server",
	"app.channel.add_member.deleted_user.app_error":            switchedOff,
	"api.channel.add_members.user_denied":                      "is in none of the groups that the channel is for",
}

const (
	notInTeam   = "is not a member of the team"
	switchedOff = "has an account that was switched off"
	// asked is how many people one look-up is about.
	asked = 100
)

// Invite implements chat.ChannelKeeper. Nobody is added to the team: who is in
// it is for its administrators to say.
func (p *Platform) Invite(ctx context.Context, channel string, people []string) ([]chat.Refusal, error) {
	doing := "bring people into " + p.channelWord(channel)
	c, err := p.channelInfo(ctx, channel, doing)
	if err != nil {
		return nil, err
	}
	if c.DeleteAt > 0 {
		return nil, fault.NewPermanent(chat.Archived(fmt.Errorf("can't %s: it is archived; un-archive it first", doing)))
	}
	var refused []chat.Refusal
	var ids []string
	for _, id := range people {
		switch {
		case !isID(id):
			refused = append(refused, chat.Refusal{Person: id, Why: "is no id of a person in Mattermost"})
		case !slices.Contains(ids, id):
			ids = append(ids, id)
		}
	}
	for chunk := range slices.Chunk(ids, asked) {
		// Older servers bring in accounts that were switched off.
		var known []person
		if err := p.client.do(ctx, http.MethodPost, "/users/ids", chunk, &known); err != nil {
			return refused, p.decide(err, reads, doing)
		}
		for _, id := range chunk {
			why, err := p.inviteOne(ctx, channel, id, known, doing)
			if err != nil {
				return refused, err
			}
			if why != "" {
				refused = append(refused, chat.Refusal{Person: id, Why: why})
			}
		}
	}
	return refused, nil
}

// inviteOne brings one person in, or says why not.
func (p *Platform) inviteOne(ctx context.Context, channel, id string, known []person, doing string) (why string, err error) {
	i := slices.IndexFunc(known, func(who person) bool { return who.ID == id })
	switch {
	case i < 0:
		return "is not known on this server", nil
	case known[i].DeleteAt > 0:
		return switchedOff, nil
	}
	err = p.client.do(ctx, http.MethodPost, "/channels/"+channel+"/members", map[string]string{"user_id": id}, nil)
	if r, ok := refusal(err); ok && whyNot[r.ID] != "" {
		return whyNot[r.ID], nil
	}
	return "", p.mayNot(err, doing)
}

// Pin implements chat.ChannelKeeper.
func (p *Platform) Pin(ctx context.Context, ref chat.Ref) error {
	return p.pin(ctx, ref, "pin")
}

// Unpin implements chat.ChannelKeeper. A message that is gone needs no
// unpinning.
func (p *Platform) Unpin(ctx context.Context, ref chat.Ref) error {
	err := p.pin(ctx, ref, "unpin")
	if d, _ := fault.Of(err); d == fault.Gone {
		return nil
	}
	return err
}

func (p *Platform) pin(ctx context.Context, ref chat.Ref, verb string) error {
	if !isID(ref.Post) {
		return fault.NewPermanent(fmt.Errorf("%q is no post of a Mattermost", ref.Post))
	}
	doing := verb + " a message in " + p.channelWord(ref.Channel)
	err := p.client.do(ctx, http.MethodPost, "/posts/"+ref.Post+"/"+verb, nil, nil)
	if refusedAs(err, idPatchArchived, idEditArchived) {
		return fault.NewPermanent(chat.Archived(fmt.Errorf("can't %s: the channel is archived: %w", doing, err)))
	}
	if r, ok := refusal(err); ok && r.Status == http.StatusForbidden {
		// So it answers for deleted messages, too.
		again := p.client.do(ctx, http.MethodGet, "/posts/"+ref.Post, nil, nil)
		if gone, ok := refusal(again); ok && gone.Status == http.StatusNotFound {
			return fault.NewGone(fmt.Errorf("can't %s: somebody deleted it: %w", doing, &gone))
		}
	}
	return p.mayNot(err, doing)
}

// ourEmoji marks the links above a channel that are Belfry's, should its
// account be a person's who sets links as well.
const ourEmoji = ":bellhop_bell:"

const (
	maxBookmarkTitle = 64
	maxBookmarkURL   = 1024
)

// bookmark is a link above a channel: servers from 9.5 on, with a licence.
type bookmark struct {
	ID       string `json:"id,omitempty"`
	Owner    string `json:"owner_id,omitempty"`
	Title    string `json:"display_name"`
	URL      string `json:"link_url"`
	Emoji    string `json:"emoji"`
	Type     string `json:"type"`
	DeleteAt int64  `json:"delete_at,omitempty"`
}

// Bookmark implements chat.ChannelKeeper. Servers before 9.5, and those without
// a licence, have no such place.
func (p *Platform) Bookmark(ctx context.Context, channel string, links []chat.Link) error {
	doing := "set the links of " + p.channelWord(channel)
	wanted, err := bookmarksOf(links, doing)
	if err != nil {
		return err
	}
	if !isID(channel) {
		return fault.NewPermanent(fmt.Errorf("can't %s: %q is no id of a channel in Mattermost", doing, channel))
	}
	me, err := p.self(ctx)
	if err != nil {
		return err
	}
	path := "/channels/" + channel + "/bookmarks"
	var all []bookmark
	err = p.client.do(ctx, http.MethodGet, path, nil, &all)
	if r, ok := refusal(err); ok && (r.ID == idNoEndpoint || r.Status == http.StatusNotImplemented || strings.HasSuffix(r.ID, ".license.error")) {
		return nil
	} else if ok && (r.Status == http.StatusForbidden || r.Status == http.StatusNotFound) {
		return p.mayNot(err, doing)
	}
	if err != nil {
		return p.decide(err, reads, doing)
	}
	for _, b := range all {
		if b.Owner != me.ID || b.Emoji != ourEmoji || b.DeleteAt > 0 || !isID(b.ID) {
			continue
		}
		if i := slices.IndexFunc(wanted, func(w bookmark) bool { return w.Title == b.Title && w.URL == b.URL }); i >= 0 {
			wanted = slices.Delete(wanted, i, i+1)
			continue
		}
		err := p.client.do(ctx, http.MethodDelete, path+"/"+b.ID, nil, nil)
		if r, ok := refusal(err); ok && r.Status == http.StatusNotFound {
			continue // somebody was faster
		}
		if err != nil {
			return p.mayNot(err, doing)
		}
	}
	for _, b := range wanted {
		if err := p.client.do(ctx, http.MethodPost, path, &b, nil); err != nil {
			return p.mayNot(err, doing)
		}
	}
	return nil
}

// bookmarksOf are links as the server takes them, each once.
func bookmarksOf(links []chat.Link, doing string) ([]bookmark, error) {
	var out []bookmark
	for _, l := range links {
		b := bookmark{Title: strings.TrimSpace(cut(strings.TrimSpace(chat.CleanLine(l.Text)), maxBookmarkTitle)), URL: safeURL(l.URL), Emoji: ourEmoji, Type: "link"}
		if b.URL == "" || len(b.URL) > maxBookmarkURL || b.Title == "" {
			return nil, fault.NewPermanent(fmt.Errorf("can't %s: %q is no link", doing, chat.CleanLine(l.Text)))
		}
		if !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out, nil
}
