// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/console"
	"belfry/chat/console/consoletest"
	"belfry/message"
)

// TestEveryIconOfACardIsDrawn: a machine without a font for emoji would show an
// empty box in its place.
func TestEveryIconOfACardIsDrawn(t *testing.T) {
	object := alert.Object{Kind: alert.KindService, Host: "web01", Service: "Disk /var"}
	problem := alert.Alert{Topic: alert.TopicProblem, Status: alert.Firing, Object: object}
	var all []alert.Alert
	for state, severity := range map[string]alert.Severity{"CRITICAL": alert.SeverityCritical, "WARNING": alert.SeverityWarning,
		"UNKNOWN": alert.SeverityUnknown, "OK": alert.SeverityOK, "info": alert.SeverityInfo} {
		a := problem
		a.State, a.Severity = state, severity
		all = append(all, a)
		a.Ack = alert.Ack{Phase: alert.AckSet, By: "alice"}
		all = append(all, a)
		a.Status = alert.Resolved
		all = append(all, a)
	}
	for _, topic := range []alert.Topic{alert.TopicDowntime, alert.TopicFlapping, alert.TopicCustom} {
		a := problem
		a.Topic = topic
		all = append(all, a)
	}
	room := consoletest.Open(t, openStore(t), &chattest.Recorder{})
	for _, a := range all {
		m := message.Card(&a, message.Options{Now: time.Now()})
		if m.Icon == "" {
			t.Errorf("the card of %s, %s, %s has no icon", a.Topic, a.Status, a.State)
		}
		id, err := strconv.ParseInt(post(t, room, m).Post, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		card, err := room.Console.Card(t.Context(), chat.Actor{}, alert.ID(id))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := console.WriteCard(&b, card); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), `<svg class="icon"`) {
			t.Errorf("%s is not drawn (%s, %s, %s)", m.Icon, a.Topic, a.Status, a.State)
		}
	}
}
