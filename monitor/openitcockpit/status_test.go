// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/monitor"
	"belfry/monitor/openitcockpit/openitcockpittest"
)

func (s *system) status(t *testing.T, objects ...alert.Object) []monitor.Status {
	t.Helper()
	all, err := s.m.(monitor.StatusReader).Status(t.Context(), objects)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A list that does not show a command yet proves nothing; one that shows our
// own words is proof at once.
func TestWhatIsOnItsWayIsNotDeniedAndWhatShowsIsBelieved(t *testing.T) {
	s := newSystem(t, 50*time.Millisecond)
	now := s.clock.Now()
	if st := s.status(t, s.object())[0]; !st.Known || st.Acknowledged || now.Sub(st.AsOf) != lag {
		t.Errorf("before: %+v", st)
	}
	if err := s.ack(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	until(t, "the acknowledgement", func() bool { _, _, ok := s.Acknowledged(s.disk); return ok })
	if st := s.status(t, s.object())[0]; !st.Acknowledged || st.Author != "ann" || st.Comment != "on it" || !st.AsOf.Equal(now) {
		t.Errorf("ours shows as %+v", st)
	}
	if _, err := s.m.(monitor.Acknowledger).Unacknowledge(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	until(t, "the removal", func() bool { _, _, ok := s.Acknowledged(s.disk); return !ok })
	if st := s.status(t, s.object())[0]; st.Acknowledged || !st.AsOf.Equal(now) {
		t.Errorf("after the removal: %+v", st)
	}
}

// Somebody else's acknowledgement that was there before is not ours.
func TestAnEarlierAcknowledgementIsNoProof(t *testing.T) {
	s := newSystem(t, time.Hour) // ours never arrives
	s.Command("ACKNOWLEDGE_SVC_PROBLEM;" + s.host + ";" + s.disk + ";2;0;1;ann;on it")
	ctx := t.Context()
	done := make(chan error, 1)
	go func() { done <- s.ack(ctx, s.object()) }()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if st := s.status(t, s.object())[0]; !st.Acknowledged || st.AsOf.Equal(s.clock.Now()) {
		t.Errorf("it shows as %+v", st)
	}
}

func TestStatusTellsDowntimesNotificationsAndNames(t *testing.T) {
	s := newSystem(t, 0)
	now := time.Now()
	s.Command(fmt.Sprintf("SCHEDULE_SVC_DOWNTIME;%s;%s;%d;%d;1;0;3600;ann;x", s.host, s.disk, now.Unix(), now.Unix()+3600))
	s.Command("DISABLE_SVC_NOTIFICATIONS;" + s.host + ";" + s.disk)
	st := s.status(t, s.object(), hostObject(s.host))
	if d := st[0]; !d.InDowntime || d.Notifies == nil || *d.Notifies || d.HostName != "web01" || d.ServiceName != "Disk /var" || d.OK {
		t.Errorf("the service is %+v", d)
	}
	if h := st[1]; !h.OK || h.InDowntime || h.Notifies == nil || !*h.Notifies || h.HostName != "web01" || h.ServiceName != "" {
		t.Errorf("the host is %+v", h)
	}
}

// Many open problems are read with few requests, and very many in turn.
func TestManyObjectsTakeFewRequests(t *testing.T) {
	s := newSystem(t, 0)
	var objects []alert.Object
	for i := range 2*mostAtOnce + 500 {
		objects = append(objects, serviceObject(s.host, s.Service(s.host, fmt.Sprint("s", i))))
	}
	small := objects[:3*perList]
	for i, st := range s.status(t, small...) {
		if !st.Known || st.ServiceName != fmt.Sprint("s", i) {
			t.Fatalf("object %d: %+v", i, st)
		}
	}
	if n := len(s.Requests()); n != 3 {
		t.Errorf("%d objects took %d requests", len(small), n)
	}
	for _, r := range s.Requests() {
		if len(r) > 8000 {
			t.Errorf("an address has %d bytes, more than web servers take", len(r))
		}
	}
	seen := make([]bool, len(objects))
	for range 3 {
		known := 0
		for i, st := range s.status(t, objects...) {
			if st.Known {
				known++
				seen[i] = true
			}
		}
		if known != mostAtOnce {
			t.Errorf("one look was about %d objects", known)
		}
	}
	for i, ok := range seen {
		if !ok {
			t.Fatalf("object %d was left out three times", i)
		}
	}
}

func TestStatusOfNamesIsSearchedOnce(t *testing.T) {
	s := newSystem(t, 0)
	o := serviceObject("web01", "Disk /var")
	if st := s.status(t, o)[0]; !st.Known || st.OK {
		t.Fatalf("%+v", st)
	}
	before := len(s.Requests())
	if st := s.status(t, o)[0]; !st.Known {
		t.Fatalf("%+v", st)
	}
	if n := len(s.Requests()) - before; n != 1 {
		t.Errorf("the second look took %d requests", n)
	}
	s.clock.Advance(namesFresh + time.Second)
	s.Hide(s.disk)
	if st := s.status(t, o)[0]; st.Known {
		t.Errorf("a hidden service: %+v", st)
	}
}

func reported(t *testing.T, m monitor.Monitor, body string) alert.Report {
	t.Helper()
	d, err := m.Decode("application/json", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return d.Reports[0]
}

func TestReportsGetNamesAndLinks(t *testing.T) {
	s := newSystem(t, 0)
	service := `{"type":"Service","notificationtype":"PROBLEM","hostuuid":"` + s.host + `","serviceuuid":"` + strings.ToUpper(s.disk) + `","state":2}`
	r := reported(t, s.m, service)
	if o := r.Object; o.Name() != "Disk /var on web01" || o.Address != "192.0.2.1" || o.Host != s.host {
		t.Errorf("the object is %+v", o)
	}
	if want := s.URL + "/a/services/browser/" + s.disk; r.Link != want {
		t.Errorf("the link is %s, want %s", r.Link, want)
	}
	n := len(s.Requests())
	if r := reported(t, s.m, service); r.Object.Name() != "Disk /var on web01" || len(s.Requests()) != n {
		t.Errorf("the second time %q with %d requests", r.Object.Name(), len(s.Requests())-n)
	}
	// Old names are better than none.
	s.clock.Advance(namesFresh + time.Second)
	s.FailReads(openitcockpittest.LoginPage)
	if r := reported(t, s.m, service); r.Object.Name() != "Disk /var on web01" {
		t.Errorf("while nobody answers it is %q", r.Object.Name())
	}
	// While nobody answers, reports do not wait again.
	n = len(s.Requests())
	if r := reported(t, s.m, `{"notificationtype":"PROBLEM","hostuuid":"74fd8f59-1348-4e16-85f0-4a5c57c7dd62","state":1}`); r.Object.HostDisplay != "" || len(s.Requests()) != n {
		t.Errorf("%+v with %d requests", r.Object, len(s.Requests())-n)
	}
	s.FailReads(openitcockpittest.None)
	s.clock.Advance(nameAgain)
	host := `{"notificationtype":"PROBLEM","hostname":"` + s.host + `","state":1}`
	if r := reported(t, s.m, host); r.Object.Name() != "web01" || r.Link != s.URL+"/a/hosts/browser/"+s.host {
		t.Errorf("the host is %q, %s", r.Object.Name(), r.Link)
	}
	// Names that were passed along are taken, without a request.
	n = len(s.Requests())
	given := `{"notificationtype":"PROBLEM","hostname":"74fd8f59-1348-4e16-85f0-4a5c57c7dd62","hostdisplayname":"Web 9","state":1,"link":"https://wiki.example/9"}`
	if r := reported(t, s.m, given); r.Object.Name() != "Web 9" || len(s.Requests()) != n || r.Link != "https://wiki.example/9" {
		t.Errorf("given names: %q, %s", r.Object.Name(), r.Link)
	}
}

func TestAReportDoesNotWaitForNames(t *testing.T) {
	s := newSystem(t, 0)
	s.FailReads(openitcockpittest.Hang)
	if r := reported(t, s.m, `{"notificationtype":"PROBLEM","hostuuid":"`+s.host+`","state":1}`); r.Object.Host != s.host || r.Object.HostDisplay != "" {
		t.Errorf("%+v", r.Object)
	}
}

func TestLinksHaveThePortAndThePages(t *testing.T) {
	const id = "c36b8048-93ce-4385-ac19-ab5c90574b77"
	body := `{"notificationtype":"PROBLEM","hostuuid":"` + id + `","state":1}`
	for name, x := range map[string]struct {
		c    Config
		want string
	}{
		"its own address":    {Config{URL: "https://oitc.example/"}, "https://oitc.example/a/hosts/browser/" + id},
		"another port":       {Config{URL: "https://10.0.0.5", LinkURL: "https://oitc.example:8443/"}, "https://oitc.example:8443/a/hosts/browser/" + id},
		"openITCOCKPIT 4":    {Config{URL: "https://oitc.example", Pages: PagesOf4}, "https://oitc.example/#!/hosts/browser/" + id},
		"no address":         {Config{}, ""},
		"below a path":       {Config{LinkURL: "https://gate.example/oitc"}, "https://gate.example/oitc/a/hosts/browser/" + id},
		"names have no page": {Config{URL: "https://oitc.example"}, "https://oitc.example/a/hosts/browser/" + id},
	} {
		if r := reported(t, opened(t, x.c, Options{}), body); r.Link != x.want {
			t.Errorf("%s: %s, want %s", name, r.Link, x.want)
		}
	}
	if r := reported(t, opened(t, Config{URL: "https://oitc.example"}, Options{}), `{"notificationtype":"PROBLEM","hostname":"web01","state":1}`); r.Link != "" {
		t.Errorf("a name leads to %s", r.Link)
	}
}
