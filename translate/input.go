// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"unicode/utf8"

	"belfry/monitor"
)

// Limits of a payload.
const (
	// MaxInput is the largest body that is taken, in bytes.
	MaxInput = 1 << 20
	// MaxDepth is how deeply a payload may be nested.
	MaxDepth = 100
	// maxFields is how many fields a form may have.
	maxFields = 1000
)

// Input reads a body by its content type: JSON as it is; a form
// (application/x-www-form-urlencoded or multipart/form-data) as an object of
// texts, a field that comes more than once as a list. A form whose only field
// is "payload" or "data" with JSON in it (Slack, Mattermost, Uptime Kuma) is
// that JSON. Without a content type the body is taken for JSON. Whole numbers
// stay exact.
func Input(contentType string, body []byte) (any, error) {
	if len(body) > MaxInput {
		return nil, fmt.Errorf("the body has %d bytes, more than %d", len(body), MaxInput)
	}
	kind, params := "application/json", map[string]string(nil)
	if contentType != "" {
		var err error
		if kind, params, err = mime.ParseMediaType(contentType); err != nil {
			return nil, notTaken(contentType)
		}
	}
	switch {
	case kind == "application/json", kind == "text/json", kind == "text/plain", strings.HasSuffix(kind, "+json"):
		return parseJSON(body)
	case kind == "application/x-www-form-urlencoded":
		// curl -d says so whatever it sends.
		if t := bytes.TrimSpace(body); len(t) > 0 && t[0] == '{' {
			return parseJSON(body)
		}
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, fmt.Errorf("the form can't be read: %s", plainError(err))
		}
		return form(values)
	case kind == "multipart/form-data":
		values, err := parts(body, params["boundary"])
		if err != nil {
			return nil, err
		}
		return form(values)
	}
	return nil, notTaken(contentType)
}

func notTaken(contentType string) error {
	return fmt.Errorf("content type %s is not understood; send application/json or a form", monitor.Quote(contentType))
}

func parseJSON(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, errors.New("the body is empty; JSON or a form is wanted")
	}
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not UTF-8")
	}
	if tooDeep(body) {
		return nil, fmt.Errorf("the JSON is nested more than %d levels deep", MaxDepth)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("the body is not valid JSON: %s", plainError(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the body is not valid JSON: something follows its end")
	}
	return v, nil
}

// tooDeep counts brackets outside of texts; the parser would recurse.
func tooDeep(body []byte) bool {
	depth, text := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// parts reads the fields of a multipart form; files are left out.
func parts(body []byte, boundary string) (url.Values, error) {
	if boundary == "" {
		return nil, errors.New("the form can't be read: its content type has no boundary")
	}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	values := url.Values{}
	for n := 0; ; n++ {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the form can't be read: %s", plainError(err))
		}
		if n == maxFields {
			return nil, fmt.Errorf("the form has more than %d fields", maxFields)
		}
		text, err := io.ReadAll(p) // no more than the body, which is bounded
		if err != nil {
			return nil, fmt.Errorf("the form can't be read: %s", plainError(err))
		}
		if p.FileName() == "" && p.FormName() != "" {
			values.Add(p.FormName(), string(text))
		}
	}
}

func form(values url.Values) (any, error) {
	if len(values) == 0 {
		return nil, errors.New("the form is empty")
	}
	if len(values) > maxFields {
		return nil, fmt.Errorf("the form has more than %d fields", maxFields)
	}
	for _, name := range []string{"payload", "data"} {
		if list := values[name]; len(values) == 1 && len(list) == 1 && isJSON(list[0]) {
			v, err := parseJSON([]byte(list[0]))
			if err != nil {
				return nil, fmt.Errorf("the form's field %s: %w", name, err)
			}
			return v, nil
		}
	}
	out := make(map[string]any, len(values))
	for name, list := range values {
		if !utf8.ValidString(name) {
			return nil, errors.New("the form has a field whose name is not UTF-8")
		}
		texts := make([]any, len(list))
		for i, s := range list {
			texts[i] = strings.ToValidUTF8(s, "\ufffd")
		}
		out[name] = texts[0]
		if len(texts) > 1 {
			out[name] = texts
		}
	}
	return out, nil
}

func isJSON(s string) bool {
	s = strings.TrimSpace(s)
	return s != "" && (s[0] == '{' || s[0] == '[')
}
