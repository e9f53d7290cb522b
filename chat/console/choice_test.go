// SPDX-License-Identifier: Apache-2.0

package console

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/chat"
)

// TestWhatCantBeChosenIsRefused: browsers send what they like.
func TestWhatCantBeChosenIsRefused(t *testing.T) {
	f := Form{Fields: []chat.Field{
		{Name: "severity", Options: []string{"SEV1", "SEV2"}},
		{Name: "service", Optional: true, Several: true, Options: []string{"shop", "mail relay"}},
	}}
	for name, c := range map[string]struct{ values, wrong map[string]string }{
		"well":    {map[string]string{"severity": "SEV1", "service": "shop,mail relay"}, map[string]string{}},
		"nothing": {map[string]string{}, map[string]string{"severity": "Please fill this in."}},
		"strange": {map[string]string{"severity": "SEV9\n<b>", "service": "shop,door"}, map[string]string{
			"severity": `There is no "SEV9 <b>" here; choose from SEV1, SEV2.`, "service": `There is no "door" here; choose from shop, mail relay.`}},
		"two": {map[string]string{"severity": "SEV1,SEV2"}, map[string]string{"severity": "Please choose one of them."}},
	} {
		if _, wrong := f.check(c.values); cmp.Diff(c.wrong, wrong) != "" {
			t.Errorf("%s: %s", name, cmp.Diff(c.wrong, wrong))
		}
	}
}
