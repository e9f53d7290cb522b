// SPDX-License-Identifier: Apache-2.0

package mattermost

import "net/http"

// Transport returns how the connection reaches its server: with its proxy and
// the certificates it trusts. For those who call the server on its behalf.
func (c *Config) Transport() (*http.Transport, error) { return c.transport() }
