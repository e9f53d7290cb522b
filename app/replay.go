// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"belfry/alert"
	"belfry/server"
)

// replay decodes a kept payload again and says for people what became of it.
func (a *App) replay(ctx context.Context, id alert.ID) (said string, failed bool, err error) {
	r, err := a.server.Replay(ctx, id)
	switch {
	case errors.Is(err, server.ErrNoPayload), errors.Is(err, server.ErrNoSource):
		return "", false, err
	case err != nil:
		return "", true, err
	case r.Fault != "":
		return "", false, fmt.Errorf("still not understood: %s", r.Fault)
	}
	said = fmt.Sprintf("It was understood: %d reports were taken.", r.Accepted)
	switch r.Accepted {
	case 0:
		said = "It was understood, and says nothing that makes an alert or a message."
	case 1:
		said = "It was understood: 1 report was taken."
	}
	if len(r.Warnings) > 0 {
		said += " Warnings: " + strings.Join(r.Warnings, "; ")
	}
	return said, false, nil
}
