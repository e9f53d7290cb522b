// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"belfry/store/pgtest"
)

// desk is a running belfry serve.
type desk struct {
	t      *testing.T
	dir    string
	port   string
	config string
	cmd    *exec.Cmd
	out    *output
	ended  chan struct{}
	// starting says that nobody may kill it now: start waits until it is ready.
	starting atomic.Bool
}

// serve starts belfry serve with a configuration, in which PORT and DIR are
// replaced, and waits until it is ready.
func serve(t *testing.T, config string) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), port: freePort(t)}
	d.config = filepath.Join(d.dir, "belfry.yaml")
	text := strings.NewReplacer("PORT", d.port, "DIR", d.dir).Replace(config)
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.start()
	t.Cleanup(func() {
		d.kill()
		d.tellsNoSecret()
		if t.Failed() {
			t.Logf("belfry said:\n%s", d.out)
		}
	})
	return d
}

func (d *desk) start() {
	d.t.Helper()
	if d.out == nil {
		d.out = &output{}
	}
	d.starting.Store(true)
	defer d.starting.Store(false)
	d.cmd = exec.Command(program, "serve", "--config", d.config, "--data", filepath.Join(d.dir, "data"), "--listen", "127.0.0.1:"+d.port)
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.ended = make(chan struct{})
	go func(c *exec.Cmd, ended chan struct{}) { _ = c.Wait(); close(ended) }(d.cmd, d.ended)
	until(d.t, "belfry to be ready", func() bool {
		select {
		case <-d.ended:
			d.t.Fatalf("belfry ended at its start:\n%s", d.out)
		default:
		}
		r, err := http.Get(d.url() + "/readyz")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

func (d *desk) url() string { return "http://127.0.0.1:" + d.port }

func (d *desk) signal(s syscall.Signal) {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(s)
	<-d.ended
	d.cmd = nil
}

// kill ends the program the hard way.
func (d *desk) kill() { d.signal(syscall.SIGKILL) }

// stop ends the program the way an administrator does.
func (d *desk) stop() { d.signal(syscall.SIGTERM) }

// token is the file of a token that belfry made: a source's, or that of a program
// at the API.
func (d *desk) token(of string) string { return filepath.Join(d.dir, "data", of+".token") }

// hand hands a body over as a source and wants it taken.
func (d *desk) hand(source, body string) {
	d.t.Helper()
	if !d.try(source, body) {
		d.t.Fatal("belfry went away while something was handed over")
	}
}

// try hands a body over; false when belfry went away without an answer.
func (d *desk) try(source, body string) bool {
	d.t.Helper()
	return d.post("/intake/"+source, source, "", body)
}

// deploy is the token of the program that posts to the API of incidents.
const deploy = "api_deploy"

// declares has the program declare an incident, once however often it says so;
// false when belfry went away.
func (d *desk) declares(title string) bool {
	d.t.Helper()
	return d.post("/api/incidents", deploy, title, fmt.Sprintf(`{"title":%q,"severity":"SEV1"}`, title))
}

// adds has the program add a task to an incident.
func (d *desk) adds(incident int, text string, due time.Time) {
	d.t.Helper()
	if !d.post(fmt.Sprintf("/api/incidents/%d/task", incident), deploy, "", fmt.Sprintf(`{"text":%q,"due":%q}`, text, due.UTC().Format(time.RFC3339))) {
		d.t.Fatal("belfry went away while a task was added")
	}
}

// post posts with a token, and with a key unless that is empty, and wants it
// taken; false when belfry went away without an answer.
func (d *desk) post(path, token, key, body string) bool {
	d.t.Helper()
	secret, err := os.ReadFile(d.token(token))
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, d.url()+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(secret)))
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	if said, err := io.ReadAll(answer.Body); err != nil {
		return false
	} else if answer.StatusCode/100 != 2 {
		d.t.Fatalf("%s is not taken: %s %s", path, answer.Status, said)
	}
	return true
}

// onPostgres is the part of a configuration that has it store in PostgreSQL.
func onPostgres(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("server: {database: %q}\n", pgtest.URL(t))
}

const plainSource = `
sources: [{name: nagios, kind: nagios}]
`

// problem is what belfry notify hands over for a service.
func problem(service, notification string, state int) string {
	return fmt.Sprintf(`{"type":"Service","notificationtype":%q,"hostname":"web01","servicedesc":%q,"state":"%d","output":"%s is state %d"}`,
		notification, service, state, service, state)
}

// tellsNoSecret looks for secrets in all that the program wrote, in every test.
func (d *desk) tellsNoSecret() {
	said := d.out.String()
	files, _ := filepath.Glob(filepath.Join(d.dir, "data", "*.token"))
	for _, f := range append(files, filepath.Join(d.dir, "data", "belfry.key")) {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && strings.Contains(said, line) {
				d.t.Errorf("belfry told what is in %s", filepath.Base(f))
			}
		}
	}
	b, _ := os.ReadFile(d.config)
	if _, rest, ok := strings.Cut(string(b), `token: "`); ok {
		if token, _, _ := strings.Cut(rest, `"`); token != "" && strings.Contains(said, token) {
			d.t.Error("belfry told the token of Mattermost")
		}
	}
}
