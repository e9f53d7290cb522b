// SPDX-License-Identifier: Apache-2.0

package consoletest

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"belfry/chat"
	"belfry/chat/chattest"
)

// node is an element of a page, or a text (name empty).
type node struct {
	name string
	attr map[string]string
	text string
	kids []*node
}

// parse reads the HTML that the room's templates make. It is stricter than a
// browser: what is not well-formed fails.
func parse(html string) (*node, error) {
	d := xml.NewDecoder(strings.NewReader(html))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	root := &node{}
	open := []*node{root}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(open) == 1 {
			return root, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the page is no well-formed HTML: %w\n%s", err, html)
		}
		top := open[len(open)-1]
		switch x := token.(type) {
		case xml.StartElement:
			n := &node{name: x.Name.Local, attr: map[string]string{}}
			for _, a := range x.Attr {
				n.attr[a.Name.Local] = a.Value
			}
			top.kids = append(top.kids, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.kids = append(top.kids, &node{text: string(x)})
		case xml.Comment:
			top.kids = append(top.kids, &node{name: "comment", text: string(x)})
		}
	}
}

func (n *node) has(class string) bool {
	return slices.Contains(strings.Fields(n.attr["class"]), class)
}

// all returns the elements below n for which is holds, in order.
func (n *node) all(is func(*node) bool) []*node {
	var found []*node
	for _, k := range n.kids {
		if k.name != "" && is(k) {
			found = append(found, k)
		}
		found = append(found, k.all(is)...)
	}
	return found
}

func (n *node) first(is func(*node) bool) *node {
	if found := n.all(is); len(found) > 0 {
		return found[0]
	}
	return nil
}

func named(name string) func(*node) bool { return func(n *node) bool { return n.name == name } }

// skipped are the parts of a card that are not its own text.
func skipped(n *node) bool { return n.name == "form" || n.name == "svg" || n.has("thread") }

var blocks = []string{"p", "pre", "h2", "h3", "header", "div", "li", "ol", "article", "label", "span", "th", "td"}

// read returns what is read in n, blocks on lines of their own.
func (n *node) read() string {
	if n.name == "" {
		text := n.text
		for _, k := range n.kids {
			text += k.read()
		}
		return text
	}
	if skipped(n) {
		return ""
	}
	var b strings.Builder
	for _, k := range n.kids {
		b.WriteString(k.read())
	}
	if slices.Contains(blocks, n.name) && n.name != "span" {
		return b.String() + "\n"
	}
	return b.String()
}

// plain are the elements that show text without a look of its own.
var plain = []string{"article", "div", "header", "p", "time", "a", "li", "ol", "summary", "thead", "tbody", "tr", "th", "td"}

// seen is a message as a person sees it.
func (n *node) seen() chattest.Seen {
	s := chattest.Seen{Text: strings.TrimSpace(n.read())}
	n.look(&s)
	return s
}

func (n *node) look(s *chattest.Seen) {
	for _, k := range n.kids {
		if k.name == "" || skipped(k) {
			continue
		}
		text := strings.TrimSpace(k.read())
		switch {
		case k.name == "a":
			s.Links = append(s.Links, k.attr["href"])
		case k.has("mention"):
			s.Rings = append(s.Rings, strings.TrimPrefix(text, "@"))
		case k.has("priority"):
			s.Priority = chat.Priority(text)
		case k.has("quiet"):
			s.Looks = append(s.Looks, "icon: "+text)
		case k.name == "span":
			s.Looks = append(s.Looks, k.attr["class"]+": "+text)
		case k.name == "b":
			s.Looks = append(s.Looks, "bold: "+text)
		case k.name == "pre":
			s.Looks = append(s.Looks, "code: "+text)
		case k.name == "h3":
			s.Looks = append(s.Looks, "heading: "+text)
		case !slices.Contains(plain, k.name):
			s.Looks = append(s.Looks, k.name+": "+text)
		}
		k.look(s)
	}
}
