// SPDX-License-Identifier: Apache-2.0

package incidents_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/command/incidents"
	"belfry/incident"
	"belfry/message"
	"belfry/response"
	"belfry/store"
	"belfry/store/opentest"
)

var (
	anna = chat.Actor{Connection: "chat", ID: "u1", Name: "anna"}
	bert = chat.Actor{Connection: "chat", ID: "u2", Name: "bert"}
)

// booth is a real store below real commands.
type booth struct {
	*incidents.Commands
	t        testing.TB
	clock    *clock.Manual
	store    *store.Store
	settings incident.Settings
	// announce are where incidents are announced.
	announce []string
}

func newBooth(t testing.TB) *booth {
	t.Helper()
	b := &booth{t: t, clock: clock.NewManual(time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)), settings: incident.Defaults()}
	b.settings.Services = []string{"shop", "mail relay"}
	b.settings.Severities[0].Private = true
	s := opentest.Open(t, store.Options{Clock: b.clock})
	b.store = s
	b.Commands = incidents.New(incidents.Options{Store: s, Clock: b.clock, Sealer: sealer(t), Once: s.UseOnce,
		Response: response.New(s, func() incident.Settings { return b.settings }, func() []string { return b.announce }, b.clock),
		Say:      func() message.Options { return message.Options{Now: b.clock.Now(), Location: time.UTC} }})
	return b
}

// read is an answer as a person reads it.
func read(a chat.Answer) string {
	parts := []string{a.Whisper}
	if m := a.Reply; m != nil {
		parts = append(parts, m.State, m.Title)
		for _, l := range m.Lines {
			parts = append(parts, l.Plain())
		}
		if m.Table != nil {
			for _, row := range m.Table.Rows {
				var cells []string
				for _, cell := range row {
					cells = append(cells, cell.Plain())
				}
				parts = append(parts, strings.Join(cells, " | "))
			}
		}
		parts = append(parts, m.Output)
	}
	return strings.TrimSpace(strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "\n"))
}

// says types a line as somebody in a channel.
func (b *booth) says(who chat.Actor, channel, line string) string {
	return read(b.Command(context.Background(), chat.Command{Actor: who, Channel: channel, Word: "incident", Text: line}))
}

// types types a line as anna, in no incident's channel.
func (b *booth) types(line string) string { return b.says(anna, "town", line) }

func (b *booth) want(line string, wants ...string) {
	b.t.Helper()
	got := b.types(line)
	for _, want := range wants {
		if !strings.Contains(got, want) {
			b.t.Errorf("%q: want %q in\n%s", line, want, got)
		}
	}
}

func TestAnIncidentFromDeclareToClose(t *testing.T) {
	b := newBooth(t)
	b.want("new SEV1 service=shop the shop is slow", "You declared “the shop is slow”.", "#1 SEV1 started: the shop is slow")
	b.want("status #1", "#1 the shop is slow", "SEV1 · started 15:09 UTC by anna · shop")
	b.want("#1 status", "#1 the shop is slow")
	b.want("assign #1 Commander @bert", "You made bert commander.")
	b.want("task #1 @bert in 2h call the provider", "You added task 1 for bert: call the provider.")
	b.want("followup #1 watch the disks", "You added follow-up 2: watch the disks.")
	b.want("update #1 the replica is rebuilt", "Noted how it stands: the replica is rebuilt", "#1 SEV1 started")
	b.clock.Advance(20 * time.Minute)
	b.want("timeline #1 10m ago the disk was full", "Noted for 15:19 UTC: the disk was full")
	b.want("severity #1 3 only a few", "You changed the severity from SEV1 to SEV3: only a few.")
	b.want("summary #1 orders wait\nfor the database", "You wrote the summary: orders wait for the database.")
	b.want("set #1 service mail relay, shop", "You set service to mail relay, shop.")
	b.want("rename #1 orders are stuck", "You renamed it to “orders are stuck”.")
	b.want("done #1 1", "You finished task 1: call the provider.")
	b.want("mitigated #1 rolled back", "You mitigated it: rolled back.", "#1 SEV3 mitigated: orders are stuck")
	b.want("resolve #1", "You resolved it.")
	b.want("resolve #1", "#1 is resolved already, by anna, so it can't be resolved; possible is: close, reopen. Nothing was changed.")
	b.want("tasks #1", "2 | watch the disks · follow-up | nobody yet", "1 | call the provider | bert | ✓")
	b.want("catchup #1", "commander: bert", "Latest (15:09 UTC, anna): the replica is rebuilt", "15:29 UTC | anna | mitigated it: rolled back")
	b.want("timeline #1", "15:19 UTC | anna | the disk was full\n15:29 UTC | anna | changed the severity")
	b.want("close #1", "You closed it.")
	b.want("list", "No incident is open.")
	b.want("list all a b c d e f g h i j k", "At most 10 words are looked for at once")
	b.want("list all orders", "1 incident", "#1 | ✅ SEV3 | orders are stuck · closed")
	b.want("export #1", "# #1 orders are stuck", "- [x] 1. call the provider – bert", "- Time to mitigate: 20 min", "| 2026-03-14 15:19:26 UTC | anna | the disk was full |", "orders wait\nfor the database")
	b.want("reopen #1 slow again", "You reopened it: slow again.", "started")
}

func TestInItsChannelNoNumberIsNeeded(t *testing.T) {
	b := newBooth(t)
	b.want("new a", "#1")
	b.want("new b", "#2")
	if got := b.says(anna, "war", "convert #2"); !strings.Contains(got, "You made the channel that it was said in its own") {
		t.Error(got)
	}
	for line, want := range map[string]string{
		"status": "#2 b", "update it burns": "#2 started: b", "update #1 that one, too": "#1 started: a", "done 1": "There is no such task: #2 has none yet. Nothing was changed.",
		"convert #1": "This is the channel of #2 already. Nothing was changed.", "attach 7": "There is no such alert as #7. “/belfry problems” lists what is open.",
		"duplicate #2": "An incident is no duplicate of itself; name the other one. Nothing was changed.",
	} {
		if got := b.says(anna, "war", line); !strings.Contains(got, want) {
			t.Errorf("%q: want %q in\n%s", line, want, got)
		}
	}
	if got := b.says(bert, "war", "duplicate #1"); !strings.Contains(got, "You noted that this repeats #1.") || !strings.Contains(got, "#2 cancelled") {
		t.Error(got)
	}
	if got := b.says(bert, "war", "status"); !strings.Contains(got, "duplicate of #1") {
		t.Errorf("a channel keeps its incident when that is over: %s", got)
	}
}

func TestElsewhereAChoiceIsOffered(t *testing.T) {
	b := newBooth(t)
	for _, line := range []string{"mitigate", "status", "timeline", "tasks", "done 1", "join", "export", "catchup", "summary", "severity", "sub x", "note x", "assign scribe @bert", "invite @bert", "convert", "attach 3"} {
		b.want(line, "Which one?", "none is open")
	}
	b.want("new the shop is slow")
	for _, line := range []string{"mitigate rolled back", "status", "timeline", "tasks", "done 1", "join", "export", "catchup", "summary", "severity", "sub x", "note x", "assign scribe @bert", "invite @bert", "convert", "attach 3"} {
		first, rest, _ := strings.Cut(line, " ")
		b.want(line, "Which one?", "like “"+strings.TrimSpace(first+" #1 "+rest)+"”", "the shop is slow")
	}
}

func TestEveryRefusalSaysWhatToDo(t *testing.T) {
	b := newBooth(t)
	b.want("new the shop is slow")
	for line, want := range map[string]string{
		"mitgate #1":                            "Did you mean “mitigate [how]”?",
		"xyzzy":                                 "I know new, test, sub",
		"new":                                   "What is wrong? Type “new [severity] [field=value …] <title>”, such as “new SEV1 service=shop the shop is slow”.",
		"new service=door x":                    "Nothing was declared. Service: there is no service \"door\"; there are shop, mail relay.",
		"new colour=red x":                      "there are title, summary, severity",
		"update #1":                             "How does it stand? Type “update <text>”",
		"severity #1 SEV9":                      "There is no severity \"SEV9\"; there are SEV0, SEV1, SEV2, SEV3. Nothing was changed.",
		"severity #1":                           "It has no severity yet. “severity <severity>” changes it.\nSEV0 | everything is down",
		"assign #1 cook @bert":                  "There is no role \"cook\"; there are commander, communications, scribe. Nothing was changed.",
		"assign #1 scribe":                      "Which role (commander, communications, scribe), and for whom?",
		"assign #1 scribe bert":                 "Which role",
		"invite #1 bert":                        "Whom? Write people like @anna.",
		"task #1 @bert":                         "What is to be done?",
		"task #1 in 9999w x":                    "A date lies at most a year ahead.",
		"done #1 x":                             "Which task? “tasks” shows their numbers.",
		"done #1 1":                             "There is no such task: #1 has none yet. Nothing was changed.",
		"status #7":                             "There is no incident #7, or it is private and you take no part in it. “list” shows those that are open.",
		"timeline #1 9999w ago x":               "An event lies in the past, and not more than a year back. Nothing was changed.",
		"close #1":                              "#1 is started, so it can't be closed; possible is: mitigate, resolve, cancel. Nothing was changed.",
		"set #1":                                "Which field?",
		"set #1 colour red":                     "There is no field \"colour\"; there are type, service, environment. Nothing was changed.",
		"duplicate":                             "Which one does it repeat?",
		"duplicate #1 #9":                       "There is no incident #9",
		"attach #1":                             "Which one?",
		"attach":                                "Which alert? Its number stands on its card.",
		"join #1":                               "You take part in #1 already. Nothing was changed.",
		"connect":                               "There is nothing to connect here",
		"rename #1 " + strings.Repeat("x", 201): "The title has 201 characters; at most 200 fit. Nothing was changed.",
	} {
		b.want(line, want)
	}
	i, err := b.store.Incident(t.Context(), 1)
	if err != nil || i.Revision != 1 {
		t.Errorf("something was changed: %+v, %v", i, err)
	}
}

func TestPrivateIncidentsAreHidden(t *testing.T) {
	b := newBooth(t)
	b.want("new SEV0 a secret", "#1 SEV0 started: a secret")
	b.want("list", "a secret")
	for _, line := range []string{"status #1", "list", "list all secret", "overview", "mitigate", "mitigate #1", "timeline #1", "export #1", "join #1", "update #1 x", "duplicate #1", "sub #1 x"} {
		if got := b.says(bert, "town", line); strings.Contains(got, "secret") && !strings.Contains(line, "secret") {
			t.Errorf("%q tells bert:\n%s", line, got)
		}
	}
	invited := read(b.Command(t.Context(), chat.Command{Actor: anna, Channel: "town", Word: "incident", Text: "invite #1 @bert", Mentions: map[string]string{"bert": bert.ID}}))
	if !strings.Contains(invited, "You invited bert.") {
		t.Error(invited)
	}
	if got := b.says(bert, "town", "status #1"); !strings.Contains(got, "a secret") {
		t.Error(got)
	}
	other := chat.Actor{Connection: "slack", ID: "U1", Name: "bert"}
	if got := b.says(other, "town", "status #1"); strings.Contains(got, "a secret") {
		t.Error("somebody of that name elsewhere sees it")
	}
	b.says(anna, "war", "convert #1")
	if got := b.says(chat.Actor{Connection: "chat", ID: "u3", Name: "carla"}, "war", "status"); !strings.Contains(got, "a secret") {
		t.Errorf("in its own channel: %s", got)
	}
}

func TestLongListsSayThatThereIsMore(t *testing.T) {
	b := newBooth(t)
	for range 200 {
		b.types("new x")
	}
	b.want("list", "200 open incidents or more", "#200 |")
	b.types("cancel #1")
	b.want("list", "199 open incidents\n")
	b.want("overview", "199 open incidents · 199 without a severity")
}

func TestAttach(t *testing.T) {
	b := newBooth(t)
	b.want("new x")
	a := &alert.Alert{Source: "nagios", Fingerprint: "f", Topic: alert.TopicProblem, Status: alert.Firing, Severity: alert.SeverityCritical, Revision: 1,
		Object: alert.Object{Kind: alert.KindHost, Host: "web01"}, StartsAt: b.clock.Now(), UpdatedAt: b.clock.Now()}
	if errs, err := b.store.Change(t.Context(), store.Change{Source: a.Source, Fingerprint: a.Fingerprint, Apply: func(store.View) ([]store.Effect, error) {
		return []store.Effect{{Alert: a}}, nil
	}}); err != nil || errs[0] != nil {
		t.Fatal(errs, err)
	}
	b.want("attach #1 1", "You attached alert #1, web01.")
	b.want("attach #1 #1", "Alert #1 is attached to #1 already. Nothing was changed.")
	b.want("status #1", "1 alert")
}

func TestWhoMayNotActMayLook(t *testing.T) {
	b := newBooth(t)
	b.want("new x")
	b.Gate = no{}
	for _, line := range []string{"new y", "mitigate #1", "update #1 x", "summary #1 x", "severity #1 SEV1", "timeline #1 x", "assign #1 scribe me", "task #1 x", "attach #1 1", "convert #1", "join #1", "test y", "sub #1 y"} {
		b.want(line, "You may not.")
	}
	for _, line := range []string{"status #1", "summary #1", "severity #1", "timeline #1", "tasks #1", "list", "overview", "export #1", "help"} {
		if got := b.types(line); strings.Contains(got, "You may not.") {
			t.Errorf("%q is refused: %s", line, got)
		}
	}
}

type no struct{}

func (no) May(context.Context, chat.Actor) *chat.Answer { return &chat.Answer{Whisper: "You may not."} }

func TestExamplesOfTheHelpWork(t *testing.T) {
	for _, line := range strings.Split(newBooth(t).types("help"), "\n") {
		name, _, _ := strings.Cut(line, " ")
		if !strings.Contains(line, "|") || name == "—" {
			continue
		}
		b := newBooth(t)
		_, rest, found := strings.Cut(b.types("help "+name), "example: ")
		if !found {
			continue
		}
		example, _, _ := strings.Cut(rest, "\n")
		example = strings.NewReplacer("#42", "#1", "#41", "#2").Replace(example)
		b.settings.Services = []string{"shop", "mail"}
		b.want("new one")
		b.want("new two")
		b.want("task #1 look")
		if name == "reopen" || name == "close" {
			b.want("resolve #1")
		}
		if name == "start" {
			b.want("new triage=yes unclear", "#3 in triage")
			example = strings.Replace(example, "#1", "#3", 1)
		}
		got := b.says(bert, "war", example)
		if strings.Contains(got, "Nothing was") || strings.Contains(got, "I don't know") || strings.Contains(got, "Which") {
			if (name != "attach" || !strings.Contains(got, "no such alert")) && (name != "ack" || !strings.Contains(got, "none fires")) {
				t.Errorf("%q: %s", example, got)
			}
		}
	}
}

// TestTwoPeopleAtOnce: an incident that two resolve at the same time is
// resolved once, and both are told.
func TestTwoPeopleAtOnce(t *testing.T) {
	b := newBooth(t)
	b.want("new x")
	said := make([]string, 10)
	var wg sync.WaitGroup
	for n := range said {
		who := []chat.Actor{anna, {Connection: "slack", ID: "U9", Name: "carla"}}[n%2]
		wg.Go(func() { said[n] = b.says(who, "town", "resolve #1") })
	}
	wg.Wait()
	done := 0
	for _, s := range said {
		switch {
		case strings.Contains(s, "You resolved it."):
			done++
		case !strings.Contains(s, "#1 is resolved already, by "):
			t.Error(s)
		}
	}
	i, err := b.store.Incident(t.Context(), 1)
	if done != 1 || err != nil || i.Entries != 2 {
		t.Errorf("%d did it; %+v, %v", done, i, err)
	}
}

// TestRandomCommands drives random lines of several people and compares with
// the table of the lifecycle.
func TestRandomCommands(t *testing.T) {
	words := map[string]incident.Act{"start": incident.Start, "mitigated": incident.Mitigate, "resolve": incident.Resolve, "close": incident.Close, "cancel": incident.Cancel, "reopen": incident.Reopen}
	table := map[incident.Status]map[incident.Act]incident.Status{}
	for _, x := range incident.Lifecycle() {
		if table[x.From] == nil {
			table[x.From] = map[incident.Act]incident.Status{}
		}
		table[x.From][x.Act] = x.To
	}
	b := newBooth(t)
	rapid.Check(t, func(rt *rapid.T) {
		triage := rapid.SampledFrom([]string{"yes", "no"}).Draw(rt, "triage")
		declared := b.types("new triage=" + triage + " x")
		ref := declared[strings.Index(declared, "#"):]
		ref, _, _ = strings.Cut(ref, " ")
		status, entries := incident.Started, 1
		if triage == "yes" {
			status = incident.InTriage
		}
		for range rapid.IntRange(1, 12).Draw(rt, "lines") {
			b.clock.Advance(time.Second)
			who := rapid.SampledFrom([]chat.Actor{anna, bert}).Draw(rt, "who")
			word := rapid.SampledFrom([]string{"start", "mitigated", "resolve", "close", "cancel", "reopen", "note", "update", "list"}).Draw(rt, "word")
			got := b.says(who, "town", word+" "+ref+" words")
			to, possible := table[status][words[word]]
			switch act := words[word]; {
			case act != "" && possible:
				status = to
				entries++
				if !strings.Contains(got, " "+to.String()+": x") {
					rt.Fatalf("%s: %s", word, got)
				}
			case act != "":
				if !strings.Contains(got, ref+" is "+status.String()) || !strings.Contains(got, "possible is: ") {
					rt.Fatalf("%s while %s: %s", word, status, got)
				}
			case word != "list":
				entries++
			}
		}
		list, err := b.store.Incidents(context.Background(), store.IncidentFilter{Words: []string{"\n" + ref + "\n"}})
		if err != nil || len(list) != 1 || list[0].Status != status || list[0].Entries != entries {
			rt.Fatalf("%s should be %s with %d entries: %+v, %v", ref, status, entries, list, err)
		}
	})
}

// FuzzLines: whatever is typed gets an answer that rings nobody.
func FuzzLines(f *testing.F) {
	for _, s := range []string{"", "#1", "new", "new a=b c", "status #1", "task #1 @x in 2 h y", "timeline #1 3m ago x", "assign #1 <@U1|x> y", "done #1 99999999999999999999", "duplicate #1 #1", "list all %_!", "help #", "\xff", "set #1 service ,;,", "severity #1 \u202e"} {
		f.Add(s)
	}
	b := newBooth(f)
	b.types("new x")
	f.Fuzz(func(t *testing.T, line string) {
		b.t = t
		a := b.Command(t.Context(), chat.Command{Actor: anna, Channel: "c", Text: line})
		if a.Whisper == "" && a.Reply == nil || len(read(a)) > 256<<10 {
			t.Fatalf("%q is answered %+v", line, a)
		}
		if a.Reply != nil && len(a.Reply.Mentions)+len(a.Reply.Buttons) > 0 {
			t.Errorf("%q rings or can be pressed: %+v", line, a.Reply)
		}
	})
}

// TestTheHintNamesEveryCommand: it is what chat shows while /incident is typed,
// wherever an app or a command was made.
func TestTheHintNamesEveryCommand(t *testing.T) {
	inner := strings.TrimSuffix(strings.TrimPrefix(incidents.Hint(), "["), "]")
	if got := strings.Split(inner, " | "); !slices.Equal(got, incidents.Words()) || len(got) < 5 || len(inner) != len(incidents.Hint())-2 {
		t.Errorf("the hint is %q", incidents.Hint())
	}
}
