// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// settings is the part of config.json that integrations depend on:
// section → key → value.
type settings map[string]map[string]any

const service = "ServiceSettings"

// shipped are the settings of a server that was just installed (5.37).
func shipped() settings {
	return settings{
		service: {
			"SiteURL": "", "EnableIncomingWebhooks": true, "EnableOutgoingWebhooks": true, "EnableCommands": true,
			"EnablePostUsernameOverride": false, "EnablePostIconOverride": false, "EnableUserAccessTokens": false,
			"EnableBotAccountCreation": false, "EnableOAuthServiceProvider": false,
			"AllowedUntrustedInternalConnections": "", "EnableInsecureOutgoingConnections": false,
			"PostPriority": true, // from 7.7 on
		},
		"RateLimitSettings": {"Enable": false, "PerSec": float64(10), "MaxBurst": float64(100)},
	}
}

func (c settings) on(key string) bool {
	on, _ := c[service][key].(bool)
	return on
}

func (s *Server) getConfig(c call) (int, any, *apiError) {
	if !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return http.StatusOK, s.config.copied(), nil
}

// getClientConfig tells what every client may know, all of it as texts. Who is
// not signed in sees less, and gets here no further.
func (s *Server) getClientConfig(c call) (int, any, *apiError) {
	if c.URL.Query().Get("format") != "old" {
		return 0, nil, fail(http.StatusNotImplemented, "api.config.client.old_format.app_error", "New format for the client configuration is not supported yet. Please specify format=old in the query string.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{"Version": s.versionNow(), "BuildEnterpriseReady": "false"}
	for _, key := range []string{"EnableIncomingWebhooks", "EnableOutgoingWebhooks", "EnableCommands", "EnablePostUsernameOverride",
		"EnablePostIconOverride", "EnableUserAccessTokens", "EnableBotAccountCreation", "EnableOAuthServiceProvider"} {
		out[key] = strconv.FormatBool(s.config.on(key))
	}
	site, _ := s.config[service]["SiteURL"].(string)
	out["SiteURL"] = strings.TrimRight(site, "/")
	return http.StatusOK, out, nil
}

func (c settings) copied() settings {
	out := settings{}
	for section, keys := range c {
		out[section] = map[string]any{}
		for key, value := range keys {
			out[section][key] = value
		}
	}
	return out
}

// getConfigEnvironment tells which keys the environment sets: those can't be
// changed through the API.
func (s *Server) getConfigEnvironment(c call) (int, any, *apiError) {
	if !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := settings{}
	for _, path := range s.locked {
		section, key, _ := strings.Cut(path, ".")
		if out[section] == nil {
			out[section] = map[string]any{}
		}
		out[section][key] = true
	}
	return http.StatusOK, out, nil
}

// patchConfig changes the keys that are named. What the environment sets stays
// as it is, and the answer is 200 all the same; unknown keys are passed over.
func (s *Server) patchConfig(c call) (int, any, *apiError) {
	var patch settings
	if err := c.read(&patch); err != nil {
		return 0, nil, errParam("config")
	}
	if !c.user.isAdmin() {
		return 0, nil, errPermissions()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for section, keys := range patch {
		for key, value := range keys {
			old, known := s.config[section][key]
			switch {
			case !known, slices.Contains(s.locked, section+"."+key):
			case !sameKind(old, value):
				return 0, nil, errParam("config")
			default:
				s.config[section][key] = value
			}
		}
	}
	return http.StatusOK, s.config.copied(), nil
}

func sameKind(a, b any) bool {
	switch a.(type) {
	case bool:
		_, ok := b.(bool)
		return ok
	case string:
		_, ok := b.(string)
		return ok
	}
	_, ok := b.(float64)
	return ok
}

// Setting returns a key of ServiceSettings.
func (s *Server) Setting(key string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config[service][key]
}

// SetSetting changes a key of ServiceSettings as the System Console would.
func (s *Server) SetSetting(key string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config[service][key] = value
}

// SetRateLimit changes the settings of the rate limit as the System Console
// would; RateLimit makes the server keep it.
func (s *Server) SetRateLimit(on bool, perSecond int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config["RateLimitSettings"]["Enable"], s.config["RateLimitSettings"]["PerSec"] = on, float64(perSecond)
}

// LockSetting sets a key of ServiceSettings by the server's environment: the
// API can no longer change it.
func (s *Server) LockSetting(key string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config[service][key] = value
	s.locked = append(s.locked, service+"."+key)
}

// blockedNetworks are those that a server does not call unless told to.
func blockedNetworks() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range []string{"0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"} {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// mayCall says whether the server calls this host: names are matched as they
// stand before DNS, addresses after it and by networks only.
func (s *Server) mayCall(host string) bool {
	s.mu.Lock()
	guarded := s.opts.Fresh || s.opts.Guarded
	list, _ := s.config[service]["AllowedUntrustedInternalConnections"].(string)
	s.mu.Unlock()
	if !guarded {
		return true
	}
	allowed := strings.Fields(list)
	if slices.Contains(allowed, host) {
		return true
	}
	found, err := net.LookupIP(host)
	if err != nil {
		return false
	}
	for _, ip := range found {
		a, _ := netip.AddrFromSlice(ip)
		a = a.Unmap()
		if !slices.ContainsFunc(blockedNetworks(), func(p netip.Prefix) bool { return p.Contains(a) }) {
			return true
		}
		for _, text := range allowed {
			if p, err := netip.ParsePrefix(text); err == nil && p.Contains(a) {
				return true
			}
		}
	}
	return false
}
