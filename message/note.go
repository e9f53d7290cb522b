// SPDX-License-Identifier: Apache-2.0

package message

import (
	"strings"

	"belfry/alert"
	"belfry/chat"
)

// Note returns what is said in the thread below a's card about one event: one
// line. It is meant for notable events (alert.EventKind.Notable) but has words
// for all of them.
func Note(a *alert.Alert, e alert.Event, o Options) chat.Message {
	words, said := noteWords(a, e, o)
	b := make(chat.Line, 0, 4)
	for _, s := range words {
		if s.Text != "" {
			b = append(b, s)
		}
	}
	m := chat.Message{}
	if said != "" {
		var text string
		text, m.Cut = shorten(said, maxNote)
		b = append(b, chat.Span{Text: ": " + text})
	}
	if m.Cut > 0 {
		m.More = o.page(a.ID)
	}
	if e.Kind == alert.EventResolved && !a.NoEmoji && e.State != superseded {
		m.Icon = "✅"
	}
	m.Lines = []chat.Line{b}
	m.Summary = short(a.Name()+": "+b.Plain(), maxSummary)
	return m
}

// noteWords returns what happened, and what somebody said about it.
func noteWords(a *alert.Alert, e alert.Event, o Options) (words chat.Line, said string) {
	who := chat.Span{Text: person(e.Actor), Bold: true}
	switch e.Kind {
	case alert.EventOpened:
		return plain(eventState(a, e)), e.Text
	case alert.EventRenotified:
		return plain("still " + eventState(a, e)), e.Text
	case alert.EventChanged:
		return plain(changed(a, e)), e.Text
	case alert.EventResolved:
		if e.State == superseded {
			return plain("over: a newer problem took its place"), ""
		}
		ended := e.At
		if a.Status == alert.Resolved {
			ended = a.EndsAt // as the card says; it may have been seen later
		}
		return plain("recovered after " + lasted(ended.Sub(a.StartsAt))), e.Text
	case alert.EventAckWanted:
		return chat.Line{who, {Text: " is acknowledging"}}, e.Text
	case alert.EventAcknowledged:
		words = chat.Line{who, {Text: " acknowledged"}}
		if a.Ack.Local && a.Ack.Generation == e.Generation {
			words = append(words, chat.Span{Text: " (noted in Belfry; " + o.source() + " can't be told)"})
		}
		return words, e.Text
	case alert.EventAckRefused:
		words = plain(o.source() + " refused the acknowledgement")
		if e.Actor != "" {
			words = append(words, chat.Span{Text: " of "}, who)
		}
		return words, e.Text
	case alert.EventAckDelayed, alert.EventAckWaits:
		if a.Ack.Phase == alert.AckRemoving {
			return plain("the acknowledgement's removal is waiting"), e.Text
		}
		return plain("the acknowledgement is waiting"), e.Text
	case alert.EventUnackWanted:
		return chat.Line{who, {Text: " is removing the acknowledgement"}}, e.Text
	case alert.EventUnacked:
		if e.Actor == "" {
			return plain("the acknowledgement was removed"), e.Text
		}
		return chat.Line{who, {Text: " removed the acknowledgement"}}, e.Text
	case alert.EventUnackRefused:
		return plain(o.source() + " refused to remove the acknowledgement"), e.Text
	}
	return noticeWords(e, o, who)
}

// noticeWords is noteWords for what is not about the problem itself.
func noticeWords(e alert.Event, o Options, who chat.Span) (words chat.Line, said string) {
	switch e.Kind {
	case alert.EventDowntime:
		return by("downtime started", " by ", e, who), e.Text
	case alert.EventDowntimeEnd:
		return by("downtime ended", ", it was set by ", e, who), e.Text
	case alert.EventFlapping:
		return plain("flapping: the state changes too often, notifications are held back"), e.Text
	case alert.EventFlappingEnd:
		return plain("no longer flapping"), e.Text
	case alert.EventCustom:
		if e.Text == "" {
			return by("a notification was sent by hand", ", by ", e, who), ""
		}
		return chat.Line{who, {Text: " says"}}, e.Text
	case alert.EventInstructed:
		return chat.Line{who, {Text: " asked " + o.source() + " for " + instruction(e)}}, e.Text
	case alert.EventInstructDone:
		return by(o.source()+" accepted "+instruction(e), " from ", e, who), e.Text
	case alert.EventInstructFail:
		return by(o.source()+" refused "+instruction(e), " from ", e, who), e.Text
	}
	return by(strings.ReplaceAll(string(e.Kind), "_", " "), " by ", e, who), e.Text
}

func plain(s string) chat.Line { return chat.Line{{Text: s}} }

// by returns what happened and, where it is known, by whom.
func by(what, between string, e alert.Event, who chat.Span) chat.Line {
	if e.Actor == "" {
		return plain(what)
	}
	return chat.Line{{Text: what + between}, who}
}

// changed says from which state to which, as far as that is known.
func changed(a *alert.Alert, e alert.Event) string {
	now := eventState(a, e)
	if e.Previous == "" {
		return "now " + now
	}
	before := stateName(a.Object.Kind, e.Previous, e.PreviousSeverity, false)
	if before == now {
		return "now " + now
	}
	return before + " → " + now
}

// eventState returns the state that the event made, in the card's words.
func eventState(a *alert.Alert, e alert.Event) string {
	return stateName(a.Object.Kind, e.State, e.Severity, false)
}

func instruction(e alert.Event) string {
	if e.Instruction != nil {
		switch e.Instruction.Do {
		case "comment":
			return "a comment"
		case "downtime":
			return "a downtime"
		case "check":
			return "a check now"
		case "notifications":
			if e.Instruction.Off {
				return "a stop of its notifications"
			}
			return "notifications again"
		}
	}
	return "an instruction"
}
