// SPDX-License-Identifier: Apache-2.0

package message

import (
	"fmt"
	"strings"

	"belfry/chat"
	"belfry/incident"
)

// IncidentLinks are the links above the conversation in an incident's channel;
// which are of incident.ChannelLinks. Without an address of Belfry's own there
// are none.
func IncidentLinks(i *incident.Incident, which []string, o Options) (links []chat.Link) {
	if o.BaseURL == "" {
		return nil
	}
	page := func(number int64) string { return fmt.Sprintf("%s/incidents/%d", o.BaseURL, number) }
	for _, w := range which {
		switch {
		case w == incident.LinkPage:
			links = append(links, chat.Link{Text: "Incident " + i.Ref(), URL: page(i.Number)})
		case w == incident.LinkRetrospective:
			links = append(links, chat.Link{Text: "Retrospective", URL: page(i.Number) + "/retrospective"})
		case w == incident.LinkParent && i.Parent != 0:
			links = append(links, chat.Link{Text: fmt.Sprintf("Part of #%d", i.Parent), URL: page(i.Parent)})
		}
	}
	return links
}

// IncidentClosing is what stands last in an incident's channel: what became of
// it, how long that took, and what is left to do.
func IncidentClosing(i *incident.Incident, o Options) chat.Message {
	m := Incident(i, o)
	m.Output, m.Cut = "", 0
	m.Title = short("Summary of "+i.Ref()+" "+i.Title, maxTitle)
	m.Lines = m.Lines[:0]
	m.Lines = append(m.Lines, chat.Line(since(i, o)))
	var took []string
	for _, s := range []incident.Status{incident.Mitigated, incident.Resolved} {
		if d, ok := i.Took(s); ok {
			took = append(took, s.String()+" after "+lasted(d))
		}
	}
	if len(took) > 0 {
		m.Lines = append(m.Lines, chat.Line{{Text: strings.Join(took, " · ")}})
	}
	if roles := incidentRoles(i); len(roles) > 0 {
		m.Lines = append(m.Lines, roles)
	}
	if i.Summary != "" {
		m.Output, m.Cut = shortText(i.Summary, maxIncidentSummary)
	}
	var left []incident.Task
	for _, t := range i.Tasks {
		if t.Open() {
			left = append(left, t)
		}
	}
	if len(left) > 0 {
		m.Lines = append(m.Lines, chat.Line{{Text: "Still to do:", Bold: true}})
		for n, t := range left {
			if n == maxLeft {
				m.Lines = append(m.Lines, chat.Line{{Text: fmt.Sprintf("and %d more", len(left)-n)}})
				break
			}
			l := chat.Line{{Text: fmt.Sprintf("%d. %s", t.Number, short(t.Text, maxTitle))}}
			if t.Owner.Name != "" {
				l = append(l, chat.Span{Text: " · " + person(t.Owner.Name)})
			}
			m.Lines = append(m.Lines, l)
		}
	}
	if page := IncidentLinks(i, []string{incident.LinkPage, incident.LinkRetrospective}, o); len(page) > 0 {
		l := chat.Line{}
		for n, x := range page {
			if n > 0 {
				l = append(l, chat.Span{Text: " · "})
			}
			l = append(l, chat.Span{Text: x.Text, Link: x.URL})
		}
		m.Lines = append(m.Lines, l)
	}
	m.Summary = short("Summary of "+IncidentLine(i), maxSummary)
	return m
}

// maxLeft is how many tasks a closing summary lists.
const maxLeft = 10
