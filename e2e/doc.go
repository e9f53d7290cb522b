// SPDX-License-Identifier: Apache-2.0

// Package e2e holds the tests that run the real program between real or
// faithful neighbours: a Nagios from Debian's package on one side, the fake
// Mattermost or a browser on the other. Each test is one story that a person
// could tell.
package e2e
