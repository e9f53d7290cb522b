// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The limits of https://docs.slack.dev/reference/block-kit, in characters.
const (
	maxMessageBlocks = 50
	MaxModalBlocks   = 100
)

// checker collects what is wrong, with Slack's words.
type checker struct {
	wrong   []string
	actions map[string]bool
}

func (c *checker) add(path, format string, args ...any) {
	if len(c.wrong) < 20 {
		c.wrong = append(c.wrong, fmt.Sprintf("[ERROR] "+format, args...)+" [json-pointer:"+path+"]")
	}
}

// rule checks one value at a path.
type rule func(c *checker, v any, path string)

// shape is an object: its fields' rules; names in need are required.
type shape struct {
	need   string
	fields map[string]rule
}

// CheckBlocks checks blocks as Slack does and returns its complaints.
func CheckBlocks(blocks []any, most int, path string) []string {
	c := &checker{}
	c.blocks(blocks, most, path)
	return c.wrong
}

func (c *checker) blocks(blocks []any, most int, path string) {
	if len(blocks) > most {
		c.add(path, "no more than %d items allowed", most)
	}
	ids := map[string]bool{}
	for i, b := range blocks {
		at := fmt.Sprintf("%s/%d", path, i)
		c.actions = map[string]bool{}
		c.typed(b, blockShapes, at)
		if m, ok := b.(map[string]any); ok {
			if id, _ := m["block_id"].(string); id != "" {
				if ids[id] {
					c.add(at+"/block_id", "`block_id` %q already exists", id)
				}
				ids[id] = true
			}
		}
	}
}

// typed checks an object whose "type" decides its shape.
func (c *checker) typed(v any, shapes map[string]shape, path string) {
	m, ok := v.(map[string]any)
	if !ok {
		c.add(path, "must provide an object")
		return
	}
	kind, _ := m["type"].(string)
	s, known := shapes[kind]
	if !known {
		c.add(path+"/type", "unsupported type: %s", kind)
		return
	}
	c.object(m, s, path)
}

func (c *checker) object(m map[string]any, s shape, path string) {
	for _, name := range strings.Fields(s.need) {
		if _, ok := m[name]; !ok {
			c.add(path, "missing required field: %s", name)
		}
	}
	for name, v := range m {
		if name == "type" || name == "block_id" {
			continue
		}
		r, known := s.fields[name]
		if !known {
			c.add(path, "invalid additional property: %s", name)
			continue
		}
		r(c, v, path+"/"+name)
	}
}

// text is a string of min to most characters.
func text(least, most int) rule {
	return func(c *checker, v any, path string) {
		s, ok := v.(string)
		switch n := utf8.RuneCountInString(s); {
		case !ok:
			c.add(path, "must be a string")
		case n < least:
			c.add(path, "must be more than %d characters", least-1)
		case n > most:
			c.add(path, "must be less than %d characters", most+1)
		}
	}
}

func number(c *checker, v any, path string) {
	if _, ok := v.(float64); !ok {
		c.add(path, "must be an integer")
	}
}

func boolean(c *checker, v any, path string) {
	if _, ok := v.(bool); !ok {
		c.add(path, "must be a boolean")
	}
}

// word is one of the words allowed.
func word(allowed ...string) rule {
	return func(c *checker, v any, path string) {
		if s, ok := v.(string); !ok || !slices.Contains(allowed, s) {
			c.add(path, "must be a valid enum value")
		}
	}
}

// address is a URL of http or https, at most 3000 characters.
func address(c *checker, v any, path string) {
	s, _ := v.(string)
	if !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") || strings.ContainsAny(s, " <>\"\n") {
		c.add(path, "must be a valid url")
	}
	text(1, 3000)(c, v, path)
}

// list is least to most items, each by the rule.
func list(least, most int, each rule) rule {
	return func(c *checker, v any, path string) {
		items, ok := v.([]any)
		switch {
		case !ok:
			c.add(path, "must provide an array")
		case len(items) < least:
			c.add(path, "no less than %d items allowed", least)
		case len(items) > most:
			c.add(path, "no more than %d items allowed", most)
		}
		for i, item := range items {
			each(c, item, fmt.Sprintf("%s/%d", path, i))
		}
	}
}

func of(shapes *map[string]shape) rule {
	return func(c *checker, v any, path string) { c.typed(v, *shapes, path) }
}

func plain(most int) rule {
	return func(c *checker, v any, path string) {
		c.typed(v, map[string]shape{"plain_text": {"text", map[string]rule{"text": text(1, most), "emoji": boolean}}}, path)
	}
}

func anyText(most int) rule {
	return func(c *checker, v any, path string) {
		c.typed(v, map[string]shape{
			"plain_text": {"text", map[string]rule{"text": text(1, most), "emoji": boolean}},
			"mrkdwn":     {"text", map[string]rule{"text": text(1, most), "verbatim": boolean}},
		}, path)
	}
}

// actionID is unique among those of its block.
func actionID(c *checker, v any, path string) {
	text(1, 255)(c, v, path)
	if s, ok := v.(string); ok {
		if c.actions[s] {
			c.add(path, "`action_id` %q already exists", s)
		}
		c.actions[s] = true
	}
}

var style = func(c *checker, v any, path string) {
	m, ok := v.(map[string]any)
	if !ok {
		c.add(path, "must provide an object")
		return
	}
	c.object(m, shape{"", map[string]rule{"bold": boolean, "italic": boolean, "strike": boolean, "code": boolean, "underline": boolean}}, path)
}

// The shapes; filled in init order by var declarations that name each other.
var (
	richParts    map[string]shape
	richSections map[string]shape
	elements     map[string]shape
	cells        map[string]shape
	blockShapes  map[string]shape
	_            = fillShapes()
)

func option(most int) rule {
	return func(c *checker, v any, path string) {
		m, ok := v.(map[string]any)
		if !ok {
			c.add(path, "must provide an object")
			return
		}
		c.object(m, shape{"text value", map[string]rule{"text": anyText(most), "value": text(1, 150), "description": plain(75)}}, path)
	}
}

func fillShapes() bool {
	richParts = map[string]shape{
		"text":      {"text", map[string]rule{"text": text(1, 3000), "style": style}},
		"link":      {"url", map[string]rule{"url": address, "text": text(1, 3000), "unsafe": boolean, "style": style}},
		"user":      {"user_id", map[string]rule{"user_id": text(9, 32), "style": style}},
		"usergroup": {"usergroup_id", map[string]rule{"usergroup_id": text(9, 32), "style": style}},
		"channel":   {"channel_id", map[string]rule{"channel_id": text(9, 32), "style": style}},
		"broadcast": {"range", map[string]rule{"range": word("here", "channel", "everyone"), "style": style}},
		"emoji":     {"name", map[string]rule{"name": text(1, 100), "unicode": text(1, 100), "skin_tone": number}},
		"date":      {"timestamp format", map[string]rule{"timestamp": number, "format": text(1, 200), "url": address, "fallback": text(0, 3000), "style": style}},
	}
	parts := list(1, 500, of(&richParts))
	richSections = map[string]shape{
		"rich_text_section":      {"elements", map[string]rule{"elements": parts}},
		"rich_text_preformatted": {"elements", map[string]rule{"elements": parts, "border": number, "language": text(1, 50)}},
		"rich_text_quote":        {"elements", map[string]rule{"elements": parts, "border": number}},
		"rich_text_list":         {"elements style", map[string]rule{"elements": list(1, 200, of(&richSections)), "style": word("bullet", "ordered"), "indent": number, "border": number, "offset": number}},
	}
	options := list(1, 100, option(75))
	elements = map[string]shape{
		"button": {"text", map[string]rule{"text": plain(75), "action_id": actionID, "value": text(1, 2000), "url": address,
			"style": word("primary", "danger"), "confirm": anything, "accessibility_label": text(1, 75)}},
		"static_select": {"options", map[string]rule{"placeholder": plain(150), "action_id": actionID, "options": options,
			"initial_option": option(75), "focus_on_load": boolean, "confirm": anything}},
		"multi_static_select": {"options", map[string]rule{"placeholder": plain(150), "action_id": actionID, "options": options,
			"initial_options": options, "max_selected_items": number, "focus_on_load": boolean, "confirm": anything}},
		"overflow":      {"options", map[string]rule{"action_id": actionID, "options": list(1, 5, option(75)), "confirm": anything}},
		"users_select":  {"", map[string]rule{"placeholder": plain(150), "action_id": actionID, "initial_user": text(1, 32), "focus_on_load": boolean}},
		"radio_buttons": {"options", map[string]rule{"action_id": actionID, "options": list(1, 10, option(75)), "initial_option": option(75), "focus_on_load": boolean}},
		"checkboxes":    {"options", map[string]rule{"action_id": actionID, "options": list(1, 10, option(75)), "initial_options": options, "focus_on_load": boolean}},
		"plain_text_input": {"", map[string]rule{"action_id": actionID, "initial_value": text(0, 3000), "multiline": boolean, "min_length": number,
			"max_length": number, "placeholder": plain(150), "focus_on_load": boolean, "dispatch_action_config": anything}},
	}
	cells = map[string]shape{
		// raw_text is in the reference, and refused by Slack as people found.
		"rich_text": {"elements", map[string]rule{"elements": list(1, 10, of(&richSections))}},
	}
	column := func(c *checker, v any, path string) {
		m, _ := v.(map[string]any)
		c.object(m, shape{"", map[string]rule{"align": word("left", "center", "right"), "is_wrapped": boolean}}, path)
	}
	contextParts := map[string]shape{
		"mrkdwn":     {"text", map[string]rule{"text": text(1, 3000), "verbatim": boolean}},
		"plain_text": {"text", map[string]rule{"text": text(1, 3000), "emoji": boolean}},
		"image":      {"image_url alt_text", map[string]rule{"image_url": address, "alt_text": text(1, 2000)}},
	}
	blockShapes = map[string]shape{
		"rich_text": {"elements", map[string]rule{"elements": list(1, 100, of(&richSections))}},
		"section": {"", map[string]rule{"text": anyText(3000), "fields": list(1, 10, anyText(2000)), "accessory": of(&elements),
			"expand": boolean}},
		"header":  {"text", map[string]rule{"text": plain(150)}},
		"divider": {"", nil},
		"context": {"elements", map[string]rule{"elements": list(1, 10, of(&contextParts))}},
		"actions": {"elements", map[string]rule{"elements": list(1, 25, of(&elements))}},
		"input": {"label element", map[string]rule{"label": plain(2000), "element": of(&elements), "hint": plain(2000),
			"optional": boolean, "dispatch_action": boolean}},
		"table": {"rows", map[string]rule{"rows": list(1, 100, list(1, 20, of(&cells))), "column_settings": list(1, 20, column)}},
	}
	return true
}

func anything(*checker, any, string) {}

// checkAttachments checks the coloured attachments that carry blocks; the old
// fields of attachments are taken as they are, as Slack does.
func checkAttachments(all []any) []string {
	c := &checker{}
	for i, a := range all {
		path := fmt.Sprintf("/attachments/%d", i)
		m, ok := a.(map[string]any)
		if !ok {
			c.add(path, "must provide an object")
			continue
		}
		blocks, has := m["blocks"]
		if !has {
			continue
		}
		inside, ok := blocks.([]any)
		if !ok || len(inside) == 0 {
			c.add(path+"/blocks", "must provide an array")
			continue
		}
		for name := range m {
			if !slices.Contains([]string{"blocks", "color", "fallback", "id"}, name) {
				c.add(path, "invalid additional property: %s", name)
			}
		}
		c.blocks(inside, maxMessageBlocks, path+"/blocks")
	}
	return c.wrong
}

// tables counts the table blocks in anything.
func tables(v any) int {
	n := 0
	walk(v, func(m map[string]any) {
		if m["type"] == "table" {
			n++
		}
	})
	return n
}

// encodedLength is the length of blocks, or of attachments with blocks, as
// JSON, tables left out.
func encodedLength(blocks []any) int {
	n := 0
	for _, b := range blocks {
		m, _ := b.(map[string]any)
		if m["type"] == "table" {
			continue
		}
		if inside, ok := m["blocks"].([]any); ok {
			n += encodedLength(inside)
			continue
		}
		var out bytes.Buffer
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		_ = e.Encode(b) // it was JSON a moment ago
		n += out.Len()
	}
	return n
}

// walk calls visit for every object in v.
func walk(v any, visit func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(v)
		for _, inner := range v {
			walk(inner, visit)
		}
	case []any:
		for _, inner := range v {
			walk(inner, visit)
		}
	}
}

// hasType says whether one of the blocks is of this kind.
func hasType(blocks []any, kind string) bool {
	return slices.ContainsFunc(blocks, func(b any) bool {
		m, _ := b.(map[string]any)
		return m["type"] == kind
	})
}
