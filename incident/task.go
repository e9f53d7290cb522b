// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// TaskKind tells what is to be done during the incident from what is to be
// done after it.
type TaskKind string

// The kinds of tasks.
const (
	ToDo     TaskKind = "task"
	FollowUp TaskKind = "followup"
)

// Task is something to do.
type Task struct {
	// Number counts from 1 within the incident, tasks and follow-ups together.
	Number int      `json:"-"`
	Kind   TaskKind `json:"-"`
	Text   string   `json:"text"`
	// Owner is who does it; an empty Name: nobody yet.
	Owner Person `json:"owner"`
	// Link leads to the message that it was made of; may be empty.
	Link string `json:"link,omitempty"`
	// Due is when it should be done; zero: no date.
	Due     time.Time `json:"-"`
	Created Moment    `json:"created"`
	// Done is when it was done, and by whom; zero: it is open.
	Done Moment `json:"done,omitzero"`
	// Reminded is true once people were told that it is due.
	Reminded bool `json:"reminded,omitempty"`
}

// Open says whether it is still to be done.
func (t *Task) Open() bool { return t.Done.At.IsZero() }

// AddTask adds something to do. due may be zero.
func (i *Incident) AddTask(kind TaskKind, text string, owner Person, due time.Time, by Person, at time.Time) (Entry, error) {
	text, err := need(text, "what is to be done", MaxLine)
	if err != nil {
		return Entry{}, err
	}
	if len(i.Tasks) >= MaxTasks {
		return Entry{}, fmt.Errorf("%s has %d tasks, more are not kept; write the rest down where your team keeps its work", i.Ref(), MaxTasks)
	}
	if err := i.room(); err != nil {
		return Entry{}, err
	}
	what := EntryTask
	if kind == FollowUp {
		what = EntryFollowUp
	}
	e := i.touch(what, by, at, text)
	t := Task{Number: len(i.Tasks) + 1, Kind: kind, Text: text, Owner: owner, Due: due, Created: Moment{At: e.At, By: by}}
	i.Tasks = append(i.Tasks, t)
	e.What, e.Is = strconv.Itoa(t.Number), owner.Name
	i.takesPart(owner)
	i.takesPart(by)
	return e, nil
}

// ErrNoTask says that there is no task with that number.
var ErrNoTask = errors.New("there is no such task")

// Task returns a task by its number, or ErrNoTask.
func (i *Incident) Task(number int) (*Task, error) {
	if number < 1 || number > len(i.Tasks) {
		switch n := len(i.Tasks); n {
		case 0:
			return nil, fmt.Errorf("%w: %s has none yet", ErrNoTask, i.Ref())
		default:
			return nil, fmt.Errorf("%w: %s has 1 to %d", ErrNoTask, i.Ref(), n)
		}
	}
	return &i.Tasks[number-1], nil
}

// FinishTask notes that a task is done.
func (i *Incident) FinishTask(number int, by Person, at time.Time) (Entry, error) {
	t, err := i.Task(number)
	if err != nil {
		return Entry{}, err
	}
	if !t.Open() {
		return Entry{}, fmt.Errorf("task %d of %s is done already, by %s", number, i.Ref(), t.Done.By.Name)
	}
	e := i.touch(EntryDone, by, at, t.Text)
	e.What = strconv.Itoa(number)
	t.Done = Moment{At: e.At, By: by}
	i.takesPart(by)
	return e, nil
}
