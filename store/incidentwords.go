// SPDX-License-Identifier: Apache-2.0

package store

import (
	"strings"

	"belfry/incident"
)

// searchText is what is looked for in an incident.
func searchText(i *incident.Incident) string {
	parts := []string{"", i.Ref(), i.Title, i.Summary}
	add := func(label string, values ...string) {
		for _, v := range values {
			if v != "" {
				parts = append(parts, label+":"+v)
			}
		}
	}
	add("type", i.Types...)
	add("service", i.Services...)
	add("environment", i.Environments...)
	for name, value := range i.Fields {
		add(name, value)
	}
	for role, p := range i.Roles {
		add(role, p.Name)
	}
	return writable(strings.ToLower(strings.Join(append(parts, ""), "\n")))
}
