// SPDX-License-Identifier: Apache-2.0

// Package config reads what Belfry is told: one YAML file of resources
// (connections to chat, sources of alerts, routes between them), how
// incidents are run, and the settings of the server. Each connector package owns the keys of its kind: a
// struct with `yaml` tags that implements Spec.
//
// The flow: LoadFile reads the file and Load decodes it with a strict decoder
// (decode.go) into File, asks every Spec, and gathers all faults at once, each
// with its line. A file with a fault gives no File at all. The caller then
// applies environment and options (Server.Override) and hands File to app.
//
// Secrets are of type Secret wherever they stand, so that printing, logging or
// encoding a File never shows them; secrettest holds the proof for others.
package config

import (
	"time"

	"belfry/incident"
	"belfry/route"
)

// The built-in chat room, which is there without any configuration.
const (
	// RoomName is the name of its connection.
	RoomName = "room"
	// RoomKind is its kind.
	RoomKind = "console"
)

// The source that is there when a file names none.
const (
	defaultSource = "nagios"
	defaultKind   = "nagios"
)

// Kinds are what a file may name, each with a function that makes an empty
// Spec (a pointer to a struct) to be filled.
type Kinds struct {
	Connections, Sources, Answers map[string]func() Spec
}

// File is a configuration without a fault.
type File struct {
	Server      Server
	Connections []Connection
	Sources     []Source
	// Answers are what is said to words in channels.
	Answers []Answer
	Routes  []route.Route
	// Default is where alerts go that no route wants. It has a channel. HasDefault
	// says that it is written, not built in.
	Default    route.Route
	HasDefault bool
	// Incidents is how incidents are run.
	Incidents Incidents
	// Rules are how routes declare incidents, by Route.
	Rules []incident.Rule
}

// Connection is a chat platform, or the built-in room.
type Connection struct {
	Name, Kind string
	// Act is who may act there.
	Act Act
	// SignIn is whose accounts open the web pages; empty: SignInLinked.
	SignIn SignIn
	// Spec holds the kind's own keys, already valid.
	Spec Spec
	// Line is where it stands in the file; 0: it is built in.
	Line int
	// From is the included file that it stands in (IncludeDir), which Belfry
	// writes itself; empty: the configuration file, which it doesn't.
	From string
}

// Source is a monitoring system that hands alerts over.
type Source struct {
	Name, Kind string
	// Token is what senders show; TokenFile where it is read from (ReadSecret).
	// Both empty: Belfry makes one and keeps it in the data directory.
	Token     Secret
	TokenFile string
	// Spec holds the kind's own keys, already valid.
	Spec Spec
	// Line is where it stands in the file; 0: it is built in.
	Line int
}

// Default returns what holds without a file: the built-in room, a source
// "nagios" that can't be told anything and whose token Belfry makes, and
// everything into room/alerts.
func Default(kinds Kinds) *File {
	return &File{
		Server: Server{Listen: "127.0.0.1:8080", Data: "./belfry-data", Retention: 90 * 24 * time.Hour},
		Connections: []Connection{
			{Name: RoomName, Kind: RoomKind, Spec: newSpec(kinds.Connections[RoomKind])},
		},
		Sources: []Source{
			{Name: defaultSource, Kind: defaultKind, Spec: newSpec(kinds.Sources[defaultKind])},
		},
		Default:   route.Route{Name: "default", Channels: []route.Target{{Connection: RoomName, Channel: "alerts"}}},
		Incidents: defaultIncidents(),
	}
}

func newSpec(empty func() Spec) Spec {
	if empty == nil {
		return nil
	}
	return empty()
}
