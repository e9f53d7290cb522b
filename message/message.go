// SPDX-License-Identifier: Apache-2.0

// Package message is what Belfry says: an alert becomes a card, an event a
// note in the card's thread, both as a chat.Message before any platform's
// format.
//
// The flow: the courier loads the alert as it is now and calls Card (or Note
// with the event); the platform turns the message into its own format. Nothing
// is stored and nothing is asked: the same alert and Options always give the
// same message. All text from outside is cleaned here (chat.Clean) and cut to
// what a phone can show; escaping it is the platform's, which alone knows its
// markup.
//
// A card is: icon, state and title; one line of circumstances; one line about
// the acknowledgement; the output; the buttons. It says "acknowledged" only
// when alert.AckSet says that the monitoring system confirmed it.
package message

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"belfry/alert"
	"belfry/chat"
)

// Actions of the buttons that a card can have (chat.Button.Action).
const (
	// ActionAck acknowledges at once.
	ActionAck = "ack"
	// ActionAckComment asks for a comment first, with AckDialog.
	ActionAckComment = "ackComment"
	// ActionUnack removes the acknowledgement.
	ActionUnack = "unack"
	// ActionDeclare opens the form by which an incident is declared.
	ActionDeclare = "declare"
)

// Limits of what one message shows, in characters (runes) if nothing else is
// said. What is longer is cut and stays whole on Belfry's page.
const (
	MaxOutput      = 600
	MaxOutputLines = 12
	maxTitle       = 150
	maxComment     = 200
	maxNote        = 300
	maxName        = 60
	maxSummary     = 240
	maxContacts    = 4
	maxMentions    = 10
)

// Options are what a message needs to know besides the alert.
type Options struct {
	// BaseURL is Belfry's public URL without a slash at its end; the alert's
	// page is BaseURL/alerts/<id>. Empty: no links to Belfry.
	BaseURL string
	// Now decides whether a moment is shown with its date.
	Now time.Time
	// Location is the time zone of the moments; nil means time.Local.
	Location *time.Location
	// Token returns the sealed token of the button with this action; nil
	// means no buttons.
	Token func(action string) string
	// CanAcknowledge says whether the source can be told of acknowledgements;
	// if not, they are noted in Belfry only and the card says so.
	CanAcknowledge bool
	// CanDeclare says whether an incident can be declared from the card.
	CanDeclare bool
	// SourceName is what people call the monitoring system.
	SourceName string
	// Ring is how the card is announced in its channel, besides the handles
	// that the alert itself names.
	Ring alert.Ring
}

// source returns what to call the monitoring system.
func (o Options) source() string {
	return cmp.Or(short(o.SourceName, maxName), "the monitoring system")
}

// Page returns the address of a's page in Belfry, or "".
func Page(a *alert.Alert, o Options) string { return o.page(a.ID) }

// page returns the address of the alert's page, or "".
func (o Options) page(id alert.ID) string {
	if o.BaseURL == "" || id <= 0 {
		return ""
	}
	return strings.TrimSuffix(o.BaseURL, "/") + "/alerts/" + strconv.FormatInt(int64(id), 10)
}

// AckDialog returns the form that asks for the comment of an acknowledgement.
// state is sealed by the caller and comes back with the submit.
func AckDialog(a *alert.Alert, state string) chat.Dialog {
	return chat.Dialog{
		Title:       "Acknowledge",
		Intro:       short(stateWord(a)+": "+a.Name(), maxTitle),
		SubmitLabel: "Acknowledge",
		State:       state,
		Fields: []chat.Field{{
			Name: FieldComment, Label: "Comment",
			Placeholder: "what you do about it",
			Multiline:   true,
			MaxLength:   MaxAckComment,
		}},
	}
}

// FieldComment is the name of AckDialog's field; MaxAckComment is how many
// characters it takes: monitoring cores keep a comment on one line.
const (
	FieldComment  = "comment"
	MaxAckComment = 500
)

// mentions returns the handles to ring, each once. Handles are checked where
// they come in (desk, config); what is no handle is left out here once more,
// because a platform trusts them.
func mentions(a *alert.Alert, o Options) []string {
	if over(a) {
		return nil
	}
	var out []string
	for _, list := range [][]string{o.Ring.Mentions, a.Mentions} {
		for _, m := range list {
			if len(out) < maxMentions && isHandle(m) && !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	return out
}

// priority returns how much the card asks for attention.
func priority(a *alert.Alert, o Options) (p chat.Priority, requestAck bool) {
	if over(a) {
		return chat.PriorityStandard, false
	}
	switch o.Ring.Priority {
	case alert.PriorityImportant:
		p = chat.PriorityImportant
	case alert.PriorityUrgent:
		p = chat.PriorityUrgent
	}
	return p, o.Ring.RequestAck
}

// over says whether a problem is over: nobody is rung for it any more, though
// its card be posted only now.
func over(a *alert.Alert) bool {
	return a.Topic == alert.TopicProblem && a.Status == alert.Resolved
}

func isHandle(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// short returns s cleaned, on one line, with at most most characters.
func short(s string, most int) string {
	s, left := shorten(s, most)
	if left > 0 {
		s += "…"
	}
	return s
}

// shorten is short that counts the characters left out instead of marking them.
func shorten(s string, most int) (shown string, left int) {
	s = oneLine(s)
	if len(s) <= most {
		return s, 0
	}
	n := utf8.RuneCountInString(s)
	if n <= most {
		return s, 0
	}
	shown = strings.TrimRightFunc(firstRunes(s, most), unicode.IsSpace)
	return shown, n - utf8.RuneCountInString(shown)
}

// oneLine cleans s and turns every run of white space into one space.
func oneLine(s string) string {
	s = chat.CleanLine(s)
	if !strings.Contains(s, "  ") && (s == "" || s[0] != ' ' && s[len(s)-1] != ' ') {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// firstRunes returns the first n characters of s.
func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// cutOutput returns what a card shows of an output and how many characters of
// the cleaned output it leaves out.
func cutOutput(output string) (shown string, left int) {
	clean := strings.Trim(chat.Clean(output), "\n\t ")
	end := 0
	for range MaxOutputLines {
		i := strings.IndexByte(clean[end:], '\n')
		if i < 0 {
			end = len(clean)
			break
		}
		end += i + 1
	}
	shown = clean[:end]
	if len(shown) > MaxOutput {
		shown = firstRunes(shown, MaxOutput)
	}
	if len(shown) == len(clean) {
		return clean, 0
	}
	shown = strings.TrimRight(shown, "\n\t ")
	return shown, utf8.RuneCountInString(clean[len(shown):])
}

// link returns u when it is an http or https address that can be shown.
func link(u string) string {
	if len(u) > 2048 || !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "http://") {
		return ""
	}
	if strings.ContainsFunc(u, unicode.IsSpace) || chat.Clean(u) != u {
		return ""
	}
	return u
}
