// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"belfry/chat"
	"belfry/fault"
	"belfry/seal"

	"github.com/google/go-cmp/cmp"
)

// fullCard is a message with no field left empty.
func fullCard() chat.Message {
	return chat.Message{
		Color: "#cc0000", Icon: "🔴", State: "CRITICAL",
		Title: "Disk /var on web01", Link: "https://monitoring.example/hosts/web01?service=disk",
		Summary: "CRITICAL: Disk /var on web01: 98 % full",
		Lines: []chat.Line{
			{{Text: "since "}, {Text: "10:04", Time: time.Date(2026, 3, 1, 10, 4, 0, 0, time.UTC)}},
			{{Text: "contact "}, {Text: "Ops on duty", Bold: true}},
			{{Text: "run book", Link: "https://wiki.example/disk"}},
		},
		Output: "DISK CRITICAL - /var 98%\ninodes 12%", Cut: 1234, More: "https://belfry.example/alerts/7",
		Buttons: []chat.Button{
			{Action: "ack", Label: "Acknowledge", Style: chat.StylePrimary, Token: "token-of.ack"},
			{Action: "ackComment", Label: "Acknowledge with comment…", Token: "token-of.comment"},
			{Action: "unack", Label: "Un-acknowledge", Style: chat.StyleDanger, Token: "token-of.unack"},
		},
	}
}

func card(title string) chat.Message {
	m := fullCard()
	m.Title = title
	return m
}

func checkUpdateInPlace(r *room) {
	first := fullCard()
	ref, key := r.post(first)
	seen := r.only()
	if seen.Ref != ref {
		r.Errorf("the message is at %+v, Post said %+v", seen.Ref, ref)
	}
	r.reads(seen, first.Icon, first.State, first.Title, "since 10:04", "contact Ops on duty", "run book",
		"DISK CRITICAL - /var 98%", "inodes 12%", "1234")
	if !strings.Contains(seen.Text, "98%\ninodes") {
		r.Errorf("the output lost its line end: %q", seen.Text)
	}
	if !strings.EqualFold(seen.Color, first.Color) {
		r.Errorf("the colour is %q", seen.Color)
	}
	if diff := cmp.Diff([]string{"Acknowledge", "Acknowledge with comment…", "Un-acknowledge"}, seen.Buttons); diff != "" {
		r.Errorf("buttons: %s", diff)
	}
	for _, link := range []string{first.Link, "https://wiki.example/disk", first.More} {
		if !slices.Contains(seen.Links, link) {
			r.Errorf("nothing leads to %s, only to %q", link, seen.Links)
		}
	}
	second := chat.Message{Color: "#00cc00", State: "RECOVERED", Title: "Disk /var on web01", Summary: "over",
		Lines: []chat.Line{{{Text: "was critical for 7 minutes"}}}, Buttons: first.Buttons[:1]}
	r.update(ref, key, second)
	seen = r.only()
	if seen.Ref != ref {
		r.Errorf("the update stands at %+v, not %+v", seen.Ref, ref)
	}
	r.reads(seen, "RECOVERED", "was critical for 7 minutes")
	r.readsNot(seen, "CRITICAL:", "contact Ops", "inodes", "1234")
	if !strings.EqualFold(seen.Color, "#00cc00") || len(seen.Buttons) != 1 {
		r.Errorf("after the update: colour %q, buttons %q", seen.Color, seen.Buttons)
	}
}

func checkNoButtonsLeft(r *room) {
	m := fullCard()
	ref, key := r.post(m)
	m.Buttons = nil
	r.update(ref, key, m)
	if left := r.only().Buttons; len(left) != 0 {
		r.Errorf("buttons left after an update without any: %q", left)
	}
}

// checkCut: whatever a platform leaves out of the output is counted.
func checkCut(r *room) {
	const mark = "§"
	m := fullCard()
	for _, size := range []int{10, 3000, 40_000} {
		m.Output, m.Cut = strings.Repeat(mark, size), 5
		ref, key := r.post(m)
		seen := r.Room.Messages()
		last := seen[len(seen)-1]
		hidden := size + m.Cut - strings.Count(last.Text, mark)
		if hidden < m.Cut || !slices.Contains(digits(last.Text), fmt.Sprint(hidden)) {
			r.Errorf("of %d characters %d are missing, and the card doesn't say so: %.200q…", size+m.Cut, hidden, last.Text)
		}
		if !slices.Contains(last.Links, m.More) {
			r.Errorf("a cut card doesn't lead to the whole")
		}
		r.update(ref, key, m)
	}
	m.Output, m.Cut = "all of it", 0
	ref, _ := r.post(m)
	for _, s := range r.Room.Messages() {
		if s.Ref == ref && slices.Contains(s.Links, m.More) {
			r.Errorf("a card that is whole links to more")
		}
	}
}

// digits returns the numbers in text, separators of thousands taken out.
func digits(text string) []string {
	for _, sep := range []string{",", ".", "\u00a0", "\u202f", "'"} {
		text = strings.ReplaceAll(text, sep, "")
	}
	return strings.FieldsFunc(text, func(c rune) bool { return c < '0' || c > '9' })
}

func checkSameKey(r *room) {
	p := chat.Post{Channel: r.Channel, Key: seal.Random(), Message: fullCard()}
	first, err := r.Platform.Post(r.context(), p)
	if err != nil {
		r.Fatal(err)
	}
	second, err := r.Platform.Post(r.context(), p)
	if err != nil {
		r.Fatal(err)
	}
	if first != second {
		r.Errorf("the same key led to %+v and %+v", first, second)
	}
	r.only()
	r.post(fullCard())
	if n := len(r.Room.Messages()); n != 2 {
		r.Errorf("two keys made %d messages", n)
	}
}

func checkSameKeyAtOnce(r *room) {
	p := chat.Post{Channel: r.Channel, Key: seal.Random(), Message: fullCard()}
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() { _, errs[i] = r.Platform.Post(r.context(), p) })
	}
	wg.Wait()
	arrived := 0
	for _, err := range errs {
		if err == nil {
			arrived++
			continue
		}
		r.decided(err, fault.Retry, fault.RetryAfter, fault.Unknown)
	}
	if arrived == 0 {
		r.Error("none of them arrived")
	}
	r.only()
}

func checkManyAtOnce(r *room) {
	const many = 40
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			_, err := r.Platform.Post(r.context(), chat.Post{Channel: r.Channel, Key: seal.Random(),
				Message: card(fmt.Sprintf("object %03d", i))})
			if err != nil {
				r.Errorf("can't post: %v", err)
			}
		})
	}
	wg.Wait()
	got := map[string]bool{}
	for _, s := range r.Room.Messages() {
		got[s.Text] = true
	}
	if len(got) != many {
		r.Errorf("%d different messages stand there, not %d", len(got), many)
	}
}

func checkFind(r *room) {
	if _, ok := r.find(seal.Random()); ok {
		r.Error("found a key that was never posted")
	}
	ref, key := r.post(fullCard())
	note, err := r.Platform.Post(r.context(), chat.Post{Channel: r.Channel, Thread: &ref, Key: seal.Random() + "", Message: chat.Message{Summary: "note"}})
	if err != nil {
		r.Fatal(err)
	}
	for range 230 {
		r.post(card("noise"))
	}
	if got, ok := r.find(key); !ok || got != ref {
		r.Errorf("found %+v, %v behind later messages; it is at %+v", got, ok, ref)
	}
	r.update(ref, key, card("changed"))
	if got, ok := r.find(key); !ok || got != ref {
		r.Errorf("found %+v, %v after an update; it is at %+v", got, ok, ref)
	}
	if _, ok := r.find(seal.Random()); ok {
		r.Errorf("found a key that was never posted among others (the note is %+v)", note)
	}
}

// checkFindDeleted: what somebody deleted was posted; it is not posted again.
func checkFindDeleted(r *room) {
	ref, key := r.post(fullCard())
	r.Room.Delete(ref)
	got, ok := r.find(key)
	if why := r.Lacks[FindDeleted]; why != "" {
		if ok {
			r.Errorf("a deleted message was found as %+v although it was declared: %s", got, why)
		}
		r.Skipf("declared: %s", why)
	}
	if !ok || got != ref {
		r.Errorf("a deleted message was found as %+v, %v; it was at %+v", got, ok, ref)
	}
}

func checkThread(r *room) {
	first, _ := r.post(card("first"))
	second, _ := r.post(card("second"))
	key := seal.Random()
	note := chat.Message{Summary: "alice acknowledged", Lines: []chat.Line{{{Text: "alice", Bold: true}, {Text: " acknowledged"}}}}
	ref, err := r.Platform.Post(r.context(), chat.Post{Channel: r.Channel, Thread: &first, Key: key, Message: note})
	if err != nil {
		r.Fatal(err)
	}
	if got, ok := r.findNote(first, key); !ok || got != ref {
		r.Errorf("the note was found as %+v, %v; it is at %+v", got, ok, ref)
	}
	again, err := r.Platform.Post(r.context(), chat.Post{Channel: r.Channel, Thread: &first, Key: key, Message: note})
	if err != nil || again != ref {
		r.Errorf("the same note again: %+v, %v", again, err)
	}
	for _, s := range r.Room.Messages() {
		switch s.Ref {
		case first:
			if len(s.Thread) != 1 {
				r.Fatalf("the thread has %d notes, not one", len(s.Thread))
			}
			r.reads(s.Thread[0], "alice acknowledged")
			if len(s.Thread[0].Rings) != 0 {
				r.Errorf("a name in a note rings %q", s.Thread[0].Rings)
			}
		case second:
			if len(s.Thread) != 0 {
				r.Errorf("the note went to the wrong thread")
			}
		default:
			r.Errorf("the note stands in the channel: %+v", s)
		}
	}
}

func checkMentions(r *room) {
	m := fullCard()
	m.Mentions = []string{"alice", "here"}
	ref, key := r.post(m)
	if diff := cmp.Diff([]string{"alice", "here"}, slices.Sorted(slices.Values(r.only().Rings))); diff != "" {
		r.Errorf("rings: %s", diff)
	}
	r.update(ref, key, m)
	r.Room.Delete(r.only().Ref)
	m.Mentions = []string{"bob @channel", "x\n@all", "<!here>", "@"}
	r.post(m)
	if rings := r.only().Rings; len(rings) != 0 {
		r.Errorf("what is no handle rings %q", rings)
	}
}

// checkPriority: a message keeps its priority through edits; where there is no
// such thing it is posted all the same.
func checkPriority(r *room) {
	for _, p := range []chat.Priority{chat.PriorityImportant, chat.PriorityUrgent, chat.PriorityStandard} {
		m := card("priority is " + string(p))
		m.Priority, m.RequestAck = p, true
		ref, key := r.post(m)
		r.update(ref, key, m)
		want := p
		if r.Lacks[Prioritize] != "" {
			want = chat.PriorityStandard
		}
		all := r.Room.Messages()
		if got := all[len(all)-1]; got.Priority != want {
			r.Errorf("a message of priority %q is shown with %q", p, got.Priority)
		}
	}
}

func checkUnknownChannel(r *room) {
	if why := r.Lacks[Address]; why != "" {
		r.Skipf("declared: %s", why)
	}
	const name = "no-such-channel-here"
	_, err := r.Platform.Post(r.context(), chat.Post{Channel: name, Key: seal.Random(), Message: fullCard()})
	if text := r.decided(err, fault.Permanent); !strings.Contains(text, name) {
		r.Errorf("the error doesn't name the channel: %s", text)
	}
}
