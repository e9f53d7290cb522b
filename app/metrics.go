// SPDX-License-Identifier: Apache-2.0

package app

import (
	"path/filepath"

	"belfry/config"
	"belfry/delivery"
	"belfry/store"
)

// observe counts what the engine did.
func (a *App) observe(d store.Duty, r delivery.Result) {
	a.metrics.Delivered(d.Destination, string(d.Kind), string(r))
}

// metricsToken is what is to be shown for metrics over TCP, made when they are
// served for the first time; empty: they are not.
func (a *App) metricsToken() (config.Secret, error) {
	if !a.opt.File.Server.Metrics {
		return "", nil
	}
	token, file, err := keptToken(filepath.Join(a.opt.Data, metricsFile))
	if err == nil {
		a.opt.Log.Info("metrics are served to whoever shows the token", "path", "/metrics", "token_file", file)
	}
	return token, err
}
