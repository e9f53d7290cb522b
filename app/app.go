// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"filippo.io/age"

	"belfry/alert"
	"belfry/answer"
	"belfry/api"
	"belfry/chat"
	"belfry/chat/console"
	"belfry/clock"
	"belfry/command"
	"belfry/config"
	"belfry/delivery"
	"belfry/desk"
	"belfry/doctor"
	"belfry/interaction"
	"belfry/metrics"
	"belfry/monitor"
	"belfry/people"
	"belfry/response"
	"belfry/server"
	"belfry/store"
	"belfry/tlscert"
	"belfry/trial"
	"belfry/web"
)

// Options of an App.
type Options struct {
	// File is the configuration, already valid.
	File *config.File
	// Data is the directory for the database (unless File names another), the
	// key, tokens and the socket. It is made when missing.
	Data    string
	Version string
	Clock   clock.Clock
	Log     *slog.Logger
	// Extra sources are built in.
	Extra []Extra
	// DemoKey signs in whoever brings it; for belfry demo alone.
	DemoKey string
	// Reread reads the configuration anew, without the included files that are
	// named (config.IncludeDir); nil: there is none to read.
	Reread func(without ...string) (*config.File, error)
	// Delivery tunes the engine; zero values mean its defaults.
	Delivery delivery.Options
}

// App is a Belfry. Start it once; several may run in one process.
type App struct {
	opt         Options
	publicURL   string
	store       *store.Store
	room        *console.Room
	desk        *desk.Desk
	interaction *interaction.Interaction
	commands    *command.Commands
	lines       chat.Commander
	response    *response.Response
	record      recorder
	api         *api.API
	breaker     *answer.Breaker
	people      *people.People
	identity    *age.X25519Identity
	trials      *trial.Trials
	probes      *doctor.Probes
	engine      *delivery.Engine
	metrics     *metrics.Metrics
	server      *server.Server
	web         *web.Web
	router      router
	parts       atomic.Pointer[parts]

	made         madeChannels
	reloading    sync.Mutex
	writing      sync.Mutex // held while a connection's file and its secrets change
	examining    sync.Mutex
	stopWatching func()
	base         context.Context
	end          context.CancelFunc
	// testing ends with the first step of Stop, and with it tests that wait.
	testing  context.Context
	endTests context.CancelFunc
	wg       sync.WaitGroup
	// gone are the destinations of sources that are gone for good (orphans.go).
	gone         sync.Map
	http, socket *http.Server
	address      net.Addr
	certificates *tlscert.Source // nil: plain HTTP
	setupLink    string
}

const (
	databaseFile = "belfry.db"
	// SocketFile is the unix socket's name in the data directory.
	SocketFile = "belfry.sock"
	// readHeaderWithin, idleFor: what a slow or silent client may take.
	readHeaderWithin = 5 * time.Second
	readWithin       = 30 * time.Second
	idleFor          = 2 * time.Minute
	// stopWithin bounds the end: what is on its way by then is cut off and
	// asked for at the next start.
	stopWithin = 10 * time.Second
)

// Start opens and starts everything. It returns when requests are served.
func Start(ctx context.Context, o Options) (_ *App, err error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := &App{opt: o, probes: doctor.NewProbes(), stopWatching: func() {}}
	a.base, a.end = context.WithCancel(context.WithoutCancel(ctx))
	a.testing, a.endTests = context.WithCancel(a.base)
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Stop())
		}
	}()
	listener, err := net.Listen("tcp", o.File.Server.Listen)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("another program listens on %s: end it, or say another address with --listen, such as --listen 127.0.0.1:9000", o.File.Server.Listen)
		}
		return nil, fmt.Errorf("can't listen on %s: %w; say another address with --listen", o.File.Server.Listen, err)
	}
	a.address = listener.Addr()
	a.publicURL = strings.TrimSuffix(o.File.Server.PublicURL, "/")
	if a.publicURL == "" {
		a.publicURL = DefaultURL(o.File.Server, a.address.String())
	}
	if err := a.wire(ctx); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p, err := a.build(o.File)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	a.apply(a.base, p)
	return a, a.serve(listener)
}

// wire opens what lives as long as the process.
func (a *App) wire(ctx context.Context) error {
	if err := os.MkdirAll(a.opt.Data, 0o700); err != nil {
		return fmt.Errorf("can't make the data directory: %w", err)
	}
	if err := a.openTLS(); err != nil {
		return err
	}
	identity, err := loadIdentity(a.opt.Data)
	if err != nil {
		return err
	}
	a.identity = identity
	sealer, err := newSealer(identity)
	if err != nil {
		return err
	}
	url := a.opt.File.Server.Database.Reveal()
	if url == "" {
		url = filepath.Join(a.opt.Data, databaseFile)
	}
	a.store, err = store.Open(ctx, url, store.Options{Clock: a.opt.Clock, Log: a.opt.Log, Owner: owner(a.opt.Data)})
	if err != nil {
		return err
	}
	a.room, err = console.Open(console.Options{Name: config.RoomName, Storage: a.store, Channels: roomChannels(a.opt.File), URL: a.publicURL, Clock: a.opt.Clock, Log: a.opt.Log})
	if err != nil {
		return err
	}
	a.desk = desk.New(a.store, &a.router, a.can, a.opt.Clock)
	if err := a.desk.LoadMutes(ctx); err != nil {
		return err
	}
	a.interaction = interaction.New(sealer, a.store, a.desk, a.opt.Clock)
	a.people = people.New(a.store, sealer, a.publicURL, a.opt.Clock)
	a.interaction.SetGate(a.people)
	a.commands = a.newCommands()
	a.response = a.newResponse()
	a.store.SetOnCall(a.response.Called)
	a.api = a.openAPI()
	a.lines = a.newLines(sealer)
	a.breaker = answer.NewBreaker(a.opt.Clock)
	a.trials = trial.New(sealer, a.store, a.opt.Clock)
	a.interaction.TakeTrials(a.trials)
	a.interaction.TakeReactions(a.store)
	a.interaction.TakeForeign(a.store)
	tuned := a.opt.Delivery
	tuned.Senders, tuned.Clock, tuned.Log = a.senderOf, a.opt.Clock, a.opt.Log
	a.metrics = metrics.New(metrics.Options{Store: a.store, Version: a.opt.Version, Log: a.opt.Log})
	a.metrics.Expect("", server.Unauthorized)
	tuned.Observe = a.observe
	a.engine = delivery.New(a.store, tuned)
	a.store.SetOnDue(a.engine.Wake)
	a.web, err = web.New(web.Options{Store: a.store, Room: a.room, Responder: roomResponder{a.interaction, a.lines, a.record}, Payloads: a.store, Replay: a.replay, Accounts: a.people, Tester: a, Doctor: a, Connections: a, Incidents: a.response, Gate: a.people, Locate: a.locate, FindPeople: a.findPeople,
		BaseURL: a.publicURL, TrustedProxies: a.opt.File.Server.Proxies(), DemoKey: a.opt.DemoKey, DemoName: "you", Version: a.opt.Version, Clock: a.opt.Clock, Log: a.opt.Log})
	if err != nil {
		return err
	}
	a.setupLink, _, err = web.PrepareSetup(ctx, a.store)
	if err != nil {
		return err
	}
	token, err := a.metricsToken()
	if err != nil {
		return err
	}
	a.server = server.New(server.Options{Desk: a.desk, Log: a.opt.Log, Ready: a.store.Ready, BaseURL: a.publicURL, Clock: a.opt.Clock, Pages: a.web.Handler(), Payloads: a.store, Tester: a, Doctor: a, Answerer: a, Reread: a.reread(),
		Counter: a.metrics, Metrics: a.metrics, MetricsToken: token, API: a.api.Handler()})
	return nil
}

// owner names this process to others on the same database: the same after a
// restart, so that its leases are its own again at once, and another's nowhere.
func owner(data string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "belfry"
	}
	if abs, err := filepath.Abs(data); err == nil {
		data = abs
	}
	return host + ":" + data
}

// serve begins to answer, on TCP and on the socket, and to deliver.
func (a *App) serve(listener net.Listener) error {
	a.http = newHTTP(a.server.Handler(), a.opt.Log)
	a.socket = newHTTP(a.server.SocketHandler(), a.opt.Log)
	path := a.opt.File.Server.Socket
	if path == "" {
		path = filepath.Join(a.opt.Data, SocketFile)
	}
	if err := removeDead(path); err != nil {
		return errors.Join(fmt.Errorf("can't make the socket for belfry notify: %w", err), listener.Close())
	}
	socket, err := net.Listen("unix", path)
	if err != nil {
		return errors.Join(fmt.Errorf("can't make the socket for belfry notify: %w", err), listener.Close())
	}
	if err := os.Chmod(path, 0o660); err != nil { //nolint:gosec // the monitoring core's group is to reach it
		return errors.Join(err, listener.Close(), socket.Close())
	}
	if a.certificates != nil {
		a.http.TLSConfig = a.certificates.Config()
		a.wg.Go(func() { a.certificates.Run(a.base) })
	}
	a.wg.Go(func() { a.run(a.http, listener) })
	a.wg.Go(func() { a.run(a.socket, socket) })
	a.wg.Go(func() { a.engine.Run(a.base) })
	a.wg.Go(func() { a.desk.KeepMutes(a.base, a.opt.Log) })
	a.wg.Go(func() { a.tidy(a.base) })
	a.wg.Go(func() { a.response.KeepReminders(a.base, a.opt.Log) })
	a.wg.Go(func() { a.response.KeepCalls(a.base, a.rule, a.opt.Log) })
	return nil
}

// removeDead removes the socket that a process which died left behind. One
// that somebody still listens on, or anything but a socket, stays.
func removeDead(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("%s exists and is no socket", path)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if c, err := new(net.Dialer).DialContext(ctx, "unix", path); err == nil {
		return errors.Join(fmt.Errorf("another process listens on %s", path), c.Close())
	}
	return os.Remove(path)
}

// roomChannels are the channels that the configuration gives the built-in room.
func roomChannels(f *config.File) []string {
	for _, c := range f.Connections {
		if spec, ok := c.Spec.(*console.Config); ok {
			return spec.Channels
		}
	}
	return nil
}

func newHTTP(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: readHeaderWithin, ReadTimeout: readWithin, IdleTimeout: idleFor,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
}

func (a *App) run(s *http.Server, l net.Listener) {
	serve := s.Serve
	if s.TLSConfig != nil {
		serve = func(l net.Listener) error { return s.ServeTLS(l, "", "") }
	}
	if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
		a.opt.Log.Error("stopped serving", "address", l.Addr().String(), "err", err)
	}
}

// Stop ends everything in reverse order: requests under way are answered,
// deliveries on their way finished and recorded, the rest handed back.
func (a *App) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	var errs []error
	a.endTests()
	if a.web != nil {
		a.web.Close() // live updates would keep the server waiting
	}
	for _, s := range []*http.Server{a.http, a.socket} {
		if s != nil {
			if err := s.Shutdown(ctx); err != nil {
				errs = append(errs, fmt.Errorf("some requests were cut off: %w", err), s.Close())
			}
		}
	}
	a.reloading.Lock() // whatever reads the configuration again ends first, and none begins
	defer a.reloading.Unlock()
	a.stopWatching()
	a.end()
	a.wg.Wait()
	if p := a.parts.Load(); p != nil {
		errs = append(errs, closeAll(ctx, p))
	}
	if a.certificates != nil {
		errs = append(errs, a.certificates.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	return errors.Join(errs...)
}

// Reload puts a new configuration in place, or leaves everything as it was.
// What the process was started with (address, data, database) stays.
func (a *App) Reload(f *config.File) error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	if a.base.Err() != nil {
		return errors.New("the server is stopping; its configuration is read again when it starts")
	}
	p, err := a.build(f)
	if err != nil {
		return err
	}
	if names := a.needsStart(f); len(names) > 0 {
		a.opt.Log.Warn("some settings of the server changed; they count from its next start on", "settings", names)
	}
	old := a.parts.Load()
	a.apply(a.base, p)
	a.reloadTLS(f)
	a.engine.Wake(nil)
	ctx, cancel := context.WithTimeout(a.base, stopWithin)
	defer cancel()
	return closeAll(ctx, old)
}

// reread returns what reads the configuration again; nil without Options.Reread.
func (a *App) reread() func() error {
	if a.opt.Reread == nil {
		return nil
	}
	return func() error {
		file, err := a.opt.Reread()
		if err != nil {
			return err
		}
		return a.Reload(file)
	}
}

// URL is where people reach the pages.
func (a *App) URL() string { return a.publicURL }

// Address is what the server really listens on.
func (a *App) Address() string { return a.address.String() }

// SetupLink is the one-time link that makes the first administrator; empty
// once there is one.
func (a *App) SetupLink() string {
	if a.setupLink == "" {
		return ""
	}
	return a.publicURL + a.setupLink
}

// Handover says how one source's notifications are handed over.
type Handover struct {
	Source, Kind string
	// TokenFile is empty where the token stands in the configuration.
	TokenFile string
	// Hook says that tools may post to an address with the token in it.
	Hook bool
}

// Handovers lists the sources that take notifications over HTTP.
func (a *App) Handovers() []Handover {
	var out []Handover
	for _, s := range a.parts.Load().order {
		if s.token != "" {
			_, hook := s.monitor.(monitor.Hook)
			out = append(out, Handover{s.name, s.kind, s.tokenFile, hook})
		}
	}
	return out
}

// Report returns how a built-in source reports, without HTTP in between.
func (a *App) Report(source string) func(context.Context, []alert.Report) error {
	return func(ctx context.Context, reports []alert.Report) error {
		_, err := a.desk.Ingest(ctx, source, reports)
		return err
	}
}
