// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"slices"
	"time"
)

// Mean is an average over those incidents that got so far.
type Mean struct {
	Time time.Duration
	// N is how many incidents it is the mean of; 0: none, and Time says nothing.
	N int
}

// add takes one more incident into the mean.
func (m *Mean) add(d time.Duration) {
	m.Time = (m.Time*time.Duration(m.N) + d) / time.Duration(m.N+1)
	m.N++
}

// Figure is how long it took with the incidents of one service and severity.
type Figure struct {
	// Service and Severity are empty for incidents without one.
	Service, Severity string
	// N counts the incidents.
	N int
	// Acknowledge, Mitigate and Resolve are counted from the declaration on.
	Acknowledge, Mitigate, Resolve Mean
}

// Figures are the mean times of incidents by service and severity, in the order
// of their names. An incident of several services counts for each. Exercises and
// what was cancelled don't count.
func Figures(list []*Incident) []Figure {
	type group struct{ service, severity string }
	groups := map[group]*Figure{}
	for _, i := range list {
		if i.Kind == Test || i.Status == Cancelled {
			continue
		}
		services := i.Services
		if len(services) == 0 {
			services = []string{""}
		}
		for _, service := range services {
			g := group{service, i.Severity}
			f := groups[g]
			if f == nil {
				f = &Figure{Service: service, Severity: i.Severity}
				groups[g] = f
			}
			f.N++
			for s, m := range map[Status]*Mean{Started: &f.Acknowledge, Mitigated: &f.Mitigate, Resolved: &f.Resolve} {
				if d, ok := i.Took(s); ok {
					m.add(d)
				}
			}
		}
	}
	out := make([]Figure, 0, len(groups))
	for _, f := range groups {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Severity, b.Severity))
	})
	return out
}
