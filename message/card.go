// SPDX-License-Identifier: Apache-2.0

package message

import (
	"strconv"
	"strings"

	"belfry/alert"
	"belfry/chat"
)

// Card returns the living message that shows a as it is now.
func Card(a *alert.Alert, o Options) chat.Message {
	word, name := stateWord(a), short(a.Name(), maxTitle)
	m := chat.Message{
		Color: color(a), Icon: icon(a), State: word, Title: name,
		Link:     link(a.Link),
		Mentions: mentions(a, o),
		Buttons:  buttons(a, o),
		Open:     a.Topic == alert.TopicProblem && a.Status == alert.Firing,
	}
	m.Priority, m.RequestAck = priority(a, o)
	page := o.page(a.ID)
	if m.Link == "" {
		m.Link = page
	}
	m.Lines = append(make([]chat.Line, 0, 2), circumstances(a, o, page))
	if ack := ackLine(a, o); ack != nil {
		m.Lines = append(m.Lines, ack)
	}
	if a.Topic != alert.TopicDowntime {
		m.Output, m.Cut = cutOutput(a.Output)
	}
	if m.Cut > 0 {
		m.More = page
	}
	m.Summary = summary(a, word, name, m.Output)
	return m
}

// buttons returns what can be done about a now: about its acknowledgement
// nothing while that or its removal is on its way, nothing at all once it is over.
func buttons(a *alert.Alert, o Options) []chat.Button {
	if o.Token == nil || a.Topic != alert.TopicProblem || a.Status != alert.Firing {
		return nil
	}
	var out []chat.Button
	add := func(action, label string, style chat.Style) {
		if token := o.Token(action); token != "" {
			out = append(out, chat.Button{Action: action, Label: label, Style: style, Token: token})
		}
	}
	switch a.Ack.Phase {
	case alert.AckNone:
		add(ActionAck, "Acknowledge", chat.StylePrimary)
		add(ActionAckComment, "Acknowledge with comment…", chat.StyleDefault)
	case alert.AckSet:
		add(ActionUnack, "Un-acknowledge", chat.StyleDefault)
	}
	if o.CanDeclare {
		add(ActionDeclare, "Declare incident…", chat.StyleDefault)
	}
	return out
}

// circumstances returns the one line under the title: since when or after how
// long, where, for whom, and the number that leads to Belfry's page.
func circumstances(a *alert.Alert, o Options, page string) chat.Line {
	b := line{spans: make(chat.Line, 0, 8)}
	if a.Topic == alert.TopicCustom {
		b.said(a, " says: ")
	}
	b.span(when(a, o)...)
	if a.Topic == alert.TopicDowntime || a.Topic == alert.TopicFlapping {
		b.said(a, ": ")
	}
	if a.Topic == alert.TopicCustom && a.State != "" {
		b.text("state " + stateName(a.Object.Kind, a.State, a.Severity, false))
	}
	if address := short(a.Object.Address, maxName); address != "" && !strings.Contains(a.Object.HostName(), address) {
		b.text(address)
	}
	if a.Status == alert.Firing && len(a.Contacts) > 0 {
		b.text(contacts(a.Contacts))
	}
	if a.Topic == alert.TopicProblem && a.InDowntime {
		b.text("in downtime")
	}
	if a.Topic == alert.TopicProblem && a.Flapping {
		b.text("flapping")
	}
	switch {
	case a.Number > 0:
		b.span(chat.Span{Text: Number(a), Link: page})
	case page != "":
		b.span(chat.Span{Text: "details", Link: page})
	}
	return b.spans
}

// Number returns what people call a: "#42".
func Number(a *alert.Alert) string { return "#" + strconv.FormatInt(a.Number, 10) }

// when says since when it lasts, or when it ended and after how long.
func when(a *alert.Alert, o Options) []chat.Span {
	switch {
	case a.Topic == alert.TopicCustom:
		return []chat.Span{moment(a.StartsAt, o)}
	case a.Status != alert.Resolved:
		return []chat.Span{{Text: "since "}, moment(a.StartsAt, o)}
	case a.State == superseded:
		return []chat.Span{{Text: "a newer problem took its place at "}, moment(a.EndsAt, o)}
	case a.Topic == alert.TopicProblem:
		return []chat.Span{{Text: "resolved at "}, moment(a.EndsAt, o), {Text: " after " + lasted(a.EndsAt.Sub(a.StartsAt))}}
	}
	return []chat.Span{{Text: "over at "}, moment(a.EndsAt, o), {Text: " after " + lasted(a.EndsAt.Sub(a.StartsAt))}}
}

func contacts(names []string) string {
	var b strings.Builder
	b.WriteString("contact")
	if len(names) > 1 {
		b.WriteByte('s')
	}
	for i, n := range names {
		if i == maxContacts && len(names) > maxContacts+1 {
			b.WriteString(" and " + strconv.Itoa(len(names)-i) + " more")
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(" " + short(n, maxName))
	}
	return b.String()
}

// ackLine says where the acknowledgement stands; nil when there is nothing to say.
func ackLine(a *alert.Alert, o Options) chat.Line {
	if a.Topic != alert.TopicProblem {
		return nil
	}
	if a.Status == alert.Resolved {
		if acknowledged(a) {
			return ackBy("was acknowledged by ", a, o)
		}
		return nil
	}
	trouble := short(a.Ack.Trouble, maxComment)
	var l chat.Line
	switch a.Ack.Phase {
	case alert.AckNone:
		if trouble != "" {
			return chat.Line{{Text: o.source() + " refused the acknowledgement: " + trouble}}
		}
		return nil
	case alert.AckPending:
		l = ackBy("acknowledging… for ", a, o)
		if trouble != "" {
			l = append(l, chat.Span{Text: " · waiting: " + trouble})
		}
	case alert.AckSet:
		l = ackBy("acknowledged by ", a, o)
		if trouble != "" {
			l = append(l, chat.Span{Text: " · " + o.source() + " refused to remove it: " + trouble})
		}
	case alert.AckRemoving:
		l = append(ackBy("acknowledged by ", a, o), chat.Span{Text: " · removing…"})
		if trouble != "" {
			l = append(l, chat.Span{Text: " waiting: " + trouble})
		}
	}
	return l
}

// ackBy returns "lead alice at 14:05: comment", and where only Belfry knows of
// it, says so.
func ackBy(lead string, a *alert.Alert, o Options) chat.Line {
	l := chat.Line{{Text: lead}, {Text: person(a.Ack.By), Bold: true}}
	if a.Ack.Phase != alert.AckPending && !a.Ack.At.IsZero() {
		l = append(l, chat.Span{Text: " at "}, moment(a.Ack.At, o))
	}
	if comment := short(a.Ack.Comment, maxComment); comment != "" {
		l = append(l, chat.Span{Text: ": " + comment})
	}
	if a.Ack.Local {
		l = append(l, chat.Span{Text: " (noted in Belfry; " + o.source() + " can't be told)"})
	}
	return l
}

func person(name string) string {
	if name = short(name, maxName); name != "" {
		return name
	}
	return "somebody"
}

// summary returns the card in one plain line, for push notifications.
func summary(a *alert.Alert, word, name, output string) string {
	s := word + ": " + name
	first, _, _ := strings.Cut(output, "\n")
	switch {
	case a.Topic != alert.TopicProblem:
		if said := oneLine(a.Ack.Comment); said != "" {
			first = said
		}
	case a.Status == alert.Resolved && a.State != superseded:
		first = "resolved after " + lasted(a.EndsAt.Sub(a.StartsAt))
	case a.Status == alert.Firing && acknowledged(a):
		s += " (acknowledged by " + person(a.Ack.By) + ")"
	}
	if first != "" {
		s += " — " + first
	}
	return short(s, maxSummary)
}

// line builds a line of parts with a dot between them.
type line struct{ spans chat.Line }

func (b *line) text(s string) { b.span(chat.Span{Text: s}) }

func (b *line) span(spans ...chat.Span) {
	if len(spans) == 0 {
		return
	}
	if len(b.spans) > 0 {
		b.spans = append(b.spans, chat.Span{Text: " · "})
	}
	b.spans = append(b.spans, spans...)
}

// said adds who caused a notice and what they said: both stand where a
// problem keeps its acknowledgement (alert.Apply).
func (b *line) said(a *alert.Alert, between string) {
	by, text := short(a.Ack.By, maxName), short(a.Ack.Comment, maxComment)
	switch {
	case by != "" && text != "":
		b.span(chat.Span{Text: by, Bold: true}, chat.Span{Text: between + text})
	case text != "":
		b.text(text)
	case by != "":
		b.span(chat.Span{Text: "by "}, chat.Span{Text: by, Bold: true})
	}
}
