// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"net/http"
)

// Answerer says what a message in a channel would be answered with.
type Answerer interface {
	// TryAnswer returns it as plain text; channel is connection/channel. Nothing
	// is posted.
	TryAnswer(ctx context.Context, channel, text string) (string, error)
}

// AnswerOrder is the body of POST /answer.
type AnswerOrder struct {
	// Channel is connection/channel, Text the whole message.
	Channel string `json:"channel"`
	Text    string `json:"text"`
}

// Answered is what POST /answer is answered with.
type Answered struct {
	Text  string `json:"text"`
	Error string `json:"error,omitempty"`
}

// answer answers POST /answer, on the socket alone.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	var o AnswerOrder
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&o); err != nil {
		obey(w, http.StatusBadRequest, "the order can't be read; see belfry answer --help")
		return
	}
	text, err := s.opt.Answerer.TryAnswer(r.Context(), o.Channel, o.Text)
	said := Answered{Text: text}
	if err != nil {
		said.Error = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(said) // whoever asked may be gone
}
