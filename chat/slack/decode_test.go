// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/chat"

	"github.com/google/go-cmp/cmp"
)

// example reads a payload as Slack's documentation shows it.
func example(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "inbound", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func interactionOf(t *testing.T, name string) interaction {
	t.Helper()
	form := url.Values{"payload": {string(example(t, name))}}.Encode()
	i, err := readInteraction("application/x-www-form-urlencoded; charset=utf-8", []byte(form))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return i
}

func TestAPressOfABlocksButton(t *testing.T) {
	i := interactionOf(t, "block_actions")
	if i.User.ID != "UA8RXUSPL" || i.team() != "T9TK3CUKW" || i.enterprise() != "" || i.Actions[0].Value != "click_me_123" {
		t.Errorf("%+v", i)
	}
	if got := i.ref(); got != (place{"CBR2V3XEX", "1548261231.000200"}) {
		t.Errorf("it stands at %+v", got)
	}
}

func TestAPressOfAnAttachmentsButton(t *testing.T) {
	i := interactionOf(t, "interactive_message")
	if got := i.ref(); got != (place{"C065W1189", "1458170866.000004"}) {
		t.Errorf("it stands at %+v", got)
	}
	names := i.names()
	if names[0] != "74fd8f59-1348-4e16-85f0-4a5c57c7dd62" {
		t.Errorf("the button's value does not come first: %q", names)
	}
	for _, want := range []string{"c36b8048-93ce-4385-ac19-ab5c90574b77", "services", "web01", "Ping", "Ping & Pong"} {
		if !slices.Contains(names, want) {
			t.Errorf("%q is not among %q", want, names)
		}
	}
}

func TestAForm(t *testing.T) {
	i := interactionOf(t, "view_submission")
	values, err := i.View.values()
	if diff := cmp.Diff(map[string]string{"comment": "on it <!channel>", "severity": "SEV1", "service": "shop,mail relay"}, values); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if k := i.View.brought(); k != (brought{Channel: "C123ABC456", State: "sealed.state"}) {
		t.Errorf("%+v", k)
	}
	if i := interactionOf(t, "view_closed"); i.View.brought().State != "sealed.state" {
		t.Errorf("%+v", i.View)
	}
}

func TestAShortcutIsAboutAMessageAndItsThread(t *testing.T) {
	i := interactionOf(t, "message_action")
	want := []place{{"C0LFFBKLZ", "1516229207.000133"}, {"C0LFFBKLZ", "1516229200.000100"}}
	if got := i.cards(); i.Callback != shortcutAck || !slices.Equal(got, want) {
		t.Errorf("%s %+v", i.Callback, got)
	}
}

func TestEvents(t *testing.T) {
	_, e, err := readEvent(example(t, "reaction_added"))
	if err != nil || e.emoji() != "white_check_mark" || e.Item.TS != "1464196127.000002" || e.ItemUser != "U222222222" {
		t.Errorf("%v %+v", err, e)
	}
	o, e, err := readEvent(example(t, "app_mention"))
	if err != nil || o.ID != "Ev123ABC456" || !e.byPerson() {
		t.Fatalf("%v %+v", err, e)
	}
	text, ok := mentioned("U0LAN0Z89", e.Text)
	if !ok || plain(text) != "ack web01 on <it> & @bob" {
		t.Errorf("%v %q", ok, plain(text))
	}
	_, e, err = readEvent(example(t, "message"))
	if text, ok := commandOf("!", plain(e.Text)); err != nil || !ok || text != "ack 42 on it" {
		t.Errorf("%v %q", err, text)
	}
	if o, _, err := readEvent(example(t, "url_verification")); err != nil || !strings.HasPrefix(o.Challenge, "3eZbrw1aBm2rZg") {
		t.Errorf("%v %+v", err, o)
	}
	for _, kind := range []string{`"subtype":"message_changed"`, `"bot_id":"B1"`, `"edited":{"ts":"1.000000"}`, `"user":""`} {
		raw := `{"type":"event_callback","event_id":"E1","event":{"type":"message","channel":"C12345678","ts":"1355517523.000005",` + kind + `}}`
		if _, e, err := readEvent([]byte(raw)); err != nil || e.byPerson() {
			t.Errorf("%s counts as typed by a person (%v)", kind, err)
		}
	}
}

func TestASlashCommandOfTheDocumentation(t *testing.T) {
	got, err := readTyped("application/x-www-form-urlencoded", []byte(docBody))
	if err != nil || got.User != "U2CERLKJA" || got.Channel != "G8PSS9T3V" || got.Team != "T1DC2JH3J" || got.Command != "/webhook-collect" || got.Text != "" {
		t.Errorf("%v %+v", err, got)
	}
	if _, err := readTyped("application/json", []byte(docBody)); err == nil {
		t.Error("a form under another name was taken")
	}
}

func TestFramesOfTheSocket(t *testing.T) {
	for name, want := range map[string]envelope{
		"socket_hello":      {Kind: frameHello},
		"socket_disconnect": {Kind: frameDisconnect, Reason: reasonWarning},
	} {
		if got, err := readEnvelope(example(t, name)); err != nil || got.Kind != want.Kind || got.Reason != want.Reason {
			t.Errorf("%s: %v %+v", name, err, got)
		}
	}
	e, err := readEnvelope(example(t, "socket_interactive"))
	if err != nil || e.ID == "" {
		t.Fatalf("%v %+v", err, e)
	}
	if _, err := decodeInteraction(e.Payload); err != nil {
		t.Error(err)
	}
}

func TestWhatPeopleTyped(t *testing.T) {
	for in, want := range map[string]string{
		"ack 42":                         "ack 42",
		"ack a &amp; b &lt;c&gt;":        "ack a & b <c>",
		"&amp;lt;":                       "&lt;",
		"ack <http://web01.ex|web01.ex>": "ack web01.ex",
		"see <https://wiki.ex/a?b>":      "see https://wiki.ex/a?b",
		"<@U012AB3CD|bob> <#C012|ops>":   "@bob #ops",
		"<@U012AB3CD> <!here>":           "@U012AB3CD @here",
		"<!date^1^{x}|noon>":             "noon",
		"a < b":                          "a < b",
		"<>":                             "",
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWhoIsMeantInALine(t *testing.T) {
	for in, want := range map[string]string{
		"invite <@U01|Anna> <@U01|anna>":      "invite @Anna @anna map[anna:U01]",
		"<@U01|anna> <@U02|anna>":             "@anna @U02 map[anna:U01 u02:U02]",
		"<@U01|Anna Huber> <#C1|ops>":         "@U01 #ops map[u01:U01]",
		"<@U01> <@nobody|x> &lt;@U03|eve&gt;": "@U01 @x <@U03|eve> map[u01:U01]",
		"<!subteam^S1|@oncall>":               "@oncall map[]",
	} {
		line, mentions := lineOf(in)
		if got := fmt.Sprint(line, " ", mentions); got != want {
			t.Errorf("lineOf(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWhenAMessageWasWritten(t *testing.T) {
	if got := at("1355517523.000005"); !got.Equal(time.Date(2012, 12, 14, 20, 38, 43, 5000, time.UTC)) {
		t.Error(got)
	}
}

func TestOnlyOurOwnNameAtTheHeadCounts(t *testing.T) {
	for text, want := range map[string]string{
		"<@U1BELFRY> ack 42": "ack 42", "<@U1BELFRY|belfry>: ack 42": "ack 42", " <@U1BELFRY>ack": "ack", "<@U1BELFRY>": "",
	} {
		if got, ok := mentioned("U1BELFRY", text); !ok || got != want {
			t.Errorf("%q: %q %v", text, got, ok)
		}
	}
	for _, text := range []string{"<@U1BELFRYX> ack 42", "hey <@U1BELFRY> ack", "ack 42", "<@U1BELFRY", ""} {
		if got, ok := mentioned("U1BELFRY", text); ok {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// seeds adds all examples.
func seeds(f *testing.F) {
	names, err := filepath.Glob("testdata/inbound/*.json")
	if err != nil || len(names) == 0 {
		f.Fatal(err)
	}
	for _, n := range names {
		f.Add(example(f, strings.TrimSuffix(filepath.Base(n), ".json")))
	}
}

func FuzzInteraction(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		i, err := decodeInteraction(raw)
		if err != nil {
			return
		}
		if !isSlackID(i.User.ID) {
			t.Errorf("nobody acts: %q", i.User.ID)
		}
		switch i.Kind {
		case kindBlockActions, kindLegacy:
			if len(i.Actions) == 0 || i.View == nil && !i.ref().ok() {
				t.Errorf("a press of nothing: %+v", i)
			}
			if n := i.names(); len(n) > maxNames {
				t.Errorf("%d names", len(n))
			}
		case kindSubmission, kindClosed:
			values, err := i.View.values()
			if err != nil {
				return
			}
			for name, v := range values {
				if !isAlnum(name) || v == "" {
					t.Errorf("field %q is %q", name, v)
				}
			}
			if _, err := json.Marshal(refusalIn(i.View, chat.Answer{Whisper: "no", FieldErrors: map[string]string{"x": "y"}})); err != nil {
				t.Error(err)
			}
		case kindMessage:
			for _, p := range i.cards() {
				if !p.ok() {
					t.Errorf("%+v is nowhere", p)
				}
			}
		}
	})
}

func FuzzEvent(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, e, err := readEvent(raw)
		if err != nil {
			return
		}
		if o.Kind == outerCallback && !isAlnum(o.ID) {
			t.Errorf("an event without an id: %+v", o)
		}
		_ = at(e.TS)
		if text, ok := mentioned("U1BELFRY", e.Text); ok && !strings.HasPrefix(strings.TrimSpace(e.Text), "<@U1BELFRY") {
			t.Errorf("%q is not for us", text)
		}
	})
}

func FuzzTyped(f *testing.F) {
	f.Add(docBody)
	f.Add("command=%2Fx&user_id=U1&channel_id=C1&text=%3C%40U1%7Cx%3E")
	f.Fuzz(func(t *testing.T, body string) {
		got, err := readTyped("application/x-www-form-urlencoded", []byte(body))
		if err == nil && (!isSlackID(got.User) || !isSlackID(got.Channel)) {
			t.Errorf("%+v", got)
		}
		_ = plain(got.Text)
	})
}

func FuzzEnvelope(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := readEnvelope(raw)
		if err == nil && e.Kind == "" {
			t.Errorf("%+v", e)
		}
	})
}

func FuzzPlain(f *testing.F) {
	f.Add("ack <@U1|x> &amp;lt; <http://a|b")
	f.Fuzz(func(t *testing.T, text string) {
		if got := plain(text); len(got) > len(text)+strings.Count(text, "<!") {
			t.Errorf("%q grew to %q", text, got)
		}
	})
}

// FuzzLineOf: whoever is meant in a line can be found in it by what stands
// there, and is an account.
func FuzzLineOf(f *testing.F) {
	f.Add("invite <@U012AB3CD|anna> <@U02> <@U03|Anna Huber> <@U04|anna> <!here> &lt;@U05|x&gt;")
	f.Fuzz(func(t *testing.T, text string) {
		line, mentions := lineOf(text)
		for word, id := range mentions {
			if !isUserID(id) || !strings.Contains(strings.ToLower(line), "@"+word) {
				t.Errorf("%q: %q stands for %q in %q", text, word, id, line)
			}
		}
	})
}
