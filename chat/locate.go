// SPDX-License-Identifier: Apache-2.0

package chat

import "context"

// Locator is a platform that can say which channel a configured name means.
type Locator interface {
	// Locate returns the channel that the configuration calls so. Permanent when
	// there is none, or the connection can't see it.
	Locate(ctx context.Context, configured string) (Channel, error)
}
