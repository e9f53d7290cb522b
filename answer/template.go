// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"belfry/chat"
)

// Limits of what a template makes. A post of Mattermost holds 16383 letters.
const (
	maxMarkup = 16 << 10 // bytes of the administrator's own text
	maxParts  = 3000
	maxValues = 64 << 10 // bytes of all values
	maxValue  = 4000     // letters of one value
	// maxSteps bounds rounds of loops and uses of templates, so that whatever an
	// endpoint sends, filling a template comes to an end.
	maxSteps = 20_000
)

// Template is a text with actions in Go's text/template, made safe: only the
// functions of functions.go are there, every value goes through show and so
// reaches the platform as a value, and every loop counts its rounds.
type Template struct {
	name string
	tree *template.Template
}

// ParseTemplate reads a template. Errors say the line and what to write instead.
func ParseTemplate(name, text string) (*Template, error) {
	funcs := template.FuncMap{}
	for word, f := range functions() {
		funcs[word] = f
	}
	// The two that guard puts in are bound when the template is filled.
	funcs[showWord] = func(any) (string, error) { return "", nil }
	funcs[stepWord] = func() (string, error) { return "", nil }
	tree, err := template.New(name).Option("missingkey=error").Funcs(funcs).Parse(text)
	if err != nil {
		return nil, errors.New(parseFault(name, err))
	}
	if err := guard(tree); err != nil {
		return nil, err
	}
	return &Template{name, tree}, nil
}

// parseFault says where a template can't be read, without the package's words around it.
func parseFault(name string, err error) string {
	text := strings.TrimPrefix(err.Error(), "template: ")
	text = strings.TrimPrefix(text, name+":")
	line, rest, ok := strings.Cut(text, ":")
	if _, bad := strconv.Atoi(line); !ok || bad != nil {
		return text
	}
	rest = strings.TrimLeft(rest, " 0123456789:")
	if m := regexp.MustCompile(`^function "(.*)" not defined$`).FindStringSubmatch(rest); m != nil {
		rest = fmt.Sprintf("there is no function %s; known are %s", m[1], strings.Join(Functions(), ", "))
	}
	return "line " + line + ": " + rest
}

// The marks between which the number of a value stands in what a template
// writes. Values never stand there themselves, and a configuration holds no
// such character.
const mark = "\x00"

// filling is one run of a template.
type filling struct {
	ctx    context.Context
	steps  int
	bytes  int
	values []chat.Part
	out    strings.Builder
}

// Write keeps what the template writes, within bounds.
func (f *filling) Write(b []byte) (int, error) {
	if f.out.Len()+len(b) > maxMarkup+16*len(f.values) {
		return 0, troublef("it is longer than %d bytes", maxMarkup)
	}
	return f.out.Write(b)
}

// step counts a round.
func (f *filling) step() (string, error) {
	if f.steps++; f.steps > maxSteps {
		return "", troublef("its loops go round more than %d times", maxSteps)
	}
	return "", f.ctx.Err()
}

// show takes a value out of the text and leaves a mark.
func (f *filling) show(v any) (string, error) {
	p, ok := v.(piece)
	if !ok {
		p = piece{chat.Part{Text: cut(textOf(v), maxValue)}}
	}
	f.bytes += len(p.Text) + len(p.Block)
	if len(f.values) >= maxParts || f.bytes > maxValues {
		return "", troublef("it has more than %d values, or %d bytes of them", maxParts, maxValues)
	}
	f.values = append(f.values, p.Part)
	return mark + strconv.Itoa(len(f.values)-1) + mark, f.ctx.Err()
}

// Fill makes the text. Errors are of type trouble.
func (t *Template) Fill(ctx context.Context, data any) ([]chat.Part, error) {
	tree, err := t.tree.Clone()
	if err != nil {
		return nil, err
	}
	f := &filling{ctx: ctx}
	tree.Option("missingkey=error").Funcs(template.FuncMap{showWord: f.show, stepWord: f.step})
	if err := tree.Execute(f, data); err != nil {
		return nil, t.fault(ctx, err)
	}
	pieces := strings.Split(f.out.String(), mark)
	parts := make([]chat.Part, 0, len(pieces))
	for i, text := range pieces {
		if i%2 == 0 {
			if text != "" {
				parts = append(parts, chat.Part{Markup: text})
			}
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n >= len(f.values) {
			return nil, fmt.Errorf("the template %s wrote a mark of its own", t.name) // never: it can't hold one
		}
		parts = append(parts, f.values[n])
	}
	return trim(parts), nil
}

// FillText fills a template that makes a single line without markup: a title, a colour.
func (t *Template) FillText(ctx context.Context, data any) (string, error) {
	parts, err := t.Fill(ctx, data)
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Markup + p.Text)
	}
	return strings.Join(strings.Fields(b.String()), " "), err
}

// trim takes white space off the ends.
func trim(parts []chat.Part) []chat.Part {
	for len(parts) > 0 && parts[0].Markup != "" {
		if parts[0].Markup = strings.TrimLeft(parts[0].Markup, "\r\n"); parts[0].Markup != "" {
			break
		}
		parts = parts[1:]
	}
	for len(parts) > 0 && parts[len(parts)-1].Markup != "" {
		last := &parts[len(parts)-1]
		if last.Markup = strings.TrimRight(last.Markup, " \t\r\n"); last.Markup != "" {
			break
		}
		parts = parts[:len(parts)-1]
	}
	return parts
}

// fault says in a person's words why a template could not be filled.
func (t *Template) fault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return troublef("The answer “%s” took too long to put together.", t.name)
	}
	if text, ok := errors.AsType[trouble](err); ok {
		return troublef("The answer “%s” can't be put together: %s.", t.name, text)
	}
	line, what := "", err.Error()
	if m := regexp.MustCompile(`(?s)^template: [^:]*:(\d+):\d+: executing .* at <(.*?)>: (.*)$`).FindStringSubmatch(what); m != nil {
		line, what = " (line "+m[1]+" of its template, "+m[2]+")", m[3]
	}
	if m := regexp.MustCompile(`map has no entry for key "(.*)"$`).FindStringSubmatch(what); m != nil {
		what = "there is no “" + m[1] + "”"
	}
	if strings.Contains(what, "index out of range") {
		what = "there is no entry with this number"
	}
	return troublef("The answer “%s” can't be put together: %s%s.", t.name, strings.TrimSuffix(cut(what, 200), "."), line)
}
