// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"belfry/config"

	"go.yaml.in/yaml/v4"
)

// Callback ids of the shortcuts.
const (
	shortcutAck   = "belfry_ack"
	shortcutUnack = "belfry_unack"
	// These are on messages of any kind.
	shortcutDeclare = "belfry_declare"
	shortcutKeep    = "belfry_timeline"
)

// Limits of a manifest (docs.slack.dev, "App manifest reference").
const (
	maxAppName     = 35
	maxDescription = 140
	maxCommandWord = 32
	appColor       = "#2f4858"
	appDescription = "Alerts as living cards: acknowledge them here, and they are acknowledged in monitoring."
)

// ErrNoURL says that the address is missing at which Slack is to call Belfry.
var ErrNoURL = errors.New("without Socket Mode Slack must reach Belfry: give its public URL")

// Wish is what a manifest is to be made for.
type Wish struct {
	// Name is the app's and the bot's.
	Name string
	// Connection is the name of the connection in the configuration.
	Connection string
	// URL is where browsers, and without Socket Slack, reach Belfry: scheme and host.
	URL string
	// CallbackURL is where Slack reaches the connection; empty: URL and /chat/CONNECTION.
	CallbackURL string
	// Socket has Belfry fetch everything over Socket Mode.
	Socket bool
	// Command is the slash command, with its slash; Hint what follows it.
	Command, Hint string
	// Incidents is the slash command by which incidents are run, with its slash,
	// and IncidentHint what follows it. Empty, or the same as Command: there is
	// no other command.
	Incidents, IncidentHint string
	// Messages subscribes to what is written in channels, for a command_word and
	// for answers to words.
	Messages bool
	// Emails asks for people's mail addresses, Looks for a name and icon of our own.
	Emails, Looks bool
	// Rotation has the tokens expire and be renewed.
	Rotation bool
}

// Answering is the Wish of an app that also answers to words in channels.
func (w Wish) Answering(answers []config.Answer) Wish {
	for _, a := range answers {
		w.Messages = true
		w.Looks = w.Looks || a.Username != "" || a.IconURL != ""
	}
	return w
}

// Manifest is an app's manifest, version 2 (docs.slack.dev, "App manifest reference").
type Manifest struct {
	Metadata struct {
		Major int `json:"major_version" yaml:"major_version"`
	} `json:"_metadata" yaml:"_metadata"`
	Display struct {
		Name        string `json:"name" yaml:"name"`
		Description string `json:"description" yaml:"description"`
		Color       string `json:"background_color" yaml:"background_color"`
	} `json:"display_information" yaml:"display_information"`
	Features struct {
		Bot struct {
			Name   string `json:"display_name" yaml:"display_name"`
			Online bool   `json:"always_online" yaml:"always_online"`
		} `json:"bot_user" yaml:"bot_user"`
		Shortcuts []manifestShortcut `json:"shortcuts" yaml:"shortcuts"`
		Commands  []manifestCommand  `json:"slash_commands" yaml:"slash_commands"`
	} `json:"features" yaml:"features"`
	OAuth struct {
		Redirects []string `json:"redirect_urls,omitempty" yaml:"redirect_urls,omitempty"`
		Scopes    struct {
			Bot []string `json:"bot" yaml:"bot"`
		} `json:"scopes" yaml:"scopes"`
	} `json:"oauth_config" yaml:"oauth_config"`
	Settings struct {
		Events struct {
			URL string   `json:"request_url,omitempty" yaml:"request_url,omitempty"`
			Bot []string `json:"bot_events" yaml:"bot_events"`
		} `json:"event_subscriptions" yaml:"event_subscriptions"`
		Interactivity struct {
			On  bool   `json:"is_enabled" yaml:"is_enabled"`
			URL string `json:"request_url,omitempty" yaml:"request_url,omitempty"`
		} `json:"interactivity" yaml:"interactivity"`
		Org      bool `json:"org_deploy_enabled" yaml:"org_deploy_enabled"`
		Socket   bool `json:"socket_mode_enabled" yaml:"socket_mode_enabled"`
		Rotation bool `json:"token_rotation_enabled" yaml:"token_rotation_enabled"`
	} `json:"settings" yaml:"settings"`
}

type manifestShortcut struct {
	Name        string `json:"name" yaml:"name"`
	Kind        string `json:"type" yaml:"type"`
	Callback    string `json:"callback_id" yaml:"callback_id"`
	Description string `json:"description" yaml:"description"`
}

type manifestCommand struct {
	Command     string `json:"command" yaml:"command"`
	URL         string `json:"url,omitempty" yaml:"url,omitempty"`
	Description string `json:"description" yaml:"description"`
	Hint        string `json:"usage_hint,omitempty" yaml:"usage_hint,omitempty"`
	Escape      bool   `json:"should_escape" yaml:"should_escape"`
}

// NewManifest makes the manifest. What Slack would refuse is an error that
// says what to change.
func NewManifest(w Wish) (Manifest, error) {
	var m Manifest
	callback, err := w.check()
	if err != nil {
		return m, err
	}
	m.Metadata.Major = 2
	m.Display.Name, m.Display.Description, m.Display.Color = w.Name, appDescription, appColor
	m.Features.Bot.Name, m.Features.Bot.Online = w.Name, true
	m.Features.Shortcuts = []manifestShortcut{
		{"Acknowledge alert", "message", shortcutAck, "Say that you take care of the alert of this card"},
		{"Un-acknowledge alert", "message", shortcutUnack, "Take the acknowledgement of this card's alert back"},
		{"Declare incident…", "message", shortcutDeclare, "Declare an incident with this message as its summary"},
		{"Add to incident timeline", "message", shortcutKeep, "Keep this message in the timeline of the channel's incident"},
	}
	m.Features.Commands = w.commands()
	m.OAuth.Scopes.Bot = namesOf(Scopes(w))
	m.Settings.Events.Bot = []string{eventMention, eventUninstalled, eventReacted, eventUnreacted, eventRevoked}
	if w.Messages {
		m.Settings.Events.Bot = append(m.Settings.Events.Bot, "message.channels", "message.groups")
	}
	m.Settings.Interactivity.On = true
	m.Settings.Socket, m.Settings.Rotation = w.Socket, w.Rotation
	if strings.HasPrefix(w.URL, "https://") { // Slack takes no others, and does without
		base := strings.TrimRight(w.URL, "/") + "/oauth/" + url.PathEscape(w.Connection)
		m.OAuth.Redirects = []string{base + "/personal", base + "/app"}
	}
	if !w.Socket {
		for i := range m.Features.Commands {
			m.Features.Commands[i].URL = callback + pathCommand
		}
		m.Settings.Events.URL = callback + pathEvents
		m.Settings.Interactivity.URL = callback + pathInteractive
	}
	return m, nil
}

// check says what Slack would refuse, and returns where Slack reaches us.
func (w *Wish) check() (callback string, err error) {
	if n := len([]rune(w.Name)); n == 0 || n > maxAppName {
		return "", fmt.Errorf("the app's name %q has %d characters; it takes 1 to %d", w.Name, n, maxAppName)
	}
	for _, c := range w.commands() {
		if text := wrongCommandWord(c.Command); text != "" {
			return "", fmt.Errorf("the command %q %s", c.Command, text)
		}
	}
	if w.URL != "" && !isBase(w.URL) {
		return "", fmt.Errorf("%q is no address like https://belfry.example.org", w.URL)
	}
	callback = strings.TrimRight(w.CallbackURL, "/")
	if callback == "" && w.URL != "" {
		callback = strings.TrimRight(w.URL, "/") + "/chat/" + url.PathEscape(w.Connection)
	}
	if w.Socket {
		return callback, nil
	}
	if callback == "" {
		return "", ErrNoURL
	}
	if !strings.HasPrefix(callback, "https://") {
		return "", fmt.Errorf("slack calls only https addresses, and %s is none: use Socket Mode, or a public URL with https", callback)
	}
	return callback, nil
}

func isBase(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// commands are the slash commands of the app.
func (w *Wish) commands() []manifestCommand {
	out := []manifestCommand{{Command: w.Command, Description: "See and handle alerts", Hint: w.Hint, Escape: true}}
	if w.Incidents != "" && w.Incidents != w.Command {
		out = append(out, manifestCommand{Command: w.Incidents, Description: "Declare and run incidents", Hint: w.IncidentHint, Escape: true})
	}
	return out
}

// wrongCommandWord says what keeps a text from being a slash command.
func wrongCommandWord(command string) string {
	rest, ok := strings.CutPrefix(command, "/")
	if !ok || rest == "" || len(command) > maxCommandWord || strings.ContainsAny(rest, "/ \t\r\n") || rest != strings.ToLower(rest) {
		return fmt.Sprintf("is no slash command: “/” and at most %d small letters, digits, - and _", maxCommandWord-1)
	}
	for _, c := range []byte(rest) {
		if !isAlnum(string(c)) && c != '-' && c != '_' {
			return "has characters that a slash command can't have: use small letters, digits, - and _"
		}
	}
	return ""
}

// YAML returns the manifest as Slack's editor shows it.
func (m *Manifest) YAML() (string, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(m); err != nil {
		return "", fmt.Errorf("can't write the manifest: %w", err)
	}
	if err := e.Close(); err != nil {
		return "", fmt.Errorf("can't write the manifest: %w", err)
	}
	return b.String(), nil
}

// JSON returns the manifest as Slack's API takes it.
func (m *Manifest) JSON() (string, error) {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", fmt.Errorf("can't write the manifest: %w", err)
	}
	return string(b) + "\n", nil
}

// Link is the address that opens Slack's page for a new app with this manifest.
func (m *Manifest) Link() (string, error) {
	text, err := m.YAML()
	if err != nil {
		return "", err
	}
	return "https://api.slack.com/apps?new_app=1&manifest_yaml=" + strings.ReplaceAll(url.QueryEscape(text), "+", "%20"), nil
}
