// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"strings"
	"testing"
	"unicode"
)

const (
	hostsAnswer = `{"all_hosts":[{"Host":{"id":"1","uuid":"C36B8048-93ce-4385-ac19-ab5c90574b77","hostname":"web01","name":null,"address":"192.0.2.1","description":null},
"Hoststatus":{"currentState":1,"isHardstate":true,"problemHasBeenAcknowledged":true,"scheduledDowntimeDepth":null,"notifications_enabled":"0"},
"Downtime":[],"Acknowledgement":{"author_name":"ann","comment_data":"on\u001b it","entry_time":"14:15:00 - 22.11.2026"}}],
"scroll":{"page":1,"hasNextPage":true},"_csrfToken":null}`
	servicesAnswer = `{"all_services":[{"Service":{"uuid":"74fd8f59-1348-4e16-85f0-4a5c57c7dd62","servicename":"Disk\n/var"},
"Host":{"uuid":"c36b8048-93ce-4385-ac19-ab5c90574b77","hostname":"web01"},"Hoststatus":{"currentState":0},
"Servicestatus":{"currentState":"2","problemHasBeenAcknowledged":false,"scheduledDowntimeDepth":"1"},"Acknowledgement":[]}]}`
)

func TestAnswersAreRead(t *testing.T) {
	rows, more, err := decodeList([]byte(hostsAnswer), false)
	if err != nil || !more || len(rows) != 1 {
		t.Fatalf("%+v, %v, %v", rows, more, err)
	}
	if r := rows[0]; r.host != "c36b8048-93ce-4385-ac19-ab5c90574b77" || r.hostName != "web01" || !r.monitored || r.state != 1 || !r.acked ||
		r.author != "ann" || r.comment != "on it" || r.inDowntime || r.notifies == nil || *r.notifies {
		t.Errorf("%+v", r)
	}
	rows, more, err = decodeList([]byte(servicesAnswer), true)
	if err != nil || more || len(rows) != 1 {
		t.Fatalf("%+v, %v, %v", rows, more, err)
	}
	if r := rows[0]; r.service != "74fd8f59-1348-4e16-85f0-4a5c57c7dd62" || r.serviceName != "Disk /var" || r.state != 2 || r.acked || !r.inDowntime || r.notifies != nil {
		t.Errorf("%+v", r)
	}
	for name, body := range map[string]string{
		"hosts for services": servicesAnswer, "no list": `{}`, "another shape": `{"all_hosts":{"a":1}}`,
		"no uuid": `{"all_hosts":[{"Host":{"name":"web01"}}]}`, "an object as state": `{"all_hosts":[{"Hoststatus":{"currentState":{}}}]}`,
	} {
		if _, _, err := decodeList([]byte(body), false); err == nil {
			t.Errorf("%s was understood", name)
		}
	}
}

// A state that is none ends no problem: the object counts as not monitored.
func TestAnOddStateIsNotTakenForFine(t *testing.T) {
	exit := strings.Replace(hostsAnswer, `"currentState":1`, `"currentState":255`, 1)
	if rows, _, err := decodeList([]byte(exit), false); err != nil || !rows[0].monitored || rows[0].state != 255 {
		t.Errorf("an exit code as state: %+v, %v", rows, err)
	}
	for _, state := range []string{`""`, `"critical"`, `false`, `-1`, `2.0`, `null`} {
		rows, _, err := decodeList([]byte(`{"all_hosts":[{"Host":{"uuid":"c36b8048-93ce-4385-ac19-ab5c90574b77"},"Hoststatus":{"currentState":`+state+`}}]}`), false)
		if err != nil || len(rows) != 1 || rows[0].monitored {
			t.Errorf("state %s: %+v, %v", state, rows, err)
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add([]byte(hostsAnswer), false)
	f.Add([]byte(servicesAnswer), true)
	f.Add([]byte(`{"all_hosts":[{"Host":{"uuid":1}}]}`), false)
	f.Add([]byte(`{"all_services":[{"Acknowledgement":{"author_name":{}}}],"scroll":null}`), true)
	f.Fuzz(func(t *testing.T, body []byte, services bool) {
		rows, _, err := decodeList(body, services)
		if err != nil {
			oneLine(t, err.Error())
			return
		}
		for _, r := range rows {
			if !isUUID(r.host) || services && !isUUID(r.service) {
				t.Errorf("%+v", r)
			}
			oneLine(t, r.hostName)
			oneLine(t, r.serviceName)
			oneLine(t, r.address)
			for _, text := range []string{r.author, r.comment} {
				if strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' }) {
					t.Errorf("%q", text)
				}
			}
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"message":"Command added successfully to queue","command":"ACKNOWLEDGE_SVC_PROBLEM","args":{}}`))
	f.Add([]byte(`{"message":"Command not found","url":"/nagios_module/cmd/submit.json","code":404}`))
	f.Add([]byte(`{"status":403,"statusText":"Forbidden"}`))
	f.Add([]byte(`<!DOCTYPE html>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c := &client{key: "secret-key"}
		oneLine(t, c.reason(body))
		if strings.Contains(c.reason(body), "secret-key") {
			t.Errorf("%q", c.reason(body))
		}
		if _, err := decodeQueued(body); err != nil {
			oneLine(t, err.Error())
		}
	})
}

func oneLine(t *testing.T, text string) {
	t.Helper()
	if strings.ContainsFunc(text, unicode.IsControl) || len(text) > 600 {
		t.Errorf("%q", text)
	}
}
