// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The flag is -update, as everywhere.
var update = flag.Bool("update", false, "write the golden files anew")

func day() time.Time { return time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC) }

func anna() Person { return Person{Connection: "chat", ID: "u1", Name: "anna"} }

func bert() Person { return Person{Connection: "chat", ID: "u2", Name: "bert"} }

const (
	manual = "../docs/incidents.md"
	begin  = "<!-- lifecycle: made by go test ./incident -update -->\n"
	end    = "<!-- end of lifecycle -->"
)

func TestTheManualShowsTheLifecycle(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	shown, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the lifecycle", manual)
	}
	if *update {
		if err := os.WriteFile(manual, []byte(head+begin+Table()+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(Table(), shown); diff != "" {
		t.Errorf("%s shows another lifecycle than the code has (-update writes it):\n%s", manual, diff)
	}
}

// manualTable reads the lifecycle back from the manual, so that what the model
// goes by is what people read.
func manualTable(t *testing.T) map[Status]map[Act]Status {
	t.Helper()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), begin)
	shown, _, _ := strings.Cut(rest, end)
	cells := func(line string) []string {
		parts := strings.Split(strings.Trim(line, "|"), "|")
		for i := range parts {
			parts[i] = strings.Trim(parts[i], " *`")
		}
		return parts
	}
	lines := strings.Split(strings.TrimSpace(shown), "\n")
	acts := cells(lines[0])
	table := map[Status]map[Act]Status{}
	for _, line := range lines[2:] {
		row := cells(line)
		from := Status(strings.ReplaceAll(row[0], " ", "_"))
		table[from] = map[Act]Status{}
		for n, to := range row[1:] {
			if to != "" {
				table[from][Act(acts[n+1])] = Status(strings.ReplaceAll(to, " ", "_"))
			}
		}
	}
	if len(table) != len(Statuses()) {
		t.Fatalf("the manual knows %d statuses", len(table))
	}
	return table
}

// model is what an incident should be, told in the simplest words.
type model struct {
	status               Status
	reached              map[Status]Moment
	title, sum, severity string
	roles                map[string]string
	people               []string
	tasks                []bool // done
	entries, reopened    int
}

func (m *model) join(p Person) {
	if !slices.Contains(m.people, p.Name) {
		m.people = append(m.people, p.Name)
	}
}

// TestRandomLives drives random commands and compares with the table.
func TestRandomLives(t *testing.T) {
	table := manualTable(t)
	settings := Defaults()
	rapid.Check(t, func(rt *rapid.T) {
		now := day()
		triage := rapid.Bool().Draw(rt, "triage")
		i, entries, err := Declare(&settings, Declaration{Triage: triage, Title: "x", By: anna()}, now)
		if err != nil || len(entries) != 1 {
			rt.Fatal(err)
		}
		i.Number = 7
		m := &model{status: Started, title: "x", people: []string{"anna"}, entries: 1, reached: map[Status]Moment{}, roles: map[string]string{}}
		if triage {
			m.status = InTriage
		}
		m.reached[m.status] = Moment{now, anna()}
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) { m.compare(rt, i) },
			"move": func(rt *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 600).Draw(rt, "later")) * time.Second)
				act := rapid.SampledFrom(Acts()).Draw(rt, "act")
				by := rapid.SampledFrom([]Person{anna(), bert()}).Draw(rt, "by")
				before := i.Clone()
				e, err := i.Move(act, by, now, "why")
				to, possible := table[m.status][act]
				if !possible {
					m.refused(rt, act, table, before, i, err)
					return
				}
				if err != nil || e.By != by || !e.At.Equal(now) || e.Was != m.status.String() || e.Is != to.String() || e.Text != "why" {
					rt.Fatalf("%s from %s: %+v, %v", act, m.status, e, err)
				}
				m.move(to, Moment{now, by})
				m.join(by)
			},
			"rest": func(rt *rapid.T) { m.other(rt, &settings, i, now) },
		})
	})
}

// refused checks that nothing was changed and that the error names exactly
// what is possible.
func (m *model) refused(rt *rapid.T, act Act, table map[Status]map[Act]Status, before, after *Incident, err error) {
	no, ok := errors.AsType[*ImpossibleError](err)
	if !ok {
		rt.Fatalf("%s from %s: %v", act, m.status, err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		rt.Fatalf("a refusal changed:\n%s", diff)
	}
	var names []string
	for _, a := range Acts() {
		if _, ok := table[m.status][a]; ok {
			names = append(names, string(a))
		}
	}
	if len(names) != len(no.Possible) || !strings.HasSuffix(err.Error(), "possible is: "+strings.Join(names, ", ")) || !strings.Contains(err.Error(), "#7 is "+m.status.String()) {
		rt.Fatalf("from %s: %v", m.status, err)
	}
}

func (m *model) move(to Status, at Moment) {
	if to == Started {
		if m.status != InTriage {
			m.reopened++
		}
		first, had := m.reached[Started]
		triage, was := m.reached[InTriage]
		m.reached = map[Status]Moment{Started: at}
		if had {
			m.reached[Started] = first
		}
		if was {
			m.reached[InTriage] = triage
		}
	}
	// What was skipped on the way was reached now.
	skipped := map[Status][]Status{Mitigated: {Started}, Resolved: {Started, Mitigated}}[to]
	for _, s := range skipped {
		if _, ok := m.reached[s]; !ok {
			m.reached[s] = at
		}
	}
	if to != Started {
		m.reached[to] = at
	}
	m.status = to
	m.entries++
}

// other does something that is possible at any time.
func (m *model) other(rt *rapid.T, s *Settings, i *Incident, now time.Time) {
	by := rapid.SampledFrom([]Person{anna(), bert(), {Name: "carla"}}).Draw(rt, "by")
	text := rapid.SampledFrom([]string{"a", "b", "", " c "}).Draw(rt, "text")
	word := strings.TrimSpace(text)
	var err error
	wrong := word == ""
	done := func() { m.entries++; m.join(by) }
	switch rapid.SampledFrom([]string{"severity", "rename", "summary", "assign", "task", "done", "update", "event"}).Draw(rt, "what") {
	case "severity":
		v := rapid.SampledFrom([]string{"SEV0", "sev 1", "2", "SEV9"}).Draw(rt, "severity")
		name := map[string]string{"SEV0": "SEV0", "sev 1": "SEV1", "2": "SEV2"}[v]
		_, err = i.SetSeverity(s, v, by, now, text)
		if wrong = name == "" || name == m.severity; !wrong {
			m.severity = name
			done()
		}
	case "rename":
		_, err = i.Rename(text, by, now)
		if wrong = wrong || word == m.title; !wrong {
			m.title = word
			done()
		}
	case "summary":
		_, err = i.SetSummary(text, by, now)
		if wrong = word == m.sum; !wrong {
			m.sum = word
			done()
		}
	case "assign":
		role := rapid.SampledFrom([]string{"commander", "Scribe", "cook"}).Draw(rt, "role")
		_, err = i.Assign(s, role, bert(), by, now)
		role = strings.ToLower(role)
		if wrong = role == "cook" || m.roles[role] != ""; !wrong {
			m.roles[role] = "bert"
			m.join(bert())
			done()
		}
	case "task":
		_, err = i.AddTask(ToDo, text, Person{}, time.Time{}, by, now)
		if !wrong {
			m.tasks = append(m.tasks, false)
			done()
		}
	case "done":
		n := rapid.IntRange(0, 3).Draw(rt, "n")
		_, err = i.FinishTask(n, by, now)
		if wrong = n < 1 || n > len(m.tasks) || m.tasks[n-1]; !wrong {
			m.tasks[n-1] = true
			done()
		}
	case "update":
		_, err = i.Say(text, by, now)
		if !wrong {
			done()
		}
	case "event":
		_, err = i.Happened(text, now.Add(-time.Hour), by, now)
		if !wrong {
			done()
		}
	}
	if wrong != (err != nil) {
		rt.Fatalf("wrong is %v, but: %v", wrong, err)
	}
}

func (m *model) compare(rt *rapid.T, i *Incident) {
	got := model{status: i.Status, reached: i.Moments, title: i.Title, sum: i.Summary, severity: i.Severity, entries: i.Entries, reopened: i.Reopened, roles: map[string]string{}}
	for role, p := range i.Roles {
		got.roles[role] = p.Name
	}
	for _, p := range i.People {
		got.people = append(got.people, p.Name)
	}
	for _, task := range i.Tasks {
		got.tasks = append(got.tasks, !task.Open())
	}
	slices.Sort(got.people)
	want := *m
	want.people = slices.Sorted(slices.Values(m.people))
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(model{})); diff != "" {
		rt.Fatalf("-want +got:\n%s", diff)
	}
	if i.Revision != int64(i.Entries) {
		rt.Fatalf("revision %d with %d entries", i.Revision, i.Entries)
	}
	for _, order := range [][2]Status{{Started, Mitigated}, {Mitigated, Resolved}, {Resolved, Closed}} {
		first, later := i.Since(order[0]), i.Since(order[1])
		if !later.At.IsZero() && (first.At.IsZero() || later.At.Before(first.At)) {
			rt.Fatalf("%s at %v, %s at %v", order[0], first.At, order[1], later.At)
		}
	}
}

func TestTimeNeverRunsBackwards(t *testing.T) {
	s := Defaults()
	i, _, err := Declare(&s, Declaration{By: anna()}, day())
	if err != nil {
		t.Fatal(err)
	}
	e, err := i.Move(Mitigate, anna(), day().Add(-time.Hour), "")
	if err != nil || !e.At.Equal(day()) || !i.Since(Mitigated).At.Equal(day()) {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	s := Defaults()
	i, _, err := Declare(&s, Declaration{By: anna()}, day())
	if err != nil {
		t.Fatal(err)
	}
	i.Number = 42
	if _, err := i.Move(Mitigate, bert(), day(), ""); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", MaxText+1)
	for want, do := range map[string]func() (Entry, error){
		"#42 is mitigated already, by bert, so it can't be mitigated; possible is: resolve, cancel, reopen": func() (Entry, error) { return i.Move(Mitigate, anna(), day(), "") },
		"#42 is mitigated, so it can't be closed; possible is: resolve, cancel, reopen":                     func() (Entry, error) { return i.Move(Close, anna(), day(), "") },
		`there is no severity "SEV9"; there are SEV0, SEV1, SEV2, SEV3`:                                     func() (Entry, error) { return i.SetSeverity(&s, "SEV9", anna(), day(), "") },
		`there is no role "cook"; there are commander, communications, scribe`:                              func() (Entry, error) { return i.Assign(&s, "cook", anna(), anna(), day()) },
		"say who is to be scribe":                                                          func() (Entry, error) { return i.Assign(&s, "scribe", Person{}, anna(), day()) },
		"there is no such task: #42 has none yet":                                          func() (Entry, error) { return i.FinishTask(1, anna(), day()) },
		"the summary has 4001 characters; at most 4000 fit":                                func() (Entry, error) { return i.SetSummary(long, anna(), day()) },
		"nothing is written: say how it stands":                                            func() (Entry, error) { return i.Say(" ", anna(), day()) },
		"you take part in #42 already":                                                     func() (Entry, error) { return i.Join(bert(), day()) },
		"no service is configured; they are set under incidents in the configuration file": func() (Entry, error) { return i.Set(&s, "service", "shop", anna(), day()) },
		"an event lies in the past, and not more than a year back":                         func() (Entry, error) { return i.Happened("x", day().Add(time.Hour), anna(), day()) },
	} {
		before := i.Clone()
		if _, err := do(); err == nil || err.Error() != want {
			t.Errorf("want %q\n got %v", want, err)
		}
		if diff := cmp.Diff(before, i); diff != "" {
			t.Errorf("%q changed:\n%s", want, diff)
		}
	}
}

func TestTheTimelineIsBoundedButNotTheLife(t *testing.T) {
	s := Defaults()
	i, _, err := Declare(&s, Declaration{By: anna()}, day())
	if err != nil {
		t.Fatal(err)
	}
	i.Entries = MaxEntries
	if _, err := i.Note("x", anna(), day()); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	for _, act := range []Act{Mitigate, Resolve, Close} {
		if _, err := i.Move(act, anna(), day(), fmt.Sprint(act)); err != nil {
			t.Error(err)
		}
	}
}
