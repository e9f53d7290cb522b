// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"strings"

	"belfry/chat"
)

// Preview returns a message as Mattermost would get it, in Markdown: what rings,
// the attachment with its colour, title and text, and the labels of the buttons.
func Preview(m chat.Message) (string, error) {
	text, props, err := new(Platform).render(strings.Repeat("x", 26), m)
	if err != nil {
		return "", err
	}
	lead := ""
	if m.Priority != chat.PriorityStandard {
		lead = "(" + string(m.Priority) + ")\n"
	}
	return lead + preview(text, props), nil
}

func preview(text string, props props) string {
	var b strings.Builder
	add := func(s string) {
		if s != "" {
			b.WriteString(s + "\n")
		}
	}
	add(text)
	for _, a := range props.Attachments {
		title := a.Title
		if a.TitleLink != "" {
			title = "[" + title + "](" + a.TitleLink + ")"
		}
		add(strings.TrimSpace(a.Color + " **" + title + "**"))
		add(a.Text)
		labels := make([]string, len(a.Actions))
		for i, action := range a.Actions {
			labels[i] = "[ " + action.Name + " ]"
		}
		add(strings.Join(labels, " "))
	}
	return b.String()
}
