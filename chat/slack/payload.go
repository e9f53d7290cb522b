// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"encoding/json"
	"errors"
	"mime"
	"net/url"
)

// Kinds of interactions (docs.slack.dev, "Interaction payloads"). What a button
// of an attachment sends is of the older kind ("Interactive messages").
const (
	kindBlockActions = "block_actions"
	kindLegacy       = "interactive_message"
	kindShortcut     = "shortcut"
	kindMessage      = "message_action"
	kindSubmission   = "view_submission"
	kindClosed       = "view_closed"
	kindSuggestion   = "block_suggestion"
)

// Limits of what is read.
const (
	// A payload brings the whole message along: 50 blocks and 100 attachments, or
	// what somebody typed, twice, each character of 3 bytes percent-encoded as 9.
	maxBody     = 1 << 20
	maxID       = 64
	maxTrigger  = 255
	maxMetadata = 3000
	maxInputs   = 100 // blocks of a view
	maxInput    = 3000
	maxAddress  = 1024
	maxTypedRaw = 16 << 10
)

var errPayload = errors.New("not a payload of Slack's")

// interaction is what Slack sends when somebody presses, fills in or chooses
// something of ours.
type interaction struct {
	Kind string `json:"type"`
	User struct {
		ID   string `json:"id"`
		Team string `json:"team_id"`
	} `json:"user"`
	Team       *workspace `json:"team"`
	Enterprise *workspace `json:"enterprise"`
	App        string     `json:"api_app_id"`
	Trigger    string     `json:"trigger_id"`
	// Response is where to answer late; absent for forms and global shortcuts.
	Response string `json:"response_url"`
	Callback string `json:"callback_id"`
	Channel  struct {
		ID string `json:"id"`
	} `json:"channel"`
	Container struct {
		Kind    string `json:"type"`
		Message string `json:"message_ts"`
		Channel string `json:"channel_id"`
	} `json:"container"`
	MessageTS string          `json:"message_ts"`
	Message   json.RawMessage `json:"message"`
	Original  json.RawMessage `json:"original_message"`
	Actions   []pressed       `json:"actions"`
	View      *shownView      `json:"view"`
}

// workspace is a team or an enterprise.
type workspace struct {
	ID string `json:"id"`
}

// pressed is one button or choice: of blocks with action_id, of attachments with name.
type pressed struct {
	ActionID string `json:"action_id"`
	Name     string `json:"name"`
	Kind     string `json:"type"`
	Value    string `json:"value"`
}

// shownView is a form as it comes back.
type shownView struct {
	ID       string `json:"id"`
	Callback string `json:"callback_id"`
	Metadata string `json:"private_metadata"`
	// What the form looks like, to show it again with what is wrong.
	Title  json.RawMessage  `json:"title"`
	Submit json.RawMessage  `json:"submit"`
	Close  json.RawMessage  `json:"close"`
	Blocks []map[string]any `json:"blocks"`
	State  struct {
		// Values are by block, then by action.
		Values map[string]map[string]input `json:"values"`
	} `json:"state"`
}

// input is one field of a form: what was typed or chosen, or null.
type input struct {
	Kind    string   `json:"type"`
	Value   *string  `json:"value"`
	Option  *chosen  `json:"selected_option"`
	Options []chosen `json:"selected_options"`
}

// readInteraction decodes the form that carries an interaction.
func readInteraction(contentType string, body []byte) (interaction, error) {
	form, err := readForm(contentType, body)
	if err != nil {
		return interaction{}, err
	}
	return decodeInteraction([]byte(form.Get("payload")))
}

// readForm decodes a form that came as the body.
func readForm(contentType string, body []byte) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, errPayload
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errPayload
	}
	return form, nil
}

// decodeInteraction decodes an interaction's JSON and checks all that is used of it.
func decodeInteraction(raw []byte) (interaction, error) {
	var i interaction
	if err := json.Unmarshal(raw, &i); err != nil {
		return interaction{}, errPayload
	}
	if !isSlackID(i.User.ID) || !optional(i.User.Team) || !i.Team.ok() || !i.Enterprise.ok() || !optional(i.App) ||
		len(i.Trigger) > maxTrigger || len(i.Callback) > maxActionID || len(i.Response) > maxAddress {
		return interaction{}, errPayload
	}
	switch i.Kind {
	case kindBlockActions, kindLegacy:
		return i, i.checkPress()
	case kindSubmission, kindClosed:
		if i.View == nil || len(i.View.Metadata) > maxMetadata || len(i.View.State.Values) > maxInputs {
			return interaction{}, errPayload
		}
	case kindMessage:
		if !i.ref().ok() {
			return interaction{}, errPayload
		}
	case kindShortcut, kindSuggestion:
	default:
		return interaction{}, errPayload
	}
	return i, nil
}

func (i *interaction) checkPress() error {
	if len(i.Actions) == 0 || len(i.Actions) > 25 {
		return errPayload
	}
	for _, a := range i.Actions {
		if len(a.Value) > maxValue || len(a.ActionID) > maxActionID || len(a.Name) > maxActionID {
			return errPayload
		}
	}
	if i.View == nil && !i.ref().ok() {
		return errPayload
	}
	return nil
}

// place is where a message stands.
type place struct{ channel, ts string }

func (p place) ok() bool { return isSlackID(p.channel) && isTS(p.ts) }

// ref is the message that was pressed or chosen.
func (i *interaction) ref() place {
	p := place{i.Channel.ID, i.MessageTS}
	if i.Container.Channel != "" {
		p.channel = i.Container.Channel
	}
	if i.Container.Message != "" {
		p.ts = i.Container.Message
	}
	return p
}

// team is the workspace in which it happened; of an app that is installed for
// a whole enterprise that is not told.
func (i *interaction) team() string {
	if i.Team != nil && i.Team.ID != "" {
		return i.Team.ID
	}
	return i.User.Team
}

func (i *interaction) enterprise() string {
	if i.Enterprise == nil {
		return ""
	}
	return i.Enterprise.ID
}

func (w *workspace) ok() bool { return w == nil || optional(w.ID) }

// values are the fields of a form by name, those left empty absent. A form of
// ours has one input in each block, both called like the field.
func (v *shownView) values() (map[string]string, error) {
	out := map[string]string{}
	for block, actions := range v.State.Values {
		for action, in := range actions {
			if block != action || !isAlnum(block) || len(block) > maxID {
				return nil, errPayload
			}
			text, ok := in.text()
			if !ok {
				return nil, errPayload
			}
			if text != "" {
				out[block] = text
			}
		}
	}
	return out, nil
}

// optional holds for an id or nothing.
func optional(id string) bool { return id == "" || isSlackID(id) }

// isSlackID holds for ids of every kind: capital letters and digits, the first a letter.
func isSlackID(s string) bool {
	if s == "" || len(s) > maxID || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func isAlnum(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
