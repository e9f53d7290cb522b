// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one fault of a configuration file.
type Problem struct {
	// File is the file's name as it was given, Line counts from 1; 0 means the
	// file as a whole.
	File string
	Line int
	// Text says what is wrong and what is right; never a secret.
	Text string
}

// String returns "file:line: text".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Problems are all faults of a file, in the order of their lines. As an error
// its text has one fault a line. An empty list is no error: look at its length.
type Problems []Problem

// maxProblems bounds what is told: nobody reads more at once.
const maxProblems = 100

// Error implements error.
func (p Problems) Error() string {
	var b strings.Builder
	for i, one := range p {
		if i == maxProblems {
			fmt.Fprintf(&b, "\nand %d more", len(p)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(one.String())
	}
	return b.String()
}

// sorted orders p by line; what is the same twice is told once.
func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	return slices.Compact(p)
}
