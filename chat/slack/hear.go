// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"belfry/chat"
	"belfry/fault"
	"belfry/seal"

	"golang.org/x/time/rate"
)

const (
	// atOnceHeard is how many words are answered side by side: endpoints may be
	// slow, and presses must not wait for them.
	atOnceHeard = 16
	// regretsEvery is how often people are told that their words found no
	// answer, after the first ten: a program with a person's account might
	// answer to that, too.
	regretsEvery = 30 * time.Minute
)

const sayDeaf = "Belfry has too much to answer at this moment. Please ask again."

// ears are what answering to words takes.
type ears struct {
	slots   chan struct{}
	regrets *rate.Limiter
}

func newEars() ears {
	return ears{slots: make(chan struct{}, atOnceHeard), regrets: rate.NewLimiter(rate.Every(regretsEvery), 10)}
}

// overhears is what a message that is no command asks us to do: its first word
// may have an answer. nil: nothing. Only what a person typed is heard; what
// apps write in somebody's name carries their id.
func (p *Platform) overhears(r chat.Responder, o outer, e happened) func(ctx context.Context) {
	hearer, ok := r.(chat.Hearer)
	if !ok || e.Kind != eventMessage || e.App != "" {
		return nil
	}
	text := plain(e.Text)
	if !hearer.Hears(p.name, text) {
		return nil
	}
	return func(ctx context.Context) { p.answerTo(ctx, hearer, o, e, text) }
}

// answerTo answers a message that begins with a word of ours, for everybody in
// the channel. What was said too long ago is left alone.
func (p *Platform) answerTo(ctx context.Context, hearer chat.Hearer, o outer, e happened, text string) {
	if p.clock.Now().Sub(at(e.TS)) > goodFor {
		p.log.Warn("a word was heard of too late and is not answered")
		return
	}
	select {
	case p.ears.slots <- struct{}{}:
		defer func() { <-p.ears.slots }()
	default:
		p.regret(ctx, e, sayDeaf)
		return
	}
	who, say := p.named(ctx, e.User, o.Team, o.Enterprise)
	if say == sayUnknown {
		p.regret(ctx, e, say)
	}
	if say != "" {
		return // bots and strangers are told nothing
	}
	h := chat.Heard{Actor: who, Channel: e.Channel, ChannelName: p.channelName(ctx, e.Channel), Text: text}
	if e.Thread != "" {
		h.Thread = &chat.Ref{Channel: e.Channel, Post: e.Thread}
	}
	within, cancel := context.WithTimeout(ctx, chat.HearWithin)
	reply := hearer.Hear(within, h)
	cancel()
	if reply == nil {
		return
	}
	if err := p.reply(ctx, e, *reply); err != nil {
		p.log.Warn("can't answer to a word", "err", err)
	}
}

// regret tells somebody that nothing is answered, where only they see it, and
// not for ever.
func (p *Platform) regret(ctx context.Context, e happened, say string) {
	if p.ears.regrets.AllowN(p.clock.Now(), 1) {
		p.whisper(ctx, whisperTo{user: e.User, channel: e.Channel, thread: e.Thread}, chat.Answer{Whisper: say})
	}
}

// channelName is the name that configuration gives a channel, its id where it
// can't be read.
func (p *Platform) channelName(ctx context.Context, id string) string {
	if name, ok := p.lately(id); ok {
		return name
	}
	var got struct {
		Channel listed `json:"channel"`
	}
	err := p.read(ctx, "conversations.info", url.Values{"channel": {id}}, "look at a channel", &got)
	if err != nil || got.Channel.Name == "" {
		p.log.Warn("can't read the name of a channel where somebody asks", "channel", id, "err", err)
		return p.channelWord(id)
	}
	p.remember(id, got.Channel.Name)
	return got.Channel.Name
}

// lately returns a channel's name as a list that is not too old has it.
func (p *Platform) lately(id string) (string, bool) {
	c := p.channels
	c.mu.Lock()
	defer c.mu.Unlock()
	name, ok := c.names[id]
	return name, ok && p.clock.Now().Sub(c.read) < listKept
}

// reply puts an answer up, once: after an outcome that nobody knows it is not
// repeated. What Slack surely did not take is tried again, without another
// name where the app may not choose one, or when Slack asked to wait.
func (p *Platform) reply(ctx context.Context, e happened, r chat.Reply) error {
	thread := ""
	if r.Comment {
		if thread = e.Thread; thread == "" {
			thread = e.TS
		}
	}
	made, err := renderReply(r)
	if err != nil {
		return err
	}
	args, err := made.keyed(seal.Random())
	if err != nil {
		return err
	}
	p.customize(args)
	named := p.sign(ctx, args, r)
	for {
		err = p.put(ctx, e.Channel, thread, args)
		decided, after := fault.Of(err)
		switch {
		case err == nil:
			return nil
		case named && refusedAs(err, "missing_scope"):
			p.log.Warn("an answer is shown under the app's own name: the scope chat:write.customize is not granted")
			named = false
			unsign(args)
			continue
		case decided != fault.RetryAfter:
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-p.clock.After(after):
		}
	}
}

// sign gives an answer the name and picture that its configuration wants, if
// the app may choose them; named says whether it was done.
func (p *Platform) sign(ctx context.Context, args url.Values, r chat.Reply) (named bool) {
	if r.Username == "" && r.IconURL == "" {
		return false
	}
	if me, err := p.self(ctx); err == nil && len(me.Scopes) > 0 && !slices.Contains(me.Scopes, "chat:write.customize") {
		return false
	}
	if r.Username != "" {
		args.Set("username", chat.CleanLine(r.Username))
	}
	if r.IconURL != "" {
		args.Set("icon_url", r.IconURL)
		args.Del("icon_emoji")
	}
	return true
}

func unsign(args url.Values) {
	for _, name := range []string{"username", "icon_url", "icon_emoji"} {
		args.Del(name)
	}
}

// put posts once.
func (p *Platform) put(ctx context.Context, channel, thread string, args url.Values) error {
	o, doing := chat.Post{Channel: p.channelWord(channel)}, "answer in "+p.channelWord(channel)
	if thread != "" {
		o.Thread = &chat.Ref{Channel: channel, Post: thread}
		args.Set("thread_ts", thread)
	}
	args.Set("channel", channel)
	_, err := p.deliver(ctx, o, channel, args, doing)
	return err
}
