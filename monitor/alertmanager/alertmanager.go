// SPDX-License-Identifier: Apache-2.0

// Package alertmanager takes the webhooks of Prometheus Alertmanager (version 4
// of their format) and of Grafana's alerting, which has the same shape.
//
// The flow: Decode reads a group (webhook.go) and makes one report of each
// alert in it (report.go). A group's own status says little: one of its members
// may have been resolved while another is silenced, so every alert is followed
// by its own fingerprint.
package alertmanager

import (
	"log/slog"

	"belfry/alert"
	"belfry/clock"
	"belfry/config"
	"belfry/monitor"
)

// Config is how an Alertmanager is reached; there is nothing to set yet, since
// it sends and is not told anything.
type Config struct{}

var _ config.Spec = (*Config)(nil)

// Validate implements config.Spec.
func (*Config) Validate() []error { return nil }

// Options are what an Alertmanager is opened with.
type Options struct {
	// Name is the source's, for messages.
	Name  string
	Clock clock.Clock
	Log   *slog.Logger
}

// Open returns the monitor.
func (*Config) Open(Options) (monitor.Monitor, error) { return Monitor{}, nil }

// Monitor takes what an Alertmanager sends. It can't be told anything.
type Monitor struct{}

var _ monitor.Monitor = Monitor{}

// Decode implements monitor.Monitor for the body of a webhook.
func (Monitor) Decode(contentType string, body []byte) (monitor.Decoded, error) {
	var d monitor.Decoded
	w, err := parse(contentType, body, &d)
	if err != nil {
		return monitor.Decoded{}, err
	}
	d.Reports = make([]alert.Report, 0, len(w.Alerts))
	for i := range w.Alerts {
		r, err := w.Alerts[i].report(&d)
		if err != nil {
			return monitor.Decoded{}, numbered(i, len(w.Alerts), err)
		}
		d.Reports = append(d.Reports, r)
	}
	return d, nil
}
