// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"belfry/chat"
	"belfry/config/secrettest"
	"belfry/fault"

	"github.com/google/go-cmp/cmp"
)

// Directory is a platform that knows people, under test. Alice and Bob have
// accounts, Carol's was switched off (or is gone), Nobody's never was.
type Directory struct {
	Directory chat.Directory
	// Connection is the name that the platform was opened with.
	Connection string
	// Secrets must never be seen in an error.
	Secrets []string
	// ID returns the id of Alice or Bob.
	ID func(person string) string
	// Program is the handle of an account that is no person's; "": there are none.
	Program string
	// Mail returns a person's mail address; nil: this platform finds nobody by it.
	Mail func(person string) string
	// HideMail has the platform refuse to find anybody by mail; nil: it never does.
	HideMail func()
	// Share has people shown by one name, which is nobody's handle; nil: handles
	// are all that people are shown by. ByShown says that such a name is looked
	// up, so that who has it must be told.
	Share   func(shown string, people ...string)
	ByShown bool
	// Rings posts a message that mentions a word, and returns whom it rang; nil
	// where Share is.
	Rings func(word string) []string
	// AddGroup makes a group and returns what it is asked for by; nil: this
	// platform has none, and says HideWords.
	AddGroup func(name string, members ...string) string
	// AddChannel makes a channel that these and Belfry are in, and returns its name.
	AddChannel func(name string, members ...string) string
	// AddPeople makes n more people.
	AddPeople func(n int)
	// HideGroups takes away what reading groups needs; nil: nothing does. The
	// error must say HideWords.
	HideGroups func()
	HideWords  string
	// Down stops the platform's server.
	Down func()
}

// RunDirectory holds a platform to the contract of chat.Directory.
func RunDirectory(t *testing.T, open func(*testing.T) *Directory) {
	t.Helper()
	for _, p := range []struct {
		name string
		run  func(*directory)
	}{
		{"Handles", foundByHandle}, {"Unknown", foundNobody}, {"Mail", foundByMail}, {"MailHidden", foundNotByMail}, {"SharedName", foundSeveral},
		{"Group", foundGroup}, {"Channel", foundChannel}, {"NoGroup", foundNoGroup}, {"GroupsHidden", foundHidden},
		{"TooMany", foundTooMany}, {"LargeGroup", foundLarge}, {"Down", foundDown}, {"Impatient", foundImpatient},
	} {
		t.Run(p.name, func(t *testing.T) { p.run(&directory{T: t, Directory: open(t)}) })
	}
}

type directory struct {
	*testing.T
	*Directory
}

func (d *directory) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	d.Cleanup(cancel)
	return ctx
}

func (d *directory) find(names ...string) []chat.Found {
	d.Helper()
	got, err := d.Directory.Directory.FindPeople(d.ctx(), names)
	if err != nil {
		d.Fatalf("can't look up %q: %v", names, err)
	}
	if len(got) != len(names) {
		d.Fatalf("%d answers to %d names: %+v", len(got), len(names), got)
	}
	for i, f := range got {
		if f.Asked != names[i] {
			d.Errorf("answer %d is about %q, not %q", i, f.Asked, names[i])
		}
		if (f.Why == "") != (f.Actor.ID != "") || f.Known() != (f.Why == "") {
			d.Errorf("%q is neither found nor unknown: %+v", f.Asked, f)
		}
	}
	return got
}

func (d *directory) actor(person string) chat.Actor {
	return chat.Actor{Connection: d.Connection, ID: d.ID(person), Name: person}
}

func (d *directory) group(name string) []string {
	d.Helper()
	got, err := d.Directory.Directory.FindGroup(d.ctx(), name)
	if err != nil {
		d.Fatalf("can't read the group %q: %v", name, err)
	}
	var names []string
	for _, a := range got {
		names = append(names, a.Name)
		if a.Connection != d.Connection || a.ID == "" {
			d.Errorf("%q has a member that is not whole: %+v", name, a)
		}
	}
	slices.Sort(names)
	return names
}

func (d *directory) refuses(name string, words ...string) {
	d.Helper()
	got, err := d.Directory.Directory.FindGroup(d.ctx(), name)
	if err == nil {
		d.Fatalf("%q is a group: %+v", name, got)
	}
	decides(d.T, d.Secrets, err, fault.Permanent, words...)
}

func foundByHandle(d *directory) {
	got := d.find(Alice, "@"+Bob, "@"+strings.ToUpper(Alice), Alice, d.ID(Bob))
	for i, want := range []string{Alice, Bob, Alice, Alice, Bob} {
		if diff := cmp.Diff(d.actor(want), got[i].Actor); diff != "" {
			d.Errorf("%q: %s%s", got[i].Asked, diff, got[i].Why)
		}
	}
	if got := d.find(); len(got) != 0 {
		d.Errorf("nobody was asked for: %+v", got)
	}
}

// foundNobody: each name that leads to nobody is told, and the others are found.
func foundNobody(d *directory) {
	names := []string{"@" + Nobody, Carol, "", "@", "not a handle", "<!channel>", "../../users", strings.Repeat("x", chat.MaxPersonName+1), Alice, "nobody@nowhere.example"}
	if d.Program != "" {
		names = append(names, "@"+d.Program)
	}
	for _, f := range d.find(names...) {
		if f.Asked == Alice {
			if !f.Known() {
				d.Errorf("alice is not found beside them: %s", f.Why)
			}
			continue
		}
		if f.Known() || strings.HasSuffix(f.Why, ".") || !slices.ContainsFunc([]string{"is ", "has ", "can't "}, func(w string) bool { return strings.HasPrefix(f.Why, w) }) {
			d.Errorf("%.40q: %+v", f.Asked, f)
		}
	}
}

func foundByMail(d *directory) {
	if d.Mail == nil {
		if f := d.find(Alice + "@example.org")[0]; !strings.Contains(f.Why, "handle") {
			d.Errorf("it is not said what to do: %q", f.Why)
		}
		return
	}
	for _, f := range d.find(d.Mail(Alice), strings.ToUpper(d.Mail(Alice))) {
		if f.Actor != d.actor(Alice) {
			d.Errorf("%q: %+v", f.Asked, f)
		}
	}
	if f := d.find(d.Mail(Carol))[0]; f.Known() {
		d.Errorf("carol is found: %+v", f)
	}
}

func foundNotByMail(d *directory) {
	if d.HideMail == nil {
		d.Skip("this platform never hides addresses, or has none")
	}
	d.HideMail()
	got := d.find(d.Mail(Alice), Bob)
	if got[0].Known() || !strings.Contains(got[0].Why, "handle") || !got[1].Known() {
		d.Errorf("%+v", got)
	}
}

// foundSeveral: a name that several people are shown by stands for none of them,
// and who is looked for is asked for by handle.
func foundSeveral(d *directory) {
	if d.Share == nil {
		d.Skip("nobody is shown here by anything but the handle, which is theirs alone")
	}
	d.Share("Chris", Alice, Bob)
	for _, asked := range []string{"chris", "@Chris"} {
		f := d.find(asked)[0]
		if f.Known() {
			d.Errorf("%q is taken for %s", asked, f.Actor.Name)
		}
		if d.ByShown && (!strings.Contains(f.Why, "@"+Alice) || !strings.Contains(f.Why, "@"+Bob)) {
			d.Errorf("%q: it is not said who could be meant: %q", asked, f.Why)
		}
		if rung := d.Rings(strings.TrimPrefix(asked, "@")); len(rung) != 0 {
			d.Errorf("a mention of %q rings %q", asked, rung)
		}
	}
	if rung := d.Rings(Bob); !slices.Equal(rung, []string{Bob}) {
		d.Errorf("a mention of bob rings %q", rung)
	}
}

func foundGroup(d *directory) {
	if d.AddGroup == nil {
		d.refuses("oncall", d.HideWords)
		return
	}
	name := d.AddGroup("oncall", Bob, Alice, Carol)
	for _, asked := range []string{name, "@" + name, strings.ToUpper(name)} {
		if diff := cmp.Diff([]string{Alice, Bob}, d.group(asked)); diff != "" {
			d.Errorf("%s: %s", asked, diff)
		}
	}
}

func foundChannel(d *directory) {
	name := d.AddChannel("war-room", Bob, Carol)
	for _, asked := range []string{"~" + name, "#" + name} {
		if diff := cmp.Diff([]string{Bob}, d.group(asked)); diff != "" {
			d.Errorf("%s: %s", asked, diff)
		}
	}
}

func foundNoGroup(d *directory) {
	for _, name := range []string{"nosuch", "@nosuch", "~nosuch", "#nosuch", "", "@", "not a group", "../x", strings.Repeat("x", 300)} {
		d.refuses(name)
	}
}

func foundHidden(d *directory) {
	if d.HideGroups == nil {
		d.Skip("nothing hides this platform's groups")
	}
	name := d.AddGroup("oncall", Alice)
	d.HideGroups()
	d.refuses(name, d.HideWords)
}

func foundTooMany(d *directory) {
	names := make([]string, chat.MaxFind+1)
	for i := range names {
		names[i] = fmt.Sprintf("p%d", i)
	}
	_, err := d.Directory.Directory.FindPeople(d.ctx(), names)
	decides(d.T, d.Secrets, err, fault.Permanent, fmt.Sprint(chat.MaxFind))
}

func foundLarge(d *directory) {
	d.AddPeople(chat.MaxGroup + 1)
	var all []string
	for i := range chat.MaxGroup + 1 {
		all = append(all, fmt.Sprintf("p%d", i))
	}
	d.refuses("~"+d.AddChannel("crowd", all...), fmt.Sprint(chat.MaxGroup))
	if n := len(d.group("~" + d.AddChannel("many", all[1:]...))); n != chat.MaxGroup {
		d.Errorf("%d members", n)
	}
}

func foundDown(d *directory) {
	group := "oncall"
	if d.AddGroup != nil {
		group = d.AddGroup(group, Alice)
	}
	d.Down()
	_, err := d.Directory.Directory.FindPeople(d.ctx(), []string{Alice})
	decides(d.T, d.Secrets, err, fault.Retry)
	_, err = d.Directory.Directory.FindGroup(d.ctx(), group)
	decides(d.T, d.Secrets, err, fault.Retry)
}

// foundImpatient: who does not wait gets an error that says to try again, and
// not a false answer.
func foundImpatient(d *directory) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := d.Directory.Directory.FindPeople(ctx, []string{Alice})
	decides(d.T, d.Secrets, err, fault.Retry)
	if got := d.find(Alice)[0]; !got.Known() {
		d.Errorf("alice is not found afterwards: %s", got.Why)
	}
}

// decides checks the decision in an error, that it says some words, and that
// no secret is told.
func decides(t *testing.T, secrets []string, err error, want fault.Decision, words ...string) {
	t.Helper()
	if _, ok := errors.AsType[*fault.Error](err); !ok {
		t.Fatalf("no decision in %v", err)
	}
	if got, _ := fault.Of(err); got != want {
		t.Fatalf("%v, not %v: %v", got, want, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
	for _, secret := range secrets {
		secrettest.Check(t, secret, err)
	}
}
