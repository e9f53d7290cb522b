// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"belfry/chat"
	"belfry/fault"
	"belfry/seal"

	"github.com/google/go-cmp/cmp"
)

// Keeper is a platform that keeps channels, under test: Alice and Bob can be
// brought in, Carol was deactivated. Those switches that may be nil say what a
// platform does without.
type Keeper struct {
	Keeper chat.ChannelKeeper
	// Secrets must never be seen in an error.
	Secrets []string
	// ID returns a person's id.
	ID func(person string) string
	// Unknown is the id of nobody; Outsider that of a person who is not in the
	// team, "" where there are no teams.
	Unknown, Outsider string
	// Take gives somebody else a channel of this name.
	Take func(name string, archived bool)
	// Forbid takes the right away to make, change and archive channels, and to
	// bring people in; nil: nobody can take it.
	Forbid func()
	// Lose carries the next call that changes something out and breaks the
	// connection instead of answering; Fail answers it with a server error and
	// does nothing.
	Lose, Fail func()
	// Say puts a message of Belfry's up in a channel; PinOther has a person pin
	// another one there.
	Say, PinOther func(channel string) chat.Ref
	// AddLink has a person put a link above a channel; nil: a platform without,
	// unless OwnLinks says that there are Belfry's alone.
	AddLink  func(channel string, l chat.Link)
	OwnLinks bool
	// Look is how people see a channel.
	Look func(channel string) KeptChannel
	// AllowUnarchive lets Belfry open archived channels; nil: nothing does,
	// unless Unarchives says that it always can.
	AllowUnarchive func()
	Unarchives     bool
	// Forgets: nothing is left of an account that ended, so that Carol is unknown.
	Forgets bool
	// MaxTopic and MaxPurpose are the platform's limits in characters.
	MaxTopic, MaxPurpose int
	// Titled: a channel has a title beside its name, and keeps its name.
	Titled bool
}

// KeptChannel is a channel as people see it. Topic and Purpose are as they are
// read, Raw as they are stored.
type KeptChannel struct {
	Name, Title, Topic, Purpose string
	RawTopic, RawPurpose        string
	Private, Archived           bool
	// Members are ids of people, Pins of messages.
	Members, Pins []string
	Links         []chat.Link
}

// RunKeeper holds a platform to the contract of chat.ChannelKeeper.
func RunKeeper(t *testing.T, open func(*testing.T) *Keeper) {
	t.Helper()
	for _, p := range []struct {
		name string
		run  func(*keeping)
	}{
		{"MadeOnce", keptOnce}, {"LostAnswer", keptAfterLoss}, {"NameTaken", keptTaken}, {"NoRight", keptNoRight},
		{"Invite", keptInvite}, {"Describe", keptDescribe}, {"LongTexts", keptLong}, {"Pins", keptPins},
		{"Links", keptLinks}, {"Rename", keptRename}, {"Archive", keptArchive}, {"Doubt", keptDoubt},
	} {
		t.Run(p.name, func(t *testing.T) { p.run(&keeping{T: t, Keeper: open(t)}) })
	}
}

type keeping struct {
	*testing.T
	*Keeper
}

func order(name string) chat.NewChannel {
	return chat.NewChannel{Key: seal.Random(), Name: name, Title: "Disk full on web01", Purpose: "about disks"}
}

func (k *keeping) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	k.Cleanup(cancel)
	return ctx
}

func (k *keeping) open(n chat.NewChannel) chat.Channel {
	k.Helper()
	c, err := k.Keeper.Keeper.OpenChannel(k.ctx(), n)
	if err != nil {
		k.Fatalf("can't make %s: %v", n.Name, err)
	}
	if c.ID == "" || c.Name == "" || !strings.HasPrefix(c.URL, "http") {
		k.Fatalf("a new channel lacks something: %+v", c)
	}
	return c
}

// twice does a step two times: the second must be no trouble.
func (k *keeping) twice(what string, step func() error) {
	k.Helper()
	for range 2 {
		if err := step(); err != nil {
			k.Fatalf("%s: %v", what, err)
		}
	}
}

func (k *keeping) decides(err error, want fault.Decision, words ...string) {
	k.Helper()
	decides(k.T, k.Secrets, err, want, words...)
}

func keptOnce(k *keeping) {
	n := order("INC-42 Disk full!")
	first := k.open(n)
	if first.Name != "inc-42-disk-full" {
		k.Errorf("it is called %q", first.Name)
	}
	if again := k.open(n); again != first {
		k.Errorf("the same order made %+v beside %+v", again, first)
	}
	n = order("inc-43")
	n.Private = true
	got := k.open(n)
	if !k.Look(got.ID).Private || k.Look(first.ID).Private || !got.Private || first.Private {
		k.Error("private or not is mixed up")
	}
	// What is wished for meanwhile does not change what was made.
	n.Private = false
	if again := k.open(n); !again.Private {
		k.Error("a private channel that was made earlier is told as a public one")
	}
	n.Key = seal.Random()
	if other := k.open(n); other.Name != "inc-43-2" {
		k.Errorf("another order of the same name got %+v", other)
	}
}

// keptAfterLoss: what was made although nobody heard of it is found by its key.
func keptAfterLoss(k *keeping) {
	n := order("inc-1")
	k.Lose()
	_, err := k.Keeper.Keeper.OpenChannel(k.ctx(), n)
	k.decides(err, fault.Unknown)
	if got := k.open(n); got.Name != "inc-1" {
		k.Errorf("a second channel was made: %+v", got)
	}
	n = order("inc-2")
	k.Fail()
	_, err = k.Keeper.Keeper.OpenChannel(k.ctx(), n)
	k.decides(err, fault.Unknown)
	if got := k.open(n); got.Name != "inc-2" {
		k.Errorf("the second attempt made %+v", got)
	}
}

func keptTaken(k *keeping) {
	k.Take("inc-1", false)
	k.Take("inc-1-2", true)
	if got := k.open(order("inc-1")); got.Name != "inc-1-3" {
		k.Errorf("it became %+v", got)
	}
}

func keptNoRight(k *keeping) {
	if k.Forbid == nil {
		k.Skip("nobody can take this platform's rights away")
	}
	ch := k.open(order("inc-1"))
	k.Forbid()
	_, err := k.Keeper.Keeper.OpenChannel(k.ctx(), order("inc-2"))
	k.decides(err, fault.Permanent, "administrator")
	k.decides(k.Keeper.Keeper.Describe(k.ctx(), ch.ID, chat.Description{Topic: "x"}), fault.Permanent, "administrator")
	_, err = k.Keeper.Keeper.Rename(k.ctx(), ch.ID, chat.NewChannel{Name: "other", Title: "Other"})
	k.decides(err, fault.Permanent, "administrator")
	_, err = k.Keeper.Keeper.Invite(k.ctx(), ch.ID, []string{k.ID(Alice)})
	k.decides(err, fault.Permanent, "administrator")
	k.decides(k.Keeper.Keeper.Archive(k.ctx(), ch.ID), fault.Permanent, "administrator")
	if k.Look(ch.ID).Archived {
		k.Error("it is archived")
	}
}

func keptInvite(k *keeping) {
	ch := k.open(order("inc-1"))
	people := []string{k.ID(Alice), k.ID(Carol), "nonsense", k.Unknown, k.ID(Bob), k.ID(Alice)}
	out := []string{k.ID(Carol), k.Unknown, "nonsense"}
	if k.Outsider != "" {
		people, out = append(people, k.Outsider), append(out, k.Outsider)
	}
	slices.Sort(out)
	for range 2 {
		refused, err := k.Keeper.Keeper.Invite(k.ctx(), ch.ID, people)
		if err != nil {
			k.Fatal(err)
		}
		var who []string
		for _, r := range refused {
			who = append(who, r.Person)
			carol := "switched off"
			if k.Forgets {
				carol = "is not known"
			}
			want := map[string]string{k.ID(Carol): carol, k.Unknown: "is not known", "nonsense": "is no id", k.Outsider: "is not a member of the team"}[r.Person]
			if !strings.Contains(r.Why, want) {
				k.Errorf("%s is told %q, not %q", r.Person, r.Why, want)
			}
		}
		slices.Sort(who)
		if diff := cmp.Diff(out, who); diff != "" {
			k.Error(diff)
		}
	}
	in := k.Look(ch.ID).Members
	if !slices.Contains(in, k.ID(Alice)) || !slices.Contains(in, k.ID(Bob)) || slices.ContainsFunc(in, func(id string) bool { return slices.Contains(out, id) }) {
		k.Errorf("in the channel: %v", in)
	}
}

func keptDescribe(k *keeping) {
	n := order("inc-1")
	ch := k.open(n)
	k.twice("describe", func() error {
		return k.Keeper.Keeper.Describe(k.ctx(), ch.ID, chat.Description{Topic: "critical · @channel <!here> & *alice*\nx", Purpose: "about _disks_"})
	})
	got := k.Look(ch.ID)
	if visible(got.Topic) != "critical · @channel <!here> & *alice* x" || !strings.HasPrefix(visible(got.Purpose), "about _disks_") {
		k.Errorf("above the channel stands %q and %q", got.Topic, got.Purpose)
	}
	if again := k.open(n); again != ch {
		k.Errorf("after it was described the same order made %+v", again)
	}
	k.twice("describe with nothing", func() error { return k.Keeper.Keeper.Describe(k.ctx(), ch.ID, chat.Description{}) })
	if again := k.open(n); again != ch || k.Look(ch.ID).Topic != "" {
		k.Errorf("%+v has the topic %q", again, k.Look(ch.ID).Topic)
	}
}

func keptLong(k *keeping) {
	n := order(strings.Repeat("long name ", 30))
	n.Title, n.Purpose = strings.Repeat("ü", 300), strings.Repeat("*<ü&", 500)
	ch := k.open(n)
	if again := k.open(n); again != ch {
		k.Errorf("the same order made %+v", again)
	}
	n.Key = seal.Random()
	if other := k.open(n); other.ID == ch.ID {
		k.Error("a long name that is taken got no suffix")
	}
	k.twice("describe", func() error {
		return k.Keeper.Keeper.Describe(k.ctx(), ch.ID, chat.Description{Topic: strings.Repeat("*&ü", 1000), Purpose: strings.Repeat("<", 1000)})
	})
	got := k.Look(ch.ID)
	if n := len([]rune(got.RawTopic)); n > k.MaxTopic || n < k.MaxTopic/2 || !strings.HasSuffix(got.RawTopic, "…") {
		k.Errorf("the topic has %d characters: %q", n, got.RawTopic)
	}
	if n := len([]rune(got.RawPurpose)); n > k.MaxPurpose || !strings.Contains(got.RawPurpose, "…") {
		k.Errorf("the purpose has %d characters: %q", n, got.RawPurpose)
	}
}

func keptPins(k *keeping) {
	ch := k.open(order("inc-1"))
	ref, other := k.Say(ch.ID), k.PinOther(ch.ID)
	k.twice("pin", func() error { return k.Keeper.Keeper.Pin(k.ctx(), ref) })
	if diff := cmp.Diff([]string{ref.Post, other.Post}, k.Look(ch.ID).Pins, sorted); diff != "" {
		k.Error(diff)
	}
	k.twice("unpin", func() error { return k.Keeper.Keeper.Unpin(k.ctx(), ref) })
	if diff := cmp.Diff([]string{other.Post}, k.Look(ch.ID).Pins); diff != "" {
		k.Error(diff)
	}
}

// sorted compares lists whose order does not matter.
var sorted = cmp.Transformer("sorted", func(in []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range in {
		out[s] = true
	}
	return out
})

func keptLinks(k *keeping) {
	ch := k.open(order("inc-1"))
	incident, call := chat.Link{Text: "Incident", URL: "https://b.example/1"}, chat.Link{Text: "Call", URL: "https://meet.example/1"}
	var want []chat.Link
	if k.AddLink != nil {
		own := chat.Link{Text: "Run book", URL: "https://wiki.example/"}
		k.AddLink(ch.ID, own)
		want = append(want, own)
	}
	for _, links := range [][]chat.Link{{incident, call}, {incident}, nil} {
		k.twice("set links", func() error { return k.Keeper.Keeper.Bookmark(k.ctx(), ch.ID, links) })
		stand := want
		if k.AddLink != nil || k.OwnLinks {
			stand = append(slices.Clone(want), links...)
		}
		if diff := cmp.Diff(stand, k.Look(ch.ID).Links); diff != "" {
			k.Error(diff)
		}
	}
	k.decides(k.Keeper.Keeper.Bookmark(k.ctx(), ch.ID, []chat.Link{{Text: "x", URL: "javascript:x"}}), fault.Permanent)
}

func keptRename(k *keeping) {
	n := order("inc-2")
	ch := k.open(n)
	k.Take("inc-2-done", true)
	k.twice("rename", func() error {
		got, err := k.Keeper.Keeper.Rename(k.ctx(), ch.ID, chat.NewChannel{Name: "INC-2 done", Title: "Disk is empty again"})
		if want := map[bool]string{true: "inc-2", false: "inc-2-done-2"}[k.Titled]; err == nil && (got.ID != ch.ID || got.Name != want) {
			k.Errorf("renamed to %+v", got)
		}
		return err
	})
	if title := k.Look(ch.ID).Title; k.Titled && title != "Disk is empty again" {
		k.Errorf("its title is %q", title)
	}
}

func keptArchive(k *keeping) {
	ch := k.open(order("inc-1"))
	k.twice("open what is open", func() error { return k.Keeper.Keeper.Unarchive(k.ctx(), ch.ID) })
	k.twice("archive", func() error { return k.Keeper.Keeper.Archive(k.ctx(), ch.ID) })
	if !k.Look(ch.ID).Archived {
		k.Fatal("it is not archived")
	}
	err := k.Keeper.Keeper.Describe(k.ctx(), ch.ID, chat.Description{Topic: "too late"})
	if k.decides(err, fault.Permanent); !errors.Is(err, chat.ErrArchived) {
		k.Errorf("that it is archived can't be told from the error: %v", err)
	}
	if !k.Unarchives {
		k.decides(k.Keeper.Keeper.Unarchive(k.ctx(), ch.ID), fault.Permanent, "by hand")
		if k.AllowUnarchive == nil {
			return
		}
		k.AllowUnarchive()
	}
	k.twice("open again", func() error { return k.Keeper.Keeper.Unarchive(k.ctx(), ch.ID) })
	if k.Look(ch.ID).Archived {
		k.Error("it is still archived")
	}
}

// keptDoubt: a step whose answer was lost is Unknown, and its repetition finds
// what stands already.
func keptDoubt(k *keeping) {
	ch := k.open(order("inc-1"))
	ref := k.Say(ch.ID)
	keeper := k.Keeper.Keeper
	for name, step := range map[string]func() error{
		"invite":   func() error { _, err := keeper.Invite(k.ctx(), ch.ID, []string{k.ID(Alice)}); return err },
		"describe": func() error { return keeper.Describe(k.ctx(), ch.ID, chat.Description{Topic: "new", Purpose: "disks"}) },
		"pin":      func() error { return keeper.Pin(k.ctx(), ref) },
		"rename": func() error {
			_, err := keeper.Rename(k.ctx(), ch.ID, chat.NewChannel{Name: "inc-1-x", Title: "X"})
			return err
		},
	} {
		k.Lose()
		k.decides(step(), fault.Unknown)
		k.twice(name, step)
	}
	if pins := k.Look(ch.ID).Pins; len(pins) != 1 {
		k.Errorf("pins %v", pins)
	}
	k.Lose()
	k.decides(keeper.Archive(k.ctx(), ch.ID), fault.Unknown)
	k.twice("archive", func() error { return keeper.Archive(k.ctx(), ch.ID) })
}
