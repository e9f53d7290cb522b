// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzOriginal: what is taken for a message has its place in time, and a link
// to it stays within the workspace.
func FuzzOriginal(f *testing.F) {
	for _, seed := range []string{
		`{"type":"message","user":"U012AB3CD","text":"the disk is full","ts":"1548261231.000200"}`,
		`{"type":"message","user":"U012AB3CD","text":"a reply","ts":"1548261231.000300","thread_ts":"1548261231.000200"}`,
		`{"subtype":"bot_message","bot_id":"B012","username":"Builds <!channel>","text":"","attachments":[{"fallback":"failed"}],"ts":"1548261231.000200"}`,
		`{"ts":"../../x","thread_ts":"?a=b","user":"<@U1>"}`, `{"ts":1}`, `{}`, `null`, `[]`, ``,
	} {
		f.Add([]byte(seed), "https://fox.slack.com/")
	}
	f.Add([]byte(`{"ts":"1548261231.000200"}`), "javascript:alert(1)")
	f.Fuzz(func(t *testing.T, raw []byte, site string) {
		var m original
		if json.Unmarshal(raw, &m) != nil || !m.ok() {
			return
		}
		link := permalink(site, "C012", m.TS, m.Thread)
		if link != "" && (safeURL(link) == "" || !strings.HasPrefix(link, strings.TrimRight(site, "/")+"/archives/C012/p")) {
			t.Errorf("%q, %q: it leads to %q", site, raw, link)
		}
		if at(m.TS).IsZero() && len(m.TS) < 20 {
			t.Errorf("%q is no time", m.TS)
		}
	})
}
