// SPDX-License-Identifier: Apache-2.0

package estate

import "belfry/alert"

// part is what a host or service says.
type part struct {
	fine string
	// bad are its troubles, from mild to worse; the next is what it comes to.
	bad []trouble
}

type trouble struct {
	state  string
	output string
}

// severities of the words that the cast uses.
func severity(state string) alert.Severity {
	switch state {
	case "WARNING":
		return alert.SeverityWarning
	case "CRITICAL", "DOWN":
		return alert.SeverityCritical
	case "OK", "UP":
		return alert.SeverityOK
	}
	return alert.SeverityUnknown
}

type machine struct {
	name, display, address, team string
	services                     []role
}

type role struct {
	name string
	part
}

// hostPart is what every host says.
var hostPart = part{
	fine: "PING OK - packet loss 0%, round trip 0.41 ms",
	bad:  []trouble{{"DOWN", "PING CRITICAL - packet loss 100%"}},
}

// estateMachines returns who is in the estate.
func estateMachines() []machine {
	disk := func(path, used string) role {
		return role{"Disk " + path, part{
			"DISK OK - " + path + " " + used + " used", []trouble{
				{"WARNING", "DISK WARNING - " + path + " 84% used, 12.9 GB free"},
				{"CRITICAL", "DISK CRITICAL - " + path + " 97% used, 2.4 GB free\nlargest below " + path + ":\n  41 GB  log\n  18 GB  cache\n   6 GB  spool"},
			}}}
	}
	load := role{"Load", part{"OK - load average: 0.62, 0.70, 0.71", []trouble{
		{"WARNING", "WARNING - load average: 9.82, 7.14, 4.02"}, {"CRITICAL", "CRITICAL - load average: 31.40, 22.76, 11.90"},
	}}}
	web := role{"HTTPS", part{"HTTP OK: HTTP/1.1 200 OK - 5124 bytes in 0.083 second response time", []trouble{
		{"WARNING", "HTTP WARNING: HTTP/1.1 200 OK - 5124 bytes in 4.812 second response time"},
		{"CRITICAL", "HTTP CRITICAL: HTTP/1.1 503 Service Unavailable - 312 bytes in 0.009 second response time"},
	}}}
	cert := role{"Certificate", part{"SSL OK - valid until 2027-03-01", []trouble{
		{"WARNING", "SSL WARNING - certificate shop.example.com expires in 13 days"},
	}}}
	return []machine{
		{"web01", "Web server 1", "192.0.2.11", "web", []role{web, cert, load, disk("/var", "41%")}},
		{"web02", "Web server 2", "192.0.2.12", "web", []role{web, load}},
		{"shop-db1", "Shop database", "192.0.2.21", "db", []role{disk("/var/lib/postgresql", "63%"), {"Replication", part{
			"OK - standby shop-db2 lags 0.2 s", []trouble{
				{"WARNING", "WARNING - standby shop-db2 lags 94 s"}, {"CRITICAL", "CRITICAL - standby shop-db2 is not connected since 6 min"},
			}}}, {"Connections", part{"OK - 38 of 200 connections used", []trouble{
			{"WARNING", "WARNING - 171 of 200 connections used"}, {"CRITICAL", "CRITICAL - 200 of 200 connections used, 14 refused"},
		}}}}},
		{"shop-db2", "Shop database, standby", "192.0.2.22", "db", []role{load}},
		{"mail01", "Mail gateway", "192.0.2.31", "office", []role{{"Queue", part{"OK - mailq is 4", []trouble{
			{"WARNING", "WARNING - mailq is 640 (threshold w = 500)"}, {"CRITICAL", "CRITICAL - mailq is 4212 (threshold c = 2000)\n3980 wait for mx.example.net: connection timed out"},
		}}}, cert}},
		{"backup01", "Backup", "192.0.2.41", "office", []role{disk("/srv/backup", "71%"), {"Last backup", part{
			"OK - shop-db1 was backed up 5 h ago", []trouble{
				{"WARNING", "WARNING - shop-db1 was backed up 26 h ago"}, {"UNKNOWN", "UNKNOWN - no answer from the backup catalogue"},
			}}}}},
		{"sw-core", "Core switch", "192.0.2.1", "network", []role{{"Uplink", part{"OK - te1/1 up, 2.1 Gbit/s in, 0.8 Gbit/s out", []trouble{
			{"WARNING", "WARNING - te1/1 9.4 Gbit/s in (94% of 10 Gbit/s)"}, {"CRITICAL", "CRITICAL - te1/1 is down"},
		}}}}},
	}
}

// cast makes the things of the estate, hosts before their services.
func cast() []*thing {
	var all []*thing
	for _, m := range estateMachines() {
		host := alert.Object{Kind: alert.KindHost, Host: m.name, HostDisplay: m.display, Address: m.address}
		labels := alert.Labels{"team": m.team, "site": "demo"}
		all = append(all, &thing{object: host, labels: labels, part: hostPart})
		for _, r := range m.services {
			o := host
			o.Kind, o.Service = alert.KindService, r.name
			all = append(all, &thing{object: o, labels: labels, part: r.part})
		}
	}
	return all
}
