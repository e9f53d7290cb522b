// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"strings"

	"belfry/config"
)

// SlackWish is a Slack workspace that is to be connected.
type SlackWish struct {
	// Name is the connection's, Channel where alerts go that no route leads
	// elsewhere, by its name in Slack.
	Name, Channel string
	// Token is the bot's. AppToken has Belfry fetch what people do, SigningSecret
	// has Slack call Belfry; one of them is needed.
	Token, AppToken, SigningSecret config.Secret
	// URL is where the Web API is; empty: slack.com. Proxy may be empty.
	URL, Proxy string
}

// slackForm is the page by which a Slack workspace is connected. No secret is
// ever in it.
type slackForm struct {
	Name, Channel, URL, Proxy string
	// SocketApp and CalledApp open Slack's page for a new app that Belfry calls,
	// or that calls Belfry; empty where Slack could not reach Belfry.
	SocketApp, CalledApp string
	Wrong                string
}

// showSlackForm is the form; "?name=" says what the connection is to be called.
func (w *Web) showSlackForm(rw http.ResponseWriter, r *http.Request) {
	if !w.canSetUp() {
		w.noSetUp(rw, r)
		return
	}
	f := slackForm{Name: strings.TrimSpace(r.URL.Query().Get("name"))}
	if f.Name == "" {
		f.Name = "slack"
	}
	w.slackPage(rw, r, http.StatusOK, f)
}

func (w *Web) slackPage(rw http.ResponseWriter, r *http.Request, status int, f slackForm) {
	var err error
	f.SocketApp, f.CalledApp, err = w.o.Connections.SlackApps(f.Name)
	if err != nil && f.Wrong == "" {
		f.Wrong, status = err.Error(), http.StatusUnprocessableEntity
	}
	w.show(rw, r, status, "slackform", "Connect a Slack workspace", f)
}

// connectSlack connects a workspace, once its token was seen to work.
func (w *Web) connectSlack(rw http.ResponseWriter, r *http.Request) {
	if !w.canSetUp() {
		w.noSetUp(rw, r)
		return
	}
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	wish := SlackWish{Name: value("name"), Channel: strings.TrimPrefix(value("channel"), "#"), URL: value("url"), Proxy: value("proxy"),
		Token: config.Secret(value("token")), AppToken: config.Secret(value("app_token")), SigningSecret: config.Secret(value("signing_secret"))}
	f := slackForm{Name: wish.Name, Channel: wish.Channel, URL: wish.URL, Proxy: wish.Proxy}
	for _, secret := range []config.Secret{wish.Token, wish.AppToken, wish.SigningSecret} {
		if len(secret) > maxAdminToken {
			f.Wrong = "One of the tokens is longer than any that Slack gives out."
		}
	}
	if f.Wrong == "" {
		ctx, cancel := context.WithTimeout(r.Context(), planWithin)
		defer cancel()
		if err := w.o.Connections.ConnectSlack(ctx, wish); err != nil {
			f.Wrong = config.Hide(err.Error(), wish.Token, wish.AppToken, wish.SigningSecret)
		}
	}
	if f.Wrong != "" {
		w.slackPage(rw, r, http.StatusUnprocessableEntity, f)
		return
	}
	w.log.InfoContext(r.Context(), "a Slack workspace was connected", "connection", wish.Name, "by", person(r.Context()).Name)
	w.sessions.Put(r.Context(), keyToast, "The connection "+wish.Name+" is there. Invite the app to private channels, and test a channel.")
	http.Redirect(rw, r, "/connections", http.StatusSeeOther)
}
