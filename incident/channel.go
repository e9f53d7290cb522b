// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"slices"
	"strings"
	"time"
)

// ChannelRules say on which connections an incident gets a channel of its own,
// and how that is kept.
type ChannelRules struct {
	// On are the connections; none: incidents get no channel.
	On []string
	// Name, Title and Topic are templates (Settings.CheckTemplate).
	Name, Title, Topic string
	// Private makes all of them private, PrivateFor those of some severities.
	// That of a private incident always is.
	Private    bool
	PrivateFor []string
	// Rename gives the channel another name when the incident gets one. Without
	// it that is done only where everybody can read, for what became private.
	Rename bool
	// Pin keeps the card at hand.
	Pin bool
	// Links are what stands above the conversation, of LinkPage and the others.
	Links  []string
	Invite InviteRules
	// Archive is how long after the incident was closed or cancelled its
	// channel is archived; 0: never.
	Archive time.Duration
}

// What links can lead to.
const (
	LinkPage          = "page"
	LinkRetrospective = "retrospective"
	LinkParent        = "parent"
)

// ChannelLinks are all links that there are.
func ChannelLinks() []string { return []string{LinkPage, LinkRetrospective, LinkParent} }

// InviteRules say who is brought into an incident's channel besides those who
// take part in it.
type InviteRules struct {
	// Declarer and Roles: who declared it, and who holds a role.
	Declarer, Roles bool
	// Always are people and groups as "connection/@handle"; Services those who
	// are brought in where an incident is about a service.
	Always   []string
	Services map[string][]string
	// Private brings Always and Services into private channels, too. Without
	// it only those who take part come to know of a private incident.
	Private bool
}

// DefaultChannelRules are the rules without a configuration: no channels.
func DefaultChannelRules() ChannelRules {
	return ChannelRules{
		Name: "inc-{number}-{slug}", Title: "#{number} {title}", Topic: "{severity} {status} · {title} · commander: {commander}",
		Rename: true, Pin: true, Links: ChannelLinks(), Invite: InviteRules{Declarer: true, Roles: true},
	}
}

// StepKind is one step of what is done with an incident's channel.
type StepKind string

// The steps.
const (
	// StepOpen makes the channel.
	StepOpen StepKind = "open"
	// StepInvite brings people in, StepDescribe keeps the topic true, StepLinks
	// the links, StepPin the card at hand.
	StepInvite   StepKind = "invite"
	StepDescribe StepKind = "describe"
	StepLinks    StepKind = "links"
	StepPin      StepKind = "pin"
	StepRename   StepKind = "rename"
	// StepSummary posts the closing summary.
	StepSummary StepKind = "summary"
	// StepArchive makes the channel archived or not, as it should be by then.
	StepArchive StepKind = "archive"
)

// Step is a step that is to be done.
type Step struct {
	Kind       StepKind
	Connection string
	// Name is what a channel that is to be made is called (StepOpen). It stays
	// so however often that is tried, since a platform may know the channel of an
	// attempt whose answer was lost by nothing else; then it is renamed.
	Name string
	// Card is the channel whose card must be posted before it; empty: none.
	Card string
	// Once: it is done for this change alone. What is not is done once for all
	// changes that came before it.
	Once bool
	// At is when; zero: now.
	At time.Time
}

// Over says whether nothing more happens in an incident.
func (s Status) Over() bool { return s == Closed || s == Cancelled }

// Own returns the channel that Belfry made for i on a connection.
func (i *Incident) Own(connection string) (Channel, bool) {
	at := slices.IndexFunc(i.Channels, func(c Channel) bool { return c.Ours && c.Connection == connection })
	if at < 0 {
		return Channel{}, false
	}
	return i.Channels[at], true
}

// Shows says whether what i is may be told in c: what is private isn't where
// everybody can come in.
func (i *Incident) Shows(c Channel) bool { return !i.Private || !c.Public }

// Exposed says whether i is private and the channel, one of its own, is not:
// who asks there need not take part.
func (i *Incident) Exposed(connection, channel string) bool {
	return slices.ContainsFunc(i.Channels, func(c Channel) bool { return c.Connection == connection && c.ID == channel && !i.Shows(c) })
}

// Steps are what has to be done for channels now that before became after;
// before is nil for a new incident.
func (s *Settings) Steps(before, after *Incident) []Step {
	if before == nil {
		before = &Incident{}
	}
	var steps []Step
	for _, connection := range s.Channel.On {
		if _, there := after.Own(connection); !there && after.Status.Open() && !before.Status.Open() {
			name, _ := s.Channel.Called(after, false)
			steps = append(steps, Step{Kind: StepOpen, Connection: connection, Name: name})
		}
	}
	for _, c := range after.Channels {
		if c.Ours {
			steps = append(steps, s.Channel.keep(before, after, c)...)
		}
	}
	return steps
}

// keep are the steps for one channel.
func (r *ChannelRules) keep(before, after *Incident, c Channel) (steps []Step) {
	add := func(kind StepKind, needed bool) {
		if needed {
			steps = append(steps, Step{Kind: kind, Connection: c.Connection, Once: kind == StepSummary})
		}
	}
	was, stood := before.Own(c.Connection)
	// What changed while it was archived, or before it was there, is all new.
	anew := !stood || was.Archived
	if c.Archived {
		add(StepArchive, !after.Status.Over() && (before.Status.Over() || !was.Archived))
		return steps
	}
	add(StepInvite, anew || !slices.Equal(r.invited(before, c.Connection), r.invited(after, c.Connection)))
	add(StepDescribe, anew || r.topic(before, was) != r.topic(after, c))
	if r.Pin && anew {
		steps = append(steps, Step{Kind: StepPin, Connection: c.Connection, Card: c.ID})
	}
	add(StepLinks, anew && len(r.Links) > 0)
	add(StepRename, stood && r.renames(before, after, was, c))
	add(StepSummary, after.Status.Over() && (!stood || !before.Status.Over()))
	add(StepArchive, stood && before.Status.Over() && after.Status.Open())
	return steps
}

// renames says whether a channel is to be called otherwise. Without Rename it
// keeps its name and title, unless they tell what everybody may not know now, or
// may know again.
func (r *ChannelRules) renames(before, after *Incident, was, c Channel) bool {
	shows := after.Shows(c)
	if !r.Rename && before.Shows(was) == shows && (shows || !was.Archived) {
		return false
	}
	return was.Archived || r.called(before, was) != r.called(after, c)
}

// called is what a channel is called, name and title.
func (r *ChannelRules) called(i *Incident, c Channel) [2]string {
	name, title := r.Called(i, !i.Shows(c))
	return [2]string{name, title}
}

// Called is the name (a-z, 0-9 and dashes) and the title of i's channel. hidden
// leaves out what must not be known where everybody can read it.
func (r *ChannelRules) Called(i *Incident, hidden bool) (name, title string) {
	if name = slug(i.fill(r.Name, hidden), maxHandle); name == "" {
		name = slug("incident "+i.Ref(), maxHandle)
	}
	switch title = i.fill(r.Title, false); {
	case hidden:
		title = i.Ref() + " private"
	case title == "":
		title = "Incident " + i.Ref()
	}
	return name, title
}

// TopicOf is what stands above the conversation.
func (r *ChannelRules) TopicOf(i *Incident, hidden bool) string {
	if hidden {
		return i.Ref() + " is private"
	}
	return i.fill(r.Topic, false)
}

func (r *ChannelRules) topic(i *Incident, c Channel) string { return r.TopicOf(i, !i.Shows(c)) }

// Secluded says whether i's channel is made as a private one.
func (r *ChannelRules) Secluded(i *Incident) bool {
	return i.Private || r.Private || slices.Contains(r.PrivateFor, i.Severity)
}

// Guests are who should be in i's channel on a connection: people, on whatever
// connection they are known, and the handles, without "@", of people and groups
// there.
func (r *ChannelRules) Guests(i *Incident, connection string) (people []Person, handles []string) {
	holds := func(p Person) bool {
		for _, who := range i.Roles {
			if who.Same(p) {
				return true
			}
		}
		return false
	}
	for _, p := range i.People {
		if held := holds(p); held && r.Invite.Roles || !held && (r.Invite.Declarer || !i.CreatedBy.Same(p)) {
			people = append(people, p)
		}
	}
	if i.Private && !r.Invite.Private {
		return people, nil
	}
	lists := [][]string{r.Invite.Always}
	for _, service := range i.Services {
		lists = append(lists, r.Invite.Services[service])
	}
	for _, who := range slices.Concat(lists...) {
		at, handle, _ := strings.Cut(who, "/@")
		if at == connection && !slices.Contains(handles, handle) {
			handles = append(handles, handle)
		}
	}
	return people, handles
}

// invited names the guests, to compare them.
func (r *ChannelRules) invited(i *Incident, connection string) []string {
	people, handles := r.Guests(i, connection)
	for _, p := range people {
		handles = append(handles, p.ID+" "+p.Name)
	}
	return handles
}

// ArchiveAt is when i's channel is to be archived; ok is false while it is not.
func (r *ChannelRules) ArchiveAt(i *Incident) (at time.Time, ok bool) {
	if r.Archive <= 0 || !i.Status.Over() {
		return time.Time{}, false
	}
	return i.Since(i.Status).At.Add(r.Archive), true
}
