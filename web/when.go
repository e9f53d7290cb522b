// SPDX-License-Identifier: Apache-2.0

package web

import (
	"strings"
	"time"

	"belfry/message"
	"belfry/typed"
)

// maxAhead is how far away a task's date may be.
const maxAhead = 366 * 24 * time.Hour

// moments are how people write a moment; a browser's own field writes the one
// with "T". What has no date is meant of today.
func moments() []string {
	return []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02"}
}

// momentOf reads a moment in a time zone that the page's script names; without
// script it is UTC, and the page says so. ok is false when it is none.
func momentOf(text, zone string, now time.Time) (at time.Time, today, ok bool, err error) {
	loc := time.UTC
	if zone != "" && zone != "UTC" {
		if loc, err = time.LoadLocation(zone); err != nil || zone == "Local" || len(zone) > 64 {
			return at, false, false, refuse("the time zone of your browser is not known on Belfry's machine, so say how long ago, or in how long: 10m, 2h, 1d")
		}
	}
	for _, layout := range moments() {
		if at, err := time.ParseInLocation(layout, text, loc); err == nil {
			return at.UTC(), false, true, nil
		}
	}
	if clock, err := time.ParseInLocation("15:04", text, loc); err == nil {
		d := now.In(loc)
		return time.Date(d.Year(), d.Month(), d.Day(), clock.Hour(), clock.Minute(), 0, 0, loc).UTC(), true, true, nil
	}
	return at, false, false, nil
}

// whenDue reads when something is to be done: "2h", "in 3d", "17:00", or a date
// with or without a time. Empty is no date.
func whenDue(text, zone string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	span, isSpan := typed.ParseSpan(strings.TrimSpace(strings.TrimPrefix(text, "in ")))
	due := now.Add(span).UTC().Truncate(time.Second)
	if !isSpan {
		at, today, ok, err := momentOf(text, zone, now)
		switch {
		case err != nil:
			return at, err
		case !ok:
			return at, refuse("%q is no date; write how long from now (90m, 2h, 3d), a time (17:00), or a day and a time (2026-12-01 17:00)", said(text))
		case today && at.Before(now):
			at = at.AddDate(0, 0, 1) // five o'clock, said at six, is tomorrow's
		}
		due = at
	}
	if due.Sub(now) > maxAhead || now.Sub(due) > maxAhead {
		return time.Time{}, refuse("a date lies at most a year away")
	}
	return due, nil
}

// whenHappened reads when something happened: "10m", "2h ago", "14:03", or a
// date and a time. Empty is now. What lies in the future is for the incident to
// refuse.
func whenHappened(text, zone string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return now, nil
	}
	if span, ok := typed.ParseSpan(strings.TrimSpace(strings.TrimSuffix(text, " ago"))); ok {
		return now.Add(-span), nil
	}
	at, today, ok, err := momentOf(text, zone, now)
	switch {
	case err != nil:
		return at, err
	case !ok:
		return at, refuse("%q is no time; write how long ago (10m, 2h), a time (14:03), or a day and a time (2026-12-01 14:03)", said(text))
	case today && at.After(now):
		at = at.AddDate(0, 0, -1) // eleven at night, said after midnight, was yesterday's
	}
	return at, nil
}

// said is what somebody typed, short enough to be said back.
func said(text string) string { return message.Short(text, 40) }
