// SPDX-License-Identifier: Apache-2.0

// Package nagios speaks with Nagios Core, Naemon and openITCOCKPIT's core.
//
// Inward: the core runs `belfry notify` for every notification; package
// notification says what it hands over, and makes reports of it. Outward: an
// order becomes one line of the core's external command language (command.go),
// after everything that people wrote was cleaned for it (package extcmd), and goes through whichever of the
// command pipe (pipe.go), Naemon's query socket (queryhandler.go) or livestatus
// (livestatus.go) is configured. Where the way itself does not answer, status
// is read from livestatus or status.dat (statusdat.go), or the notification of
// the acknowledgement that comes back confirms it.
package nagios
