// SPDX-License-Identifier: Apache-2.0

// Package monitor is the contract of a monitoring system: how what it sends
// becomes reports, and what it can be told.
//
// Inward: the server hands a request's body to the source's Decoder and the
// reports to desk.Ingest. Outward: the courier carries a stored write-back to
// the optional interfaces (Acknowledger, Commenter, Downtimer, Checker, Notifier). A
// command that was only handed over is not done: it is confirmed by the answer
// itself (Receipt.Confirmed), by a StatusReader, or by the notification that
// comes back.
//
// All methods return errors of package fault. monitortest holds the suite that
// every implementation runs.
package monitor

import (
	"context"
	"time"

	"belfry/alert"
)

// Monitor is one configured monitoring system. What it can do beyond decoding
// is found by asserting the optional interfaces below.
type Monitor interface {
	// Decode turns the body of an intake request into reports. contentType is
	// the request's. A body that can't be understood gives an error that says
	// which field is wrong and what is right; unknown fields and values are
	// named in Warnings and lose nothing else.
	Decode(contentType string, body []byte) (Decoded, error)
}

// Decoded is what a request said.
type Decoded struct {
	Reports []alert.Report
	// Warnings say what was not understood, one plain line each.
	Warnings []string
}

// Hook is a Monitor for tools that know nothing of Belfry. Such a tool may show
// its token in the URL's path, for many can set no header. What it sends and
// can't be understood is kept: it is decoded again once the program or the rule
// is mended.
type Hook interface {
	Monitor
	// Answer says what the sender is told.
	Answer(o Outcome) Answer
}

// Outcome is what became of a hand-over.
type Outcome struct {
	// Accepted counts the reports that are stored for good.
	Accepted int
	Warnings []string
	// Fault is why the body was not understood; nil: it was.
	Fault error
	// Kept is true when a body that was not understood is stored.
	Kept bool
}

// Answer is an HTTP answer.
type Answer struct {
	Status            int
	ContentType, Body string
}

// Receipt is the answer to a command.
type Receipt struct {
	// Confirmed is true when the system itself said that it carried the
	// command out; false when it was only handed over.
	Confirmed bool
	// Queued is true when the system said that it only noted the command for
	// later: nothing but its status tells whether it was carried out.
	Queued bool
}

// Acknowledger can be told that somebody takes care of a problem.
type Acknowledger interface {
	Acknowledge(ctx context.Context, a Acknowledgement) (Receipt, error)
	Unacknowledge(ctx context.Context, o alert.Object) (Receipt, error)
}

// Acknowledgement is who takes care, and what they say. Implementations clean
// Author and Comment for their own wire: they come from chat and are untrusted.
type Acknowledgement struct {
	Object  alert.Object
	Author  string
	Comment string
}

// Commenter can keep a remark with an object.
type Commenter interface {
	Comment(ctx context.Context, o alert.Object, author, text string) (Receipt, error)
}

// Downtimer can be told of planned work.
type Downtimer interface {
	Downtime(ctx context.Context, d Downtime) (Receipt, error)
}

// Downtime is a fixed span of planned work.
type Downtime struct {
	Object     alert.Object
	Author     string
	Comment    string
	Start, End time.Time
}

// Checker can be asked to check an object now.
type Checker interface {
	CheckNow(ctx context.Context, o alert.Object) (Receipt, error)
}

// Notifier can be told to notify of an object, or not to.
type Notifier interface {
	Notifications(ctx context.Context, o alert.Object, on bool) (Receipt, error)
}

// StatusReader can be asked how objects stand.
type StatusReader interface {
	// Status returns what the system says of the objects, in their order. A
	// system that can't be asked of very many at once says of some of them, in
	// turn from call to call, that they are not known; of a single one never.
	Status(ctx context.Context, objects []alert.Object) ([]Status, error)
}

// Status is how one object stands.
type Status struct {
	// Known is false when the system does not know the object.
	Known bool
	// OK is true when the object has no problem now.
	OK bool
	// Acknowledged with Author and Comment where the system tells them.
	Acknowledged    bool
	Author, Comment string
	InDowntime      bool
	// Notifies says whether the system notifies of the object; nil where it
	// does not tell.
	Notifies *bool
	// HostName and ServiceName are the object's names for people, where the
	// system has others than those that identify it and tells them.
	HostName, ServiceName string
	// AsOf is the moment the answer describes: a command handed over before
	// AsOf that does not show was not carried out.
	AsOf time.Time
}
