// SPDX-License-Identifier: Apache-2.0

package config

import "fmt"

// Spec is the part of a resource that its kind owns: a struct with `yaml` tags
// and its own rules. Each connector package has one.
type Spec interface {
	// Validate returns everything that is wrong, made with Wrong where one
	// field is to blame.
	Validate() []error
}

// FieldError is a fault in one field; Load adds the line.
type FieldError struct {
	// Field is the key as written in the file.
	Field string
	// Text says what is wrong and what is right.
	Text string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Text }

// Wrong says what is wrong with a field and what is right.
func Wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Text: fmt.Sprintf(format, args...)}
}
