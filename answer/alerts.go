// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"context"

	"belfry/alert"
	"belfry/message"
	"belfry/route"
)

// maxAlerts is how many alerts a template gets; it learns how many there are.
const maxAlerts = 200

// alerts puts the open problems that matchers fit into a template's data:
// alerts, the worst first, and count, how many there are in all.
func (a *Answers) alerts(ctx context.Context, matchers route.Matchers, data map[string]any) error {
	open, err := a.opt.Board.Open(ctx)
	if err != nil {
		return err
	}
	list, n, o := []any{}, 0, a.opt.Say()
	for _, one := range open {
		if one.Topic != alert.TopicProblem || !matchers.Match(one.MatchLabels()) {
			continue
		}
		if n++; n <= maxAlerts {
			list = append(list, alertData(one, o))
		}
	}
	data["alerts"], data["count"] = list, n
	return nil
}

// alertData is an alert as templates see it.
func alertData(a *alert.Alert, o message.Options) map[string]any {
	labels := map[string]any{}
	for name, value := range a.MatchLabels() {
		labels[name] = value
	}
	by := ""
	if a.Ack.Phase == alert.AckSet || a.Ack.Phase == alert.AckRemoving {
		by = a.Ack.By
	}
	link := a.Link
	if o.BaseURL != "" {
		link = message.Page(a, o)
	}
	return map[string]any{
		"number": a.Number, "source": a.Source, "what": a.Name(), "host": a.Object.HostName(), "service": a.Object.ServiceName(), "rule": a.Object.Rule,
		"state": a.State, "severity": a.Severity.String(), "output": a.Output, "since": message.Moment(a.StartsAt, o).Text,
		"lasts": message.Lasted(o.Now.Sub(a.StartsAt)), "acknowledged_by": by, "downtime": a.InDowntime, "link": link, "labels": labels,
	}
}
