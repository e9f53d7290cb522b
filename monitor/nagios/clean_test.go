// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
)

// Whatever people write, a command is one line with its fields and without any
// character that means something to a shell or a core.
func TestCommandsAreOneLineWhateverIsWritten(t *testing.T) {
	nasty := rapid.StringOfN(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("`$\"'\\;|&<>\r\n\x00\x1b\u2028\u202e- "))), 0, 3000, -1)
	said := language{sticky: 2, notify: true, persistent: true}
	now := time.Unix(1795321804, 0)
	rapid.Check(t, func(t *rapid.T) {
		o := rapid.SampledFrom([]alert.Object{host, service}).Draw(t, "object")
		author, comment := nasty.Draw(t, "author"), nasty.Draw(t, "comment")
		names := 1
		if o.Kind == alert.KindService {
			names = 2
		}
		for name, do := range map[string]func() (string, error){
			"acknowledge": func() (string, error) {
				return said.acknowledge(monitor.Acknowledgement{Object: o, Author: author, Comment: comment}, now)
			},
			"comment": func() (string, error) { return said.comment(o, author, comment, now) },
			"downtime": func() (string, error) {
				return said.downtime(monitor.Downtime{Object: o, Author: author, Comment: comment, Start: now, End: now.Add(time.Hour)}, now)
			},
		} {
			s, err := do()
			if err != nil {
				if d, _ := fault.Of(err); d != fault.Permanent {
					t.Fatalf("%s: %v", name, err)
				}
				continue
			}
			fields := map[string]int{"acknowledge": 6, "comment": 4, "downtime": 8}[name] + names
			if got := strings.Count(s, ";") + 1; got != fields {
				t.Fatalf("%s has %d fields instead of %d: %q", name, got, fields, s)
			}
			if strings.ContainsAny(s, "`$\"'\\|&<>") || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) {
				t.Fatalf("%s: %q", name, s)
			}
			if len(s)+1 > maxLine {
				t.Fatalf("%s has %d bytes", name, len(s))
			}
			if strings.HasSuffix(s, ";") || strings.Contains(s, ";;") {
				t.Fatalf("%s has an empty field: %q", name, s)
			}
		}
	})
}

func TestLongNamesAreRefusedNotCut(t *testing.T) {
	long := alert.Object{Kind: alert.KindService, Host: strings.Repeat("h", 2000), Service: strings.Repeat("s", 2100)}
	_, err := language{}.acknowledge(monitor.Acknowledgement{Object: long, Author: "ann"}, time.Unix(1, 0))
	if d, _ := fault.Of(err); d != fault.Permanent {
		t.Errorf("got %v", err)
	}
	long.Service = strings.Repeat("s", 1900)
	s, err := language{}.acknowledge(monitor.Acknowledgement{Object: long, Author: "ann", Comment: strings.Repeat("c", 1000)}, time.Unix(1, 0))
	if err != nil || len(s)+1 > maxLine || !strings.Contains(s, long.Service) {
		t.Errorf("%d bytes, %v", len(s), err)
	}
}
