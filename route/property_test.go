// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"belfry/alert"
	"belfry/route"
)

var (
	names  = []string{"team", "host", "severity"}
	values = []string{"", "db", "dba", "web", "critical"}
	exprs  = []string{"db.*", "web|dba", "", ".+", ".*"}
)

// plainRoute is a route in a form that the test can judge without the package.
type plainRoute struct {
	texts    []string
	channels []string
	mentions []string
	goOn     bool
}

func drawRoute(t *rapid.T) plainRoute {
	var r plainRoute
	for range rapid.IntRange(0, 3).Draw(t, "matchers") {
		name, op := rapid.SampledFrom(names).Draw(t, "name"), rapid.SampledFrom([]string{"=", "!=", "=~", "!~"}).Draw(t, "op")
		value := rapid.SampledFrom(values).Draw(t, "value")
		if op[1:] == "~" {
			value = rapid.SampledFrom(exprs).Draw(t, "expr")
		}
		r.texts = append(r.texts, fmt.Sprintf("%s%s%q", name, op, value))
	}
	r.channels = rapid.SliceOfN(rapid.SampledFrom([]string{"c/a", "c/b", "d/a"}), 1, 3).Draw(t, "channels")
	r.mentions = rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y"}), 0, 3).Draw(t, "mentions")
	r.goOn = rapid.Bool().Draw(t, "continue")
	return r
}

// TestMatchAgreesWithTheRules judges every draw by the rules as written down:
// routes in order, all matchers one by one, stop at the first without continue.
func TestMatchAgreesWithTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfN(rapid.Custom(drawRoute), 0, 6).Draw(t, "routes")
		labels := alert.Labels{}
		for _, n := range names {
			if v := rapid.SampledFrom(values).Draw(t, n); v != "" {
				labels[n] = v
			}
		}
		var routes []route.Route
		var targets, decided []string
		rings := map[string][]string{}
		open := true
		for i, p := range drawn {
			r := route.Route{Name: fmt.Sprint(i), Continue: p.goOn}
			all := true
			for _, text := range p.texts {
				one, err := route.ParseMatchers(text)
				if err != nil {
					t.Fatal(err)
				}
				r.Matchers = append(r.Matchers, one...)
				all = all && one[0].Matches(labels[one[0].Name])
			}
			for _, c := range p.channels {
				g, err := route.ParseTarget(c)
				if err != nil {
					t.Fatal(err)
				}
				r.Channels = append(r.Channels, g)
				r.Rings = append(r.Rings, alert.Ring{Mentions: p.mentions})
			}
			routes = append(routes, r)
			if open && all {
				targets, decided = addNew(targets, p.channels), append(decided, r.Name)
				for _, c := range p.channels {
					rings[c] = addNew(rings[c], p.mentions)
				}
				open = p.goOn
			}
		}
		if decided == nil {
			targets, decided = []string{"room/alerts"}, []string{"default"}
			rings["room/alerts"] = []string{"duty"}
		}
		tab, err := route.New(routes, route.Route{Name: "default",
			Channels: []route.Target{{Connection: "room", Channel: "alerts"}}, Rings: []alert.Ring{{Mentions: []string{"duty"}}}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a second time: asking must not change the table
			d := tab.Match(labels)
			var got []string
			for i, g := range d.Targets {
				got = append(got, g.String())
				if !slices.Equal(d.Rings[i].Mentions, rings[g.String()]) {
					t.Fatalf("labels %v\nroutes %+v\n%s rings %v, want %v", labels, drawn, g, d.Rings[i].Mentions, rings[g.String()])
				}
			}
			if !slices.Equal(got, targets) || !slices.Equal(d.Routes, decided) {
				t.Fatalf("labels %v\nroutes %+v\ngot  %v %v\nwant %v %v", labels, drawn, got, d.Routes, targets, decided)
			}
		}
	})
}

func addNew(to, more []string) []string {
	for _, x := range more {
		if !slices.Contains(to, x) {
			to = append(to, x)
		}
	}
	return to
}

// TestMatchersSurviveTheirText: what String gives is parsed to the same.
func TestMatchersSurviveTheirText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := fmt.Sprintf("%s=%q", rapid.StringMatching(`[a-z_]{1,8}`).Draw(t, "name"),
			rapid.StringMatching(`[ -~äöü]{0,20}`).Draw(t, "value"))
		ms, err := route.ParseMatchers(text)
		if err != nil {
			t.Skip()
		}
		again, err := route.ParseMatchers(ms.String())
		if err != nil || again.String() != ms.String() || again[0].Value != ms[0].Value {
			t.Fatalf("%s became %v: %v", text, again, err)
		}
	})
}

// TestASieveLetsThroughWhatMatches: looking for a text first changes nothing.
func TestASieveLetsThroughWhatMatches(t *testing.T) {
	part := rapid.SampledFrom([]string{"a", "ab", "b+", ".*", ".", "(a|b)", "[ab]", "(?i:a)", "(?i)", "a?", "b{2}", "a|b", "(?:ab)", "^", "$", "ä"})
	rapid.Check(t, func(t *rapid.T) {
		expression := strings.Join(rapid.SliceOfN(part, 0, 5).Draw(t, "expression"), "")
		operator := rapid.SampledFrom([]string{"=~", "!~"}).Draw(t, "operator")
		ms, err := route.ParseMatchers(fmt.Sprintf("host%s%q, site!=%q", operator, expression, "a"))
		if err != nil {
			t.Skip()
		}
		sieve := ms.Sieve()
		for range 20 {
			l := alert.Labels{"host": rapid.StringMatching(`[abABä]{0,6}`).Draw(t, "host"), "site": rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "site")}
			if sieve(l) != ms.Match(l) {
				t.Fatalf("%v says %v of %v, its sieve otherwise", ms, ms.Match(l), l)
			}
		}
	})
}

func FuzzParseMatchers(f *testing.F) {
	for _, s := range []string{``, `a="b"`, `{a=~"x.*",b!="c"}`, `"ü b"="c"`, `a=b`, `a=~"("`, `{`, `a="\`, "a=\"\xff\"", `a="b",,`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ms, err := route.ParseMatchers(text)
		if err != nil {
			return
		}
		tab, err := route.New([]route.Route{{Name: "r", Matchers: ms, Channels: []route.Target{{Connection: "c", Channel: "d"}}}},
			route.Route{Name: "default", Channels: []route.Target{{Connection: "c", Channel: "e"}}})
		if err != nil {
			t.Fatal(err)
		}
		tab.Match(alert.Labels{"a": "b"})
	})
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"", "room/alerts", "a/b/c", "/", "a/", "A/b", "a/\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := route.ParseTarget(text)
		if err == nil && g.String() != text {
			t.Fatalf("%q became %q", text, g.String())
		}
	})
}

// BenchmarkMatch asks a table of 20 routes for an alert that only the last one
// wants: with a regular expression that has to be run in every route, and with
// one that a comparison beside it spares.
func BenchmarkMatch(b *testing.B) {
	for name, match := range map[string]string{
		"expressions": `host=~"db%02d.*", severity!="ok"`,
		"comparisons": `service=~"Disk.*", node="db%02d"`,
	} {
		b.Run(name, func(b *testing.B) {
			var lines []string
			for i := range 20 {
				lines = append(lines, fmt.Sprintf("r%d | "+match+" | chat/c%d | oncall | no", i, i, i))
			}
			tab := table(b, lines...)
			labels := alert.Labels{"host": "db19-prod", "node": "db19", "severity": "critical", "kind": "service", "service": "Disk /var"}
			b.ReportAllocs()
			for b.Loop() {
				if d := tab.Match(labels); d.Routes[0] != "r19" {
					b.Fatal(d)
				}
			}
		})
	}
}
