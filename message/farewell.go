// SPDX-License-Identifier: Apache-2.0

package message

import "belfry/chat"

// Farewell is a card that nobody keeps any more from now on: what it said last,
// without buttons, and marked so that nobody takes it for how things stand.
func Farewell(m chat.Message, o Options) chat.Message {
	m.Color, m.Icon, m.State, m.Open = grey, "🔌", "no longer kept", false
	m.Buttons, m.Mentions, m.Priority = nil, nil, ""
	m.Lines = append([]chat.Line{{{Text: "Belfry left this workspace "}, moment(o.Now, o),
		{Text: ": this card shows how it stood then and does not change any more."}}}, m.Lines...)
	return m
}
