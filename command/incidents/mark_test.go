// SPDX-License-Identifier: Apache-2.0

package incidents_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/incident"
	"belfry/store"
)

func (b *booth) mark(who chat.Actor, mark, post, text string) string {
	b.t.Helper()
	a, err := b.Record(context.Background(), chat.Marked{Actor: who, Mark: mark, Message: chat.Quoted{Ref: chat.Ref{Channel: "c1", Post: post}, Author: bert,
		Text: text, At: b.clock.Now().Add(-time.Hour), Link: "https://chat.example.org/" + post}})
	if err != nil {
		b.t.Fatal(err)
	}
	return a.Whisper
}

func (b *booth) expect(got, want string) {
	b.t.Helper()
	if !strings.Contains(got, want) || want == "" && got != "" {
		b.t.Errorf("%q, without %q", got, want)
	}
}

func TestMessagesAreKept(t *testing.T) {
	b := newBooth(t)
	b.expect(b.mark(anna, "timeline", "p1", "the disk is full"), "belongs to no incident")
	b.says(anna, "c1", "new the shop is slow")
	b.says(anna, "c1", "convert #1")
	b.expect(b.mark(anna, "timeline", "p1", "the disk is <full>\n@all"), "This stands in the timeline of #1 now.")
	b.expect(b.mark(anna, "timeline", "p1", "the disk is full"), "")
	b.expect(b.mark(bert, "timeline", "p1", "another text, edited since"), "")
	b.expect(b.mark(bert, "task", "p1", "the disk\nis full"), "This is task 1 of #1 now.")
	b.expect(b.mark(anna, "followup", "p2", strings.Repeat("ü ", 3000)), "This is follow-up 2 of #1 now.")
	b.expect(b.mark(anna, "timeline", "p3", ""), "in the timeline")
	b.expect(b.mark(anna, "timeline", "p4", strings.Repeat("x", 100_000)), "in the timeline")
	i, err := b.store.Incident(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(i.Tasks) != 2 || i.Tasks[0].Text != "the disk is full" || i.Tasks[0].Link != "https://chat.example.org/p1" || i.Tasks[0].Created.By.Name != "bert" ||
		i.Tasks[1].Kind != incident.FollowUp || len([]rune(i.Tasks[1].Text)) != incident.MaxLine {
		t.Errorf("%+v", i.Tasks)
	}
	entries, err := b.store.IncidentEntries(t.Context(), i.ID, store.EntryFilter{})
	if err != nil {
		t.Fatal(err)
	}
	entries = slices.DeleteFunc(entries, func(e incident.Entry) bool { return e.Kind != incident.EntrySaid })
	if len(entries) != 3 {
		t.Fatalf("%+v", entries)
	}
	e := entries[0]
	if e.By.Name != "bert" || e.KeptBy.Name != "anna" || !e.At.Equal(b.clock.Now().Add(-time.Hour)) || !e.RecordedAt.Equal(b.clock.Now()) ||
		e.Text != "the disk is <full>\n@all" || e.Link != "https://chat.example.org/p1" {
		t.Errorf("%+v", e)
	}
	if entries[1].Text != "(a message without text)" || len([]rune(entries[2].Text)) != incident.MaxText {
		t.Errorf("%+v", entries[1:])
	}
	b.expect(b.says(anna, "c1", "timeline"), "the disk is <full> @all (kept by anna) message")
	b.expect(b.says(anna, "c1", "tasks"), "the disk is full message")
}

func TestWhoMayNotKeepsNothing(t *testing.T) {
	b := newBooth(t)
	b.says(anna, "c1", "new the shop is slow")
	b.says(anna, "c1", "convert #1")
	b.Gate = nobody{}
	b.expect(b.mark(anna, "timeline", "p1", "the disk is full"), "you may not")
	b.Gate = nil
	a, err := b.Record(t.Context(), chat.Marked{Actor: anna, Mark: "timeline", Message: chat.Quoted{Ref: chat.Ref{Channel: "c1", Post: "p2"}, Ours: true}})
	if err != nil || !strings.Contains(a.Whisper, "Belfry's own") {
		t.Errorf("%+v, %v", a, err)
	}
	b.expect(b.mark(anna, "hammer", "p1", "the disk is full"), "is kept as one of")
	if i, err := b.store.Incident(t.Context(), 1); err != nil || i.Entries != 2 {
		t.Errorf("%+v, %v", i, err)
	}
}

type nobody struct{}

func (nobody) May(context.Context, chat.Actor) *chat.Answer {
	return &chat.Answer{Whisper: "you may not"}
}

func TestEmojiAreAsConfigured(t *testing.T) {
	b := newBooth(t)
	b.settings.Reactions = map[incident.Keep][]string{incident.KeepTask: {"hammer"}}
	for emoji, want := range map[string]string{"pushpin": "", "hammer": "task", "": ""} {
		if got := b.MarkOf(emoji); got != want {
			t.Errorf("%s is %q", emoji, got)
		}
	}
	b.want("help", "keeps that message: hammer as a task.")
	b.settings.Reactions = incident.DefaultReactions()
	b.settings.Reactions[incident.KeepTimeline] = []string{"pushpin", "round_pushpin"}
	b.want("help", "an incident's own channel keeps that message: pushpin or round_pushpin in the timeline, star as a task, wrench as a follow-up.")
	b.settings.Reactions = nil
	if text := b.types("help"); strings.Contains(text, "emoji") {
		t.Errorf("the help tells of emoji that do nothing:\n%s", text)
	}
	if ours, err := b.Records(t.Context(), "chat", "c1"); ours || err != nil {
		t.Error(ours, err)
	}
	b.says(anna, "c1", "new the shop is slow")
	b.says(anna, "c1", "convert #1")
	if ours, err := b.Records(t.Context(), "chat", "c1"); !ours || err != nil {
		t.Error(ours, err)
	}
	channels := func(want ...string) {
		t.Helper()
		if got, err := b.RecordChannels(t.Context(), "chat", 10); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v", got, err)
		}
	}
	channels("c1")
	b.says(anna, "c1", "cancel")
	channels()
}

// TestAMarkIsNoWayIntoWhatBecamePrivate: in a channel that may be open to
// everybody, others than those who take part mark nothing.
func TestAMarkIsNoWayIntoWhatBecamePrivate(t *testing.T) {
	b := newBooth(t)
	b.says(anna, "c1", "new the shop is slow")
	b.says(anna, "c1", "convert #1")
	if text := b.says(anna, "c1", "severity SEV0"); !strings.Contains(text, "SEV0") {
		t.Fatal(text)
	}
	b.expect(b.mark(bert, "timeline", "p1", "let me in"), "belongs to no incident")
	if text := b.says(bert, "c1", "status"); strings.Contains(text, "shop") {
		t.Errorf("bert reads %q", text)
	}
	b.expect(b.mark(anna, "timeline", "p1", "it was an attack"), "in the timeline of #1")
	b.expect(b.says(anna, "c1", "convert #1"), "its own")
	b.expect(b.mark(bert, "timeline", "p2", "now I am one of them"), "in the timeline of #1")
	i, err := b.store.Incident(t.Context(), 1)
	if err != nil || !i.Private || i.Channels[0].Public {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestAnIncidentIsDeclaredAboutAMessage(t *testing.T) {
	b := newBooth(t)
	about := chat.Quoted{Ref: chat.Ref{Channel: "c1", Post: "p1"}, Author: bert, Text: " the disk is\n<full> @all ", Link: "https://chat.example.org/p1"}
	b.expect(b.DeclareAbout(t.Context(), anna, about).Whisper, "announced nowhere")
	b.announce = []string{"chat/ops"}
	field := func(d *chat.Dialog, name string) chat.Field {
		t.Helper()
		at := slices.IndexFunc(d.Fields, func(f chat.Field) bool { return f.Name == name })
		if at < 0 {
			t.Fatalf("there is no %s in %+v", name, d.Fields)
		}
		return d.Fields[at]
	}
	d := b.DeclareAbout(t.Context(), anna, about).Dialog
	if d == nil || field(d, "summary").Value != "the disk is\n<full> @all\n\nhttps://chat.example.org/p1" {
		t.Fatalf("%+v", d)
	}
	answer, ok := b.Submit(t.Context(), chat.Submit{Actor: anna, State: d.State, Values: map[string]string{"title": "disk", "severity": "SEV1", "summary": "the disk is full"}})
	if !ok || answer.Whisper != "" || len(answer.FieldErrors) > 0 {
		t.Fatalf("%+v", answer)
	}
	i, err := b.store.Incident(t.Context(), 1)
	if err != nil || i.Summary != "the disk is full" || i.Title != "disk" {
		t.Errorf("%+v, %v", i, err)
	}
	if entries, err := b.store.IncidentEntries(t.Context(), i.ID, store.EntryFilter{}); err != nil || entries[0].Link != about.Link {
		t.Errorf("%+v, %v", entries, err)
	}
	// Where the form has no summary it gets one, and long texts fit with their link.
	b.settings.Form = []incident.FormField{{Name: "title"}, {Name: "severity", Default: "SEV3"}}
	about.Text, about.Author.Name = strings.Repeat("ü", 10_000), strings.Repeat("<!channel>", 100)
	d = b.DeclareAbout(t.Context(), anna, about).Dialog
	if v := field(d, "summary").Value; len([]rune(v)) > 3000 || !strings.HasSuffix(v, "…\n\n"+about.Link) || len([]rune(d.Intro)) > 300 {
		t.Errorf("%q, %q", v, d.Intro)
	}
	if answer, ok := b.Submit(t.Context(), chat.Submit{Actor: anna, State: d.State, Values: map[string]string{"summary": "full"}}); !ok || answer.Whisper != "" || len(answer.FieldErrors) > 0 {
		t.Fatalf("%+v", answer)
	}
	if i, err := b.store.Incident(t.Context(), 2); err != nil || i.Summary != "full" || i.Severity != "" {
		t.Errorf("%+v, %v", i, err)
	}
	b.Gate = nobody{}
	b.expect(b.DeclareAbout(t.Context(), anna, about).Whisper, "you may not")
}
