// SPDX-License-Identifier: Apache-2.0

package openitcockpit_test

import (
	"context"
	"testing"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/desk"
	"belfry/monitor"
	"belfry/monitor/openitcockpit"
	"belfry/monitor/openitcockpit/openitcockpittest"
	"belfry/store"
	"belfry/store/opentest"
)

type nowhere struct{}

func (nowhere) Route(alert.Labeled) desk.Routing { return desk.Routing{} }
func (nowhere) Named(string) (d string, ok bool) { return "", false }

// What happens on openITCOCKPIT's own pages, with nobody notified, gets onto
// the alert by the comparison: names that could not be had at first, somebody's
// acknowledgement, its removal, and the recovery.
func TestWhatNobodyIsNotifiedOfIsObserved(t *testing.T) {
	s := openitcockpittest.New(t, 0)
	host := s.Host("web01")
	disk := s.Service(host, "Disk /var")
	s.SetState(disk, 2)
	c := clock.NewManual(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	m, err := (&openitcockpit.Config{URL: s.URL, APIKey: openitcockpittest.Key}).Open(openitcockpit.Options{Name: "oitc", Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.(interface{ Close(context.Context) error }).Close(context.Background()) }()
	st := opentest.Open(t, store.Options{Clock: c, Lease: time.Hour})
	d := desk.New(st, nowhere{}, func(string, desk.Ability) bool { return true }, c)

	s.FailReads(openitcockpittest.LoginPage)
	decoded, err := m.Decode("application/json", []byte(`{"notificationtype":"PROBLEM","hostuuid":"`+host+`","serviceuuid":"`+disk+`","state":2}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Ingest(t.Context(), "oitc", decoded.Reports); err != nil {
		t.Fatal(err)
	}
	s.FailReads(openitcockpittest.None)
	look := func() *alert.Alert {
		t.Helper()
		c.Advance(time.Minute)
		// Twice: what is found first makes the alert newer than the rest.
		for range 2 {
			if err := d.Observe(t.Context(), "oitc", m.(monitor.StatusReader)); err != nil {
				t.Fatal(err)
			}
		}
		all, err := st.Alerts(t.Context(), store.Filter{Limit: 10})
		if err != nil || len(all) != 1 {
			t.Fatalf("%d alerts, %v", len(all), err)
		}
		return all[0]
	}
	if a := look(); a.Name() != "Disk /var on web01" || a.Ack.Phase != alert.AckNone {
		t.Errorf("%q, %q", a.Name(), a.Ack.Phase)
	}
	s.Command("ACKNOWLEDGE_SVC_PROBLEM;" + host + ";" + disk + ";2;0;1;operator;from the page")
	if a := look(); a.Ack.Phase != alert.AckSet || a.Ack.By != "operator" || a.Ack.Comment != "from the page" {
		t.Errorf("acknowledged: %+v", a.Ack)
	}
	s.Command("REMOVE_SVC_ACKNOWLEDGEMENT;" + host + ";" + disk)
	if a := look(); a.Ack.Phase != alert.AckNone {
		t.Errorf("removed: %+v", a.Ack)
	}
	s.SetState(disk, 0)
	if a := look(); a.Status != alert.Resolved {
		t.Errorf("recovered: %s", a.Status)
	}
}
