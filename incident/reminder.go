// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Reminders say after how long Belfry reminds of what is missing; 0: never.
type Reminders struct {
	// Commander is how long a started incident may be without its Leader.
	Commander time.Duration
	// Update is how long nobody may say how it stands while it is started or
	// mitigated.
	Update time.Duration
	// Triage is how long it may stay in triage.
	Triage time.Duration
	// Tasks has the owner of a task or follow-up reminded when it is due.
	Tasks bool
}

// MaxReminders is how often people are reminded of the same thing. Each time
// they are left in peace twice as long as before.
const MaxReminders = 3

// ReminderKind says what people are reminded of.
type ReminderKind string

// The kinds of reminders.
const (
	RemindCommander ReminderKind = "commander"
	RemindUpdate    ReminderKind = "update"
	RemindTriage    ReminderKind = "triage"
	RemindTask      ReminderKind = "task"
)

// Reminded is what was said already of one kind.
type Reminded struct {
	// Since is since when what was missing was missing then: with another one
	// it counts anew.
	Since time.Time `json:"since"`
	// Times is how often it was said, At when last.
	Times int       `json:"times"`
	At    time.Time `json:"at"`
}

// Reminder is one that will be said unless what it is about is done before.
type Reminder struct {
	Kind ReminderKind
	// At is when it is due.
	At time.Time
	// Since is since when something is missing; for a task when it was due.
	Since time.Time
	// Times is how often it was said already.
	Times int
	// Task is the number of the task that it is about; 0: none.
	Task int
}

// Leader is the role that every incident should have somebody in: commander, or
// where there is none the first; empty: there are no roles.
func (s *Settings) Leader() string {
	if name, err := s.FindRole("commander"); err == nil {
		return name
	}
	if len(s.Roles) > 0 {
		return s.Roles[0].Name
	}
	return ""
}

// Reminders are what people will be reminded of by s if nothing changes, the
// next one of each kind and of each task, the first first.
func (i *Incident) Reminders(s *Settings) []Reminder {
	var list []Reminder
	add := func(kind ReminderKind, after time.Duration, since time.Time) {
		said := i.Reminded[kind]
		if !said.Since.Equal(since) {
			said = Reminded{}
		}
		if after <= 0 || since.IsZero() || said.Times >= MaxReminders {
			return
		}
		from := since
		if said.Times > 0 {
			from = said.At
		}
		list = append(list, Reminder{Kind: kind, At: from.Add(after << said.Times), Since: since, Times: said.Times})
	}
	opened := later(i.Moments[Started].At, i.Opened)
	switch i.Status {
	case InTriage:
		add(RemindTriage, s.Reminders.Triage, i.Moments[InTriage].At)
	case Started:
		if leader := s.Leader(); leader != "" && i.Roles[leader].Name == "" {
			add(RemindCommander, s.Reminders.Commander, opened)
		}
		add(RemindUpdate, s.Reminders.Update, later(opened, i.Updated.At))
	case Mitigated:
		add(RemindUpdate, s.Reminders.Update, later(i.Moments[Mitigated].At, i.Updated.At))
	}
	if s.Reminders.Tasks && i.Status != Cancelled {
		for n := range i.Tasks {
			if t := &i.Tasks[n]; t.Open() && !t.Due.IsZero() && !t.Reminded {
				list = append(list, Reminder{Kind: RemindTask, At: t.Due, Since: t.Due, Task: t.Number})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Reminder) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind)) })
	return list
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// NextReminder is when the next reminder is due by s; zero: there is none.
func (i *Incident) NextReminder(s *Settings) time.Time {
	if list := i.Reminders(s); len(list) > 0 {
		return list[0].At
	}
	return time.Time{}
}

// Remind says the reminders that are due at a time: an entry for each. What was
// missed for long is said once, and the next one counts from then on.
func (i *Incident) Remind(s *Settings, at time.Time) []Entry {
	var entries []Entry
	for _, r := range i.Reminders(s) {
		if r.At.After(at) {
			break
		}
		e := i.touch(EntryReminder, Belfry(), at, "")
		e.What, e.Since = string(r.Kind), r.Since
		switch r.Kind {
		case RemindTask:
			t := &i.Tasks[r.Task-1]
			t.Reminded = true
			e.Was, e.Is, e.Text = strconv.Itoa(t.Number), t.Owner.Name, t.Text
			entries = append(entries, e)
			continue
		case RemindCommander:
			e.Is = s.Leader()
		}
		if r.Times == MaxReminders-1 {
			e.Was = "last"
		}
		if i.Reminded == nil {
			i.Reminded = map[ReminderKind]Reminded{}
		}
		i.Reminded[r.Kind] = Reminded{Since: r.Since, Times: r.Times + 1, At: e.At}
		entries = append(entries, e)
	}
	return entries
}
