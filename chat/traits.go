// SPDX-License-Identifier: Apache-2.0

package chat

// Trait is something that administrators should know about how a connection
// works, in one plain line.
type Trait struct {
	Text string
	// Warning marks what should not stay so.
	Warning bool
}

// Describer is a platform that can say how its connection works. It calls nobody.
type Describer interface {
	Traits() []Trait
}
