// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// directoryRoutes are the calls that look people up.
func directoryRoutes() map[string]handler {
	return map[string]handler{
		"POST /api/v4/users/usernames":    (*Server).usersByNames,
		"GET /api/v4/users/email/{email}": (*Server).userByEmail,
		"GET /api/v4/users":               (*Server).listUsers,
		"GET /api/v4/groups":              (*Server).listGroups,
		"GET /api/v4/groups/{id}/members": (*Server).groupMembers,
	}
}

// Group is a group of people: synchronized with LDAP, or a custom one.
type Group struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Display  string `json:"display_name"`
	Source   string `json:"source"`
	DeleteAt int64  `json:"delete_at"`
	members  map[string]bool
}

// AddGroup makes a custom group; RemoveGroup ends it.
func (s *Server) AddGroup(name string, members ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := &Group{ID: newID(), Name: name, Display: "Group " + name, Source: "custom", members: map[string]bool{}}
	for _, m := range members {
		g.members[s.user(m).ID] = true
	}
	s.groups = append(s.groups, g)
}

// RemoveGroup ends a group: it stays in no list.
func (s *Server) RemoveGroup(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.groups {
		if g.Name == name {
			g.DeleteAt = millis(s.clock.Now())
		}
	}
}

// HideEmails is ShowEmailAddress of the System Console switched off.
func (s *Server) HideEmails() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hideEmails = true
}

// Email is a person's address.
func Email(user string) string { return user + "@mail.example" }

// usersByNames is POST /users/usernames: those that are known, switched off or
// not, programs too.
func (s *Server) usersByNames(c call) (int, any, *apiError) {
	var names []string
	if err := c.read(&names); err != nil || len(names) == 0 {
		return 0, nil, errParam("usernames")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []User{}
	for _, name := range names {
		if u := s.names[name]; u != nil && !u.purged {
			out = append(out, *u)
		}
	}
	return http.StatusOK, out, nil
}

func (s *Server) userByEmail(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hideEmails && !c.user.isAdmin() {
		return 0, nil, fail(http.StatusForbidden, "api.user.get_user_by_email.permissions.app_error", "Unable to get user by email.")
	}
	address := strings.ToLower(c.PathValue("email"))
	for _, u := range s.users {
		if Email(u.Username) == address {
			return http.StatusOK, *u, nil
		}
	}
	return 0, nil, errNotFound("app.user.missing_account.const", "Unable to find the user.")
}

// paged returns the page of a list that a call asks for: 60 at once, 200 at most.
func paged[T any](c call, all []T) []T {
	number := func(name string, otherwise int) int {
		n, err := strconv.Atoi(c.URL.Query().Get(name))
		if err != nil || n < 0 {
			return otherwise
		}
		return n
	}
	size := min(number("per_page", 60), 200)
	from := min(number("page", 0)*size, len(all))
	return all[from:min(from+size, len(all))]
}

func (s *Server) listUsers(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := c.URL.Query()
	in := q.Get("in_channel")
	if in == "" {
		return 0, nil, errPermissions() // the fake lists a channel's people alone
	}
	ch := s.channels[in]
	if ch == nil || !ch.members[c.user.ID] && !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	return http.StatusOK, paged(c, s.sorted(ch.members, q.Get("active") == "true")), nil
}

// sorted are people by handle. s.mu is held.
func (s *Server) sorted(ids map[string]bool, active bool) []User {
	out := []User{}
	for id, in := range ids {
		if u := s.users[id]; in && u != nil && (u.DeleteAt == 0 || !active) {
			out = append(out, *u)
		}
	}
	slices.SortFunc(out, func(a, b User) int { return cmp.Compare(a.Username, b.Username) })
	return out
}

// grouping says what reading groups takes: a licence (501 on old servers, 403
// on new ones), and for custom groups version 6.3. s.mu is held.
func (s *Server) grouping() *apiError {
	major, _, _ := strings.Cut(s.versionNow(), ".")
	m, _ := strconv.Atoi(major) // versions of tests are well formed
	switch {
	case s.licensed:
		return nil
	case m < 7:
		return fail(http.StatusNotImplemented, "api.ldap_groups.license_error", "Your license does not support LDAP groups.")
	}
	return fail(http.StatusForbidden, "api.license_error", "Your license does not support this.")
}

// listGroups finds groups by a part of their names.
func (s *Server) listGroups(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.grouping(); err != nil {
		return 0, nil, err
	}
	out := []Group{}
	for _, g := range s.groups {
		part := strings.ToLower(c.URL.Query().Get("q"))
		if g.DeleteAt == 0 && (strings.Contains(strings.ToLower(g.Name), part) || strings.Contains(strings.ToLower(g.Display), part)) {
			out = append(out, *g)
		}
	}
	slices.SortFunc(out, func(a, b Group) int { return cmp.Compare(a.Display, b.Display) })
	return http.StatusOK, paged(c, out), nil
}

// groupMembers lists those whose accounts are active.
func (s *Server) groupMembers(c call) (int, any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.grouping(); err != nil {
		return 0, nil, err
	}
	for _, g := range s.groups {
		if g.ID != c.PathValue("id") {
			continue
		}
		if (g.Source == "ldap" || s.forbidden["read_group_members"]) && !c.user.isAdmin() {
			return 0, nil, errPermissions()
		}
		all := s.sorted(g.members, true)
		return http.StatusOK, map[string]any{"members": paged(c, all), "total_member_count": len(all)}, nil
	}
	return 0, nil, errNotFound("app.group.no_rows", "no matching group found")
}

// Users are the handles of all accounts.
func (s *Server) Users() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, u := range s.users {
		out = append(out, u.Username)
	}
	return out
}
