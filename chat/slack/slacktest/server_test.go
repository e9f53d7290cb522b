// SPDX-License-Identifier: Apache-2.0

package slacktest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"belfry/chat/slack/slacktest"
	"belfry/clock"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// said is an answer of the Web API.
type said struct {
	OK       bool
	Error    string
	Warning  string
	Needed   string
	TS       string
	Channel  string
	Message  map[string]any
	Metadata struct{ Messages []string } `json:"response_metadata"`
	status   int
	after    string
}

type caller struct {
	t     *testing.T
	s     *slacktest.Server
	clock *clock.Manual
}

func begin(t *testing.T, o slacktest.Options) caller {
	t.Helper()
	c := caller{t: t, clock: clock.NewManual(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))}
	o.Clock = c.clock
	c.s = slacktest.Start(t, o)
	c.s.AddChannel("ops")
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return c
}

func (c caller) send(method, token, content, body string) said {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.s.URL()+"/"+method, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if content != "" {
		req.Header.Set("Content-Type", content)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	out := said{status: res.StatusCode, after: res.Header.Get("Retry-After")}
	if err := json.Unmarshal(raw, &out); err != nil {
		c.t.Fatalf("%s answers %s", method, raw)
	}
	return out
}

const form = "application/x-www-form-urlencoded"

func (c caller) call(method string, args url.Values) said {
	c.t.Helper()
	return c.send(method, c.s.Token(), form, args.Encode())
}

// TestItRefusesWhatSlackRefuses, with Slack's words.
func TestItRefusesWhatSlackRefuses(t *testing.T) {
	c := begin(t, slacktest.Options{})
	long := strings.Repeat("x", 3001)
	post := func(more ...string) url.Values {
		v := url.Values{"channel": {"ops"}, "text": {"x"}}
		for i := 0; i+1 < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return v
	}
	cell := `{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"x"}]}]}`
	many := "[" + strings.TrimSuffix(strings.Repeat(`{"type":"divider"},`, 51), ",") + "]"
	for what, c2 := range map[string]struct {
		args      url.Values
		code, why string
	}{
		"too long a section": {post("blocks", `[{"type":"section","text":{"type":"mrkdwn","text":"`+long+`"}}]`), "invalid_blocks",
			"[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
		"too many blocks":   {post("blocks", many), "invalid_blocks", "[ERROR] no more than 50 items allowed [json-pointer:/blocks]"},
		"an unknown field":  {post("blocks", `[{"type":"divider","color":"red"}]`), "invalid_blocks", "invalid additional property: color"},
		"an unknown block":  {post("blocks", `[{"type":"marquee"}]`), "invalid_blocks", "unsupported type: marquee"},
		"a missing field":   {post("blocks", `[{"type":"header"}]`), "invalid_blocks", "missing required field: text"},
		"a long value":      {post("blocks", `[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"x"},"value":"`+strings.Repeat("v", 2001)+`"}]}]`), "invalid_blocks", "must be less than 2001 characters"},
		"an empty text":     {post("attachments", `[{"blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":""}]}]}]}]`), "invalid_attachments", "must be more than 0 characters"},
		"two tables":        {post("attachments", `[{"blocks":[{"type":"table","rows":[[`+cell+`]]},{"type":"table","rows":[[`+cell+`]]}]}]`), "invalid_attachments", "only_one_table_allowed"},
		"no JSON":           {post("blocks", `[{`), "invalid_blocks_format", ""},
		"nothing":           {url.Values{"channel": {"ops"}}, "no_text", ""},
		"a nonsense thread": {post("thread_ts", "0"), "invalid_thread_ts", "0 is not a valid thread_ts"},
		"metadata":          {post("metadata", `{"event_type":"x"}`), "invalid_metadata_schema", ""},
		"a wrong channel":   {url.Values{"channel": {"C0NOWHERE00"}, "text": {"x"}}, "channel_not_found", ""},
		"an unknown word":   {post("colour", "red"), "invalid_arguments", "unknown argument: colour"},
	} {
		got := c.call("chat.postMessage", c2.args)
		if got.OK || got.status != http.StatusOK || got.Error != c2.code || !strings.Contains(strings.Join(got.Metadata.Messages, " "), c2.why) {
			t.Errorf("%s: %+v", what, got)
		}
	}
	if n := len(c.s.Room("ops").Cards()); n != 0 {
		t.Errorf("%d messages were taken", n)
	}
}

func TestTokensScopesAndContentTypes(t *testing.T) {
	c := begin(t, slacktest.Options{})
	body := "channel=ops&text=x"
	for what, got := range map[string]said{
		"not_authed":             c.send("chat.postMessage", "", form, body),
		"invalid_auth":           c.send("chat.postMessage", "xoxb-other", form, body),
		"not_allowed_token_type": c.send("chat.postMessage", c.s.AppToken(), form, body),
		"invalid_charset":        c.send("chat.postMessage", c.s.Token(), form+"; charset=ebcdic", body),
		"invalid_post_type":      c.send("chat.postMessage", c.s.Token(), "application/xml", body),
		"missing_post_type":      c.send("chat.postMessage", c.s.Token(), "", body),
		"invalid_json":           c.send("chat.postMessage", c.s.Token(), "application/json", body),
		"unknown_method":         c.send("chat.shout", c.s.Token(), form, body),
		// A method that only reads does not look at JSON.
		"channel_not_found": c.send("conversations.info", c.s.Token(), "application/json; charset=utf-8", `{"channel":"ops"}`),
	} {
		if got.OK || got.Error != what || got.status != http.StatusOK {
			t.Errorf("%s: %+v", what, got)
		}
	}
	if got := c.send("chat.postMessage", c.s.Token(), "application/json", `{"channel":"ops","text":"x"}`); !got.OK || got.Warning != "missing_charset" {
		t.Errorf("JSON without a charset: %+v", got)
	}
	c.s.Ungrant("chat:write")
	if got := c.call("chat.postMessage", url.Values{"channel": {"ops"}, "text": {"x"}}); got.Error != "missing_scope" || got.Needed != "chat:write" {
		t.Errorf("%+v", got)
	}
	c.s.RevokeToken()
	if got := c.call("auth.test", nil); got.Error != "token_revoked" {
		t.Errorf("%+v", got)
	}
}

// TestRateTiers: one message a second in a channel with a short burst, twenty
// lists a minute, and Retry-After in whole seconds.
func TestRateTiers(t *testing.T) {
	c := begin(t, slacktest.Options{Tiers: true})
	limited := func(method string, args url.Values) int {
		for n := range 1000 {
			if got := c.call(method, args); got.Error == "ratelimited" {
				if got.status != http.StatusTooManyRequests || got.after == "" || got.after == "0" {
					t.Errorf("%s: %+v", method, got)
				}
				return n
			}
		}
		return -1
	}
	if n := limited("chat.postMessage", url.Values{"channel": {"ops"}, "text": {"x"}}); n < 1 || n > 20 {
		t.Errorf("%d messages at once", n)
	}
	c.clock.Advance(time.Second)
	if got := c.call("chat.postMessage", url.Values{"channel": {"ops"}, "text": {"x"}}); !got.OK {
		t.Errorf("a second later: %+v", got)
	}
	if n := limited("conversations.list", nil); n != 20 {
		t.Errorf("%d lists a minute", n)
	}
	if n := limited("chat.update", url.Values{"channel": {"ops"}, "ts": {"1.000000"}, "text": {"x"}}); n != 50 {
		t.Errorf("%d edits a minute", n)
	}
}

// TestAnAnswerToWhatIsGoneStandsInTheChannel: Slack does not refuse it.
func TestAnAnswerToWhatIsGoneStandsInTheChannel(t *testing.T) {
	c := begin(t, slacktest.Options{})
	got := c.call("chat.postMessage", url.Values{"channel": {"ops"}, "text": {"x"}, "thread_ts": {"1700000000.000100"}})
	if _, threaded := got.Message["thread_ts"]; !got.OK || threaded || len(c.s.Room("ops").Cards()) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestWhatPeopleRead of mrkdwn: a fake that reads too kindly proves nothing.
func TestWhatPeopleRead(t *testing.T) {
	for text, want := range map[string]struct{ read, looks, links, rings string }{
		"*b* and snake_case_x":               {"b and snake_case_x", "bold: b", "", ""},
		"<!here> <@U012ABCDEF>":              {"@here @U012ABCDEF", "", "", "here U012ABCDEF"},
		"<https://e.example/x|click> &lt;b>": {"click <b>", "", "https://e.example/x", ""},
		"see https://e.example/x":            {"see https://e.example/x", "", "https://e.example/x", ""},
		"&gt; quoted":                        {" quoted", "quote:  quoted", "", ""},
		":tada: 10:04:05":                    {":tada: 10:04:05", "emoji: tada", "", ""},
		"```code *b*```":                     {"code *b*", "code: code *b*", "", ""},
	} {
		got := slacktest.ReadText(text)
		if got.Text != want.read || strings.Join(got.Looks, " ") != want.looks || strings.Join(got.Links, " ") != want.links || strings.Join(got.Rings, " ") != want.rings {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

// TestWhispersCanBeClicked: also those that chat.postEphemeral showed. What is
// sent then has no message in it.
func TestWhispersCanBeClicked(t *testing.T) {
	c := begin(t, slacktest.Options{})
	alice := c.s.AddUser("alice").ID
	talk := c.s.AddChannel("talk").ID
	var payload string
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { payload = r.FormValue("payload") }))
	t.Cleanup(app.Close)
	c.s.CallAt(app.URL)
	c.send("chat.postEphemeral", c.s.Token(), form, url.Values{"channel": {talk}, "user": {alice}, "text": {"Shall I?"},
		"blocks": {`[{"type":"actions","elements":[{"type":"button","action_id":"go","value":"v1","text":{"type":"plain_text","text":"Go"}}]}]`}}.Encode())
	if out := c.s.WaitWhisper("alice", "").Click("Go"); out.Failed != "" || !strings.Contains(payload, `"value":"v1"`) || !strings.Contains(payload, alice) || strings.Contains(payload, `"message":`) {
		t.Errorf("%+v: %s", out, payload)
	}
}
