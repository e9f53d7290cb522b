// SPDX-License-Identifier: Apache-2.0

package command_test

import (
	"slices"
	"testing"
)

func TestNotificationsOfTheMonitoringSystem(t *testing.T) {
	b := newBooth(t)
	b.estate()
	b.reads("notifications 2 off", "Asking nagios to notify nobody any more of #2", "“notifications 2 on” takes it back.", "Its card will tell.")
	b.reads("notifications 2 on", "Asking nagios to notify again of #2")
	b.reads("notifications 2", "Off or on? Type it like “notifications 42 off”. Nothing was done.")
	b.reads("notifications", "Which one?")
	b.reads("notifications highload off", "prometheus can't be asked for that. Nothing was done.")
	if got := b.wishes(2); !slices.Equal(got, []string{"instructed by alice:  [notifications 0s]", "instructed by alice:  [notifications 0s]"}) {
		t.Errorf("#2: %q", got)
	}
}
