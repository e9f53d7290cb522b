// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/chat/console"
	"belfry/store"
)

const (
	// beatEvery is how often a page hears that the connection stands, and how
	// often we look whether its person is still signed in.
	beatEvery = 25 * time.Second
	// writeWithin bounds one write to a page that does not read.
	writeWithin = 10 * time.Second
)

// stream is one page's live updates as server-sent events (WHATWG HTML,
// section 9.2): card {id, html}, gone {id}, head {html, archived}, elsewhere
// {channel, quiet}, beat, reload. Of channels that its person can't see it is told
// nothing.
// The id of an event is the room's position after it; a browser that comes
// back sends it as Last-Event-ID and misses nothing.
type stream struct {
	w       *Web
	rw      http.ResponseWriter
	control *http.ResponseController
	channel string
	actor   chat.Actor
}

// streamRoom serves GET /room/events?channel=…&after=….
func (w *Web) streamRoom(rw http.ResponseWriter, r *http.Request) {
	channel := r.URL.Query().Get("channel")
	if !console.ValidChannel(channel) {
		w.fail(rw, r, http.StatusBadRequest, "There is no such channel.")
		return
	}
	actor, _ := w.o.Room.Actor(r.Context())
	after := cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after"))
	sub, known, err := w.o.Room.Subscribe(after)
	if err != nil {
		rw.Header().Set("Retry-After", "30")
		w.fail(rw, r, http.StatusServiceUnavailable, err.Error())
		return
	}
	s := &stream{w: w, rw: rw, control: http.NewResponseController(rw), channel: channel, actor: actor}
	rw.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	rw.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	rw.WriteHeader(http.StatusOK)
	if !known {
		err = s.send("reload", "", struct{}{})
	} else {
		defer sub.Close()
		err = s.follow(r, sub)
	}
	if err != nil {
		w.log.DebugContext(r.Context(), "a page's live updates ended", "err", err)
	}
}

// follow passes changes on until the page or the server goes away.
func (s *stream) follow(r *http.Request, sub *console.Subscription) error {
	if err := s.send("beat", "", struct{}{}); err != nil {
		return err
	}
	beat := s.w.clock.After(beatEvery)
	for {
		select {
		case c, on := <-sub.Changes():
			if !on {
				return s.send("reload", "", struct{}{})
			}
			if err := s.pass(r.Context(), gather(c, sub.Changes())); err != nil {
				return err
			}
		case <-beat:
			if !s.w.stillSignedIn(r) {
				return s.send("reload", "", struct{}{})
			}
			if err := s.send("beat", "", struct{}{}); err != nil {
				return err
			}
			beat = s.w.clock.After(beatEvery)
		case <-s.w.stop:
			return nil
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
}

// gather takes what is waiting behind c: during a storm a card that changed
// ten times is rendered once.
func gather(c console.Change, more <-chan console.Change) []console.Change {
	type subject struct {
		channel string
		card    alert.ID
	}
	batch := []console.Change{c}
	at := map[subject]int{{c.Channel, c.Card}: 0}
	for {
		select {
		case next, on := <-more:
			if !on {
				return batch // follow sees the closed channel next
			}
			of := subject{next.Channel, next.Card}
			if i, again := at[of]; again {
				batch[i].Channel = "" // its later place counts, for the position's sake
			}
			at[of] = len(batch)
			batch = append(batch, next)
		default:
			return batch
		}
	}
}

func (s *stream) pass(ctx context.Context, batch []console.Change) error {
	sees, told := map[string]bool{}, map[string]bool{}
	for _, c := range batch {
		if c.Channel == "" {
			continue
		}
		if _, asked := sees[c.Channel]; !asked {
			may, err := s.w.o.Room.Sees(ctx, s.actor, c.Channel)
			if err != nil {
				return err // the page asks again from its last position
			}
			sees[c.Channel] = may
		}
		if !sees[c.Channel] {
			continue
		}
		var err error
		switch {
		case c.Channel == s.channel && c.Card == 0:
			err = s.sendHead(ctx, c)
		case c.Channel == s.channel:
			err = s.sendCard(ctx, c)
		case c.Card == 0:
			// The list may lack it; nothing was said in it.
			err = s.send("elsewhere", c.Position, map[string]string{"channel": c.Channel, "quiet": "yes"})
		case !told[c.Channel]:
			told[c.Channel] = true
			err = s.send("elsewhere", c.Position, map[string]string{"channel": c.Channel})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) sendCard(ctx context.Context, c console.Change) error {
	card, err := s.w.o.Room.Card(ctx, s.actor, c.Card)
	if errors.Is(err, console.ErrNoCard) {
		return s.send("gone", c.Position, map[string]string{"id": cardID(c)})
	}
	if err != nil {
		// The page asks again from its last position once the store answers.
		return err
	}
	html, err := cardHTML(card)
	if err != nil {
		return err
	}
	return s.send("card", c.Position, map[string]string{"id": cardID(c), "html": string(html)})
}

// sendHead tells what stands above the channel now. When it was archived or
// opened again, its cards change with it, so that the page is read anew.
func (s *stream) sendHead(ctx context.Context, c console.Change) error {
	head, err := s.w.o.Room.Head(ctx, s.actor, c.Channel)
	if err != nil {
		return err
	}
	html, err := headHTML(head)
	if err != nil {
		return err
	}
	data := map[string]string{"html": string(html)}
	if head.Archived {
		data["archived"] = "yes"
	}
	return s.send("head", c.Position, data)
}

// cardID is a text because JavaScript's numbers can't hold every id.
func cardID(c console.Change) string { return strconv.FormatInt(int64(c.Card), 10) }

func (s *stream) send(event, id string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	// A deadline of a socket is by the machine's clock, whatever ours says.
	if err := s.control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	if _, err := fmt.Fprintf(s.rw, "%sevent: %s\ndata: %s\n\n", id, event, body); err != nil {
		return err
	}
	return s.control.Flush()
}

// stillSignedIn looks whether the session of a long request still holds: its
// person may have signed out in another tab meanwhile.
func (w *Web) stillSignedIn(r *http.Request) bool {
	cookie, err := r.Cookie(w.sessions.Cookie.Name)
	if err != nil {
		return false
	}
	// A fresh context: the request's own carries the session as it was loaded.
	ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
	defer cancel()
	if ctx, err = w.sessions.Load(ctx, cookie.Value); err != nil {
		return true // the store does not answer just now; the next beat asks again
	}
	was := person(r.Context())
	if w.sessions.GetInt64(ctx, keyPerson) != int64(was.ID) { //nolint:contextcheck // see above
		return false
	}
	// The person may be gone, or signed out everywhere.
	now, err := w.o.Store.PersonByID(ctx, was.ID) //nolint:contextcheck // see above
	if errors.Is(err, store.ErrNotFound) {
		return false
	}
	return err != nil || now.Epoch == was.Epoch
}
