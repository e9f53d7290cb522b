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
