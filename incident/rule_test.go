// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"slices"
	"strings"
	"testing"

	"belfry/alert"
)

// TestATitleIsMadeOfLabels: what a label says is text, whatever it looks like,
// and what is left over of the template stands as it is.
func TestATitleIsMadeOfLabels(t *testing.T) {
	a := &alert.Alert{Object: alert.Object{Kind: alert.KindHost, Host: "web01"}, Labels: alert.Labels{"team": "{host}\n  {", "long": strings.Repeat("ü", 300)}}
	for template, want := range map[string]string{
		"":                       "",
		"{host} is down":         "web01 is down",
		"{team} of {host}{site}": "{host} { of web01",
		"} {host":                "} {host", "{} {": "{",
		"{long}": strings.Repeat("ü", MaxTitle-1) + "…",
	} {
		r := &Rule{Title: template}
		if got := r.title(a); got != want {
			t.Errorf("%q: %q, not %q", template, got, want)
		}
	}
	r := &Rule{Title: "{a} {{b}} {"}
	if got := r.Placeholders(); !slices.Equal(got, []string{"a", "{b"}) {
		t.Errorf("it wants %q", got)
	}
}
