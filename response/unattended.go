// SPDX-License-Identifier: Apache-2.0

package response

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

// Acknowledge notes that somebody takes care of an alert, and has monitoring
// told. Its errors are those of package alert where the alert stands otherwise
// by now.
type Acknowledge func(ctx context.Context, id alert.ID, by, comment string) error

// AcknowledgeWith says how alerts are acknowledged. Call it before the first act.
func (r *Response) AcknowledgeWith(f Acknowledge) { r.acknowledge = f }

// atOnce is how many alerts are acknowledged side by side: the store makes one
// transaction of them.
const atOnce = 32

// Unattended says whether an alert is a problem that is not over, and that
// nobody has acknowledged or is about to.
func Unattended(a *alert.Alert) bool {
	return a.Topic == alert.TopicProblem && a.Status == alert.Firing && a.Ack.Phase == alert.AckNone
}

// Unattended returns the alerts attached to an incident for which Unattended
// holds, in the order in which they were attached. One that can't be read back is left out.
func (r *Response) Unattended(ctx context.Context, i *incident.Incident) ([]*alert.Alert, error) {
	var list []*alert.Alert
	for _, x := range i.Alerts {
		a, err := r.store.Alert(ctx, x.Alert)
		switch {
		case errors.Is(err, store.ErrNotFound): // over, and no longer kept
		case errors.Is(err, store.ErrUnreadable): // nobody knows how it stands; the others need somebody all the same
		case err != nil:
			return nil, fmt.Errorf("can't read the alerts of %s: %w", i.Ref(), err)
		case Unattended(a):
			list = append(list, a)
		}
	}
	return list, nil
}

// ErrNoneUnattended says that there is nothing to acknowledge. Its text is shown
// to people.
var ErrNoneUnattended = errors.New("of the alerts attached to it none fires that nobody has acknowledged")

// AcknowledgeAll acknowledges what Unattended returns, and returns those for
// which that was noted: that they are acknowledged is said where monitoring has
// confirmed it. With an error some may be noted, too. comment may be empty.
func (r *Response) AcknowledgeAll(ctx context.Context, number int64, by incident.Person, comment string) (asked []*alert.Alert, err error) {
	i, err := r.store.Incident(ctx, number)
	if errors.Is(err, store.ErrNotFound) {
		return nil, &RefusedError{fmt.Errorf("%w as #%d", ErrNoIncident, number)}
	}
	if err != nil {
		return nil, err
	}
	list, err := r.Unattended(ctx, i)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, &RefusedError{ErrNoneUnattended}
	}
	if comment == "" {
		comment = "incident " + i.Ref()
	}
	errs := make([]error, len(list))
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for n, a := range list {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			errs[n] = r.acknowledge(ctx, a.ID, by.Name, comment)
		})
	}
	wait.Wait()
	for n, a := range list {
		switch err := errs[n]; {
		case err == nil:
			asked = append(asked, a)
		case errors.Is(err, alert.ErrResolved), errors.Is(err, alert.ErrAcknowledged), errors.Is(err, alert.ErrPending), errors.Is(err, alert.ErrRemoving):
			errs[n] = nil // somebody or something was faster
		}
	}
	return asked, errors.Join(errs...)
}

// errNoDesk says that AcknowledgeWith was not called.
var errNoDesk = errors.New("alerts can't be acknowledged here")
