// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"belfry/chat/mattermost/mattermosttest"
)

const clickSamples = 300

// core is as much of a Nagios as a click meets: it reads its command pipe,
// shows in its status file what it was told, and notifies of it.
type core struct {
	pipe, status string
	file         *os.File
	lines        chan line
}

// line is a command as it came out of the pipe.
type line struct {
	at   time.Time
	text string
}

func startCore(dir string) (*core, error) {
	c := &core{pipe: filepath.Join(dir, "nagios.cmd"), status: filepath.Join(dir, "status.dat"), lines: make(chan line, 16)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := syscall.Mkfifo(c.pipe, 0o600); err != nil {
		return nil, fmt.Errorf("can't make a command pipe: %w", err)
	}
	var err error
	// Open for reading and writing, as Nagios does: it does not end when a
	// writer leaves.
	if c.file, err = os.OpenFile(c.pipe, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.lines)
		for in := bufio.NewScanner(c.file); in.Scan(); {
			c.lines <- line{time.Now(), in.Text()}
		}
	}()
	return c, c.show("", false)
}

func (c *core) close() { _ = c.file.Close() }

// next waits for a command.
func (c *core) next(ctx context.Context) (line, error) {
	select {
	case l := <-c.lines:
		return l, nil
	case <-ctx.Done():
		return line{}, ctx.Err()
	case <-time.After(patience):
		return line{}, errors.New("waited in vain for a line in the command pipe")
	}
}

// show writes status.dat whole, as Nagios does.
func (c *core) show(service string, acknowledged bool) error {
	now := time.Now().Unix()
	var b strings.Builder
	fmt.Fprintf(&b, "info {\n\tcreated=%d\n\tversion=4.4.6\n\t}\n\nprogramstatus {\n\tnagios_pid=1\n\t}\n\n", now)
	if service != "" {
		flag := 0
		if acknowledged {
			flag = 1
		}
		fmt.Fprintf(&b, "servicestatus {\n\thost_name=web-000\n\tservice_description=%s\n\tcurrent_state=2\n\tstate_type=1\n"+
			"\tproblem_has_been_acknowledged=%d\n\tacknowledgement_type=%d\n\tlast_update=%d\n\t}\n", service, flag, flag*2, now)
	}
	if err := os.WriteFile(c.status+".new", []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(c.status+".new", c.status)
}

// acknowledgementBody is what Nagios has belfry notify say of a command that
// it carried out, recoveryBody that the problem is over.
var (
	acknowledgementBody = strings.NewReplacer(`"PROBLEM"`, `"ACKNOWLEDGEMENT"`, `"contact"`, `"ackauthor":"alice","ackcomment":"acknowledged in chat","contact"`).Replace(nagiosBody)
	recoveryBody        = strings.NewReplacer(`"PROBLEM"`, `"RECOVERY"`, `"CRITICAL"`, `"OK"`).Replace(nagiosBody)
)

// click measures from the press of a button in the chat to the line in the
// command pipe, with nothing else going on.
func (b *bench) click(ctx context.Context) (out []row, err error) {
	chat, err := startChat("alerts")
	if err != nil {
		return nil, err
	}
	defer chat.Close()
	nagios, err := startCore(filepath.Join(b.dir, "core"))
	if err != nil {
		return nil, err
	}
	defer nagios.close()
	p, err := b.belfry(ctx, "click", chat.connection()+fmt.Sprintf(
		"sources: [{name: nagios, kind: nagios, command_pipe: %s, status_file: %s}]\ndefault: {channels: [chat/alerts]}\n", nagios.pipe, nagios.status))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	c := clicks{chat: chat, nagios: nagios}
	defer c.close()
	if err := c.connect(ctx, b, p); err != nil {
		return nil, err
	}
	var took, plain []time.Duration
	for i := range clickSamples + 10 {
		one, err := c.sample(ctx, i)
		if err != nil {
			return nil, err
		}
		bare, err := c.plain(ctx)
		if err != nil {
			return nil, err
		}
		if i >= 10 { // the first ones look up who alice is
			took, plain = append(took, one), append(plain, bare)
		}
	}
	return []row{latency("click → line in the command pipe, idle", took, plain, 5*time.Millisecond, 20*time.Millisecond,
		"from the moment the fake Mattermost is told of the click; floor: the same request to a handler that puts one row on disk and writes the line")}, nil
}

// clicks is what a sample needs.
type clicks struct {
	chat   *chatServer
	nagios *core
	// problem, acknowledged and recovered hand over.
	problem, acknowledged, recovered *load
	rows                             *rows
	handler                          *http.Server
	press                            *load
}

func (c *clicks) connect(ctx context.Context, b *bench, p *process) (err error) {
	token, err := p.token("nagios")
	if err != nil {
		return err
	}
	for _, l := range []struct {
		to   **load
		body string
	}{{&c.problem, nagiosBody}, {&c.acknowledged, acknowledgementBody}, {&c.recovered, recoveryBody}} {
		if *l.to, err = newLoad(p.url+"/intake/nagios", token, l.body, 1); err != nil {
			return err
		}
	}
	if c.rows, err = openRows(ctx, filepath.Join(b.dir, "plain-click.db")); err != nil {
		return err
	}
	return c.serve()
}

func (c *clicks) close() {
	for _, l := range []*load{c.problem, c.acknowledged, c.recovered, c.press} {
		if l != nil {
			l.close()
		}
	}
	if c.handler != nil {
		_ = c.handler.Close()
	}
	if c.rows != nil {
		_ = c.rows.close() // only a measure
	}
}

// sample is the life of one problem: its card, the click, what Nagios says to
// it, and its end.
func (c *clicks) sample(ctx context.Context, n int) (time.Duration, error) {
	if err := c.problem.callers[0].do(n, 0); err != nil {
		return 0, err
	}
	a, err := c.chat.next(ctx)
	if err != nil {
		return 0, err
	}
	time.Sleep(pause)
	service := fmt.Sprintf("disk-%08d", n)
	card := c.chat.Room("alerts").Card(service)
	if card.ID() != a.post.ID {
		return 0, errors.New("the card that arrived is not the one of the problem")
	}
	began := time.Now()
	if seen := card.ClickAs("alice", "Acknowledge"); seen.Failed != "" || seen.Whisper != "" {
		return 0, fmt.Errorf("the click was not taken: %s %s", seen.Failed, seen.Whisper)
	}
	l, err := c.nagios.next(ctx)
	if err != nil {
		return 0, err
	}
	if !strings.Contains(l.text, "ACKNOWLEDGE_SVC_PROBLEM;web-000;"+service+";") || !strings.Contains(l.text, ";alice;") {
		return 0, fmt.Errorf("the command pipe was told %q", l.text)
	}
	if err := c.nagios.show(service, true); err != nil {
		return 0, err
	}
	if err := c.acknowledged.callers[0].do(n, 0); err != nil {
		return 0, err
	}
	if err := c.recovered.callers[0].do(n, 0); err != nil {
		return 0, err
	}
	if err := c.settled(ctx, card); err != nil {
		return 0, err
	}
	return l.at.Sub(began), c.nagios.show("", false)
}

// settled waits until the card is green and the notes are said, and throws the
// card away so that the channel stays short.
func (c *clicks) settled(ctx context.Context, card *mattermosttest.Card) error {
	until := time.Now().Add(patience)
	for len(card.Buttons()) > 0 || len(card.Thread()) < 2 {
		if time.Now().After(until) || ctx.Err() != nil {
			return errors.New("waited in vain for the card to become green")
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(pause)
	for len(c.chat.arrived) > 0 {
		<-c.chat.arrived
	}
	c.chat.DeletePost(card.ID())
	return nil
}
