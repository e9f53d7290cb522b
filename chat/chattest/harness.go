// SPDX-License-Identifier: Apache-2.0

// Package chattest is the contract of a chat platform as a test suite: what
// every platform must do with messages, faults, presses and hostile text.
//
// A platform's test calls Run with a function that opens a fresh Harness: the
// platform, its server (or the fake of it), the switches of the server's
// faults, and the channel as people see it. Each part of the suite opens its
// own, so nothing is left over from one to the next. What a platform can not
// suffer (the built-in room has no token to revoke) is declared with its
// reason in Harness.Without; a switch that is neither there nor declared fails
// the suite.
package chattest

import (
	"sync"
	"testing"
	"time"

	"belfry/chat"
)

// Open starts one platform with a server of its own. Callbacks go to r.
// Everything is stopped through t.Cleanup.
type Open func(t *testing.T, r chat.Responder) *Harness

// The people whom every room knows. Alice and Bob may press; Carol was
// deactivated after she saw the card; Nobody is an identity that the
// platform's server does not know (or, in a room with sessions, none at all).
const (
	Alice  = "alice"
	Bob    = "bob"
	Carol  = "carol"
	Nobody = "nobody"
)

// Harness is one platform under test.
type Harness struct {
	Platform chat.Platform
	// Connection is the name that the platform was opened with: Actor.Connection.
	Connection string
	// Channel is a channel the platform may post to, as configuration names it.
	Channel string
	// Secrets must never be seen in an error: the token, and what else there is.
	Secrets []string
	// Now is the time by the clock the platform and its server run on.
	Now func() time.Time
	// Room is the channel as people see it.
	Room Room
	// Faults are the switches of the server's faults.
	Faults Faults
	// Without says for the name of each nil field of Faults why this platform
	// can not suffer it.
	Without map[string]string
	// Lacks says for each ability that this platform does not have why that is
	// so. What needs it is left out, and it is checked that nothing pretends.
	Lacks map[Ability]string
}

// Ability is something that not every platform can do.
type Ability string

// The abilities that a platform may lack.
const (
	// TwoWay is that the platform tells where a message stands, so that it can be
	// brought up to date, answered, found and pressed. What lacks it is one-way.
	TwoWay Ability = "two-way"
	// Prioritize shows a message's priority.
	Prioritize Ability = "prioritize"
	// Address posts to more than one channel.
	Address Ability = "address"
	// FindDeleted finds the key of a message that somebody deleted.
	FindDeleted Ability = "find deleted"
)

// Room is the channel of a Harness in the words of the people in it. Its
// methods fail the test by themselves when the server can't be asked.
type Room interface {
	// Messages returns what stands in the channel, oldest first; notes in a
	// thread stand in the Thread of the message they answer.
	Messages() []Seen
	// Press presses the button with this label as the person, on the screen
	// that shows the message as it is now. It fails the test when there is no
	// such message or button.
	Press(person string, ref chat.Ref, label string) Effect
	// Delete removes the message, as an administrator would.
	Delete(ref chat.Ref)
}

// Seen is a message as a person sees it.
type Seen struct {
	Ref chat.Ref
	// Text is all that is read on the message: title, lines, output, in order,
	// without the markup that the platform turned into looks. Buttons are not in it.
	Text string
	// Color is the bar at the side, "#rrggbb"; empty when there is none.
	Color string
	// Buttons are the labels.
	Buttons []string
	// Links are the URLs that a click on the text (not on buttons) leads to.
	Links []string
	// Looks names what is shown formatted and with which text, such as
	// "bold: since 10:00", "heading: x", "code: df -h", "table: a", "emoji: tada",
	// "image: x". The trusted parts of a message make looks too.
	Looks []string
	// Priority is the label with which the message asks for attention.
	Priority chat.Priority
	// Rings are the people and groups that posting it rang: "alice", "channel", "here".
	Rings  []string
	Thread []Seen
}

// Effect is what somebody gets to see after pressing or submitting.
type Effect struct {
	// Whisper is the text that only this person sees.
	Whisper string
	// Failed is the platform's own complaint (Mattermost: "Action integration
	// error."). A platform that answers as it should never causes one.
	Failed string
	// Form is the dialog that opened, or stayed open after FieldErrors; nil: none.
	Form *Form
	// FieldErrors are shown at the fields, by the field's name.
	FieldErrors map[string]string
}

// Form is an open dialog.
type Form struct {
	Title, Intro, SubmitLabel string
	Fields                    []FormField
	// Submit sends values by field name, the rest as left by the dialog.
	Submit func(values map[string]string) Effect
	// Cancel closes it.
	Cancel func() Effect
}

// FormField is one field of a dialog as it is shown.
type FormField struct {
	Name, Label, Help, Value string
	Optional                 bool
	// Options are what can be chosen; Several: more than one of them.
	Options []string
	Several bool
}

// Faults switches what goes wrong at the server. Those that say "next" hold
// for one call; the others hold until the returned function is called.
type Faults struct {
	// RateLimit refuses every call with a wait.
	RateLimit func() (lift func())
	// LoseAnswer accepts the next post, stores it, and never answers: the
	// connection breaks.
	LoseAnswer func()
	// FailBefore answers the next post or edit with a server error before
	// anything was done; FailAfter does so afterwards.
	FailBefore, FailAfter func()
	// Revoke makes the platform's credentials worthless for good.
	Revoke func()
	// Archive closes the channel for good.
	Archive func()
	// Slow makes every call take at least d.
	Slow func(d time.Duration)
	// Down stops the server; nothing listens on its address.
	Down func() (up func())
}

// Recorder is a chat.Responder that keeps what it was asked and answers as told.
type Recorder struct {
	mu      sync.Mutex
	presses []chat.Press
	submits []chat.Submit
	// OnPress and OnSubmit answer when set; set them before anything is pressed.
	OnPress  func(chat.Press) chat.Answer
	OnSubmit func(chat.Submit) chat.Answer
}
