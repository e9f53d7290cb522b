// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/slack"
)

func TestPreview(t *testing.T) {
	got, err := slack.Preview(chat.Message{Color: "#cc0000", Icon: "🔴", State: "DOWN", Title: "web01 <!here>", Link: "https://mon.example/1",
		Summary: "web01 is down", Lines: []chat.Line{{{Text: "since "}, {Text: "10:04", Time: time.Unix(1772359440, 0)}}},
		Output: "no answer\nfrom 192.0.2.7", Cut: 3, Mentions: []string{"oncall", "here"}, Buttons: []chat.Button{{Action: "ack", Label: "Acknowledge", Token: "t"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{"🔴 *DOWN* · web01 <!here> (https://mon.example/1)", "@oncall @here", "#cc0000", "since 10:04", "[ Acknowledge ]",
		"```", "no answer", "from 192.0.2.7", "```", "… 3 more characters", ""}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestPreviewOfAnAnswer: what people get in Slack, and no Markdown, which Slack
// does not read.
func TestPreviewOfAnAnswer(t *testing.T) {
	got, err := slack.PreviewReply(replies["markdown"])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"*Fridge*", "It has *4.5 °C*", "_the door_", "~shut~", ":snowflake:", "• first site (https://fridge.example.org/a?b=c)\n  1. inner\n• second milk",
		"> said alice\n", "```\ncode verbatim\n```", "| top | milk | eggs |\n", "the page (https://fridge.example.org)", "`a`"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got, err = slack.PreviewReply(replies["box"]); err != nil || !strings.Contains(got, "Fridge top") || !strings.Contains(got, "#3fa34d") || !strings.Contains(got, "<!here> milk |") || !strings.Contains(got, "… and 2 more") {
		t.Errorf("%v\n%s", err, got)
	}
}
