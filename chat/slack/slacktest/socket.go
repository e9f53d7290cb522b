// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// socket is one Socket Mode connection of the app.
type socket struct {
	conn *websocket.Conn
	// leaving connections were told to go and get nothing new.
	leaving bool
	done    chan struct{}
	cancel  context.CancelFunc

	mu      sync.Mutex
	waiting map[string]chan []byte // envelope id → its acknowledgement
	// deaf sockets lose their acknowledgements on the way.
	deaf bool
	acks int
}

func openConnection(q *request) reply {
	switch {
	case q.inbox.disabled:
		return refuse("socket_mode_disabled")
	case len(q.inbox.sockets) >= maxSockets:
		return refuse("too_many_websockets")
	}
	q.inbox.serial++
	ticket := fmt.Sprintf("ticket-%d", q.inbox.serial)
	q.inbox.tickets[ticket] = true
	return reply{"url": "ws://" + q.Addr() + "/link?ticket=" + ticket + "&app_id=" + AppID}
}

// link is the websocket.
func (s *Server) link(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	ticket := r.URL.Query().Get("ticket")
	good := s.inbox.tickets[ticket]
	delete(s.inbox.tickets, ticket) // once
	s.mu.Unlock()
	if !good {
		http.Error(w, "no such ticket", http.StatusUnauthorized)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &socket{conn: conn, done: make(chan struct{}), cancel: cancel, waiting: map[string]chan []byte{}}
	s.mu.Lock()
	n := len(s.inbox.sockets) + 1
	s.mu.Unlock()
	k.send(map[string]any{"type": "hello", "num_connections": n, "connection_info": map[string]any{"app_id": AppID},
		"debug_info": map[string]any{"host": "applink-1", "approximate_connection_time": 3600}})
	s.mu.Lock()
	s.inbox.sockets = append(s.inbox.sockets, k)
	s.mu.Unlock()
	s.listening.Lock()
	closing := s.closing
	s.listening.Unlock()
	go func() { // ends with the connection or the server
		select {
		case <-closing:
			_ = conn.CloseNow() // whatever state it is in
		case <-k.done:
		}
	}()
	s.read(ctx, k)
}

// read takes acknowledgements until the connection ends.
func (s *Server) read(ctx context.Context, k *socket) {
	defer func() {
		s.mu.Lock()
		s.inbox.sockets = slices.DeleteFunc(s.inbox.sockets, func(o *socket) bool { return o == k })
		s.mu.Unlock()
		close(k.done)
		k.cancel()
		_ = k.conn.CloseNow() // it is gone
	}()
	k.conn.SetReadLimit(1 << 20)
	for {
		_, raw, err := k.conn.Read(ctx)
		if err != nil {
			return
		}
		var ack struct {
			ID      string          `json:"envelope_id"`
			Payload json.RawMessage `json:"payload"`
		}
		if json.Unmarshal(raw, &ack) != nil || len(raw) >= maxSocketBack {
			continue // dropped without a word
		}
		k.mu.Lock()
		k.acks++
		to := k.waiting[ack.ID]
		delete(k.waiting, ack.ID)
		deaf := k.deaf
		k.mu.Unlock()
		if to != nil && !deaf {
			to <- ack.Payload
		}
	}
}

func (k *socket) send(v any) bool {
	raw, err := json.Marshal(v)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return k.conn.Write(ctx, websocket.MessageText, raw) == nil
}

// overSocket gives something to one of the connections, and waits for its
// acknowledgement.
func (s *Server) overSocket(kind string, payload map[string]any, answers bool, attempt int) Answered {
	s.mu.Lock()
	var able []*socket
	for _, k := range s.inbox.sockets {
		if !k.leaving {
			able = append(able, k)
		}
	}
	if len(able) == 0 {
		able = s.inbox.sockets
	}
	if len(able) == 0 {
		s.mu.Unlock()
		return Answered{Body: []byte("no active connection")}
	}
	s.inbox.turn++
	s.inbox.serial++
	k := able[s.inbox.turn%len(able)]
	id := fmt.Sprintf("%08x-4d35-4d0b-b6aa-3361493e1caf", s.inbox.serial)
	s.mu.Unlock()
	ctx, cancel := s.inTime()
	defer cancel()
	return k.give(ctx, id, kind, payload, answers, attempt)
}

func (k *socket) give(ctx context.Context, id, kind string, payload map[string]any, answers bool, attempt int) Answered {
	ack := make(chan []byte, 1)
	k.mu.Lock()
	k.waiting[id] = ack
	k.mu.Unlock()
	e := map[string]any{"envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": answers}
	if kind == "events_api" {
		e["retry_attempt"], e["retry_reason"] = attempt, ""
	}
	if !k.send(e) {
		return Answered{Body: []byte("the connection is gone")}
	}
	select {
	case body := <-ack:
		return Answered{Status: http.StatusOK, Body: body}
	case <-k.done:
		select {
		case body := <-ack: // it came before the end
			return Answered{Status: http.StatusOK, Body: body}
		default:
			return Answered{Body: []byte("the connection went away")}
		}
	case <-ctx.Done():
		return Answered{Body: []byte("operation_timeout")}
	}
}

// Twice gives an event or interaction to two connections, or to one twice, as
// Slack does where an acknowledgement was lost.
func (s *Server) Twice(kind string, payload map[string]any) {
	s.overSocket(kind, payload, kind != "events_api", 0)
	s.overSocket(kind, payload, kind != "events_api", 1)
}

// Sockets is how many Socket Mode connections the app has.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.inbox.sockets)
}

// WaitSockets waits until the app has n connections.
func (s *Server) WaitSockets(n int) {
	deadline := time.Now().Add(patience)
	for s.Sockets() != n {
		if time.Now().After(deadline) {
			s.fatalf("waited %v for %d Socket Mode connections; there are %d", patience, n, s.Sockets())
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// Refresh tells every connection that there are now to go, and why, as Slack
// does about once an hour; they are still open. It returns what closes them.
func (s *Server) Refresh(reason string) (end func()) {
	s.mu.Lock()
	old := slices.Clone(s.inbox.sockets)
	for _, k := range old {
		k.leaving = true
	}
	s.mu.Unlock()
	for _, k := range old {
		k.send(map[string]any{"type": "disconnect", "reason": reason, "debug_info": map[string]any{"host": "applink-1"}})
	}
	return func() {
		for _, k := range old {
			_ = k.conn.CloseNow() // it may be gone
			<-k.done
		}
	}
}

// Cut breaks all connections without a word.
func (s *Server) Cut() {
	s.mu.Lock()
	old := slices.Clone(s.inbox.sockets)
	s.mu.Unlock()
	for _, k := range old {
		_ = k.conn.CloseNow() // it may be gone
		<-k.done
	}
}

// DisableSocketMode switches it off in the app's settings, or on again.
func (s *Server) DisableSocketMode(off bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbox.disabled = off
}
