// SPDX-License-Identifier: Apache-2.0

package command_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/command"
	"belfry/desk"
	"belfry/message"
	"belfry/monitor"
	"belfry/store"
	"belfry/store/opentest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// booth is where people type, with a real desk and store behind it.
type booth struct {
	*command.Commands
	t     testing.TB
	desk  *desk.Desk
	store *store.Store
	clock *clock.Manual
	opt   command.Options
}

// one leads everything to one channel.
type one struct{}

func (one) Route(alert.Labeled) desk.Routing    { return desk.Routing{Destinations: []string{"chat/ops"}} }
func (one) Named(channel string) (string, bool) { return "chat/" + channel, true }

// shut is a gate that nobody passes.
type shut struct{}

func (shut) May(context.Context, chat.Actor) *chat.Answer {
	return &chat.Answer{Whisper: "Connect first."}
}

// core is a monitoring system that can be asked.
type core struct{ known map[string]monitor.Status }

func (c core) Status(_ context.Context, objects []alert.Object) ([]monitor.Status, error) {
	var out []monitor.Status
	for _, o := range objects {
		out = append(out, c.known[o.Name()])
	}
	return out, nil
}

func newBooth(t testing.TB, alter ...func(*command.Options)) *booth {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := opentest.Open(t, store.Options{Clock: c})
	can := func(source string, a desk.Ability) bool { return source == "nagios" && a != desk.CanCheck }
	b := &booth{t: t, store: s, clock: c, desk: desk.New(s, one{}, can, c)}
	if err := b.desk.LoadMutes(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.opt = command.Options{Store: s, Cards: s, Desk: b.desk, Can: can, Clock: c,
		Say: func() message.Options {
			return message.Options{BaseURL: "https://belfry.example", Now: c.Now(), Location: time.UTC}
		},
		Sources: func() []command.Source {
			return []command.Source{{Name: "nagios", Read: core{map[string]monitor.Status{"fridge1": {Known: true, OK: true, AsOf: c.Now()}}}}}
		}}
	for _, f := range alter {
		f(&b.opt)
	}
	b.Commands = command.New(b.opt)
	return b
}

func (b *booth) report(source string, reports ...alert.Report) {
	b.t.Helper()
	if _, err := b.desk.Ingest(b.t.Context(), source, reports); err != nil {
		b.t.Fatal(err)
	}
}

func service(host, service string) alert.Report {
	return alert.Report{Kind: alert.ReportProblem, Object: alert.Object{Kind: alert.KindService, Host: host, Service: service},
		State: "CRITICAL", Severity: alert.SeverityCritical, Output: service + " is broken"}
}

func host(name string) alert.Report {
	return alert.Report{Kind: alert.ReportProblem, Object: alert.Object{Kind: alert.KindHost, Host: name}, State: "DOWN", Severity: alert.SeverityWarning, Output: name + " is gone"}
}

// estate is what most tests begin with.
func (b *booth) estate() {
	b.report("nagios", service("web01", "Disk /var"), service("web01", "HTTP"), host("db01"), service("db 02", "Mail"))
	b.report("prometheus", alert.Report{Kind: alert.ReportProblem, Object: alert.Object{Kind: alert.KindRule, Rule: "HighLoad", Key: "k"}, Severity: alert.SeverityInfo})
}

var alice = chat.Actor{Connection: "chat", ID: "u1", Name: "alice"}

// types has alice type a line and returns what she reads.
func (b *booth) types(line string) string {
	b.t.Helper()
	return read(b.Command(b.t.Context(), chat.Command{Actor: alice, Channel: "c", Text: line}))
}

// read is an answer in plain text.
func read(a chat.Answer) string {
	if a.Reply == nil {
		return a.Whisper
	}
	var out []string
	if a.Reply.Title != "" {
		out = append(out, a.Reply.State+" "+a.Reply.Title)
	}
	for _, l := range a.Reply.Lines {
		out = append(out, l.Plain())
	}
	if t := a.Reply.Table; t != nil {
		out = append(out, strings.Join(t.Head, " | "))
		for _, r := range t.Rows {
			var cells []string
			for _, c := range r {
				cells = append(cells, c.Plain())
			}
			out = append(out, strings.Join(cells, " | "))
		}
		if t.More > 0 {
			out = append(out, fmt.Sprint("and ", t.More, " more"))
		}
	}
	return strings.Join(out, "\n")
}

// reads wants the answer to a line to hold all of these texts.
func (b *booth) reads(line string, want ...string) {
	b.t.Helper()
	got := b.types(line)
	for _, w := range want {
		if !strings.Contains(got, w) {
			b.t.Errorf("%q is answered\n%s\nwithout %q", line, got, w)
		}
	}
}

func (b *booth) alert(number int64) *alert.Alert {
	b.t.Helper()
	a, err := b.store.AlertByNumber(b.t.Context(), number)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

// events are the kinds and texts of what people asked for, of an alert.
func (b *booth) wishes(number int64) []string {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), b.alert(number).ID, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		if e.Actor == "" {
			continue
		}
		text := string(e.Kind) + " by " + e.Actor + ": " + e.Text
		if i := e.Instruction; i != nil {
			text += " [" + i.Do + " " + i.End.Sub(i.Start).String() + "]"
		}
		out = append(out, text)
	}
	return out
}

func TestProblemsAreListedTheWorstFirst(t *testing.T) {
	b := newBooth(t)
	if got := b.types("problems"); got != "No such problem is open." {
		t.Errorf("an empty board: %q", got)
	}
	b.estate()
	want := strings.Join([]string{
		"5 problems open: 3 critical, 1 warning, 1 info",
		"# | State | What | Since",
		"#4 | 🔴 CRITICAL | Mail on db 02 | 12:00 UTC",
		"#2 | 🔴 CRITICAL | HTTP on web01 | 12:00 UTC",
		"#1 | 🔴 CRITICAL | Disk /var on web01 | 12:00 UTC",
		"#3 | 🔴 DOWN | db01 | 12:00 UTC",
		"#5 | 🔵 INFO | HighLoad | 12:00 UTC",
	}, "\n")
	if got := b.types("problems"); got != want {
		t.Errorf("problems:\n%s\nwant:\n%s", got, want)
	}
	b.reads(`problems host="web01"`, "2 problems open: 2 critical", "#1 ", "#2 ")
	b.reads(`problems severity=~"warning|info", host!="web01"`, "2 problems", "#3 ", "#5 ")
	b.reads("problems host=“web01”, service=~„Di.*“", "1 problem open", "#1 ")
	b.reads("PROBLEMS db", "2 problems", "#3 ", "#4 ")
	b.reads("problems web01 http", "1 problem open: 1 critical", "#2 ")
	b.reads("problems nothing like it", "No such problem is open.")
	b.reads(`problems host=~"("`, "Match", "regexp")
	// What is over leaves the list, what changed is shown as it is.
	over := host("db01")
	over.Kind, over.State, over.Severity = alert.ReportRecovery, "UP", alert.SeverityOK
	b.report("nagios", over)
	b.types("ack 1")
	got := b.types("problems")
	if strings.Contains(got, "#3") || !strings.Contains(got, "#1 | 🔴 CRITICAL | Disk /var on web01 · being acknowledged for alice") {
		t.Errorf("afterwards:\n%s", got)
	}
}

func TestAcknowledgingTellsTheTruth(t *testing.T) {
	b := newBooth(t)
	b.estate()
	b.reads("ack 1 on it", "Acknowledging #1 🔴 CRITICAL Disk /var on web01 … waiting for nagios to confirm it. Its card will tell.")
	if a := b.alert(1); a.Ack.Phase != alert.AckPending || a.Ack.By != "alice" || a.Ack.Comment != "on it" {
		t.Errorf("the alert: %+v", a.Ack)
	}
	b.reads("ack 1", "Already being acknowledged by alice.")
	b.reads("unack 1", "It is not acknowledged.")
	if err := b.desk.ConfirmAck(t.Context(), b.alert(1).ID, "", ""); err != nil {
		t.Fatal(err)
	}
	b.reads("ack 1", "Already acknowledged by alice.")
	b.reads("status 1", "acknowledged by alice", "#1")
	b.reads("unack #1", "Removing the acknowledgement of #1", "waiting for nagios")
	// A source that can't be told.
	b.reads("ack highload mine", "Acknowledged: #5", "noted in Belfry, since prometheus can't be told")
	b.reads("unack 5", "No longer acknowledged: #5")
	if got := b.wishes(5); !slices.Equal(got, []string{"acknowledged by alice: mine", "unacknowledged by alice: "}) {
		t.Errorf("wishes: %q", got)
	}
	b.reads("ack 99", "There is no alert 99.")
	over := service("web01", "HTTP")
	over.Kind, over.State, over.Severity = alert.ReportRecovery, "OK", alert.SeverityOK
	b.report("nagios", over)
	b.reads("ack 2", "This problem is over; there is nothing to acknowledge.")
}

func TestAlertsAreNamedInManyWays(t *testing.T) {
	for ref, number := range map[string]int64{
		"1": 1, "#1": 1, `web01/"Disk /var"`: 1, `"web01/Disk /var"`: 1, "“web01/disk /VAR”": 1, "`web01/Disk /var`": 1, "web01/disk": 1,
		`"Disk /var on web01"`: 1, "WEB01/HTTP": 2, "db01": 3, "„db 02“": 4, `"db 02"/Mail`: 4, "'db 02'": 4, "highload": 5, "\u200b#3": 3,
	} {
		b := newBooth(t)
		b.estate()
		b.types("\n\u00a0ACK \t " + ref + "  don't  “worry”\nplease ")
		for n := range int64(5) {
			a := b.alert(n + 1)
			switch {
			case a.Number != number && a.Ack.Phase != alert.AckNone:
				t.Errorf("%s acknowledges #%d", ref, a.Number)
			case a.Number == number && a.Ack.Comment != "don't “worry” please":
				t.Errorf("%s: the acknowledgement is %+v", ref, a.Ack)
			}
		}
	}
}

func TestWhatIsNotClearIsAskedBack(t *testing.T) {
	b := newBooth(t)
	b.estate()
	b.reads("ack web01 x", "“web01” could be any of these 2. Name one by its number:", "#1 |", "#2 |")
	b.reads("ack", "Which one? Type “ack <alert> [comment]”, such as “ack 42 cleaning up”.")
	b.reads("ack #", "Which one?")
	b.reads("ack wbe01/http", "No open problem is called “wbe01/http”. Did you mean “web01/http”?")
	b.reads("ack nosuchthing", "No open problem is called “nosuchthing”. “problems” lists what is open.")
	b.reads("akc 1", "I don't know “akc”. Did you mean “ack <alert> [comment]”?")
	b.reads("downtmie 1 2h", "Did you mean “downtime")
	b.reads("prob", "I don't know “prob”. Did you mean “problems")
	b.reads("xyzzy", "I don't know “xyzzy”. I know status, problems, ack")
	b.reads("downtime 1", "For how long?")
	b.reads("downtime 1 tomorrow", "“tomorrow” is no span of time; write it like 90m, 2h, 1d or 1w.")
	b.reads("downtime 1 400d", "too short or too long", "at most 31d")
	b.reads("downtime 1 0m", "too short or too long")
	b.reads("ack 1 "+strings.Repeat("x", 600), "The comment has 600 characters; at most 500 fit. Nothing was done.")
	b.reads(strings.Repeat("x ", 10_000), "That line has 20000 bytes")
	for n := range int64(5) {
		if got := b.wishes(n + 1); len(got) != 0 {
			t.Errorf("#%d: %q", n+1, got)
		}
	}
}

func TestDowntimesAndChecks(t *testing.T) {
	b := newBooth(t)
	b.estate()
	b.reads("downtime web01/disk 2 h  new   disk", "Asking nagios for a downtime until 14:00 UTC of #1", "Its card will tell.")
	b.reads("dt 2 1d12h", "until 3 Mar 00:00 UTC")
	b.reads("check 1", "nagios can't be asked for a check. Nothing was done.")
	b.reads("downtime highload 1w", "prometheus can't be asked for a downtime. Nothing was done.")
	if got := b.wishes(1); !slices.Equal(got, []string{"instructed by alice: new disk [downtime 2h0m0s]"}) {
		t.Errorf("#1: %q", got)
	}
	if got := b.wishes(2); !slices.Equal(got, []string{"instructed by alice: planned work [downtime 36h0m0s]"}) {
		t.Errorf("#2: %q", got)
	}
}

func TestMutes(t *testing.T) {
	b := newBooth(t)
	b.estate()
	b.reads("mute list", "Nothing is muted.")
	b.reads("mute host=“web09”, service=~“D.*” 2h moving it", "Muted until 14:00 UTC: host=\"web09\",service=~\"D.*\"", "“unmute 1” ends it")
	b.reads("mute db01 1d", `source="nagios",host="db01",kind="host"`)
	b.report("nagios", service("web09", "Disk"))
	b.reads("problems web09", "1 problem open: 1 critical, 1 muted")
	b.reads("ack web09/disk", "It has no card; “status 6” will tell.")
	b.reads("mute", "2 mutes in force", `1 | 14:00 UTC | host="web09",service=~"D.*" | alice: moving it`)
	b.reads("status", "6 problems open", "2 mutes in force", "nagios | 5 | 4 | 1", "prometheus | 1 | 0 | 0")
	b.reads("unmute 1", "No longer muted: host=\"web09\"")
	b.reads("unmute 1", "There is no such mute in force.")
	b.reads("unmute", "Which one?")
	b.reads("mute host=web01", "For how long?")
	b.reads(`mute host=~"(" 2h`, "Nothing was muted.")
	b.reads(`mute host=~".*" 2h`, "That would mute everything")
	b.reads("mute nosuch 2h", "No open problem is called “nosuch”")
	b.reads("mute list", "1 mute in force")
}

func TestStatus(t *testing.T) {
	b := newBooth(t)
	b.reads("status", "Nothing is wrong at this moment.")
	b.estate()
	b.reads("status db01", "DOWN db01", "#3")
	b.reads("status web01 disk /var", "CRITICAL Disk /var on web01")
	b.reads("status web01", "2 problems open for “web01”")
	b.reads("status fridge1", "No open problem of “fridge1”.", "nagios | fridge1 | OK | 12:00 UTC")
	b.reads("status fridge2", "No open problem is called “fridge2”.")
}

func TestHelpWhoamiAndConnect(t *testing.T) {
	b := newBooth(t)
	for _, line := range []string{"", "  ", "help", "?"} {
		b.reads(line, "Type | to get", "ack <alert> [comment] | say that you take care of it", "help [command]")
	}
	b.reads("help ack", "ack <alert> [comment] – say that you take care of it", "also: acknowledge", "example: ack 42 cleaning up")
	b.reads("whoami", "You are alice on connection chat (id u1).", "You may acknowledge")
	b.reads("connect", "There is nothing to connect here")
	b = newBooth(t, func(o *command.Options) {
		o.Connect = func(_ context.Context, who chat.Actor) chat.Answer { return chat.Answer{Whisper: "Hello " + who.Name} }
		o.Who = func(context.Context, chat.Actor) []string { return []string{"Linked to Alice A."} }
		o.Gate = shut{}
	})
	b.estate()
	b.reads("connect", "Hello alice")
	b.reads("whoami", "Linked to Alice A.", "You may look, but not act")
	for _, line := range []string{"ack 1", "unack 1", "downtime 1 2h", "check 1", `mute host="x" 2h`, "unmute 1"} {
		if got := b.types(line); got != "Connect first." {
			t.Errorf("%s: %q", line, got)
		}
	}
	if len(b.wishes(1)) != 0 {
		t.Error("somebody acted who may not")
	}
	b.reads("problems", "5 problems")
	b.reads("mute list", "Nothing is muted")
}

// TestEveryExampleOfTheHelpWorks holds the help to what it says.
func TestEveryExampleOfTheHelpWorks(t *testing.T) {
	for _, name := range command.Words() {
		b := newBooth(t)
		var reports []alert.Report
		for i := range 50 {
			reports = append(reports, host(fmt.Sprint("h", i)))
		}
		b.report("nagios", append(reports, host("web01"))...)
		_, rest, found := strings.Cut(b.types("help "+name), "example: ")
		if !found {
			continue
		}
		example, _, _ := strings.Cut(rest, "\n")
		if got := b.types(example); strings.Contains(got, "I don't know") || strings.Contains(got, "Which one") || strings.Contains(got, "span") {
			t.Errorf("%q is answered %q", example, got)
		}
	}
}

// broken is a store that can't be asked.
type broken struct{}

func (broken) Changed(context.Context, alert.ID) ([]*alert.Alert, alert.ID, error) {
	return nil, 0, errors.New("disk on fire at /secret/path")
}

func (broken) AlertByNumber(context.Context, int64) (*alert.Alert, error) {
	return nil, errors.New("disk on fire at /secret/path")
}

func TestTroubleIsToldWithoutItsInside(t *testing.T) {
	b := newBooth(t, func(o *command.Options) { o.Store = broken{} })
	for _, line := range []string{"problems", "ack 1", "ack web01", "status", "status 1", "status x"} {
		if got := b.types(line); !strings.Contains(got, "nothing was changed") || strings.Contains(got, "fire") {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func TestBelowACardItsAlertIsMeant(t *testing.T) {
	b := newBooth(t)
	b.estate()
	// The first card due is put up.
	c, err := b.store.Claim(t.Context(), "chat/ops", 1)
	if err != nil || len(c.Duties) != 1 {
		t.Fatal(c, err)
	}
	done := store.Settlement{ID: c.Duties[0].ID, State: store.DutyDone, Reached: 1, Receipt: "channel post"}
	if _, err := b.store.Settle(t.Context(), c.Destination, c.Fence, []store.Settlement{done}); err != nil {
		t.Fatal(err)
	}
	a, err := b.store.Alert(t.Context(), c.Duties[0].AlertID)
	if err != nil {
		t.Fatal(err)
	}
	below := func(post, line string) string {
		return read(b.Command(t.Context(), chat.Command{Actor: alice, Channel: "channel", Text: line, Thread: &chat.Ref{Channel: "channel", Post: post}}))
	}
	if got := below("post", "ack on it"); !strings.Contains(got, fmt.Sprintf("Acknowledging #%d ", a.Number)) || b.alert(a.Number).Ack.Comment != "on it" {
		t.Errorf("below the card: %q, %+v", got, b.alert(a.Number).Ack)
	}
	if got := below("post", "downtime 2 h new disk"); !strings.Contains(got, fmt.Sprintf("of #%d ", a.Number)) {
		t.Errorf("a downtime below the card: %q", got)
	}
	if got := below("post", "ack 3"); !strings.Contains(got, "#3 ") {
		t.Errorf("another by its number: %q", got)
	}
	if got := below("elsewhere", "ack"); !strings.Contains(got, "Which one?") {
		t.Errorf("below something else: %q", got)
	}
}

// TestTheHintNamesEveryCommand: it is what chat shows while /belfry is typed.
func TestTheHintNamesEveryCommand(t *testing.T) {
	inner := strings.TrimSuffix(strings.TrimPrefix(command.Hint(), "["), "]")
	if got := strings.Split(inner, " | "); !slices.Equal(got, command.Words()) || len(got) < 5 || len(inner) != len(command.Hint())-2 {
		t.Errorf("the hint is %q", command.Hint())
	}
}
