// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// deadQueue is how many events the server keeps to replay.
	deadQueue = 128
	// authWithin is how long a websocket may stay without a session.
	authWithin = 5 * time.Second
)

// sockets are the websockets that are open, or could be taken up again.
type sockets struct {
	all map[string]*socket // by connection id
	// muted: connections are taken and nothing is ever said on them.
	muted, noReactions bool
	dialled            int
}

// socket is a connection by the server's count: it outlives its TCP connection.
type socket struct {
	id    string
	user  *User
	token string
	next  int64 // the sequence number of the next event
	kept  []event
	live  *live // nil while nobody is connected
}

type event struct {
	seq int64
	raw []byte
}

// live is one TCP connection.
type live struct {
	conn *websocket.Conn
	out  chan []byte
	end  context.CancelFunc
}

// push hands a frame over; a reader that is too slow is cut off.
func (l *live) push(raw []byte) {
	select {
	case l.out <- raw:
	default:
		l.end()
	}
}

// MuteSockets makes the server take websockets and say nothing on them.
func (s *Server) MuteSockets(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets.muted = on
}

// HideReactions keeps reactions from the websocket, as servers from 11.10 on may.
func (s *Server) HideReactions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets.noReactions = true
}

// CutSockets breaks all websockets; those that were open can be taken up again.
func (s *Server) CutSockets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.sockets.all {
		if w.live != nil {
			w.live.end()
			w.live = nil
		}
	}
}

// ForgetSockets makes the server forget what it could replay, as after a restart.
func (s *Server) ForgetSockets() {
	s.CutSockets()
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sockets.all)
}

// Dialled returns how many websockets were opened so far.
func (s *Server) Dialled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sockets.dialled
}

// Listening returns how many websockets are open and have a session.
func (s *Server) Listening() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, w := range s.sockets.all {
		if w.live != nil {
			n++
		}
	}
	return n
}

// Repeat sends the last event of every websocket once more, as a replay that
// overlaps with what had arrived would.
func (s *Server) Repeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.sockets.all {
		if w.live != nil && len(w.kept) > 0 {
			w.live.push(w.kept[len(w.kept)-1].raw)
		}
	}
}

// publish sends an event to everybody in a channel. s.mu is held.
func (s *Server) publish(name string, data map[string]any, ch *Channel) {
	for _, w := range s.sockets.all {
		if ch.members[w.user.ID] && s.tokens[w.token] == w.user {
			w.send(name, data, ch.ID)
		}
	}
}

func (w *socket) send(name string, data map[string]any, channel string) {
	raw, err := json.Marshal(map[string]any{"event": name, "data": data, "seq": w.next,
		"broadcast": map[string]any{"omit_users": nil, "user_id": "", "channel_id": channel, "team_id": ""}})
	if err != nil {
		panic(err) // only our own types come here
	}
	w.kept = append(w.kept, event{w.next, raw})
	w.kept = w.kept[max(0, len(w.kept)-deadQueue):]
	w.next++
	if w.live != nil {
		w.live.push(raw)
	}
}

// posted tells of a new post. s.mu is held.
func (s *Server) posted(p *Post, ch *Channel) {
	if len(s.sockets.all) == 0 {
		return
	}
	shown := p.shown()
	raw, err := json.Marshal(shown)
	if err != nil {
		panic(err) // only our own types come here
	}
	s.publish("posted", map[string]any{"channel_type": ch.Type, "channel_name": ch.Name, "channel_display_name": ch.DisplayName,
		"post": string(raw), "sender_name": "@" + s.users[p.UserID].Username, "team_id": ch.TeamID}, ch)
}

// socket is GET /api/v4/websocket. A request with a session may name a
// connection to be taken up again; a token that is no good is taken all the
// same.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	s.listening.Lock()
	closing := s.closing
	s.listening.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	l := &live{conn: conn, out: make(chan []byte, 256), end: cancel}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	s.sockets.dialled++
	muted := s.sockets.muted
	s.mu.Unlock()
	c := &conversation{Server: s, live: l, muted: muted}
	if !muted {
		c.resume(token, r.URL.Query().Get("connection_id"), r.URL.Query().Get("sequence_number"))
	}
	var wg sync.WaitGroup
	wg.Go(func() { c.read(ctx); cancel() })
	auth := time.NewTimer(authWithin)
	defer auth.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-closing:
			cancel()
		case <-auth.C:
			if c.socket() == nil && !muted {
				cancel()
			}
		case raw := <-l.out:
			if conn.Write(ctx, websocket.MessageText, raw) != nil {
				cancel()
			}
		}
	}
	_ = conn.CloseNow() // it may be gone
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := c.mine; w != nil && w.live == l {
		w.live = nil
	}
}

// conversation is what one TCP connection does.
type conversation struct {
	*Server
	live  *live
	muted bool
	mine  *socket // guarded by mu
}

func (c *conversation) socket() *socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mine
}

// resume begins the conversation of a token's owner: where it left off if all
// since is still kept, without a hello then; else anew.
func (c *conversation) resume(token, id, number string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	user := c.tokens[token]
	if user == nil || user.DeleteAt != 0 {
		return
	}
	from, err := strconv.ParseInt(number, 10, 64)
	old := c.sockets.all[id]
	if err == nil && old != nil && old.user == user && from > 0 && from <= old.next && from >= old.next-int64(len(old.kept)) {
		if old.live != nil {
			old.live.end()
		}
		c.mine, old.live, old.token = old, c.live, token
		for _, e := range old.kept {
			if e.seq >= from {
				c.live.push(e.raw)
			}
		}
		return
	}
	if c.sockets.all == nil {
		c.sockets.all = map[string]*socket{}
	}
	w := &socket{id: newID(), user: user, token: token, live: c.live}
	c.sockets.all[w.id], c.mine = w, w
	w.send("hello", map[string]any{"server_version": version + ".5.37.0.hash.false", "connection_id": w.id}, "")
}

func (c *conversation) read(ctx context.Context) {
	for {
		_, raw, err := c.live.conn.Read(ctx)
		if err != nil {
			return
		}
		var ask struct {
			Seq    int64  `json:"seq"`
			Action string `json:"action"`
			Data   struct {
				Token string `json:"token"`
			} `json:"data"`
		}
		if json.Unmarshal(raw, &ask) != nil || c.muted {
			continue
		}
		reply := map[string]any{"status": "OK", "seq_reply": ask.Seq}
		if ask.Action == "authentication_challenge" {
			if c.socket() != nil {
				continue // passed over without an answer
			}
			if c.resume(ask.Data.Token, "", ""); c.socket() == nil {
				return // closed
			}
		} else if w := c.socket(); w == nil {
			continue // an answer would not reach who is not known
		} else if !c.known(w) {
			reply = map[string]any{"status": "FAIL", "seq_reply": ask.Seq,
				"error": fail(http.StatusUnauthorized, "api.web_socket_router.not_authenticated.app_error", "WebSocket connection is not authenticated. Please log in and try again.")}
		} else if ask.Action == "ping" {
			reply["data"] = map[string]any{"text": "pong"}
		}
		out, err := json.Marshal(reply)
		if err != nil {
			panic(err) // only our own types come here
		}
		c.live.push(out)
	}
}

func (c *conversation) known(w *socket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tokens[w.token] == w.user
}
