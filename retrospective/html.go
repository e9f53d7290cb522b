// SPDX-License-Identifier: Apache-2.0

package retrospective

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

//go:embed page.html
var pageText string

//go:embed page.css
var style string

// Policy is the content security policy of what HTML writes: its own style, and
// nothing else. The page says so itself, for when it is opened as a file.
func Policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// page and markdown are made when they are first needed: every belfry notify starts
// without them. A broken template shows in the first test.
var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{"stamp": stamp}).Parse(strings.Replace(pageText, "STYLE", style, 1)))
})

// markdown shows what people wrote: raw HTML and addresses that run something
// are left out by goldmark, pictures from elsewhere by the page's policy.
var markdown = sync.OnceValue(func() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.Table, extension.TaskList, extension.Strikethrough))
})

type pageData struct {
	*Document
	Policy string
	Facts  []Field
	Body   template.HTML
}

// HTML is the document as one page that needs nothing else, and that a browser
// prints well: "save as PDF" gives the PDF.
func (d *Document) HTML() ([]byte, error) {
	data := pageData{Document: d, Policy: Policy(), Facts: d.facts()}
	if d.Edited != nil {
		var body bytes.Buffer
		if err := markdown().Convert([]byte(d.Edited.Text), &body); err != nil {
			return nil, fmt.Errorf("can't show what the retrospective of #%d says: %w", d.Number, err)
		}
		data.Body = template.HTML(body.String()) //nolint:gosec // goldmark made it and leaves raw HTML out
	}
	var b bytes.Buffer
	if err := page().Execute(&b, data); err != nil {
		return nil, fmt.Errorf("can't write the retrospective of #%d as HTML: %w", d.Number, err)
	}
	return b.Bytes(), nil
}
