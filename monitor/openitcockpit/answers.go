// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"belfry/monitor"
)

// row is what a list says of one host or service.
type row struct {
	// host and service are the UUIDs; service is empty for a host.
	host, service string
	// hostName, serviceName and address are for people.
	hostName, serviceName, address string
	// monitored is false while the core was not given the object yet.
	monitored         bool
	state             int
	acked, inDowntime bool
	notifies          *bool
	// author and comment are the acknowledgement's.
	author, comment string
}

// named is "web01" or "Disk on web01".
func (r row) named() string {
	if r.service != "" {
		return r.serviceName + " on " + r.hostName
	}
	return r.hostName
}

// loose is a value that PHP writes as a number, a text, true or false, or null,
// after the database it read it from.
type loose struct {
	set  bool
	text string
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(b []byte) error {
	switch {
	case bytes.Equal(b, []byte("null")):
		*l = loose{}
	case b[0] == '"':
		l.set = true
		return json.Unmarshal(b, &l.text)
	case b[0] == '{', b[0] == '[':
		return errors.New("a number or a text is needed")
	default:
		*l = loose{true, string(b)}
	}
	return nil
}

// number returns a whole number; what is none is 0.
func (l loose) number() int {
	n, err := strconv.Atoi(strings.TrimSpace(l.text))
	if err != nil {
		return 0
	}
	return n
}

// state returns a state of the core. What is none tells nothing: it must not
// pass for 0, which ends a problem. openITCOCKPIT also shows what no core has,
// such as a plugin's exit code of 255: that is a problem.
func (l loose) state() (n int, ok bool) {
	n, err := strconv.Atoi(strings.TrimSpace(l.text))
	return n, err == nil && n >= 0
}

func (l loose) yes() bool { return l.text == "true" || l.number() > 0 }

// status is a Hoststatus or Servicestatus of a list.
type status struct {
	CurrentState loose `json:"currentState"`
	Acknowledged loose `json:"problemHasBeenAcknowledged"`
	Downtime     loose `json:"scheduledDowntimeDepth"`
	Notifies     loose `json:"notifications_enabled"`
}

// words are an Acknowledgement: an object, or an empty list where there is none.
type words struct{ Author, Comment string }

// UnmarshalJSON implements json.Unmarshaler.
func (w *words) UnmarshalJSON(b []byte) error {
	*w = words{}
	if b[0] != '{' {
		return nil
	}
	var a struct {
		Author  *string `json:"author_name"`
		Comment *string `json:"comment_data"`
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return err
	}
	if a.Author != nil {
		w.Author = monitor.Printable(*a.Author)
	}
	if a.Comment != nil {
		w.Comment = monitor.Printable(*a.Comment)
	}
	return nil
}

// entry is one object of a list: hosts have Host, services Service and Host.
type entry struct {
	Host struct {
		UUID     string `json:"uuid"`
		Name     string `json:"name"`
		Hostname string `json:"hostname"`
		Address  string `json:"address"`
	}
	Service struct {
		UUID string `json:"uuid"`
		Name string `json:"servicename"`
	}
	Hoststatus, Servicestatus status
	Acknowledgement           words
}

// list is the answer of hosts/index.json or services/index.json.
type list struct {
	Hosts    *[]entry `json:"all_hosts"`
	Services *[]entry `json:"all_services"`
	Scroll   struct {
		More bool `json:"hasNextPage"`
	} `json:"scroll"`
}

// decodeList reads a list of hosts, or of services. more is true when there
// are further pages.
func decodeList(body []byte, services bool) (rows []row, more bool, err error) {
	var l list
	if err := json.Unmarshal(body, &l); err != nil {
		return nil, false, fmt.Errorf("openITCOCKPIT's list is not understood: %w", plainJSON(err))
	}
	entries, what := l.Hosts, "all_hosts"
	if services {
		entries, what = l.Services, "all_services"
	}
	if entries == nil {
		return nil, false, fmt.Errorf("openITCOCKPIT's answer has no %s: is this its API?", what)
	}
	rows = make([]row, 0, len(*entries))
	for _, e := range *entries {
		r := row{host: tidyUUID(e.Host.UUID), hostName: name(cmp.Or(e.Host.Name, e.Host.Hostname)), address: name(e.Host.Address)}
		s := e.Hoststatus
		if services {
			r.service, r.serviceName = tidyUUID(e.Service.UUID), name(e.Service.Name)
			s = e.Servicestatus
		}
		if !isUUID(r.host) || services && !isUUID(r.service) {
			return nil, false, errors.New("openITCOCKPIT's list has an object without a uuid")
		}
		r.state, r.monitored = s.CurrentState.state()
		r.acked, r.inDowntime = s.Acknowledged.yes(), s.Downtime.yes()
		if s.Notifies.set {
			r.notifies = new(s.Notifies.yes())
		}
		if r.acked {
			r.author, r.comment = e.Acknowledgement.Author, e.Acknowledgement.Comment
		}
		rows = append(rows, r)
	}
	return rows, l.Scroll.More, nil
}

// decodeQueued reads the answer to a command: which one was taken.
func decodeQueued(body []byte) (command string, err error) {
	var a struct {
		Message string `json:"message"`
		Command string `json:"command"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return "", fmt.Errorf("openITCOCKPIT's answer to a command is not understood: %w", plainJSON(err))
	}
	return a.Command, nil
}

// messageOf returns the reason in an answer that is an error; empty if there is
// none. CakePHP writes {"message","url","code"}, openITCOCKPIT itself
// {"status","statusText"}.
func messageOf(body []byte) string {
	var a struct {
		Message    any `json:"message"`
		StatusText any `json:"statusText"`
	}
	if json.Unmarshal(body, &a) != nil {
		return ""
	}
	for _, v := range []any{a.Message, a.StatusText} {
		if text, ok := v.(string); ok && text != "" {
			return text
		}
	}
	return ""
}

// isJSON says whether a body is a JSON object: a log-in page is not.
func isJSON(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && json.Valid(body)
}

// name makes a name from outside one line of at most 255 bytes.
func name(s string) string {
	s = strings.Join(strings.Fields(monitor.Printable(s)), " ")
	if len(s) > 255 {
		s = strings.ToValidUTF8(s[:255], "")
	}
	return s
}

func tidyUUID(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// isUUID says whether a name is a UUID as openITCOCKPIT makes them.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return false
		}
	}
	return true
}

// plainJSON says in one line what a decoder complains of.
func plainJSON(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is a %s", monitor.Quote(t.Field), t.Value)
	}
	return errors.New(name(err.Error()))
}
