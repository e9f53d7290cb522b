// SPDX-License-Identifier: Apache-2.0

package notification

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"belfry/alert"
	"belfry/monitor"
)

// notificationTypes are the values of $NOTIFICATIONTYPE$, for messages.
const notificationTypes = "ACKNOWLEDGEMENT, CUSTOM, DOWNTIMECANCELLED, DOWNTIMEEND, DOWNTIMESTART, FLAPPINGDISABLED, FLAPPINGSTART, FLAPPINGSTOP, PROBLEM, RECOVERY"

// reportKind says what a $NOTIFICATIONTYPE$ in capitals reports.
func reportKind(word string) (alert.ReportKind, bool) {
	switch word {
	case "PROBLEM":
		return alert.ReportProblem, true
	case "RECOVERY":
		return alert.ReportRecovery, true
	case "ACKNOWLEDGEMENT":
		return alert.ReportAck, true
	case "FLAPPINGSTART":
		return alert.ReportFlapping, true
	case "FLAPPINGSTOP", "FLAPPINGDISABLED":
		return alert.ReportFlappingEnd, true
	case "DOWNTIMESTART":
		return alert.ReportDowntime, true
	case "DOWNTIMEEND":
		return alert.ReportDowntimeEnd, true
	case "DOWNTIMECANCELLED":
		return alert.ReportDowntimeCancelled, true
	case "CUSTOM":
		return alert.ReportCustom, true
	}
	return "", false
}

// Decode reads the body of a hand-over. links makes the link of what names none.
// What can't be understood is an error that names the key and, in an array, the
// notification; keys, states and macros that are not known become warnings.
func Decode(contentType string, body []byte, links Links) (monitor.Decoded, error) {
	var d monitor.Decoded
	notifications, err := parse(contentType, body, &d)
	if err != nil {
		return monitor.Decoded{}, err
	}
	d.Reports = make([]alert.Report, 0, len(notifications))
	for i, n := range notifications {
		r, err := n.report(links, &d)
		if err != nil {
			if len(notifications) > 1 {
				err = fmt.Errorf("notification %d of %d: %w", i+1, len(notifications), err)
			}
			return monitor.Decoded{}, err
		}
		d.Reports = append(d.Reports, r)
	}
	return d, nil
}

// Check says what is wrong with n, by key and with what is right, so that the
// sender can tell its caller before it hands over. Decode refuses the same.
func (n Notification) Check() error {
	_, err := n.report(Links{}, &monitor.Decoded{})
	return err
}

// report says what n means. Unknown values and macros that the core left
// unexpanded go to d's warnings.
func (n Notification) report(links Links, d *monitor.Decoded) (alert.Report, error) {
	if err := n.tidy(d); err != nil {
		return alert.Report{}, err
	}
	kind, err := n.kind()
	if err != nil {
		return alert.Report{}, err
	}
	object, err := n.object()
	if err != nil {
		return alert.Report{}, err
	}
	state, severity := n.state(object.Kind, kind, d)
	return alert.Report{
		Kind: kind, Intake: n.ID, Repeated: n.Repeated && n.ID != "", At: n.SentAt,
		Object: object, Labels: n.Labels, State: state, Severity: severity,
		Output:    joinOutput(n.Output, n.LongOutput),
		Link:      n.link(links, object, d),
		ProblemID: problemID(string(n.ProblemID), string(n.LastProblemID)),
		Author:    n.AckAuthor, Comment: n.AckComment,
		Contact: n.Contact, Channel: n.Channel, Mention: n.Mention, NoEmoji: n.NoEmoji,
	}, nil
}

// texts lists every text of n with its key.
func (n *Notification) texts() []struct {
	key  string
	text *string
} {
	return []struct {
		key  string
		text *string
	}{
		{"id", &n.ID}, {"type", &n.Type}, {"notificationtype", &n.NotificationType},
		{"hostname", &n.HostName}, {"hostuuid", &n.HostUUID}, {"hostdisplayname", &n.HostDisplayName},
		{"hostaddress", &n.HostAddress}, {"servicedesc", &n.ServiceDesc}, {"serviceuuid", &n.ServiceUUID},
		{"servicedisplayname", &n.ServiceDisplayName}, {"state", (*string)(&n.State)},
		{"hoststate", (*string)(&n.HostState)}, {"servicestate", (*string)(&n.ServiceState)},
		{"output", &n.Output}, {"longoutput", &n.LongOutput}, {"problemid", (*string)(&n.ProblemID)},
		{"lastproblemid", (*string)(&n.LastProblemID)}, {"ackauthor", &n.AckAuthor}, {"ackcomment", &n.AckComment},
		{"contact", &n.Contact}, {"channel", &n.Channel}, {"mention", &n.Mention},
		{"link", &n.Link}, {"action_url", &n.ActionURL},
	}
}

// tidy drops control characters, which no database and no chat want, the space
// around short texts, and macros that the core did not know. What is too long
// is an error.
func (n *Notification) tidy(d *monitor.Decoded) error {
	for _, f := range n.texts() {
		*f.text = monitor.Printable(*f.text)
		if f.key != "output" && f.key != "longoutput" {
			*f.text = strings.TrimSpace(*f.text)
		}
		if isMacro(*f.text) {
			if !isCustom(*f.text) {
				d.Warn("%s: the core left the macro %s as it is; it counts as empty", f.key, monitor.Quote(*f.text))
			}
			*f.text = ""
		}
		if long := len(*f.text); long > maxName && !freeText(f.key) {
			return fmt.Errorf("%s has %d bytes, more than %d", f.key, long, maxName)
		}
	}
	return n.tidyLabels(d)
}

func (n *Notification) tidyLabels(d *monitor.Decoded) error {
	if len(n.Labels) == 0 {
		n.Labels = nil
		return nil
	}
	if len(n.Labels) > maxLabels {
		return fmt.Errorf("labels: there are %d, more than %d", len(n.Labels), maxLabels)
	}
	labels := make(map[string]string, len(n.Labels))
	for k, v := range n.Labels {
		if len(k) > maxName || len(v) > maxLabelValue {
			return fmt.Errorf("labels: %s is too long; a name has at most %d bytes and a value %d", monitor.Quote(k), maxName, maxLabelValue)
		}
		if v = monitor.Printable(v); isMacro(v) {
			if !isCustom(v) {
				d.Warn("label %s: the core left the macro %s as it is; it counts as empty", monitor.Quote(k), monitor.Quote(v))
			}
			v = ""
		}
		if k = strings.TrimSpace(monitor.Printable(k)); k != "" && v != "" {
			labels[k] = v
		}
	}
	n.Labels = labels
	return nil
}

func (n *Notification) kind() (alert.ReportKind, error) {
	if kind, ok := reportKind(strings.ToUpper(n.NotificationType)); ok {
		return kind, nil
	}
	if n.NotificationType == "" {
		return "", errors.New("notificationtype is missing; it is one of " + notificationTypes + ": pass the macro $NOTIFICATIONTYPE$")
	}
	return "", fmt.Errorf("notificationtype: %s is not known; it is one of %s", monitor.Quote(n.NotificationType), notificationTypes)
}

func (n *Notification) object() (alert.Object, error) {
	o := alert.Object{Address: n.HostAddress, Kind: alert.KindHost}
	switch {
	case strings.EqualFold(n.Type, "service"), n.Type == "" && n.ServiceUUID+n.ServiceDesc != "":
		o.Kind = alert.KindService
	case n.Type != "" && !strings.EqualFold(n.Type, "host"):
		return o, fmt.Errorf("type: %s is not known; it is Host or Service", monitor.Quote(n.Type))
	}
	o.Host = cmp.Or(n.HostUUID, n.HostName)
	o.HostDisplay = display(o.Host, n.HostDisplayName, n.HostName)
	if o.Host == "" {
		return o, errors.New("the host is missing; hostname or hostuuid is needed: pass the macro $HOSTNAME$")
	}
	if o.Kind == alert.KindService {
		o.Service = cmp.Or(n.ServiceUUID, n.ServiceDesc)
		o.ServiceDisplay = display(o.Service, n.ServiceDisplayName, n.ServiceDesc)
		if o.Service == "" {
			return o, errors.New("the service is missing; type Service needs servicedesc or serviceuuid: pass the macro $SERVICEDESC$")
		}
	}
	return o, nil
}

// freeText says whether a key holds text of any length; MaxBody bounds it.
func freeText(key string) bool {
	switch key {
	case "output", "longoutput", "ackcomment", "link", "action_url":
		return true
	}
	return false
}

// display returns the first name that says more than the identifying one.
func display(id string, names ...string) string {
	for _, name := range names {
		if name != "" && name != id {
			return name
		}
	}
	return ""
}

// state returns the core's word for the state, and what it means for people.
// An unknown word stays as it is: losing the report would be worse.
func (n *Notification) state(object alert.Kind, kind alert.ReportKind, d *monitor.Decoded) (string, alert.Severity) {
	key, given := "hoststate", cmp.Or(n.HostState, n.State)
	if object == alert.KindService {
		key, given = "servicestate", cmp.Or(n.ServiceState, n.State)
	}
	word, severity, known := stateWord(object, strings.ToUpper(string(given)))
	switch {
	case kind == alert.ReportRecovery:
		if !known || severity != alert.SeverityOK {
			word, _, _ = stateWord(object, "0")
		}
		return word, alert.SeverityOK
	case known:
		return word, severity
	case given == "":
		if kind == alert.ReportProblem {
			d.Warn("%s is missing; the problem counts as unknown: pass the macro $HOSTSTATEID$ or $SERVICESTATEID$", key)
		}
		return "PROBLEM", alert.SeverityUnknown
	}
	right := "UP, DOWN, UNREACHABLE or 0 to 2"
	if object == alert.KindService {
		right = "OK, WARNING, CRITICAL, UNKNOWN or 0 to 3"
	}
	d.Warn("%s: %s is not known; it is %s: the problem counts as unknown", key, monitor.Quote(string(given)), right)
	return word, alert.SeverityUnknown
}

// stateWord reads a state in capitals, as word or number.
func stateWord(object alert.Kind, given string) (word string, s alert.Severity, known bool) {
	if object == alert.KindService {
		switch given {
		case "0", "OK":
			return "OK", alert.SeverityOK, true
		case "1", "WARNING":
			return "WARNING", alert.SeverityWarning, true
		case "2", "CRITICAL":
			return "CRITICAL", alert.SeverityCritical, true
		case "3", "UNKNOWN":
			return "UNKNOWN", alert.SeverityUnknown, true
		}
		return given, alert.SeverityUnknown, false
	}
	switch given {
	case "0", "UP", "OK":
		return "UP", alert.SeverityOK, true
	case "1", "DOWN":
		return "DOWN", alert.SeverityCritical, true
	case "2", "UNREACHABLE":
		return "UNREACHABLE", alert.SeverityUnknown, true
	}
	return given, alert.SeverityUnknown, false
}

// link returns where the card's title leads. Anything but http and https is
// dropped: a card must not carry javascript:.
func (n *Notification) link(links Links, o alert.Object, d *monitor.Decoded) string {
	given := cmp.Or(n.Link, n.ActionURL)
	if given == "" {
		return links.For(o)
	}
	link, ok := monitor.WebLink(given)
	if !ok {
		d.Warn("the link %s is not used; it must start with http:// or https://", monitor.Quote(given))
		return links.For(o)
	}
	return link
}

// Links are the templates of links into the monitoring system's pages; {host}
// and {service} stand for the names. Empty: no link.
type Links struct {
	Host, Service string
}

// For returns the link of an object, empty where there is none.
func (l Links) For(o alert.Object) string {
	template := l.Host
	if o.Kind == alert.KindService {
		template = cmp.Or(l.Service, l.Host)
	}
	if template == "" {
		return ""
	}
	return strings.NewReplacer("{host}", escapeLink(o.Host), "{service}", escapeLink(o.Service)).Replace(template)
}

// escapeLink escapes a name so that it is right in a path as well as in a
// query, where PathEscape alone would let & = + and ; through.
func escapeLink(name string) string {
	return strings.NewReplacer("&", "%26", "=", "%3D", "+", "%2B", ";", "%3B").Replace(url.PathEscape(name))
}

// problemID returns the core's number of the problem, empty if there is none.
// Naemon has no PROBLEMID on RECOVERY and then the same in LASTPROBLEMID.
func problemID(id, last string) string {
	for _, s := range []string{id, last} {
		if s != "" && s != "0" {
			return s
		}
	}
	return ""
}

// joinOutput makes one text of the first line and the long output, in which
// the core writes a new line as \n and a backslash as \\.
func joinOutput(output, long string) string {
	if strings.Contains(long, `\`) {
		long = strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(long)
	}
	long = strings.TrimRight(long, "\n")
	output = strings.TrimRight(output, "\n")
	if long == "" {
		return output
	}
	return output + "\n" + long
}

// isCustom says whether a macro is that of a custom variable ($_HOSTTEAM$):
// the core leaves it as it is for every object that does not have the variable,
// which is no fault.
func isCustom(macro string) bool { return strings.HasPrefix(macro, "$_") }

// isMacro says whether s is a macro that the core did not replace.
func isMacro(s string) bool {
	if len(s) < 3 || s[0] != '$' || s[len(s)-1] != '$' {
		return false
	}
	for _, c := range []byte(s[1 : len(s)-1]) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}
