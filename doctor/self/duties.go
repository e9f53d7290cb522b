// SPDX-License-Identifier: Apache-2.0

package self

import (
	"context"
	"fmt"
	"strings"
	"time"

	"belfry/doctor"
	"belfry/store"
)

// When what waits is worth a word: how often a delivery failed in a row (with
// its back-off 10 attempts take about half an hour), and for how long nobody
// took up what is due.
const (
	triesBad  = 10
	lateDoubt = 5 * time.Minute
	// named is how many of them are named.
	named = 5
)

// dead looks at what was given up.
func (s Self) dead(ctx context.Context, c store.Counts) doctor.Finding {
	const check = "dead letters"
	if c.Dead == 0 {
		return doctor.Good(check, "no delivery was given up")
	}
	text := fmt.Sprintf("%s given up", were(c.Dead))
	if list, err := s.o.Store.DeadDuties(ctx, 1); err == nil && len(list) == 1 {
		text += fmt.Sprintf("; to %s, for example: %s", list[0].Destination, list[0].LastError)
	}
	return doctor.Doubt(check, "see them at "+s.o.PublicURL+"/deliveries, mend what is named there, and press Send again", "%s", text)
}

// waiting looks at what failed and is tried again, and at what nobody takes up.
func (s Self) waiting(ctx context.Context, c store.Counts) doctor.Finding {
	const check = "deliveries"
	remedy := "see what they wait for at " + s.o.PublicURL + "/deliveries; they are sent by themselves when it is mended"
	list, err := s.o.Store.Struggles(ctx)
	if err != nil {
		return doctor.Bad(check, "look at the server's log: journalctl -u belfry", "%v", err)
	}
	if late := s.o.Clock.Now().Sub(c.Oldest); c.Due > 0 && late > lateDoubt {
		return doctor.Bad(check, "look at the server's log, and restart it: systemctl restart belfry", "a delivery is due since %v and nobody takes it up", late.Truncate(time.Minute))
	}
	if len(list) == 0 {
		return doctor.Good(check, "nothing failed that still waits")
	}
	most := 0
	var texts []string
	for _, d := range list {
		most = max(most, d.Attempts)
		if len(texts) < named {
			texts = append(texts, fmt.Sprintf("%s: %d waiting after up to %d attempts (%s)", d.Destination, d.Waiting, d.Attempts, d.LastError))
		}
	}
	if len(list) > named {
		texts = append(texts, fmt.Sprintf("and %d more", len(list)-named))
	}
	if most >= triesBad {
		return doctor.Bad(check, remedy, "%s", strings.Join(texts, "; "))
	}
	return doctor.Doubt(check, remedy, "%s", strings.Join(texts, "; "))
}

// calls looks at alerts that call for an incident which can't be declared.
func (s Self) calls(ctx context.Context) doctor.Finding {
	const check = "calls for incidents"
	list, err := s.o.Store.StuckCalls(ctx)
	switch {
	case err != nil:
		return doctor.Bad(check, "look at the server's log: journalctl -u belfry", "%v", err)
	case len(list) == 0:
		return doctor.Good(check, "no alert calls for an incident in vain")
	}
	text := "1 alert calls for an incident in vain"
	if len(list) > 1 {
		text = fmt.Sprintf("%d alerts call for incidents in vain", len(list))
	}
	return doctor.Bad(check, "declare it yourself: /incident new; it is tried again every few minutes, so restore what is named there from a backup of the database, or run the Belfry that wrote it",
		"%s; by route %s, for example: %s", text, list[0].Route, list[0].Trouble)
}

func were(n int) string {
	if n == 1 {
		return "1 delivery was"
	}
	return fmt.Sprintf("%d deliveries were", n)
}
