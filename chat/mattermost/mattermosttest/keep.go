// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// keepRoutes are the calls by which channels are kept: what stands above them,
// pins, links, and the way back from the archive.
func keepRoutes() map[string]handler {
	return map[string]handler{
		"POST /api/v4/users/ids":                            (*Server).usersByIDs,
		"PUT /api/v4/channels/{id}/patch":                   (*Server).patchChannel,
		"POST /api/v4/channels/{id}/restore":                (*Server).restoreChannel,
		"POST /api/v4/posts/{id}/pin":                       pinning(true),
		"POST /api/v4/posts/{id}/unpin":                     pinning(false),
		"GET /api/v4/channels/{id}/bookmarks":               (*Server).listBookmarks,
		"POST /api/v4/channels/{id}/bookmarks":              (*Server).createBookmark,
		"DELETE /api/v4/channels/{id}/bookmarks/{bookmark}": (*Server).deleteBookmark,
	}
}

const (
	maxHeader, maxPurpose = 1024, 250
	maxBookmarks          = 50
)

// Forbid takes rights away from everybody but administrators, as the System
// Console does: create_public_channel, create_private_channel,
// manage_public_channel_properties, delete_public_channel,
// manage_public_channel_members and the same for private ones,
// add_bookmark_public_channel and delete_bookmark_public_channel, too.
func (s *Server) Forbid(rights ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, right := range rights {
		s.forbidden[right] = true
	}
}

// Permit gives rights back that Forbid took.
func (s *Server) Permit(rights ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, right := range rights {
		delete(s.forbidden, right)
	}
}

// may says whether somebody has a right; "*" in it stands for the channel's
// kind. s.mu is held.
func (s *Server) may(u *User, right, kind string) bool {
	word := "public"
	if kind == "P" {
		word = "private"
	}
	return u.isAdmin() || !s.forbidden[strings.Replace(right, "*", word, 1)]
}

// keepable is a channel that the caller is in and has a right in. s.mu is held.
func (s *Server) keepable(c call, right string) (*Channel, *apiError) {
	ch := s.channels[c.PathValue("id")]
	switch {
	case ch == nil:
		return nil, errNotFound("app.channel.get.existing.app_error", "Unable to find the existing channel.")
	case !ch.members[c.user.ID] && !c.user.isAdmin(), !s.may(c.user, right, ch.Type):
		return nil, errPermissions()
	}
	return ch, nil
}

// usersByIDs is POST /users/ids: those that are known, switched off or not.
func (s *Server) usersByIDs(c call) (int, any, *apiError) {
	var ids []string
	if err := c.read(&ids); err != nil || len(ids) == 0 {
		return 0, nil, errParam("user_ids")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []User{}
	for _, id := range ids {
		if u := s.users[id]; u != nil {
			out = append(out, *u)
		}
	}
	return http.StatusOK, out, nil
}

// wrongTexts says what is wrong with a channel's texts.
func wrongTexts(ch *Channel) *apiError {
	bad := func(id, message string) *apiError {
		return fail(http.StatusBadRequest, "model.channel.is_valid."+id+".app_error", message)
	}
	switch {
	case !isHandle(ch.Name):
		return bad("2_or_more", "Name must be 2 or more lowercase alphanumeric characters.")
	case utf8.RuneCountInString(ch.DisplayName) > 64:
		return bad("display_name", "Invalid display name.")
	case utf8.RuneCountInString(ch.Header) > maxHeader:
		return bad("header", "Invalid header.")
	case utf8.RuneCountInString(ch.Purpose) > maxPurpose:
		return bad("purpose", "Invalid purpose.")
	}
	return nil
}

// isHandle holds for the names that channels may have.
func isHandle(name string) bool {
	return len(name) >= 2 && len(name) <= 64 && strings.Trim(name, "-") == name && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// patchChannel is PUT /channels/{id}/patch: what is absent stays.
func (s *Server) patchChannel(c call) (int, any, *apiError) {
	var patch struct {
		Name        *string `json:"name"`
		DisplayName *string `json:"display_name"`
		Header      *string `json:"header"`
		Purpose     *string `json:"purpose"`
	}
	if err := c.read(&patch); err != nil {
		return 0, nil, errParam("channel")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.keepable(c, "manage_*_channel_properties")
	if err != nil {
		return 0, nil, err
	}
	next := *ch
	for _, f := range []struct{ from, to *string }{{patch.Name, &next.Name}, {patch.DisplayName, &next.DisplayName}, {patch.Header, &next.Header}, {patch.Purpose, &next.Purpose}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if err := wrongTexts(&next); err != nil {
		return 0, nil, err
	}
	for _, other := range s.channels {
		if other != ch && other.TeamID == ch.TeamID && other.Name == next.Name {
			return 0, nil, fail(http.StatusBadRequest, "store.sql_channel.update.exists.app_error", "A channel with that handle already exists.")
		}
	}
	ch.Name, ch.DisplayName, ch.Header, ch.Purpose = next.Name, next.DisplayName, next.Header, next.Purpose
	return http.StatusOK, *ch, nil
}

// restoreChannel opens an archived channel; that takes manage_team, which
// plain members, bots among them, do not have.
func (s *Server) restoreChannel(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[c.PathValue("id")]
	switch {
	case ch == nil:
		return 0, nil, errNotFound("app.channel.get.existing.app_error", "Unable to find the existing channel.")
	case !c.user.isAdmin() && !slices.Contains(strings.Fields(c.user.Roles), "team_admin"):
		return 0, nil, errPermissions()
	case ch.DeleteAt == 0:
		return 0, nil, fail(http.StatusBadRequest, "api.channel.restore_channel.restored.app_error", "Unable to unarchive channel. The channel is not archived.")
	}
	ch.DeleteAt = 0
	return http.StatusOK, *ch, nil
}

// pinning is POST /posts/{id}/pin and unpin, which may be repeated.
func pinning(on bool) handler {
	return func(s *Server, c call) (int, any, *apiError) {
		s.mu.Lock()
		defer s.mu.Unlock()
		p := s.posts[c.PathValue("id")]
		if p == nil || p.DeleteAt != 0 {
			return 0, nil, errPermissions()
		}
		ch := s.channels[p.ChannelID]
		switch {
		case ch == nil || !ch.members[c.user.ID]:
			return 0, nil, errPermissions()
		case ch.DeleteAt != 0:
			return 0, nil, fail(http.StatusBadRequest, "api.post.patch_post.can_not_update_post_in_deleted.error", "Can not update a post in a deleted channel.")
		}
		p.IsPinned = on
		return 0, nil, nil
	}
}

// Bookmark is a link above a channel.
type Bookmark struct {
	ID          string `json:"id"`
	OwnerID     string `json:"owner_id"`
	ChannelID   string `json:"channel_id"`
	DisplayName string `json:"display_name"`
	LinkURL     string `json:"link_url"`
	Emoji       string `json:"emoji"`
	Type        string `json:"type"`
	DeleteAt    int64  `json:"delete_at"`
}

// bookmarkable is the channel of a call about bookmarks: from 9.5 on, with a
// licence (501; 403 in the first ones). s.mu is held.
func (s *Server) bookmarkable(c call, right string) (*Channel, *apiError) {
	major, rest, _ := strings.Cut(s.versionNow(), ".")
	minor, _, _ := strings.Cut(rest, ".")
	m, _ := strconv.Atoi(major) // versions of tests are well formed
	n, _ := strconv.Atoi(minor)
	switch {
	case m < 9 || m == 9 && n < 5:
		return nil, errNotFound("api.context.404.app_error", "Sorry, we could not find the page.")
	case !s.licensed:
		return nil, fail(http.StatusNotImplemented, "api.channel.bookmark.channel_bookmark.license.error", "Your license does not support channel bookmarks.")
	}
	ch, err := s.keepable(c, right)
	if err == nil && ch.DeleteAt != 0 && right != "" {
		return nil, fail(http.StatusForbidden, "api.channel.bookmark.create_channel_bookmark.deleted_channel.forbidden.app_error", "Failed to create the channel bookmark.")
	}
	return ch, err
}

func (s *Server) listBookmarks(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.bookmarkable(c, "")
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, append([]Bookmark{}, ch.bookmarks...), nil
}

func (s *Server) createBookmark(c call) (int, any, *apiError) {
	var b Bookmark
	if err := c.read(&b); err != nil {
		return 0, nil, errParam("channelBookmark")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.bookmarkable(c, "add_bookmark_*_channel")
	bad := func(what string) (int, any, *apiError) {
		return 0, nil, fail(http.StatusBadRequest, "model.channel_bookmark.is_valid."+what+".app_error", "Invalid "+what+".")
	}
	switch {
	case err != nil:
		return 0, nil, err
	case b.DisplayName == "" || utf8.RuneCountInString(b.DisplayName) > 64:
		return bad("display_name")
	case b.Type != "link":
		return bad("type")
	case !strings.HasPrefix(b.LinkURL, "http") || utf8.RuneCountInString(b.LinkURL) > 1024:
		return bad("link_url")
	case len(ch.bookmarks) >= maxBookmarks:
		return 0, nil, fail(http.StatusBadRequest, "app.channel.bookmark.save.app_error", "Could not save the bookmark.")
	}
	b.ID, b.OwnerID, b.ChannelID, b.DeleteAt = newID(), c.user.ID, ch.ID, 0
	ch.bookmarks = append(ch.bookmarks, b)
	return http.StatusCreated, b, nil
}

func (s *Server) deleteBookmark(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.bookmarkable(c, "delete_bookmark_*_channel")
	if err != nil {
		return 0, nil, err
	}
	at := slices.IndexFunc(ch.bookmarks, func(b Bookmark) bool { return b.ID == c.PathValue("bookmark") })
	if at < 0 {
		return 0, nil, errNotFound("app.channel.bookmark.get.app_error", "Could not get the bookmark.")
	}
	gone := ch.bookmarks[at]
	ch.bookmarks = slices.Delete(slices.Clone(ch.bookmarks), at, at+1)
	gone.DeleteAt = millis(s.clock.Now())
	return http.StatusOK, gone, nil
}

// AddBookmark puts somebody's link above a channel.
func (s *Server) AddBookmark(owner, channel, title, link string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channelNamed(channel)
	ch.bookmarks = append(ch.bookmarks, Bookmark{ID: newID(), OwnerID: s.user(owner).ID, ChannelID: ch.ID, DisplayName: title, LinkURL: link, Type: "link"})
}

// Promote makes somebody an administrator of their teams.
func (s *Server) Promote(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user(user).Roles += " team_admin"
}

// Look is a channel as it stands: its ids of members, pinned posts and links.
func (s *Server) Look(channel string) (ch Channel, members map[string]bool, pins []string, links []Bookmark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.channelNamed(channel)
	for _, p := range found.posts {
		if p.IsPinned && p.DeleteAt == 0 {
			pins = append(pins, p.ID)
		}
	}
	return *found, maps.Clone(found.members), pins, slices.Clone(found.bookmarks)
}

// PinPost pins a post as a person would.
func (s *Server) PinPost(post string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts[post].IsPinned = true
}

// RenameChannel gives a channel another name, as a person would.
func (s *Server) RenameChannel(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channelNamed(from).Name = to
}

// ChannelNames are the handles of all channels, archived ones included.
func (s *Server) ChannelNames() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.channels {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}
