// SPDX-License-Identifier: Apache-2.0

package web

import "net/http"

// Handler returns the whole of the pages. Who may open what is said here and
// nowhere else.
func (w *Web) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, action := range map[string]http.Handler{
		// The room.
		"GET /{$}":          w.member(w.showRoom),
		"GET /room/events":  w.member(w.streamRoom),
		"POST /room/press":  w.member(w.press),
		"POST /room/submit": w.member(w.submit),
		"POST /room/line":   w.member(w.line),

		// Alerts.
		"GET /alerts":      w.member(w.listAlerts),
		"GET /alerts/{id}": w.member(w.showAlert),

		// Incidents. A private one is shown to those who take part in it.
		"GET /incidents":                                 w.member(w.listIncidents),
		"GET /incidents/{number}":                        w.member(w.showIncident),
		"POST /incidents/{number}":                       w.member(w.actOnIncident),
		"GET /incidents/figures":                         w.member(w.showFigures),
		"GET /incidents/new":                             w.member(w.showDeclare),
		"POST /incidents/new":                            w.member(w.declare),
		"GET /incidents/{number}/retrospective":          w.member(w.showRetrospective),
		"POST /incidents/{number}/retrospective":         w.member(w.saveRetrospective),
		"GET /incidents/{number}/retrospective/{format}": w.member(w.exportRetrospective),

		// For administrators.
		"GET /deliveries":                       w.admin(w.listDeliveries),
		"POST /deliveries/resend":               w.admin(w.resend),
		"POST /deliveries/resend-all":           w.admin(w.resendAll),
		"GET /connections":                      w.admin(w.listConnections),
		"POST /connections/look":                w.admin(w.lookAgain),
		"GET /connections/mattermost":           w.admin(w.showSetUpForm),
		"POST /connections/mattermost":          w.admin(w.planSetUp),
		"GET /connections/remove/{name}":        w.admin(w.showRemovalForm),
		"POST /connections/remove/{name}":       w.admin(w.planRemoval),
		"GET /connections/slack":                w.admin(w.showSlackForm),
		"POST /connections/slack":               w.admin(w.connectSlack),
		"POST /connections/again/{name}":        w.admin(w.connectAgain),
		"GET /oauth/{connection}/install":       w.anybody(w.installed),
		"GET /connections/runs/{id}":            w.admin(w.showRun),
		"POST /connections/runs/{id}/carry-out": w.admin(w.carryOutRun),
		"POST /connections/runs/{id}/drop":      w.admin(w.dropRun),
		"GET /channels":                         w.admin(w.listChannels),
		"POST /channels/test":                   w.admin(w.testChannel),
		"GET /doctor":                           w.admin(w.showDoctor),
		"POST /doctor":                          w.admin(w.examine),
		"GET /payloads":                         w.admin(w.listPayloads),
		"GET /payloads/{id}":                    w.admin(w.showPayload),
		"POST /payloads/replay":                 w.admin(w.replayPayload),
		"POST /payloads/remove":                 w.admin(w.removePayload),
		"GET /people":                           w.admin(w.showPeople),
		"POST /people":                          w.admin(w.addPerson),
		"POST /people/{id}/role":                w.admin(w.setRole),
		"POST /people/{id}/password":            w.admin(w.resetPassword),
		"POST /people/{id}/unlink":              w.admin(w.unlink),
		"POST /people/{id}/remove":              w.admin(w.removePerson),

		"GET /oauth/{connection}/app":  w.admin(w.installApp),
		"POST /oauth/{connection}/app": w.admin(w.beginInstall),

		// Everybody's own.
		"GET /profile":                     w.member(w.showProfile),
		"POST /profile/password":           w.member(w.changePassword),
		"POST /profile/unlink":             w.member(w.unlinkOwn),
		"POST /oauth/{connection}/connect": w.member(w.connectBy),

		// Accounts of chat platforms.
		"POST /oauth/{connection}/signin":  w.anybody(w.signInBy),
		"GET /oauth/{connection}/personal": w.anybody(w.comeBack),
		"GET /connect/{token}":             w.anybody(w.showInvited),
		"POST /connect/{token}":            w.anybody(w.invited),
		"GET /oauth/confirm":               w.anybody(w.showConfirm),
		"POST /oauth/confirm":              w.anybody(w.confirm),

		// Coming and going.
		"GET /setup":    w.anybody(w.showSetup),
		"POST /setup":   w.anybody(w.setUp),
		"GET /signin":   w.anybody(w.showSignin),
		"POST /signin":  w.anybody(w.signIn),
		"POST /signout": w.anybody(w.signOut),
		"GET /demo":     w.anybody(w.enterDemo),

		// Files.
		"GET /static/{file}": http.HandlerFunc(w.serveStatic),
		"GET /favicon.ico":   http.HandlerFunc(w.favicon),
		"/":                  w.anybody(w.notFound),
	} {
		mux.Handle(pattern, action)
	}
	return w.guard(mux)
}
