// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"belfry/chat/mattermost/mattermosttest"
)

const (
	postSamples = 400
	// pause lets everything that follows from a sample come to its end.
	pause = 10 * time.Millisecond
	// patience is how long a sample may take before it counts as lost.
	patience = 10 * time.Second
)

// chatServer is a fake Mattermost that tells when posts arrive.
type chatServer struct {
	*mattermosttest.Server
	arrived chan arrival
}

type arrival struct {
	at   time.Time
	post mattermosttest.Post
}

func startChat(channels ...string) (*chatServer, error) {
	c := &chatServer{arrived: make(chan arrival, 1<<16)}
	var err error
	c.Server, err = mattermosttest.New(mattermosttest.Options{OnPost: func(_ time.Time, p *mattermosttest.Post) {
		c.arrived <- arrival{time.Now(), *p}
	}})
	if err != nil {
		return nil, err
	}
	for _, name := range channels {
		c.AddChannel(name)
	}
	return c, nil
}

// next waits for a post.
func (c *chatServer) next(ctx context.Context) (arrival, error) {
	select {
	case a := <-c.arrived:
		return a, nil
	case <-ctx.Done():
		return arrival{}, ctx.Err()
	case <-time.After(patience):
		return arrival{}, errors.New("waited in vain for a post")
	}
}

// connection is the part of a configuration that leads to c.
func (c *chatServer) connection() string {
	return fmt.Sprintf("connections: [{name: chat, kind: mattermost, url: %q, token: %s, team: %s}]\n", c.URL(), c.Token(), mattermosttest.Team)
}

// post measures from the answer that an alert is stored to its post in the
// channel, with nothing else going on.
func (b *bench) post(ctx context.Context) (out []row, err error) {
	chat, err := startChat("alerts")
	if err != nil {
		return nil, err
	}
	defer chat.Close()
	p, err := b.belfry(ctx, "post", chat.connection()+"sources: [{name: nagios, kind: nagios}]\ndefault: {channels: [chat/alerts]}\n")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	token, err := p.token("nagios")
	if err != nil {
		return nil, err
	}
	l, err := newLoad(p.url+"/intake/nagios", token, nagiosBody, 1)
	if err != nil {
		return nil, err
	}
	defer l.close()
	floor, err := b.plainPost(ctx, chat)
	if err != nil {
		return nil, err
	}
	defer floor.close()
	var after, whole, plain []time.Duration
	for i := range postSamples + 20 {
		began := time.Now()
		if err := l.callers[0].do(i, 0); err != nil {
			return nil, err
		}
		accepted := time.Now()
		a, err := chat.next(ctx)
		if err != nil {
			return nil, err
		}
		time.Sleep(pause)
		bare, err := floor.sample(ctx, a.post)
		if err != nil {
			return nil, err
		}
		time.Sleep(pause)
		if i >= 20 { // the first ones open connections and look up the channel
			after, whole, plain = append(after, a.at.Sub(accepted)), append(whole, a.at.Sub(began)), append(plain, bare)
		}
	}
	return []row{latency("alert accepted → post arrives, idle", after, plain, 3*time.Millisecond, 15*time.Millisecond,
		"belfry serve as a process of its own, the fake Mattermost in the benchmark; floor: one row on disk, then the same post",
		fmt.Sprintf("from the first byte of the hand-over: p50 %s, p99 %s", ms(quantile(whole, 0.50)), ms(quantile(whole, 0.99))))}, nil
}

// plainPost is what can't be done without: what is to be sent is on disk
// before it is sent, and then it is sent.
type plainPost struct {
	rows   *rows
	chat   *chatServer
	client *http.Client
}

func (b *bench) plainPost(ctx context.Context, chat *chatServer) (*plainPost, error) {
	r, err := openRows(ctx, filepath.Join(b.dir, "plain-post.db"))
	if err != nil {
		return nil, err
	}
	return &plainPost{rows: r, chat: chat, client: &http.Client{Timeout: patience}}, nil
}

func (f *plainPost) close() {
	f.client.CloseIdleConnections()
	_ = f.rows.close() // only a measure
}

// sample posts p once more, as new.
func (f *plainPost) sample(ctx context.Context, p mattermosttest.Post) (time.Duration, error) {
	body := fmt.Appendf(nil, `{"channel_id":%q,"message":%q,"props":%s}`, p.ChannelID, p.Message, p.Props)
	began := time.Now()
	if err := f.rows.insert(string(body)); err != nil {
		return 0, err
	}
	if err := postTo(ctx, f.client, f.chat, body); err != nil {
		return 0, err
	}
	a, err := f.chat.next(ctx)
	return a.at.Sub(began), err
}

// postTo is the plainest way to post.
func postTo(ctx context.Context, client *http.Client, chat *chatServer, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, chat.URL()+"/api/v4/posts", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+chat.Token())
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	if err == nil && res.StatusCode != http.StatusCreated {
		err = fmt.Errorf("the chat did not take a plain post: %s", res.Status)
	}
	return errors.Join(err, res.Body.Close())
}
