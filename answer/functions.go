// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"belfry/chat"
)

// piece is a value with a look of its own.
type piece struct{ chat.Part }

// plain is its text alone.
func (p piece) plain() string { return p.Text + p.Block }

// String keeps a piece that is put into a text a text.
func (p piece) String() string { return p.plain() }

// builtin are those of text/template's own functions that templates may use.
func builtin() []string { return []string{"and", "or", "not", "len", "index"} }

// Functions returns the names of all functions that a template can use.
func Functions() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(functions())), builtin()...)))
}

// functions are the closed set. None of them does anything but make a value.
func functions() map[string]any {
	return map[string]any{
		// Comparing takes whole and other numbers for the same kind.
		"eq": func(a any, b ...any) bool {
			return slices.ContainsFunc(b, func(x any) bool { return compare(a, x) == 0 })
		},
		"ne": func(a, b any) bool { return compare(a, b) != 0 },
		"lt": func(a, b any) (bool, error) { return ordered(a, b, func(c int) bool { return c < 0 }) },
		"le": func(a, b any) (bool, error) { return ordered(a, b, func(c int) bool { return c <= 0 }) },
		"gt": func(a, b any) (bool, error) { return ordered(a, b, func(c int) bool { return c > 0 }) },
		"ge": func(a, b any) (bool, error) { return ordered(a, b, func(c int) bool { return c >= 0 }) },

		"get":   func(v any, path string) any { return at(v, path) },
		"upper": func(v any) string { return strings.ToUpper(textOf(v)) },
		"lower": func(v any) string { return strings.ToLower(textOf(v)) },
		"trim":  func(v any) string { return strings.TrimSpace(textOf(v)) },
		"cut":   func(most int, v any) string { return cut(textOf(v), most) },
		"join":  join,
		"round": round,
		"first": first,
		"list":  func(v ...any) []any { return v },

		"code": func(v any) piece { return piece{chat.Part{Text: cut(textOf(v), maxValue), Code: true}} },
		"bold": func(v any) piece { return piece{chat.Part{Text: cut(textOf(v), maxValue), Bold: true}} },
		"pre":  func(v any) piece { return piece{chat.Part{Block: cut(textOf(v), maxValue)}} },
		"link": func(text, url any) piece {
			return piece{chat.Part{Text: cut(textOf(text), maxValue), Link: textOf(url)}}
		},
		"table": table,
	}
}

// compare orders numbers as numbers and all else as text.
func compare(a, b any) int {
	x, isX := numberOf(a)
	y, isY := numberOf(b)
	if isX && isY {
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	if (a == nil) != (b == nil) {
		return 1
	}
	return strings.Compare(textOf(a), textOf(b))
}

func ordered(a, b any, is func(int) bool) (bool, error) {
	if a == nil || b == nil {
		return false, trouble("something is compared that is not there")
	}
	_, isX := numberOf(a)
	_, isY := numberOf(b)
	if isX != isY {
		return false, troublef("“%s” is compared with “%s”: one of them is no number", cut(textOf(a), 40), cut(textOf(b), 40))
	}
	return is(compare(a, b)), nil
}

func join(by string, v any) (string, error) {
	list, ok := v.([]any)
	if !ok {
		return "", trouble("join wants a list")
	}
	texts := make([]string, 0, len(list))
	for _, one := range list[:min(len(list), 1000)] {
		texts = append(texts, textOf(one))
	}
	return cut(strings.Join(texts, by), maxValue), nil
}

func round(places int, v any) (string, error) {
	n, ok := numberOf(v)
	if !ok {
		return "", troublef("“%s” is no number to round", cut(textOf(v), 40))
	}
	places = min(max(places, 0), 10)
	if math.Abs(n) >= 1e15 {
		return textOf(n), nil
	}
	return strconv.FormatFloat(n, 'f', places, 64), nil
}

// first is the beginning of a list.
func first(n int, v any) (any, error) {
	switch v := v.(type) {
	case []any:
		return v[:min(max(n, 0), len(v))], nil
	case string:
		return v, nil
	}
	return nil, trouble("first wants a list")
}

// table makes a table of a list: each column is written as "Head=path", where
// path leads from an entry to the cell ("door.open"), or as "head" alone where
// both are the same. Entries that are lists fill the columns in their order. Of
// an object it makes two columns, keys and values.
func table(v any, columns ...string) (piece, error) {
	if len(columns) > 8 {
		return piece{}, trouble("a table has at most 8 columns")
	}
	t := &chat.Table{}
	var paths []string
	for _, c := range columns {
		head, path, ok := strings.Cut(c, "=")
		if !ok {
			path = head
		}
		t.Head, paths = append(t.Head, head), append(paths, path)
	}
	if object, ok := v.(map[string]any); ok {
		if len(t.Head) != 2 {
			return piece{}, trouble("a table of an object has two columns, such as {{table .answer \"What\" \"Value\"}}")
		}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			t.Rows = append(t.Rows, []chat.Line{cell(key), cell(object[key])})
		}
		return bounded(t), nil
	}
	list, ok := v.([]any)
	if !ok {
		return piece{}, trouble("table wants a list or an object")
	}
	if len(t.Head) == 0 {
		return piece{}, trouble("table wants columns, such as {{table .answer.shelves \"Shelf=name\" \"°C=temp\"}}")
	}
	for i, entry := range list {
		if i == chat.MaxRows {
			t.More = len(list) - i
			break
		}
		var row []chat.Line
		if cells, ok := entry.([]any); ok {
			for _, c := range cells[:min(len(cells), len(paths))] {
				row = append(row, cell(c))
			}
		} else {
			for _, path := range paths {
				if _, inner := entry.(map[string]any); !inner && len(paths) == 1 {
					path = ""
				}
				row = append(row, cell(at(entry, path)))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return bounded(t), nil
}

func bounded(t *chat.Table) piece {
	if more := len(t.Rows) - chat.MaxRows; more > 0 {
		t.Rows, t.More = t.Rows[:chat.MaxRows], more
	}
	return piece{chat.Part{Table: t}}
}

// maxCell bounds a cell; platforms may show less.
const maxCell = 200

func cell(v any) chat.Line {
	if p, ok := v.(piece); ok {
		return chat.Line{{Text: cut(p.plain(), maxCell), Bold: p.Bold, Link: p.Link}}
	}
	return chat.Line{{Text: cut(textOf(v), maxCell)}}
}
