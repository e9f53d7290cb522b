// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"belfry/chat/mattermost/mattermosttest"
)

// TestTheFridgeOfTheDocumentIsAsked goes the whole way with the example that a
// reader can copy.
func TestTheFridgeOfTheDocumentIsAsked(t *testing.T) {
	text, err := os.ReadFile("../docs/answers.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind, begins string) string {
		found := regexp.MustCompile("(?ms)^```" + kind + "\n(" + begins + ".*?)^```$").FindSubmatch(text)
		if found == nil {
			t.Fatalf("docs/answers.md shows no %s that begins with %s", kind, begins)
		}
		return string(found[1])
	}
	k := newKitchenWith(t, "", func(fridge string) string {
		return strings.ReplaceAll(block("yaml", "answers:"), "https://fridge.example.org", fridge)
	})
	k.fridgeSays(jsonOf(block("json", "\\{")))
	_, got := k.ask("alice", "fridge top")
	if len(got) != 1 || mattermosttest.Visible(got[0].Text()) != "Fridge, top It has 4.5 °C and the door is shut. Shelf Holds top milk door mustard" || got[0].Color() != "#3fa34d" {
		t.Fatalf("it says %q", texts(got))
	}
	if path := k.last.Load().URL.Path; path != "/api/top" {
		t.Errorf("it asked for %s", path)
	}
}
