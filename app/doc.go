// SPDX-License-Identifier: Apache-2.0

// Package app wires everything: it opens the store, the chat connections and
// the monitoring systems that a configuration names, connects desk, delivery
// and the two HTTP sides, and starts and stops them in the right order.
//
// plugins.go lists what Belfry can speak to. setup.go makes the parts that a
// configuration decides and can be made anew while everything runs (Reload);
// app.go holds what lives as long as the process.
package app
