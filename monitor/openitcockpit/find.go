// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
	"belfry/monitor/extcmd"
)

const (
	// perList is how many UUIDs one request asks for: they stand in its
	// address, and web servers take no more than 8 KB there.
	perList = 80
	// perPage and mostPages bound the search for a name.
	perPage   = 200
	mostPages = 5
)

// list reads one page of hosts or services that fit the filters.
func (c *client) list(ctx context.Context, services bool, page, limit int, filter url.Values) (rows []row, more bool, err error) {
	what := "hosts"
	if services {
		what = "services"
	}
	q := url.Values{
		"scroll": {"true"}, "limit": {strconv.Itoa(limit)}, "page": {strconv.Itoa(page)},
		// Later versions tell who acknowledged only where that is asked for.
		"includes[]": {"acknowledgements"},
	}
	for k, v := range filter {
		q[k] = v
	}
	body, err := c.get(ctx, "/"+what+"/index.json", q)
	switch statusOf(err) {
	case http.StatusForbidden:
		return nil, false, fault.NewPermanent(&refusal{http.StatusForbidden, "the user of the api key may not list " + what + ": give its user role the right " + what + " → index in openITCOCKPIT"})
	case http.StatusNotFound:
		return nil, false, fault.NewRetry(&refusal{http.StatusNotFound, "there is no openITCOCKPIT at " + c.base + ": look whether url is right"})
	}
	if err != nil {
		return nil, false, err
	}
	rows, more, err = decodeList(body, services)
	if err != nil {
		return nil, false, fault.NewRetry(err)
	}
	return rows, more, nil
}

// byUUID reads the objects with these UUIDs, at most perList. Those that
// openITCOCKPIT does not show are left out.
func (c *client) byUUID(ctx context.Context, services bool, uuids []string) ([]row, error) {
	field := "filter[Hosts.uuid][]"
	if services {
		field = "filter[Services.uuid][]"
	}
	rows, _, err := c.list(ctx, services, 1, len(uuids), url.Values{field: uuids})
	return rows, err
}

// find returns what openITCOCKPIT shows of o. It takes commands for objects
// that do not exist and says that all is well, so every act begins here.
func (c *client) find(ctx context.Context, o alert.Object) (row, error) {
	if err := extcmd.CheckObject(o); err != nil {
		return row{}, err
	}
	if o.Kind == alert.KindHost {
		return c.findHost(ctx, o.Host)
	}
	if !isUUID(o.Service) {
		return c.findServiceByName(ctx, o)
	}
	r, err := c.known(ctx, true, tidyUUID(o.Service))
	if err == nil && isUUID(o.Host) && r.host != tidyUUID(o.Host) {
		err = fault.NewPermanent(fmt.Errorf("service %s belongs to host %s in openITCOCKPIT, not to %s: was it moved?", r.service, r.host, tidyUUID(o.Host)))
	}
	return r, err
}

func (c *client) findHost(ctx context.Context, host string) (row, error) {
	if isUUID(host) {
		return c.known(ctx, false, tidyUUID(host))
	}
	found, err := c.search(ctx, false, url.Values{"filter[Hosts.name]": {host}}, func(r row) bool { return r.hostName == host })
	return only(found, err, "host", host, "--hostuuid '$HOSTNAME$'")
}

func (c *client) findServiceByName(ctx context.Context, o alert.Object) (row, error) {
	host, err := c.findHost(ctx, o.Host)
	if err != nil {
		return row{}, err
	}
	found, err := c.search(ctx, true, url.Values{"filter[Hosts.name]": {host.hostName}, "filter[servicename]": {o.Service}},
		func(r row) bool { return r.host == host.host && r.serviceName == o.Service })
	return only(found, err, "service", o.Service, "--serviceuuid '$SERVICEDESC$'")
}

// search returns the objects that fit exactly: the filters of openITCOCKPIT
// find every name that has the text somewhere in it.
func (c *client) search(ctx context.Context, services bool, filter url.Values, fits func(row) bool) ([]row, error) {
	var found []row
	for page := 1; page <= mostPages; page++ {
		rows, more, err := c.list(ctx, services, page, perPage, filter)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if fits(r) {
				found = append(found, r)
			}
		}
		if !more {
			return found, nil
		}
	}
	if len(found) == 0 {
		return nil, fault.NewPermanent(fmt.Errorf("more than %d names in openITCOCKPIT have %s in them: pass uuids in the notification command", mostPages*perPage, monitor.Quote(strings.Join(filter["filter[Hosts.name]"], " "))))
	}
	return found, nil
}

// only returns the one object that has a name.
func only(found []row, err error, what, wanted, option string) (row, error) {
	switch {
	case err != nil:
		return row{}, err
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return row{}, fault.NewPermanent(fmt.Errorf("openITCOCKPIT shows the user of the api key no %s named %s", what, monitor.Quote(wanted)))
	}
	uuids := make([]string, 0, 3)
	for _, r := range found[:min(len(found), 3)] {
		uuids = append(uuids, strings.TrimPrefix(r.host+" "+r.service, " "))
	}
	return row{}, fault.NewPermanent(fmt.Errorf("%d objects in openITCOCKPIT are a %s named %s (%s), so nobody is told: pass %s in the notification command",
		len(found), what, monitor.Quote(wanted), strings.TrimSpace(strings.Join(uuids, ", ")), option))
}

// known reads one object by its UUID, or says why it is not shown: unknown,
// not to be seen with this key, disabled, or not yet given to the core.
func (c *client) known(ctx context.Context, services bool, uuid string) (row, error) {
	rows, err := c.byUUID(ctx, services, []string{uuid})
	if err != nil {
		return row{}, err
	}
	what, path := "host", "/hosts/byUuid/"
	if services {
		what, path = "service", "/services/byUuid/"
	}
	for _, r := range rows {
		if !services && r.host == uuid || services && r.service == uuid {
			if !r.monitored {
				return row{}, fault.NewPermanent(fmt.Errorf("%s %s is not monitored yet: refresh openITCOCKPIT's monitoring configuration", what, monitor.Quote(r.named())))
			}
			return r, nil
		}
	}
	_, err = c.get(ctx, path+uuid+".json", nil)
	switch status := statusOf(err); {
	case err == nil:
		err = fault.NewPermanent(fmt.Errorf("%s %s is disabled in openITCOCKPIT, or shared with nobody the api key could see it for", what, uuid))
	case status == http.StatusNotFound:
		err = fault.NewPermanent(errors.New("openITCOCKPIT knows no " + what + " with the uuid " + uuid + ": was it deleted?"))
	case status == http.StatusForbidden:
		err = fault.NewPermanent(errors.New("the user of the api key may not see " + what + " " + uuid + ": give it the container, or its role the right " + what + "s → byUuid, in openITCOCKPIT"))
	}
	return row{}, err
}
