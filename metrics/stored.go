// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"belfry/incident"
	"belfry/store"
)

// What is read from the database at each scrape. Those of incidents are gauges,
// although they mostly grow: who reopens an incident, or finds its severity to
// be another, takes something back.
var (
	databaseUp = desc("belfry_database_up", "Whether the database could be read for this scrape; what is read there is left out otherwise.")
	firing     = desc("belfry_alerts_firing", "Alerts that fire.", "source", "severity")
	due        = desc("belfry_deliveries_due", "Cards and notes that are to be posted or edited, now or later.", "connection")
	failing    = desc("belfry_deliveries_failing", "Those of belfry_deliveries_due that were tried in vain.", "connection")
	dead       = desc("belfry_deliveries_dead", "Cards and notes that were given up.", "connection")
	oldest     = desc("belfry_deliveries_oldest_due_timestamp_seconds", "When the first of belfry_deliveries_due fell due, or is tried again.", "connection")
	toldDue    = desc("belfry_writebacks_due", "Commands that a monitoring system is to be told, or has not confirmed yet.", "source")
	toldFails  = desc("belfry_writebacks_failing", "Those of belfry_writebacks_due that were tried in vain.", "source")
	toldDead   = desc("belfry_writebacks_dead", "Commands that were given up.", "source")
	toldOldest = desc("belfry_writebacks_oldest_due_timestamp_seconds", "When the first of belfry_writebacks_due fell due, or is looked at again.", "source")
	payloads   = desc("belfry_payloads_kept", "Hand-overs that no program understood and that wait for people.", "source")

	open     = desc("belfry_incidents_open", "Incidents that are open, private ones included and exercises left out.", "status", "severity")
	declared = desc("belfry_incidents_declared", "Incidents that count in figures: neither private nor exercises nor cancelled.", "service", "severity")

	// got is how many of them got so far, took how long that took all in all.
	got = [3]*prometheus.Desc{
		desc("belfry_incidents_acknowledged", "Incidents of belfry_incidents_declared that somebody took on.", "service", "severity"),
		desc("belfry_incidents_mitigated", "Incidents of belfry_incidents_declared that are mitigated.", "service", "severity"),
		desc("belfry_incidents_resolved", "Incidents of belfry_incidents_declared that are resolved.", "service", "severity"),
	}
	took = [3]*prometheus.Desc{
		desc("belfry_incidents_acknowledge_seconds", "How long it took to take them on, all added up.", "service", "severity"),
		desc("belfry_incidents_mitigate_seconds", "How long it took to mitigate them, all added up.", "service", "severity"),
		desc("belfry_incidents_resolve_seconds", "How long it took to resolve them, all added up.", "service", "severity"),
	}
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// stored reads the database for one scrape, whose context it keeps: a collector
// is given none.
type stored struct {
	*Metrics
	ctx context.Context //nolint:containedctx // see above
}

// Describe implements prometheus.Collector.
func (s stored) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range slices.Concat([]*prometheus.Desc{databaseUp, firing, due, failing, dead, oldest, toldDue, toldFails, toldDead, toldOldest, payloads, open, declared}, got[:], took[:]) {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s stored) Collect(ch chan<- prometheus.Metric) {
	g := gauges(ch)
	measures, err := s.opt.Store.Measures(s.ctx)
	var counts []store.IncidentCount
	if err == nil {
		counts, err = s.opt.Store.CountIncidents(s.ctx)
	}
	var figures []incident.Figure
	if err == nil {
		figures, err = s.opt.Store.Figures(s.ctx, store.FigureFilter{})
	}
	if err != nil {
		s.opt.Log.Error("can't read what the metrics tell", "err", err)
		g.tell(databaseUp, 0)
		return
	}
	g.tell(databaseUp, 1)
	for _, c := range measures.Firing {
		g.tell(firing, float64(c.N), c.Source, c.Severity.String())
	}
	for source, n := range measures.Payloads {
		g.tell(payloads, float64(n), source)
	}
	g.duties(measures.Duties)
	g.incidents(counts)
	g.figures(figures)
}

// gauges takes what is read.
type gauges chan<- prometheus.Metric

func (g gauges) tell(d *prometheus.Desc, value float64, labels ...string) {
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "\ufffd")
	}
	g <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

// waiting is how much waits at the destinations of one connection or source.
type waiting struct {
	due, failing, dead int
	oldest             time.Time
}

func (g gauges) duties(list []store.DutyCount) {
	chats, sources := map[string]*waiting{}, map[string]*waiting{}
	for _, c := range list {
		name, isSource := strings.CutPrefix(c.Destination, "monitor/")
		of := sources
		if !isSource {
			of = chats
			name, _, _ = strings.Cut(name, "/")
		}
		w := of[name]
		if w == nil {
			w = &waiting{}
			of[name] = w
		}
		if c.State == store.DutyDead {
			w.dead += c.N
			continue
		}
		w.due, w.failing = w.due+c.N, w.failing+c.Failing
		if w.oldest.IsZero() || c.Oldest.Before(w.oldest) {
			w.oldest = c.Oldest
		}
	}
	for _, k := range []struct {
		of                         map[string]*waiting
		due, failing, dead, oldest *prometheus.Desc
	}{{chats, due, failing, dead, oldest}, {sources, toldDue, toldFails, toldDead, toldOldest}} {
		for name, w := range k.of {
			g.tell(k.due, float64(w.due), name)
			g.tell(k.failing, float64(w.failing), name)
			g.tell(k.dead, float64(w.dead), name)
			if w.due > 0 {
				g.tell(k.oldest, float64(w.oldest.UnixMilli())/1e3, name)
			}
		}
	}
}

// incidents tells of every status in which an incident is open, of each severity
// that there ever was: a row must not end when nothing is left in it.
func (g gauges) incidents(counts []store.IncidentCount) {
	type row struct{ status, severity string }
	rows := map[row]int{}
	for _, c := range counts {
		if c.Kind == incident.Test {
			continue
		}
		for _, status := range incident.Statuses() {
			if status.Open() {
				rows[row{string(status), c.Severity}] += 0
			}
		}
		if c.Status.Open() {
			rows[row{string(c.Status), c.Severity}] += c.N
		}
	}
	for r, n := range rows {
		g.tell(open, float64(n), r.status, r.severity)
	}
}

// maxGroups bounds the pairs of service and severity, which configurations
// that come and go can make many; others stands for the rest's names.
const (
	maxGroups = 200
	others    = "(others)"
)

func (g gauges) figures(list []incident.Figure) {
	if len(list) > maxGroups {
		list = folded(list)
	}
	for _, f := range list {
		g.tell(declared, float64(f.N), f.Service, f.Severity)
		for n, m := range [3]incident.Mean{f.Acknowledge, f.Mitigate, f.Resolve} {
			g.tell(got[n], float64(m.N), f.Service, f.Severity)
			g.tell(took[n], m.Time.Seconds()*float64(m.N), f.Service, f.Severity)
		}
	}
}

// folded keeps the figures of those groups with the most incidents, and adds
// all others up.
func folded(list []incident.Figure) []incident.Figure {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b incident.Figure) int { return cmp.Compare(b.N, a.N) })
	kept, rest := list[:maxGroups], incident.Figure{Service: others, Severity: others}
	for _, f := range list[maxGroups:] {
		rest.N += f.N
		for into, m := range map[*incident.Mean]incident.Mean{&rest.Acknowledge: f.Acknowledge, &rest.Mitigate: f.Mitigate, &rest.Resolve: f.Resolve} {
			if n := into.N + m.N; n > 0 {
				into.Time = time.Duration((into.Time.Seconds()*float64(into.N) + m.Time.Seconds()*float64(m.N)) / float64(n) * float64(time.Second))
				into.N = n
			}
		}
	}
	return append(kept, rest)
}
