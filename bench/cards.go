// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"belfry/chat/mattermost/mattermosttest"
)

const (
	// cardChannels are served by connections callers: each channel by one, so
	// that it is known in which order its alerts were taken.
	cardChannels = 128
	// cardsEach is how many alerts each channel gets.
	cardsEach  = 120
	cardsReach = 3000
	// plainEach is how many posts each of plainCallers sends to the fake alone.
	plainEach    = 800
	plainCallers = 16
)

// cards hands alerts over as fast as they are taken and waits until each has
// its card, in the order of its channel.
func (b *bench) cards(ctx context.Context) (out []row, err error) {
	names := make([]string, cardChannels)
	var routes strings.Builder
	for i := range names {
		names[i] = fmt.Sprintf("c%03d", i)
		fmt.Fprintf(&routes, "  - {match: ['host=\"web-%03d\"'], channels: [chat/%s]}\n", i, names[i])
	}
	chat, err := startChat(append([]string{"alerts"}, names...)...)
	if err != nil {
		return nil, err
	}
	defer chat.Close()
	p, err := b.belfry(ctx, "cards", chat.connection()+"sources: [{name: nagios, kind: nagios}]\nroutes:\n"+routes.String()+"default: {channels: [chat/alerts]}\n")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	s, err := storm(ctx, p, chat)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if err := inOrder(chat.Posts(name), i*cardsEach); err != nil {
			return nil, fmt.Errorf("channel %s: %w", name, err)
		}
	}
	plain, err := plainRate(ctx, chat)
	if err != nil {
		return nil, err
	}
	return []row{{
		figure: "one card per alert, as fast as alerts are taken", measured: fmt.Sprintf("%.0f cards/s", s.cards),
		floor: fmt.Sprintf("%.0f posts/s", plain), ratio: ratio(s.cards / plain), reach: fmt.Sprintf("≥ %d cards/s", cardsReach), ok: s.cards >= cardsReach,
		notes: []string{
			fmt.Sprintf("%d alerts into %d channels from %d connections, taken at %.0f/s; none lost, none twice, every channel in order",
				cardChannels*cardsEach, cardChannels, connections, s.taken),
			fmt.Sprintf("processor time of belfry serve for one alert and its card: %d µs; floor: the load generator posts the same card to the fake itself", s.each.Microseconds()),
		},
	}}, nil
}

// stormed is what a storm came to, in alerts and cards per second.
type stormed struct {
	taken, cards float64
	// each is the server's processor time for one.
	each time.Duration
}

func storm(ctx context.Context, p *process, chat *chatServer) (s stormed, err error) {
	const all = cardChannels * cardsEach
	token, err := p.token("nagios")
	if err != nil {
		return s, err
	}
	l, err := newLoad(p.url+"/intake/nagios", token, nagiosBody, connections)
	if err != nil {
		return s, err
	}
	defer l.close()
	var last arrival
	var lost error
	seen := make(chan struct{})
	spent, began := p.processor(), time.Now()
	go func() {
		defer close(seen)
		for range all {
			a, err := chat.next(ctx)
			if err != nil {
				lost = err
				return
			}
			last = a
		}
	}()
	err = l.each(func(i int, c *caller) error {
		for n := range cardsEach {
			for channel := i; channel < cardChannels; channel += connections {
				if err := c.do(channel*cardsEach+n, channel); err != nil {
					return err
				}
			}
		}
		return nil
	})
	s.taken = all / time.Since(began).Seconds()
	<-seen
	if err = errors.Join(err, lost); err != nil {
		return s, err
	}
	s.cards = all / last.at.Sub(began).Seconds()
	s.each = (p.processor() - spent) / all
	return s, nil
}

// inOrder wants one post for each of a channel's alerts, in the order in which
// they were taken; first is the number of the first.
func inOrder(posts []mattermosttest.Post, first int) error {
	for i, p := range posts {
		_, rest, ok := strings.Cut(string(p.Props), "disk-")
		n, err := strconv.Atoi(rest[:min(len(rest), len(numberMark))])
		if !ok || err != nil {
			return fmt.Errorf("the card at place %d shows no alert of ours: %.200s", i+1, p.Props)
		}
		if n != first+i {
			return fmt.Errorf("at place %d stands alert %d, not %d", i+1, n-first+1, i+1)
		}
	}
	if len(posts) != cardsEach {
		return fmt.Errorf("%d cards for %d alerts", len(posts), cardsEach)
	}
	return nil
}

// plainRate tells how many posts per second the fake takes from the load
// generator.
func plainRate(ctx context.Context, chat *chatServer) (float64, error) {
	like := chat.Posts("c000")[0]
	body := fmt.Sprintf(`{"channel_id":%q,"message":%q,"props":%s}`, like.ChannelID, like.Message, like.Props)
	l, err := newLoad(chat.URL()+"/api/v4/posts", chat.Token(), body, plainCallers)
	if err != nil {
		return 0, err
	}
	defer l.close()
	began := time.Now()
	err = l.each(func(_ int, c *caller) error {
		for range plainEach {
			if err := c.do(0, 0); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return plainCallers * plainEach / time.Since(began).Seconds(), err
}
