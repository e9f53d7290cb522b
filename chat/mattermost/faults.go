// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"errors"
	"fmt"
	"net/http"

	"belfry/fault"
)

// Error ids of Mattermost that decide something.
const (
	idPending       = "api.post.deduplicate_create_post.pending"
	idPostArchived  = "api.post.create_post.can_not_post_to_deleted.error"
	idPatchArchived = "api.post.patch_post.can_not_update_post_in_deleted.error"
	idEditArchived  = "api.post.update_post.can_not_update_post_in_deleted.error"
	idRoot          = "api.post.create_post.root_id.app_error"
	idRootChannel   = "api.post.create_post.channel_root_id.app_error"
)

// effect says what a call does to the server.
type effect bool

const (
	reads  effect = false
	writes effect = true
)

// decide turns what happened to a call into a decision; doing says what the
// call was for, such as "post to ~ops".
func (p *Platform) decide(err error, e effect, doing string) error {
	said := func(format string, args ...any) error {
		return fmt.Errorf("can't %s: %w", doing, fmt.Errorf(format, args...))
	}
	if b, ok := errors.AsType[*broken](err); ok {
		switch {
		case !b.Sent:
			return fault.NewRetry(said("mattermost of connection %s was not reached, nothing was sent: %w", p.name, b.Err))
		case e == reads:
			return fault.NewRetry(said("mattermost of connection %s did not answer: %w", p.name, b.Err))
		}
		return fault.NewUnknown(said("mattermost of connection %s did not say whether it was done: %w", p.name, b.Err))
	}
	r, ok := errors.AsType[*refused](err)
	if !ok {
		return fault.NewUnknown(said("%w", err))
	}
	switch {
	case r.Status == http.StatusTooManyRequests:
		return fault.NewRetryAfter(said("mattermost of connection %s asks to wait %v: %w", p.name, r.After, r), r.After)
	case r.Status == http.StatusUnauthorized && p.client.account != nil:
		return fault.NewRetry(said("mattermost does not let the account of connection %s in, and gives no session token (wrong login_id or password, a second factor, or deactivated); "+
			"it is not tried again for %v; correct it and reload: %w", p.name, afterRefusal, r))
	case r.Status == http.StatusUnauthorized:
		return fault.NewRetry(said("mattermost refuses the token of connection %s (revoked, its bot deactivated, or tokens switched off); give it a new one: %w", p.name, r))
	case r.ID == idPending:
		// It has the post or will have it, unless that attempt fails: asked for
		// before it is repeated. Nobody else has to wait for it.
		return fault.NewUnknown(said("mattermost is still writing an earlier attempt: %w", r))
	case r.Status >= 500 && e == reads:
		return fault.NewRetry(said("mattermost of connection %s has trouble: %w", p.name, r))
	case r.Status >= 500:
		return fault.NewUnknown(said("mattermost of connection %s has trouble and may have done it: %w", p.name, r))
	case r.Status >= 300 && r.Status < 400:
		return fault.NewPermanent(said("url of connection %s answers with a redirect to %q; set url to where Mattermost really is", p.name, r.To))
	}
	return fault.NewPermanent(said("mattermost of connection %s refuses: %w", p.name, r))
}

// refusal returns the server's answer in err, if there is one.
func refusal(err error) (refused, bool) {
	r, ok := errors.AsType[*refused](err)
	if !ok {
		return refused{}, false
	}
	return *r, true
}
