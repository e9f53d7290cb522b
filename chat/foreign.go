// SPDX-License-Identifier: Apache-2.0

package chat

import "context"

// Foreign is a press of a button that another program put up, delivered to us
// because that program's app is ours now. It carries no seal: what it is about
// can only be found by what the button and its message name.
type Foreign struct {
	Actor Actor
	// Ref is the other program's message.
	Ref Ref
	// Names are words of the button and its message: ids, host and service
	// names, in no promised order. Untrusted.
	Names []string
}

// Adopter is a Responder that takes presses of other programs' buttons.
type Adopter interface {
	// Adopt acknowledges the one open alert that the names tell, or says why not.
	Adopt(ctx context.Context, f Foreign) Answer
}
