// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"

	"belfry/people"
)

type installPage struct{ Connection string }

// installApp is where an administrator begins to install a platform's app, and
// where the platform sends the browser back to.
func (w *Web) installApp(rw http.ResponseWriter, r *http.Request) {
	connection, q := r.PathValue("connection"), r.URL.Query()
	switch {
	case w.o.Accounts == nil || !w.o.Accounts.Installs(connection):
		w.notFound(rw, r)
		return
	case q.Get("code") == "" && q.Get("error") != "":
		// A refusal proves nothing and changes nothing, see comeBack.
		w.fail(rw, r, http.StatusForbidden, string(people.Denied(q.Get("error"))))
		return
	case q.Get("code") == "":
		w.leave(rw)
		w.show(rw, r, http.StatusOK, "app", "Install", installPage{Connection: connection})
		return
	}
	text, err := w.o.Accounts.FinishInstall(r.Context(), connection, w.flow(r), q.Get("state"), q.Get("code"))
	if err != nil {
		w.refuse(rw, r, "can't install an app", err)
		return
	}
	w.setFlow(rw, "")
	w.log.InfoContext(r.Context(), "an app was installed", "connection", connection, "by", person(r.Context()).Name)
	w.sessions.Put(r.Context(), keyToast, text)
	http.Redirect(rw, r, "/connections", http.StatusSeeOther)
}

// beginInstall sends the administrator to the platform.
func (w *Web) beginInstall(rw http.ResponseWriter, r *http.Request) {
	if w.o.Accounts == nil {
		w.notFound(rw, r)
		return
	}
	to, cookie, err := w.o.Accounts.BeginInstall(r.Context(), r.PathValue("connection"))
	w.away(rw, r, to, cookie, err)
}
