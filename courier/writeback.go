// SPDX-License-Identifier: Apache-2.0

package courier

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/delivery"
	"belfry/desk"
	"belfry/fault"
	"belfry/monitor"
	"belfry/store"
)

// Writeback carries what people want to one monitoring system and finds out
// whether it was done. A command that was only handed over keeps its duty: it
// is looked at again until the system shows it.
type Writeback struct {
	source  string
	monitor monitor.Monitor
	store   Store
	desk    *desk.Desk
	clock   clock.Clock
}

var _ delivery.Sender = (*Writeback)(nil)

// NewWriteback returns the sender of one source's write-backs.
func NewWriteback(source string, m monitor.Monitor, s Store, d *desk.Desk, c clock.Clock) *Writeback {
	return &Writeback{source: source, monitor: m, store: s, desk: d, clock: c}
}

// Send implements delivery.Sender.
func (w *Writeback) Send(ctx context.Context, e delivery.Errand) delivery.Outcome {
	a, err := w.store.Alert(ctx, e.AlertID)
	if err == nil {
		var event alert.Event
		if event, err = eventOf(ctx, w.store, e); err == nil {
			return w.carry(ctx, e, a, event)
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		return delivery.Outcome{}
	}
	return delivery.Outcome{Err: fault.NewRetry(fmt.Errorf("can't read what to tell %s: %w", w.source, err)),
		Unknown: !e.UnknownSince.IsZero()}
}

func (w *Writeback) carry(ctx context.Context, e delivery.Errand, a *alert.Alert, event alert.Event) delivery.Outcome {
	switch event.Kind {
	case alert.EventAckWanted, alert.EventUnackWanted:
		o := order{Writeback: w, errand: e, alert: a, event: event, set: event.Kind == alert.EventAckWanted}
		return o.carry(ctx)
	case alert.EventInstructed:
		return w.instruct(ctx, e, a, event)
	}
	return delivery.Outcome{Err: fault.NewPermanent(fmt.Errorf("event %q is nothing to tell a monitoring system", event.Kind))}
}

// order is one acknowledgement, or its removal, on its way.
type order struct {
	*Writeback
	errand delivery.Errand
	alert  *alert.Alert
	event  alert.Event
	set    bool // acknowledge; false: remove
}

// moot says that what was wanted is no longer open: it was confirmed by a
// notification, overtaken, or the problem is over.
func (o order) moot() bool {
	phase := alert.AckRemoving
	if o.set {
		phase = alert.AckPending
	}
	return o.alert.Status == alert.Resolved || o.alert.Ack.Phase != phase || o.alert.Ack.Generation != o.event.Generation
}

func (o order) carry(ctx context.Context) delivery.Outcome {
	if o.moot() {
		return delivery.Outcome{}
	}
	since := handedOver(o.errand)
	if since.IsZero() {
		return o.hand(ctx)
	}
	reader, ok := o.monitor.(monitor.StatusReader)
	if !ok {
		return o.unseen(ctx, since)
	}
	statuses, err := reader.Status(ctx, []alert.Object{o.alert.Object})
	switch {
	case err != nil:
		return o.wait(ctx, since, "its status can't be read: "+err.Error())
	case len(statuses) != 1 || !statuses[0].Known:
		return o.refuse(ctx, "its status does not list this object")
	}
	s := statuses[0]
	switch {
	case s.AsOf.Before(since.Truncate(time.Second)):
		return o.wait(ctx, since, "its status is older than the command; is it running?")
	case s.Acknowledged == o.set:
		return o.confirm(ctx, s)
	case s.OK:
		return o.wait(ctx, since, "it shows no problem any more; its recovery will follow")
	case s.AsOf.Sub(since) < believe:
		return o.wait(ctx, since, "")
	case o.errand.Receipt == "":
		// The earlier attempt did not arrive: the status is newer and does not show it.
		return o.hand(ctx)
	case o.clock.Now().Sub(since) > handAgain:
		return o.hand(ctx)
	}
	return o.wait(ctx, since, "it took the command but does not show it yet")
}

const (
	// believe is how much newer than a command a status must be to prove that
	// the command was not carried out: cores work their pipe off every second.
	believe = 3 * time.Second
	// handAgain is when a command that does not show is handed over once more.
	handAgain = time.Minute
	// patience is how long people are not bothered with a reason for waiting.
	patience = 10 * time.Second
)

// hand hands the command over.
func (o order) hand(ctx context.Context) delivery.Outcome {
	m, ok := o.monitor.(monitor.Acknowledger)
	if !ok {
		return o.refuse(ctx, "it can't be told; the source has no way to acknowledge configured")
	}
	var receipt monitor.Receipt
	var err error
	now := o.clock.Now()
	if o.set {
		receipt, err = m.Acknowledge(ctx, monitor.Acknowledgement{Object: o.alert.Object, Author: o.event.Actor, Comment: o.event.Text})
	} else {
		receipt, err = m.Unacknowledge(ctx, o.alert.Object)
	}
	decision, _ := fault.Of(err)
	switch {
	case err == nil && receipt.Confirmed:
		return o.confirm(ctx, monitor.Status{})
	case err == nil:
		return delivery.Outcome{Receipt: handedReceipt(now), Again: firstLook}
	case decision == fault.Permanent || decision == fault.Gone:
		return o.refuse(ctx, err.Error())
	}
	if trouble := o.desk.Delay(ctx, o.alert.ID, o.event.Generation, err.Error()); trouble != nil {
		err = errors.Join(err, trouble)
	}
	return delivery.Outcome{Err: err}
}

// confirm notes that the system has what was wanted. by and comment are the
// system's where it tells them.
func (o order) confirm(ctx context.Context, s monitor.Status) delivery.Outcome {
	if o.set {
		return ours(o.desk.ConfirmAck(ctx, o.alert.ID, s.Author, s.Comment))
	}
	return ours(o.desk.ConfirmUnack(ctx, o.alert.ID, o.event.Actor))
}

func (o order) refuse(ctx context.Context, reason string) delivery.Outcome {
	return refused(o.desk.Refuse(ctx, o.alert.ID, o.event.Generation, o.source+": "+reason))
}

// unseen waits for the notification that confirms, where no status can be
// read. A command that may never have left us (the process died over it) is
// handed over again soon. A removal makes no notification, so nothing ever
// confirms it: people are told so instead of being kept waiting.
func (o order) unseen(ctx context.Context, since time.Time) delivery.Outcome {
	long := o.clock.Now().Sub(since) > patience
	switch {
	case o.errand.Receipt == "" && long:
		return o.hand(ctx)
	case o.errand.Receipt == "":
		return o.wait(ctx, since, "")
	case !o.set && long:
		return o.refuse(ctx, "was told to remove it, but can't confirm it: configure its status file or livestatus, and look there")
	}
	return o.wait(ctx, since, "it took the command and has not confirmed it yet")
}

const firstLook = 250 * time.Millisecond

// wait looks again later, less and less often. reason is told to people once
// they have waited for a while.
func (o order) wait(ctx context.Context, since time.Time, reason string) delivery.Outcome {
	waited := o.clock.Now().Sub(since)
	if o.errand.Receipt == "" && waited > handAgain {
		// Nothing tells whether the earlier attempt arrived: to be told twice
		// does a core no harm, and people are waiting.
		return o.hand(ctx)
	}
	if reason != "" && waited > patience {
		if err := o.desk.Delay(ctx, o.alert.ID, o.event.Generation, o.source+": "+reason); err != nil {
			return ours(err)
		}
	}
	again := 5 * time.Second
	switch {
	case waited < 5*time.Second:
		again = firstLook
	case waited < time.Minute:
		again = time.Second
	}
	// Handing over counted from the earlier attempt when that one is unknown.
	return delivery.Outcome{Again: again, Receipt: o.errand.Receipt, Unknown: o.errand.Receipt == ""}
}

// instruct hands an instruction over. One whose earlier attempt may have
// arrived is not repeated: a second downtime would be worse than none, and
// there is nothing to ask.
func (w *Writeback) instruct(ctx context.Context, e delivery.Errand, a *alert.Alert, event alert.Event) delivery.Outcome {
	if e.Receipt != "" {
		return w.queued(ctx, e, a, event)
	}
	if !e.UnknownSince.IsZero() {
		return refused(w.desk.Instructed(ctx, a.ID, event, "it is not known whether "+w.source+" got this; look there before you repeat it"))
	}
	receipt, err := w.tell(ctx, a.Object, event)
	decision, _ := fault.Of(err)
	switch decision {
	case fault.None:
		if receipt.Queued && w.provable(event) {
			return delivery.Outcome{Receipt: handedReceipt(w.clock.Now()), Again: firstLook}
		}
		return ours(w.desk.Instructed(ctx, a.ID, event, ""))
	case fault.Permanent, fault.Gone, fault.Unknown:
		return refused(w.desk.Instructed(ctx, a.ID, event, err.Error()))
	}
	return delivery.Outcome{Err: err}
}

// provable says whether the status could show that an instruction was carried out.
func (w *Writeback) provable(event alert.Event) bool {
	do := event.Instruction
	_, reads := w.monitor.(monitor.StatusReader)
	return reads && (do.Do == string(desk.CanDowntime) && !do.Start.After(w.clock.Now()) || do.Do == string(desk.CanNotifications))
}

// queued looks whether an instruction shows that was only put into a queue.
func (w *Writeback) queued(ctx context.Context, e delivery.Errand, a *alert.Alert, event alert.Event) delivery.Outcome {
	since, reason := handedOver(e), "took it into its queue, but does not show it: look there before you repeat it"
	if read, ok := w.monitor.(monitor.StatusReader); ok && event.Instruction != nil {
		statuses, err := read.Status(ctx, []alert.Object{a.Object})
		switch {
		case err != nil:
			reason = "took it into its queue, and can't be asked what became of it: " + err.Error()
		case len(statuses) == 1 && shows(statuses[0], *event.Instruction):
			return ours(w.desk.Instructed(ctx, a.ID, event, ""))
		}
	}
	waited := w.clock.Now().Sub(since)
	if waited > handAgain {
		return refused(w.desk.Instructed(ctx, a.ID, event, w.source+" "+reason))
	}
	again := time.Second
	if waited < believe {
		again = firstLook
	}
	return delivery.Outcome{Again: again, Receipt: e.Receipt}
}

// shows says whether an object stands as an instruction wants it.
func shows(s monitor.Status, do alert.Instruction) bool {
	switch {
	case !s.Known:
		return false
	case do.Do == string(desk.CanDowntime):
		return s.InDowntime
	}
	return s.Notifies != nil && *s.Notifies != do.Off
}

func (w *Writeback) tell(ctx context.Context, o alert.Object, event alert.Event) (receipt monitor.Receipt, err error) {
	ok := false
	switch do := event.Instruction; {
	case do == nil:
	case do.Do == string(desk.CanComment):
		var m monitor.Commenter
		if m, ok = w.monitor.(monitor.Commenter); ok {
			receipt, err = m.Comment(ctx, o, event.Actor, event.Text)
		}
	case do.Do == string(desk.CanDowntime):
		var m monitor.Downtimer
		if m, ok = w.monitor.(monitor.Downtimer); ok {
			receipt, err = m.Downtime(ctx, monitor.Downtime{Object: o, Author: event.Actor, Comment: event.Text, Start: do.Start, End: do.End})
		}
	case do.Do == string(desk.CanCheck):
		var m monitor.Checker
		if m, ok = w.monitor.(monitor.Checker); ok {
			receipt, err = m.CheckNow(ctx, o)
		}
	case do.Do == string(desk.CanNotifications):
		var m monitor.Notifier
		if m, ok = w.monitor.(monitor.Notifier); ok {
			receipt, err = m.Notifications(ctx, o, !do.Off)
		}
	}
	if !ok {
		return receipt, fault.NewPermanent(fmt.Errorf("%s can't be told that", w.source))
	}
	return receipt, err
}

// ours is the outcome of recording the end of a write-back: if our own
// database fails, the duty stays and asks again.
func ours(err error) delivery.Outcome {
	if err == nil {
		return delivery.Outcome{}
	}
	return delivery.Outcome{Err: fault.NewUnknown(fmt.Errorf("can't record what the monitoring system said: %w", err))}
}

// refused is ours of an end that people did not want.
func refused(err error) delivery.Outcome {
	out := ours(err)
	out.Refused = err == nil
	return out
}

const handed = "handed "

func handedReceipt(t time.Time) string { return handed + strconv.FormatInt(t.UnixMicro(), 10) }

// handedOver returns when a command was, or may have been, handed over.
func handedOver(e delivery.Errand) time.Time {
	if text, ok := strings.CutPrefix(e.Receipt, handed); ok {
		if us, err := strconv.ParseInt(text, 10, 64); err == nil {
			return time.UnixMicro(us).UTC()
		}
	}
	return e.UnknownSince
}
