// SPDX-License-Identifier: Apache-2.0

package chat

import "context"

// Leaver is a platform that can give back by itself what lets Belfry in.
type Leaver interface {
	// Leaving says in plain words what Leave does: "the app is uninstalled".
	Leaving() string
	// Leave does it. It may be repeated: what is worth nothing already is left.
	Leave(ctx context.Context) error
}
