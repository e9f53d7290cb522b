// SPDX-License-Identifier: Apache-2.0

package message

import "belfry/incident"

// reminderWords says what people are reminded of, and what they can do; is and
// was are the entry's, made short.
func reminderWords(e *incident.Entry, is, was string) string {
	missing, text := lasted(e.At.Sub(e.Since)), ""
	switch incident.ReminderKind(e.What) {
	case incident.RemindTask:
		if is == "" {
			return "reminds: task " + was + " is due, and nobody has it"
		}
		return "reminds " + is + ": task " + was + " is due"
	case incident.RemindCommander:
		text = "reminds: nobody has been " + is + " for " + missing + "; “assign " + is + " @somebody” changes that"
	case incident.RemindTriage:
		text = "reminds: in triage for " + missing + "; “start” says that it is an incident, “cancel” that it is none"
	default:
		text = "reminds: nobody has said for " + missing + " how it stands; “update <text>” does"
	}
	if was == "last" {
		text += "; I won't say so again"
	}
	return text
}
