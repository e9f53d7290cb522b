// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
	"belfry/monitor/nagios/nagiostest"
)

func fakeCore() *nagiostest.Core {
	c := nagiostest.NewCore()
	c.Set("web01", "", 0)
	c.Set("web01", "Disk /var", 2)
	return c
}

// When the core says nothing, or nothing sensible, after it got the command,
// nobody knows whether it was carried out.
func TestSocketsThatFail(t *testing.T) {
	for name, listen := range map[string]func(*nagiostest.Core) (*nagiostest.Socket, Config){
		"query socket": func(c *nagiostest.Core) (*nagiostest.Socket, Config) {
			s := nagiostest.QuerySocket(t, c)
			return s, Config{QuerySocket: s.Address, Timeout: 100 * time.Millisecond}
		},
		"livestatus": func(c *nagiostest.Core) (*nagiostest.Socket, Config) {
			s := nagiostest.LivestatusTCP(t, c)
			return s, Config{Livestatus: s.Address, Timeout: 100 * time.Millisecond}
		},
	} {
		for _, x := range []struct {
			fault nagiostest.Fault
			want  fault.Decision
			says  string
		}{
			{nagiostest.Hang, fault.Unknown, "no answer within the time allowed"},
			{nagiostest.Garbage, fault.Unknown, "is not understood"},
			{nagiostest.Refuse, fault.Permanent, `the core refused it: "Commands are disabled"`},
		} {
			t.Run(fmt.Sprint(name, x.fault), func(t *testing.T) {
				s, c := listen(fakeCore())
				s.Fail(x.fault)
				r, err := open(t, c).(monitor.Checker).CheckNow(t.Context(), service)
				if d, _ := fault.Of(err); r.Confirmed || d != x.want || !strings.Contains(err.Error(), x.says) {
					t.Errorf("%v: %v", d, err)
				}
			})
		}
	}
}

func TestQuerySocketThatClosesWithoutAnAnswer(t *testing.T) {
	for _, f := range []nagiostest.Fault{nagiostest.CloseEarly, nagiostest.CloseAfter} {
		s := nagiostest.QuerySocket(t, fakeCore())
		s.Fail(f)
		_, err := open(t, Config{QuerySocket: s.Address}).(monitor.Checker).CheckNow(t.Context(), service)
		if d, _ := fault.Of(err); d != fault.Unknown {
			t.Errorf("%v: %v", d, err)
		}
	}
}

// Asking changes nothing: whatever goes wrong, it can be asked again, unless
// the core says that the question is wrong.
func TestStatusOverLivestatusThatFails(t *testing.T) {
	for f, want := range map[nagiostest.Fault]fault.Decision{
		nagiostest.Hang: fault.Retry, nagiostest.CloseEarly: fault.Retry, nagiostest.CloseAfter: fault.Retry,
		nagiostest.Garbage: fault.Retry, nagiostest.Refuse: fault.Permanent,
	} {
		s := nagiostest.LivestatusUnix(t, fakeCore())
		s.Fail(f)
		m := open(t, Config{Livestatus: s.Address, Timeout: 100 * time.Millisecond})
		st, err := m.(monitor.StatusReader).Status(t.Context(), []alert.Object{service})
		if d, _ := fault.Of(err); d != want || st != nil {
			t.Errorf("fault %d: %v, %v", f, d, err)
		}
	}
}

func TestSocketThatIsNotThere(t *testing.T) {
	for _, c := range []Config{
		{QuerySocket: filepath.Join(t.TempDir(), "no.qh")}, {Livestatus: filepath.Join(t.TempDir(), "live")}, {Livestatus: "127.0.0.1:1"},
	} {
		_, err := open(t, c).(monitor.Checker).CheckNow(t.Context(), service)
		if d, _ := fault.Of(err); d != fault.Retry || !strings.Contains(err.Error(), "the core is not running") {
			t.Errorf("%+v: %v, %v", c, d, err)
		}
	}
}

// An acknowledgement that the core ignored, because all is well, is not
// claimed, although the socket took the command.
func TestLivestatusDoesNotClaimWhatWasIgnored(t *testing.T) {
	core := fakeCore()
	m := open(t, Config{Livestatus: nagiostest.LivestatusUnix(t, core).Address}).(monitor.Acknowledger)
	r, err := m.Acknowledge(t.Context(), monitor.Acknowledgement{Object: host, Author: "ann"})
	if err != nil || r.Confirmed {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = m.Acknowledge(t.Context(), monitor.Acknowledgement{Object: service, Author: "ann"})
	if err != nil || !r.Confirmed {
		t.Errorf("%+v, %v", r, err)
	}
}

// slowCore is a livestatus that takes every command, carries none out yet, and
// shows the service acknowledged by bob.
func slowCore(t *testing.T) string {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			asked, _ := io.ReadAll(c)
			answer := ""
			switch {
			case bytes.HasPrefix(asked, []byte("GET services")):
				answer = `[["web01","Disk /var",2,1,0]]`
			case bytes.HasPrefix(asked, []byte("GET comments")):
				answer = `[["web01","Disk /var",7,"bob","mine"]]`
			}
			if answer != "" {
				_, _ = fmt.Fprintf(c, "200 %11d\n%s", len(answer), answer)
			}
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// The command was taken, but what the status shows is what somebody else did
// before.
func TestLivestatusDoesNotTakeAnOlderAcknowledgementForOurs(t *testing.T) {
	m := open(t, Config{Livestatus: slowCore(t)}).(monitor.Acknowledger)
	r, err := m.Acknowledge(t.Context(), monitor.Acknowledgement{Object: service, Author: "ann"})
	if err != nil || r.Confirmed {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = m.Acknowledge(t.Context(), monitor.Acknowledgement{Object: service, Author: "Bob"})
	if err != nil || !r.Confirmed {
		t.Errorf("%+v, %v", r, err)
	}
}

// Each reason that reads differently is told to people anew.
func TestTheSameTroubleReadsTheSameEachTime(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*net.TCPConn).SetLinger(0) // a reset, as from a firewall
			_ = c.Close()
		}
	}()
	m := open(t, Config{Livestatus: l.Addr().String()})
	said := map[string]bool{}
	for range 20 {
		_, err := m.(monitor.StatusReader).Status(t.Context(), []alert.Object{service})
		said[err.Error()] = true
	}
	for text := range said {
		if strings.Contains(text, "->") || len(said) > 3 {
			t.Errorf("%d kinds: %s", len(said), text)
		}
	}
}

func TestStatusOfMoreObjectsThanOneQueryTakes(t *testing.T) {
	core := fakeCore()
	var objects []alert.Object
	for i := range 2*perQuery + 7 {
		name := fmt.Sprint("host", i)
		core.Set(name, "", i%2)
		core.Set(name, "Load", 1-i%2)
		objects = append(objects, alert.Object{Kind: alert.KindHost, Host: name}, alert.Object{Kind: alert.KindService, Host: name, Service: "Load"})
	}
	st, err := open(t, Config{Livestatus: nagiostest.LivestatusUnix(t, core).Address}).(monitor.StatusReader).Status(t.Context(), objects)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range st {
		if wantOK := (i/2)%2 == i%2; !s.Known || s.OK != wantOK {
			t.Fatalf("%s: %+v", objects[i].Name(), s)
		}
	}
}

func FuzzQueryAnswer(f *testing.F) {
	for _, s := range []string{"200: OK\x00", "400: Failed validation of service as type service (argument 0)\n\x00", "", "200", "\x00", "404: No such handler", "99999999999: x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		answer, err := readAnswer(bytes.NewReader(b))
		if err != nil {
			return
		}
		confirmed, err := judge("/qh", answer)
		if confirmed != (err == nil) || confirmed && !strings.HasPrefix(strings.TrimSpace(answer), "200") && !strings.Contains(answer, "200") {
			t.Errorf("%q: %v, %v", answer, confirmed, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\x00\x1b") {
			t.Errorf("%q", err)
		}
	})
}

func FuzzLivestatusAnswer(f *testing.F) {
	table := func(code int, body string) []byte { return fmt.Appendf(nil, "%3d %11d\n%s", code, len(body), body) }
	for _, b := range [][]byte{
		table(200, `[["web01","Disk /var",2,1,0]]`+"\n"), table(200, "[]"), table(400, "no such table"), table(502, "core is down"),
		[]byte("200          -1\n[]"), []byte("200 99999999999\n[]"), table(200, `[[null,{},[1],"x",1e999]]`), []byte("200"),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := readTable(bytes.NewReader(b))
		if err != nil {
			return
		}
		wanted := map[target]*monitor.Status{{"web01", "Disk /var"}: {}, {host: "web01"}: {}}
		for _, row := range rows {
			_ = take(row, true, wanted)
			_ = take(row, false, wanted)
		}
		for tg, s := range wanted {
			if s.Acknowledged && !s.Known {
				t.Errorf("%v: %+v", tg, s)
			}
		}
		if _, err := json.Marshal(rows); err != nil {
			t.Errorf("rows that are no JSON: %v", err)
		}
	})
}

// A core that answers without end is cut off.
func TestEndlessAnswer(t *testing.T) {
	if _, err := readTable(strings.NewReader("200 " + fmt.Sprintf("%11d\n", maxTable+1))); err == nil {
		t.Error("a table of any size is read")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (livestatus{socket: newSocket("livestatus", "/nosuch", time.Second)}).send(ctx, "x"); err == nil {
		t.Error("a cancelled context is no end")
	}
}
