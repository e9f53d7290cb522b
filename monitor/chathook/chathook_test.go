// SPDX-License-Identifier: Apache-2.0

package chathook

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/config"
	"belfry/monitor"
	"belfry/monitor/monitortest"
	"belfry/translate"
)

func open(t testing.TB, c Config) monitor.Hook {
	t.Helper()
	if wrong := c.Validate(); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	m, err := c.Open()
	if err != nil {
		t.Fatal(err)
	}
	h, ok := m.(monitor.Hook)
	if !ok {
		t.Fatal("no hook")
	}
	return h
}

func TestContract(t *testing.T) {
	monitortest.Decoding(t, monitortest.Intake{
		Monitor: open(t, Config{}), Largest: translate.MaxInput,
		Good: map[string][]byte{
			"a text":        []byte(`{"text":"hello"}`),
			"an attachment": []byte(`{"attachments":[{"color":"danger","title":"web01 is down","text":"PING 100 %","fields":[{"title":"Host","value":"web01","short":true},{"title":"Tries","value":3}],"ts":1790251200,"footer":"check"}]}`),
			"blocks": []byte(`{"blocks":[{"type":"header","text":{"type":"plain_text","text":"Deploy"}},{"type":"section","text":{"type":"mrkdwn","text":"of *shop*"},"fields":[{"type":"mrkdwn","text":"by alice"}]},
				{"type":"context","elements":[{"type":"image","image_url":"https://x","alt_text":"logo"},{"type":"mrkdwn","text":"CI"}]},{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a"},{"type":"link","url":"https://x","text":"b"}]}]}]}`),
		},
		Bad: map[string]monitortest.Bad{
			"an empty post":           {Body: []byte(`{"text":" ","attachments":[{}]}`), Says: "No text specified"},
			"attachments as a text":   {Body: []byte(`{"text":"x","attachments":"y"}`), Says: "attachments is not a list"},
			"an attachment as a text": {Body: []byte(`{"text":"x","attachments":["y"]}`), Says: "attachments[0] is not an object"},
			"too many":                {Body: []byte(`{"attachments":[` + strings.TrimSuffix(strings.Repeat(`{},`, 101), ",") + `]}`), Says: "more than 100"},
			"a payload that is none":  {Body: []byte(`{"payload":"hello"}`), Says: "payload is not JSON"},
		},
	})
}

// said is what a report says, in a line.
func said(r alert.Report) string {
	out := string(r.Kind) + " " + r.Severity.String() + ": " + r.Object.Rule
	if r.Object.Key != "" {
		out += " <" + r.Object.Key + ">"
	}
	if text := r.Comment + r.Output; text != "" {
		out += " = " + strings.ReplaceAll(text, "\n", "|")
	}
	for _, s := range []string{r.Author, r.Channel, r.Link} {
		if s != "" {
			out += " / " + s
		}
	}
	return out
}

func TestWhatPostsBecome(t *testing.T) {
	no := false
	rules := Config{Key: `host=(\S+)`, FollowChannel: &no, Colors: &no, Rules: []Rule{
		{Username: "noise", Becomes: "nothing"},
		{Match: `(?i)\b(back to normal|recovered)\b`, Becomes: "resolved"},
		{Match: `(?i)\bslow\b`, Becomes: "firing", Severity: "warning"},
		{Color: []string{"#FF0000", "danger"}, Becomes: "firing"},
	}}
	for _, c := range []struct {
		name   string
		config Config
		kind   string
		body   string
		want   []string
	}{
		{"a plain text", Config{}, "", `{"text":"Deploy of shop finished","username":"ci","channel":"#deploys"}`,
			[]string{"custom info: Deploy of shop finished <deploy of shop finished> = Deploy of shop finished / ci / deploys"}},
		{"payload form", Config{}, "application/x-www-form-urlencoded", `payload=%7B%22text%22%3A%22hi%5Cnthere%22%7D`,
			[]string{"custom info: hi <hi> = there"}},
		{"multipart", Config{}, "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"payload\"\r\n\r\n{\"text\":\"hi\"}\r\n--b--\r\n",
			[]string{"custom info: hi <hi> = hi"}},
		{"a form without payload", Config{}, "application/x-www-form-urlencoded", `text=hi&username=me`, []string{"custom info: hi <hi> = hi / me"}},
		{"danger", Config{}, "", `{"attachments":[{"color":"danger","title":"[FIRING:1] Disk full on db01","title_link":"https://x.example/1","text":"97 % used"}]}`,
			[]string{"problem critical: Disk full on db01 <disk full on db01> = 97 % used / https://x.example/1"}},
		{"good ends it", Config{}, "", `{"attachments":[{"color":"good","title":":white_check_mark: [RESOLVED] Disk full on db01","text":"41 % used"}]}`,
			[]string{"custom info: Disk full on db01 <disk full on db01> = 41 % used", "recovery ok: Disk full on db01 <disk full on db01>"}},
		{"hex colours", Config{}, "", `{"attachments":[{"color":"#D63232","title":"a"},{"color":"#daa038","title":"b"},{"color":"#439FE0","title":"c"},{"color":"#2EB886","title":"d"},{"color":"#f00","title":"e"},{"color":"#888888","title":"f"},{"color":"pink","title":"g"}]}`,
			[]string{"problem critical: a <a>", "problem warning: b <b>", "custom info: c <c> = c", "custom info: d <d> = d", "recovery ok: d <d>", "problem critical: e <e>", "custom info: f <f> = f", "custom info: g <g> = g"}},
		{"up and down are one", Config{}, "", `{"attachments":[{"color":"danger","title":"🔴 Web-01 is DOWN!"},{"color":"good","title":"✅ web-01 is UP"}]}`,
			[]string{"problem critical: Web-01 is DOWN! <web-01>", "custom info: web-01 is UP <web-01> = web-01 is UP", "recovery ok: web-01 is UP <web-01>"}},
		{"Slack's markup", Config{}, "", `{"text":"<!channel> a &lt;b&gt; &amp; <https://x.example/a|the page> <@U123> <mailto:a@b.c|a@b.c> 1 < 2"}`,
			[]string{"custom info: @channel a <b> & the page (https://x.example/a) @U123 a@b.c 1 < 2 <channel a b the page https x.example/a u123 a@b.c> = @channel a <b> & the page (https://x.example/a) @U123 a@b.c 1 < 2 / https://x.example/a"}},
		{"text leads the attachment", Config{}, "", `{"text":"Build 7","attachments":[{"color":"warning","text":"unstable","fields":[{"title":"Branch","value":"main"}],"footer":"ci"}]}`,
			[]string{"problem warning: Build 7 <build> = unstable|Branch: main|ci"}},
		{"a rule's words", rules, "", `{"text":"checkout is slow\nhost=web01","channel":"ops"}`,
			[]string{"problem warning: checkout is slow <web01> = host=web01"}},
		{"a rule's words end it", rules, "", `{"text":"checkout is back to normal\nhost=web01"}`,
			[]string{"custom info: checkout is back to normal <web01> = host=web01", "recovery ok: checkout is back to normal <web01>"}},
		{"a rule's colour", rules, "", `{"attachments":[{"color":"#ff0000","title":"x"}]}`, []string{"problem critical: x <x>"}},
		{"no rule, colours off", rules, "", `{"attachments":[{"color":"warning","title":"x"}]}`, []string{"custom info: x <x> = x"}},
		{"noise", rules, "", `{"text":"recovered","username":"noise"}`, nil},
		{"a person's channel", Config{}, "", `{"text":"x","channel":"@alice"}`, []string{"custom info: x <x> = x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := open(t, c.config).Decode(c.kind, []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range d.Reports {
				got = append(got, said(r))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			monitortest.CheckReports(t, d.Reports)
		})
	}
}

func TestWrongRules(t *testing.T) {
	c := Config{Key: "(", Rules: []Rule{{Match: "[", Becomes: "firing"}, {Becomes: "alert", Color: []string{"red"}, Severity: "ok"}}}
	text := errors.Join(c.Validate()...).Error()
	for _, says := range []string{"rules: rule 1: match:", `rules: rule 2: becomes: "alert" is not known`, `rule 2: color: "red" is not known`, `rule 2: severity: "ok"`, "key: "} {
		if !strings.Contains(text, says) {
			t.Errorf("%q is not told in %s", says, text)
		}
	}
	var _ config.Spec = &c
}

func TestAnswersLikeTheRealOnes(t *testing.T) {
	h := open(t, Config{})
	_, empty := h.Decode("", []byte(`{"text":""}`))
	_, broken := h.Decode("", []byte(`{"text"`))
	for _, c := range []struct {
		outcome monitor.Outcome
		status  int
		body    string
	}{
		{monitor.Outcome{Accepted: 1, Warnings: []string{"w"}}, 200, "ok"},
		{monitor.Outcome{Fault: empty, Kept: true}, 400, `"id":"web.incoming_webhook.text.app_error","message":"No text specified."`},
		{monitor.Outcome{Fault: broken, Kept: true}, 400, `"id":"web.incoming_webhook.parse.app_error"`},
	} {
		if a := h.Answer(c.outcome); a.Status != c.status || !strings.Contains(a.Body, c.body) {
			t.Errorf("%+v: %+v", c.outcome, a)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"text":"<https://x|y> <@U1|z> <b"}`, `{"attachments":[{"color":"#fff","title":"[x","fields":[{"value":{}}],"blocks":[{"elements":[{"text":{"text":"x"}}]}]}]}`, `{"text":1,"blocks":[1,{"text":null}],"channel":7}`} {
		f.Add("application/json", []byte(seed))
	}
	f.Add("application/x-www-form-urlencoded", []byte("payload=%7B%7D&text=x"))
	h := open(f, Config{})
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		d, err := h.Decode(kind, body)
		if err != nil {
			if h.Answer(monitor.Outcome{Fault: err}).Status != 400 {
				t.Error("a fault is no 400")
			}
			return
		}
		monitortest.CheckReports(t, d.Reports)
	})
}
