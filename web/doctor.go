// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"belfry/config"
	"belfry/doctor"
)

// Doctor looks into Belfry and all it is connected with. *app.App is one.
type Doctor interface {
	// Examine makes a report with what was lent for it, and keeps none of that.
	Examine(ctx context.Context, lent doctor.Lent) doctor.Report
}

// checkup is the last report since the start.
type checkup struct {
	mu      sync.Mutex
	running bool
	by      string
	report  *doctor.Report
}

// begin says whether the caller may examine now: one examination at a time.
func (c *checkup) begin(by string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running {
		return false
	}
	c.running, c.by = true, by
	return true
}

func (c *checkup) end(r doctor.Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.report = false, &r
}

// kindMattermost is the kind of connection that has settings which only an
// administrator's token shows.
const kindMattermost = "mattermost"

type doctorPage struct {
	// Running is true during an examination: the page then loads itself again.
	Running bool
	By      string
	Report  *doctor.Report
	// Lenders are the connections whose administrator can lend a token.
	Lenders []string
	// Sum is the report in one line, Groups its findings by subject.
	Sum    string
	Groups []findingGroup
}

type findingGroup struct {
	Subject  string
	Findings []shownFinding
}

type shownFinding struct {
	doctor.Finding
	Remedies []string
}

// showDoctor shows the last report.
func (w *Web) showDoctor(rw http.ResponseWriter, r *http.Request) {
	w.checkup.mu.Lock()
	p := doctorPage{Running: w.checkup.running, By: w.checkup.by, Report: w.checkup.report}
	w.checkup.mu.Unlock()
	for _, c := range w.connections() {
		if c.Kind == kindMattermost {
			p.Lenders = append(p.Lenders, c.Name)
		}
	}
	if p.Report != nil {
		p.Sum, p.Groups = p.Report.Sum(), grouped(p.Report.Findings)
	}
	w.show(rw, r, http.StatusOK, "doctor", "Doctor", p)
}

// grouped puts findings below their subjects, in their order.
func grouped(list []doctor.Finding) []findingGroup {
	var out []findingGroup
	for _, f := range list {
		if len(out) == 0 || out[len(out)-1].Subject != f.Subject {
			out = append(out, findingGroup{Subject: f.Subject})
		}
		g := &out[len(out)-1]
		shown := shownFinding{Finding: f}
		if f.Remedy != "" {
			shown.Remedies = strings.Split(f.Remedy, "\n")
		}
		g.Findings = append(g.Findings, shown)
	}
	return out
}

// maxLent bounds an administrator's token, in bytes.
const maxLent = 1 << 10

// examine begins an examination: the page tells when it is over.
func (w *Web) examine(rw http.ResponseWriter, r *http.Request) {
	token := strings.TrimSpace(r.PostFormValue("token"))
	switch {
	case w.o.Doctor == nil:
		w.fail(rw, r, http.StatusNotFound, "There is nothing here that could be looked into.")
		return
	case len(token) > maxLent:
		w.fail(rw, r, http.StatusBadRequest, "That is too long for an access token. Go back and paste the token alone.")
		return
	}
	if by := person(r.Context()).Name; w.checkup.begin(by) {
		w.log.InfoContext(r.Context(), "an examination was ordered", "by", by)
		lent := doctor.Lent{Connection: strings.TrimSpace(r.PostFormValue("connection"))}
		if token != "" {
			lent.Token = config.Secret(token)
		}
		go w.runDoctor(context.WithoutCancel(r.Context()), lent)
	}
	http.Redirect(rw, r, "/doctor", http.StatusSeeOther)
}

// runDoctor carries an examination out. It ends with the pages.
func (w *Web) runDoctor(ctx context.Context, lent doctor.Lent) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-w.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	w.checkup.end(w.o.Doctor.Examine(ctx, lent))
}
