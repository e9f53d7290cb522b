// SPDX-License-Identifier: Apache-2.0

package notification

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/monitor"
	"belfry/monitor/extcmd"
	"belfry/monitor/monitortest"
)

// whole has no zero field.
func whole() Notification {
	return Notification{
		ID: "id1", Repeated: true, SentAt: time.Date(2026, 11, 22, 4, 30, 4, 0, time.UTC), Type: "Service", NotificationType: "PROBLEM",
		HostName: "web01.example.com", HostUUID: "c36b8048-93ce-4385-ac19-ab5c90574b77", HostDisplayName: "Web 1", HostAddress: "192.0.2.1",
		ServiceDesc: "disk", ServiceUUID: "74fd8f59-1348-4e16-85f0-4a5c57c7dd62", ServiceDisplayName: "Disk /var",
		State: "1", HostState: "0", ServiceState: "2", Output: `full \ "q"`, LongOutput: `two\nC:\\new\n`,
		ProblemID: "17", LastProblemID: "16", AckAuthor: "ann", AckComment: "on it", Contact: "duty", Channel: "ops", Mention: "@ann",
		Link: "https://nagios.example/1", ActionURL: "https://nagios.example/2", NoEmoji: true, Labels: map[string]string{"team": "web"},
	}
}

// taker is Decode as a monitor without links.
type taker struct{}

func (taker) Decode(contentType string, body []byte) (monitor.Decoded, error) {
	return Decode(contentType, body, Links{})
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decode returns the single report of n.
func decode(t *testing.T, n Notification) (alert.Report, []string) {
	t.Helper()
	d, err := Decode("application/json", encode(t, n), Links{})
	if err != nil {
		t.Fatal(err)
	}
	return d.Reports[0], d.Warnings
}

func TestEveryFieldArrives(t *testing.T) {
	got, warnings := decode(t, whole())
	want := alert.Report{
		Kind: alert.ReportProblem, Intake: "id1", Repeated: true, At: time.Date(2026, 11, 22, 4, 30, 4, 0, time.UTC),
		Object: alert.Object{Kind: alert.KindService, Host: "c36b8048-93ce-4385-ac19-ab5c90574b77", HostDisplay: "Web 1",
			Service: "74fd8f59-1348-4e16-85f0-4a5c57c7dd62", ServiceDisplay: "Disk /var", Address: "192.0.2.1"},
		Labels: alert.Labels{"team": "web"}, State: "CRITICAL", Severity: alert.SeverityCritical,
		Output: "full \\ \"q\"\ntwo\nC:\\new", Link: "https://nagios.example/1", ProblemID: "17",
		Author: "ann", Comment: "on it", Contact: "duty", Channel: "ops", Mention: "@ann", NoEmoji: true,
	}
	if diff := cmp.Diff(want, got); diff != "" || len(warnings) > 0 {
		t.Errorf("warnings %q; -want +got:\n%s", warnings, diff)
	}
}

// The list of keys that errors and warnings go by is the struct's.
func TestKnownKeysAreTheStructs(t *testing.T) {
	var keys []string
	for f := range reflect.TypeFor[Notification]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		keys = append(keys, name)
	}
	known := knownKeys()
	slices.Sort(keys)
	slices.Sort(known)
	if diff := cmp.Diff(keys, known); diff != "" {
		t.Error(diff)
	}
}

func TestContractOfDecoding(t *testing.T) {
	plain := encode(t, Notification{NotificationType: "recovery", HostName: "h"})
	one := string(plain)
	monitortest.Decoding(t, monitortest.Intake{
		Monitor: taker{}, Largest: MaxBody,
		Good: map[string][]byte{
			"everything": encode(t, whole()), "next to nothing": plain, "a drained spool": []byte("[" + one + "," + one + "]"),
			"numbers for words": []byte(`{"notificationtype":"PROBLEM","hostname":"h","hoststate":1,"problemid":17,"lastproblemid":null}`),
			"keys in capitals":  []byte(`{"NotificationType":"CUSTOM","HOSTNAME":"h"}`),
		},
		Bad: map[string]monitortest.Bad{
			"a type":              {Body: []byte(`{"type":"Printer","notificationtype":"PROBLEM","hostname":"h"}`), Says: `type: "Printer" is not known; it is Host or Service`},
			"a notification type": {Body: []byte(`{"notificationtype":"PANIC","hostname":"h"}`), Says: "ACKNOWLEDGEMENT, CUSTOM, DOWNTIMECANCELLED"},
			"no type":             {Body: []byte(`{"hostname":"h"}`), Says: "notificationtype is missing"},
			"no host":             {Body: []byte(`{"notificationtype":"PROBLEM","servicedesc":"s"}`), Says: "hostname or hostuuid is needed"},
			"no service":          {Body: []byte(`{"type":"Service","notificationtype":"PROBLEM","hostname":"h"}`), Says: "servicedesc or serviceuuid"},
			"a macro for a host":  {Body: []byte(`{"notificationtype":"PROBLEM","hostname":"$HOSTNAME$"}`), Says: "hostname or hostuuid is needed"},
			"a list as output":    {Body: []byte(`{"notificationtype":"PROBLEM","hostname":"h","output":[]}`), Says: `"output": array is not understood here; a text is needed`},
			"a text for a switch": {Body: []byte(`{"notificationtype":"PROBLEM","hostname":"h","no_emoji":"yes"}`), Says: "true or false is needed"},
			"an object as state":  {Body: []byte(`{"notificationtype":"PROBLEM","hostname":"h","state":{}}`), Says: "state: a text or a number is needed"},
			"a time":              {Body: []byte(`{"notificationtype":"PROBLEM","hostname":"h","sent_at":"now"}`), Says: "sent_at: a time like"},
			"the second of two":   {Body: []byte("[" + one + `,{"hostname":"h"}]`), Says: "notification 2 of 2: notificationtype is missing"},
			"too many":            {Body: []byte("[" + strings.Repeat("{},", MaxNotifications) + "{}]"), Says: "more than 1000"},
			"a long name":         {Body: encode(t, Notification{NotificationType: "PROBLEM", HostName: strings.Repeat("h", maxName+1)}), Says: "hostname has 1025 bytes"},
			"many labels":         {Body: encode(t, manyLabels()), Says: "labels: there are 65"},
		},
	})
}

func manyLabels() Notification {
	n := Notification{NotificationType: "PROBLEM", HostName: "h", Labels: map[string]string{}}
	for i := range maxLabels + 1 {
		n.Labels[fmt.Sprint("l", i)] = "x"
	}
	return n
}

func TestNotificationTypes(t *testing.T) {
	for word, want := range map[string]alert.ReportKind{
		"PROBLEM": alert.ReportProblem, "Recovery": alert.ReportRecovery, "acknowledgement": alert.ReportAck,
		"FLAPPINGSTART": alert.ReportFlapping, "FLAPPINGSTOP": alert.ReportFlappingEnd, "FLAPPINGDISABLED": alert.ReportFlappingEnd,
		"DOWNTIMESTART": alert.ReportDowntime, "DOWNTIMEEND": alert.ReportDowntimeEnd, "DOWNTIMECANCELLED": alert.ReportDowntimeCancelled,
		"CUSTOM": alert.ReportCustom,
	} {
		if r, w := decode(t, Notification{NotificationType: word, HostName: "h", State: "0"}); r.Kind != want || len(w) > 0 {
			t.Errorf("%s is %s with warnings %q, want %s", word, r.Kind, w, want)
		}
	}
}

func TestStates(t *testing.T) {
	for _, x := range []struct {
		service  bool
		given    Word
		state    string
		severity alert.Severity
		warns    bool
	}{
		{false, "0", "UP", alert.SeverityOK, false},
		{false, "1", "DOWN", alert.SeverityCritical, false},
		{false, "2", "UNREACHABLE", alert.SeverityUnknown, false},
		{false, "Down", "DOWN", alert.SeverityCritical, false},
		{false, "3", "3", alert.SeverityUnknown, true},
		{false, "WARNING", "WARNING", alert.SeverityUnknown, true},
		{false, "", "PROBLEM", alert.SeverityUnknown, true},
		{true, "0", "OK", alert.SeverityOK, false},
		{true, "1", "WARNING", alert.SeverityWarning, false},
		{true, "2", "CRITICAL", alert.SeverityCritical, false},
		{true, "3", "UNKNOWN", alert.SeverityUnknown, false},
		{true, "critical", "CRITICAL", alert.SeverityCritical, false},
		{true, "DOWN", "DOWN", alert.SeverityUnknown, true},
	} {
		n := Notification{NotificationType: "PROBLEM", HostName: "h", State: x.given}
		if x.service {
			n.ServiceDesc = "s"
		}
		r, w := decode(t, n)
		if r.State != x.state || r.Severity != x.severity || (len(w) > 0) != x.warns {
			t.Errorf("service %v, %q: %s, %v, warnings %q", x.service, x.given, r.State, r.Severity, w)
		}
	}
	// Slack's module passes the state of host and service in their own options.
	r, _ := decode(t, Notification{Type: "Service", NotificationType: "PROBLEM", HostName: "h", ServiceDesc: "s", HostState: "DOWN", ServiceState: "WARNING"})
	if r.State != "WARNING" {
		t.Errorf("a service's state is %s", r.State)
	}
	if r, _ := decode(t, Notification{NotificationType: "RECOVERY", HostName: "h", ServiceDesc: "s"}); r.State != "OK" || r.Severity != alert.SeverityOK {
		t.Errorf("a recovery without state is %s, %v", r.State, r.Severity)
	}
}

func TestProblemIDs(t *testing.T) {
	for _, x := range []struct{ id, last, want string }{
		{"17", "16", "17"}, {"0", "17", "17"}, {"", "e1f3", "e1f3"}, {"0", "0", ""}, {"", "", ""},
		{"$SERVICEPROBLEMID$", "5", "5"},
	} {
		r, _ := decode(t, Notification{NotificationType: "RECOVERY", HostName: "h", ProblemID: Word(x.id), LastProblemID: Word(x.last)})
		if r.ProblemID != x.want {
			t.Errorf("%q and %q make %q, want %q", x.id, x.last, r.ProblemID, x.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	for name, x := range map[string]struct{ body, says string }{
		"an unknown key": {`{"notificationtype":"CUSTOM","hostname":"h","colour":"red"}`, `unknown key "colour" is not used`},
		"a macro":        {`{"notificationtype":"CUSTOM","hostname":"h","contact":"$CONTACTNAME$"}`, "contact: the core left the macro"},
		"a label's macro": {`{"notificationtype":"CUSTOM","hostname":"h","labels":{"team":"$HOSTTEAM$"}}`,
			`label "team": the core left the macro`},
		"a link": {`{"notificationtype":"CUSTOM","hostname":"h","link":"javascript:alert(1)"}`, "it must start with http:// or https://"},
	} {
		d, err := Decode("application/json", []byte(x.body), Links{})
		if err != nil || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], x.says) {
			t.Errorf("%s: warnings %q, %v", name, d.Warnings, err)
			continue
		}
		if r := d.Reports[0]; r.Contact != "" || r.Link != "" || len(r.Labels) > 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestCustomVariablesThatAnObjectDoesNotHaveAreNoFault(t *testing.T) {
	r, w := decode(t, Notification{NotificationType: "PROBLEM", HostName: "h", State: "1", Channel: "$_HOSTBELFRY_CHANNEL$",
		Labels: map[string]string{"team": "$_HOSTTEAM$", "site": "b"}})
	if len(w) > 0 || r.Channel != "" || len(r.Labels) != 1 {
		t.Errorf("channel %q, labels %q, warnings %q", r.Channel, r.Labels, w)
	}
}

func TestLinksFromTemplates(t *testing.T) {
	links := Links{Host: "https://n.example/h/{host}", Service: "https://n.example/s?h={host}&s={service}"}
	for name, x := range map[string]struct {
		n    Notification
		want string
	}{
		"host":    {Notification{NotificationType: "PROBLEM", HostName: "a b/c?d", State: "1"}, "https://n.example/h/a%20b%2Fc%3Fd"},
		"service": {Notification{NotificationType: "PROBLEM", HostName: "h", ServiceDesc: "a&b=c;d+e#f", State: "1"}, "https://n.example/s?h=h&s=a%26b%3Dc%3Bd%2Be%23f"},
		"its own": {Notification{NotificationType: "PROBLEM", HostName: "h", State: "1", ActionURL: "http://x.example/"}, "http://x.example/"},
		"a placeholder as a name": {Notification{NotificationType: "PROBLEM", HostName: "{service}", ServiceDesc: "s", State: "1"},
			"https://n.example/s?h=%7Bservice%7D&s=s"},
	} {
		d, err := Decode("", encode(t, x.n), links)
		if err != nil || d.Reports[0].Link != x.want {
			t.Errorf("%s: %v, %v, want %s", name, d.Reports, err, x.want)
		}
	}
}

func TestControlCharactersDoNotComeThrough(t *testing.T) {
	r, _ := decode(t, Notification{NotificationType: "CUSTOM", HostName: "h", Output: "a\x00b\x1b[31mc\r\nd", AckComment: "\u0085x\x7f", AckAuthor: " ann\n"})
	monitortest.CheckReports(t, []alert.Report{r})
	if r.Output != "ab[31mc\nd" || r.Comment != "x" || r.Author != "ann" {
		t.Errorf("%q, %q, %q", r.Output, r.Comment, r.Author)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("application/json", encode(f, whole()))
	f.Add("", []byte(`[{"notificationtype":"PROBLEM","hostname":"h","state":2,"x":1},{"notificationtype":"RECOVERY","hostname":"h"}]`))
	f.Add("application/json; charset=utf-8", []byte(`{"notificationtype":"CUSTOM","hostname":"$A$\u0000","labels":{"":"","a\n":"$B$"},"link":"http://[::1"}`))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		d, err := Decode(contentType, body, Links{Host: "https://n.example/{host}"})
		if err != nil {
			if len(err.Error()) > 600 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		monitortest.CheckReports(t, d.Reports)
		for _, r := range d.Reports {
			// Whatever came in, what can be named to a core is one field or nothing.
			if extcmd.CheckObject(r.Object) == nil && strings.ContainsAny(r.Object.Host+r.Object.Service, ";\n\r\x00") {
				t.Errorf("%+v", r.Object)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body := encode(b, whole())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode("application/json", body, Links{}); err != nil {
			b.Fatal(err)
		}
	}
}
