// SPDX-License-Identifier: Apache-2.0

package alertmanager

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	quick "github.com/go-json-experiment/json"

	"belfry/monitor"
)

const (
	// MaxBody is the largest webhook that is taken, in bytes.
	MaxBody = 10 << 20
	// MaxAlerts is how many alerts one webhook may hold.
	MaxAlerts = 10000
)

// webhook is the body, as Alertmanager 0.25 sends it. What Belfry has no use
// for is named too, so that it is not reported as unknown; what Grafana adds
// stands at the end.
type webhook struct {
	Version   string         `json:"version"`
	Alerts    []webhookAlert `json:"alerts"`
	Truncated int64          `json:"truncatedAlerts"`

	Receiver          ignored `json:"receiver"`
	Status            ignored `json:"status"`
	GroupLabels       ignored `json:"groupLabels"`
	CommonLabels      ignored `json:"commonLabels"`
	CommonAnnotations ignored `json:"commonAnnotations"`
	ExternalURL       ignored `json:"externalURL"`
	GroupKey          ignored `json:"groupKey"`
	// NotificationReason is sent by Alertmanager from 0.29 on.
	NotificationReason ignored `json:"notificationReason"`

	OrgID   ignored `json:"orgId"`
	Title   ignored `json:"title"`
	State   ignored `json:"state"`
	Message ignored `json:"message"`
	AppVer  ignored `json:"appVersion"`
}

type webhookAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`

	Values       ignored `json:"values"`
	ValueString  ignored `json:"valueString"`
	SilenceURL   ignored `json:"silenceURL"`
	DashboardURL ignored `json:"dashboardURL"`
	PanelURL     ignored `json:"panelURL"`
	ImageURL     ignored `json:"imageURL"`
	OrgID        ignored `json:"orgId"`
}

// ignored is a value of any shape that is not kept.
type ignored struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*ignored) UnmarshalJSON([]byte) error { return nil }

// parse reads a body. Keys that are not known become warnings.
func parse(contentType string, body []byte, d *monitor.Decoded) (webhook, error) {
	var w webhook
	if err := monitor.CheckJSON(contentType); err != nil {
		return w, err
	}
	if len(body) > MaxBody {
		return w, fmt.Errorf("the body has %d bytes, more than %d; group alerts more finely", len(body), MaxBody)
	}
	if body = bytes.TrimSpace(body); len(body) == 0 || body[0] != '{' {
		return w, errors.New("the body is not a JSON object; Alertmanager's webhook is needed")
	}
	// The second version of the JSON library takes a third of the time; the
	// first one is more forgiving and can name what is wrong.
	if quick.Unmarshal(body, &w, quick.RejectUnknownMembers(true)) != nil {
		w = webhook{}
		if err := json.Unmarshal(body, &w); err != nil {
			return w, wrongKey(err)
		}
		if err := w.check(d); err != nil {
			return w, err
		}
		nameUnknown(body, d)
		return w, nil
	}
	return w, w.check(d)
}

func (w *webhook) check(d *monitor.Decoded) error {
	switch w.Version {
	case "4", "1":
	case "":
		return errors.New(`version is missing; Alertmanager's webhook has "4", Grafana's "1"`)
	default:
		return fmt.Errorf(`version: %s is not understood; Alertmanager's webhook has "4", Grafana's "1"`, monitor.Quote(w.Version))
	}
	switch {
	case w.Alerts == nil:
		return errors.New("alerts is missing; it is a list")
	case len(w.Alerts) > MaxAlerts:
		return fmt.Errorf("alerts: there are %d, more than %d; set max_alerts in Alertmanager's webhook_config", len(w.Alerts), MaxAlerts)
	}
	if w.Truncated > 0 {
		d.Warn("alertmanager left out %d alerts of this group: raise max_alerts in its webhook_config", w.Truncated)
	}
	return nil
}

// The keys of webhook and of webhookAlert.
const (
	groupKeys = " version alerts truncatedAlerts receiver status groupLabels commonLabels commonAnnotations externalURL groupKey" +
		" notificationReason orgId title state message appVersion "
	alertKeys = " status labels annotations startsAt endsAt generatorURL fingerprint" +
		" values valueString silenceURL dashboardURL panelURL imageURL orgId "
)

// nameUnknown tells which keys a body has that are not understood.
func nameUnknown(body []byte, d *monitor.Decoded) {
	var keys map[string]json.RawMessage
	if json.Unmarshal(body, &keys) != nil {
		return
	}
	for _, k := range unknown(keys, groupKeys) {
		d.Warn("unknown key %s is not used", monitor.Quote(k))
	}
	var alerts []map[string]json.RawMessage
	if json.Unmarshal(keys["alerts"], &alerts) != nil {
		return
	}
	for _, a := range alerts {
		for _, k := range unknown(a, alertKeys) {
			d.Warn("unknown key %s of an alert is not used", monitor.Quote(k))
		}
	}
}

// unknown returns the keys that are not in known, in order.
func unknown(keys map[string]json.RawMessage, known string) []string {
	var out []string
	known = strings.ToLower(known)
	for k := range keys {
		if !strings.Contains(known, " "+strings.ToLower(k)+" ") {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// wrongKey turns what encoding/json says into the key and what it may hold.
func wrongKey(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: %s is not understood here; see Alertmanager's webhook, version 4", monitor.Quote(t.Field), t.Value)
	}
	if t, ok := errors.AsType[*time.ParseError](err); ok {
		return fmt.Errorf("startsAt or endsAt: %s is not a time like 2026-11-22T04:30:04Z", monitor.Quote(t.Value))
	}
	return fmt.Errorf("the body is not valid JSON: %w", err)
}

// numbered says which alert an error is about.
func numbered(i, of int, err error) error {
	return fmt.Errorf("alert %d of %d: %w", i+1, of, err)
}
