// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/fault"
	"belfry/monitor"
	"belfry/monitor/openitcockpit/openitcockpittest"
)

// system is an openITCOCKPIT with one problem, and the monitor that speaks with it.
type system struct {
	*openitcockpittest.Server
	m          monitor.Monitor
	host, disk string
	clock      *clock.Manual
}

func newSystem(t *testing.T, delay time.Duration) *system {
	t.Helper()
	s := &system{Server: openitcockpittest.New(t, delay), clock: clock.NewManual(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))}
	s.host = s.Host("web01")
	s.disk = s.Service(s.host, "Disk /var")
	s.SetState(s.disk, 2)
	s.m = opened(t, keyed(s.Server), Options{Clock: s.clock})
	return s
}

func (s *system) object() alert.Object { return serviceObject(s.host, s.disk) }

func (s *system) ack(ctx context.Context, o alert.Object) error {
	r, err := s.m.(monitor.Acknowledger).Acknowledge(ctx, monitor.Acknowledgement{Object: o, Author: "ann", Comment: "on it"})
	if r.Confirmed {
		return fault.NewPermanent(context.Canceled) // its queue confirms nothing
	}
	return err
}

// said wants a decision and texts of an error.
func said(t *testing.T, err error, want fault.Decision, texts ...string) {
	t.Helper()
	if d, _ := fault.Of(err); d != want {
		t.Errorf("%v is %v, want %v", err, d, want)
	}
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v does not say %q", err, text)
		}
	}
	if err != nil {
		secrettest.Check(t, openitcockpittest.Key, err)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestCommandsAsTheCoreReadsThem(t *testing.T) {
	s := newSystem(t, 0)
	ctx, now := t.Context(), s.clock.Now()
	c := s.m.(interface {
		monitor.Acknowledger
		monitor.Downtimer
		monitor.Checker
		monitor.Notifier
	})
	web := hostObject(s.host)
	for _, o := range []alert.Object{web, s.object()} {
		for _, do := range []func() (monitor.Receipt, error){
			func() (monitor.Receipt, error) {
				return c.Acknowledge(ctx, monitor.Acknowledgement{Object: o, Author: "ann", Comment: "on it; ticket #42\nsee wiki"})
			},
			func() (monitor.Receipt, error) { return c.Unacknowledge(ctx, o) },
			func() (monitor.Receipt, error) {
				return c.Downtime(ctx, monitor.Downtime{Object: o, Author: "ann", Comment: "patching", Start: now, End: now.Add(time.Hour)})
			},
			func() (monitor.Receipt, error) { return c.CheckNow(ctx, o) },
			func() (monitor.Receipt, error) { return c.Notifications(ctx, o, false) },
			func() (monitor.Receipt, error) { return c.Notifications(ctx, o, true) },
		} {
			if r, err := do(); err != nil || r.Confirmed || !r.Queued {
				t.Errorf("%+v, %v", r, err)
			}
		}
	}
	h, d := s.host, s.host+";"+s.disk
	want := []string{
		"ACKNOWLEDGE_HOST_PROBLEM;" + h + ";2;1;1;ann;on it, ticket #42 / see wiki",
		"REMOVE_HOST_ACKNOWLEDGEMENT;" + h,
		"SCHEDULE_HOST_DOWNTIME;" + h + ";1795348800;1795352400;1;0;3600;ann;patching",
		"SCHEDULE_FORCED_HOST_CHECK;" + h + ";1795348800",
		"DISABLE_HOST_NOTIFICATIONS;" + h, "ENABLE_HOST_NOTIFICATIONS;" + h,
		"ACKNOWLEDGE_SVC_PROBLEM;" + d + ";2;1;1;ann;on it, ticket #42 / see wiki",
		"REMOVE_SVC_ACKNOWLEDGEMENT;" + d,
		"SCHEDULE_SVC_DOWNTIME;" + d + ";1795348800;1795352400;1;0;3600;ann;patching",
		"SCHEDULE_FORCED_SVC_CHECK;" + d + ";1795348800",
		"DISABLE_SVC_NOTIFICATIONS;" + d, "ENABLE_SVC_NOTIFICATIONS;" + d,
	}
	until(t, "the commands", func() bool { return len(s.Commands()) == len(want) })
	if got := s.Commands(); !slices.Equal(got, want) {
		t.Errorf("the core read\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The fake is no kinder than the real one: what is not cleaned shifts fields.
func TestTheFakeShiftsWhatIsNotCleaned(t *testing.T) {
	s := newSystem(t, 0)
	c := newClient(s.URL, openitcockpittest.Key, http.DefaultTransport, time.Second)
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	_, err := c.post(t.Context(), submitPath, []byte(`{"command":"ACKNOWLEDGE_SVC_PROBLEM","hostUuid":"`+s.host+`","serviceUuid":"`+s.disk+
		`","author":"a;b","comment":"c\nREMOVE_SVC_ACKNOWLEDGEMENT;`+s.host+";"+s.disk+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	until(t, "both lines", func() bool { return len(s.Commands()) == 2 })
	if got := s.Commands(); !strings.HasSuffix(got[0], ";a;b;c") || !strings.HasPrefix(got[1], "REMOVE_") {
		t.Errorf("the core read %q", got)
	}
}

func TestMissingRightsAndUnknownObjectsAreToldApart(t *testing.T) {
	const stranger = "74fd8f59-1348-4e16-85f0-4a5c57c7dd62"
	for name, x := range map[string]struct {
		before func(s *system)
		object func(s *system) alert.Object
		want   fault.Decision
		says   []string
	}{
		"a service nobody knows": {nil, func(s *system) alert.Object { return serviceObject(s.host, stranger) }, fault.Permanent,
			[]string{"knows no service with the uuid " + stranger, "deleted"}},
		"a host nobody knows":  {nil, func(*system) alert.Object { return hostObject(stranger) }, fault.Permanent, []string{"knows no host"}},
		"a hidden service":     {func(s *system) { s.Hide(s.disk) }, (*system).object, fault.Permanent, []string{"may not see service", "give it the container"}},
		"a disabled service":   {func(s *system) { s.Disable(s.disk) }, (*system).object, fault.Permanent, []string{"is disabled"}},
		"an unexported one":    {func(s *system) { s.Unexport(s.disk) }, (*system).object, fault.Permanent, []string{`"Disk /var on web01" is not monitored yet`}},
		"another host's":       {nil, func(s *system) alert.Object { return serviceObject(stranger, s.disk) }, fault.Permanent, []string{"belongs to host"}},
		"no right to commands": {func(s *system) { s.Allow(openitcockpittest.Rights{Hosts: true, Services: true, ByUUID: true}) }, (*system).object, fault.Permanent, []string{"NagiosModule → cmd → submit"}},
		"no right to lists":    {func(s *system) { s.Allow(openitcockpittest.Rights{Submit: true}) }, (*system).object, fault.Permanent, []string{"services → index"}},
		"no right to byUuid": {func(s *system) {
			s.Allow(openitcockpittest.Rights{Submit: true, Hosts: true, Services: true})
		}, func(s *system) alert.Object { return serviceObject(s.host, stranger) }, fault.Permanent, []string{"may not see service", "byUuid"}},
		"a revoked key": {func(s *system) { s.Revoke() }, (*system).object, fault.Retry, []string{"does not take the api key"}},
		"two of one name": {func(s *system) { s.Host("web01") }, func(*system) alert.Object { return hostObject("web01") }, fault.Permanent,
			[]string{`2 objects in openITCOCKPIT are a host named "web01"`, "--hostuuid '$HOSTNAME$'"}},
		"two services of one name": {func(s *system) { s.Service(s.host, "Disk /var") }, func(*system) alert.Object { return serviceObject("web01", "Disk /var") }, fault.Permanent,
			[]string{"2 objects", "--serviceuuid '$SERVICEDESC$'"}},
		"a name in other letters": {nil, func(*system) alert.Object { return hostObject("WEB01") }, fault.Permanent, []string{`no host named "WEB01"`}},
		"a name of wildcards":     {nil, func(*system) alert.Object { return hostObject("%") }, fault.Permanent, []string{`no host named "%"`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t, 0)
			if x.before != nil {
				x.before(s)
			}
			said(t, s.ack(t.Context(), x.object(s)), x.want, x.says...)
			if got := s.Commands(); len(got) > 0 {
				t.Errorf("all the same it was told %q", got)
			}
		})
	}
}

func TestFaultsOfTheOtherSide(t *testing.T) {
	for name, x := range map[string]struct {
		f           openitcockpittest.Fault
		read, act   fault.Decision
		says        string
		mayHaveDone bool
	}{
		"a cut connection": {openitcockpittest.Cut, fault.Retry, fault.Unknown, "", false},
		"a log-in page":    {openitcockpittest.LoginPage, fault.Retry, fault.Retry, "web page", false},
		"a redirect":       {openitcockpittest.Redirect, fault.Retry, fault.Retry, "web page", false},
		"its own fault":    {openitcockpittest.Broken, fault.Retry, fault.Unknown, "fault of its own (500)", true},
		"too busy":         {openitcockpittest.Busy, fault.RetryAfter, fault.RetryAfter, "asks to wait 1s", false},
		"half an answer":   {openitcockpittest.Garbage, fault.Retry, fault.Unknown, "breaks off", true},
		"an echo":          {openitcockpittest.Echo, fault.Permanent, fault.Permanent, "refused it (400)", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t, 0)
			s.FailSubmits(x.f)
			said(t, s.ack(t.Context(), s.object()), x.act, x.says)
			if n := len(s.Commands()); !x.mayHaveDone && n > 0 {
				t.Errorf("%d commands were carried out", n)
			}
			s.FailSubmits(openitcockpittest.None)
			s.FailReads(x.f)
			said(t, s.ack(t.Context(), s.object()), x.read, x.says)
			_, err := s.m.(monitor.StatusReader).Status(t.Context(), []alert.Object{s.object()})
			look := fault.Retry // whatever it was, the next look may show more
			if x.read == fault.RetryAfter {
				look = x.read
			}
			said(t, err, look, x.says)
			s.FailReads(openitcockpittest.None)
			if err := s.ack(t.Context(), s.object()); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

func TestAReadThatHangsEndsInTime(t *testing.T) {
	s := newSystem(t, 0)
	s.FailReads(openitcockpittest.Hang)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	said(t, s.ack(ctx, s.object()), fault.Retry, "no answer within the time allowed")
}

func TestAnswersOfAnotherCommandAreNotBelieved(t *testing.T) {
	s := newSystem(t, 0)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = w.Write([]byte(`{"message":"Command added successfully to queue","command":"REMOVE_SVC_ACKNOWLEDGEMENT"}`))
			return
		}
		s.ServeHTTP(w, r)
	}))
	defer srv.Close()
	m := opened(t, Config{URL: srv.URL, APIKey: openitcockpittest.Key}, Options{})
	_, err := m.(monitor.Acknowledger).Acknowledge(t.Context(), monitor.Acknowledgement{Object: s.object(), Author: "ann"})
	said(t, err, fault.Unknown, "answered of")
}

// Whatever stands before openITCOCKPIT and echoes the key, it gets into no
// error and no line of the log.
func TestTheKeyStaysHere(t *testing.T) {
	status := 200
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://login.example/?k="+r.Header.Get("Authorization"))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"message":"` + r.Header.Get("Authorization") + `","statusText":"` + openitcockpittest.Key + `","command":"` + openitcockpittest.Key + `"}`))
	}))
	defer srv.Close()
	var log bytes.Buffer
	c := Config{URL: srv.URL, APIKey: openitcockpittest.Key, Timeout: time.Second}
	m := opened(t, c, Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})
	object := serviceObject("c36b8048-93ce-4385-ac19-ab5c90574b77", "74fd8f59-1348-4e16-85f0-4a5c57c7dd62")
	for _, status = range []int{200, 302, 400, 401, 403, 404, 405, 429, 500, 503} {
		_, ack := m.(monitor.Acknowledger).Acknowledge(t.Context(), monitor.Acknowledgement{Object: object, Author: "ann"})
		_, read := m.(monitor.StatusReader).Status(t.Context(), []alert.Object{object})
		d, err := m.Decode("application/json", []byte(`{"notificationtype":"PROBLEM","state":1,"hostuuid":"`+object.Host+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		if ack == nil || read == nil {
			t.Errorf("%d: nonsense was taken for an answer", status)
		}
		secrettest.Check(t, openitcockpittest.Key, ack, read, c, d.Reports[0].Link, strings.Join(d.Warnings, " "))
	}
	secrettest.Check(t, openitcockpittest.Key, log.String())
	secrettest.Check(t, openitcockpittest.Key, config.Secret(openitcockpittest.Key))
}
