// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/chat/console"
	"belfry/chat/mattermost"
	"belfry/chat/slack"
	"belfry/clock"
	"belfry/config"
	"belfry/desk"
	"belfry/message"
	"belfry/monitor"
	"belfry/route"
)

// Translation is a payload to try out.
type Translation struct {
	// File is the configuration: its sources, routes and time zone.
	File *config.File
	// Source is a source of File. Or Spec is one that is not configured, of
	// the kind Kind, and Source a name for it.
	Source, Kind string
	Spec         config.Spec
	// ContentType and Body as a tool would send them.
	ContentType string
	Body        []byte
	Clock       clock.Clock
}

// Translate says what a payload would become, in plain text: each alert or
// message, where it would go, and its card as every platform would show it.
// Nothing is stored or sent.
func Translate(t Translation) (string, error) {
	kind, spec := t.Kind, t.Spec
	if spec == nil {
		i := slices.IndexFunc(t.File.Sources, func(s config.Source) bool { return s.Name == t.Source })
		if i < 0 {
			return "", noSource(t.Source, t.File.Sources)
		}
		kind, spec = t.File.Sources[i].Kind, t.File.Sources[i].Spec
	}
	opener, ok := monitors[kind]
	if !ok {
		return "", fmt.Errorf("kind %q is not known", kind)
	}
	m, err := opener(spec, plugin{name: t.Source, clock: t.Clock, log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", err
	}
	decoded, err := m.Decode(t.ContentType, t.Body)
	if err != nil {
		return "", err
	}
	table, err := route.New(t.File.Routes, t.File.Default)
	if err != nil {
		return "", err
	}
	_, tells := m.(monitor.Acknowledger)
	p := preview{source: t.Source, tells: tells, now: t.Clock.Now(), zone: t.File.Server.Location(), routing: &routing{routes: table,
		connections: connectionsOf(t.File), home: t.File.Default.Channels[0].Connection}}
	return p.write(decoded)
}

func noSource(name string, sources []config.Source) error {
	names := make([]string, len(sources))
	for i, s := range sources {
		names[i] = s.Name
	}
	return fmt.Errorf("there is no source %q in the configuration; there are %s", name, strings.Join(names, ", "))
}

func connectionsOf(f *config.File) map[string]bool {
	out := map[string]bool{}
	for _, c := range f.Connections {
		out[c.Name] = true
	}
	return out
}

// preview writes down what reports become.
type preview struct {
	source  string
	tells   bool
	now     time.Time
	zone    *time.Location
	routing *routing
	open    map[alert.Fingerprint]*alert.Alert
	b       strings.Builder
}

func (p *preview) write(d monitor.Decoded) (string, error) {
	p.open = map[alert.Fingerprint]*alert.Alert{}
	if len(d.Reports) == 0 {
		p.b.WriteString("nothing: this payload makes no alert and no message\n")
	}
	for i, r := range d.Reports {
		if i > 0 {
			p.b.WriteString("\n")
		}
		if err := p.report(i+1, r); err != nil {
			return "", err
		}
	}
	for _, w := range d.Warnings {
		p.b.WriteString("warning: " + w + "\n")
	}
	return p.b.String(), nil
}

// begun is how long ago a problem is shown to have begun whose end is all that
// the payload tells.
const begun = 10 * time.Minute

func (p *preview) report(n int, r alert.Report) error {
	object := r.Object.Fingerprint()
	problem := p.open[object]
	assumed := ""
	if problem == nil && (r.Kind == alert.ReportRecovery || r.Kind == alert.ReportUnack) {
		assumed = "; shown as if it had been open"
		before := r
		before.Kind, before.Severity, before.At = alert.ReportProblem, alert.SeverityUnknown, cmp.Or(r.At, p.now).Add(-begun)
		problem = alert.Apply(p.source, nil, nil, before, p.now).Alerts[0]
		problem.Ack = alert.Ack{}
		if r.Kind == alert.ReportUnack {
			problem.Ack = alert.Ack{Phase: alert.AckSet, By: r.Author, At: problem.StartsAt}
		}
	}
	fmt.Fprintf(&p.b, "%d: %s\n", n, happens(r.Kind)+assumed)
	p.facts(r)
	applied := alert.Apply(p.source, problem, nil, r, p.now)
	if len(applied.Alerts) == 0 {
		p.b.WriteString("   changes nothing\n")
		return nil
	}
	a := applied.Alerts[len(applied.Alerts)-1]
	if a.Topic == alert.TopicProblem {
		p.open[object] = a
		if a.Status == alert.Resolved {
			delete(p.open, object)
		}
	}
	return p.card(a, p.goes(a))
}

// happens says what a report is.
func happens(k alert.ReportKind) string {
	switch k {
	case alert.ReportProblem:
		return "an alert begins or goes on"
	case alert.ReportRecovery:
		return "an alert ends"
	case alert.ReportAck:
		return "an alert was acknowledged"
	case alert.ReportUnack:
		return "an acknowledgement was taken back"
	case alert.ReportCustom:
		return "a message"
	}
	return strings.ReplaceAll(string(k), "_", " ")
}

func (p *preview) facts(r alert.Report) {
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&p.b, "   %-9s %s\n", name, chat.CleanLine(value))
		}
	}
	fact("about", r.Object.Name())
	fact("key", r.Object.Key)
	fact("severity", r.Severity.String())
	fact("state", r.State)
	fact("problem", r.ProblemID)
	if !r.At.IsZero() {
		fact("at", r.At.UTC().Format(time.RFC3339))
	}
	fact("link", r.Link)
	var labels []string
	for _, k := range slices.Sorted(maps.Keys(r.Labels)) {
		labels = append(labels, fmt.Sprintf("%s=%q", k, r.Labels[k]))
	}
	fact("labels", strings.Join(labels, " "))
}

// goes says where the routes lead an alert, and returns all that announces its
// cards there.
func (p *preview) goes(a *alert.Alert) alert.Ring {
	var by router
	by.table.Store(p.routing)
	var d desk.Router = &by
	routing := d.Route(a)
	var ring alert.Ring
	var to []string
	for i, destination := range routing.Destinations {
		if i < len(routing.Rings) && !routing.Rings[i].Silent() {
			ring = ring.With(routing.Rings[i])
			destination += announced(routing.Rings[i])
		}
		to = append(to, destination)
	}
	for _, named := range a.Channels {
		if destination, ok := d.Named(named); ok && !slices.Contains(routing.Destinations, destination) && !slices.Contains(to, destination) {
			to = append(to, destination)
		}
	}
	fmt.Fprintf(&p.b, "   %-9s %s\n", "goes to", cmp.Or(strings.Join(to, ", "), "no channel"))
	return ring
}

// announced says how a card is announced.
func announced(r alert.Ring) string {
	var said []string
	if r.Priority != alert.PriorityStandard {
		said = append(said, string(r.Priority))
	}
	if len(r.Mentions) > 0 {
		said = append(said, "rings "+strings.Join(r.Mentions, ", "))
	}
	if r.RequestAck {
		said = append(said, "asks to be confirmed")
	}
	return " (" + strings.Join(said, "; ") + ")"
}

func (p *preview) card(a *alert.Alert, ring alert.Ring) error {
	card := message.Card(a, message.Options{Ring: ring, Now: p.now, Location: p.zone, CanAcknowledge: p.tells, SourceName: p.source,
		Token: func(string) string { return "preview" }})
	inMattermost, err := mattermost.Preview(card)
	if err != nil {
		return err
	}
	inSlack, err := slack.Preview(card)
	if err != nil {
		return err
	}
	inRoom, err := console.Preview(card, p.now)
	if err != nil {
		return err
	}
	for _, shown := range []struct{ name, text string }{{"Mattermost", inMattermost}, {"Slack", inSlack}, {"the built-in room", inRoom}} {
		fmt.Fprintf(&p.b, "   in %s:\n", shown.name)
		for l := range strings.Lines(shown.text) {
			p.b.WriteString("   | " + l)
		}
	}
	return nil
}
