// SPDX-License-Identifier: Apache-2.0

// Package openitcockpit speaks with openITCOCKPIT (4 and 5), whose core names
// hosts and services by UUIDs.
//
// Inward: its core runs `belfry notify`, with the arguments of openITCOCKPIT's
// own Mattermost or Slack module or better ones; package notification says what
// that means, and the names that people know are looked up for the UUIDs
// (names.go), within a bound: a report never waits for them for long. Outward:
// an act first reads the object (find.go), since openITCOCKPIT takes commands
// for objects that do not exist, and is then submitted to its API as one
// command (acts.go) after what people wrote was made harmless (package extcmd),
// because openITCOCKPIT joins the parameters with ; as they are. Its answer only
// says "queued", so the status is read until it shows (status.go, and courier
// above). client.go makes the requests, with the key in a header alone, and
// answers.go reads what comes back. Examine (examine.go) looks into all of it.
//
// Requests and answers are those of openITCOCKPIT's source: CmdController,
// HostsController, ServicesController and their filters.
package openitcockpit
