// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"context"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"belfry/chat"
	"belfry/config"
	"belfry/route"
)

// opener is a Spec that can be opened.
type opener interface {
	open(name string) (kind, error)
}

// Kinds returns the kinds of answers that a configuration may name.
func Kinds() map[string]func() config.Spec {
	return map[string]func() config.Spec{
		"query":    func() config.Spec { return new(Query) },
		"template": func() config.Spec { return new(Templated) },
		"http":     func() config.Spec { return new(HTTP) },
	}
}

// Query is an answer by what Belfry itself knows.
type Query struct {
	// Show is what is shown: "status" of an object at this moment, or "problems"
	// that are open.
	Show string `yaml:"show"`
	// About goes before what was typed: with "fridge1" nothing needs to be typed.
	About string `yaml:"about"`
}

// What a query shows.
const (
	showStatus   = "status"
	showProblems = "problems"
)

// Validate implements config.Spec.
func (c *Query) Validate() []error {
	var wrong []error
	if c.Show != "" && c.Show != showStatus && c.Show != showProblems {
		wrong = append(wrong, config.Wrong("show", "%q is neither %s (how an object stands at this moment) nor %s (what is open)", c.Show, showStatus, showProblems))
	}
	if utf8.RuneCountInString(c.About) > 200 {
		wrong = append(wrong, config.Wrong("about", "is longer than 200 letters"))
	}
	return wrong
}

func (c *Query) open(string) (kind, error) { return c, nil }
func (c *Query) close()                    {}

func (c *Query) answer(ctx context.Context, a *Answers, q question) (chat.Reply, error) {
	text := strings.TrimSpace(c.About + " " + q.rest)
	if c.Show == showProblems {
		return chat.Reply{Message: a.opt.Board.Problems(ctx, text)}, nil
	}
	return chat.Reply{Message: a.opt.Board.Live(ctx, text)}, nil
}

// Form is what answers with a template have in common.
type Form struct {
	// Text is the template, or File the file that holds it.
	Text string `yaml:"template"`
	File string `yaml:"template_file"`
	// Title and Color, both templates, put the answer into a box with a title
	// and a coloured side: "#rrggbb", good, warning or danger.
	Title string `yaml:"title"`
	Color string `yaml:"color"`
}

// maxTemplate bounds a template in bytes.
const maxTemplate = 32 << 10

func (f *Form) validate(add func(field, format string, args ...any)) {
	switch {
	case f.Text == "" && f.File == "":
		add("template", "is missing: what is said, with values in {{ }}, or template_file with a file that holds it")
	case f.Text != "" && f.File != "":
		add("template_file", "is given beside template; keep one of them")
	}
	for field, text := range map[string]string{"template": f.Text, "title": f.Title, "color": f.Color} {
		if len(text) > maxTemplate {
			add(field, "is longer than %d bytes", maxTemplate)
		} else if _, err := ParseTemplate(field, text); err != nil {
			add(field, "%v", err)
		}
	}
	if f.File != "" {
		if _, err := f.read("template_file"); err != nil {
			add("template_file", "%v", err)
		}
	}
}

// read returns the body's template.
func (f *Form) read(name string) (*Template, error) {
	text := f.Text
	if f.File != "" {
		info, err := os.Stat(f.File)
		if err == nil && info.Size() > maxTemplate {
			return nil, fmt.Errorf("%s is longer than %d bytes", f.File, maxTemplate)
		}
		raw, err := os.ReadFile(f.File)
		if err != nil {
			return nil, fmt.Errorf("can't be read: %w", err)
		}
		if text = string(raw); !utf8.ValidString(text) || strings.Contains(text, mark) {
			return nil, fmt.Errorf("%s is not plain text in UTF-8", f.File)
		}
	}
	return ParseTemplate(name, text)
}

// form is a Form that was read.
type form struct{ body, title, color *Template }

func (f *Form) open(name string) (out form, err error) {
	if out.body, err = f.read(name); err != nil {
		return form{}, err
	}
	if out.title, err = ParseTemplate(name, f.Title); err != nil {
		return form{}, err
	}
	out.color, err = ParseTemplate(name, f.Color)
	return out, err
}

// fill makes the reply.
func (f form) fill(ctx context.Context, data map[string]any) (r chat.Reply, err error) {
	if r.Body, err = f.body.Fill(ctx, data); err != nil {
		return chat.Reply{}, err
	}
	if r.Message.Title, err = f.title.FillText(ctx, data); err != nil {
		return chat.Reply{}, err
	}
	color, err := f.color.FillText(ctx, data)
	if err != nil {
		return chat.Reply{}, err
	}
	r.Message.Color = colorOf(color)
	if r.Message.Color == "" && r.Message.Title != "" {
		r.Message.Color = colorOf("#2f81b7")
	}
	r.Message.Summary = r.Message.Title
	if len(r.Body) == 0 && r.Message.Title == "" {
		return chat.Reply{}, troublef("The answer “%s” is empty.", f.body.name)
	}
	return r, nil
}

// colorOf reads a colour; what is none is left out.
func colorOf(word string) string {
	switch strings.ToLower(word) {
	case "good", "green", "ok":
		return "#3fa34d"
	case "warning", "yellow", "orange":
		return "#f0ad4e"
	case "danger", "red", "critical":
		return "#d9534f"
	}
	if len(word) == 7 && word[0] == '#' && strings.Trim(word[1:], "0123456789abcdefABCDEF") == "" {
		return word
	}
	return ""
}

// data is what every template can use: the question.
func (q question) data() map[string]any {
	words := make([]any, len(q.words))
	for i, w := range q.words {
		words[i] = w
	}
	return map[string]any{"word": q.word, "text": q.rest, "words": words, "person": q.Actor.Name, "channel": q.ChannelName, "connection": q.Actor.Connection}
}

// Templated is an answer made of open alerts.
type Templated struct {
	// Match are matchers on the alerts' labels; none: all of them.
	Match []string `yaml:"match"`
	Form  `yaml:",inline"`
}

// Validate implements config.Spec.
func (c *Templated) Validate() []error {
	var wrong []error
	for _, text := range c.Match {
		if _, err := route.ParseMatchers(text); err != nil {
			wrong = append(wrong, config.Wrong("match", "%v", err))
		}
	}
	c.validate(func(field, format string, args ...any) { wrong = append(wrong, config.Wrong(field, format, args...)) })
	return wrong
}

// templated is a Templated that was opened.
type templated struct {
	form
	matchers route.Matchers
}

func (c *Templated) open(name string) (kind, error) {
	f, err := c.Form.open(name)
	if err != nil {
		return nil, err
	}
	t := &templated{form: f}
	for _, text := range c.Match {
		ms, err := route.ParseMatchers(text)
		if err != nil {
			return nil, err
		}
		t.matchers = append(t.matchers, ms...)
	}
	return t, nil
}

func (t *templated) close() {}

func (t *templated) answer(ctx context.Context, a *Answers, q question) (chat.Reply, error) {
	data := q.data()
	if err := a.alerts(ctx, t.matchers, data); err != nil {
		return chat.Reply{}, err
	}
	return t.fill(ctx, data)
}
