// SPDX-License-Identifier: Apache-2.0

package answer

import "belfry/chat"

// Ask asks a Breaker.
func Ask(b *Breaker, who chat.Actor) (goOn bool, notice string) { return b.ask(who) }
