// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"belfry/chat"
	"belfry/fault"
)

// uninvited is one person whom conversations.invite did not take.
type uninvited struct {
	User  string `json:"user"`
	Error string `json:"error"`
}

// whyNot are Slack's reasons, as people read them:
// https://docs.slack.dev/reference/methods/conversations.invite#errors
var whyNot = map[string]string{
	"user_not_found":           "is not known in this workspace",
	"user_is_deactivated":      "has an account that was switched off",
	"user_disabled":            "has an account that was switched off",
	"user_is_restricted":       "is a guest who can't be brought in",
	"user_is_ultra_restricted": "is a guest of one channel",
	"ura_max_channels":         "is a guest of one channel",
	"user_team_not_in_channel": "belongs to another workspace",
	"cant_invite":              "can't be brought in",
}

// Invite implements chat.ChannelKeeper. Slack brings in all it can when it is
// told to (force), and names the others.
func (p *Platform) Invite(ctx context.Context, channel string, people []string) ([]chat.Refusal, error) {
	var refused []chat.Refusal
	var ids []string
	for _, id := range people {
		switch {
		case !isUserID(id):
			refused = append(refused, chat.Refusal{Person: id, Why: "is no id of a person in Slack"})
		case !slices.Contains(ids, id):
			ids = append(ids, id)
		}
	}
	doing := "bring people into " + p.channelWord(channel)
	for chunk := range slices.Chunk(ids, inviteAtOnce) {
		var got struct {
			Errors []uninvited `json:"errors"`
		}
		args := url.Values{"channel": {channel}, "users": {strings.Join(chunk, ",")}, "force": {"true"}}
		err := p.ask(ctx, "conversations.invite", args, doing, writes, &got)
		if r, ok := refusal(err); ok && len(r.Errors) > 0 {
			if json.Unmarshal(r.Errors, &got.Errors) == nil && len(got.Errors) > 0 {
				err = nil // it is about those people, and said of each
			}
		} else if ok && len(chunk) == 1 && (whyNot[r.Code] != "" || harmless(r.Code)) {
			got.Errors, err = []uninvited{{User: chunk[0], Error: r.Code}}, nil
		}
		if err != nil {
			return refused, p.mayNot(err, doing)
		}
		for _, e := range got.Errors {
			if harmless(e.Error) {
				continue
			}
			why := whyNot[e.Error]
			if why == "" {
				why = "can't be brought in (" + p.client.hide(e.Error) + ")"
			}
			refused = append(refused, chat.Refusal{Person: e.User, Why: why})
		}
	}
	return refused, nil
}

// harmless are the refusals of who is in already.
func harmless(code string) bool { return code == "already_in_channel" || code == "cant_invite_self" }

// ourEmoji marks the links above a channel that are Belfry's: Slack keeps the
// app with a bookmark, but not what the app wants to know about it.
const ourEmoji = ":bellhop_bell:"

const maxBookmarkTitle = 100

// Bookmark implements chat.ChannelKeeper.
func (p *Platform) Bookmark(ctx context.Context, channel string, links []chat.Link) error {
	doing := "set the links of " + p.channelWord(channel)
	var got struct {
		Bookmarks []struct {
			ID    string `json:"id"`
			Title string `json:"title"`
			Link  string `json:"link"`
			Emoji string `json:"emoji"`
			AppID string `json:"app_id"`
		} `json:"bookmarks"`
	}
	if err := p.read(ctx, "bookmarks.list", url.Values{"channel_id": {channel}}, doing, &got); err != nil {
		return p.mayNot(err, doing)
	}
	wanted := map[chat.Link]bool{}
	for _, l := range links {
		address := safeURL(l.URL)
		title := strings.TrimSpace(cut(chat.CleanLine(l.Text), maxBookmarkTitle))
		if address == "" || utf8.RuneCountInString(title) == 0 {
			return fault.NewPermanent(fmt.Errorf("can't %s: %q is no link", doing, l.Text))
		}
		wanted[chat.Link{Text: title, URL: address}] = true
	}
	for _, b := range got.Bookmarks {
		l := chat.Link{Text: b.Title, URL: b.Link}
		if b.Emoji != ourEmoji || b.AppID == "" {
			continue
		}
		if wanted[l] {
			delete(wanted, l)
			continue
		}
		err := p.ask(ctx, "bookmarks.remove", url.Values{"channel_id": {channel}, "bookmark_id": {b.ID}}, doing, writes, nil)
		if err != nil && !refusedAs(err, "not_found", "bookmark_not_found") {
			return p.mayNot(err, doing)
		}
	}
	for _, l := range links {
		l = chat.Link{Text: strings.TrimSpace(cut(chat.CleanLine(l.Text), maxBookmarkTitle)), URL: safeURL(l.URL)}
		if !wanted[l] {
			continue
		}
		delete(wanted, l)
		args := url.Values{"channel_id": {channel}, "title": {l.Text}, "type": {"link"}, "link": {l.URL}, "emoji": {ourEmoji}}
		if err := p.ask(ctx, "bookmarks.add", args, doing, writes, nil); err != nil {
			return p.mayNot(err, doing)
		}
	}
	return nil
}
