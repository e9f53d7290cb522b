// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/alert"
	"belfry/monitor"
)

// The words of status.
const (
	statusFiring         = "firing"
	statusResolved       = "resolved"
	statusAcknowledged   = "acknowledged"
	statusUnacknowledged = "unacknowledged"
)

// Bounds of what an output may hold, in bytes but for maxLabels; longer texts
// are cut with a warning, here or by the desk.
const (
	maxText   = 256 << 10
	maxName   = 1 << 10
	maxLabels = 100
)

// keys are all that an output may have. docs/translate.md explains them.
func keys() []string {
	return []string{"status", "text", "title", "host", "service", "address", "key", "severity", "state", "output",
		"link", "labels", "channel", "mention", "contact", "at", "problem", "author", "comment"}
}

// outputs gathers what a program puts out.
type outputs struct {
	input   any
	asks    []ask
	decoded monitor.Decoded
	size    int
}

// take takes one value: an object, a list of them, or null for nothing.
func (o *outputs) take(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		for _, item := range v {
			if err := o.take(item); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		n := len(o.decoded.Reports) + 1
		if n > MaxOutputs {
			return fmt.Errorf("the program made more than %d alerts of one payload", MaxOutputs)
		}
		r, err := o.report(v)
		if err != nil {
			where := fmt.Sprintf("output %d: ", n)
			if f, ok := errors.AsType[*fieldFault](err); ok {
				why := ""
				if v[f.field] == nil {
					why = behind(missing(o.asks, f.field, o.input))
				}
				return errors.New(where + f.Error() + why)
			}
			return errors.New(where + err.Error())
		}
		o.decoded.Reports = append(o.decoded.Reports, r)
		return nil
	}
	return fmt.Errorf("the program put out %s; an object like {status: \"firing\", title: …} is wanted", kindOf(v))
}

// fieldFault is what is wrong with one key of an output.
type fieldFault struct{ field, text string }

func (f *fieldFault) Error() string { return f.field + " " + f.text }

func wrong(field, format string, args ...any) error {
	return &fieldFault{field, fmt.Sprintf(format, args...)}
}

// report checks an output and makes the report of it.
func (o *outputs) report(v map[string]any) (r alert.Report, err error) {
	for _, k := range slices.Sorted(maps.Keys(v)) {
		if !slices.Contains(keys(), k) {
			o.decoded.Warn("unknown key %s of an output is not used; known are %s", monitor.Quote(k), strings.Join(keys(), ", "))
		}
	}
	f := fields{v: v, o: o}
	switch v["status"] {
	case nil:
		if _, told := v["status"]; told || v["text"] == nil {
			return r, wrong("status", "is missing; it is %s, %s, %s or %s, or give text for a plain message",
				statusFiring, statusResolved, statusAcknowledged, statusUnacknowledged)
		}
		r = f.message()
	default:
		r = f.alert()
	}
	if f.err == nil && o.size > MaxOutput {
		return r, fmt.Errorf("the program put out more than %d bytes", MaxOutput)
	}
	return r, f.err
}

// fields reads the keys of one output; the first fault stays in err.
type fields struct {
	v   map[string]any
	o   *outputs
	err error
}

func (f *fields) alert() alert.Report {
	r := alert.Report{Object: f.object(), State: f.line("state"), Output: f.text("output"), ProblemID: f.line("problem"),
		Author: f.line("author"), Comment: f.text("comment")}
	f.common(&r)
	r.Severity = f.severity()
	status := strings.ToLower(f.line("status"))
	switch status {
	case statusFiring:
		r.Kind = alert.ReportProblem
	case statusResolved:
		r.Kind, r.Severity = alert.ReportRecovery, alert.SeverityOK
	case statusAcknowledged:
		r.Kind = alert.ReportAck
	case statusUnacknowledged:
		r.Kind = alert.ReportUnack
	default:
		f.fail(wrong("status", "is %s; it is %s, %s, %s or %s", monitor.Quote(status), statusFiring, statusResolved, statusAcknowledged, statusUnacknowledged))
	}
	if r.State == "" {
		r.State = status
	}
	return r
}

// message makes a notice, which nobody can acknowledge. A short text stands in
// the card's line, a long one in its block.
func (f *fields) message() alert.Report {
	text := strings.TrimSpace(f.text("text"))
	if text == "" {
		f.fail(wrong("text", "is empty; write what is to be said"))
	}
	r := Message(f.line("title"), f.line("author"), text)
	if host := f.line("host"); host != "" {
		r.Object = f.object()
	}
	f.common(&r)
	if key := f.line("key"); key != "" {
		r.Object.Key = key
	}
	return r
}

// longestLine is up to how many bytes a message counts as a line.
const longestLine = 180

// Message returns the report of a plain message: a notice on a card of its own
// or, when it names the object of an open alert, a note at that one's. title
// and author may be empty.
func Message(title, author, text string) alert.Report {
	if title == "" {
		title = "message"
	}
	r := alert.Report{Kind: alert.ReportCustom, Object: alert.Object{Kind: alert.KindRule, Rule: title},
		Severity: alert.SeverityInfo, Author: author, Comment: text}
	if len(text) > longestLine || strings.Contains(text, "\n") {
		r.Comment, r.Output = "", text
	}
	return r
}

// object says what the output is about: a service of a host, a host, or
// anything else by its title.
func (f *fields) object() alert.Object {
	o := alert.Object{Host: f.line("host"), Service: f.line("service"), Address: f.line("address"), Rule: f.line("title"), Key: f.line("key")}
	for _, key := range []string{"title", "service"} {
		if v, given := f.v[key]; given && v == nil {
			f.fail(wrong(key, "is null; it names what this is about, leave it out where there is none"))
		}
	}
	switch {
	case o.Service != "" && o.Host == "":
		f.fail(wrong("host", "is missing; a service needs one, or give title instead"))
	case o.Service != "" && o.Rule != "":
		f.fail(wrong("title", "is given beside service; keep one of the two"))
	case o.Service != "":
		o.Kind = alert.KindService
	case o.Rule != "":
		o.Kind = alert.KindRule
	case o.Host != "":
		o.Kind = alert.KindHost
	default:
		f.fail(wrong("title", "is missing; give title, or host, or host and service"))
	}
	return o
}

// common fills in what alerts and messages share.
func (f *fields) common(r *alert.Report) {
	r.Labels, r.Channel, r.Mention, r.Contact = f.labels(), f.line("channel"), f.line("mention"), f.line("contact")
	r.At = f.moment()
	if given := f.line("link"); given != "" {
		link, ok := monitor.WebLink(given)
		if !ok {
			f.o.decoded.Warn("link %s is not used; it must start with http:// or https://", monitor.Quote(given))
		}
		r.Link = link
	}
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// text reads a text; numbers and true and false are written out, null and
// nothing are empty.
func (f *fields) text(key string) string {
	s, ok := scalar(f.v[key])
	if !ok {
		f.fail(wrong(key, "is %s; a text is wanted", kindOf(f.v[key])))
		return ""
	}
	f.o.size += len(s)
	return f.cut(key, monitor.Printable(s), maxText)
}

// line is text for a name: one line, and short.
func (f *fields) line(key string) string {
	return f.cut(key, plain(f.text(key)), maxName)
}

func (f *fields) cut(key, s string, most int) string {
	if len(s) > most {
		f.o.decoded.Warn("%s is cut: it has %d bytes, more than %d", key, len(s), most)
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

func (f *fields) severity() alert.Severity {
	word := f.line("severity")
	s, known := alert.ParseSeverity(word)
	switch {
	case word == "":
		return alert.SeverityUnknown
	case !known:
		f.o.decoded.Warn("severity: %s is not known; it counts as unknown: use critical, warning or info", monitor.Quote(word))
	case s == alert.SeverityOK:
		return alert.SeverityInfo // it fires, whatever it is called
	}
	return s
}

func (f *fields) labels() alert.Labels {
	if f.v["labels"] == nil {
		return nil
	}
	given, ok := f.v["labels"].(map[string]any)
	if !ok {
		f.fail(wrong("labels", "is %s; an object of texts is wanted", kindOf(f.v["labels"])))
		return nil
	}
	if len(given) > maxLabels {
		f.fail(wrong("labels", "has %d entries, more than %d", len(given), maxLabels))
		return nil
	}
	out := make(alert.Labels, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		value, ok := scalar(given[name])
		if !ok {
			f.fail(wrong("labels", "has %s in %s; texts are wanted", kindOf(given[name]), monitor.Quote(name)))
			return nil
		}
		f.o.size += len(name) + len(value)
		if name == "" || len(name) > maxName || plain(name) != name {
			f.o.decoded.Warn("label %s is not used: its name is empty, too long or has control characters", monitor.Quote(name))
			continue
		}
		if given[name] != nil {
			out[name] = f.cut("label "+name, plain(value), maxName)
		}
	}
	return out
}

// moment reads at: a time as in RFC 3339, or seconds or milliseconds since 1970.
func (f *fields) moment() time.Time {
	v := f.v["at"]
	text, ok := scalar(v)
	if !ok {
		f.fail(wrong("at", "is %s; a time like 2026-11-22T04:30:04Z or seconds since 1970 are wanted", kindOf(v)))
		return time.Time{}
	}
	if text = strings.TrimSpace(text); text == "" {
		return time.Time{}
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return epoch(n)
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return known(t)
		}
	}
	f.o.decoded.Warn("at %s is not a time like 2026-11-22T04:30:04Z; the time of arrival is taken", monitor.Quote(text))
	return time.Time{}
}

// epoch reads seconds, or milliseconds where seconds would be after the year 5000.
func epoch(n float64) time.Time {
	if math.Abs(n) > 1e11 {
		n /= 1000
	}
	if math.IsNaN(n) || math.Abs(n) > 1e11 {
		return time.Time{}
	}
	return known(time.UnixMilli(int64(n * 1000)))
}

// known drops the times that mean "never" in the field: year 1, 1970.
func known(t time.Time) time.Time {
	if t.Year() < 1971 || t.Year() > 9999 {
		return time.Time{}
	}
	return t.UTC()
}

// scalar is a value as a text; ok is false for lists and objects.
func scalar(v any) (s string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case json.Number:
		return v.String(), true
	case *big.Int:
		return v.String(), true
	}
	return "", false
}

// kindOf names what a value is, for people.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "a number"
}
