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

// TestEachIsAskedOnce, and again only when there was no answer.
func TestEachIsAskedOnce(t *testing.T) {
	asked, down := map[int64]int{}, errors.New("the database is busy")
	trouble := down
	sees := Sees(func(number int64) (bool, error) {
		asked[number]++
		return number == 1, trouble
	}).Once()
	if _, err := sees(1); !errors.Is(err, down) {
		t.Errorf("the trouble is kept back: %v", err)
	}
	trouble = nil
	for range 3 {
		for number, want := range map[int64]bool{1: true, 2: false} {
			if got, err := sees(number); got != want || err != nil {
				t.Errorf("#%d: %v, %v", number, got, err)
			}
		}
	}
	if asked[1] != 2 || asked[2] != 1 {
		t.Errorf("asked %v times", asked)
	}
}
