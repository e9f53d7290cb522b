// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"

	"belfry/chat"

	"github.com/coder/websocket"
)

var _ chat.Listener = (*Platform)(nil)

// Limits of the socket.
const (
	maxFrame = 2 << 20
	// maxSockets is how many connections Slack allows an app.
	maxSockets = 10
)

// tempo is how often and how long a listener waits.
type tempo struct {
	// hello bounds how long a new connection may be silent.
	hello time.Duration
	// ping is how often a connection is tried, pong how long an answer may take.
	ping, pong time.Duration
	// linger is how long a connection that Slack will end is still read after
	// another one took its place.
	linger time.Duration
	// first and most bound the wait before the next attempt to connect.
	first, most time.Duration
}

func usualTempo() tempo {
	return tempo{hello: 10 * time.Second, ping: 20 * time.Second, pong: 10 * time.Second, linger: 10 * time.Second,
		first: time.Second, most: time.Minute}
}

// Listen implements chat.Listener: Socket Mode. Belfry opens the connections,
// so nothing needs to be reachable. There are several side by side: Slack gives
// each envelope to one of them, and ends each about every hour.
func (p *Platform) Listen(ctx context.Context, r chat.Responder) error {
	if p.appToken == "" {
		return nil
	}
	var wg sync.WaitGroup
	for n := range p.sockets {
		wg.Go(func() { p.keep(ctx, r, n) })
	}
	wg.Wait()
	return nil
}

// keep keeps one connection open: a new one is made before the old one ends
// where Slack announces that, and after a while where it is lost.
func (p *Platform) keep(ctx context.Context, r chat.Responder, n int) {
	wait, told := p.tempo.first, ""
	var old sync.WaitGroup // connections that were announced to end
	defer old.Wait()
	for {
		s := &socket{Platform: p, responder: r, worked: make(chan struct{}), leaving: make(chan struct{}), ended: make(chan struct{})}
		old.Go(func() { s.run(ctx) })
		select {
		case <-s.ended:
		case <-s.leaving:
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case <-s.worked:
			if wait, told = p.tempo.first, ""; s.announced() {
				continue // at once: until the new one stands, the old one is read
			}
		default:
		}
		if kind, _, _ := strings.Cut(s.why(), ":"); kind != told { // once, not at every attempt
			told = kind
			p.log.Warn("a Socket Mode connection is lost; connecting again", "number", n+1, "why", s.why())
		}
		if s.hopeless() {
			wait = p.tempo.most
		}
		select {
		case <-ctx.Done():
			return
		case <-p.clock.After(wait/2 + rand.N(wait)): //nolint:gosec // jitter need not be secret
		}
		wait = min(2*wait, p.tempo.most)
	}
}

// socket is one connection.
type socket struct {
	*Platform
	responder chat.Responder
	conn      *websocket.Conn
	writing   sync.Mutex
	// worked is closed when Slack greeted us, leaving when it announced that it
	// ends the connection, ended when it is over.
	worked, leaving, ended chan struct{}
	greeted, left          bool

	mu     sync.Mutex
	reason string
	lost   error
}

var (
	errSilent  = errors.New("slack took the connection and said nothing")
	errUnheard = errors.New("slack does not answer over the connection any more")
)

// run is the connection from its opening to its end.
func (s *socket) run(ctx context.Context) {
	defer close(s.ended)
	err := s.session(ctx)
	s.mu.Lock()
	s.lost = err
	s.mu.Unlock()
}

func (s *socket) why() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.reason == reasonDisabled:
		return "Socket Mode is switched off in the app's settings"
	case s.reason == reasonTooMany:
		return "the app has ten connections already, which is all that Slack allows"
	case s.reason != "":
		return "Slack ended it: " + s.reason
	case s.lost == nil:
		return "it ended"
	}
	return s.lost.Error()
}

// announced says whether Slack only wants the connection renewed.
func (s *socket) announced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason == reasonRefresh || s.reason == reasonWarning
}

// hopeless says whether connecting again soon will not help: somebody has to
// change something first.
func (s *socket) hopeless() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := errors.AsType[*refused](s.lost); ok {
		return socketAdvice[r.Code] != ""
	}
	return s.reason == reasonDisabled || s.reason == reasonTooMany
}

// session opens the connection and works on what comes until it ends.
func (s *socket) session(ctx context.Context) error {
	var opened struct {
		URL string `json:"url"`
	}
	if _, err := s.client.callAs(ctx, s.appToken, "apps.connections.open", url.Values{}, &opened); err != nil {
		return fmt.Errorf("can't open a Socket Mode connection: %w", s.socketFault(err))
	}
	conn, err := s.dial(ctx, opened.URL)
	if err != nil {
		return err
	}
	s.conn = conn
	// Reading outlives ctx: what is worked on when we are asked to stop is still
	// acknowledged, and a cancelled read would close the connection.
	open, cancel := context.WithCancel(context.WithoutCancel(ctx))
	lost := make(chan error, 1)
	frames := make(chan envelope)
	var reading sync.WaitGroup
	reading.Go(func() { lost <- s.read(open, frames) })
	defer func() {
		cancel()
		_ = conn.CloseNow() // it is gone or useless already
		reading.Wait()
	}()
	return s.serve(ctx, frames, lost)
}

// socketAdvice is what to do about the refusals of apps.connections.open.
var socketAdvice = map[string]string{ //nolint:gosec // words about tokens, no tokens
	"invalid_auth":           "slack doesn't take the app-level token (app_token_file)",
	"not_authed":             "slack doesn't take the app-level token (app_token_file)",
	"token_revoked":          "the app-level token (app_token_file) was revoked; make a new one",
	"account_inactive":       "the app of the app-level token (app_token_file) is gone or switched off",
	"not_allowed_token_type": "app_token_file must hold an app-level token (xapp-…)",
	"missing_scope":          "the app-level token needs the scope connections:write",
	"socket_mode_disabled":   "switch Socket Mode on in the app's settings",
	"forbidden_team":         "the workspace doesn't allow Socket Mode",
}

// socketFault says in plain words what keeps us from connecting.
func (p *Platform) socketFault(err error) error {
	if r, ok := errors.AsType[*refused](err); ok && socketAdvice[r.Code] != "" {
		return fmt.Errorf("%s: %w", socketAdvice[r.Code], r)
	}
	return err
}

func (s *socket) dial(ctx context.Context, address string) (*websocket.Conn, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "wss" && (u.Scheme != "ws" || !strings.HasPrefix(s.client.base, "http://")) {
		return nil, errors.New("slack gave no address for a Socket Mode connection")
	}
	ctx, cancel := context.WithTimeout(ctx, s.client.timeout)
	defer cancel()
	conn, res, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: s.client.http}) //nolint:bodyclose // Dial closes the body itself, see its documentation
	if err != nil {
		if res != nil {
			return nil, fmt.Errorf("slack, or what stands before it, answers the websocket with %s; a proxy must let websockets through", res.Status)
		}
		// The address holds a ticket that is as good as a secret.
		return nil, errors.New(strings.ReplaceAll(s.client.clean(err).Error(), u.RawQuery, "…"))
	}
	conn.SetReadLimit(maxFrame)
	return conn, nil
}

// read hands frames on until the connection ends.
func (s *socket) read(ctx context.Context, out chan<- envelope) error {
	for {
		_, raw, err := s.conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("the connection ended: %w", s.client.clean(err))
		}
		e, err := readEnvelope(raw)
		if err != nil {
			s.log.Warn("something came over Socket Mode that can't be read")
			continue
		}
		select {
		case out <- e:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// serve works on frames. Envelopes go side by side; when the connection ends,
// those that are worked on come to their end first.
func (s *socket) serve(ctx context.Context, frames <-chan envelope, lost <-chan error) error {
	var working sync.WaitGroup
	defer working.Wait()
	quiet, pings := s.clock.After(s.tempo.hello), s.clock.After(s.tempo.ping)
	var over <-chan time.Time // set when Slack said that it ends the connection
	pong := make(chan error, 1)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-lost:
			return err
		case <-over:
			return nil
		case <-quiet:
			return errSilent
		case <-pings:
			working.Go(func() { s.ping(ctx, pong) })
		case err := <-pong:
			if err != nil {
				return errUnheard
			}
			pings = s.clock.After(s.tempo.ping)
		case e := <-frames:
			switch e.Kind {
			case frameHello:
				quiet = nil
				s.hello()
			case frameDisconnect:
				quiet = nil
				over = s.leave(e.Reason)
			default:
				working.Go(func() { s.envelope(ctx, e) })
			}
		}
	}
}

// ping tries the connection: one that is half dead takes and says nothing.
func (s *socket) ping(ctx context.Context, pong chan<- error) {
	ctx, cancel := context.WithTimeout(ctx, s.tempo.pong)
	defer cancel()
	pong <- s.conn.Ping(ctx)
}

func (s *socket) hello() {
	if !s.greeted {
		s.greeted = true
		close(s.worked)
		s.log.Info("listening over Socket Mode")
	}
}

// leave notes that Slack ends the connection, and returns when we do so
// ourselves: until then what still comes is taken.
func (s *socket) leave(reason string) <-chan time.Time {
	s.mu.Lock()
	s.reason = reason
	s.mu.Unlock()
	over := s.clock.After(s.tempo.linger) // before anybody learns of it: the new connection must not outrun it
	if !s.left {
		s.left = true
		close(s.leaving)
	}
	return over
}

// envelope works on one envelope and acknowledges it within 3 s. What can't be
// taken is not acknowledged: Slack shows people a failure then, and gives
// events to another connection.
func (s *socket) envelope(ctx context.Context, e envelope) {
	answer, err := s.take(context.WithoutCancel(ctx), e)
	switch {
	case errors.Is(err, errPayload):
		s.log.Warn("an envelope of Slack's can't be read; nothing was done", "kind", e.Kind)
	case err != nil:
		s.log.Warn("an envelope of Slack's can't be taken now", "kind", e.Kind, "err", err)
		return
	}
	if err := s.ack(e, answer); err != nil {
		s.log.Warn("can't acknowledge an envelope", "kind", e.Kind, "err", s.client.clean(err))
	}
}

// take has an envelope's content carried out, once: Slack may give one to two
// connections where an acknowledgement was lost.
func (s *socket) take(ctx context.Context, e envelope) (any, error) {
	switch e.Kind {
	case frameEvents:
		o, happened, err := readEvent(e.Payload)
		if err != nil {
			return nil, err
		}
		return nil, s.event(ctx, s.responder, o, happened)
	case frameInteractive:
		i, err := decodeInteraction(e.Payload)
		if err != nil {
			return nil, err
		}
		first, err := s.first(ctx, e, i.Trigger)
		if err != nil || !first {
			return nil, err
		}
		return s.interact(s.responder, i)
	case frameCommands:
		t, err := decodeTyped(e.Payload)
		if err != nil {
			return nil, err
		}
		first, err := s.first(ctx, e, t.Trigger)
		if err != nil || !first {
			return nil, err
		}
		return s.typedLine(s.responder, t)
	}
	return nil, nil // a kind of later days
}

// first notes that something was taken. A trigger belongs to one press; the
// envelope's id stands in where none came along.
func (s *socket) first(ctx context.Context, e envelope, trigger string) (bool, error) {
	what := "trigger " + trigger
	if trigger == "" {
		what = "envelope " + e.ID
	}
	return s.once(ctx, what, eventKept)
}

// ack answers an envelope. An answer that is too long for the socket is left
// to the caller's other ways.
func (s *socket) ack(e envelope, answer any) error {
	a := ack{ID: e.ID}
	if e.AcceptsAnswer {
		a.Payload = answer
	}
	raw, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if len(raw) > maxAck {
		s.respondInstead(e, answer)
		if raw, err = json.Marshal(ack{ID: e.ID}); err != nil {
			return err
		}
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, raw)
}

// respondInstead sends a command's answer by its response_url.
func (s *socket) respondInstead(e envelope, answer any) {
	reply, ok := answer.(commandReply)
	t, err := decodeTyped(e.Payload)
	if !ok || err != nil || !s.mayRespond(t.Response) {
		s.log.Warn("an answer is too long for Socket Mode")
		return
	}
	s.later(func(ctx context.Context) {
		if err := s.respond(ctx, t.Response, reply.shown); err != nil {
			s.log.Warn("can't answer by response_url", "err", err)
		}
	})
}
