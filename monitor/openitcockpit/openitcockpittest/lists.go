// SPDX-License-Identifier: Apache-2.0

package openitcockpittest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// read answers what only looks.
func (s *Server) read(w http.ResponseWriter, r *http.Request, rights Rights) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		fail(w, r, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	switch path := r.URL.Path; {
	case path == "/":
		w.Header().Set("Content-Type", "text/html")
	case path == "/hosts/index.json":
		s.index(w, r, rights.Hosts, false)
	case path == "/services/index.json":
		s.index(w, r, rights.Services, true)
	case strings.HasPrefix(path, "/hosts/byUuid/"):
		s.byUUID(w, r, rights.ByUUID, "host")
	case strings.HasPrefix(path, "/services/byUuid/"):
		s.byUUID(w, r, rights.ByUUID, "service")
	default:
		fail(w, r, http.StatusNotFound, "Not Found")
	}
}

// byUUID is HostsController::byUuid and ServicesController::byUuid.
func (s *Server) byUUID(w http.ResponseWriter, r *http.Request, may bool, what string) {
	uuid := strings.TrimSuffix(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], ".json")
	o := s.core.look(uuid)
	switch {
	case !may:
		forbid(w)
	case o.uuid == "" || (o.service != "") != (what == "service"):
		fail(w, r, http.StatusNotFound, strings.ToUpper(what[:1])+what[1:]+" not found")
	case o.hidden:
		// allowedByContainerId throws for requests that are not the web pages'.
		fail(w, r, http.StatusForbidden, "403 Forbidden")
	default:
		answer(w, http.StatusOK, map[string]any{what: map[string]any{"id": 1, "uuid": o.uuid, "name": o.hostName + o.service}})
	}
}

// index is HostsController::index and ServicesController::index.
func (s *Server) index(w http.ResponseWriter, r *http.Request, may, services bool) {
	if !may {
		forbid(w)
		return
	}
	q := r.URL.Query()
	var found []map[string]any
	for _, o := range s.core.all() {
		if o.hidden || o.disabled || services != (o.service != "") || !fits(q, o) {
			continue
		}
		found = append(found, show(o, slices.Contains(q["includes[]"], "acknowledgements")))
	}
	limit, page := whole(q.Get("limit"), 25), whole(q.Get("page"), 1)
	from := min((page-1)*limit, len(found))
	to := min(from+limit, len(found))
	list := append([]map[string]any{}, found[from:to]...)
	name := "all_hosts"
	if services {
		name = "all_services"
	}
	out := map[string]any{name: list}
	if scroll := q.Get("scroll"); scroll != "" && scroll != "false" {
		out["scroll"] = map[string]any{"page": page, "limit": limit, "offset": from, "hasPrevPage": page > 1, "prevPage": max(1, page-1),
			"nextPage": page + 1, "current": to - from, "hasNextPage": to < len(found)}
	} else {
		out["paging"] = map[string]any{"page": page, "count": len(found)}
	}
	answer(w, http.StatusOK, out)
}

// fits applies the filters: UUIDs are equal or in a list, names have the text
// in them in any case, with SQL's wildcards.
func fits(q url.Values, o object) bool {
	host, service := o.uuid, ""
	if o.service != "" {
		host, service = "", o.uuid
	}
	for field, value := range map[string]string{"Hosts.uuid": host, "Services.uuid": service} {
		wanted := append(slices.Clone(q["filter["+field+"][]"]), q["filter["+field+"]"]...)
		if len(wanted) > 0 && !slices.Contains(wanted, value) {
			return false
		}
	}
	for field, value := range map[string]string{"Hosts.name": o.hostName, "servicename": o.service} {
		if text := q.Get("filter[" + field + "]"); text != "" && !like(value, text) {
			return false
		}
	}
	return true
}

// like is SQL's LIKE '%text%', as far as % goes.
func like(value, text string) bool {
	rest := strings.ToLower(value)
	for part := range strings.SplitSeq(strings.ToLower(text), "%") {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return true
}

func whole(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// show is one object of a list, with what Belfry has no use for left out but
// for some of each kind.
func show(o object, acks bool) map[string]any {
	status := map[string]any{
		"currentState": o.state, "lastHardState": nil, "isFlapping": false, "problemHasBeenAcknowledged": o.acked,
		"scheduledDowntimeDepth": o.downtime, "lastCheck": "14:15:00 - 22.11.2026", "notifications_enabled": !o.silent,
		"output": "CRITICAL - 97% used", "outputHtml": "CRITICAL - 97% used", "isInMonitoring": !o.unexported, "humanState": "critical",
	}
	if o.unexported {
		status["currentState"], status["scheduledDowntimeDepth"], status["notifications_enabled"] = nil, nil, nil
	}
	out := map[string]any{
		"Host": map[string]any{"id": 1, "uuid": o.host, "hostname": o.hostName, "name": o.hostName, "address": "192.0.2.1",
			"description": nil, "satelliteId": 0, "is_satellite_host": false, "allow_edit": false},
		"Downtime": []any{}, "Acknowledgement": []any{},
	}
	if o.service == "" {
		out["Hoststatus"], out["ServicestatusSummary"] = status, map[string]any{"state": map[string]any{"ok": 1}}
	} else {
		out["Service"] = map[string]any{"id": 2, "uuid": o.uuid, "servicename": o.service, "hostname": o.hostName, "description": ""}
		out["Servicestatus"], out["Hoststatus"] = status, map[string]any{"currentState": 0, "isFlapping": false}
	}
	if acks && o.acked {
		out["Acknowledgement"] = map[string]any{"acknowledgement_type": 1, "author_name": o.author, "comment_data": o.comment,
			"entry_time": "14:15:00 - 22.11.2026", "is_sticky": true, "notify_contacts": true, "persistent_comment": true, "state": o.state, "allowEdit": false}
	}
	return out
}
