// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/route"
)

func matchers(t testing.TB, text string) route.Matchers {
	t.Helper()
	m, err := route.ParseMatchers(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func target(t testing.TB, text string) route.Target {
	t.Helper()
	g, err := route.ParseTarget(text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// table builds routes from lines "name | match | channels | rings | continue",
// where the rings of all channels are handles and a priority.
func table(t testing.TB, lines ...string) *route.Table {
	t.Helper()
	var routes []route.Route
	for _, line := range lines {
		f := strings.Split(line, " |")
		for i := range f {
			f[i] = strings.TrimSpace(f[i])
		}
		r := route.Route{Name: f[0], Matchers: matchers(t, f[1]), Continue: f[4] == "continue"}
		var ring alert.Ring
		for _, word := range strings.Fields(f[3]) {
			if p := alert.Priority(word); p == alert.PriorityImportant || p == alert.PriorityUrgent {
				ring.Priority = p
			} else {
				ring.Mentions = append(ring.Mentions, word)
			}
		}
		for _, c := range strings.Fields(f[2]) {
			r.Channels = append(r.Channels, target(t, c))
			if !ring.Silent() {
				r.Rings = append(r.Rings, ring)
			}
		}
		routes = append(routes, r)
	}
	def := route.Route{Name: "default", Channels: []route.Target{target(t, "room/alerts")}, Rings: []alert.Ring{{Mentions: []string{"duty"}}}}
	tab, err := route.New(routes, def)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestMatch(t *testing.T) {
	tab := table(t,
		`audit    | team="db"                          | room/audit            |        | continue`,
		`db-crit  | team=~"db.*", severity="critical"  | chat/ops chat/db      | oncall |`,
		`db       | team=~"db.*"                       | chat/db               |        |`,
		`both     | host="both"                        | chat/ops chat/ops     | a b urgent | continue`,
		`after    | host=~"both|other"                 | chat/db chat/ops      | b c important |`,
		`noteam   | team="", kind!="host", rule!~"x.+" | room/strays           |        |`,
		`utf8     | "größe"="übel"                     | room/strays           |        |`,
	)
	for _, c := range []struct {
		name    string
		labels  alert.Labels
		targets string
		rings   string
		routes  string
	}{
		{"first match wins", alert.Labels{"team": "dba", "severity": "critical"}, "chat/ops chat/db", "[oncall ] [oncall ]", "db-crit"},
		{"a later one when the first does not hold", alert.Labels{"team": "dba", "severity": "warning"}, "chat/db", "", "db"},
		{"continue adds, in order", alert.Labels{"team": "db", "severity": "critical"}, "room/audit chat/ops chat/db", "[ ] [oncall ] [oncall ]", "audit db-crit"},
		{"each channel once, with all its handles and the highest priority", alert.Labels{"host": "both", "team": "x"}, "chat/ops chat/db", "[a b c urgent] [b c important]", "both after"},
		{"regular expressions hold for the whole value", alert.Labels{"host": "another", "kind": "host", "team": "x"}, "room/alerts", "[duty ]", "default"},
		{"a missing label is empty", alert.Labels{"kind": "service"}, "room/strays", "", "noteam"},
		{"nothing matches", alert.Labels{"kind": "host"}, "room/alerts", "[duty ]", "default"},
		{"no labels at all", nil, "room/strays", "", "noteam"},
		{"label names in UTF-8", alert.Labels{"größe": "übel", "team": "x"}, "room/strays", "", "utf8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := tab.Match(c.labels)
			var targets []string
			for _, g := range d.Targets {
				targets = append(targets, g.String())
			}
			got := [3]string{strings.Join(targets, " "), rings(d), strings.Join(d.Routes, " ")}
			if diff := cmp.Diff([3]string{c.targets, c.rings, c.routes}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// rings shows how the cards of a decision are announced.
func rings(d route.Decision) string {
	var all []string
	for _, r := range d.Rings {
		all = append(all, "["+strings.Join(r.Mentions, " ")+" "+string(r.Priority)+"]")
	}
	return strings.Join(all, " ")
}

func TestAppendingToADecisionDoesNotReachTheTable(t *testing.T) {
	tab := table(t, `one | a="b" | room/one | x |`)
	first := tab.Match(alert.Labels{"a": "b"})
	_ = append(first.Targets, target(t, "room/own"))
	_ = append(first.Rings, alert.Ring{Priority: alert.PriorityUrgent})
	_ = first.Rings[0].With(alert.Ring{Mentions: []string{"own"}})
	second := tab.Match(alert.Labels{"a": "b"})
	if n := len(append(second.Targets, target(t, "room/other"))); n != 2 || len(second.Rings) != 1 || len(second.Rings[0].Mentions) != 1 {
		t.Errorf("an appended channel leaked into the table: %v", second)
	}
	if len(first.Targets) != 1 {
		t.Errorf("the first decision has changed: %v", first)
	}
}

func TestNewRefuses(t *testing.T) {
	room := []route.Target{{Connection: "room", Channel: "alerts"}}
	for name, c := range map[string]struct {
		routes []route.Route
		def    route.Route
		want   string
	}{
		"a default without channel": {nil, route.Route{}, "the default route has no channel"},
		"a route without channel":   {[]route.Route{{Name: "x"}}, route.Route{Channels: room}, "route x has no channel"},
		"too many routes":           {make([]route.Route, route.MaxRoutes+1), route.Route{Channels: room}, "at most 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := route.New(c.routes, c.def); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestParseMatchersTellsWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`severity`:                                   "is not understood",
		`severity="critical" team=db`:                "expected a comma",
		`host=~"("`:                                  "missing closing )",
		`{a="b"`:                                     "expected close brace",
		`a="b` + strings.Repeat("x", 5000) + `"`:     "at most 4096",
		`a=~"` + strings.Repeat("x", 2000) + `"`:     "the regular expression for a has 2000 characters",
		strings.Repeat(`a="b",`, 40) + `a="b"`:       "a match has 41 parts",
		"a=~\"(((((x{100}){100}){100}){100}){100}\"": "is not understood",
	} {
		_, err := route.ParseMatchers(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: error %v, want one with %q", text, err, want)
		}
	}
}

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]route.Target{
		"room/alerts":      {Connection: "room", Channel: "alerts"},
		"chat/team/Ops":    {Connection: "chat", Channel: "team/Ops"},
		"chat-2/störungen": {Connection: "chat-2", Channel: "störungen"},
	} {
		got, err := route.ParseTarget(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "is empty", "alerts": "write connection/alerts", "/x": "not the name of a connection",
		"Chat/x": "not the name of a connection", "-c/x": "not the name", "chat/": "names no channel",
		"chat/a b": "white space", "chat/a\x00": "unprintable", "chat/a\xff": "unprintable", "chat/\u202ex": "unprintable",
		"chat/" + strings.Repeat("x", 129):        "longer than 128",
		strings.Repeat("c", 32) + "/x":            "not the name",
		"nosuch" + strings.Repeat("ü", 100) + "x": "…",
	} {
		if _, err := route.ParseTarget(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

// TestRoutesThatCallForIncidents: those that decide, and no others.
func TestRoutesThatCallForIncidents(t *testing.T) {
	one := func(name, match string, goOn, calls bool) route.Route {
		m, err := route.ParseMatchers(match)
		if err != nil {
			t.Fatal(err)
		}
		return route.Route{Name: name, Matchers: m, Channels: []route.Target{target(t, "room/x")}, Continue: goOn, Calls: calls}
	}
	tab, err := route.New([]route.Route{one("a", `team="db"`, true, true), one("b", `team="db"`, true, false), one("c", `severity="critical"`, false, true),
		one("d", `team="db"`, false, true)}, one("default", `x="y"`, false, false))
	if err != nil {
		t.Fatal(err)
	}
	for want, labels := range map[string]alert.Labels{"a c": {"team": "db", "severity": "critical"}, "a d": {"team": "db"}, "c": {"severity": "critical"}, "": {}} {
		if got := strings.Join(tab.Match(labels).Calls, " "); got != want {
			t.Errorf("%v: %q calls, want %q", labels, got, want)
		}
	}
}
