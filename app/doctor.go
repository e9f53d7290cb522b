// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"belfry/chat"
	"belfry/chat/console"
	"belfry/clock"
	"belfry/config"
	"belfry/doctor"
	"belfry/doctor/self"
	"belfry/monitor"
)

// examineWithin bounds the examination of one connection or source.
const examineWithin = 45 * time.Second

// house is what is looked into: a running Belfry, or what a configuration says
// where none runs.
type house struct {
	file      *config.File
	publicURL string
	self      self.Options
	platforms map[string]chat.Platform
	monitors  map[string]monitor.Monitor
	probes    *doctor.Probes
	// heard returns when a source's news came; nil without a server.
	heard map[string]time.Time
	clock clock.Clock
	// trouble is what could not be opened, by subject.
	trouble map[string]error
}

// Examine looks into this Belfry and all it is connected with, with what was
// lent for it; that is not kept. One examination is made at a time.
func (a *App) Examine(ctx context.Context, lent doctor.Lent) doctor.Report {
	a.examining.Lock()
	defer a.examining.Unlock()
	a.wg.Add(1)
	defer a.wg.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.testing, cancel)()
	p := a.parts.Load()
	h := house{file: p.file, publicURL: a.publicURL, platforms: p.platforms, monitors: map[string]monitor.Monitor{}, probes: a.probes, clock: a.opt.Clock}
	h.self = self.Options{Server: a.opt.File.Server, Data: absolute(a.opt.Data), KeyFile: keyFile, DatabaseFile: databaseFile, PublicURL: a.publicURL,
		Version: a.opt.Version, Store: a.store, Clock: a.opt.Clock}
	h.self.Server.Listen = a.Address()
	for _, s := range p.order {
		h.monitors[s.name] = s.monitor
	}
	if heard, err := a.store.LastHeard(ctx); err == nil { // else the database's own check fails
		h.heard = heard
	}
	return h.examine(ctx, lent)
}

// ExamineStopped looks into what a configuration says, where no server runs;
// why is what was tried to reach one.
func ExamineStopped(ctx context.Context, f *config.File, version string, why error, lent doctor.Lent) doctor.Report {
	c := clock.System{}
	url := f.Server.PublicURL
	if url == "" {
		url = DefaultURL(f.Server, f.Server.Listen)
	}
	h := house{file: f, publicURL: url, platforms: map[string]chat.Platform{}, monitors: map[string]monitor.Monitor{}, clock: c, trouble: map[string]error{}}
	h.self = self.Options{Server: f.Server, Data: absolute(f.Server.Data), KeyFile: keyFile, DatabaseFile: databaseFile, PublicURL: url, Version: version, Stopped: why, Clock: c}
	defer h.close(ctx)
	h.open()
	return h.examine(ctx, lent)
}

// open opens what no server has open.
func (h *house) open() {
	silent := slog.New(slog.DiscardHandler)
	for _, c := range h.file.Connections {
		if c.Kind == console.Kind || examiners[c.Kind] != nil || chats[c.Kind] == nil {
			continue
		}
		p, err := chats[c.Kind](c.Spec, plugin{name: c.Name, callbackURL: h.callbackURL(c.Name), answers: h.file.AnswersOn(c.Name), clock: h.clock, log: silent})
		if err != nil {
			h.trouble[c.Name] = err
			continue
		}
		h.platforms[c.Name] = p
	}
	for _, s := range h.file.Sources {
		m, err := monitors[s.Kind](s.Spec, plugin{name: s.Name, clock: h.clock, log: silent})
		if err != nil {
			h.trouble["source "+s.Name] = err
			continue
		}
		h.monitors[s.Name] = m
	}
}

// absolute is a directory as it is found from everywhere.
func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// close lets go of what open opened.
func (h *house) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	_ = closeAll(ctx, &parts{platforms: h.platforms}) // the process ends with it
}

func (h *house) callbackURL(connection string) string {
	return h.publicURL + "/chat/" + connection
}

// examine asks Belfry itself, then every connection and source in their order.
func (h *house) examine(ctx context.Context, lent doctor.Lent) doctor.Report {
	patients := []doctor.Patient{{Subject: "belfry", Examiner: self.New(h.self)}}
	if lent.Token != nil {
		var trouble *doctor.Finding
		if lent.Connection, trouble = h.lender(lent.Connection); trouble != nil {
			patients = append(patients, doctor.Patient{Subject: "what was lent", Examiner: found{*trouble}})
		}
	}
	for _, c := range h.file.Connections {
		if c.Kind == console.Kind {
			continue // it lives in the database
		}
		v := doctor.Visit{Channels: h.channels(c.Name), CallbackURL: h.callbackURL(c.Name), Probes: h.probes}
		if lent.Token != nil && lent.Connection == c.Name {
			v.Admin = lent.Token
		}
		patients = append(patients, doctor.Patient{Subject: "connection " + c.Name, Examiner: h.chatExaminer(c), Visit: v})
	}
	for _, s := range h.file.Sources {
		e := sourceExaminer{source: s, monitor: h.monitors[s.Name], trouble: h.trouble["source "+s.Name], server: h.self, publicURL: h.publicURL, clock: h.clock}
		if h.heard != nil {
			at := h.heard[s.Name]
			e.heard = &at
		}
		patients = append(patients, doctor.Patient{Subject: "source " + s.Name, Examiner: e})
	}
	return doctor.NewReport(h.clock.Now(), h.self.Version, doctor.Run(ctx, patients, examineWithin))
}

// takesLoans are the kinds whose checks an administrator's token helps.
var takesLoans = map[string]bool{"mattermost": true}

// lender returns the connection whose server an administrator's token is
// shown to. Shown to another server it would be given away: where it is not
// clear it is shown to none.
func (h *house) lender(named string) (string, *doctor.Finding) {
	const check = "administrator's token"
	var all []string
	for _, c := range h.file.Connections {
		if takesLoans[c.Kind] && (named == "" || named == c.Name) {
			all = append(all, c.Name)
		}
	}
	switch {
	case len(all) == 1:
		return all[0], nil
	case len(all) > 1:
		f := doctor.Doubt(check, "say whose it is: --connection "+strings.Join(all, " or --connection "),
			"it was not used: there are several connections, and it must be shown to no other server than its own")
		return "", &f
	}
	f := doctor.Doubt(check, "name a connection to Mattermost with --connection, or leave the token out", "it was not used: no connection takes one, or none is called %q", named)
	return "", &f
}

// channels are those of a connection that the configuration names.
func (h *house) channels(connection string) []string {
	var out []string
	for _, name := range channelsOf(h.file) {
		if rest, ok := strings.CutPrefix(name, connection+"/"); ok {
			out = append(out, rest)
		}
	}
	return out
}

// found is an Examiner of what is known already.
type found []doctor.Finding

func (f found) Examine(context.Context, doctor.Visit) []doctor.Finding { return f }

// chatExaminer is who looks into a connection.
func (h *house) chatExaminer(c config.Connection) doctor.Examiner {
	if room := examiners[c.Kind]; room != nil {
		e, err := room(c.Spec, plugin{name: c.Name, answers: h.file.AnswersOn(c.Name), clock: h.clock})
		if err != nil {
			return found{cannotOpen(err)}
		}
		return e
	}
	if err := h.trouble[c.Name]; err != nil {
		return found{cannotOpen(err)}
	}
	switch p := h.platforms[c.Name].(type) {
	case doctor.Examiner:
		return p
	case chat.SelfChecker:
		return selfCheck{c.Name, p}
	}
	return found{doctor.Good("connection", "%s is configured; nothing of it can be looked into", c.Kind)}
}

func cannotOpen(err error) doctor.Finding {
	return doctor.Bad("configuration", "correct what is named in the configuration file (belfry check FILE), then: systemctl reload belfry", "%v", err)
}

// selfCheck examines a platform that says in one line how it is.
type selfCheck struct {
	name     string
	platform chat.SelfChecker
}

func (s selfCheck) Examine(ctx context.Context, _ doctor.Visit) []doctor.Finding {
	report, err := s.platform.SelfCheck(ctx)
	if err != nil {
		return []doctor.Finding{doctor.Bad("connection", "mend what is said, then try it: belfry test --channel "+s.name+"/CHANNEL", "%v", err)}
	}
	return []doctor.Finding{doctor.Good("connection", "%s", report)}
}

// sourceExaminer looks at what every source has, and has its monitor look at
// the rest.
type sourceExaminer struct {
	source    config.Source
	monitor   monitor.Monitor
	trouble   error
	heard     *time.Time // nil: nobody knows
	server    self.Options
	publicURL string
	clock     clock.Clock
}

func (s sourceExaminer) Examine(ctx context.Context, v doctor.Visit) []doctor.Finding {
	if s.trouble != nil {
		return []doctor.Finding{cannotOpen(s.trouble)}
	}
	var list []doctor.Finding
	if s.source.TokenFile != "" {
		list = append(list, self.SecretFile("token file", s.source.TokenFile))
	}
	if s.heard != nil {
		list = append(list, s.lastHeard())
	}
	if e, ok := s.monitor.(doctor.Examiner); ok {
		list = append(list, e.Examine(ctx, v)...)
	}
	if len(list) == 0 {
		list = append(list, doctor.Good("configuration", "%s is configured; without a running server nothing more can be seen", s.source.Kind))
	}
	return list
}

// lastHeard says when the source's newest alert came. That it is long ago says
// nothing: perhaps all was well.
func (s sourceExaminer) lastHeard() doctor.Finding {
	const check = "last heard of"
	if s.heard.IsZero() {
		return doctor.Doubt(check, fmt.Sprintf("send a first alert: from a monitoring core's host, belfry notify --type Host --notificationtype CUSTOM --hostname test --ackcomment hello; "+
			"other tools post to %s/intake/%s with the source's token (docs/)", s.publicURL, s.source.Name),
			"no alert of this source is known")
	}
	return doctor.Good(check, "its newest alert came %s ago", ago(s.clock.Now().Sub(*s.heard)))
}

// ago is how long ago something was, roughly.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d/time.Hour))
	}
	return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
}
