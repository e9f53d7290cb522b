// SPDX-License-Identifier: Apache-2.0

package response

import (
	"fmt"

	"belfry/incident"
	"belfry/store"
)

// Program is who acts that is no person, or that must not do a thing twice.
type Program struct {
	// Key names what is asked for: it is done once, however often it is asked
	// for by that key. Empty: it is done each time.
	Key string
	// Limit is how many incidents it may declare within incident.LimitSpan; 0: any.
	Limit int
}

// For returns a Response by which a program acts. What was done before by its
// key is refused with a *KnownError.
func (r *Response) For(p Program) *Response {
	c := *r
	c.program = p
	return &c
}

// KnownError says that something was done before, by the same key.
type KnownError struct {
	// Number is that of the incident that it was done to.
	Number int64
}

// Error implements error.
func (e *KnownError) Error() string { return fmt.Sprintf("this was done before, to #%d", e.Number) }

// LimitError says that a program has declared as many incidents as it may.
type LimitError struct{ Limit int }

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("%d incidents were declared within an hour, and no more are allowed; update one of them, or have the limit raised", e.Limit)
}

// once has a change done once for its program's key.
func (r *Response) once(c store.IncidentChange) store.IncidentChange {
	if r.program.Key == "" {
		return c
	}
	c.Key = r.program.Key
	apply := c.Apply
	c.Apply = func(v store.IncidentView) ([]store.IncidentEffect, error) {
		if v.Known != 0 {
			return nil, &KnownError{v.Known}
		}
		return apply(v)
	}
	return c
}

// mayDeclare says whether a machine may declare one more, and notes on a new
// incident which one declares it.
func (r *Response) mayDeclare(v store.IncidentView, i *incident.Incident, by incident.Person) error {
	if !by.IsMachine() {
		return nil
	}
	i.Origin = by.Name
	if limit := r.program.Limit; limit > 0 && v.Kin.Declared >= limit {
		return &LimitError{limit}
	}
	return nil
}
