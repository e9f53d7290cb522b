// SPDX-License-Identifier: Apache-2.0

package incidents

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"belfry/chat"
	"belfry/incident"
	"belfry/response"
	"belfry/store"
)

var _ chat.Recorder = (*Commands)(nil)

// What people read when their mark is not taken.
const (
	sayNoIncident = "This channel belongs to no incident, so the message was not kept. “convert #42” makes it an incident's own."
	sayOurs       = "That message is Belfry's own: what it tells stands in the record already. Nothing was done."
)

// MarkOf implements chat.Recorder.
func (c *Commands) MarkOf(emoji string) string {
	s := c.Response.Settings()
	return string(s.KeepOf(emoji))
}

// Records implements chat.Recorder.
func (c *Commands) Records(ctx context.Context, connection, channel string) (bool, error) {
	_, err := c.Store.IncidentIn(ctx, connection, channel)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// RecordChannels implements chat.Recorder.
func (c *Commands) RecordChannels(ctx context.Context, connection string, limit int) ([]string, error) {
	return c.Store.IncidentChannels(ctx, connection, limit)
}

// Record implements chat.Recorder. The key of a message is its place and what
// it is kept as: no second person, repetition or restart keeps it again.
func (c *Commands) Record(ctx context.Context, m chat.Marked) (chat.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if c.Gate != nil {
		if no := c.Gate.May(ctx, m.Actor); no != nil {
			return *no, nil
		}
	}
	i, err := c.call(ctx, m.Actor, m.Message.Ref.Channel).here()
	switch {
	case err != nil:
		return chat.Answer{}, fmt.Errorf("can't tell whose channel it is: %w", err)
	case i == nil:
		return chat.Answer{Whisper: sayNoIncident}, nil
	case m.Message.Ours:
		return chat.Answer{Whisper: sayOurs}, nil
	}
	key := strings.Join([]string{"kept", m.Actor.Connection, m.Message.Ref.Channel, m.Message.Ref.Post, m.Mark}, " ")
	done, known, err := c.Response.Record(ctx, i.Number, incident.Keep(m.Mark), said(m.Message), personOf(m.Actor), key)
	if _, no := errors.AsType[*response.RefusedError](err); no {
		return chat.Answer{Whisper: trouble(err)}, nil
	}
	if err != nil || known {
		return chat.Answer{}, err
	}
	return chat.Answer{Whisper: kept(done)}, nil
}

// marks tells which emoji keep messages; empty: none does.
func (c *Commands) marks() string {
	as := map[incident.Keep]string{incident.KeepTimeline: "in the timeline", incident.KeepTask: "as a task", incident.KeepFollowUp: "as a follow-up"}
	s := c.Response.Settings()
	var parts []string
	for _, k := range incident.Keeps() {
		if emoji := s.Reactions[k]; len(emoji) > 0 {
			parts = append(parts, strings.Join(emoji, " or ")+" "+as[k])
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Where Belfry sees emoji, one on a message in an incident's own channel keeps that message: " + strings.Join(parts, ", ") + "."
}

// said is a message as incidents keep it.
func said(m chat.Quoted) incident.Said {
	return incident.Said{Text: m.Text, By: personOf(m.Author), At: m.At, Link: m.Link}
}

// kept says what came of a mark.
func kept(d response.Done) string {
	ref := d.Incident.Ref()
	switch d.Entry.Kind {
	case incident.EntryTask:
		return fmt.Sprintf("This is task %s of %s now. “tasks” lists them; “done %s” finishes it.", d.Entry.What, ref, d.Entry.What)
	case incident.EntryFollowUp:
		return fmt.Sprintf("This is follow-up %s of %s now. “tasks” lists them; “done %s” finishes it.", d.Entry.What, ref, d.Entry.What)
	}
	return "This stands in the timeline of " + ref + " now."
}
