// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
	"unicode/utf8"
)

// The server's limits and times.
const (
	maxMessage  = 16383 // runes
	maxProps    = 8000  // runes of the encoded props
	pendingTime = 30 * time.Second
	sinceLimit  = 1000 // posts that ?since= returns at most
)

// Post is a post as the server stores it.
type Post struct {
	ID        string `json:"id"`
	CreateAt  int64  `json:"create_at"`
	UpdateAt  int64  `json:"update_at"`
	EditAt    int64  `json:"edit_at"`
	DeleteAt  int64  `json:"delete_at"`
	IsPinned  bool   `json:"is_pinned"`
	UserID    string `json:"user_id"`
	ChannelID string `json:"channel_id"`
	RootID    string `json:"root_id"`
	ParentID  string `json:"parent_id"`
	Original  string `json:"original_id"`
	Message   string `json:"message"`
	Type      string `json:"type"`
	// Props are the encoded props, with the integrations of buttons.
	Props         json.RawMessage `json:"props"`
	Hashtags      string          `json:"hashtags"`
	PendingPostID string          `json:"pending_post_id"`
	Metadata      Metadata        `json:"metadata"`
	// born is what the post said when it was posted: only that rings.
	born struct {
		message string
		props   json.RawMessage
	}
}

// pendingPost is what is remembered of a pending_post_id; post is "" while it
// is being written.
type pendingPost struct {
	post string
	at   time.Time
}

// createPost is POST /posts.
func (s *Server) createPost(c call) (int, any, *apiError) {
	var p Post
	if err := decode(c.Body, &p); err != nil {
		return 0, nil, errParam("post")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[p.ChannelID]
	if ch == nil || !ch.members[c.user.ID] {
		return 0, nil, errPermissions()
	}
	if ch.DeleteAt != 0 {
		return 0, nil, fail(http.StatusBadRequest, "api.post.create_post.can_not_post_to_deleted.error", "Can not post to deleted channel.")
	}
	if take(&s.faults.failBefore) {
		return 0, nil, errSave()
	}
	first, err := s.reserve(p.PendingPostID)
	if err != nil {
		return 0, nil, err
	}
	if first == nil {
		if s.opts.WriteTime > 0 {
			s.mu.Unlock()
			s.sleep(c.Context(), s.opts.WriteTime)
			s.mu.Lock()
		}
		p.Props = s.stripped(p.Props, c.user)
		if err := s.insert(&p, ch, c.user); err != nil {
			delete(s.pending, p.PendingPostID) // a failed create frees the key
			return 0, nil, err
		}
		if p.PendingPostID != "" {
			s.pending[p.PendingPostID].post = p.ID
		}
		s.callHooks(&p, ch, c.user) // bots' posts, too
		first = &p
	}
	if take(&s.faults.loseAnswers) {
		panic(http.ErrAbortHandler)
	}
	if take(&s.faults.failAfter) {
		return 0, nil, errSave()
	}
	return http.StatusCreated, first.shown(), nil
}

func errSave() *apiError {
	return fail(http.StatusInternalServerError, "app.post.save.app_error", "Unable to save the Post.")
}

// reserve claims a pending_post_id, or returns the post it already led to.
// The key is global: whose post it is doesn't matter.
func (s *Server) reserve(key string) (*Post, *apiError) {
	if key == "" {
		return nil, nil
	}
	now := s.clock.Now()
	if now.Sub(s.swept) > pendingTime {
		s.swept = now
		for k, p := range s.pending {
			if now.Sub(p.at) > pendingTime {
				delete(s.pending, k)
			}
		}
	}
	known := s.pending[key]
	if known == nil || now.Sub(known.at) > pendingTime {
		s.pending[key] = &pendingPost{at: now}
		return nil, nil
	}
	if known.post == "" {
		return nil, fail(http.StatusInternalServerError, "api.post.deduplicate_create_post.pending", "Rejected post since another client is making the same request.")
	}
	p := s.posts[known.post]
	if p == nil || p.DeleteAt != 0 {
		return nil, fail(http.StatusInternalServerError, "api.post.deduplicate_create_post.failed_to_get", "Failed to fetch original post after deduplicating a client requesting the same request.")
	}
	return p, nil
}

// insert checks and stores a new post. s.mu is held.
func (s *Server) insert(p *Post, ch *Channel, by *User) *apiError {
	if p.RootID != "" {
		root := s.posts[p.RootID]
		if root == nil || root.DeleteAt != 0 || root.RootID != "" {
			return fail(http.StatusBadRequest, "api.post.create_post.root_id.app_error", "Invalid RootId parameter.")
		}
		if root.ChannelID != ch.ID {
			return fail(http.StatusBadRequest, "api.post.create_post.channel_root_id.app_error", "Invalid ChannelId for RootId parameter.")
		}
	}
	if err := s.takePriority(p); err != nil {
		return err
	}
	if by.IsBot {
		p.Props = withProp(p.Props, "from_bot", "true")
	}
	if err := valid(p); err != nil {
		return err
	}
	now := s.clock.Now()
	p.ID, p.UserID, p.Type, p.ParentID = newID(), by.ID, "", p.RootID
	p.CreateAt, p.UpdateAt, p.EditAt, p.DeleteAt = millis(now), millis(now), 0, 0
	p.born.message, p.born.props = p.Message, p.Props
	s.posts[p.ID] = p
	ch.posts, ch.LastPostAt = append(ch.posts, p), p.CreateAt
	s.posted(p, ch)
	if s.opts.OnPost != nil {
		seen := *p
		s.mu.Unlock()
		s.opts.OnPost(now, &seen)
		s.mu.Lock()
	}
	return nil
}

// valid holds a post to the limits of stored posts.
func valid(p *Post) *apiError {
	if utf8.RuneCountInString(p.Message) > maxMessage {
		return fail(http.StatusBadRequest, "model.post.is_valid.msg.app_error", "Invalid message.")
	}
	// Encoding may turn one character into six at most: only what could be too
	// long is encoded again to be counted.
	if len(p.Props) > maxProps/6 {
		var props any
		if err := json.Unmarshal(p.Props, &props); err != nil {
			return errParam("props")
		}
		again, err := json.Marshal(props)
		if err != nil || utf8.RuneCount(again) > maxProps {
			return fail(http.StatusBadRequest, "model.post.is_valid.props.app_error", "Invalid props.")
		}
	}
	return nil
}

func decode(r io.Reader, into any) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

func (s *Server) createEphemeral(call) (int, any, *apiError) {
	return 0, nil, errPermissions() // a bot gets this even with system_post_all
}

// readable returns a post that the caller may read and that was not deleted.
func (s *Server) readable(c call) (*Post, *apiError) {
	p := s.posts[c.PathValue("id")]
	if p == nil || p.DeleteAt != 0 {
		return nil, errNotFound("app.post.get.app_error", "Unable to get the post.")
	}
	if ch := s.channels[p.ChannelID]; ch == nil || !ch.members[c.user.ID] && ch.Type != "O" {
		return nil, errPermissions()
	}
	return p, nil
}

func (s *Server) getPost(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.readable(c)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, p.shown(), nil
}

// patchPost is PUT /posts/{id}/patch: what is absent stays; props are replaced
// as a whole, from_bot included. An edit rings nobody.
func (s *Server) patchPost(c call) (int, any, *apiError) {
	var patch struct {
		Message *string          `json:"message"`
		Props   *json.RawMessage `json:"props"`
	}
	if err := decode(c.Body, &patch); err != nil {
		return 0, nil, errParam("post")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.posts[c.PathValue("id")]
	if p == nil || p.DeleteAt != 0 || p.UserID != c.user.ID {
		return 0, nil, errPermissions()
	}
	ch := s.channels[p.ChannelID]
	if ch == nil || !ch.members[c.user.ID] {
		return 0, nil, errPermissions()
	}
	if ch.DeleteAt != 0 {
		return 0, nil, fail(http.StatusBadRequest, "api.post.patch_post.can_not_update_post_in_deleted.error", "Can not update a post in a deleted channel.")
	}
	if take(&s.faults.failBefore) {
		return 0, nil, errSave()
	}
	next := *p
	if patch.Message != nil {
		next.Message = *patch.Message
	}
	if patch.Props != nil {
		next.Props = s.stripped(*patch.Props, c.user)
	}
	if err := valid(&next); err != nil {
		return 0, nil, err
	}
	p.Message, p.Props = next.Message, next.Props
	p.EditAt = millis(s.clock.Now())
	p.UpdateAt = p.EditAt
	if take(&s.faults.loseAnswers) {
		panic(http.ErrAbortHandler)
	}
	if take(&s.faults.failAfter) {
		return 0, nil, errSave()
	}
	return http.StatusOK, p.shown(), nil
}

func (s *Server) removePost(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.posts[c.PathValue("id")]
	if p == nil || p.DeleteAt != 0 || p.UserID != c.user.ID {
		return 0, nil, errPermissions()
	}
	s.deletePost(p)
	return 0, nil, nil
}
