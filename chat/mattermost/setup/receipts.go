// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// kind is what a receipt is for.
type kind string

const (
	kindSetting       kind = "setting"
	kindBot           kind = "bot"
	kindToken         kind = "token"
	kindTeamMember    kind = "team member"
	kindChannel       kind = "channel"
	kindChannelMember kind = "channel member"
	kindCommand       kind = "slash command"
	kindOutgoing      kind = "outgoing webhook"
	kindOAuth         kind = "oauth application"
)

// receipt is one thing that was made on the server. It is written down before
// the call and completed after it, so that what was made by a call whose answer
// was lost is known for ours. There is no secret in it.
type receipt struct {
	Kind kind `json:"kind"`
	// Name is what tells it from others of its kind, and what people read.
	Name string `json:"name"`
	// ID is the server's; empty as long as the outcome is not known. Of is the
	// user's where ID is a team or channel that they were put into.
	ID string `json:"id,omitempty"`
	Of string `json:"of,omitempty"`
	// Old and New are the values of a setting.
	Old any `json:"old,omitempty"`
	New any `json:"new,omitempty"`
	// Begun and Done are when; Done is zero while the outcome is not known.
	Begun time.Time `json:"begun"`
	Done  time.Time `json:"done,omitzero"`
}

// receipts is the file of what was made for one connection.
type receipts struct {
	path string

	URL  string    `json:"url"`
	Team string    `json:"team"`
	Made []receipt `json:"made"`
	// Asked is what the last set-up was to make, for who makes the next.
	Asked asked `json:"asked,omitzero"`
	// Files are those that were written: the bot's token and other secrets.
	Files []string `json:"files,omitempty"`
}

// maxReceipts bounds the file.
const maxReceipts = 1 << 20

func receiptsPath(dir, connection string) string {
	return filepath.Join(dir, "mattermost-"+connection+".receipts.json")
}

// loadReceipts reads the file; there need not be one.
func loadReceipts(dir, connection string) (*receipts, error) {
	r := &receipts{path: receiptsPath(dir, connection)}
	info, err := os.Stat(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil && info.Size() > maxReceipts {
		err = fmt.Errorf("it has %d bytes", info.Size())
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(r.path)
	}
	if err == nil {
		err = json.Unmarshal(b, r)
	}
	if err != nil {
		return nil, fmt.Errorf("can't read what an earlier set-up made: %s: %w", r.path, err)
	}
	return r, nil
}

// asked is the part of a wish that can't be seen from the configuration.
type asked struct {
	Channels        []string `json:"channels,omitempty"`
	Bot             string   `json:"bot,omitempty"`
	Command         string   `json:"command,omitempty"`
	IncidentCommand string   `json:"incident_command,omitempty"`
	Triggers        []string `json:"triggers,omitempty"`
	OAuth           bool     `json:"oauth,omitempty"`
}

// Earlier returns what the last set-up of a connection was to make; false where
// none is noted. Of the wish it knows what names things on the server.
func Earlier(data, connection string) (Wish, bool) {
	r, err := loadReceipts(data, connection)
	if err != nil || r.Asked.Bot == "" {
		return Wish{}, false
	}
	k := r.Asked
	return Wish{Connection: connection, URL: r.URL, Team: r.Team, Channels: k.Channels, Bot: k.Bot, Command: k.Command,
		IncidentCommand: k.IncidentCommand, Triggers: k.Triggers, OAuth: k.OAuth}, true
}

// Noted says whether a set-up of the connection is noted in the data directory.
func Noted(data, connection string) bool {
	r, err := loadReceipts(data, connection)
	return err != nil || len(r.Made) > 0 || len(r.Files) > 0
}

// save writes the file whole or not at all; an empty one is removed.
func (r *receipts) save() error {
	if len(r.Made) == 0 && len(r.Files) == 0 {
		if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("can't remove the receipts: %w", err)
		}
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := WriteFile(r.path, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("can't note what is being made: %w", err)
	}
	return nil
}

func (r *receipts) find(k kind, name string) *receipt {
	for i := range r.Made {
		if r.Made[i].Kind == k && r.Made[i].Name == name {
			return &r.Made[i]
		}
	}
	return nil
}

// begin notes that something is about to be made.
func (r *receipts) begin(n receipt) error {
	if old := r.find(n.Kind, n.Name); old != nil {
		*old = n
	} else {
		r.Made = append(r.Made, n)
	}
	return r.save()
}

// done completes the note of something that was made.
func (r *receipts) done(k kind, name, id string, at time.Time) error {
	n := r.find(k, name)
	if n == nil {
		return fmt.Errorf("there is no note of %s %s", k, name)
	}
	n.ID, n.Done = id, at
	return r.save()
}

// drop forgets a note.
func (r *receipts) drop(k kind, name string) error {
	r.Made = slices.DeleteFunc(r.Made, func(n receipt) bool { return n.Kind == k && n.Name == name })
	return r.save()
}

// wrote notes a file.
func (r *receipts) wrote(path string) error {
	if !slices.Contains(r.Files, path) {
		r.Files = append(r.Files, path)
	}
	return r.save()
}

// WriteFile writes a file whole or not at all, and lasting.
func WriteFile(path string, data []byte, mode os.FileMode) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if closing := tmp.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
