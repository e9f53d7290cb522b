// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strings"
)

// Spec is the part of a resource that its kind owns: a struct with `yaml` tags
// and its own rules. Each connector package has one.
type Spec interface {
	// Validate returns everything that is wrong, made with Wrong where one
	// field is to blame.
	Validate() []error
}

// Poster is implemented by the specs of connections that can be written so that
// they post and do nothing else.
type Poster interface {
	// PostsOnly says whether this one is.
	PostsOnly() bool
}

// FieldError is a fault in one field; Load adds the line.
type FieldError struct {
	// Field is the key as written in the file; below it with dots, an entry of
	// a list with its place from 0: "form[2]".
	Field string
	// Text says what is wrong and what is right.
	Text string
}

// Error implements error. Places in lists are left out: the line tells them.
func (e *FieldError) Error() string {
	var name strings.Builder
	for part := range strings.SplitSeq(e.Field, "[") {
		if _, after, inside := strings.Cut(part, "]"); inside {
			part = after
		}
		name.WriteString(part)
	}
	return name.String() + ": " + e.Text
}

// Wrong says what is wrong with a field and what is right.
func Wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Text: fmt.Sprintf(format, args...)}
}
