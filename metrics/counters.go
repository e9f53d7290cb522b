// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// counters are what this process did since its start.
type counters struct {
	requests, reports, deliveries, writebacks *prometheus.CounterVec
}

func newCounters() counters {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	return counters{
		requests:   vec("belfry_intake_requests_total", "Hand-overs of monitoring systems and tools by what became of them, since the start.", "source", "outcome"),
		reports:    vec("belfry_intake_reports_total", "Reports in hand-overs that were stored, since the start.", "source"),
		deliveries: vec("belfry_deliveries_total", "Attempts to post or edit in chat by how they ended, since the start.", "connection", "kind", "outcome"),
		writebacks: vec("belfry_writebacks_total", "Attempts to tell a monitoring system by how they ended, since the start.", "source", "outcome"),
	}
}

func (c counters) all() []prometheus.Collector {
	return []prometheus.Collector{c.requests, c.reports, c.deliveries, c.writebacks}
}

// Expect has a source's counters stand at 0 before anything happens, so that
// the first of something is seen as an increase. source may be empty, for
// hand-overs without one.
func (m *Metrics) Expect(source string, outcomes ...string) {
	for _, outcome := range outcomes {
		m.counters.requests.WithLabelValues(source, outcome)
	}
	if source != "" {
		m.counters.reports.WithLabelValues(source)
	}
}

// TookIn counts a hand-over. source is a configured one, or empty.
func (m *Metrics) TookIn(source, outcome string, reports int) {
	m.counters.requests.WithLabelValues(source, outcome).Inc()
	if reports > 0 {
		m.counters.reports.WithLabelValues(source).Add(float64(reports))
	}
}

// Delivered counts an attempt to carry a duty out, by its destination.
func (m *Metrics) Delivered(destination, kind, outcome string) {
	if source, ok := strings.CutPrefix(destination, "monitor/"); ok {
		m.counters.writebacks.WithLabelValues(source, outcome).Inc()
		return
	}
	connection, _, _ := strings.Cut(destination, "/")
	m.counters.deliveries.WithLabelValues(connection, kind, outcome).Inc()
}
