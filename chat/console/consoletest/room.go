// SPDX-License-Identifier: Apache-2.0

package consoletest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/console"
)

// Channel is the one channel of a Room.
const Channel = "ops"

// people are those who are signed in: Carol was, but no longer may.
var people = map[string]string{chattest.Alice: "11", chattest.Bob: "12"}

// Room is the built-in room as people see it.
type Room struct {
	Console *console.Room
	Storage *Storage

	t      testing.TB
	server *httptest.Server
}

var _ chattest.Room = (*Room)(nil)

// Open returns a room on a storage, whose presses go to r.
func Open(t testing.TB, storage console.Storage, r chat.Responder) *Room {
	t.Helper()
	faulty := &Storage{Storage: storage}
	c, err := console.Open(console.Options{Name: "room", Storage: faulty, Channels: []string{Channel}, URL: "https://belfry.example"})
	if err != nil {
		t.Fatal(err)
	}
	room := &Room{Console: c, Storage: faulty, t: t}
	handler := c.Handler(r)
	room.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		// What package web does with a session's cookie.
		if name := req.Header.Get("Test-Person"); people[name] != "" {
			req = req.WithContext(console.WithActor(req.Context(), people[name], name))
		}
		handler.ServeHTTP(w, req)
	}))
	t.Cleanup(room.server.Close)
	return room
}

// Card is a card as a person sees it.
type Card struct {
	chattest.Seen

	room   *Room
	person string
}

// Card returns the card whose title holds text, as Alice sees it. It fails the
// test when there is none or more than one.
func (r *Room) Card(text string) Card {
	r.t.Helper()
	var found []chattest.Seen
	for _, s := range r.Messages() {
		if title, _, _ := strings.Cut(s.Text, "\n"); strings.Contains(title, text) {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		r.t.Fatalf("%d cards have %q in their title, not one", len(found), text)
	}
	return Card{Seen: found[0], room: r, person: chattest.Alice}
}

// As returns the card as another person sees it.
func (c Card) As(person string) Card { c.person = person; return c }

// Click presses the button with this label.
func (c Card) Click(label string) chattest.Effect {
	c.room.t.Helper()
	return c.room.Press(c.person, c.Ref, label)
}

// Messages implements chattest.Room.
func (r *Room) Messages() []chattest.Seen {
	r.t.Helper()
	var cards []console.Card
	for before := alert.ID(0); ; {
		page, err := r.Console.Page(context.Background(), chat.Actor{}, Channel, before)
		if err != nil {
			r.t.Fatalf("can't read the room: %v", err)
		}
		cards = append(append(cards, page.Open...), page.Over...)
		if before = page.Older; before == 0 {
			break
		}
	}
	slices.SortFunc(cards, func(a, b console.Card) int { return cmp.Compare(a.ID, b.ID) })
	var list []chattest.Seen
	for _, c := range cards {
		list = append(list, r.seen(c))
	}
	return list
}

func (r *Room) render(c console.Card) *node {
	r.t.Helper()
	var b strings.Builder
	if err := console.WriteCard(&b, c); err != nil {
		r.t.Fatalf("can't render a card: %v", err)
	}
	page, err := parse(b.String())
	if err != nil {
		r.t.Fatal(err)
	}
	return page
}

func (r *Room) seen(c console.Card) chattest.Seen {
	r.t.Helper()
	page := r.render(c)
	s := page.seen()
	s.Ref = chat.Ref{Channel: c.Channel, Post: page.first(named("article")).attr["data-id"]}
	if bar := page.first(named("rect")); bar != nil {
		s.Color = bar.attr["fill"]
	}
	for _, b := range page.all(named("button")) {
		s.Buttons = append(s.Buttons, strings.TrimSpace(b.kids[0].text))
	}
	for _, li := range page.all(func(n *node) bool { return n.attr["data-note"] != "" }) {
		note := li.seen()
		note.Ref = chat.Ref{Channel: c.Channel, Post: li.attr["data-note"]}
		s.Thread = append(s.Thread, note)
	}
	return s
}

// Press implements chattest.Room.
func (r *Room) Press(person string, ref chat.Ref, label string) chattest.Effect {
	r.t.Helper()
	id, err := strconv.ParseInt(ref.Post, 10, 64)
	if err != nil {
		r.t.Fatalf("no message of the room: %+v", ref)
	}
	card, err := r.Console.Card(context.Background(), chat.Actor{}, alert.ID(id))
	if err != nil {
		r.t.Fatalf("can't read the card %d: %v", id, err)
	}
	form := r.render(card).first(named("form"))
	if form == nil {
		r.t.Fatalf("the card %d has no buttons", id)
	}
	for _, b := range form.all(named("button")) {
		if strings.TrimSpace(b.kids[0].text) == label {
			values := hidden(form)
			values.Set(b.attr["name"], b.attr["value"])
			return r.send(person, form.attr["action"], values)
		}
	}
	r.t.Fatalf("the card %d has no button %q", id, label)
	return chattest.Effect{}
}

// Delete implements chattest.Room.
func (r *Room) Delete(ref chat.Ref) {
	r.t.Helper()
	id, err := strconv.ParseInt(ref.Post, 10, 64)
	if err != nil {
		r.t.Fatalf("no message of the room: %+v", ref)
	}
	if err := r.Console.Delete(context.Background(), alert.ID(id)); err != nil {
		r.t.Fatalf("can't delete the card %d: %v", id, err)
	}
}

func hidden(form *node) url.Values {
	values := url.Values{}
	for _, i := range form.all(named("input")) {
		if i.attr["type"] == "hidden" {
			values.Set(i.attr["name"], i.attr["value"])
		}
	}
	return values
}

// send does what the page's script does with a form.
func (r *Room) send(person, action string, values url.Values) chattest.Effect {
	r.t.Helper()
	path, below := strings.CutPrefix(action, "/room")
	if !below {
		r.t.Fatalf("a form leads to %q", action)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.server.URL+path, strings.NewReader(values.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Test-Person", person)
	answer, err := r.server.Client().Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		r.t.Fatal(err)
	}
	var got struct{ Whisper, Form string }
	if err := json.Unmarshal(body, &got); err != nil {
		return chattest.Effect{Failed: string(body)}
	}
	effect := chattest.Effect{Whisper: got.Whisper}
	if got.Form != "" {
		effect.Form, effect.FieldErrors = r.form(person, got.Form)
	}
	return effect
}

// form reads a form from its HTML.
func (r *Room) form(person, html string) (*chattest.Form, map[string]string) {
	r.t.Helper()
	page, err := parse(html)
	if err != nil {
		r.t.Fatal(err)
	}
	form, wrong := page.first(named("form")), map[string]string{}
	left := hidden(form)
	f := &chattest.Form{Title: form.first(named("h2")).kids[0].text}
	if intro := form.first(func(n *node) bool { return n.name == "p" && n.attr["class"] == "" }); intro != nil {
		f.Intro = intro.kids[0].text
	}
	for _, p := range form.all(func(n *node) bool { return n.has("field") }) {
		label := p.first(named("label"))
		field := chattest.FormField{Label: strings.TrimSpace(label.kids[0].text), Optional: len(label.kids) > 1}
		input := p.first(func(n *node) bool { return n.name == "input" || n.name == "textarea" || n.name == "select" })
		if input.name == "select" {
			_, field.Several = input.attr["multiple"]
			var chosen []string
			for _, o := range input.all(named("option")) {
				if o.attr["value"] != "" {
					field.Options = append(field.Options, o.attr["value"])
				}
				if _, is := o.attr["selected"]; is {
					chosen = append(chosen, o.attr["value"])
				}
			}
			input.attr["value"] = strings.Join(chosen, ",")
		}
		field.Name, field.Value = strings.TrimPrefix(input.attr["name"], "v."), input.attr["value"]
		if input.name == "textarea" && len(input.kids) > 0 {
			// A browser drops the first line end of a textarea.
			field.Value = strings.TrimPrefix(input.kids[0].text, "\n")
		}
		if why := p.first(func(n *node) bool { return n.has("fault") }); why != nil {
			wrong[field.Name] = why.kids[0].text
		}
		if help := p.all(named("small")); len(help) > 0 && help[len(help)-1].attr["class"] == "help" {
			field.Help = help[len(help)-1].kids[0].text
		}
		left.Set("v."+field.Name, field.Value)
		f.Fields = append(f.Fields, field)
	}
	for _, b := range form.all(named("button")) {
		if b.attr["name"] == "" {
			f.SubmitLabel = b.kids[0].text
		}
	}
	f.Submit = func(values map[string]string) chattest.Effect {
		all := url.Values{}
		for name, v := range left {
			all[name] = v
		}
		for name, v := range values {
			all.Set("v."+name, strings.ReplaceAll(v, "\n", "\r\n")) // as browsers send them
			if slices.ContainsFunc(f.Fields, func(field chattest.FormField) bool { return field.Name == name && field.Several }) {
				all["v."+name] = strings.Split(v, ",")
			}
		}
		return r.send(person, form.attr["action"], all)
	}
	f.Cancel = func() chattest.Effect {
		all := hidden(form)
		all.Set("cancel", "1")
		return r.send(person, form.attr["action"], all)
	}
	if len(wrong) == 0 {
		wrong = nil
	}
	return f, wrong
}
