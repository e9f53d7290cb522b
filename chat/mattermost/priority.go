// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"belfry/chat"
	"belfry/clock"
)

// Ids with which a server refuses a post for its priority: from 7.7 on, where
// ServiceSettings.PostPriority is off, or where confirming is not licensed
// (Professional and above). Servers before that pass over metadata.priority.
const (
	idsPriority  = "api.post.post_priority."
	idUnlicensed = "license_error.feature_unavailable"
)

// priorityRest is how long a server that refused a priority is not asked again.
const priorityRest = 10 * time.Minute

// metadata of a new post, as far as we set it.
type metadata struct {
	Priority *postPriority `json:"priority,omitempty"`
}

// postPriority is a post's, with a webhook, too. Servers want Priority to be a
// text, be it empty.
type postPriority struct {
	Priority     string `json:"priority"`
	RequestedAck bool   `json:"requested_ack,omitempty"`
}

// loudness is what a server was seen to refuse of a message's priority.
type loudness struct {
	clock clock.Clock

	mu sync.Mutex
	// quiet and unconfirmed are until when it is sent without priority, and
	// without asking for a confirmation.
	quiet, unconfirmed time.Time
}

// of returns the priority to be sent with m; nil: none.
func (l *loudness) of(m chat.Message) *postPriority {
	p := &postPriority{Priority: string(m.Priority), RequestedAck: m.RequestAck}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	if now.Before(l.unconfirmed) {
		p.RequestedAck = false
	}
	if *p == (postPriority{}) || now.Before(l.quiet) {
		return nil
	}
	return p
}

// less returns the next less demanding priority; nil: none. An unlicensed
// server refuses the confirmation alone.
func (p *postPriority) less() *postPriority {
	if !p.RequestedAck || p.Priority == "" {
		return nil
	}
	return &postPriority{Priority: p.Priority}
}

// taken notes that tried was refused, and what was taken instead.
func (l *loudness) taken(tried, instead *postPriority) {
	l.mu.Lock()
	defer l.mu.Unlock()
	until := l.clock.Now().Add(priorityRest)
	if tried.RequestedAck {
		l.unconfirmed = until
	}
	if instead == nil && tried.Priority != "" {
		l.quiet = until
	}
}

// create posts body and reads the answer into made. A card that may not be
// posted with its priority is posted without: it is the card that matters. What
// was refused is certainly not posted.
func (p *Platform) create(ctx context.Context, body *newPost, made any) error {
	var tried *postPriority
	for {
		err := p.client.do(ctx, http.MethodPost, "/posts", body, made)
		r, refused := refusal(err)
		if refused && body.Metadata != nil && (r.ID == idUnlicensed || strings.HasPrefix(r.ID, idsPriority)) {
			refusedNow := body.Metadata.Priority
			tried, body.Metadata = cmp.Or(tried, refusedNow), nil
			if less := refusedNow.less(); less != nil && r.ID == idUnlicensed {
				body.Metadata = &metadata{less}
			}
			p.log.Warn("the server takes no such priority, cards are posted without it for a while",
				"priority", refusedNow.Priority, "request_ack", refusedNow.RequestedAck, "err", r.Error())
			continue
		}
		if err == nil && tried != nil {
			p.loudness.taken(tried, body.priority())
		}
		return err
	}
}

func (n *newPost) priority() *postPriority {
	if n.Metadata == nil {
		return nil
	}
	return n.Metadata.Priority
}
