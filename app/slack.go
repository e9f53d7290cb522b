// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"

	"belfry/chat/mattermost/setup"
	"belfry/chat/slack"
	"belfry/command/incidents"
	"belfry/config"
	"belfry/route"
	"belfry/web"
)

// SlackApps implements web.Connections.
func (a *App) SlackApps(name string) (socket, called string, err error) {
	if !route.ValidName(name) {
		return "", "", fmt.Errorf("the connection's name %q is not 1 to 31 small letters, digits and -", name)
	}
	link := func(socket bool) (string, error) {
		w := (&slack.Config{}).Wish(name, a.publicURL)
		w.Name, w.Socket, w.CallbackURL = "Belfry", socket, a.publicURL+"/chat/"+name
		w.Incidents, w.IncidentHint = "/"+a.parts.Load().file.Incidents.Command, incidents.Hint()
		m, err := slack.NewManifest(w)
		if err != nil {
			return "", err
		}
		return m.Link()
	}
	if socket, err = link(true); err != nil {
		return "", "", err
	}
	if strings.HasPrefix(a.publicURL, "https://") {
		called, err = link(false)
	}
	return socket, called, err
}

// slackSecrets are the files of a connection that was made on the pages.
func (a *App) slackSecrets(name string) (token, appToken, signing string) {
	file := func(what string) string { return filepath.Join(a.opt.Data, "slack-"+name+"."+what) }
	return file("token"), file("app-token"), file("signing-secret")
}

// ConnectSlack implements web.Connections: the token is tried, its files and the
// connection's are written, and the configuration is read again. When anything is
// wrong everything is as it was.
func (a *App) ConnectSlack(ctx context.Context, w web.SlackWish) error {
	switch {
	case !route.ValidName(w.Name):
		return fmt.Errorf("the connection's name %q is not 1 to 31 small letters, digits and -", w.Name)
	case w.Channel == "" || strings.ContainsAny(w.Channel, " /\n\t"):
		return errors.New("name the channel as Slack shows it behind #")
	case w.AppToken == "" && w.SigningSecret == "":
		return errors.New("an app-level token or the signing secret is needed: without either nobody's presses and commands arrive")
	}
	if err := a.notTaken(w.Name); err != nil {
		return err
	}
	if err := a.trySlack(ctx, w); err != nil {
		return err
	}
	// From here on one at a time, and asked again: while Slack answered somebody
	// else may have taken the name, whose secrets stand in the same files.
	a.writing.Lock()
	defer a.writing.Unlock()
	if err := a.notTaken(w.Name); err != nil {
		return err
	}
	text, err := a.writeSlack(w)
	if err == nil {
		// Before the configuration is read again: one of that name that was
		// disconnected would be switched off.
		err = a.comeBack(ctx, w.Name)
	}
	if err == nil {
		err = a.replace(a.included(w.Name), text)
	}
	if err != nil {
		return errors.Join(err, a.dropSlack(w.Name))
	}
	a.made.add([]string{w.Name + "/" + w.Channel})
	return nil
}

func (a *App) notTaken(name string) error {
	if _, taken := a.configured(name); taken {
		return fmt.Errorf("there is a connection %s already: take another name", name)
	}
	return nil
}

// trySlack asks the workspace whether it knows the token.
func (a *App) trySlack(ctx context.Context, w web.SlackWish) error {
	c := &slack.Config{Token: w.Token, AppToken: w.AppToken, SigningSecret: w.SigningSecret, URL: w.URL, Proxy: w.Proxy}
	if wrong := c.Validate(); len(wrong) > 0 {
		var texts []string
		for _, x := range wrong {
			texts = append(texts, fmt.Sprint(x))
		}
		return errors.New(strings.Join(texts, "; "))
	}
	p, err := c.Open(slack.Options{Name: w.Name, CallbackURL: a.publicURL + "/chat/" + w.Name, Memory: a.store, Clock: a.opt.Clock, Log: a.opt.Log})
	if err != nil {
		return err
	}
	_, err = p.SelfCheck(ctx)
	return errors.Join(err, p.Close(ctx))
}

// writeSlack writes the secrets' files and returns the connection's.
func (a *App) writeSlack(w web.SlackWish) (string, error) {
	type entry struct {
		Name          string `yaml:"name"`
		Kind          string `yaml:"kind"`
		TokenFile     string `yaml:"token_file"`
		AppTokenFile  string `yaml:"app_token_file,omitempty"`
		SigningSecret string `yaml:"signing_secret_file,omitempty"`
		URL           string `yaml:"url,omitempty"`
		Proxy         string `yaml:"proxy,omitempty"`
	}
	type way struct {
		Channels []string `yaml:"channels,flow"`
	}
	var file struct {
		Connections []entry `yaml:"connections"`
		Default     *way    `yaml:"default,omitempty"`
	}
	e := entry{Name: w.Name, Kind: "slack", URL: w.URL, Proxy: w.Proxy}
	token, appToken, signing := a.slackSecrets(w.Name)
	for _, s := range []struct {
		secret config.Secret
		path   string
		into   *string
	}{{w.Token, token, &e.TokenFile}, {w.AppToken, appToken, &e.AppTokenFile}, {w.SigningSecret, signing, &e.SigningSecret}} {
		if s.secret == "" {
			continue
		}
		if err := setup.WriteFile(s.path, []byte(s.secret.Reveal()+"\n"), 0o600); err != nil {
			return "", fmt.Errorf("can't keep a token: %w", err)
		}
		*s.into = s.path
	}
	file.Connections = []entry{e}
	if !a.parts.Load().file.HasDefault {
		file.Default = &way{[]string{w.Name + "/" + w.Channel}}
	}
	text, err := yaml.Marshal(file)
	return string(text), err
}

// dropSlack removes the secrets of a connection that was made on the pages; for
// one of another kind there are none.
func (a *App) dropSlack(name string) (err error) {
	token, appToken, signing := a.slackSecrets(name)
	for _, path := range []string{token, appToken, signing} {
		if e := os.Remove(path); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("can't remove a token: %w", e))
		}
	}
	return err
}
