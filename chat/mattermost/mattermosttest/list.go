// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// postList is the answer to all listings of posts.
type postList struct {
	Order []string        `json:"order"`
	Posts map[string]Post `json:"posts"`
	Next  string          `json:"next_post_id"`
	Prev  string          `json:"prev_post_id"`
}

func (l *postList) add(p *Post) {
	shown := p.shown()
	if p.DeleteAt != 0 {
		shown.Message = ""
	}
	shown.PendingPostID = ""
	l.Order = append(l.Order, p.ID)
	l.Posts[p.ID] = shown
}

// listPosts is GET /channels/{id}/posts: what changed since a time, or pages.
func (s *Server) listPosts(c call) (int, any, *apiError) {
	q := c.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[c.PathValue("id")]
	if ch == nil || !ch.members[c.user.ID] {
		return 0, nil, errPermissions()
	}
	list := postList{Order: []string{}, Posts: map[string]Post{}}
	text := q.Get("since")
	if text == "" {
		list.page(ch, q)
		return http.StatusOK, list, nil
	}
	since, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, nil, fail(http.StatusBadRequest, "api.context.invalid_url_param.app_error", "Invalid or missing since parameter in request URL.")
	}
	list.since(ch, since)
	return http.StatusOK, list, nil
}

// since adds what was changed after a time, deleted posts included (without
// their text), at most 1000 of them and with no promise which; newest first.
func (l *postList) since(ch *Channel, since int64) {
	for _, p := range ch.posts {
		if p.UpdateAt > since && len(l.Order) < sinceLimit {
			l.add(p)
		}
	}
	slices.Reverse(l.Order)
}

// page adds one page, newest first, without deleted posts.
func (l *postList) page(ch *Channel, q url.Values) {
	perPage, _ := strconv.Atoi(q.Get("per_page")) // what is no number is the default
	if perPage <= 0 {
		perPage = 60
	}
	perPage = min(perPage, 200)
	page, _ := strconv.Atoi(q.Get("page")) // see above
	skip := max(page, 0) * perPage
	started := q.Get("before") == ""
	for _, p := range slices.Backward(ch.posts) {
		switch {
		case !started:
			started = p.ID == q.Get("before")
		case p.DeleteAt != 0:
		case skip > 0:
			skip--
		case len(l.Order) < perPage:
			l.add(p)
		}
	}
}
