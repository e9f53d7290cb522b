// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"belfry/chat"

	"github.com/coder/websocket"
)

var _ chat.Listener = (*Platform)(nil)

// Limits of the websocket.
const (
	maxFrame   = 4 << 20 // a post may hold 16383 runes, its props 8000, escaped twice
	frameQueue = 64
)

// pace is how often and how long a listener waits.
type pace struct {
	// hello bounds how long the server may be silent after it took a
	// connection: a bad token gives 101 and then nothing.
	hello time.Duration
	// ping is how often the connection is tried. The answer is also the one
	// sign of a revoked token: the server leaves the connection open and silent.
	ping time.Duration
	// poll is how often a few cards are asked for their reactions, where the
	// websocket does not or did not tell.
	poll time.Duration
	// first and most bound the wait before the next attempt to connect.
	first, most time.Duration
	// again is how often what came too early is looked at again.
	again time.Duration
}

func usualPace() pace {
	return pace{hello: 10 * time.Second, ping: 30 * time.Second, poll: 10 * time.Second, first: time.Second, most: time.Minute, again: 500 * time.Millisecond}
}

// listener is one run of Listen.
type listener struct {
	*Platform
	commander chat.Commander // nil: typed words are left alone
	reactor   chat.Reactor   // nil: reactions are
	hearer    chat.Hearer    // nil: words in channels are
	recorder  chat.Recorder  // nil: marks on messages are
	responder chat.Responder
	// life ends with Listen: an answer is put together while connections come and go.
	life context.Context //nolint:containedctx // see there
	// hearing bounds how many words are answered at once, answering waits for them.
	hearing   chan struct{}
	answering sync.WaitGroup

	// connection is the server's name for our websocket, next the sequence
	// number that its next event has. With both it replays what was missed.
	connection string
	next       int64
	// seen is when the newest post was made that was looked at, in ms by the
	// server's clock; saved is what of it is on disk.
	seen, saved int64
	// began is since when this connection is listened to, see firstHeard.
	began int64
	// marks are marked messages that were taken, lookedForMarks is until when
	// they were looked for, in ms by the server's clock.
	marks          map[string]bool
	lookedForMarks int64
	// asking are the cards whose reactions are still to be asked for.
	asking []chat.Ref
	// early are reactions to what is not known as a card, yet.
	early []early
}

// Listen implements chat.Listener.
func (p *Platform) Listen(ctx context.Context, r chat.Responder) error {
	if !p.listens {
		return nil
	}
	l := &listener{Platform: p, responder: r, life: ctx, hearing: make(chan struct{}, atOnceHeard)}
	l.commander, _ = r.(chat.Commander)
	l.reactor, _ = r.(chat.Reactor)
	l.hearer, _ = r.(chat.Hearer)
	l.recorder, _ = r.(chat.Recorder)
	defer l.answering.Wait()
	wait, told := l.pace.first, ""
	for {
		established, err := l.session(ctx)
		l.save(context.WithoutCancel(ctx))
		if ctx.Err() != nil {
			return nil
		}
		if established {
			wait, told = l.pace.first, ""
		}
		if kind, _, _ := strings.Cut(errText(err), ":"); kind != told { // once, not at every attempt
			told = kind
			l.log.Warn("the websocket is lost; connecting again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.clock.After(wait/2 + rand.N(wait)): //nolint:gosec // jitter need not be secret
		}
		wait = min(2*wait, l.pace.most)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

var (
	errSilent  = errors.New("mattermost took the connection and said nothing; is the token still good?")
	errUnheard = errors.New("mattermost does not answer over the websocket any more")
	errNotUs   = errors.New("mattermost no longer knows the token of the websocket")
)

// session is one connection, from dialling to its loss. established says
// whether it ever worked.
func (l *listener) session(ctx context.Context) (established bool, err error) {
	if err := l.begin(ctx); err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	conn, err := l.dial(ctx)
	if err != nil {
		cancel()
		return false, err
	}
	frames, lost := make(chan frame, frameQueue), make(chan error, 1)
	var reading sync.WaitGroup
	reading.Go(func() { lost <- l.read(ctx, conn, frames) })
	defer func() {
		cancel()
		_ = conn.CloseNow() // it is gone or useless already
		reading.Wait()
	}()
	s := &session{listener: l, conn: conn, resumed: l.connection != "", quiet: l.clock.After(l.pace.hello)}
	if err := s.introduce(ctx); err != nil {
		return false, err
	}
	return s.run(ctx, frames, lost)
}

// begin makes sure that we know who we are and where we were.
func (l *listener) begin(ctx context.Context) error {
	if _, err := l.self(ctx); err != nil {
		return err
	}
	if l.seen > 0 {
		return nil
	}
	value, ok, err := l.memory.Setting(ctx, l.bookmark())
	if err != nil {
		return fmt.Errorf("can't read how far the channels were read: %w", err)
	}
	if l.began, err = l.firstHeard(ctx, ok); err != nil {
		return err
	}
	if ok {
		l.seen, _ = strconv.ParseInt(value, 10, 64) // what can't be read counts as nothing
		l.saved = l.seen
	}
	if l.seen <= 0 {
		l.seen = l.serverNow() // what was written before us is not for us
	}
	return nil
}

// serverNow is the time by the server's clock, in ms.
func (l *listener) serverNow() int64 {
	return l.clock.Now().Add(-time.Duration(l.client.behind.Load())).UnixMilli()
}

func (l *listener) dial(ctx context.Context) (*websocket.Conn, error) {
	auth, err := l.client.authorization(ctx)
	if err != nil {
		return nil, l.decide(err, reads, "open the websocket")
	}
	address := l.client.base + "/websocket"
	if l.connection != "" {
		address += "?connection_id=" + l.connection + "&sequence_number=" + strconv.FormatInt(l.next, 10)
	}
	ctx, cancel := context.WithTimeout(ctx, l.client.timeout)
	defer cancel()
	conn, res, err := websocket.Dial(ctx, address, &websocket.DialOptions{ //nolint:bodyclose // Dial closes the body itself, see its documentation
		HTTPClient: l.client.http,
		// Only with the token in the request a connection can be taken up again.
		HTTPHeader: http.Header{"Authorization": auth, "User-Agent": userAgent},
	})
	if err != nil {
		if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
			return nil, fmt.Errorf("mattermost, or what stands before it, answers the websocket with %s; a proxy must let /api/v4/websocket through", res.Status)
		}
		return nil, fmt.Errorf("can't open the websocket: %w", l.client.clean(err))
	}
	conn.SetReadLimit(maxFrame)
	return conn, nil
}

// read hands frames on until the connection ends. It waits while they are
// worked on: the server keeps what comes meanwhile.
func (l *listener) read(ctx context.Context, conn *websocket.Conn, out chan<- frame) error {
	for {
		_, raw, err := conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("the websocket ended: %w", l.client.clean(err))
		}
		f, ok := readFrame(raw)
		if !ok {
			continue
		}
		select {
		case out <- f:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// session is the state of one connection.
type session struct {
	*listener
	conn *websocket.Conn
	// requests counts what we asked; pinged is the ping that has no answer yet, or 0.
	requests, pinged int64
	// resumed is true until the server says that it begins anew.
	resumed     bool
	established bool
	// quiet fires when the first sign of life is overdue.
	quiet <-chan time.Time
}

type request struct {
	Seq    int64             `json:"seq"`
	Action string            `json:"action"`
	Data   map[string]string `json:"data,omitempty"`
}

func (s *session) ask(ctx context.Context, action string, data map[string]string) (int64, error) {
	s.requests++
	raw, err := json.Marshal(request{s.requests, action, data})
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.client.timeout)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, raw); err != nil {
		return 0, fmt.Errorf("can't write to the websocket: %w", s.client.clean(err))
	}
	return s.requests, nil
}

// introduce says who we are, for where a proxy took the token out of the
// request (a server that saw it there passes this over), and asks for a sign
// of life: a connection that was taken up again begins without a hello.
func (s *session) introduce(ctx context.Context) error {
	auth, err := s.client.authorization(ctx)
	if err != nil {
		return s.decide(err, reads, "open the websocket")
	}
	if _, err := s.ask(ctx, "authentication_challenge", map[string]string{"token": bearer(auth)}); err != nil {
		return err
	}
	return s.ping(ctx)
}

func (s *session) ping(ctx context.Context) (err error) {
	s.pinged, err = s.ask(ctx, "ping", nil)
	return err
}

// run works on what comes until the connection is lost.
func (s *session) run(ctx context.Context, frames <-chan frame, lost <-chan error) (bool, error) {
	pings, polls := s.clock.After(s.pace.ping), s.clock.After(s.pace.poll)
	var again <-chan time.Time // nil while nothing came too early
	for {
		if len(s.early) > 0 && again == nil {
			again = s.clock.After(s.pace.again)
		}
		var err error
		select {
		case <-ctx.Done():
			return s.established, ctx.Err()
		case <-again:
			again = nil
			err = s.tryEarly(ctx)
		case err = <-lost:
			err = s.drain(ctx, frames, err)
		case f := <-frames:
			err = s.frame(ctx, f)
		case <-s.quiet:
			s.connection = ""
			err = errSilent
		case <-pings:
			pings = s.clock.After(s.pace.ping)
			s.save(ctx)
			switch {
			case s.pinged == 0:
				err = s.ping(ctx)
			case len(frames) == 0: // else the answer may stand in the queue
				err = errUnheard
			}
		case <-polls:
			polls = s.clock.After(s.pace.poll)
			if s.established {
				s.pollReactions(ctx)
				s.pollMarks(ctx)
			}
		}
		if err != nil {
			return s.established, err
		}
	}
}

// drain works on what had arrived before the connection was lost.
func (s *session) drain(ctx context.Context, frames <-chan frame, lost error) error {
	for {
		select {
		case f := <-frames:
			if err := s.frame(ctx, f); err != nil {
				return err
			}
		default:
			return lost
		}
	}
}

// frame works on one frame. After an error the connection is given up, and
// what it told and nobody carried out is read again.
func (s *session) frame(ctx context.Context, f frame) error {
	if f.Event == "" {
		return s.answered(ctx, f)
	}
	if f.Event == eventHello {
		return s.hello(ctx, f)
	}
	s.quiet = nil // only who is known is told anything
	missed := s.connection != "" && f.Seq > s.next
	if err := s.event(ctx, f); err != nil {
		s.connection = "" // a replay would begin behind it
		return err
	}
	s.next = max(s.next, f.Seq+1)
	if missed {
		return s.readMissed(ctx)
	}
	return nil
}

// hello begins a connection: the server replays nothing.
func (s *session) hello(ctx context.Context, f frame) error {
	s.resumed = false
	s.connection, s.next = f.connection(), f.Seq+1
	s.works()
	return s.readMissed(ctx)
}

// readMissed reads what the connection did not and will not tell.
func (s *session) readMissed(ctx context.Context) error {
	err := s.catchUp(ctx)
	if err != nil {
		s.connection = "" // a replay would leave it out again
	}
	return err
}

// answered takes the answer to a request of ours.
func (s *session) answered(_ context.Context, f frame) error {
	switch {
	case f.Status == "OK" && f.Reply == s.pinged && s.pinged != 0:
		s.pinged = 0
		if s.resumed {
			s.works()
		}
	case f.Status != "OK":
		s.connection = ""
		s.client.expire()
		return errNotUs
	}
	return nil
}

func (s *session) works() {
	s.quiet = nil
	if !s.established {
		s.established = true
		s.log.Info("listening over the websocket")
	}
}

func (s *session) event(ctx context.Context, f frame) error {
	switch f.Event {
	case eventPosted:
		if post, ok := f.post(); ok {
			return s.heard(ctx, post)
		}
	case eventReacted:
		if r, channel, ok := f.reaction(); ok {
			ref := chat.Ref{Channel: channel, Post: r.Post}
			if err := s.reacted(ctx, r, ref); err != nil {
				return err
			}
			return s.marked(ctx, r, ref)
		}
	}
	return nil
}
