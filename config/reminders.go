// SPDX-License-Identifier: Apache-2.0

package config

import "time"

// IncidentReminders say after how long people are reminded of what an incident
// lacks; 0: never. See incident.Reminders.
type IncidentReminders struct {
	// Commander: nobody leads it. Update: nobody says how it stands. Triage: it
	// is still in triage.
	Commander time.Duration `yaml:"commander"`
	Update    time.Duration `yaml:"update"`
	Triage    time.Duration `yaml:"triage"`
	// Tasks: the owner of a task when it is due.
	Tasks bool `yaml:"tasks"`
}

// Bounds of a reminder.
const (
	minReminder = time.Minute
	maxReminder = 7 * 24 * time.Hour
)

func (r *IncidentReminders) check(w *wrongs) {
	for _, x := range []struct {
		name  string
		after time.Duration
	}{{"commander", r.Commander}, {"update", r.Update}, {"triage", r.Triage}} {
		if x.after != 0 && (x.after < minReminder || x.after > maxReminder) {
			w.add("reminders", "%s: %s is out of bounds; it is between 1m and 7d, or 0 for never", x.name, x.after)
		}
	}
}
