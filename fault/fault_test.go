// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestTheDecisionTravelsThroughWrapping(t *testing.T) {
	cause := errors.New("no route to host")
	for _, c := range []struct {
		err  error
		want Decision
		wait time.Duration
	}{
		{nil, None, 0},
		{NewRetry(cause), Retry, 0},
		{NewRetryAfter(cause, 3*time.Second), RetryAfter, 3 * time.Second},
		{NewPermanent(cause), Permanent, 0},
		{NewGone(cause), Gone, 0},
		{NewUnknown(cause), Unknown, 0},
		{fmt.Errorf("while posting: %w", NewPermanent(cause)), Permanent, 0},
		{cause, Unknown, 0},
	} {
		got, wait := Of(c.err)
		if got != c.want || wait != c.wait {
			t.Errorf("%v: got %s %s, want %s %s", c.err, got, wait, c.want, c.wait)
		}
		if c.err != nil && !errors.Is(c.err, cause) {
			t.Errorf("%v lost its cause", c.err)
		}
	}
}
