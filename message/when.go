// SPDX-License-Identifier: Apache-2.0

package message

import (
	"strconv"
	"time"

	"belfry/chat"
)

// moment returns a span that shows t: the time of day, with the date where it
// is not today's. Times in UTC say so, because few people live there.
func moment(t time.Time, o Options) chat.Span {
	loc := o.Location
	if loc == nil {
		loc = time.Local
	}
	at, now := t.In(loc), o.Now.In(loc)
	var buf [40]byte
	b := buf[:0]
	switch {
	case at.Year() != now.Year():
		b = at.AppendFormat(b, "2 Jan 2006 15:04")
	case at.YearDay() != now.YearDay():
		b = at.AppendFormat(b, "2 Jan 15:04")
	default:
		b = at.AppendFormat(b, "15:04")
	}
	if zone, _ := at.Zone(); zone == "UTC" {
		b = append(b, " UTC"...)
	}
	return chat.Span{Text: string(b), Time: t}
}

// lasted says how long something took, in one or two units: "40 s", "12 min",
// "3 h 5 min", "2 d 4 h".
func lasted(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than a second"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 24*time.Hour:
		return units(int(d/time.Hour), " h", int(d%time.Hour/time.Minute), " min")
	default:
		hours := int(d / time.Hour)
		return units(hours/24, " d", hours%24, " h")
	}
}

func units(big int, bigUnit string, small int, smallUnit string) string {
	s := strconv.Itoa(big) + bigUnit
	if small > 0 {
		s += " " + strconv.Itoa(small) + smallUnit
	}
	return s
}
