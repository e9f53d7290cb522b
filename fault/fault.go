// SPDX-License-Identifier: Apache-2.0

// Package fault makes errors carry the decision about what happens next.
//
// Everything that talks to the outside (chat platforms, monitoring systems)
// wraps its errors in one of five decisions; the delivery engine acts on the
// decision and never on the text. An error without a decision counts as
// Unknown after something was sent, which is the only safe reading: ask before
// repeating.
package fault

import (
	"errors"
	"time"
)

// Decision says what the one who asked should do about a failure.
type Decision int

// The decisions, from the mildest to the one that needs most care.
const (
	// None: there was no failure.
	None Decision = iota
	// Retry: nothing reached the other side; try again with back-off.
	Retry
	// RetryAfter: nothing was done and the other side said how long to wait.
	RetryAfter
	// Permanent: trying again will not help until somebody changes something.
	Permanent
	// Gone: the thing to be changed no longer exists on the other side.
	Gone
	// Unknown: it may or may not have been done; ask before repeating.
	Unknown
)

// String returns the word used for a decision in logs and pages.
func (d Decision) String() string {
	switch d {
	case None:
		return "done"
	case Retry:
		return "retry"
	case RetryAfter:
		return "retry after"
	case Permanent:
		return "permanent"
	case Gone:
		return "gone"
	default:
		return "unknown"
	}
}

// Error is an error with a decision. Its text is the wrapped error's: lower
// case, what happened, to what, what to do next; never a secret.
type Error struct {
	Decision Decision
	// After is the wait the other side asked for (RetryAfter only).
	After time.Duration
	// Scope is how far that wait reaches.
	Scope Scope
	Err   error
}

// Error returns the wrapped error's text.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// NewRetry marks err as worth another try: nothing reached the other side.
func NewRetry(err error) error { return &Error{Decision: Retry, Err: err} }

// NewRetryAfter marks err as worth another try once after has passed.
func NewRetryAfter(err error, after time.Duration) error {
	return &Error{Decision: RetryAfter, After: after, Err: err}
}

// Scope is how far a wait that the other side asked for reaches.
type Scope int

// The scopes. Limits count per address, per channel, or per kind of call.
const (
	// Connection: nothing goes to the other side until then.
	Connection Scope = iota
	// Destination: nothing goes to this channel until then.
	Destination
	// This: only what was tried must wait; others may go.
	This
)

// NewRetryAfterOnly is NewRetryAfter for a wait that does not reach further
// than scope.
func NewRetryAfterOnly(scope Scope, err error, after time.Duration) error {
	return &Error{Decision: RetryAfter, After: after, Scope: scope, Err: err}
}

// ScopeOf returns how far the wait that err carries reaches; it is Connection
// for every error that does not say otherwise.
func ScopeOf(err error) Scope {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Scope
	}
	return Connection
}

// NewPermanent marks err as final until a person changes something.
func NewPermanent(err error) error { return &Error{Decision: Permanent, Err: err} }

// NewGone marks err as "the target no longer exists".
func NewGone(err error) error { return &Error{Decision: Gone, Err: err} }

// NewUnknown marks err as "it may have been done".
func NewUnknown(err error) error { return &Error{Decision: Unknown, Err: err} }

// Of returns the decision that err carries and the wait asked for, if any.
// A nil error is None; an error without a decision is Unknown.
func Of(err error) (Decision, time.Duration) {
	if err == nil {
		return None, 0
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Decision, e.After
	}
	return Unknown, 0
}
