// SPDX-License-Identifier: Apache-2.0

package openitcockpit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"belfry/alert"
	"belfry/monitor"
	"belfry/monitor/monitortest"
	"belfry/monitor/notification"
	"belfry/monitor/openitcockpit/openitcockpittest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// delay is how long the fake's queue takes.
const delay = 30 * time.Millisecond

// opened opens a configuration and closes it with the test.
func opened(t testing.TB, c Config, o Options) monitor.Monitor {
	t.Helper()
	o.Name = "oitc"
	m, err := c.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.(interface{ Close(context.Context) error }).Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m
}

func keyed(s *openitcockpittest.Server) Config {
	return Config{URL: s.URL, APIKey: openitcockpittest.Key, Timeout: 5 * time.Second}
}

func serviceObject(host, service string) alert.Object {
	return alert.Object{Kind: alert.KindService, Host: host, Service: service}
}

func hostObject(host string) alert.Object { return alert.Object{Kind: alert.KindHost, Host: host} }

// heard collects what the core notifies, handed over as its commands do.
type heard struct {
	t       *testing.T
	monitor monitor.Monitor
	mu      sync.Mutex
	reports []alert.Report
}

func (h *heard) take(n openitcockpittest.Notification) {
	body, err := json.Marshal(notification.Notification{NotificationType: n.Type, HostUUID: n.Host, ServiceUUID: n.Service,
		State: notification.Word(fmt.Sprint(n.State)), AckAuthor: n.Author, AckComment: n.Comment})
	if err != nil {
		h.t.Error(err)
		return
	}
	d, err := h.monitor.Decode("application/json", body)
	if err != nil {
		h.t.Error(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reports = append(h.reports, d.Reports...)
}

func (h *heard) all() []alert.Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]alert.Report(nil), h.reports...)
}

// The suite every monitoring system passes, for services and for hosts, known
// by UUIDs and known by names.
func TestContract(t *testing.T) {
	for name, objects := range map[string]func(s *openitcockpittest.Server) (problem, fine, unknown alert.Object, uuid string){
		"services": func(s *openitcockpittest.Server) (alert.Object, alert.Object, alert.Object, string) {
			host := s.Host("web01")
			disk, load := s.Service(host, "Disk /var"), s.Service(host, "Load")
			return serviceObject(host, disk), serviceObject(host, load), serviceObject(host, "74fd8f59-1348-4e16-85f0-4a5c57c7dd62"), disk
		},
		"hosts": func(s *openitcockpittest.Server) (alert.Object, alert.Object, alert.Object, string) {
			web, db := s.Host("web01"), s.Host("db01")
			return hostObject(web), hostObject(db), hostObject("74fd8f59-1348-4e16-85f0-4a5c57c7dd62"), web
		},
		"services by name": func(s *openitcockpittest.Server) (alert.Object, alert.Object, alert.Object, string) {
			s.Service(s.Host("web01-old"), "Disk /var")
			host := s.Host("web01")
			s.Service(host, "Disk /var/log")
			disk := s.Service(host, "Disk /var")
			s.Service(host, "Load")
			return serviceObject("web01", "Disk /var"), serviceObject("web01", "Load"), serviceObject("web01", "Disk"), disk
		},
		"hosts by name": func(s *openitcockpittest.Server) (alert.Object, alert.Object, alert.Object, string) {
			web := s.Host("web01")
			s.Host("web01-old")
			return hostObject("web01"), hostObject("web01-old"), hostObject("web"), web
		},
	} {
		t.Run(name, func(t *testing.T) {
			monitortest.Commands(t, func(t *testing.T) monitortest.System {
				s := openitcockpittest.New(t, delay)
				problem, fine, unknown, uuid := objects(s)
				state := 2
				if problem.Kind == alert.KindHost {
					state = 1
				}
				s.SetState(uuid, state)
				system := monitortest.System{
					Monitor: opened(t, keyed(s), Options{}), Problem: problem, Fine: fine, Unknown: unknown,
					Acknowledged: func() (string, string, bool) { return s.Acknowledged(uuid) },
					Taken:        s.Commands,
					Down:         s.Down, Up: s.Up,
					Hang:    func() { s.FailSubmits(openitcockpittest.Hang) },
					Secrets: []string{openitcockpittest.Key},
				}
				if isUUID(problem.Host) {
					h := &heard{t: t, monitor: system.Monitor}
					s.OnNotify(h.take)
					system.Heard = h.all
				}
				return system
			})
		})
	}
}

func TestContractOfDecoding(t *testing.T) {
	body := func(n notification.Notification) []byte {
		b, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const host, service = "c36b8048-93ce-4385-ac19-ab5c90574b77", "74fd8f59-1348-4e16-85f0-4a5c57c7dd62"
	monitortest.Decoding(t, monitortest.Intake{
		Monitor: opened(t, Config{}, Options{}), Largest: notification.MaxBody,
		Good: map[string][]byte{
			"the Mattermost module's arguments": body(notification.Notification{Type: "Service", NotificationType: "PROBLEM", HostUUID: host,
				ServiceUUID: service, State: "2", Output: "full", AckAuthor: "", AckComment: ""}),
			"the Slack module's arguments": body(notification.Notification{Type: "Service", NotificationType: "RECOVERY", HostName: host,
				HostAddress: "192.0.2.1", HostState: "0", ServiceDesc: service, ServiceState: "0", Output: "fine"}),
		},
		Bad: map[string]monitortest.Bad{"no host": {Body: body(notification.Notification{NotificationType: "PROBLEM"}), Says: "hostname or hostuuid is needed"}},
	})
}

// What a monitor can do is what its configuration allows, so that nobody is
// promised an acknowledgement that has no way to go.
func TestAbilitiesFollowTheConfiguration(t *testing.T) {
	for _, x := range []struct {
		c   Config
		can bool
	}{
		{Config{}, false},
		{Config{URL: "https://oitc.example"}, false},
		{Config{URL: "https://oitc.example", APIKey: "k"}, true},
	} {
		m := opened(t, x.c, Options{})
		_, acks := m.(monitor.Acknowledger)
		_, checks := m.(monitor.Checker)
		_, mutes := m.(monitor.Notifier)
		_, reads := m.(monitor.StatusReader)
		_, comments := m.(monitor.Commenter) // its API has no command for that
		if acks != x.can || checks != x.can || mutes != x.can || reads != x.can || comments {
			t.Errorf("%v: acknowledges %v, checks %v, switches notifications %v, reads %v, comments %v", x.c.URL, acks, checks, mutes, reads, comments)
		}
	}
}

// The requests are the ones that openITCOCKPIT understands, with the key in a
// header and nowhere else.
func TestTheKeyIsInNoAddress(t *testing.T) {
	s := openitcockpittest.New(t, 0)
	disk := s.Service(s.Host("web01"), "Disk")
	s.SetState(disk, 2)
	m := opened(t, keyed(s), Options{})
	object := serviceObject("web01", "Disk")
	if _, err := m.(monitor.Acknowledger).Acknowledge(t.Context(), monitor.Acknowledgement{Object: object, Author: "ann"}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.(monitor.StatusReader).Status(t.Context(), []alert.Object{object}); err != nil {
		t.Fatal(err)
	}
	requests := s.Requests()
	if len(requests) < 4 {
		t.Fatalf("requests: %q", requests)
	}
	for _, r := range requests {
		if strings.Contains(r, openitcockpittest.Key) || strings.Contains(r, "apikey") || !strings.HasSuffix(r, " with key") {
			t.Errorf("a request was %s", r)
		}
	}
}
