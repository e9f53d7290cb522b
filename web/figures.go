// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"belfry/incident"
	"belfry/message"
	"belfry/store"
)

const (
	// The plot, in its own units: where bars begin, how long the longest is,
	// how high a bar and a group of three with its space are.
	barLeft, barLong, barHigh, groupHigh = 200, 440, 14, 62
)

// bar is one bar of the plot.
type bar struct {
	// What is acknowledge, mitigate or resolve.
	What           string
	X, Y, Long, At int
	Words          string
	N              int
}

// plotted is a group of bars, and a row of the table.
type plotted struct {
	incident.Figure
	Y int
	// Label is short enough to stand left of the bars; the table says it whole.
	Label string
	Bars  []bar
}

type figuresPage struct {
	Days    int
	Periods []int
	Groups  []plotted
	High    int
}

// showFigures is how long it took to acknowledge, mitigate and resolve, by
// service and severity, with those incidents that the person may see.
func (w *Web) showFigures(rw http.ResponseWriter, r *http.Request) {
	p := figuresPage{Days: 90, Periods: []int{7, 30, 90, 365}}
	if days, err := strconv.Atoi(r.URL.Query().Get("days")); err == nil && slices.Contains(p.Periods, days) {
		p.Days = days
	}
	faces, err := w.faces(r)
	if err != nil {
		w.broken(rw, r, "can't read whose accounts are linked", err)
		return
	}
	list, err := w.o.Store.Figures(r.Context(), store.FigureFilter{Since: w.clock.Now().AddDate(0, 0, -p.Days), Faces: faces})
	if err != nil {
		w.broken(rw, r, "can't read figures of incidents", err)
		return
	}
	p.Groups = plot(list)
	p.High = len(p.Groups)*groupHigh + 10
	w.show(rw, r, http.StatusOK, "figures", "Figures of incidents", p)
}

// plot lays the bars out; the longest mean has the whole width.
func plot(figures []incident.Figure) []plotted {
	longest := time.Second
	for _, f := range figures {
		longest = max(longest, f.Acknowledge.Time, f.Mitigate.Time, f.Resolve.Time)
	}
	var out []plotted
	for n, f := range figures {
		label := cmp.Or(f.Service, "no service")
		if f.Severity != "" {
			label += ", " + f.Severity
		}
		g := plotted{Figure: f, Y: n*groupHigh + 10, Label: message.Short(label, 26)}
		for k, m := range []struct {
			what string
			incident.Mean
		}{{"acknowledge", f.Acknowledge}, {"mitigate", f.Mitigate}, {"resolve", f.Resolve}} {
			b := bar{What: m.what, X: barLeft, Y: g.Y + k*(barHigh+2), N: m.N, Words: "–"}
			if m.N > 0 {
				b.Long, b.Words = max(1, int(m.Time.Seconds()/longest.Seconds()*barLong)), message.Lasted(m.Time)
			}
			b.At = b.X + b.Long + 6
			g.Bars = append(g.Bars, b)
		}
		out = append(out, g)
	}
	return out
}
