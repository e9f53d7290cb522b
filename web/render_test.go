// SPDX-License-Identifier: Apache-2.0

package web

import "testing"

// TestEveryPageCanBeParsed: pages are parsed when somebody looks at them, which
// is too late to find out that one is broken.
func TestEveryPageCanBeParsed(t *testing.T) {
	w := &Web{}
	pages, err := w.readPages()
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for name, page := range pages {
		if p, err := page(); err != nil || p.Lookup("layout.html") == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
