// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// reminded runs an incident to the end of so many minutes, asked each minute,
// and returns in which minute it reminded of what.
func reminded(i *Incident, s *Settings, from, to int) (said []string) {
	for m := from; m <= to; m++ {
		for _, e := range i.Remind(s, day().Add(time.Duration(m)*time.Minute)) {
			said = append(said, time.Duration(m*int(time.Minute)).String()+" "+e.What+e.Is+e.Was)
		}
	}
	return said
}

func begun(t *testing.T, triage bool) *Incident {
	t.Helper()
	s := Defaults()
	i, _, err := Declare(&s, Declaration{Triage: triage, Title: "x", By: anna()}, day())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestRemindersComeThreeTimesAndThenNoMore(t *testing.T) {
	s := Defaults()
	i := begun(t, false)
	want := []string{"10m0s commandercommander", "30m0s commandercommander", "30m0s update", "1h10m0s commandercommanderlast", "1h30m0s update", "3h30m0s updatelast"}
	got := reminded(i, &s, 0, 48*60)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := i.Say("still slow", anna(), day().Add(49*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := reminded(i, &s, 49*60, 50*60); !slices.Equal(got, []string{"49h30m0s update"}) {
		t.Errorf("after a word it counts anew, and only of what that was: %q", got)
	}
}

func TestWhatIsDoneIsNotRemindedOf(t *testing.T) {
	s := Defaults()
	for name, x := range map[string]struct {
		triage bool
		do     func(i *Incident, at time.Time) (Entry, error)
		want   []string
	}{
		"a commander":                     {false, func(i *Incident, at time.Time) (Entry, error) { return i.Assign(&s, "commander", bert(), anna(), at) }, []string{"30m0s update", "1h30m0s update"}},
		"a word":                          {false, func(i *Incident, at time.Time) (Entry, error) { return i.Say("x", anna(), at) }, []string{"10m0s commandercommander", "30m0s commandercommander", "35m0s update", "1h10m0s commandercommanderlast", "1h35m0s update"}},
		"out of triage":                   {true, func(i *Incident, at time.Time) (Entry, error) { return i.Move(Start, anna(), at, "") }, []string{"15m0s commandercommander", "35m0s commandercommander", "35m0s update", "1h15m0s commandercommanderlast", "1h35m0s update"}},
		"triage, and nothing but time":    {true, func(*Incident, time.Time) (Entry, error) { return Entry{}, nil }, []string{"15m0s triage", "45m0s triage", "1h45m0s triagelast"}},
		"mitigated: nobody needs to lead": {false, func(i *Incident, at time.Time) (Entry, error) { return i.Move(Mitigate, anna(), at, "") }, []string{"35m0s update", "1h35m0s update"}},
		"resolved":                        {false, func(i *Incident, at time.Time) (Entry, error) { return i.Move(Resolve, anna(), at, "") }, nil},
		"cancelled":                       {true, func(i *Incident, at time.Time) (Entry, error) { return i.Move(Cancel, anna(), at, "") }, nil},
		"a task is due, and its owner told": {true, func(i *Incident, at time.Time) (Entry, error) {
			return i.AddTask(FollowUp, "write", bert(), at.Add(7*time.Minute), anna(), at)
		}, []string{"12m0s taskbert1", "15m0s triage", "45m0s triage", "1h45m0s triagelast"}},
	} {
		t.Run(name, func(t *testing.T) {
			i := begun(t, x.triage)
			if _, err := x.do(i, day().Add(5*time.Minute)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(x.want, reminded(i, &s, 5, 2*60)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestReopeningBeginsAnew(t *testing.T) {
	s := Defaults()
	i := begun(t, false)
	for n, act := range []Act{Resolve, Reopen} {
		if _, err := i.Move(act, anna(), day().Add(time.Duration(n+4)*time.Hour), ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := reminded(i, &s, 5*60, 5*60+20); !slices.Equal(got, []string{"5h10m0s commandercommander"}) {
		t.Errorf("got %q", got)
	}
}

func TestWhatIsOffIsNotSaid(t *testing.T) {
	s := Defaults()
	s.Reminders = Reminders{}
	i := begun(t, false)
	if _, err := i.AddTask(ToDo, "write", bert(), day().Add(time.Minute), anna(), day()); err != nil {
		t.Fatal(err)
	}
	if got := reminded(i, &s, 0, 24*60); got != nil || !i.NextReminder(&s).IsZero() {
		t.Errorf("got %q", got)
	}
	s = Defaults()
	s.Roles = nil
	if got := reminded(i, &s, 0, 29); !slices.Equal(got, []string{"1m0s taskbert1"}) {
		t.Errorf("without roles: %q", got)
	}
	s.Roles = []Role{{Name: "captain"}}
	if got := reminded(i, &s, 29, 29); !slices.Equal(got, []string{"29m0s commandercaptain"}) {
		t.Errorf("with roles of one's own: %q", got)
	}
}

// TestRandomReminders lets time pass and people act at random. Whenever
// reminders are said, that was true, was due, and was said once.
func TestRandomReminders(t *testing.T) {
	s := Defaults()
	rapid.Check(t, func(rt *rapid.T) {
		now := day()
		i, _, err := Declare(&s, Declaration{Triage: rapid.Bool().Draw(rt, "triage"), Title: "x", By: anna()}, now)
		if err != nil {
			rt.Fatal(err)
		}
		// quiet is since when nobody said anything and nothing moved; said how
		// often each kind was said since it was last untrue, and when.
		quiet, triage, led := now, now, now
		said, last := map[ReminderKind]int{}, map[ReminderKind]time.Time{}
		tasks := map[string]bool{}
		rt.Repeat(map[string]func(*rapid.T){
			"act": func(rt *rapid.T) {
				act := rapid.SampledFrom(Acts()).Draw(rt, "act")
				from := i.Status
				if _, err := i.Move(act, anna(), now, ""); err != nil {
					return
				}
				quiet = now
				clear(said)
				if from != InTriage || act == Reopen || i.Status == Started {
					led = now
				}
			},
			"say": func(rt *rapid.T) {
				if _, err := i.Say("x", anna(), now); err != nil {
					rt.Fatal(err)
				}
				quiet, said[RemindUpdate] = now, 0
			},
			"assign": func(*rapid.T) { _, _ = i.Assign(&s, "commander", bert(), anna(), now) },
			"task": func(rt *rapid.T) {
				due := now.Add(time.Duration(rapid.IntRange(0, 90).Draw(rt, "due")) * time.Minute)
				_, _ = i.AddTask(ToDo, "x", bert(), due, anna(), now)
			},
			"time": func(rt *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 70).Draw(rt, "minutes")) * time.Minute)
				next := i.NextReminder(&s)
				before := i.Clone()
				entries := i.Remind(&s, now)
				if (len(entries) > 0) != (!next.IsZero() && !next.After(now)) {
					rt.Fatalf("at %s, the next due at %s: %+v", now, next, entries)
				}
				if len(entries) == 0 {
					if diff := cmp.Diff(before, i); diff != "" {
						rt.Fatalf("nothing was said, and yet: %s", diff)
					}
				}
				if next := i.NextReminder(&s); !next.IsZero() && !next.After(now) {
					rt.Fatalf("said all at %s, and still one is due at %s", now, next)
				}
				for _, e := range entries {
					kind := ReminderKind(e.What)
					after, since, true_ := time.Duration(0), now, false
					switch kind {
					case RemindTask:
						if tasks[e.Was] || i.Status == Cancelled {
							rt.Fatalf("task %s is reminded of again, or of a cancelled incident", e.Was)
						}
						tasks[e.Was] = true
						continue
					case RemindUpdate:
						after, since, true_ = s.Reminders.Update, quiet, i.Status == Started || i.Status == Mitigated
					case RemindCommander:
						after, since, true_ = s.Reminders.Commander, led, i.Status == Started && i.Roles["commander"].Name == ""
					case RemindTriage:
						after, since, true_ = s.Reminders.Triage, triage, i.Status == InTriage
					}
					if said[kind] > 0 {
						after, since = after<<said[kind], last[kind]
					}
					said[kind]++
					if !true_ || now.Sub(since) < after || said[kind] > MaxReminders {
						rt.Fatalf("%s, for the %d. time, after %s, is untrue, too early or too often: %+v", kind, said[kind], now.Sub(since), i)
					}
					last[kind] = now
				}
			},
		})
	})
}

func TestMachinesAreNoPeople(t *testing.T) {
	s := Defaults()
	route := Machine("route", "shop")
	i, _, err := Declare(&s, Declaration{Title: "x", By: route}, day())
	if err != nil || len(i.People) != 0 || i.CreatedBy != route || !route.IsMachine() || anna().IsMachine() || Belfry().IsMachine() {
		t.Errorf("%+v, %v", i, err)
	}
	for _, other := range []Person{{Name: "route shop"}, {Connection: "chat", Name: "route shop"}, Machine("route", "mail"), Machine("token", "shop")} {
		if route.Same(other) || other.Same(route) {
			t.Errorf("%+v is taken for the route", other)
		}
	}
}
