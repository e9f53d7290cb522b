// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"log/slog"

	"belfry/answer"
	"belfry/chat"
	"belfry/chat/console"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/checkup"
	"belfry/chat/slack"
	"belfry/clock"
	"belfry/config"
	"belfry/doctor"
	"belfry/monitor"
	"belfry/monitor/alertmanager"
	"belfry/monitor/chathook"
	"belfry/monitor/nagios"
	"belfry/monitor/openitcockpit"
	"belfry/monitor/webhook"
)

// This file says what Belfry can speak to. A new platform or monitoring system
// is its own package and one entry here.

// chats are the kinds of connections. The built-in room is not opened here:
// it lives in the store and outlives a reload.
var chats = map[string]func(config.Spec, plugin) (chat.Platform, error){
	"mattermost": func(s config.Spec, p plugin) (chat.Platform, error) {
		return open(s, p, func(c *mattermost.Config) (chat.Platform, error) {
			return c.OpenChat(mattermost.Options{Name: p.name, CallbackURL: p.callbackURL, Memory: p.memory, Clock: p.clock, Log: p.log})
		})
	},
	"slack": func(s config.Spec, p plugin) (chat.Platform, error) {
		return open(s, p, func(c *slack.Config) (chat.Platform, error) {
			return c.OpenChat(slack.Options{Name: p.name, CallbackURL: p.callbackURL, Answers: p.answers, Memory: p.memory, Vault: p.vault, Clock: p.clock, Log: p.log})
		})
	},
}

// examiners are the kinds of connections and sources whose checks have a room
// of their own. Of the others, what was opened is asked if it is a
// doctor.Examiner.
var examiners = map[string]func(config.Spec, plugin) (doctor.Examiner, error){
	"mattermost": func(s config.Spec, p plugin) (doctor.Examiner, error) {
		return open(s, p, func(c *mattermost.Config) (doctor.Examiner, error) {
			return checkup.New(c, checkup.Options{Name: p.name, Answers: p.answers, Clock: p.clock}), nil
		})
	},
}

// monitors are the kinds of sources.
var monitors = map[string]func(config.Spec, plugin) (monitor.Monitor, error){
	"nagios": func(s config.Spec, p plugin) (monitor.Monitor, error) {
		return open(s, p, func(c *nagios.Config) (monitor.Monitor, error) {
			return c.Open(nagios.Options{Name: p.name, Clock: p.clock, Log: p.log})
		})
	},
	openitcockpit.Kind: func(s config.Spec, p plugin) (monitor.Monitor, error) {
		return open(s, p, func(c *openitcockpit.Config) (monitor.Monitor, error) {
			return c.Open(openitcockpit.Options{Name: p.name, Clock: p.clock, Log: p.log})
		})
	},
	"alertmanager": func(s config.Spec, p plugin) (monitor.Monitor, error) {
		return open(s, p, func(c *alertmanager.Config) (monitor.Monitor, error) {
			return c.Open(alertmanager.Options{Name: p.name, Clock: p.clock, Log: p.log})
		})
	},
	"webhook": func(s config.Spec, p plugin) (monitor.Monitor, error) {
		return open(s, p, (*webhook.Config).Open)
	},
	"chathook": func(s config.Spec, p plugin) (monitor.Monitor, error) {
		return open(s, p, (*chathook.Config).Open)
	},
}

// Kinds returns the kinds that a configuration may name, with the specs that
// their packages own.
func Kinds() config.Kinds {
	return config.Kinds{
		Connections: map[string]func() config.Spec{
			"mattermost": func() config.Spec { return new(mattermost.Config) },
			"slack":      func() config.Spec { return new(slack.Config) },
			console.Kind: func() config.Spec { return new(console.Config) },
		},
		Sources: map[string]func() config.Spec{
			"nagios":           func() config.Spec { return new(nagios.Config) },
			"alertmanager":     func() config.Spec { return new(alertmanager.Config) },
			openitcockpit.Kind: func() config.Spec { return new(openitcockpit.Config) },
			"webhook":          func() config.Spec { return new(webhook.Config) },
			"chathook":         func() config.Spec { return new(chathook.Config) },
		},
		Answers: answer.Kinds(),
	}
}

// plugin is what every kind gets when it is opened.
type plugin struct {
	name string
	// callbackURL is where a chat platform reaches its connection.
	callbackURL string
	// answers are those that hold on a chat platform's connection.
	answers []config.Answer
	// memory keeps what a chat platform must not forget.
	memory chat.Memory
	// vault keeps secrets that it is given.
	vault chat.Vault
	clock clock.Clock
	log   *slog.Logger
}

// open hands a spec to its own package.
func open[C, T any](s config.Spec, p plugin, do func(C) (T, error)) (T, error) {
	c, ok := any(s).(C)
	if !ok {
		var none T
		return none, fmt.Errorf("%s was read as another kind: %T", p.name, s)
	}
	return do(c)
}
