// SPDX-License-Identifier: Apache-2.0

// Package chat is the contract of a chat platform: what Belfry wants to say
// (Message), where (channel and Ref), and what people do there (Press, Submit).
//
// Outward: the courier renders an alert to a Message and calls Platform.Post
// once and Platform.Update ever after. Inward: the platform's Handler decodes
// and authenticates what its server sends, names the person, and calls a
// Responder; the Responder's Answer goes back in the platform's own format.
//
// Every string in a Message is plain text from an untrusted source unless its
// comment says otherwise. A platform must show it literally: it can not ping,
// link, format or break anything. chattest holds the suite that proves it.
//
// All methods return errors of package fault.
package chat

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Message is a card or a note before any platform's format.
type Message struct {
	// Color is the bar at the side, "#rrggbb"; empty for notes.
	Color string `json:"color,omitempty"`
	// Icon is one emoji, trusted; empty where the configuration wants none.
	Icon string `json:"icon,omitempty"`
	// State is the monitoring system's word: CRITICAL, DOWN, resolved.
	State string `json:"state,omitempty"`
	// Title is the object, short: "Disk /var on web01".
	Title string `json:"title,omitempty"`
	// Link is where Title leads, an http or https URL or empty. Platforms drop others.
	Link string `json:"link,omitempty"`
	// Summary is the whole message in one plain line, for push notifications
	// and readers without markup.
	Summary string `json:"summary,omitempty"`
	// Lines are the short texts below the title, in order.
	Lines []Line `json:"lines,omitempty"`
	// Table stands below the lines; nil: there is none.
	Table *Table `json:"table,omitempty"`
	// Output is what the check said, shown verbatim in a block; newlines stay.
	Output string `json:"output,omitempty"`
	// Cut counts the characters of the output that were left out; shown when > 0.
	Cut int `json:"cut,omitempty"`
	// More is Belfry's page with everything, shown where Cut > 0; trusted.
	More string `json:"more,omitempty"`
	// Mentions are the people and groups to ring when the message is first
	// posted: handles without "@" as the configuration names them. Trusted.
	Mentions []string `json:"mentions,omitempty"`
	// Priority is how much the message asks for attention when it is first
	// posted, where the platform has such a thing; RequestAck asks readers to
	// confirm that they read it. A platform without leaves both out.
	Priority   Priority `json:"priority,omitempty"`
	RequestAck bool     `json:"request_ack,omitempty"`
	// Buttons, in order; at most five.
	Buttons []Button `json:"buttons,omitempty"`
	// Open is true on a card whose problem is not over: a platform that can
	// sort shows open cards first. A card with buttons counts as open too.
	Open bool `json:"open,omitempty"`
}

// Priority is how much a message asks for attention.
type Priority string

// The priorities, by Mattermost's words for them.
const (
	PriorityStandard  Priority = ""
	PriorityImportant Priority = "important"
	PriorityUrgent    Priority = "urgent"
)

// Table is a small table: what is asked for in chat is read on a phone, so four
// columns with short texts are plenty. Platforms show at most 100 rows.
type Table struct {
	// Head are the columns' names, trusted.
	Head []string `json:"head"`
	// Rows have a cell for each column; a missing one is empty, one too many
	// is left out.
	Rows [][]Line `json:"rows"`
	// More counts the rows that were left out; shown when > 0.
	More int `json:"more,omitempty"`
}

// MaxRows is how many rows of a Table a platform shows at most; it counts what
// it leaves out.
const MaxRows = 100

// Line is one line of text made of spans.
type Line []Span

// Span is a piece of text with at most one emphasis.
type Span struct {
	Text string `json:"text"`
	// Bold shows the text strong.
	Bold bool `json:"bold,omitempty"`
	// Link makes the text lead to an http or https URL.
	Link string `json:"link,omitempty"`
	// Time, when set, is shown as a moment in the reader's time zone where the
	// platform can; Text is what other platforms show.
	Time time.Time `json:"time,omitzero"`
}

// Plain returns the text of l without emphasis.
func (l Line) Plain() string {
	var s string
	for _, p := range l {
		s += p.Text
	}
	return s
}

// Style is how urgent a button looks.
type Style string

// The styles that every platform can show.
const (
	StyleDefault Style = ""
	StylePrimary Style = "primary"
	StyleDanger  Style = "danger"
)

// Button is something people can press on a card.
type Button struct {
	// Action names what it does, letters and digits only (Mattermost answers a
	// click with 404 for any other character): "ack", "ackComment", "unack".
	Action string `json:"action"`
	// Label is what people read.
	Label string `json:"label"`
	Style Style  `json:"style,omitempty"`
	// Token is sealed by the one who made the card and comes back unchanged
	// with the press. The platform keeps it where people can not read it, if
	// it has such a place, and never looks inside.
	Token string `json:"token"`
}

// Ref names a message on its platform.
type Ref struct {
	// Channel is the platform's channel id.
	Channel string `json:"channel"`
	// Post is the platform's message id.
	Post string `json:"post"`
}

// Receipt is how the place of a message is kept: "channel post".
func (r Ref) Receipt() string { return r.Channel + " " + r.Post }

// ParseReceipt reads what Receipt wrote; ok is false for an empty one.
func ParseReceipt(receipt string) (ref Ref, ok bool) {
	channel, post, ok := strings.Cut(receipt, " ")
	return Ref{Channel: channel, Post: post}, ok
}

// Post is an order to put a new message up.
type Post struct {
	// Channel is the channel as configuration names it (handle or id).
	Channel string
	// Thread, when set, is the message this one answers.
	Thread *Ref
	// Key is random, 26 characters a–z 0–9, and belongs to this message alone:
	// the platform keeps it with the message so that Find can tell whether an
	// earlier attempt arrived.
	Key     string
	Message Message
}

// Platform is what every chat platform can do.
type Platform interface {
	// Post puts up a message and returns where it stands. Repeating a Post with
	// the same Key soon after never makes a second message where the platform
	// can help it; later, callers ask Find first.
	Post(ctx context.Context, p Post) (Ref, error)
	// Update replaces all of a message. Gone when somebody deleted it.
	Update(ctx context.Context, ref Ref, key string, m Message) error
	// Find looks for a message with this key posted in the channel (as
	// configured) since the given time. ok is false only if it certainly is not there.
	// Notes in threads are found, too, unless the platform is a ThreadFinder.
	Find(ctx context.Context, channel, key string, since time.Time) (ref Ref, ok bool, err error)
}

// FindMargin is how long before the beginning of an attempt Find and FindReply
// are to look: messages are dated by the platform's clock, which is not ours. A
// platform that carries calls out late reckons back from it when the attempt
// began, and asks to be asked again (fault.RetryAfter) instead of saying that a
// message is not there while it may be on its way.
const FindMargin = 2 * time.Minute

// ThreadFinder is a platform on which notes are not found by Find: there, a
// channel's history leaves threads out.
type ThreadFinder interface {
	// FindReply is Find for a note in the thread of a message.
	FindReply(ctx context.Context, thread Ref, key string, since time.Time) (ref Ref, ok bool, err error)
}

// Receiver is a platform to which people's presses come over HTTP.
type Receiver interface {
	// Handler serves what the platform's server sends below the connection's
	// base path. It authenticates, names the actor, and calls r.
	Handler(r Responder) http.Handler
}

// SelfChecker is a platform that can tell whether its connection works.
type SelfChecker interface {
	// SelfCheck returns one plain line for administrators: what answered, and
	// advice where something will not work.
	SelfCheck(ctx context.Context) (report string, err error)
}

// Closer is a platform that holds something to be let go of.
type Closer interface {
	Close(ctx context.Context) error
}

// Actor is a person as the platform vouched for them.
type Actor struct {
	// Connection is the name of the configured connection.
	Connection string `json:"connection"`
	// ID is the platform's user id.
	ID string `json:"id"`
	// Name is the handle, read through the platform's API, never taken from a
	// callback's body.
	Name string `json:"name"`
}

// Press is one press of a button.
type Press struct {
	Actor Actor
	// Token is the button's, unchanged.
	Token string
	// Ref is the message the button stood on.
	Ref Ref
}

// Submit is a filled-in dialog.
type Submit struct {
	Actor Actor
	// State is the dialog's, unchanged.
	State string
	// Values holds the fields by name; fields left empty are absent.
	Values map[string]string
	// Cancelled is true when the person closed the dialog.
	Cancelled bool
}

// Command is a line that somebody typed to Belfry: a slash command, or a
// message that calls for it where slash commands can not be had.
type Command struct {
	Actor Actor
	// Channel is the platform's id of the channel it was typed in.
	Channel string
	// Word is the command's word without "/", in small letters; empty where it
	// was a message that calls for Belfry.
	Word string
	// Text is what follows the command word, exactly as typed.
	Text string
	// Mentions are the people in Text of whom the platform told whom it takes
	// them for: by the word in small letters without "@", the platform's user id.
	// Whether they can act is for a Directory to say.
	Mentions map[string]string
	// Thread is the message it answers, where the platform tells.
	Thread *Ref
}

// Commander is a Responder that understands typed commands, too.
type Commander interface {
	Command(ctx context.Context, c Command) Answer
}

// Dialog is a form to be shown to the person who pressed.
type Dialog struct {
	// Title has at most 24 characters (Mattermost's limit).
	Title string
	// Intro is one plain sentence above the fields.
	Intro string
	// SubmitLabel is the text of the confirming button.
	SubmitLabel string
	// State is sealed and comes back with the submit; people may be able to read it.
	State  string
	Fields []Field
}

// Field is one field of a dialog.
type Field struct {
	// Name is letters and digits; Label is what people read, at most 24 characters.
	Name, Label string
	// Help and Placeholder have at most 150 characters.
	Help, Placeholder string
	Value             string
	// Options are what may be chosen, each at most MaxOption characters and
	// without commas, at most MaxOptions of them; none: any text. A platform
	// that has nothing to choose from shows a line to type in, and people can
	// alter what their client sends: whoever takes the answer checks it.
	Options []string
	// Several of Options may be chosen; Value and the answer are then a list
	// parted by commas. A platform without that lets one be chosen.
	Several   bool
	Multiline bool
	Optional  bool
	MaxLength int
}

// Limits of a Field's options: Slack's, which are the narrowest.
const (
	MaxOptions = 100
	MaxOption  = 75
)

// Chosen are those of f.Options that are in a list parted by commas, in the
// options' order; strange are the other words in it.
func (f *Field) Chosen(list string) (chosen, strange []string) {
	words := map[string]bool{}
	for word := range strings.SplitSeq(list, ",") {
		if word = strings.TrimSpace(word); word != "" {
			words[word] = true
		}
	}
	for _, o := range f.Options {
		if words[o] {
			chosen = append(chosen, o)
			delete(words, o)
		}
	}
	return chosen, slices.Sorted(maps.Keys(words))
}

// Answer is what a press or a submit leads to. All fields may be empty: then
// the card itself will tell, edited by the delivery engine alone. That is on
// purpose: an edit inside the answer would race with the engine's own edits,
// and the last one to arrive would win the card.
type Answer struct {
	// Whisper is a plain text that only the person sees. To a submit it is for
	// bad news only: Mattermost can show it nowhere but in the dialog, which
	// stays open then.
	Whisper string
	// Link, when set, stands after the whisper. Not for submits.
	Link *Link
	// Reply is shown to the person alone. For commands only.
	Reply *Message
	// Dialog, when set, is opened for the person. Not for submits.
	Dialog *Dialog
	// FieldErrors names what is wrong with a submit, by field name; the dialog stays open.
	FieldErrors map[string]string
}

// Verifier is a Responder that can tell its own tokens and states from
// inventions. A Receiver that has to ask its server who acts asks the Verifier
// first: strangers who reach the callback address must not make it ask.
type Verifier interface {
	// Genuine says whether a press's token or a submit's state was made here.
	Genuine(sealed string) bool
}

// Responder turns what people do into acts. It answers within a second
// whatever a monitoring system does.
type Responder interface {
	Press(ctx context.Context, p Press) Answer
	Submit(ctx context.Context, s Submit) Answer
}
