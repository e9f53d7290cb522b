// SPDX-License-Identifier: Apache-2.0

package alert_test

import (
	"testing"

	"pgregory.net/rapid"

	"belfry/alert"
)

// TestLabelIsWhatMatchLabelsSays holds the two ways to ask to each other.
func TestLabelIsWhatMatchLabelsSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"source", "kind", "host", "service", "rule", "severity", "state", "status", "topic", "team", "x"})
		value := rapid.SampledFrom([]string{"", "a", "b"})
		a := alert.Alert{Source: value.Draw(t, "source"), Status: alert.Status(value.Draw(t, "status")), Topic: alert.Topic(value.Draw(t, "topic")),
			State: value.Draw(t, "state"), Severity: alert.Severity(rapid.IntRange(0, 4).Draw(t, "severity")),
			Labels: rapid.MapOf(name, value).Draw(t, "labels"),
			Object: alert.Object{Kind: alert.Kind(value.Draw(t, "kind")), Host: value.Draw(t, "host"), HostDisplay: value.Draw(t, "display"),
				Service: value.Draw(t, "service"), Rule: value.Draw(t, "rule")}}
		asked := name.Draw(t, "asked")
		if got, want := a.Label(asked), a.MatchLabels()[asked]; got != want {
			t.Fatalf("%s is %q, but %q among %v", asked, got, want, a.MatchLabels())
		}
	})
}
