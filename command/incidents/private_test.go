// SPDX-License-Identifier: Apache-2.0

package incidents_test

import (
	"strings"
	"testing"

	"belfry/chat"
)

// TestNothingLeadsToWhatBecamePrivate: the incidents to which one that became
// private belongs say that there is one, and not which.
func TestNothingLeadsToWhatBecamePrivate(t *testing.T) {
	b := newBooth(t)
	for _, line := range []string{"new the shop is slow", "sub #1 a secret part", "new a secret whole", "sub #3 the mail waits", "new a copy", "duplicate #5 #3"} {
		b.types(line)
	}
	if got := b.says(bert, "town", "timeline #1"); !strings.Contains(got, "a secret part") {
		t.Fatalf("there is nothing to hide in\n%s", got)
	}
	b.types("severity #2 SEV0")
	b.types("severity #3 SEV0")
	for _, number := range []string{"1", "4", "5"} {
		for _, word := range []string{"status", "timeline", "catchup", "export", "list all"} {
			for _, no := range []string{"secret", "#2", "#3", "1 sub-incident"} {
				if got := b.says(bert, "town", word+" #"+number); strings.Contains(got, no) {
					t.Errorf("%s #%s tells bert %s:\n%s", word, number, no, got)
				}
			}
		}
	}
	if got := b.says(bert, "town", "timeline #1"); !strings.Contains(got, "a part of this that is private") {
		t.Error(got)
	}
	b.want("timeline #1", "declared #2, a part of this: “a secret part”")
	b.want("status #4", "part of #3")
}

// TestAFormIsNoWayIntoWhatBecamePrivate: a part is declared by who may know of
// the whole when they send the form.
func TestAFormIsNoWayIntoWhatBecamePrivate(t *testing.T) {
	b := newBooth(t)
	b.announce = []string{"chat/town"}
	b.types("new a secret")
	a := b.Command(t.Context(), chat.Command{Actor: bert, Channel: "town", Word: "incident", Text: "sub #1"})
	if a.Dialog == nil {
		t.Fatalf("no form: %+v", a)
	}
	b.types("severity #1 SEV0")
	sent, _ := b.Submit(t.Context(), chat.Submit{Actor: bert, State: a.Dialog.State, Values: map[string]string{"title": "let me in"}})
	if !strings.Contains(sent.Whisper, "There is no incident #1, or it is private") {
		t.Errorf("%+v", sent)
	}
	if got := b.says(bert, "town", "status #1"); strings.Contains(got, "a secret") {
		t.Error("bert came in by the form")
	}
	// Who sees it in its own channel declares a part of it there.
	b.types("convert #1")
	own := b.Command(t.Context(), chat.Command{Actor: bert, Channel: "town", Word: "incident", Text: "sub"})
	if own.Dialog == nil {
		t.Fatalf("no form: %+v", own)
	}
	if sent, _ = b.Submit(t.Context(), chat.Submit{Actor: bert, State: own.Dialog.State, Values: map[string]string{"title": "a part"}}); sent.Whisper != "" {
		t.Errorf("%+v", sent)
	}
}
