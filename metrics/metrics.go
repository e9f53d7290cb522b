// SPDX-License-Identifier: Apache-2.0

// Package metrics tells Prometheus how Belfry does.
//
// The flow: while Belfry runs, Delivered and TookIn count what it does
// (counters.go); those begin at 0 with each process. A scrape (ServeHTTP) adds
// what stands in the database at that moment (stored.go): alerts, duties,
// incidents and how long they took. Those are the same after a restart, and on
// every process that shares the database.
//
// Names and units are those of Prometheus' conventions
// (https://prometheus.io/docs/practices/naming/), the format is its text format,
// version 0.0.4. Labels are what is configured (sources,
// connections, severities, services) and words of Belfry's own; nothing that
// monitoring systems or people write is one. docs/metrics.md lists all.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"belfry/incident"
	"belfry/store"
)

// Store is where the figures are read. *store.Store is one.
type Store interface {
	Measures(ctx context.Context) (store.Measures, error)
	CountIncidents(ctx context.Context) ([]store.IncidentCount, error)
	Figures(ctx context.Context, f store.FigureFilter) ([]incident.Figure, error)
}

// Options of Metrics.
type Options struct {
	Store   Store
	Version string
	// Log gets what the database says when it can't be read; nil: silent.
	Log *slog.Logger
}

// Metrics counts, and answers scrapes.
type Metrics struct {
	opt      Options
	counters counters
	// registry is made for the first scrape: what describes Go and the process
	// takes half a megabyte, and where nobody scrapes nobody needs it.
	registry func() *prometheus.Registry
}

// readWithin bounds what a scrape asks of the database; Prometheus itself gives
// up after 10 s.
const readWithin = 8 * time.Second

// New returns metrics with all counters at 0.
func New(o Options) *Metrics {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &Metrics{opt: o, counters: newCounters()}
	m.registry = sync.OnceValue(m.register)
	return m
}

// register makes the registry of all that does not change from scrape to scrape.
func (m *Metrics) register() *prometheus.Registry {
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "belfry_build_info", Help: "Which Belfry this is; always 1."}, []string{"version"})
	build.WithLabelValues(m.opt.Version).Set(1)
	r := prometheus.NewRegistry()
	r.MustRegister(m.counters.all()...)
	r.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// ServeHTTP answers a scrape. A database that can't be read costs only what is
// read there: belfry_database_up is 0 then.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readWithin)
	defer cancel()
	now := prometheus.NewRegistry()
	now.MustRegister(stored{m, ctx})
	families, err := prometheus.Gatherers{m.registry(), now}.Gather()
	if err != nil {
		// Not half of it: what is missing would look as if it were gone.
		m.opt.Log.Error("can't put the metrics together, please report this", "err", err)
		http.Error(w, "can't put the metrics together, see the log", http.StatusInternalServerError)
		return
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain) // every scraper takes it
	w.Header().Set("Content-Type", string(format))
	encoder := expfmt.NewEncoder(w, format)
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			return // the scraper went away
		}
	}
}
