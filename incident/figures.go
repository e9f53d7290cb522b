// SPDX-License-Identifier: Apache-2.0

package incident

import "time"

// Mean is an average over those incidents that got so far.
type Mean struct {
	Time time.Duration
	// N is how many incidents it is the mean of; 0: none, and Time says nothing.
	N int
}

// Figure is how long it took with the incidents of one service and severity. An
// incident of several services is in the figures of each.
type Figure struct {
	// Service and Severity are empty for incidents without one.
	Service, Severity string
	// N counts the incidents.
	N int
	// Acknowledge, Mitigate and Resolve are counted from the declaration on.
	Acknowledge, Mitigate, Resolve Mean
}

// Counts says whether i is in figures: exercises and what was cancelled are not.
func (i *Incident) Counts() bool { return i.Kind != Test && i.Status != Cancelled }
