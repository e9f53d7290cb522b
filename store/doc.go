// SPDX-License-Identifier: Apache-2.0

// Package store keeps everything that must survive: alerts and their history,
// outward duties, settings, people, sessions and the built-in room, in SQLite
// or PostgreSQL.
//
// The flow of a write: callers hand operations to one writer goroutine (see
// writer), which folds all that are waiting into one transaction and answers
// once it is on disk. A transaction that fails is repeated operation by
// operation, so that a bad one never rejects its neighbours. Changes of alerts
// are folded in memory first (see fold): several changes of one alert make one
// row written. Reads go past the writer, on connections of their own.
//
// The flow of a duty: a change makes it due; Claim takes its destination's
// lease, notes durably that it is being tried, and hands it out; Settle notes
// the outcome. What was claimed and never settled may have arrived: the next
// claim says so (Duty.UnknownSince).
//
// There is one SQL text for both databases; what differs is in dialect.
package store
