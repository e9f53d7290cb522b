// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"encoding/json"
	"errors"
)

// What comes over the socket (docs.slack.dev, "Using Socket Mode").
const (
	frameHello       = "hello"
	frameDisconnect  = "disconnect"
	frameEvents      = "events_api"
	frameInteractive = "interactive"
	frameCommands    = "slash_commands"
)

// Why Slack ends a connection.
const (
	reasonRefresh  = "refresh_requested"
	reasonWarning  = "warning"
	reasonDisabled = "link_disabled"
	reasonTooMany  = "too_many_websockets"
)

// maxAck is what an answer may have: a longer one is dropped without a word.
const maxAck = 19 << 10

var errFrame = errors.New("not a frame of Slack's")

// envelope is one frame of the socket.
type envelope struct {
	Kind    string          `json:"type"`
	ID      string          `json:"envelope_id"`
	Payload json.RawMessage `json:"payload"`
	// AcceptsAnswer says whether the acknowledgement may bring one.
	AcceptsAnswer bool   `json:"accepts_response_payload"`
	Reason        string `json:"reason"`
	// Retry counts from 0; only events are sent again.
	Retry int `json:"retry_attempt"`
}

// readEnvelope decodes a frame. Kinds that we don't know are let through: they
// are acknowledged and left alone.
func readEnvelope(raw []byte) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil || e.Kind == "" || len(e.ID) > maxActionID {
		return envelope{}, errFrame
	}
	switch e.Kind {
	case frameHello, frameDisconnect:
		return e, nil
	case frameEvents, frameInteractive, frameCommands:
		if len(e.Payload) == 0 || e.ID == "" {
			return envelope{}, errFrame
		}
	}
	return e, nil
}

// ack is our answer to an envelope.
type ack struct {
	ID      string `json:"envelope_id"`
	Payload any    `json:"payload,omitempty"`
}
