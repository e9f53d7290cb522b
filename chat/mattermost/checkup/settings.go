// SPDX-License-Identifier: Apache-2.0

package checkup

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"belfry/chat/mattermost"
	"belfry/chat/mattermost/reach"
)

// settings are config.json's: section → key → value.
type settings map[string]map[string]any

func (s settings) text(key string) string {
	text, _ := s[service][key].(string)
	return text
}

const service = "ServiceSettings"

// The places of keys in the System Console.
const (
	integrations = "Integrations → Integration Management → "
	webServer    = "Environment → Web Server → "
	developer    = "Environment → Developer → "
)

// readSettings reads what this connection may see of the server's settings.
func (v *visit) readSettings(ctx context.Context) {
	if err := v.get(ctx, "/config/client?format=old", &v.client); err != nil {
		v.doubt("settings", "run belfry doctor again when Mattermost is well", "the settings that every client is told can't be read: %v", err)
	}
	api, ok := v.borrowed()
	if !ok {
		return
	}
	_, err := api.Call(ctx, http.MethodGet, "/config", nil, &v.admin)
	if err != nil {
		v.admin = nil
		why := fmt.Sprintf("%v", err)
		if r, ok := mattermost.Refused(err); ok && r.Status == http.StatusUnauthorized {
			why = "Mattermost does not accept it (expired, revoked, or personal access tokens are off)"
		} else if missing(err) {
			why = "it is not a system administrator's"
		}
		v.doubt("administrator's token", "make one in your own profile → Security → Personal Access Tokens, as a system administrator, and lend it: belfry doctor --admin-token-file FILE",
			"the administrator's token shows no settings: %s", why)
		return
	}
	if _, err := api.Call(ctx, http.MethodGet, "/config/environment", nil, &v.locked); err != nil {
		v.locked = nil // then the remedies name the console alone
	}
}

// set says how a setting gets a value: where people find it, the key, and the
// command; or, when the server's environment rules, what to set there.
func (v *visit) set(where, key, value string) string {
	return v.setIn(service, where, key, value)
}

func (v *visit) setIn(section, where, key, value string) string {
	if locked, _ := v.locked[section][key].(bool); locked {
		return fmt.Sprintf("where Mattermost is started, its environment sets it: MM_%s_%s=%q, then restart Mattermost", strings.ToUpper(section), strings.ToUpper(key), value)
	}
	quoted := value
	if strings.ContainsAny(value, " ") || value == "" {
		quoted = "'" + value + "'"
	}
	return fmt.Sprintf("System Console → %s: %s (config.json: %s.%s)\nor: mmctl config set %s.%s %s", where, value, section, key, section, key, quoted)
}

// judgeSettings says which settings stand in the way.
func (v *visit) judgeSettings(ctx context.Context) {
	if v.client != nil {
		v.judgeClient()
	}
	v.judgeReach(ctx)
	v.judgeAdmin()
}

// off says whether a switch is known to be off.
func (v *visit) off(key string) bool { return v.client[key] == "false" }

func (v *visit) judgeClient() {
	v.judgeSite()
	if v.platform.TakesCommands() {
		if v.off("EnableCommands") {
			v.bad("commands", v.set(integrations+"Enable Custom Slash Commands", "EnableCommands", "true"), "slash commands are configured, and switched off in Mattermost")
		} else {
			v.good("commands", "Mattermost lets people use slash commands")
		}
	}
	if v.config.OAuth != nil {
		if v.off("EnableOAuthServiceProvider") {
			v.bad("oauth", v.set(integrations+"Enable OAuth 2.0 Service Provider", "EnableOAuthServiceProvider", "true"),
				"oauth is configured, and Mattermost is no OAuth provider: nobody can connect an account or sign in")
		} else {
			v.good("oauth", "Mattermost is an OAuth provider")
		}
	}
	if v.config.Username != "" {
		v.override("name", "EnablePostUsernameOverride", "Enable integrations to override usernames", "username", v.config.Username)
	}
	if v.config.IconURL != "" {
		v.override("icon", "EnablePostIconOverride", "Enable integrations to override profile picture icons", "icon_url", v.config.IconURL)
	}
}

func (v *visit) override(check, key, label, field, value string) {
	if v.off(key) {
		v.doubt(check, v.set(integrations+label, key, "true"), "%s is %q, and Mattermost shows the account's own", field, value)
		return
	}
	v.good(check, "Mattermost shows %s as configured", field)
}

// judgeSite compares SiteURL with the address that we use.
func (v *visit) judgeSite() {
	where, own := webServer+"Site URL", strings.TrimRight(v.config.URL, "/")
	said := strings.TrimRight(v.client["SiteURL"], "/")
	if said == "" {
		v.bad("site url", v.set(where, "SiteURL", own), "SiteURL is empty: late answers to commands, sign-in and links to messages don't work")
		return
	}
	if differs := differ(said, own); differs != "" {
		v.doubt("site url", "if people use "+own+": "+v.set(where, "SiteURL", own)+"\nif they use "+said+": set url of connection "+v.opt.Name+" to that, if this host reaches it",
			"SiteURL is %s and url is %s: another %s, so late answers to commands, sign-in and links to messages may lead nowhere", said, own, differs)
		return
	}
	v.good("site url", "SiteURL is the address that is configured: %s", said)
}

// differ names what two addresses of a site differ in; "" if nothing.
func differ(a, b string) string {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	switch {
	case errX != nil || errY != nil:
		return "address"
	case x.Scheme != y.Scheme:
		return "scheme"
	case !strings.EqualFold(x.Hostname(), y.Hostname()):
		return "host"
	case address(x) != strings.Replace(address(y), y.Hostname(), x.Hostname(), 1):
		return "port"
	case strings.TrimRight(x.Path, "/") != strings.TrimRight(y.Path, "/"):
		return "subpath"
	}
	return ""
}

// judgeReach says whether Mattermost may call our address, by its own rules.
func (v *visit) judgeReach(ctx context.Context) {
	const check = "internal connections"
	u, err := url.Parse(v.platform.CallbackURL())
	if v.platform.Buttonless() || err != nil || u.Host == "" {
		return
	}
	host := u.Hostname() // letter by letter: so it is compared
	addresses, err := v.resolve(ctx, host)
	if err != nil {
		if v.called == came {
			v.good(check, "Mattermost calls %s", host)
			return
		}
		v.doubt(check, "if it leads to a private address there: "+v.set(developer+"Allow untrusted internal connections to", reach.Setting, reach.Allow(v.admin.text(reach.Setting), host)),
			"%s can't be looked up from here, so whether Mattermost may call it is not known: %v", host, err)
		return
	}
	own, _ := v.resolve(ctx, v.site().Hostname()) // unknown: nothing is held for the server's own
	if v.admin == nil {
		v.judgeReachUnseen(check, host, reach.Calls("", host, addresses, own))
		return
	}
	list := v.admin.text(reach.Setting)
	remedy := v.set(developer+"Allow untrusted internal connections to", reach.Setting, reach.Allow(list, host))
	switch verdict, why := reach.Judge(list, host, addresses, own); {
	case verdict == reach.Called && list == "":
		v.good(check, "%s leads to a public address, which Mattermost calls unasked", host)
	case verdict == reach.Called:
		v.good(check, "Mattermost may call %s; %s is %q", host, reach.Setting, list)
	case v.called == came:
		v.doubt(check, remedy, "Mattermost calls %s now, but not every version would: %s; %s is %q", host, why, reach.Setting, list)
	case verdict == reach.Depends:
		v.doubt(check, remedy, "not every version of Mattermost calls %s: %s; %s is %q", host, why, reach.Setting, list)
	default:
		v.bad(check, remedy, "Mattermost does not call %s: %s; %s is %q", host, why, reach.Setting, list)
	}
}

// judgeReachUnseen judges without the list.
func (v *visit) judgeReachUnseen(check, host string, unasked bool) {
	switch {
	case v.called == came:
		v.good(check, "Mattermost calls %s", host)
	case unasked:
		v.good(check, "%s leads to a public address, which Mattermost calls unasked", host)
	default:
		v.doubt(check, fmt.Sprintf("to see it: belfry doctor --admin-token-file FILE\nif %s is not in it, add it: System Console → %sAllow untrusted internal connections to (config.json: %s.%s), divided by spaces from what stands there",
			host, developer, service, reach.Setting),
			"not seen: %s leads to a private address, which Mattermost calls only if %s names it; that is shown to administrators alone", host, reach.Setting)
	}
}

// judgeAdmin judges what only an administrator sees.
func (v *visit) judgeAdmin() {
	if v.admin == nil {
		v.doubt("hidden settings", "to see them: belfry doctor --admin-token-file FILE, with an access token of a system administrator; it is used and not kept",
			"not seen: EnableInsecureOutgoingConnections, OutgoingIntegrationRequestsTimeout and RateLimitSettings are shown to administrators alone")
		return
	}
	if on, _ := v.admin[service]["EnableInsecureOutgoingConnections"].(bool); on {
		v.doubt("outgoing TLS", v.set(webServer+"Enable Insecure Outgoing Connections", "EnableInsecureOutgoingConnections", "false")+
			"\nfirst have Mattermost's host trust the certificate of "+v.platform.CallbackURL(),
			"Mattermost checks no certificates when it calls integrations: who stands between it and Belfry can read and answer for Belfry")
	} else {
		v.good("outgoing TLS", "Mattermost checks the certificates of what it calls")
	}
	// Servers before 9 have no such key and wait for 30 s.
	if wait, there := v.admin[service]["OutgoingIntegrationRequestsTimeout"].(float64); there && wait > 0 && wait < leastWait {
		v.doubt("integration timeout", v.set(integrations+"Integration request timeout", "OutgoingIntegrationRequestsTimeout", "30"),
			"Mattermost waits only %v s for an answer; a slow network makes presses fail", wait)
	} else {
		v.good("integration timeout", "Mattermost waits long enough for answers")
	}
	v.judgeLimit()
}

// leastWait is how long Mattermost should wait for us, in s: a callback is
// answered within 2.5.
const leastWait = 5

// enoughPerSecond is what an alert storm with its edits needs.
const enoughPerSecond = 50

// judgeLimit puts what the settings say in the place of what headers let guess.
func (v *visit) judgeLimit() {
	section := v.admin["RateLimitSettings"]
	on, _ := section["Enable"].(bool)
	perSecond, known := section["PerSec"].(float64)
	if !on || !known {
		return
	}
	for i, f := range v.found {
		if f.Check != "rate limit" || v.config.RequestsPerSecond > 0 && v.config.RequestsPerSecond <= perSecond {
			continue
		}
		v.found = append(v.found[:i], v.found[i+1:]...)
		break
	}
	switch own := v.config.RequestsPerSecond; {
	case own > 0 && own <= perSecond:
	case own > perSecond:
		v.doubt("rate limit", v.rateRemedy(), "Mattermost takes %v requests per second, and requests_per_second is %v", perSecond, own)
	case perSecond < enoughPerSecond:
		v.doubt("rate limit", v.rateRemedy(), "Mattermost takes %v requests per second from one address, so in an alert storm cards come late", perSecond)
	default:
		v.good("rate limit", "Mattermost takes %v requests per second", perSecond)
	}
}
