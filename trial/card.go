// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"fmt"
	"time"

	"belfry/chat"
)

// card is a test card.
type card struct {
	target Target
	key    string
	by     string
	token  string
	ref    chat.Ref
}

const (
	title = "Test of this channel"
	// The colours of other cards (package message).
	blue  = "#1895f5"
	green = "#5cb85c"
	grey  = "#adadad"
)

// asks is the card while it waits.
func asks(c card) chat.Message {
	return chat.Message{
		Color: blue, State: "TEST", Title: title, Open: true,
		Summary: "A test from Belfry: please press Acknowledge",
		Lines: []chat.Line{
			line("Belfry posted this for " + c.by + " to see whether " + c.target.String() + " works in both directions."),
			line("Please press the button. It changes nothing but this card."),
		},
		Buttons: []chat.Button{{Action: action, Label: "Acknowledge", Style: chat.StylePrimary, Token: c.token}},
	}
}

// worked is the card after its press.
func worked(c card, who string, after time.Duration) chat.Message {
	return chat.Message{
		Color: green, State: "TEST PASSED", Title: title,
		Summary: "The test of " + c.target.String() + " passed",
		Lines: []chat.Line{
			{{Text: "Acknowledged by "}, {Text: who, Bold: true}, {Text: fmt.Sprintf(", %v after it was posted.", after.Round(100*time.Millisecond))}},
			line(c.target.String() + " works in both directions."),
		},
	}
}

// ended is the card of a trial that nobody pressed.
func ended(c card, why string) chat.Message {
	return chat.Message{
		Color: grey, State: "TEST OVER", Title: title,
		Summary: "The test of " + c.target.String() + " is over",
		Lines:   []chat.Line{line(why)},
	}
}

func line(text string) chat.Line { return chat.Line{{Text: text}} }
