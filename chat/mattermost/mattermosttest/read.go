// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"regexp"
	"strings"
	"sync"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/yuin/goldmark"
)

// Reading is what a person reads of a text: the words, where they lead, and
// how they look. The clients of Mattermost have two markdown readers (a fork of
// marked in the web app, one of commonmark.js in the mobile app); what either
// of them would format or link is reported.
type Reading struct {
	Text  string
	Links []string
	Looks []string
}

// markdown is CommonMark without HTML, which is inert in Mattermost, and with
// tables and strikethrough.
var markdown = sync.OnceValue(func() parser.Parser {
	return goldmark.New(goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
		parser.WithParagraphTransformers(util.Prioritized(parser.LinkReferenceParagraphTransformer, 100)),
	)), goldmark.WithExtensions(extension.Table, extension.Strikethrough)).Parser()
})

// patterns are what the clients do with text that is not markdown.
var patterns = sync.OnceValue(func() map[string]*regexp.Regexp {
	emoticon := `:-?\)|;-?\)|:-?o\b|:-?\]|:-?d\b|:-?p\b|:-?[\[@]|:-?\(|:['’]-?\(|:-?/|:-?s\b|:-?\||:-?\$|:-x\b|<3|</3|:\+1:|:-1:`
	return map[string]*regexp.Regexp{
		"link":     regexp.MustCompile(`(?i)(?:(?:https?|ftps?|mailto|tel|mattermost|slack|javascript|data|file):(?:/{1,3}|[\p{L}\d%])|\bwww\d{0,3}\.|[\p{L}\d.-]+\.\p{L}{2,4}/|[\p{L}\d._+-]+@[\p{L}\d-]+\.\p{L})\S*`),
		"emoji":    regexp.MustCompile(`:([a-zA-Z0-9_+-]*[a-zA-Z][a-zA-Z0-9_+-]*|100|1234|\+1|-1):`),
		"emoticon": regexp.MustCompile(`(?i)(?:^|[^\p{L}\d_])(?:` + emoticon + `)|\bx-d\b`),
		"hashtag":  regexp.MustCompile(`(?:^|[^\p{L}\d_])#\p{L}[\p{L}\d\-_.]*[\p{L}\d]`),
		"channel":  regexp.MustCompile(`(?:^|[^\p{L}\d_])~[a-zA-Z0-9][a-zA-Z0-9_-]*`),
		"latex":    regexp.MustCompile(`\$[^$\n]+\$`),
		"entity":   regexp.MustCompile(`&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);`),
	}
})

// Read reads markdown as a person sees it.
func Read(source string) Reading {
	r := reader{src: []byte(asMarked(source))}
	return r.read()
}

// outsideCode returns what is read of markdown with the code left out, nodes
// set apart by mark.
func outsideCode(source string) string {
	r := reader{src: []byte(source), noCode: true}
	return r.read().Text
}

// reader is one reading of one text.
type reader struct {
	Reading
	src    []byte
	noCode bool
}

func (r *reader) read() Reading {
	var b strings.Builder
	r.blocks(&b, markdown().Parse(text.NewReader(r.src)))
	r.Text = strings.TrimSuffix(b.String(), "\n")
	return r.Reading
}

// ReadLiteral reads a text that is shown as it is (a title with a link).
// Newer clients resolve character references there.
func ReadLiteral(source string) Reading {
	r := Reading{Text: source}
	for _, found := range patterns()["entity"].FindAllString(source, -1) {
		r.Looks = append(r.Looks, "entity: "+found)
	}
	return r
}

// asMarked doubles the backslashes that the web app's reader would show: it
// takes a backslash only before \ ` * { } [ ] ( ) # + - . ! _ > | ~, and a
// double one only where no letter, digit or _ follows. Fences are left alone.
func asMarked(source string) string {
	var b strings.Builder
	fence := ""
	for line := range strings.Lines(source) {
		trimmed := strings.TrimLeft(line, " ")
		if run := len(trimmed) - len(strings.TrimLeft(trimmed, "`")); run >= 3 {
			switch {
			case fence == "":
				fence = trimmed[:run]
			case run >= len(fence) && strings.TrimSpace(trimmed[run:]) == "":
				fence = ""
			}
			b.WriteString(line)
			continue
		}
		if fence != "" {
			b.WriteString(line)
			continue
		}
		for i := 0; i < len(line); i++ {
			b.WriteByte(line[i])
			if line[i] != '\\' || i+1 >= len(line) {
				continue
			}
			next := line[i+1]
			switch {
			case next == '\\' && (i+2 >= len(line) || !isWord(line[i+2])),
				next != '\\' && strings.IndexByte("`*{}[]()#+-.!_>|~", next) >= 0:
				b.WriteByte(next)
				i++
			case next == '\\':
				b.WriteString(`\\\`)
				i++
			default:
				b.WriteByte('\\')
			}
		}
	}
	return b.String()
}

func isWord(c byte) bool { return c == '_' || isAlnum(string(c)) }

func (r *reader) look(kind, what string) {
	r.Looks = append(r.Looks, kind+": "+strings.ReplaceAll(what, mark, ""))
}

func (r *reader) blocks(b *strings.Builder, n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if c.Type() == ast.TypeInline {
			r.paragraph(b, n)
			return
		}
		switch x := c.(type) {
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			if r.noCode {
				continue
			}
			code := string(x.Lines().Value(r.src))
			r.look("code", strings.TrimSuffix(code, "\n"))
			b.WriteString(code)
			continue
		case *ast.Heading:
			r.look("heading", string(x.Lines().Value(r.src)))
		case *ast.List:
			r.look("list", "")
		case *ast.Blockquote:
			r.look("quote", "")
		case *ast.ThematicBreak:
			r.look("rule", "")
		case *east.Table:
			r.look("table", "")
		}
		r.blocks(b, c)
	}
}

// paragraph reads one run of inline nodes.
func (r *reader) paragraph(b *strings.Builder, n ast.Node) {
	var shown, raw strings.Builder
	r.inline(&shown, &raw, n)
	out := shown.String()
	if r.noCode {
		b.WriteString(out + "\n")
		return
	}
	for _, kind := range []string{"emoji", "emoticon", "hashtag", "channel"} {
		for _, found := range patterns()[kind].FindAllString(out, -1) {
			r.look(kind, found)
		}
	}
	r.Links = append(r.Links, patterns()["link"].FindAllString(out, -1)...)
	// Formulas are found before character references are resolved.
	for _, found := range patterns()["latex"].FindAllString(raw.String(), -1) {
		r.look("latex", found)
	}
	b.WriteString(strings.ReplaceAll(out, mark, "") + "\n")
}

// mark stands at the edges of nodes: text on its two sides is never read as
// one word.
const mark = "\x00"

// inline writes what is read of n to shown, and its source to raw.
func (r *reader) inline(shown, raw *strings.Builder, n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch x := c.(type) {
		case *ast.Text:
			value := x.Segment.Value(r.src)
			raw.Write(value)
			shown.Write(plain(value))
			if x.SoftLineBreak() || x.HardLineBreak() {
				raw.WriteByte('\n')
				shown.WriteByte('\n') // the clients keep line ends
			}
			continue
		case *ast.CodeSpan:
			code := string(x.Text(r.src)) //nolint:staticcheck // the text of a code span is its segments
			if r.noCode {
				code = ""
			}
			r.look("code", code)
			shown.WriteString(mark + code + mark)
			continue
		case *ast.AutoLink:
			r.Links = append(r.Links, string(x.URL(r.src)))
			shown.WriteString(mark + string(x.Label(r.src)) + mark)
			continue
		case *ast.Link:
			r.Links = append(r.Links, string(x.Destination))
		case *ast.Image:
			r.look("image", string(x.Destination))
		case *ast.Emphasis:
			kind := "italic"
			if x.Level == 2 {
				kind = "bold"
			}
			r.look(kind, "")
		case *east.Strikethrough:
			r.look("strike", "")
		}
		shown.WriteString(mark)
		r.inline(shown, raw, c)
		shown.WriteString(mark)
	}
}

// plain resolves escapes and character references.
func plain(value []byte) []byte {
	var out []byte
	for i := 0; i < len(value); i++ {
		if value[i] == '\\' && i+1 < len(value) && util.IsPunct(value[i+1]) {
			i++
			out = append(out, value[i])
			continue
		}
		if value[i] == '&' {
			end := 1
			for i+end < len(value) && (value[i+end] == '#' || isAlnum(string(value[i+end]))) {
				end++
			}
			if i+end < len(value) && value[i+end] == ';' {
				ref := value[i : i+end+1]
				if got := util.ResolveEntityNames(util.ResolveNumericReferences(ref)); string(got) != string(ref) {
					out = append(out, got...)
					i += end
					continue
				}
			}
		}
		out = append(out, value[i])
	}
	return out
}
