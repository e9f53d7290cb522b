// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNothingLeadsToWhatSomebodyMayNotKnowOf(t *testing.T) {
	odd := func(n int64) (bool, error) { return n%2 == 1, nil }
	i := &Incident{Parent: 2, DuplicateOf: 3, Subs: []int64{4, 5, 6}, Duplicates: []int64{8}}
	if err := i.Bound(odd); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Incident{DuplicateOf: 3, Subs: []int64{5}}, i); diff != "" {
		t.Error(diff)
	}
	entries := []Entry{{Kind: EntryNote, Text: "x"}, {Kind: EntryHasSub, Other: 4, Is: "a secret"}, {Kind: EntryHasSub, Other: 5, Is: "known"}, {Kind: EntryDuplicate, Other: 6}}
	if err := Cover(entries, odd); err != nil {
		t.Fatal(err)
	}
	want := []Entry{{Kind: EntryNote, Text: "x"}, {Kind: EntryHasSub}, {Kind: EntryHasSub, Other: 5, Is: "known"}, {Kind: EntryDuplicate}}
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Error(diff)
	}
	broken := errors.New("the store is away")
	fails := func(int64) (bool, error) { return false, broken }
	for _, i := range []*Incident{{Parent: 1}, {Subs: []int64{1}}} {
		if err := i.Bound(fails); !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
	}
	if err := Cover([]Entry{{Other: 1}}, fails); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}
