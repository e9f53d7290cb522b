// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"

	"belfry/chat/mattermost/reach"
	"belfry/config"
)

// Removal undoes what set-ups of one connection made, by their receipts, and
// nothing that was there before.
type Removal struct {
	api      *api
	receipts *receipts
	insecure bool
}

// ErrNothing is returned where no set-up made anything.
var ErrNothing = errors.New("no set-up is noted for this connection, so there is nothing to undo")

// Undo reads the receipts of a connection, and calls nobody. Of the wish it
// takes Connection, Data, CAFile, Proxy and Insecure, the last only where URL is
// empty or the server that the receipts are of.
func Undo(w Wish) (*Removal, error) {
	r, err := loadReceipts(w.Data, w.Connection)
	if err != nil {
		return nil, err
	}
	if len(r.Made) == 0 && len(r.Files) == 0 {
		return nil, ErrNothing
	}
	w.Insecure = w.Insecure && (w.URL == "" || strings.TrimRight(w.URL, "/") == r.URL)
	w.URL = r.URL
	a, err := dial(w)
	if err != nil {
		return nil, err
	}
	return &Removal{api: a, receipts: r, insecure: w.Insecure}, nil
}

// URL is the server that the receipts are of.
func (r *Removal) URL() string { return r.receipts.URL }

// Warning is what is to be known before a token is lent to it; often empty.
func (r *Removal) Warning() string {
	if r.insecure {
		return SayInsecure
	}
	return ""
}

// Close lets go of connections.
func (r *Removal) Close() { r.api.http.CloseIdleConnections() }

// Steps lists what will be undone, in that order: the last made first.
func (r *Removal) Steps() []string {
	var out []string
	for _, n := range slices.Backward(r.receipts.Made) {
		out = append(out, n.undoing())
	}
	for _, f := range r.receipts.Files {
		out = append(out, "the file "+f+" is removed")
	}
	return out
}

// undoing says what undoing a receipt means.
func (n receipt) undoing() string {
	switch n.Kind {
	case kindSetting:
		if n.Of != "" {
			return fmt.Sprintf("setting %s: %s is taken out", n.Name, n.Of)
		}
		return fmt.Sprintf("setting %s: back to %s", n.Name, shown(n.Old))
	case kindBot:
		return "bot @" + n.Name + " is deactivated (Mattermost never forgets an account)"
	case kindToken:
		return "the bot's access token is revoked"
	case kindChannel:
		return "channel " + n.Name + " is archived (its messages stay)"
	case kindTeamMember, kindChannelMember:
		return n.Name + " ends"
	case kindCommand:
		return "slash command /" + n.Name + " is removed"
	}
	return string(n.Kind) + " " + n.Name + " is removed"
}

// Run undoes everything with an administrator's token and tells what became of each: err is nil for what is
// undone. What the server refuses stays noted, so that the same removal can be
// run again; left counts it.
func (r *Removal) Run(ctx context.Context, token config.Secret, tell func(what string, err error)) (left int, err error) {
	if err := r.api.use(token); err != nil {
		return len(r.receipts.Made), err
	}
	var me user
	if err := r.api.get(ctx, "/users/me", &me); err != nil {
		return len(r.receipts.Made), fmt.Errorf("%s does not say who the administrator's token belongs to: %w", r.URL(), err)
	}
	for _, n := range slices.Backward(slices.Clone(r.receipts.Made)) {
		err := r.undo(ctx, n)
		if err == nil {
			err = r.receipts.drop(n.Kind, n.Name)
		}
		_, no := refused(err)
		no = no || errors.Is(err, errUnfinished)
		if err != nil && !no {
			return len(r.receipts.Made), fmt.Errorf("can't go on at %s: %w", n.undoing(), err)
		}
		if no {
			left++
		}
		tell(n.undoing(), err)
	}
	if left > 0 {
		return left, nil // a file may hold what is still needed
	}
	for _, path := range slices.Clone(r.receipts.Files) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 1, fmt.Errorf("can't remove a secret: %w", err)
		}
		r.receipts.Files = slices.DeleteFunc(r.receipts.Files, func(f string) bool { return f == path })
		if err := r.receipts.save(); err != nil {
			return 1, err
		}
		tell("the file "+path+" is removed", nil)
	}
	return 0, nil
}

// idArchived is how a server refuses to archive what is archived.
const idArchived = "api.channel.delete_channel.deleted.app_error"

// undo undoes one thing. What is gone already is undone.
func (r *Removal) undo(ctx context.Context, n receipt) error {
	id := n.ID
	if id == "" {
		return r.unfinished(ctx, n)
	}
	var err error
	switch n.Kind {
	case kindSetting:
		return r.restore(ctx, n)
	case kindBot:
		err = r.api.post(ctx, "/bots/"+id+"/disable", nil, nil)
	case kindToken:
		return r.revoke(ctx, n)
	case kindTeamMember:
		err = r.api.remove(ctx, "/teams/"+id+"/members/"+n.Of)
	case kindChannelMember:
		err = r.api.remove(ctx, "/channels/"+id+"/members/"+n.Of)
	case kindChannel:
		err = r.api.remove(ctx, "/channels/"+id)
		if no, ok := refused(err); ok && no.ID == idArchived {
			return nil
		}
	case kindCommand:
		err = r.api.remove(ctx, "/commands/"+id)
	case kindOutgoing:
		err = r.api.remove(ctx, "/hooks/outgoing/"+id)
	case kindOAuth:
		err = r.api.remove(ctx, "/oauth/apps/"+id)
	}
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// unfinished undoes what may or may not have been made: what was noted and not
// completed. A token that nobody knows is revoked; all else is found by the
// next set-up, which is what people are told to run.
func (r *Removal) unfinished(ctx context.Context, n receipt) error {
	switch n.Kind {
	case kindToken:
		return r.revoke(ctx, n)
	case kindSetting:
		return r.restore(ctx, n)
	}
	return errUnfinished
}

// errUnfinished is what a set-up that broke off left unknown.
var errUnfinished = errors.New("it is not known whether this was made: run belfry mattermost setup once more, and then this")

// restore puts a setting back, unless somebody changed it since.
func (r *Removal) restore(ctx context.Context, n receipt) error {
	s := Setup{api: r.api, receipts: r.receipts}
	now, err := s.setting(ctx, n.Name)
	if err != nil {
		return err
	}
	if n.Of != "" { // a list: others may have added to it
		list, _ := now.(string)
		if rest := reach.Disallow(list, n.Of); rest != list {
			return s.patch(ctx, n.Name, rest)
		}
		return nil
	}
	if now != n.New {
		return nil
	}
	return s.patch(ctx, n.Name, n.Old)
}

// revoke revokes the token with a receipt's description.
func (r *Removal) revoke(ctx context.Context, n receipt) error {
	s := Setup{api: r.api, receipts: r.receipts, known: known{bot: user{ID: n.Of}}}
	list, err := s.tokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range list {
		if t.Description == n.Name {
			return r.api.post(ctx, "/users/tokens/revoke", map[string]string{"token_id": t.ID}, nil)
		}
	}
	return nil
}
