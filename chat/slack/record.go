// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"belfry/chat"
)

const (
	// maxNamed is how many people's names are looked up for one message.
	maxNamed = 10
	// namesWithin bounds how long that takes: a form must open within 3 s.
	namesWithin = 700 * time.Millisecond
	// around is how many messages are read to find one.
	around = "15"
)

// original is a message as history, threads and shortcuts show it.
type original struct {
	Kind    string `json:"type"`
	Subtype string `json:"subtype"`
	TS      string `json:"ts"`
	Thread  string `json:"thread_ts"`
	User    string `json:"user"`
	Bot     string `json:"bot_id"`
	// Username and Profile are what a program is called.
	Username string `json:"username"`
	Profile  struct {
		Name string `json:"name"`
	} `json:"bot_profile"`
	Text        string `json:"text"`
	Attachments []struct {
		Fallback string `json:"fallback"`
	} `json:"attachments"`
}

// said are the subtypes of messages that say something; what others mark
// (joined, renamed, pinned …) nobody wrote.
var said = []string{"", "bot_message", "file_share", "thread_broadcast", "me_message"}

// ok holds for a message that is whole.
func (w *original) ok() bool {
	return isTS(w.TS) && (w.Thread == "" || isTS(w.Thread)) && fits(w.Text) && optional(w.User) && optional(w.Bot)
}

var (
	// errUnsaid says that there is no such message, or nobody wrote it.
	errUnsaid = errors.New("there is no such message")
	errLate   = errors.New("it takes too long to keep a message; it is asked for again")
)

// marks returns what keeps the message that somebody put an emoji on; nil: the
// emoji means nothing, or the event is another.
func (p *Platform) marks(r chat.Responder, o outer, e happened) func(ctx context.Context) error {
	recorder, ok := r.(chat.Recorder)
	if !ok || e.Kind != eventReacted || e.Item.Kind != "message" {
		return nil
	}
	mark := recorder.MarkOf(e.emoji())
	if mark == "" {
		return nil
	}
	return func(ctx context.Context) error { return p.record(ctx, recorder, o, e, mark) }
}

// recording has a message kept before Slack is told that the event was taken:
// what fails comes again. It is not noted that it came, because whoever keeps
// the message knows what was kept.
func (p *Platform) recording(do func(ctx context.Context) error) error {
	kept := make(chan error, 1)
	ok := p.work.start(func(ctx context.Context) {
		var err error
		p.guarded(ctx, func(ctx context.Context) chat.Answer { err = do(ctx); return chat.Answer{} })
		kept <- err // nil where it broke down: it would again
	})
	if !ok {
		return errBusy
	}
	select {
	case err := <-kept:
		return err
	case <-p.clock.After(p.patience):
		return errLate
	}
}

// record keeps a message that somebody put an emoji on.
func (p *Platform) record(ctx context.Context, recorder chat.Recorder, o outer, e happened, mark string) error {
	me, err := p.self(ctx)
	if err != nil {
		return err
	}
	mine := e.ItemUser == me.UserID
	if e.User == me.UserID || mine && p.reactions[e.emoji()] != "" {
		return nil // ours, or on a card, where it means something else
	}
	ours, err := recorder.Records(ctx, p.name, e.Item.Channel)
	if !ours || err != nil {
		return err
	}
	to := whisperTo{user: e.User, channel: e.Item.Channel, thread: e.Item.TS}
	who, say := p.named(ctx, e.User, o.Team, o.Enterprise)
	if say != "" {
		p.whisper(ctx, to, chat.Answer{Whisper: say})
		return nil
	}
	m, err := p.message(ctx, e.Item.Channel, e.Item.TS)
	if errors.Is(err, errUnsaid) {
		return nil
	}
	if err != nil {
		return err
	}
	if m.Thread != "" {
		to.thread = m.Thread
	}
	a, err := chat.Recorded(ctx, recorder, chat.Marked{Actor: who, Mark: mark, Message: p.quoted(ctx, me, e.Item.Channel, m)}, p.log)
	if err != nil {
		return fmt.Errorf("can't keep a message that somebody marked: %w", err)
	}
	p.whisper(ctx, to, a)
	return nil
}

// message reads one message. A channel's history leaves threads out; asked for
// a message of a thread, conversations.replies returns that.
func (p *Platform) message(ctx context.Context, channel, ts string) (original, error) {
	for _, method := range []string{"conversations.history", "conversations.replies"} {
		args := url.Values{"channel": {channel}, "oldest": {ts}, "latest": {ts}, "inclusive": {"true"}, "limit": {around}}
		if method == "conversations.replies" {
			args.Set("ts", ts)
		}
		var got struct {
			Messages []original `json:"messages"`
		}
		err := p.read(ctx, method, args, "read a message in "+p.channelWord(channel), &got)
		if refusedAs(err, "thread_not_found") {
			return original{}, errUnsaid
		}
		if err != nil {
			return original{}, err
		}
		for _, m := range got.Messages {
			if m.TS != ts {
				continue
			}
			if !m.ok() || !slices.Contains(said, m.Subtype) {
				return original{}, errUnsaid
			}
			return m, nil
		}
	}
	return original{}, errUnsaid
}

// quoted is a message as it is kept.
func (p *Platform) quoted(ctx context.Context, me self, channel string, m original) chat.Quoted {
	q := chat.Quoted{Ref: chat.Ref{Channel: channel, Post: m.TS}, At: at(m.TS), Link: permalink(me.URL, channel, m.TS, m.Thread),
		Ours: m.User == me.UserID || m.Bot != "" && m.Bot == me.BotID, Text: plain(p.withNames(ctx, m.Text))}
	if m.Text == "" {
		for _, a := range m.Attachments {
			q.Text = strings.TrimSpace(q.Text + "\n" + plain(a.Fallback))
		}
	}
	q.Author = chat.Actor{Connection: p.name, Name: chat.CleanLine(cmp.Or(m.Username, m.Profile.Name, "a program"))}
	if m.Bot == "" && m.User != "" {
		who, err := p.Person(ctx, m.User)
		if err != nil { // who wrote it may have left
			who = chat.Actor{Connection: p.name, Name: "somebody"}
		}
		q.Author = who
	}
	return q
}

// permalink is the address of a message (docs.slack.dev, chat.getPermalink), or "".
func permalink(site, channel, ts, thread string) string {
	if safeURL(site) == "" {
		return ""
	}
	link := strings.TrimRight(site, "/") + "/archives/" + channel + "/p" + strings.Replace(ts, ".", "", 1)
	if thread != "" && thread != ts {
		link += "?thread_ts=" + thread + "&cid=" + channel
	}
	return link
}

// unnamed is a person in a message's text, with or without a label.
var unnamed = regexp.MustCompile(`<@([UW][A-Z0-9]+)(?:\|[^>]*)?>`)

// withNames puts people's names into a text in which Slack has their ids.
func (p *Platform) withNames(ctx context.Context, text string) string {
	ctx, cancel := context.WithTimeout(ctx, namesWithin)
	defer cancel()
	n := 0
	return unnamed.ReplaceAllStringFunc(text, func(found string) string {
		if n++; n > maxNamed {
			return found
		}
		id := unnamed.FindStringSubmatch(found)[1]
		who, err := p.Person(ctx, id)
		if err != nil {
			return found
		}
		return "<@" + id + "|" + escapes.Replace(who.Name) + ">"
	})
}

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "")
