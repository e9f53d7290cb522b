// SPDX-License-Identifier: Apache-2.0

package interaction

import (
	"context"

	"belfry/alert"
	"belfry/chat"
)

// Trials takes the presses of test cards; ok is false for all others.
type Trials interface {
	Press(ctx context.Context, p chat.Press) (answer chat.Answer, ok bool)
	// Genuine says whether a token is a test card's.
	Genuine(sealed string) bool
}

// TakeTrials hands the presses of test cards to t. Call it before the first press.
func (i *Interaction) TakeTrials(t Trials) { i.trials = t }

// Forms takes filled-in forms of others, and presses of buttons that stand on no
// card; ok is false for all that are not theirs.
type Forms interface {
	Press(ctx context.Context, p chat.Press) (answer chat.Answer, ok bool)
	Submit(ctx context.Context, s chat.Submit) (answer chat.Answer, ok bool)
	// Declare opens the form by which an incident about an alert is declared.
	Declare(ctx context.Context, who chat.Actor, a *alert.Alert) chat.Answer
	// Genuine says whether a form's state, or a button's token, is theirs.
	Genuine(sealed string) bool
}

// TakeForms hands the forms of others to f. Call it before the first press.
func (i *Interaction) TakeForms(f Forms) { i.forms = f }
