// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/store"
)

// Card is a message of the room with its notes, as people see it.
type Card struct {
	ID      alert.ID
	Channel string
	// Posted is when it was put up.
	Posted  time.Time
	Version int64
	Notes   []Note

	message chat.Message
	// frozen: its channel is archived, so that it can be read and not pressed.
	frozen bool
	// keeps: its channel is an incident's own, so that its messages can be kept.
	keeps bool
}

// Note is a message in a card's thread.
type Note struct {
	ID     alert.ID
	Posted time.Time

	message chat.Message
}

// ErrNoCard is returned for a card that is not there or was deleted.
var ErrNoCard = errors.New("there is no such card in the room")

// Page is one screen of a channel.
type Page struct {
	// Position belongs to what is shown: subscribe after it to miss nothing.
	Position string
	// Open are the cards whose problem is not over, Over the others; each
	// newest first.
	Open, Over []Card
	// Older is the id to ask for the next page with; 0: there is none.
	Older alert.ID
}

// pageSize is how many cards are on a page.
const pageSize = 100

// Page returns the newest cards older than before (0: the newest of all) of a
// channel that somebody can see, or ErrNoChannel.
func (r *Room) Page(ctx context.Context, actor chat.Actor, channel string, before alert.ID) (Page, error) {
	p := Page{Position: r.Position()}
	if err := r.check(ctx, actor, channel); err != nil {
		return p, err
	}
	list, err := r.storage.RoomMessages(ctx, channel, before, pageSize+1)
	if err != nil {
		return p, read("read", err)
	}
	if len(list) > pageSize {
		list = list[:pageSize]
		p.Older = list[len(list)-1].ID
	}
	cards, err := r.cards(ctx, list)
	if err != nil {
		return p, err
	}
	for _, c := range cards {
		if c.Open() {
			p.Open = append(p.Open, c)
		} else {
			p.Over = append(p.Over, c)
		}
	}
	return p, nil
}

// Card returns one card as it is now, or ErrNoCard: also for one in a channel
// that somebody can't see.
func (r *Room) Card(ctx context.Context, actor chat.Actor, id alert.ID) (Card, error) {
	m, err := r.storage.RoomMessage(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && (m.Deleted || m.Thread != 0) {
		return Card{}, ErrNoCard
	}
	if err != nil {
		return Card{}, read("read a card in", err)
	}
	switch sees, err := r.Sees(ctx, actor, m.Channel); {
	case err != nil:
		return Card{}, err
	case !sees:
		return Card{}, ErrNoCard
	}
	cards, err := r.cards(ctx, []store.RoomMessage{m})
	if err != nil {
		return Card{}, err
	}
	return cards[0], nil
}

// cards adds their notes to messages.
func (r *Room) cards(ctx context.Context, list []store.RoomMessage) ([]Card, error) {
	ids := make([]alert.ID, 0, len(list))
	for _, m := range list {
		ids = append(ids, m.ID)
	}
	threads, err := r.storage.RoomThreads(ctx, ids...)
	if err != nil {
		return nil, read("read the notes in", err)
	}
	cards, frozen, keeps, channel := make([]Card, 0, len(list)), false, false, ""
	for _, m := range list {
		if m.Channel != channel {
			channel = m.Channel
			if frozen, err = r.archived(ctx, channel); err != nil {
				return nil, read("look at a channel of", err)
			}
			keeps = !frozen && r.keeps(ctx, channel)
		}
		c := Card{ID: m.ID, Channel: m.Channel, Posted: m.CreatedAt, Version: m.Version, message: decode(m), frozen: frozen, keeps: keeps}
		for _, n := range threads[m.ID] {
			c.Notes = append(c.Notes, Note{ID: n.ID, Posted: n.CreatedAt, message: decode(n)})
		}
		cards = append(cards, c)
	}
	return cards, nil
}

// decode never fails: a message that can't be read (of a later Belfry, say) is
// shown as one that says so.
func decode(m store.RoomMessage) chat.Message {
	var body chat.Message
	if err := json.Unmarshal(m.Body, &body); err != nil {
		return chat.Message{Title: "A message that this Belfry can't read"}
	}
	return body
}

// Open says whether the card's problem is not over.
func (c Card) Open() bool { return c.message.Open || len(c.message.Buttons) > 0 }

// State is the monitoring system's word on the card.
func (c Card) State() string { return chat.CleanLine(c.message.State) }

//go:embed card.html
var files embed.FS

// templates are parsed when the first page is rendered, not when the program
// starts: `belfry notify` never needs them.
var templates = sync.OnceValues(func() (*template.Template, error) {
	return template.New("card.html").Funcs(template.FuncMap{
		"line":   chat.CleanLine,
		"text":   chat.Clean,
		"link":   safeLink,
		"tone":   tone,
		"color":  color,
		"handle": isHandle,
		"kept": func(id alert.ID, buttons []buttonView) any {
			return struct {
				ID      alert.ID
				Buttons []buttonView
			}{id, buttons}
		},
		"chosen": func(f chat.Field, option string) bool {
			chosen, _ := f.Chosen(f.Value)
			return slices.Contains(chosen, option)
		},
		"drawn": draw,
		"clock": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"empty": func(l chat.Line) bool { return strings.TrimSpace(l.Plain()) == "" },
	}).ParseFS(files, "card.html")
})

// WriteCard writes the card as a piece of HTML: one <article> with the id
// "card-<id>". Every text in it is shown literally.
func WriteCard(w io.Writer, c Card) error { return write(w, "card", c.view()) }

// WriteForm writes the form as a piece of HTML: one <form> without a frame.
func WriteForm(w io.Writer, f Form, wrong map[string]string) error {
	return write(w, "form", struct {
		Form
		Wrong map[string]string
	}{f, wrong})
}

func write(w io.Writer, name string, data any) error {
	t, err := templates()
	if err != nil {
		return err
	}
	return t.ExecuteTemplate(w, name, data)
}

// cardView is what the template sees. Buttons have no tokens in it, so that
// none can end up on a page.
type cardView struct {
	ID      alert.ID
	Posted  time.Time
	Version int64
	Open    bool
	chat.Message
	Buttons []buttonView
	Notes   []noteView
	// Keep are the buttons that keep the card, or a note of it.
	Keep []buttonView
}

type buttonView struct{ Action, Label, Style string }

type noteView struct {
	ID     alert.ID
	Posted time.Time
	chat.Message
}

func (c Card) view() cardView {
	v := cardView{ID: c.ID, Posted: c.Posted, Version: c.Version, Open: c.Open(), Message: c.message}
	v.Message.Buttons = nil
	for _, b := range c.message.Buttons {
		if c.frozen {
			break
		}
		v.Buttons = append(v.Buttons, buttonView{b.Action, b.Label, string(b.Style)})
	}
	if c.keeps {
		for _, k := range keeping {
			v.Keep = append(v.Keep, buttonView{Action: keepAction + k.Mark, Label: k.Label})
		}
	}
	for _, n := range c.Notes {
		n.message.Buttons = nil
		v.Notes = append(v.Notes, noteView{n.ID, n.Posted, n.message})
	}
	return v
}

// safeLink returns link if it is an http or https URL with a host, else "".
func safeLink(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || chat.CleanLine(link) != link {
		return ""
	}
	return u.String()
}

// color returns c if it is "#rrggbb", else "".
func color(c string) string {
	if _, _, _, ok := rgb(c); ok {
		return c
	}
	return ""
}

// drawing is an icon as the room draws it: a disc, and a stroke in it.
type drawing struct{ Fill, Path string }

// draw returns the drawing of an icon that Belfry uses itself, nil for others.
func draw(icon string) *drawing {
	switch icon {
	case "🔴":
		return &drawing{Fill: "#d0021b"}
	case "🟠":
		return &drawing{Fill: "#f5871f"}
	case "🟡":
		return &drawing{Fill: "#f2b90d"}
	case "🟢":
		return &drawing{Fill: "#1fa34a"}
	case "🔵":
		return &drawing{Fill: "#2f6fd0"}
	case "⚪":
		return &drawing{Fill: "#9aa1a9"}
	case "✅":
		return &drawing{Fill: "#1fa34a", Path: "M4.500 8.300 7 10.800 11.500 5.600"}
	case "👀": // an eye
		return &drawing{Fill: "#4a6785", Path: "M3.400 8c3-4.400 6.200-4.400 9.200 0-3 4.400-6.200 4.400-9.200 0M7 8h2"}
	case "🔧": // a pause
		return &drawing{Fill: "#2f6fd0", Path: "M6.200 4.800v6.400M9.800 4.800v6.400"}
	case "🔁": // up and down
		return &drawing{Fill: "#2f6fd0", Path: "M3.500 9.800 6.300 5.800 9.500 10.200 12.400 6.200"}
	case "🔎": // a magnifying glass
		return &drawing{Fill: "#2f6fd0", Path: "M5 6.800a2.200 2.200 0 1 1 4.400 0 2.200 2.200 0 1 1-4.400 0M8.900 8.800 11.400 11.300"}
	case "🚨": // an exclamation mark
		return &drawing{Fill: "#d0021b", Path: "M8 4v5M8 11v1.200"}
	case "🩹": // a plus
		return &drawing{Fill: "#f5871f", Path: "M8 4.600v6.800M4.600 8h6.800"}
	case "🚫": // a slash
		return &drawing{Fill: "#9aa1a9", Path: "M4.800 11.200 11.200 4.800"}
	case "🔒": // a bar
		return &drawing{Fill: "#4a6785", Path: "M4.600 8h6.800"}
	case "💬": // lines of text
		return &drawing{Fill: "#2f6fd0", Path: "M4.300 6.200h7.400M4.300 9.800h4.700"}
	}
	return nil
}

// tone sorts a colour into the ones for which the style sheet has a badge that
// can be read on light and on dark ground.
func tone(c string) string {
	r, g, b, ok := rgb(c)
	high, low := max(r, g, b), min(r, g, b)
	switch {
	case !ok || high-low < 48:
		return "grey"
	case r == high && g > r/2:
		return "amber"
	case r == high:
		return "red"
	case g == high:
		return "green"
	}
	return "blue"
}

func rgb(c string) (r, g, b int, ok bool) {
	if len(c) != 7 || c[0] != '#' {
		return 0, 0, 0, false
	}
	var v [3]int
	for i := range v {
		for _, digit := range []byte(c[1+2*i : 3+2*i]) {
			n := strings.IndexByte("0123456789abcdef", digit|0x20)
			if n < 0 || digit < '0' {
				return 0, 0, 0, false
			}
			v[i] = v[i]*16 + n
		}
	}
	return v[0], v[1], v[2], true
}
