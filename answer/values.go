// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of what an endpoint's JSON may be.
const (
	maxJSON  = 256 << 10
	maxDepth = 32
)

var errDeep = fmt.Errorf("is nested more than %d deep", maxDepth)

// readJSON decodes one JSON value. Whole numbers stay whole (int64), others are
// float64; objects are map[string]any, lists []any.
func readJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, errors.New("is no JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("has something behind its JSON")
	}
	return numbers(v, 0)
}

func numbers(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	var err error
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		f, err := v.Float64()
		if err != nil {
			return v.String(), nil // further than any number here reaches: shown as it came
		}
		return f, nil
	case map[string]any:
		for key, value := range v {
			if v[key], err = numbers(value, depth+1); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, value := range v {
			if v[i], err = numbers(value, depth+1); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// nothing stands for a value that is not there.
const nothing = "–"

// textOf is a value as people read it.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return nothing
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if math.Abs(v) < 1e15 {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	case piece:
		return v.plain()
	case []any:
		texts := make([]string, 0, len(v))
		for _, one := range v[:min(len(v), 100)] {
			texts = append(texts, textOf(one))
		}
		return strings.Join(texts, ", ")
	case map[string]any:
		raw, err := json.Marshal(v)
		if err != nil {
			return nothing
		}
		return string(raw)
	}
	return fmt.Sprint(v)
}

// numberOf reads a number.
func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return f, err == nil && !math.IsNaN(f)
	}
	return 0, false
}

// at follows a path like "door.open" or "shelves.0.temp"; nil where it leads nowhere.
func at(v any, path string) any {
	if path == "" || path == "." {
		return v
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "."), ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// cut shortens a text to so many letters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	r := []rune(s)
	return string(r[:max(0, most-1)]) + "…"
}
