// SPDX-License-Identifier: Apache-2.0

// Package notification is what `belfry notify` hands over, whichever core ran
// it: Nagios Core, Naemon or openITCOCKPIT's. A body is one Notification as
// JSON, or an array of them (notification.go); Decode says what it means
// (report.go). It knows no core: links and who the objects are belong to the
// package of the monitoring system that takes it in.
package notification

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	quick "github.com/go-json-experiment/json"

	"belfry/monitor"
)

// Limits of what one hand-over may carry.
const (
	// MaxBody is the largest body of a hand-over, in bytes.
	MaxBody = 1 << 20
	// MaxNotifications is how many notifications one body may hold.
	MaxNotifications = 1000
	maxName          = 1024
	maxLabels        = 64
	maxLabelValue    = 4096
)

// Notification is what `belfry notify` hands over for one run: what a
// notification command of Nagios Core, Naemon or openITCOCKPIT can be given.
// The body of a hand-over is one of these as JSON, or an array of them. Every
// text may be empty: macros often are.
type Notification struct {
	// ID is the sender's random id of this hand-over, the same in every try.
	ID string `json:"id,omitempty"`
	// Repeated is true when an earlier try with the same ID may have arrived.
	Repeated bool `json:"repeated,omitempty"`
	// SentAt is when the core ran the command, by the clock of its machine.
	SentAt time.Time `json:"sent_at,omitzero"`
	// Type is Host or Service, in any case; empty: Service if one is named.
	Type string `json:"type,omitempty"`
	// NotificationType is $NOTIFICATIONTYPE$: PROBLEM, RECOVERY,
	// ACKNOWLEDGEMENT, FLAPPINGSTART, FLAPPINGSTOP, FLAPPINGDISABLED,
	// DOWNTIMESTART, DOWNTIMEEND, DOWNTIMECANCELLED or CUSTOM, in any case.
	NotificationType string `json:"notificationtype"`
	// HostName is $HOSTNAME$. HostUUID wins over it as the host's identity
	// (openITCOCKPIT names objects by UUID in the core's configuration).
	HostName string `json:"hostname,omitempty"`
	HostUUID string `json:"hostuuid,omitempty"`
	// HostDisplayName is $HOSTDISPLAYNAME$: for people.
	HostDisplayName string `json:"hostdisplayname,omitempty"`
	// HostAddress is $HOSTADDRESS$.
	HostAddress string `json:"hostaddress,omitempty"`
	// ServiceDesc is $SERVICEDESC$. ServiceUUID wins over it.
	ServiceDesc string `json:"servicedesc,omitempty"`
	ServiceUUID string `json:"serviceuuid,omitempty"`
	// ServiceDisplayName is $SERVICEDISPLAYNAME$: for people.
	ServiceDisplayName string `json:"servicedisplayname,omitempty"`
	// State is the object's state as a number ($HOSTSTATEID$: 0 UP, 1 DOWN,
	// 2 UNREACHABLE; $SERVICESTATEID$: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN)
	// or as its word. HostState and ServiceState say it for one kind of object
	// and win over State there.
	State        Word `json:"state,omitempty"`
	HostState    Word `json:"hoststate,omitempty"`
	ServiceState Word `json:"servicestate,omitempty"`
	// Output is $HOSTOUTPUT$ or $SERVICEOUTPUT$; LongOutput is
	// $LONGHOSTOUTPUT$ or $LONGSERVICEOUTPUT$, escaped as the core escapes it:
	// \n for a new line, \\ for a backslash.
	Output     string `json:"output,omitempty"`
	LongOutput string `json:"longoutput,omitempty"`
	// ProblemID is $HOSTPROBLEMID$ or $SERVICEPROBLEMID$; LastProblemID, which
	// counts when that is empty or 0, the same with LAST before it.
	ProblemID     Word `json:"problemid,omitempty"`
	LastProblemID Word `json:"lastproblemid,omitempty"`
	// AckAuthor and AckComment are $NOTIFICATIONAUTHOR$ and
	// $NOTIFICATIONCOMMENT$: of acknowledgements, downtimes and custom notes.
	AckAuthor  string `json:"ackauthor,omitempty"`
	AckComment string `json:"ackcomment,omitempty"`
	// Contact is $CONTACTNAME$.
	Contact string `json:"contact,omitempty"`
	// Channel and Mention are what the host or contact itself names.
	Channel string `json:"channel,omitempty"`
	Mention string `json:"mention,omitempty"`
	// Link leads to the object, ActionURL ($HOSTACTIONURL$ or
	// $SERVICEACTIONURL$) does where Link is empty. Only http and https count.
	Link      string `json:"link,omitempty"`
	ActionURL string `json:"action_url,omitempty"`
	// NoEmoji asks for cards without emoji.
	NoEmoji bool `json:"no_emoji,omitempty"`
	// Labels are for routes to match on, as the sender likes.
	Labels map[string]string `json:"labels,omitempty"`
}

// Word is a text that a sender may also write as a JSON number.
type Word string

// UnmarshalJSON implements json.Unmarshaler for a string, a number or null.
func (w *Word) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) > 0 && b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*w = Word(s)
	case string(b) == "null":
		*w = ""
	case len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9'):
		*w = Word(b)
	default:
		return errors.New("neither a text nor a number")
	}
	return nil
}

// parse reads the body of a hand-over: one notification or an array of them.
// Keys that are not known become warnings of d; everything else that can't be
// understood is an error that names the key.
func parse(contentType string, body []byte, d *monitor.Decoded) ([]Notification, error) {
	if err := monitor.CheckJSON(contentType); err != nil {
		return nil, err
	}
	if len(body) > MaxBody {
		return nil, fmt.Errorf("the body has %d bytes, more than %d; hand over fewer notifications at once", len(body), MaxBody)
	}
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return nil, errors.New("the body is empty; a notification as a JSON object is needed, or an array of them")
	case body[0] == '[':
		return parseArray(body, d)
	case body[0] == '{':
		n, err := parseOne(body, d)
		if err != nil {
			return nil, err
		}
		return []Notification{n}, nil
	}
	return nil, errors.New("the body is not a JSON object; a notification is needed, or an array of them")
}

func parseArray(body []byte, d *monitor.Decoded) ([]Notification, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, fmt.Errorf("the body is not valid JSON: %w", err)
	}
	if len(raw) > MaxNotifications {
		return nil, fmt.Errorf("the body has %d notifications, more than %d; hand over fewer at once", len(raw), MaxNotifications)
	}
	out := make([]Notification, 0, len(raw))
	for i, r := range raw {
		n, err := parseOne(r, d)
		if err != nil {
			return nil, fmt.Errorf("notification %d of %d: %w", i+1, len(raw), err)
		}
		out = append(out, n)
	}
	return out, nil
}

// parseOne takes the quick way for what our own client sends (the second
// version of the JSON library, in a third of the time) and the forgiving one,
// which can name what is wrong, only where that fails.
func parseOne(b []byte, d *monitor.Decoded) (Notification, error) {
	var n Notification
	if quick.Unmarshal(b, &n, quick.RejectUnknownMembers(true)) == nil {
		return n, nil
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(b, &keys); err != nil {
		return n, fmt.Errorf("not a valid JSON object: %w", err)
	}
	n = Notification{}
	if err := json.Unmarshal(b, &n); err != nil {
		return n, wrongKey(err, keys)
	}
	known := knownKeys()
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if !slices.ContainsFunc(known, func(name string) bool { return strings.EqualFold(name, k) }) {
			d.Warn("unknown key %s is not used", monitor.Quote(k))
		}
	}
	return n, nil
}

// wrongKey turns what encoding/json says into the key and what it may hold.
func wrongKey(err error, keys map[string]json.RawMessage) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: %s is not understood here; %s is needed", monitor.Quote(t.Field), t.Value, kindName(t.Type.Kind().String()))
	}
	for k, raw := range keys {
		var (
			word Word
			at   time.Time
		)
		switch strings.ToLower(k) {
		case "sent_at":
			if json.Unmarshal(raw, &at) != nil {
				return errors.New("sent_at: a time like 2026-11-22T04:30:04Z is needed")
			}
		case "state", "hoststate", "servicestate", "problemid", "lastproblemid":
			if json.Unmarshal(raw, &word) != nil {
				return fmt.Errorf("%s: a text or a number is needed", strings.ToLower(k))
			}
		}
	}
	return fmt.Errorf("not understood: %w", err)
}

func kindName(kind string) string {
	switch kind {
	case "bool":
		return "true or false"
	case "map":
		return "an object of texts"
	case "string":
		return "a text"
	}
	return "another kind of value"
}

// knownKeys lists the JSON keys of Notification.
func knownKeys() []string {
	return []string{"id", "repeated", "sent_at", "type", "notificationtype",
		"hostname", "hostuuid", "hostdisplayname", "hostaddress",
		"servicedesc", "serviceuuid", "servicedisplayname",
		"state", "hoststate", "servicestate", "output", "longoutput",
		"problemid", "lastproblemid", "ackauthor", "ackcomment",
		"contact", "channel", "mention", "link", "action_url", "no_emoji", "labels"}
}
