// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Limits of what a file may hold.
const (
	maxDepth = 20
	maxItems = 1000
	maxText  = 64 << 10
)

// decoder fills structs from YAML nodes, and is stricter than the library's
// own: it tells every fault with its line and in plain words, refuses unknown
// keys, and never guesses.
type decoder struct {
	file     string
	problems Problems
}

// fault notes what is wrong at n.
func (d *decoder) fault(n *yaml.Node, format string, args ...any) {
	d.problems = append(d.problems, Problem{File: d.file, Line: n.Line, Text: fmt.Sprintf(format, args...)})
}

// check walks everything once for what is wrong wherever it stands: keys given
// twice, and what YAML knows but this file does without. Aliases are refused
// because a file of a kilobyte could unfold to gigabytes. It returns false
// where looking further would only give faults that follow from these.
func (d *decoder) check(n *yaml.Node, depth int) bool {
	if depth > maxDepth {
		d.fault(n, "blocks stand more than %d deep in each other", maxDepth)
		return false
	}
	if n.Kind == yaml.AliasNode {
		d.fault(n, "aliases (*name) are not taken: write the value out, or put it in quotes if it begins with *")
		return false
	}
	ok := true
	if n.Anchor != "" {
		d.fault(n, "anchors (&name) are not taken: put the value in quotes if it begins with &")
		ok = false
	}
	if tag := n.ShortTag(); !strings.HasPrefix(tag, "!!") || tag == "!!binary" || n.Style&yaml.TaggedStyle != 0 {
		d.fault(n, "tags (!name) are not taken: put the value in quotes if it begins with !")
		ok = false
	}
	if n.Kind == yaml.MappingNode {
		if len(n.Content) > 2*maxItems {
			d.fault(n, "a block has %d keys, at most %d are taken", len(n.Content)/2, maxItems)
			return false
		}
		ok = d.checkKeys(n) && ok
	}
	for _, c := range n.Content {
		ok = d.check(c, depth+1) && ok
	}
	return ok
}

func (d *decoder) checkKeys(n *yaml.Node) bool {
	seen, ok := make(map[string]int, len(n.Content)/2), true
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		first := seen[key.Value]
		switch {
		case key.ShortTag() == "!!merge":
			d.fault(key, "merging blocks (<<) is not taken: write the values out")
			ok = false
		case key.Kind != yaml.ScalarNode:
			d.fault(key, "a key is a plain word, %s", what(key))
			ok = false
		case first > 0:
			d.fault(key, "%s is given twice, first on line %d; keep one", quote(key.Value), first)
		default:
			seen[key.Value] = key.Line
		}
	}
	return ok
}

// child returns the key and value nodes of a key of a block; nil when absent.
func child(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// fields returns the fields of a struct by their keys, those of inlined
// structs included.
func fields(v reflect.Value) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported() || name == "-":
		case slices.Contains(strings.Split(options, ","), "inline") && f.Type.Kind() == reflect.Struct:
			for k, sub := range fields(v.Field(i)) {
				out[k] = sub
			}
		case name != "":
			out[name] = v.Field(i)
		}
	}
	return out
}

// wordOf returns the field that one word stands for where a struct could be
// written: the one whose tag has the option word.
func wordOf(v reflect.Value) (field reflect.Value, ok bool) {
	for i := range v.NumField() {
		_, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if options == "word" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// block fills the struct v from the block n. Keys in others belong to somebody
// else. where begins every fault. It returns the keys whose values were at fault.
func (d *decoder) block(where string, n *yaml.Node, v reflect.Value, others ...string) (failed map[string]bool) {
	failed = map[string]bool{}
	if n.Kind != yaml.MappingNode {
		d.fault(n, "%sa block of keys is wanted, %s", where, what(n))
		return failed
	}
	known := fields(v)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if first, _ := child(n, key.Value); first != key || slices.Contains(others, key.Value) {
			continue // given twice, which check told; or somebody else's
		}
		field, ok := known[key.Value]
		if !ok {
			names := slices.Clone(others)
			for k := range known {
				names = append(names, k)
			}
			d.fault(key, "%sunknown key %s; %s", where, quote(key.Value), did(key.Value, names))
			continue
		}
		if !d.value(where+key.Value, key, value, field) {
			failed[key.Value] = true
		}
	}
	return failed
}

// value fills v from n, which stands at the key (or item) called name. It
// returns false when there was a fault.
func (d *decoder) value(name string, key, n *yaml.Node, v reflect.Value) bool {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		d.fault(key, "%s: nothing is here; write a value or leave the line out", name)
		return false
	}
	before := len(d.problems)
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if d.value(name, key, n, p.Elem()) {
			v.Set(p)
		}
	case reflect.Struct:
		if word, ok := wordOf(v); ok && n.Kind == yaml.ScalarNode {
			return d.value(name, key, n, word)
		}
		d.block(name+": ", n, v)
	case reflect.Slice:
		d.list(name, key, n, v)
	case reflect.Map:
		d.mapping(name, n, v)
	default:
		if n.Kind != yaml.ScalarNode {
			d.fault(n, "%s: %s is wanted, %s", name, wanted(v), what(n))
			return false
		}
		if text := d.scalar(n, v); text != "" {
			d.fault(n, "%s: %s", name, text)
		}
	}
	return len(d.problems) == before
}

// list fills a slice. One word stands for a list of one.
func (d *decoder) list(name string, key, n *yaml.Node, v reflect.Value) {
	items, words := n.Content, v.Type().Elem().Kind() == reflect.String
	if v.Type().Elem().Kind() == reflect.Struct {
		_, words = wordOf(reflect.New(v.Type().Elem()).Elem())
	}
	switch {
	case n.Kind == yaml.ScalarNode && words:
		items = []*yaml.Node{n}
	case n.Kind != yaml.SequenceNode && words:
		d.fault(n, "%s: a word or a list of words is wanted, %s", name, what(n))
		return
	case n.Kind != yaml.SequenceNode:
		d.fault(n, "%s: a list is wanted, %s", name, what(n))
		return
	}
	if len(items) > maxItems {
		d.fault(key, "%s has %d entries, at most %d are taken", name, len(items), maxItems)
		return
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		d.value(name, item, item, out.Index(i))
	}
	v.Set(out)
}

func (d *decoder) mapping(name string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode || v.Type().Key().Kind() != reflect.String {
		d.fault(n, "%s: a block of keys is wanted, %s", name, what(n))
		return
	}
	out := reflect.MakeMap(v.Type())
	for i := 0; i+1 < len(n.Content); i += 2 {
		item := reflect.New(v.Type().Elem()).Elem()
		if d.value(name+"."+n.Content[i].Value, n.Content[i], n.Content[i+1], item) {
			out.SetMapIndex(reflect.ValueOf(n.Content[i].Value).Convert(v.Type().Key()), item)
		}
	}
	v.Set(out)
}

var durationType = reflect.TypeFor[time.Duration]()

// wanted says what kind of value belongs into v.
func wanted(v reflect.Value) string {
	switch {
	case v.Type() == durationType:
		return "a span of time like 90d or 15m"
	case v.CanInt(), v.CanUint():
		return "a whole number"
	case v.CanFloat():
		return "a number"
	case v.Kind() == reflect.Bool:
		return "true or false"
	}
	return "a word"
}

// scalar fills v from a single value and returns what is wrong. It shows no
// text of the file where that could be a secret.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value) (wrong string) {
	mismatch := wanted(v) + " is wanted, " + what(n)
	tag := n.ShortTag()
	switch {
	case v.Type() == durationType:
		return setDuration(n, v)
	case v.Kind() == reflect.String:
		if tag == "!!bool" {
			return mismatch + "; put it in quotes if it is meant"
		}
		if len(n.Value) > maxText || !validText(n.Value) {
			return fmt.Sprintf("the text is longer than %d bytes or not UTF-8", maxText)
		}
		v.SetString(n.Value)
	case v.Kind() == reflect.Bool:
		if tag != "!!bool" {
			return mismatch
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case v.CanInt() || v.CanUint():
		if tag != "!!int" {
			return mismatch
		}
		return setWhole(n.Value, v)
	case v.CanFloat():
		f, err := strconv.ParseFloat(n.Value, 64)
		if tag != "!!int" && tag != "!!float" || err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return mismatch
		}
		v.SetFloat(f)
	default:
		return "this can't be configured: a fault of Belfry's, please report it"
	}
	return ""
}

func setDuration(n *yaml.Node, v reflect.Value) (wrong string) {
	if n.Value == "0" {
		v.SetInt(0)
		return ""
	}
	if tag := n.ShortTag(); tag == "!!int" || tag == "!!float" {
		return fmt.Sprintf("%s has no unit; write %ss, %sm or %sh", quote(n.Value), n.Value, n.Value, n.Value)
	}
	span, err := ParseDuration(n.Value)
	if err != nil {
		return err.Error()
	}
	v.SetInt(int64(span))
	return ""
}

func setWhole(text string, v reflect.Value) (wrong string) {
	if v.CanUint() {
		u, err := strconv.ParseUint(text, 10, 64)
		if err != nil || v.OverflowUint(u) {
			return quote(text) + " is negative, too large, or not in decimal digits"
		}
		v.SetUint(u)
		return ""
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v.OverflowInt(i) {
		return quote(text) + " is too large or not in decimal digits"
	}
	v.SetInt(i)
	return ""
}
