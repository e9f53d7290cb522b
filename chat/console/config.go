// SPDX-License-Identifier: Apache-2.0

package console

import "belfry/config"

// Config is the spec of a connection of kind console.
type Config struct {
	// Channels are the only ones that may be posted to; when left out, a
	// channel is there as soon as something is posted to it.
	Channels []string `yaml:"channels"`
}

var _ config.Spec = (*Config)(nil)

// Validate implements config.Spec.
func (c *Config) Validate() []error {
	var faults []error
	for _, name := range c.Channels {
		if !ValidChannel(name) {
			faults = append(faults, config.Wrong("channels", "%.80q is no name for a channel: write 1 to %d lower-case letters, digits or \"-\"", name, maxChannel))
		}
	}
	return faults
}
