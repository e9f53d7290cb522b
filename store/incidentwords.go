// SPDX-License-Identifier: Apache-2.0

package store

import (
	"maps"
	"slices"
	"strings"

	"belfry/incident"
)

// searchText is what is looked for in an incident: the same for the same incident,
// so that it is written only where it is another one.
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
	for _, name := range slices.Sorted(maps.Keys(i.Fields)) {
		add(name, i.Fields[name])
	}
	for _, role := range slices.Sorted(maps.Keys(i.Roles)) {
		add(role, i.Roles[role].Name)
	}
	return writable(strings.ToLower(strings.Join(append(parts, ""), "\n")))
}
