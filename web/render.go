// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/chat/console"
	"belfry/incident"
	"belfry/message"
	"belfry/store"
)

//go:embed templates/*.html templates/*/*.html
var templateFiles embed.FS

// frame is what every page's layout gets around the page's own data.
type frame struct {
	// Title stands in the browser's tab; Here names the entry of the menu.
	Title, Here string
	Person      store.Person
	Admin       bool
	Toast       string
	Version     string
	Page        any
}

// readPages returns the pages, each of which is parsed when it is first shown:
// most are never looked at, and all of them parsed take megabytes. A page is named
// after its file; what is too long for one file has its parts in a directory of
// the page's name.
func (w *Web) readPages() (map[string]func() (*template.Template, error), error) {
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]func() (*template.Template, error){}
	for _, file := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "templates/"), ".html")
		pages[name] = sync.OnceValues(func() (*template.Template, error) { return w.parsePage(name) })
	}
	return pages, nil
}

// parsePage reads a page together with the layout.
func (w *Web) parsePage(name string) (*template.Template, error) {
	parts, err := fs.Glob(templateFiles, "templates/"+name+"/*.html")
	if err != nil {
		return nil, err
	}
	return template.New("layout.html").Funcs(w.functions()).Option("missingkey=error").
		ParseFS(templateFiles, append([]string{"templates/layout.html", "templates/" + name + ".html"}, parts...)...)
}

// render executes a page.
func (w *Web) render(name string, f frame) ([]byte, error) {
	page, err := w.pages[name]()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = page.ExecuteTemplate(&b, "layout.html", f)
	return b.Bytes(), err
}

func (w *Web) functions() template.FuncMap {
	return template.FuncMap{
		"line":         chat.CleanLine,
		"path":         console.PathOf,
		"placed":       func(p console.Place, here string) placed { return placed{p, p.Name == here} },
		"text":         chat.Clean,
		"link":         safeLink,
		"static":       w.staticURL,
		"stamp":        func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"clock":        func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"tone":         tone,
		"incidenttone": incidentTone,
		"verb":         func(a incident.Act) string { return strings.ToUpper(string(a[:1])) + string(a[1:]) },
		"chosen":       func(list, one string) bool { return slices.Contains(strings.Split(list, ","), one) },
		"slug":         func(s incident.Status) string { return string(s) },
		"entry":        func(e incident.Entry) string { return message.EntryWords(&e) },
		"task":         taskRow,
		"set":          setForm,
		"who": func(id, value string, needed bool) any {
			return struct {
				ID, Value string
				Needed    bool
			}{id, value, needed}
		},
		"size":    bytesOf,
		"phase":   phase,
		"reached": reached,
		"happened": func(k alert.EventKind) string {
			if s, ok := happened[k]; ok {
				return s
			}
			return string(k)
		},
	}
}

// happened says in plain words what an event of a kind is. An instruction is
// asked for before anybody is told of it, and accepted by systems that never say
// whether they carried it out.
var happened = map[alert.EventKind]string{
	alert.EventOpened: "problem began", alert.EventChanged: "state changed", alert.EventRenotified: "reported again",
	alert.EventResolved: "problem over", alert.EventAckWanted: "wants to acknowledge",
	alert.EventAcknowledged: "acknowledged", alert.EventAckRefused: "acknowledgement refused",
	alert.EventAckDelayed: "acknowledgement waits", alert.EventAckWaits: "acknowledgement still waits", alert.EventUnackWanted: "wants the acknowledgement removed",
	alert.EventUnacked: "acknowledgement removed", alert.EventUnackRefused: "removal of the acknowledgement refused",
	alert.EventDowntime: "downtime began", alert.EventDowntimeEnd: "downtime ended",
	alert.EventFlapping: "flapping began", alert.EventFlappingEnd: "flapping ended", alert.EventCustom: "notice",
	alert.EventInstructed: "asked of the monitoring system", alert.EventInstructDone: "accepted by the monitoring system",
	alert.EventInstructFail: "refused by the monitoring system",
}

// tone names the colours of an alert's badge in the style sheet.
func tone(a *alert.Alert) string {
	if a.Status == alert.Resolved {
		return "green"
	}
	switch a.Severity {
	case alert.SeverityCritical:
		return "red"
	case alert.SeverityWarning:
		return "amber"
	case alert.SeverityOK:
		return "green"
	case alert.SeverityInfo:
		return "blue"
	}
	return "grey"
}

// phase says where an acknowledgement stands: "acknowledged" only when that is
// confirmed.
func phase(a alert.Ack) string {
	by := chat.CleanLine(a.By)
	switch a.Phase {
	case alert.AckPending:
		return "acknowledging… for " + by
	case alert.AckSet:
		return "acknowledged by " + by
	case alert.AckRemoving:
		return "removing the acknowledgement by " + by
	}
	return ""
}

// reached says how a delivery stands.
func reached(d store.Duty) string {
	switch {
	case d.State == store.DutyDead:
		return "given up"
	case d.State == store.DutyEnded:
		return "ended"
	case d.State == store.DutyDone && d.Kind == store.DutyWriteback:
		return "handed over"
	case d.State == store.DutyDone:
		return "delivered"
	case d.Attempts > 0:
		return "waits for another try"
	case d.Kind == store.DutyCard && d.Reached > 0:
		return "being brought up to date"
	}
	return "waits"
}

// safeLink returns link if it is an http or https URL with a host, else "".
func safeLink(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || chat.CleanLine(link) != link {
		return ""
	}
	return u.String()
}

// show renders a page. Nothing is sent before all of it is rendered.
func (w *Web) show(rw http.ResponseWriter, r *http.Request, status int, name, title string, page any) {
	f := frame{Title: title, Here: name, Person: person(r.Context()), Version: w.o.Version, Page: page}
	f.Admin = f.Person.Role == store.RoleAdmin
	if f.Person.ID != 0 {
		f.Toast = w.sessions.PopString(r.Context(), keyToast)
	}
	b, err := w.render(name, f)
	if err != nil {
		w.log.ErrorContext(r.Context(), "can't render a page", "page", name, "err", err)
		http.Error(rw, "Belfry could not show this page; please tell whoever runs it.", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(status)
	if _, err := rw.Write(b); err != nil {
		w.log.DebugContext(r.Context(), "a page did not arrive", "page", name, "err", err)
	}
}

// fail answers with what went wrong in plain words: a page, or a line of text
// for scripts.
func (w *Web) fail(rw http.ResponseWriter, r *http.Request, status int, why string) {
	rw.Header().Set("Cache-Control", "no-store")
	if wantsData(r) {
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		rw.WriteHeader(status)
		_, _ = fmt.Fprintln(rw, why) //nolint:gosec // plain text with nosniff; the reader is gone if it fails
		return
	}
	f := frame{Title: http.StatusText(status), Here: "error", Version: w.o.Version, Person: person(r.Context()), Page: why}
	f.Admin = f.Person.Role == store.RoleAdmin
	b, err := w.render("error", f)
	if err != nil {
		w.log.ErrorContext(r.Context(), "can't render the error page", "err", err)
		http.Error(rw, why, status)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = rw.Write(b) // the reader is gone if it fails
}

// broken logs what failed on our side and says so without details.
func (w *Web) broken(rw http.ResponseWriter, r *http.Request, what string, err error) {
	w.log.ErrorContext(r.Context(), what, "page", r.Pattern, "err", err) // a path may hold a link's token
	w.fail(rw, r, http.StatusServiceUnavailable, "Belfry can't reach its database just now. Nothing is lost; please try again in a moment.")
}

func (w *Web) notFound(rw http.ResponseWriter, r *http.Request) {
	w.fail(rw, r, http.StatusNotFound, "There is no such page. The menu leads to all there are.")
}
