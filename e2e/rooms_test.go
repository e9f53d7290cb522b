// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/chat/slack/slacktest"
)

// roomed is what people see of an incident's channels on a platform.
type roomed struct {
	// channels are all whose names begin as the incident's; of the first are
	// the members, the pinned messages and the topic.
	channels, members, pins []string
	topic                   string
	links                   int
	archived                bool
	// cards are the texts in the channel, announced those where incidents are
	// announced.
	cards, announced []string
	// card is the id of the first of cards.
	card string
}

// platform is a chat on which incidents get channels.
type platform struct {
	*saboteur
	// config connects Belfry to it; address tells it where Belfry is.
	config  string
	address func(d *desk)
	// types has alice type a line after the incidents' command.
	types func(line string)
	look  func(number int) roomed
	// links is how many a channel gets: in Mattermost only with a licence.
	links int
	alice string
	// calm is how long nothing is called when all is done.
	calm time.Duration
	// made, invited, pinned and shut are parts of the calls that do so.
	made, invited, pinned, shut string
}

const roomSettings = `
incidents:
  announce: [chat/alerts]
  channel: {on: [chat], invite: {always: [chat/@bob]}, archive: 1m}
`

func mattermostRooms(t *testing.T) *platform {
	m := mattermosttest.Start(t)
	m.AddChannel("alerts")
	s := sabotage(t, m.URL())
	token := m.AddCommand("incident", "http://not.yet.example/")
	return &platform{
		saboteur: s, alice: m.User("alice").ID, made: "POST /api/v4/channels", invited: "/members", pinned: "/pin",
		shut: "DELETE /api/v4/channels/",
		config: fmt.Sprintf("connections:\n  - {name: chat, kind: mattermost, url: %q, token: %q, team: %s, timeout: 2s, command_tokens: [%q]}\ndefault: {channels: [chat/alerts]}\n",
			s.URL, m.Token(), mattermosttest.Team, token) + roomSettings,
		address: func(d *desk) { m.MoveCommand("incident", d.url()+"/chat/chat/command") },
		types:   func(line string) { m.Type("alice", "alerts", "/incident "+line) },
		look: func(number int) roomed {
			return looked(number, m.ChannelNames(), func(channel string) []*mattermosttest.Card { return m.Room(channel).Cards() }, mattermosttest.Visible, func(channel string, r *roomed) {
				ch, members, pins, links := m.Look(channel)
				r.members, r.pins, r.links = slices.Collect(maps.Keys(members)), pins, len(links)
				r.topic, r.archived = mattermosttest.Read(ch.Header).Text, ch.DeleteAt != 0
			})
		},
	}
}

func slackRooms(t *testing.T) *platform {
	w := slacktest.Start(t)
	w.AddChannel("alerts")
	s := sabotage(t, w.URL())
	return &platform{
		saboteur: s, alice: w.UserID("alice"), links: 2, made: "conversations.create", invited: "conversations.invite", pinned: "pins.add",
		shut: "conversations.archive",
		config: fmt.Sprintf("connections:\n  - {name: chat, kind: slack, url: %q, token: %q, signing_secret: %q, timeout: 2s}\ndefault: {channels: [chat/alerts]}\n",
			s.URL, w.Token(), w.SigningSecret()) + roomSettings,
		address: func(d *desk) { w.CallAt(d.url() + "/chat/chat") },
		types:   func(line string) { w.Type("alice", "alerts", "/incident "+line) },
		look: func(number int) roomed {
			return looked(number, w.ChannelNames(), func(channel string) []*slacktest.Card { return w.Room(channel).Cards() }, slacktest.Visible, func(channel string, r *roomed) {
				ch := w.Look(channel)
				r.members, r.pins, r.links = slices.Collect(maps.Keys(ch.Members)), ch.Pins, len(ch.Bookmarks)
				r.topic, r.archived = ch.Topic, ch.Archived
			})
		},
	}
}

// looked is what people see of an incident: its channels are among names, and
// state adds what the first of them is like.
func looked[C interface {
	ID() string
	Text() string
	Shows(text string) bool
}](number int, names []string, cards func(channel string) []C, visible func(string) string, state func(channel string, r *roomed)) (r roomed) {
	r.channels = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, fmt.Sprintf("inc-%d-", number)) })
	for _, c := range cards("alerts") {
		if c.Shows(fmt.Sprintf("#%d trouble %d", number, number)) {
			r.announced = append(r.announced, visible(c.Text()))
		}
	}
	if len(r.channels) == 0 {
		return r
	}
	state(r.channels[0], &r)
	for _, c := range cards(r.channels[0]) {
		r.cards = append(r.cards, visible(c.Text()))
		r.card = c.ID()
	}
	return r
}

// mostCalls bounds how many calls an incident's channel may take: none is
// without end.
const mostCalls = 60

const killing = "killed after the call"

// whateverFails runs a test on each platform with each way in which a call to it
// can go wrong. config may alter the configuration.
func whateverFails(t *testing.T, config func(string) string, test func(t *testing.T, p *platform, d *desk, name string, wrong fault)) {
	t.Helper()
	for on, start := range map[string]func(t *testing.T) *platform{"mattermost": mattermostRooms, "slack": slackRooms} {
		for name, wrong := range map[string]func(*desk) fault{
			"too many":           func(*desk) fault { return limited },
			"bad gateway":        func(*desk) fault { return broken },
			"its answer is lost": func(*desk) fault { return lost },
			killing:              killedAfter,
		} {
			t.Run(on+"/"+name, func(t *testing.T) {
				t.Parallel()
				p := start(t)
				d := serve(t, config(p.config))
				p.address(d)
				test(t, p, d, name, wrong(d))
			})
		}
	}
}

// TestOneChannelWhateverFails declares incidents, and lets another call go wrong
// with each: the first with the first incident, and so on until none is left.
// Every time there is one channel with everything in it in the end, and what
// came in which order is right.
func TestOneChannelWhateverFails(t *testing.T) {
	t.Parallel()
	asItIs := func(config string) string { return config }
	whateverFails(t, asItIs, func(t *testing.T, p *platform, d *desk, name string, wrong fault) {
		if p.calm = calm; name == "too many" {
			p.calm = longCalm
		}
		p.types("new SEV1 trouble 1")
		p.stands(t, d, 1) // and what Belfry looks at after its start is over
		for number := 2; number <= mostCalls; number++ {
			p.order(number-2, wrong)
			p.types(fmt.Sprintf("new SEV1 trouble %d", number))
			p.stands(t, d, number)
			if !p.struck() {
				t.Logf("%d calls went wrong in turn", number-2)
				return
			}
		}
		t.Errorf("more than %d calls are made for one incident", mostCalls)
	})
}

// killedAfter kills Belfry as soon as the chat carried the call out, and starts
// it again.
func killedAfter(d *desk) fault {
	return func(w http.ResponseWriter, pass func(http.ResponseWriter)) {
		if d.starting.Load() {
			pass(w)
			return
		}
		pass(discard{})
		_ = d.cmd.Process.Kill()
		panic(http.ErrAbortHandler)
	}
}

// again starts Belfry when it was killed, and says whether it did.
func (d *desk) again() bool {
	select {
	case <-d.ended:
		d.cmd = nil
		d.start()
		return true
	default:
		return false
	}
}

// discard is an answer that nobody gets.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// calm is how long Belfry calls nobody when it is done: longer than its first
// back-off. Where the chat asked for a wait it is longer than that.
const (
	calm     = 800 * time.Millisecond
	longCalm = 1300 * time.Millisecond
)

// stands waits until an incident's channel is complete, and wants it once.
func (p *platform) stands(t *testing.T, d *desk, number int) {
	t.Helper()
	var quietSince time.Time
	calls := -1
	complete := func(r roomed) bool {
		return len(r.channels) == 1 && len(r.cards) == 1 && len(r.announced) == 1 && slices.Contains(r.pins, r.card) && strings.Contains(r.topic, fmt.Sprintf("trouble %d", number)) && r.links == p.links &&
			len(r.members) >= 3 && slices.Contains(r.members, p.alice) && strings.Contains(r.announced[0], "Channel: ")
	}
	var r roomed
	until(t, fmt.Sprintf("the channel of #%d", number), func() bool {
		if d.again() {
			quietSince = time.Now()
		}
		if n := len(p.calls()); n != calls {
			calls, quietSince = n, time.Now()
		}
		// Belfry has nothing left to do when it calls no more.
		if time.Since(quietSince) <= p.calm {
			return false
		}
		r = p.look(number)
		// On a machine that stood still for a moment the last call may have been
		// carried out meanwhile, and would be noted as the next incident's.
		n, ok := p.finished()
		return ok && n == calls && complete(r)
	})
	if want := fmt.Sprintf("inc-%d-trouble-%d", number, number); r.channels[0] != want {
		t.Errorf("the channel is called %q", r.channels[0])
	}
	made, invited, pinned := -1, -1, -1
	for n, call := range p.calls() {
		switch {
		case strings.HasSuffix(call, p.made) && made < 0:
			made = n
		case strings.Contains(call, p.invited) && invited < 0:
			invited = n
		case strings.Contains(call, p.pinned) && pinned < 0:
			pinned = n
		}
	}
	if number > 1 && (made < 0 || invited < made || pinned < made) {
		t.Errorf("#%d: made %d, invited %d, pinned %d in %q", number, made, invited, pinned, p.calls())
	}
}
