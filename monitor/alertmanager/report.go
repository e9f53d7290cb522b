// SPDX-License-Identifier: Apache-2.0

package alertmanager

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"belfry/alert"
	"belfry/monitor"
)

// maxLabel bounds a label's name and value, in bytes; longer values are cut.
const maxLabel = 4096

// report says what one alert means.
//
// The problem's number is startsAt: Alertmanager keeps it while an alert lasts,
// so a new one is a new problem, even where the end of the old one was never
// told (it sends none for an alert that ends while it is silenced). The end of
// an alert carries no number: startsAt can have moved to an earlier time in
// between, when a second Prometheus reported the same, and an end that does not
// match would leave the card burning for ever.
func (a *webhookAlert) report(d *monitor.Decoded) (alert.Report, error) {
	a.tidy(d)
	r := alert.Report{
		Object: alert.Object{
			Kind: alert.KindRule,
			Rule: cmp.Or(a.Labels["alertname"], "unnamed alert"),
			Host: a.Labels["instance"],
			Key:  a.key(),
		},
		Labels: a.Labels, State: a.Status, Output: a.output(), Link: a.link(d),
	}
	switch a.Status {
	case "firing":
		r.Kind, r.At, r.Severity = alert.ReportProblem, a.StartsAt, a.severity(d)
		if !a.StartsAt.IsZero() {
			r.ProblemID = a.StartsAt.UTC().Format(time.RFC3339Nano)
		}
	case "resolved":
		r.Kind, r.At, r.Severity = alert.ReportRecovery, a.EndsAt, alert.SeverityOK
	default:
		return r, fmt.Errorf("status: %s is not known; it is firing or resolved", monitor.Quote(a.Status))
	}
	return r, nil
}

// tidy makes every text fit to be stored and shown.
func (a *webhookAlert) tidy(d *monitor.Decoded) {
	for _, m := range []map[string]string{a.Labels, a.Annotations} {
		for k, v := range m {
			if !plain(v) {
				m[k] = monitor.Printable(v)
			}
			if len(k) > maxLabel || !plain(k) && monitor.Printable(k) != k {
				d.Warn("label %s is not used: its name is too long or has control characters", monitor.Quote(k))
				delete(m, k)
			}
		}
	}
	for k, v := range a.Labels {
		if len(v) > maxLabel {
			d.Warn("label %s is cut: its value has %d bytes, more than %d", monitor.Quote(k), len(v), maxLabel)
			a.Labels[k] = strings.ToValidUTF8(v[:maxLabel], "")
		}
	}
}

// plain says whether s is ASCII without control characters, so that Printable,
// which is slower, would not change it.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// key returns the fingerprint, or one of our own where the sender has none.
func (a *webhookAlert) key() string {
	if fp := monitor.Printable(a.Fingerprint); fp != "" && len(fp) <= maxLabel {
		return fp
	}
	h := sha256.New()
	for _, k := range slices.Sorted(maps.Keys(a.Labels)) {
		_, _ = fmt.Fprintf(h, "%q=%q,", k, a.Labels[k])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// severity reads the label of that name; without it nothing is known.
func (a *webhookAlert) severity(d *monitor.Decoded) alert.Severity {
	word, given := a.Labels["severity"]
	s, known := alert.ParseSeverity(word)
	if given && !known {
		d.Warn("severity: %s is not known; it counts as unknown: use critical, warning or info", monitor.Quote(word))
	}
	if known && s == alert.SeverityOK {
		// It fires, whatever its label says.
		return alert.SeverityInfo
	}
	return s
}

// output is what the annotations say, the shortest first.
func (a *webhookAlert) output() string {
	summary, description := a.Annotations["summary"], cmp.Or(a.Annotations["description"], a.Annotations["message"])
	if summary == description {
		description = ""
	}
	runbook := a.Annotations["runbook_url"]
	if runbook != "" {
		runbook = "runbook: " + runbook
	}
	if description == "" && runbook == "" {
		return summary
	}
	return strings.Join(slices.DeleteFunc([]string{summary, description, runbook}, func(s string) bool { return s == "" }), "\n")
}

func (a *webhookAlert) link(d *monitor.Decoded) string {
	if a.GeneratorURL == "" {
		return ""
	}
	link, ok := monitor.WebLink(a.GeneratorURL)
	if !ok {
		d.Warn("generatorURL %s is not used as a link; it must start with http:// or https://", monitor.Quote(a.GeneratorURL))
	}
	return link
}
