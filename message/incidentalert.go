// SPDX-License-Identifier: Apache-2.0

package message

import (
	"fmt"

	"belfry/incident"
)

// alertWords says what became of an attached alert.
func alertWords(e *incident.Entry) string {
	name := fmt.Sprintf("alert #%d", e.Alert)
	if is := short(e.Is, maxTitle); is != "" {
		name += ", " + is + ","
	}
	switch e.What {
	case incident.AlertWasAcked:
		return "acknowledged " + unpaired(name)
	case incident.AlertWasUnacked:
		return "took back the acknowledgement of " + unpaired(name)
	case incident.AlertWasOver:
		return name + " is over"
	case incident.AlertWasWorse:
		return name + " got worse (" + short(e.Was, maxName) + ")"
	case incident.AlertWasBetter:
		return name + " got better (" + short(e.Was, maxName) + ")"
	case incident.AlertIsBack:
		return name + " is the same problem again"
	}
	return unpaired(name)
}

// unpaired is a name at the end of its sentence.
func unpaired(name string) string {
	if n := len(name) - 1; name[n] == ',' {
		return name[:n]
	}
	return name
}

// alertsOver counts the attached alerts that are over, as far as is known.
func alertsOver(i *incident.Incident) (n int) {
	for _, a := range i.Alerts {
		if a.State == incident.AlertOver {
			n++
		}
	}
	return n
}
