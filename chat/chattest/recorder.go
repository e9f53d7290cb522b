// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"context"
	"slices"

	"belfry/chat"
)

var _ chat.Responder = (*Recorder)(nil)

// Press implements chat.Responder.
func (r *Recorder) Press(_ context.Context, p chat.Press) chat.Answer {
	r.mu.Lock()
	r.presses = append(r.presses, p)
	answer := r.OnPress
	r.mu.Unlock()
	if answer == nil {
		return chat.Answer{}
	}
	return answer(p)
}

// Submit implements chat.Responder.
func (r *Recorder) Submit(_ context.Context, s chat.Submit) chat.Answer {
	r.mu.Lock()
	r.submits = append(r.submits, s)
	answer := r.OnSubmit
	r.mu.Unlock()
	if answer == nil {
		return chat.Answer{}
	}
	return answer(s)
}

// Presses returns the presses so far.
func (r *Recorder) Presses() []chat.Press {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.presses)
}

// Submits returns the submits so far.
func (r *Recorder) Submits() []chat.Submit {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.submits)
}
