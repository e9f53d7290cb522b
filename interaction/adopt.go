// SPDX-License-Identifier: Apache-2.0

package interaction

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"belfry/alert"
	"belfry/chat"
	"belfry/desk"
	"belfry/store"
)

// Finder finds open alerts. *store.Store is one.
type Finder interface {
	Alerts(ctx context.Context, f store.Filter) ([]*alert.Alert, error)
}

var _ chat.Adopter = (*Interaction)(nil)

const (
	// lookedAt is how many open problems are compared with a foreign card.
	lookedAt = 2000

	sayNoMatch = "No open alert in Belfry fits this card, so nothing was done. Use the alert's card by Belfry, or the command ack."
	sayAdopted = "This was taken as an acknowledgement of alert #%d, %s. Its card by Belfry shows what comes of it."
	sayManyFit = "More than one open alert in Belfry fits this card, so nothing was done. Use the alert's card by Belfry, or the command ack."
)

// TakeForeign has buttons that other programs put up acknowledge what f finds.
// Call it before anybody presses one.
func (i *Interaction) TakeForeign(f Finder) { i.finder = f }

// Adopt implements chat.Adopter. The press proves who and where, and nothing of
// what it is about: that is only taken from a card that names one open problem.
func (i *Interaction) Adopt(ctx context.Context, f chat.Foreign) chat.Answer {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if i.finder == nil {
		return chat.Answer{Whisper: sayForged}
	}
	if no := i.refused(ctx, f.Actor); no != nil {
		return *no
	}
	open, err := i.finder.Alerts(ctx, store.Filter{Status: alert.Firing, Topic: alert.TopicProblem, Limit: lookedAt})
	if err != nil {
		return chat.Answer{Whisper: sayTrouble}
	}
	switch fits := fitting(open, f.Names); len(fits) {
	case 0:
		return chat.Answer{Whisper: sayNoMatch}
	case 1:
		a := answer(i.desk.Acknowledge(ctx, fits[0].ID, desk.AnyGeneration, f.Actor.Name, ""))
		if a.Whisper == "" {
			// The card that was pressed never changes, and its words may have named
			// another alert than people meant.
			a.Whisper = fmt.Sprintf(sayAdopted, fits[0].Number, chat.CleanLine(fits[0].Name()))
		}
		return a
	}
	return chat.Answer{Whisper: sayManyFit}
}

// fitting returns the open problems that a card's words name. Every card of a
// service names its host, too: so a service goes before a host, and a host is
// not taken from a card that speaks of a service that isn't open.
func fitting(open []*alert.Alert, names []string) []*alert.Alert {
	said := make(map[string]bool, len(names))
	for _, n := range names {
		said[strings.ToLower(n)] = true
	}
	has := func(id, display string) bool {
		return id != "" && said[strings.ToLower(id)] || display != "" && said[strings.ToLower(display)]
	}
	var hosts, services []*alert.Alert
	for _, a := range open {
		o := a.Object
		switch {
		case o.Kind == alert.KindService && has(o.Service, o.ServiceDisplay) && has(o.Host, o.HostDisplay):
			services = append(services, a)
		case o.Kind == alert.KindHost && has(o.Host, o.HostDisplay):
			hosts = append(hosts, a)
		}
	}
	if len(services) > 0 || said["service"] || said["services"] {
		return services
	}
	for _, n := range names {
		if isUUID(n) && !slices.ContainsFunc(hosts, func(a *alert.Alert) bool { return strings.EqualFold(a.Object.Host, n) }) {
			return nil // of something else than these hosts
		}
	}
	return hosts
}

// isUUID holds for 8-4-4-4-12 hexadecimal digits, as openITCOCKPIT names objects.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(strings.ToLower(s)) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return false
		}
	}
	return true
}
