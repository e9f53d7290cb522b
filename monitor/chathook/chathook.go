// SPDX-License-Identifier: Apache-2.0

// Package chathook takes what any tool posts to an incoming webhook of Slack or
// Mattermost (docs.slack.dev "Sending messages using incoming webhooks";
// developers.mattermost.com "Incoming webhooks"): point the tool at Belfry's URL
// instead, and its posts get buttons, routes and durability.
//
// The flow: Decode reads the body (JSON, payload= form or multipart), gathers
// the texts of the post and of each attachment (post.go), asks the rules what
// each is (rules.go): a problem, the end of one, a plain message or nothing; and
// makes the report. What belongs together is found by a key from the title.
package chathook

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"

	"belfry/alert"
	"belfry/monitor"
	"belfry/translate"
)

// MaxAttachments is how many attachments a post may have, as in Slack.
const MaxAttachments = 100

// Monitor takes posts in. It can't be told anything.
type Monitor struct {
	rules  *rules
	follow bool
}

var _ monitor.Hook = (*Monitor)(nil)

// errNoText is the servers' own word for a post that says nothing.
var errNoText = errors.New("No text specified.") //nolint:revive,staticcheck // Mattermost's text

// Decode implements monitor.Monitor.
func (m *Monitor) Decode(contentType string, body []byte) (monitor.Decoded, error) {
	in, err := translate.Input(contentType, body)
	if err != nil {
		return monitor.Decoded{}, err
	}
	p, err := read(in)
	if err != nil {
		return monitor.Decoded{}, err
	}
	var d monitor.Decoded
	for _, part := range p.parts() {
		d.Reports = append(d.Reports, m.reports(p, part, &d)...)
	}
	return d, nil
}

// reports says what one part of a post becomes.
func (m *Monitor) reports(p post, s part, d *monitor.Decoded) []alert.Report {
	v := m.rules.judge(p, s)
	text := s.body()
	message := translate.Message(s.title, p.username, cmp.Or(text, s.title))
	message.Object.Key = m.rules.keyOf(s)
	message.Link, message.Labels, message.At = s.link, p.labels(), s.at
	if m.follow {
		if p.channel != "" && p.channel[0] == '@' {
			d.Warn("channel %s is a person; the routes decide alone", monitor.Quote(p.channel))
		} else {
			message.Channel = p.channel
		}
	}
	switch v.becomes {
	case becomesNothing:
		return nil
	case becomesFiring:
		r := message
		r.Kind, r.State, r.Severity = alert.ReportProblem, "firing", v.severity
		r.Output, r.Author, r.Comment = text, "", ""
		return []alert.Report{r}
	case becomesResolved:
		// What was said becomes a note at the problem's card, or a card of its
		// own where no problem is known: it is not lost either way.
		end := alert.Report{Kind: alert.ReportRecovery, Object: message.Object, State: "resolved", Severity: alert.SeverityOK, Labels: message.Labels, At: s.at}
		return []alert.Report{message, end}
	}
	return []alert.Report{message}
}

// refusal is an error as Mattermost's server answers it.
type refusal struct {
	ID       string `json:"id"`
	Message  string `json:"message"`
	Detailed string `json:"detailed_error"`
	Request  string `json:"request_id"`
	Status   int    `json:"status_code"`
}

// Answer implements monitor.Hook: "ok" as both servers say it, errors as
// Mattermost's. A post that is not understood is refused although it is kept:
// tools show the answer to whoever sets them up.
func (m *Monitor) Answer(o monitor.Outcome) monitor.Answer {
	if o.Fault == nil {
		return monitor.Answer{Status: http.StatusOK, ContentType: "text/plain", Body: "ok"}
	}
	r := refusal{ID: "web.incoming_webhook.parse.app_error", Message: "Unable to parse incoming data.", Detailed: o.Fault.Error(), Status: http.StatusBadRequest}
	if errors.Is(o.Fault, errNoText) {
		r.ID, r.Message, r.Detailed = "web.incoming_webhook.text.app_error", errNoText.Error(), ""
	}
	b, err := json.Marshal(r)
	if err != nil {
		b = []byte("{}")
	}
	return monitor.Answer{Status: r.Status, ContentType: "application/json", Body: string(b)}
}
