// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"strings"
	"testing"
	"time"

	"belfry/chat/mattermost"
)

const someID = "abcdefghijklmnopqrstuvwxyz"

func outgoingForm(alter string) string {
	return "token=t0ken-of-the-webhook&team_id=" + someID + "&team_domain=ops&channel_id=" + someID + "&channel_name=town&timestamp=1600000000&user_id=" + someID +
		"&user_name=alice&post_id=" + someID + "&text=fridge+top&trigger_word=fridge&file_ids=" + alter
}

func outgoingJSON(alter string) string {
	return `{"token":"t0ken-of-the-webhook","team_id":"` + someID + `","channel_id":"` + someID + `","timestamp":1600000000123,"user_id":"` + someID +
		`","user_name":"alice","post_id":"` + someID + `","text":"fridge top","trigger_word":"fridge","file_ids":""` + alter + `}`
}

func TestBothContentTypesSayTheSame(t *testing.T) {
	for kind, body := range map[string]string{
		"application/json":                                 outgoingJSON(`,"file_ids":["a"],"unknown":{"x":1}`),
		"application/json; charset=utf-8":                  outgoingJSON(""),
		"application/x-www-form-urlencoded":                outgoingForm(""),
		"application/x-www-form-urlencoded; charset=UTF-8": outgoingForm("a,b"),
	} {
		ids, token, text, at, err := mattermost.ReadOutgoing(kind, []byte(body))
		if err != nil || ids != [3]string{someID, someID, someID} || token != "t0ken-of-the-webhook" || text != "fridge top" || !at.Truncate(time.Second).Equal(time.Unix(1600000000, 0)) {
			t.Errorf("%s: %v %q %q %v %v", kind, ids, token, text, at, err)
		}
	}
	for name, x := range map[string][2]string{
		"milliseconds in a form": {"application/x-www-form-urlencoded", strings.Replace(outgoingForm(""), "1600000000", "1600000000123", 1)},
		"no time":                {"application/json", strings.Replace(outgoingJSON(""), "1600000000123", "0", 1)},
		"a word for a time":      {"application/json", strings.Replace(outgoingJSON(""), "1600000000123", `"now"`, 1)},
		"a path for an id":       {"application/json", strings.Replace(outgoingJSON(""), `"post_id":"`+someID, `"post_id":"../../users/me/abcdefghi`, 1)},
		"multipart":              {"multipart/form-data; boundary=x", outgoingForm("")},
		"no type":                {"", outgoingJSON("")},
	} {
		if _, _, _, _, err := mattermost.ReadOutgoing(x[0], []byte(x[1])); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// FuzzOutgoing: what is taken for a call names its post, channel and user, at a
// time that can be.
func FuzzOutgoing(f *testing.F) {
	f.Add("application/json", []byte(outgoingJSON("")))
	f.Add("application/x-www-form-urlencoded", []byte(outgoingForm("")))
	f.Add("application/json", []byte(`{"timestamp":9223372036854775807}`))
	f.Add("application/json", []byte(`{"token":["a"]}`))
	f.Add("application/x-www-form-urlencoded", []byte("%zz=%&&=;"))
	f.Add("text/html", []byte("<html>"))
	f.Add("application/json", []byte(strings.Repeat("[", 10_000)))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		ids, token, _, at, err := mattermost.ReadOutgoing(kind, body)
		if err != nil {
			return
		}
		for _, id := range ids {
			if len(id) != 26 || strings.ContainsAny(id, "/.%?# \n") {
				t.Errorf("%q was taken for an id", id)
			}
		}
		if len(token) > 4096 || at.Year() < 1970 || at.Year() > 2300 {
			t.Errorf("a token of %d bytes, at %v", len(token), at)
		}
	})
}
