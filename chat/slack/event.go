// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Events that count (docs.slack.dev, "Events API").
const (
	eventReacted     = "reaction_added"
	eventUnreacted   = "reaction_removed"
	eventMention     = "app_mention"
	eventMessage     = "message"
	eventRevoked     = "tokens_revoked"
	eventUninstalled = "app_uninstalled"
)

const (
	outerChallenge = "url_verification"
	outerCallback  = "event_callback"
	outerLimited   = "app_rate_limited"

	maxChallenge = 1024
	maxEmoji     = 128
	// maxText is where Slack cuts a message, in characters
	// (https://docs.slack.dev/reference/methods/chat.postMessage, "Truncating content").
	maxText = 40_000
)

// outer is what wraps an event.
type outer struct {
	Kind      string `json:"type"`
	Challenge string `json:"challenge"`
	Team      string `json:"team_id"`
	// Enterprise is the organization of a workspace that belongs to one.
	Enterprise string `json:"enterprise_id"`
	App        string `json:"api_app_id"`
	ID         string `json:"event_id"`
	// Time is when it happened, in Unix seconds.
	Time  int64           `json:"event_time"`
	Event json.RawMessage `json:"event"`
}

// happened is an event: a reaction, or a message that somebody wrote.
type happened struct {
	Kind    string `json:"type"`
	Subtype string `json:"subtype"`
	User    string `json:"user"`
	// Reaction is the emoji's name, with a skin tone after "::".
	Reaction string `json:"reaction"`
	// ItemUser is who wrote the message that was reacted to.
	ItemUser string `json:"item_user"`
	Item     struct {
		Kind    string `json:"type"`
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	} `json:"item"`
	Text    string `json:"text"`
	Channel string `json:"channel"`
	TS      string `json:"ts"`
	Thread  string `json:"thread_ts"`
	Bot     string `json:"bot_id"`
	// App is the app that wrote in somebody's name; people's own clients send none.
	App     string `json:"app_id"`
	EventTS string `json:"event_ts"`
	// UserTeam is the workspace of whoever wrote, where it is shared with others.
	UserTeam string `json:"user_team"`
	Edited   *struct {
		TS string `json:"ts"`
	} `json:"edited"`
}

// readEvent decodes what the Events API sends. e is empty for a challenge.
func readEvent(raw []byte) (o outer, e happened, err error) {
	if err := json.Unmarshal(raw, &o); err != nil {
		return outer{}, happened{}, errPayload
	}
	switch o.Kind {
	case outerChallenge:
		if o.Challenge == "" || len(o.Challenge) > maxChallenge {
			return outer{}, happened{}, errPayload
		}
		return o, happened{}, nil
	case outerLimited:
		return o, happened{}, nil
	case outerCallback:
	default:
		return outer{}, happened{}, errPayload
	}
	if !isAlnum(o.ID) || len(o.ID) > maxID || !optional(o.Team) || !optional(o.Enterprise) || !optional(o.App) {
		return outer{}, happened{}, errPayload
	}
	if err := json.Unmarshal(o.Event, &e); err != nil || e.Kind == "" {
		return outer{}, happened{}, errPayload
	}
	return o, e, e.check()
}

// check holds for events that are whole; those that we don't know are let
// through and left alone.
func (e *happened) check() error {
	ok := true
	switch e.Kind {
	case eventReacted, eventUnreacted:
		ok = isSlackID(e.User) && e.Reaction != "" && len(e.Reaction) <= maxEmoji && optional(e.ItemUser) &&
			(e.Item.Kind != "message" || isSlackID(e.Item.Channel) && isTS(e.Item.TS))
	case eventMention, eventMessage:
		// A subtype marks what is no plain message (edited, joined, …): it has
		// another shape, and is left alone.
		ok = e.Subtype != "" || optional(e.User) && isSlackID(e.Channel) && isTS(e.TS) && (e.Thread == "" || isTS(e.Thread)) &&
			fits(e.Text) && optional(e.UserTeam)
	}
	if !ok {
		return errPayload
	}
	return nil
}

// fits holds for what Slack lets a message say. What it escapes counts as it was
// typed.
func fits(text string) bool {
	return len(text) <= maxText || utf8.RuneCountInString(plain(text)) <= maxText
}

// byPerson holds for plain messages that a person typed.
func (e *happened) byPerson() bool {
	return e.Subtype == "" && e.Bot == "" && e.User != "" && e.Edited == nil
}

// emoji is the emoji's name without the skin tone that people choose.
func (e *happened) emoji() string {
	name, _, _ := strings.Cut(e.Reaction, "::")
	return name
}

// at is when a message was written.
func at(ts string) time.Time {
	whole, part, _ := strings.Cut(ts, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds > 1<<40 {
		return time.Time{}
	}
	micros, _ := strconv.ParseInt((part + "000000")[:6], 10, 64) // digits, as isTS says
	return time.Unix(seconds, micros*int64(time.Microsecond)).UTC()
}

// commandOf returns what follows the command word in a message; ok is false
// for a message that is none. A word that ends in a letter or digit is followed
// by a space ("belfry ack 42"), another one by a letter at once ("!ack 42").
func commandOf(word, message string) (text string, ok bool) {
	rest, ok := strings.CutPrefix(message, word)
	if !ok || word == "" {
		return "", false
	}
	next, _ := utf8.DecodeRuneInString(rest)
	if last, _ := utf8.DecodeLastRuneInString(word); unicode.IsLetter(last) || unicode.IsDigit(last) {
		return strings.TrimLeftFunc(rest, unicode.IsSpace), rest == "" || unicode.IsSpace(next)
	}
	return rest, unicode.IsLetter(next)
}

// mentioned returns what follows our own mention at the head of a message:
// "<@U012AB3CD> ack 42" or "<@U012AB3CD|belfry> ack 42".
func mentioned(me, message string) (text string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(message), "<@"+me)
	if !ok || me == "" {
		return "", false
	}
	label, rest, ok := strings.Cut(rest, ">")
	if !ok || label != "" && label[0] != '|' {
		return "", false
	}
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest), ":")), true
}
