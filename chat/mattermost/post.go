// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"belfry/chat"
	"belfry/fault"
)

// props are a post's, as far as we set them. They replace all there is.
type props struct {
	// Key is chat.Post.Key; Find looks for it.
	Key         string       `json:"belfry_key"`
	Username    string       `json:"override_username,omitempty"`
	Icon        string       `json:"override_icon_url,omitempty"`
	Hook        string       `json:"from_webhook,omitempty"`
	Attachments []attachment `json:"attachments,omitempty"`
}

// newPost is the body of POST /posts.
type newPost struct {
	Channel string `json:"channel_id"`
	Root    string `json:"root_id,omitempty"`
	Message string `json:"message"`
	// Pending makes a repeat within 30 s return the first post.
	Pending  string    `json:"pending_post_id"`
	Props    props     `json:"props"`
	Metadata *metadata `json:"metadata,omitempty"`
}

// patch is the body of PUT /posts/{id}/patch.
type patch struct {
	Message string `json:"message"`
	Props   props  `json:"props"`
}

// Post implements chat.Platform. An answer that was lost is Unknown; a repeat
// with the same key within 30 s is safe, later Find must be asked.
func (p *Platform) Post(ctx context.Context, o chat.Post) (chat.Ref, error) {
	body := newPost{Pending: o.Key}
	doing := "post to " + o.Channel
	if o.Thread != nil {
		body.Channel, body.Root = o.Thread.Channel, o.Thread.Post
		doing = "post to a thread in " + o.Channel
	} else {
		c, err := p.resolve(ctx, o.Channel)
		if err != nil {
			return chat.Ref{}, err
		}
		body.Channel = c.ID
	}
	var err error
	if body.Message, body.Props, err = p.render(o.Key, o.Message); err != nil {
		return chat.Ref{}, err
	}
	if loud := p.loudness.of(o.Message); loud != nil && body.Root == "" {
		body.Metadata = &metadata{loud}
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := p.create(ctx, &body, &made); err != nil {
		return chat.Ref{}, p.refusedPost(err, o, body.Channel, doing)
	}
	if !isID(made.ID) {
		return chat.Ref{}, fault.NewUnknown(fmt.Errorf("can't %s: mattermost of connection %s gives no id for the post", doing, p.name))
	}
	return chat.Ref{Channel: body.Channel, Post: made.ID}, nil
}

// refusedPost explains why a new post was not taken.
func (p *Platform) refusedPost(err error, o chat.Post, channelID, doing string) error {
	r, ok := refusal(err)
	if !ok {
		return p.decide(err, writes, doing)
	}
	switch {
	case r.ID == idPostArchived:
		p.forget(channelID)
		return p.archived(o.Channel, &r)
	case r.ID == idRoot || r.ID == idRootChannel:
		return fault.NewGone(fmt.Errorf("can't %s: the message it answers is gone: %w", doing, &r))
	case r.Status == http.StatusForbidden || r.Status == http.StatusNotFound:
		p.forget(channelID)
		return fault.NewPermanent(fmt.Errorf("can't %s: %s of connection %s may not write there; type \"/invite %s\" in the channel: %w",
			doing, p.handle(), p.name, p.handle(), &r))
	}
	return p.decide(err, writes, doing)
}

// Update implements chat.Platform.
func (p *Platform) Update(ctx context.Context, ref chat.Ref, key string, m chat.Message) error {
	if !isID(ref.Post) {
		return fault.NewPermanent(fmt.Errorf("%q is no post of a Mattermost", ref.Post))
	}
	var body patch
	var err error
	if body.Message, body.Props, err = p.render(key, m); err != nil {
		return err
	}
	err = p.client.do(ctx, http.MethodPut, "/posts/"+ref.Post+"/patch", &body, nil)
	if err == nil {
		return nil
	}
	doing := "edit a post in " + p.channelWord(ref.Channel)
	r, ok := refusal(err)
	switch {
	case !ok:
	case r.Status == http.StatusNotFound:
		return fault.NewGone(fmt.Errorf("can't %s: it is gone: %w", doing, &r))
	case r.ID == idPatchArchived || r.ID == idEditArchived:
		p.forget(ref.Channel)
		return p.archived(p.channelWord(ref.Channel), &r)
	case r.Status == http.StatusForbidden:
		return p.forbiddenEdit(ctx, ref, doing, &r)
	}
	return p.decide(err, writes, doing)
}

// forbiddenEdit tells a post that was deleted from one that we may not edit:
// the server answers an edit of both with the same 403.
func (p *Platform) forbiddenEdit(ctx context.Context, ref chat.Ref, doing string, cause *refused) error {
	err := p.client.do(ctx, http.MethodGet, "/posts/"+ref.Post, nil, nil)
	r, ok := refusal(err)
	switch {
	case ok && r.Status == http.StatusNotFound:
		return fault.NewGone(fmt.Errorf("can't %s: somebody deleted it: %w", doing, &r))
	case err == nil || ok && r.Status == http.StatusForbidden:
		p.forget(ref.Channel)
		return fault.NewPermanent(fmt.Errorf("can't %s: %s of connection %s may not; it must be in the channel and have written the post: %w",
			doing, p.handle(), p.name, cause))
	}
	return p.decide(err, reads, doing)
}

const (
	// sinceLimit is how many posts ?since= returns at most, in no promised order.
	sinceLimit = 1000
	pageSize   = 200
	// maxPages bounds the walk back through a channel.
	maxPages = 500
	// margin is added to what is known of the two clocks' difference.
	margin = time.Minute
)

// posts is a page of posts.
type posts struct {
	Order []string              `json:"order"`
	Posts map[string]listedPost `json:"posts"`
}

type listedPost struct {
	CreateAt int64  `json:"create_at"`
	UserID   string `json:"user_id"`
	Props    struct {
		Key string `json:"belfry_key"`
	} `json:"props"`
}

// Find implements chat.Platform. It reads all that changed in the channel
// since then, deleted posts included; where that is more than one answer holds,
// it walks back page by page, which shows no deleted posts: of a key that is
// among them it says no, and the message is posted once more.
func (p *Platform) Find(ctx context.Context, configured, key string, since time.Time) (chat.Ref, bool, error) {
	me, err := p.self(ctx)
	if err != nil {
		return chat.Ref{}, false, err
	}
	c, err := p.resolve(ctx, configured)
	if err != nil {
		return chat.Ref{}, false, err
	}
	// A server whose clock is behind stamps posts earlier than we sent them.
	from := since.Add(-margin - time.Duration(p.client.behind.Load())).UnixMilli()
	path := "/channels/" + c.ID + "/posts?"
	doing := "look for a post in " + configured
	var got posts
	if err := p.client.do(ctx, http.MethodGet, path+"since="+strconv.FormatInt(from, 10), nil, &got); err != nil {
		return chat.Ref{}, false, p.refusedRead(err, c.ID, configured, doing)
	}
	if id := got.find(key, me.ID); id != "" {
		return chat.Ref{Channel: c.ID, Post: id}, true, nil
	}
	if len(got.Order) < sinceLimit {
		return chat.Ref{}, false, nil
	}
	path += "per_page=" + strconv.Itoa(pageSize)
	before := ""
	for range maxPages {
		got = posts{}
		if err := p.client.do(ctx, http.MethodGet, path+before, nil, &got); err != nil {
			return chat.Ref{}, false, p.refusedRead(err, c.ID, configured, doing)
		}
		if id := got.find(key, me.ID); id != "" {
			return chat.Ref{Channel: c.ID, Post: id}, true, nil
		}
		if len(got.Order) == 0 {
			return chat.Ref{}, false, nil
		}
		last := got.Order[len(got.Order)-1]
		if got.Posts[last].CreateAt < from {
			return chat.Ref{}, false, nil
		}
		if !isID(last) {
			break
		}
		before = "&before=" + last
	}
	return chat.Ref{}, false, fault.NewUnknown(fmt.Errorf("can't %s: more than %d posts stand there since %s", doing, maxPages*pageSize, since))
}

// find returns the id of the post by author with this key, or "". Others can
// read our keys and put them into posts of their own.
func (l *posts) find(key, author string) string {
	for id, post := range l.Posts {
		if post.Props.Key == key && post.UserID == author && isID(id) {
			return id
		}
	}
	return ""
}

func (p *Platform) refusedRead(err error, channelID, configured, doing string) error {
	if r, ok := refusal(err); ok && (r.Status == http.StatusForbidden || r.Status == http.StatusNotFound) {
		p.forget(channelID)
		return fault.NewPermanent(fmt.Errorf("can't %s: %s of connection %s may not read %q; type \"/invite %s\" there: %w",
			doing, p.handle(), p.name, configured, p.handle(), &r))
	}
	return p.decide(err, reads, doing)
}
