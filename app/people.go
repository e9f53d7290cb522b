// SPDX-License-Identifier: Apache-2.0

package app

import (
	"belfry/chat"
	"belfry/config"
	"belfry/people"
)

// rulesOf is what a connection says about people: who may act there, and
// whether its accounts can be linked.
func rulesOf(c config.Connection, platform chat.Platform) people.Connection {
	out := people.Connection{Name: c.Name, Act: c.Act, SignIn: c.SignIn, Room: c.Kind == config.RoomKind}
	if l, ok := c.Spec.(config.Linker); ok && l.Links() {
		out.Identifier, _ = platform.(chat.Identifier)
		if can, ok := platform.(interface{ Identifies() bool }); ok && !can.Identifies() {
			out.Identifier = nil // accounts are linked by another way alone
		}
		if m, ok := platform.(chat.Mailer); ok && m.MailDomain() != "" {
			out.Mailer = m
		}
	}
	if i, ok := platform.(chat.Installer); ok && i.Installs() {
		out.Installer = i
	}
	return out
}
