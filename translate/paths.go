// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// step is one part of a path: a key, an item of a list, or all of its items.
type step struct {
	key  string
	item int
	all  bool
}

// ask is a path of the payload that a program counts on.
type ask struct {
	path []step
	// field is the key of the output that is made of it; empty: of none.
	field string
	// maybe is true inside of if: it may not have been asked for at all.
	maybe bool
}

// maxAsks bounds what is remembered of a program.
const maxAsks = 500

// place is where in the payload a part of a program looks.
type place struct {
	known bool
	path  []step
	field string
	// calm is true where nothing being there is all right: before //, in
	// conditions, in what is tried.
	calm bool
	// maybe is true inside of if.
	maybe bool
	vars  map[string]place
}

func (p place) nowhere() place { p.known, p.path = false, nil; return p }

func (p place) quiet() place { p.calm = true; return p }

// inherit takes from at what does not depend on where p looks.
func (p *place) inherit(at place) {
	p.field, p.calm, p.maybe, p.vars = at.field, at.calm, at.maybe, at.vars
}

func (p place) step(s step) place {
	p.path = append(slices.Clip(p.path), s)
	return p
}

// asksOf reads from a program's syntax which paths of the payload it counts
// on. It sees plain paths, pipes, map, select and variables; what it does not
// see only makes a fault say less.
func asksOf(q *gojq.Query) []ask {
	r := &reader{}
	r.query(q, place{known: true})
	return r.asks
}

type reader struct{ asks []ask }

// query returns where the value of q stands, if that is known.
func (r *reader) query(q *gojq.Query, at place) place {
	switch {
	case q == nil:
		return at.nowhere()
	case q.Term != nil:
		return r.term(q.Term, at)
	case q.Op == gojq.OpPipe && len(q.Patterns) > 0:
		from := r.query(q.Left, at)
		if len(q.Patterns) == 1 && q.Patterns[0].Name != "" {
			at.vars = maps.Clone(at.vars)
			if at.vars == nil {
				at.vars = map[string]place{}
			}
			at.vars[q.Patterns[0].Name] = from
		}
		return r.query(q.Right, at)
	case q.Op == gojq.OpPipe:
		left := r.query(q.Left, at)
		left.inherit(at)
		return r.query(q.Right, left)
	case q.Op == gojq.OpAlt:
		r.query(q.Left, at.quiet())
		r.query(q.Right, at)
	case q.Op == gojq.OpComma, q.Op == gojq.OpAdd:
		r.query(q.Left, at)
		r.query(q.Right, at)
	default:
		r.query(q.Left, at.quiet())
		r.query(q.Right, at.quiet())
	}
	return at.nowhere()
}

func (r *reader) term(t *gojq.Term, at place) place {
	here := r.base(t, at)
	for _, s := range t.SuffixList {
		switch {
		case s.Optional:
			here.calm = true
		case s.Iter:
			here = here.step(step{all: true})
		case s.Index != nil:
			here = index(here, s.Index)
		}
	}
	if here.known && !here.calm && len(here.path) > 0 && len(r.asks) < maxAsks {
		r.asks = append(r.asks, ask{path: here.path, field: here.field, maybe: at.maybe})
	}
	return here
}

// base is where a term without its suffixes looks.
func (r *reader) base(t *gojq.Term, at place) place {
	switch t.Type {
	case gojq.TermTypeIdentity:
		return at
	case gojq.TermTypeIndex:
		return index(at, t.Index)
	case gojq.TermTypeQuery:
		return r.query(t.Query, at)
	case gojq.TermTypeFunc:
		return r.function(t.Func, at)
	case gojq.TermTypeObject:
		r.object(t.Object, at)
	case gojq.TermTypeArray:
		r.query(t.Array.Query, at)
	case gojq.TermTypeIf:
		r.branches(t.If, at)
	case gojq.TermTypeString:
		for _, q := range t.Str.Queries {
			r.query(q, at)
		}
	}
	return at.nowhere()
}

func (r *reader) function(f *gojq.Func, at place) place {
	if from, ok := at.vars[f.Name]; ok {
		from.inherit(at)
		return from
	}
	if f.Name == "select" && len(f.Args) == 1 {
		r.query(f.Args[0], at.quiet())
		return at
	}
	inside := at.quiet()
	if f.Name == "map" {
		inside = at.step(step{all: true})
	}
	for _, q := range f.Args {
		r.query(q, inside)
	}
	return at.nowhere()
}

func (r *reader) branches(i *gojq.If, at place) {
	r.query(i.Cond, at.quiet())
	at.maybe = true
	r.query(i.Then, at)
	for _, other := range i.Elif {
		r.query(other.Cond, at.quiet())
		r.query(other.Then, at)
	}
	r.query(i.Else, at)
}

func (r *reader) object(o *gojq.Object, at place) {
	for _, kv := range o.KeyVals {
		inside := at
		if inside.field == "" {
			inside.field = kv.Key
		}
		switch {
		case kv.Val != nil:
			r.query(kv.Val, inside)
		case kv.Key != "" && kv.Key[0] != '$' && at.known && !at.calm:
			r.asks = append(r.asks, ask{path: at.step(step{key: kv.Key}).path, field: inside.field, maybe: at.maybe})
		}
	}
}

func index(at place, i *gojq.Index) place {
	switch {
	case !at.known:
		return at
	case i.Name != "":
		return at.step(step{key: i.Name})
	case i.Str != nil && i.Str.Queries == nil:
		return at.step(step{key: i.Str.Str})
	case i.Start != nil && !i.IsSlice && i.Start.Term != nil && i.Start.Term.Type == gojq.TermTypeNumber:
		if n, err := strconv.Atoi(i.Start.Term.Number); err == nil && n >= 0 {
			return at.step(step{item: n})
		}
	}
	return at.nowhere()
}

// missing says which of the paths are not in the payload, at most three: those
// behind field, or without a field those that were asked for in any case. What
// has the wrong type is told before what is not there at all, which a program
// may well allow.
func missing(asks []ask, field string, input any) []string {
	var absent, mistyped []string
	for _, a := range asks {
		if field != "" && a.field != field || field == "" && a.maybe {
			continue
		}
		text := lookUp(input, a.path, "")
		list := &absent
		if strings.HasSuffix(text, " wanted") {
			list = &mistyped
		}
		if text != "" && !slices.Contains(*list, text) && len(*list) < 3 {
			*list = append(*list, text)
		}
	}
	if len(mistyped) > 0 {
		return mistyped
	}
	return absent
}

// lookUp follows path from v, which stands at where, and says what stops it.
func lookUp(v any, path []step, where string) (wrong string) {
	if len(path) == 0 {
		if v == nil {
			return named(where) + " is null"
		}
		return ""
	}
	if v == nil {
		return named(where) + " is null"
	}
	s := path[0]
	if !s.all && s.key != "" {
		return lookUpKey(v, s.key, path[1:], where)
	}
	list, ok := v.([]any)
	switch {
	case !ok && s.all:
		if _, object := v.(map[string]any); object {
			return "" // jq takes an object's values
		}
		return named(where) + " is " + kindOf(v) + ", a list is wanted"
	case !ok:
		return named(where) + " is " + kindOf(v) + ", a list is wanted"
	case !s.all && s.item >= len(list):
		return fmt.Sprintf("%s has %d items, number %d is wanted", named(where), len(list), s.item+1)
	case !s.all:
		return lookUp(list[s.item], path[1:], fmt.Sprintf("%s[%d]", where, s.item))
	}
	for i, item := range list {
		if wrong := lookUp(item, path[1:], fmt.Sprintf("%s[%d]", where, i)); wrong != "" {
			return wrong
		}
	}
	return ""
}

func lookUpKey(v any, key string, rest []step, where string) string {
	object, ok := v.(map[string]any)
	if !ok {
		return named(where) + " is " + kindOf(v) + ", an object is wanted"
	}
	below := where + "." + key
	if !isName(key) {
		below = where + "[" + strconv.Quote(key) + "]"
	}
	inner, ok := object[key]
	if !ok {
		return named(below) + " is missing"
	}
	return lookUp(inner, rest, below)
}

// named is a path as people write it.
func named(where string) string {
	if where == "" {
		return "the payload"
	}
	return strings.TrimPrefix(where, ".")
}

func isName(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// behind adds what is missing to a fault.
func behind(wrong []string) string {
	if len(wrong) == 0 {
		return ""
	}
	return "; in the payload " + bounded(strings.Join(wrong, ", and "))
}
