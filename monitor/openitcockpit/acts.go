// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/fault"
	"belfry/monitor"
	"belfry/monitor/extcmd"
)

// defaultComment stands where a person gave none: the core insists on one.
const defaultComment = "acknowledged in chat"

// Commander can tell openITCOCKPIT what to do.
type Commander struct {
	client             *client
	clock              clock.Clock
	told               *told
	sticky             int
	notify, persistent bool
}

// params are a command's own, beside the object's UUIDs. The order in which
// openITCOCKPIT joins them is its own table's, whatever comes here; a name that
// is not in that table would shift the fields.
type params map[string]any

// Acknowledge implements monitor.Acknowledger.
func (c *Commander) Acknowledge(ctx context.Context, a monitor.Acknowledgement) (monitor.Receipt, error) {
	author, comment, err := spoken(a.Author, a.Comment)
	if err != nil {
		return monitor.Receipt{}, err
	}
	r, err := c.client.find(ctx, a.Object)
	if err != nil {
		return monitor.Receipt{}, err
	}
	c.told.note(r, order{author: author, comment: comment, acked: r.acked, before: words{r.author, r.comment}, at: c.clock.Now()})
	return c.submit(ctx, r, "ACKNOWLEDGE_%s_PROBLEM", params{
		"sticky": c.sticky, "notify": bit(c.notify), "persistent": bit(c.persistent), "author": author, "comment": comment,
	})
}

// Unacknowledge implements monitor.Acknowledger.
func (c *Commander) Unacknowledge(ctx context.Context, o alert.Object) (monitor.Receipt, error) {
	r, err := c.client.find(ctx, o)
	if err != nil {
		return monitor.Receipt{}, err
	}
	c.told.note(r, order{removes: true, acked: r.acked, at: c.clock.Now()})
	return c.submit(ctx, r, "REMOVE_%s_ACKNOWLEDGEMENT", nil)
}

// Downtime implements monitor.Downtimer, for the object alone.
func (c *Commander) Downtime(ctx context.Context, d monitor.Downtime) (monitor.Receipt, error) {
	author, comment, err := spoken(d.Author, d.Comment)
	if err != nil {
		return monitor.Receipt{}, err
	}
	if !d.End.After(d.Start) {
		return monitor.Receipt{}, fault.NewPermanent(errors.New("the downtime ends before it starts"))
	}
	r, err := c.client.find(ctx, d.Object)
	if err != nil {
		return monitor.Receipt{}, err
	}
	return c.submit(ctx, r, "SCHEDULE_%s_DOWNTIME", params{
		"start_time": d.Start.Unix(), "end_time": d.End.Unix(), "fixed": 1, "trigger_id": 0,
		"duration": int64(d.End.Sub(d.Start) / time.Second), "author": author, "comment": comment,
	})
}

// CheckNow implements monitor.Checker.
func (c *Commander) CheckNow(ctx context.Context, o alert.Object) (monitor.Receipt, error) {
	r, err := c.client.find(ctx, o)
	if err != nil {
		return monitor.Receipt{}, err
	}
	return c.submit(ctx, r, "SCHEDULE_FORCED_%s_CHECK", params{"check_time": c.clock.Now().Unix()})
}

// Notifications implements monitor.Notifier.
func (c *Commander) Notifications(ctx context.Context, o alert.Object, on bool) (monitor.Receipt, error) {
	r, err := c.client.find(ctx, o)
	if err != nil {
		return monitor.Receipt{}, err
	}
	command := "DISABLE_%s_NOTIFICATIONS"
	if on {
		command = "ENABLE_%s_NOTIFICATIONS"
	}
	return c.submit(ctx, r, command, nil)
}

// submit puts one command about r into openITCOCKPIT's queue.
func (c *Commander) submit(ctx context.Context, r row, command string, p params) (monitor.Receipt, error) {
	body := params{"hostUuid": r.host}
	kind := "HOST"
	if r.service != "" {
		kind, body["serviceUuid"] = "SVC", r.service
	}
	command = fmt.Sprintf(command, kind)
	body["command"] = command
	maps.Copy(body, p)
	b, err := json.Marshal(body)
	if err != nil {
		return monitor.Receipt{}, fault.NewPermanent(fmt.Errorf("can't write the command: %w", err))
	}
	answer, err := c.client.post(ctx, submitPath, b)
	switch statusOf(err) {
	case http.StatusForbidden:
		return monitor.Receipt{}, fault.NewPermanent(errors.New(needsSubmit))
	case http.StatusNotFound:
		return monitor.Receipt{}, fault.NewPermanent(fmt.Errorf("openITCOCKPIT does not take %s: its NagiosModule is too old, or not there", command))
	}
	if err != nil {
		return monitor.Receipt{}, err
	}
	taken, err := decodeQueued(answer)
	if err == nil && taken != command {
		err = fmt.Errorf("openITCOCKPIT was told %s and answered of %s", command, monitor.Quote(taken))
	}
	if err != nil {
		return monitor.Receipt{}, fault.NewUnknown(err)
	}
	return monitor.Receipt{Queued: true}, nil
}

const (
	submitPath  = "/nagios_module/cmd/submit.json"
	needsSubmit = "the user of the api key may not send commands: give its user role the right NagiosModule → cmd → submit in openITCOCKPIT"
)

// spoken cleans who acts and what they say.
func spoken(author, comment string) (by, text string, err error) {
	if by = extcmd.Author(author); by == "" {
		return "", "", fault.NewPermanent(errors.New("nobody is named as the author: openITCOCKPIT is not told"))
	}
	if text = extcmd.Comment(comment); text == "" {
		text = defaultComment
	}
	return by, text, nil
}

func bit(on bool) int {
	if on {
		return 1
	}
	return 0
}
