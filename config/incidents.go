// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"belfry/incident"

	"go.yaml.in/yaml/v4"
)

// Incidents is how incidents are run. Lists that are left out are those of
// incident.Defaults.
type Incidents struct {
	// Command is the word of the command in chat, without "/".
	Command string `yaml:"command"`
	// Severities, the worst first.
	Severities []IncidentSeverity `yaml:"severities"`
	// Severity is what an incident has at first; empty: none.
	Severity     string          `yaml:"severity"`
	Types        []string        `yaml:"types"`
	Services     []string        `yaml:"services"`
	Environments []string        `yaml:"environments"`
	Fields       []IncidentField `yaml:"fields"`
	Roles        []IncidentRole  `yaml:"roles"`
	// Form are the fields of the form by which incidents are declared, in order.
	Form []IncidentQuestion `yaml:"form"`
	// Announce are the channels, as connection/channel, in which every incident
	// that is not private has a card.
	Announce []string `yaml:"announce"`
	// Reactions are the emoji that keep a message of an incident's channel.
	Reactions IncidentReactions `yaml:"reactions"`
	// Reminders are what people are reminded of.
	Reminders IncidentReminders `yaml:"reminders"`
	// Programs may use the API.
	Programs []IncidentProgram `yaml:"api"`
	// Channel is how incidents get channels of their own, Posts what is told of
	// their lives.
	Channel IncidentChannel `yaml:"channel"`
	Posts   IncidentPosts   `yaml:"posts"`
}

// IncidentSeverity is one severity.
type IncidentSeverity struct {
	Name  string `yaml:"name"`
	About string `yaml:"about"`
	// Private makes every incident of this severity private.
	Private bool `yaml:"private"`
}

// IncidentField is a custom field.
type IncidentField struct {
	Name  string `yaml:"name"`
	Label string `yaml:"label"`
	// Options are what may be chosen; none: any text.
	Options []string `yaml:"options"`
}

// IncidentRole is something that one person does in an incident.
type IncidentRole struct {
	Name  string `yaml:"name"`
	About string `yaml:"about"`
}

// IncidentQuestion is a field of the form.
type IncidentQuestion struct {
	Field    string `yaml:"field"`
	Required bool   `yaml:"required"`
	Default  string `yaml:"default"`
}

// DefaultIncidentCommand is the command's word without a configuration.
const DefaultIncidentCommand = "incident"

func defaultIncidents() Incidents {
	d := incident.Defaults()
	i := Incidents{Command: DefaultIncidentCommand, Reminders: IncidentReminders(d.Reminders), Channel: defaultIncidentChannel(),
		Posts: IncidentPosts{true, true, true, true}, Reactions: defaultReactions()}
	for _, s := range d.Severities {
		i.Severities = append(i.Severities, IncidentSeverity(s))
	}
	for _, r := range d.Roles {
		i.Roles = append(i.Roles, IncidentRole(r))
	}
	return i
}

// Settings are what may be chosen in incidents.
func (i *Incidents) Settings() incident.Settings {
	s := incident.Settings{Severity: i.Severity, Reactions: i.Reactions.settings(), Types: i.Types, Services: i.Services, Environments: i.Environments,
		Reminders: incident.Reminders(i.Reminders)}
	for _, v := range i.Severities {
		s.Severities = append(s.Severities, incident.Severity(v))
	}
	for _, f := range i.Fields {
		if f.Label == "" {
			f.Label = f.Name
		}
		s.Fields = append(s.Fields, incident.Field(f))
	}
	for _, r := range i.Roles {
		s.Roles = append(s.Roles, incident.Role(r))
	}
	for _, q := range i.Form {
		s.Form = append(s.Form, incident.FormField{Name: q.Field, Required: q.Required, Default: q.Default})
	}
	s.Channel, s.Silent = i.Channel.rules(&s), i.Posts.silent()
	return s
}

// Bounds of names and of how many there are, in characters.
const (
	maxIncidentName  = 60
	maxIncidentLabel = 24 // Mattermost's for a field of a form
	maxIncidentAbout = 150
	maxChoices       = 100
	maxQuestions     = 20
	maxRequired      = 5 // Mattermost shows no more
)

// Validate implements Spec.
func (i *Incidents) Validate() []error {
	w := &wrongs{}
	if !isCommandWord(i.Command) {
		w.add("command", "%s won't do: it is 1 to 31 characters a-z, 0-9 and -, without the slash", quote(i.Command))
	}
	if i.Command == "belfry" {
		w.add("command", "/belfry is Belfry's other command; take another word")
	}
	for n, s := range i.Severities {
		w.name(fmt.Sprintf("severities[%d]", n), s.Name, maxIncidentName)
		w.about(fmt.Sprintf("severities[%d]", n), s.About)
	}
	for n, f := range i.Fields {
		at := fmt.Sprintf("fields[%d]", n)
		if !isFieldName(f.Name) {
			w.add(at, "name %s won't do: it is 1 to 31 characters a-z and 0-9, and begins with a letter", quote(f.Name))
		}
		if slices.Contains(incident.StandardFields(), f.Name) {
			w.add(at, "every incident has a field %s; take another name", f.Name)
		}
		if utf8.RuneCountInString(f.Label) > maxIncidentLabel {
			w.add(at, "label %s has more than %d characters, and Mattermost shows no more", quote(f.Label), maxIncidentLabel)
		}
		w.list(at+".options", f.Options)
	}
	for n, r := range i.Roles {
		at := fmt.Sprintf("roles[%d]", n)
		w.name(at, r.Name, maxIncidentName)
		if strings.ContainsAny(r.Name, " \t") {
			w.add(at, "%s has a space; a role is typed as one word", quote(r.Name))
		}
		w.about(at, r.About)
	}
	w.list("types", i.Types)
	w.list("services", i.Services)
	w.list("environments", i.Environments)
	w.unique("severities", len(i.Severities), func(n int) string { return i.Severities[n].Name })
	w.unique("fields", len(i.Fields), func(n int) string { return i.Fields[n].Name })
	w.unique("roles", len(i.Roles), func(n int) string { return i.Roles[n].Name })
	w.unique("form", len(i.Form), func(n int) string { return i.Form[n].Field })
	i.Reminders.check(w)
	i.Reactions.check(w)
	checkPrograms(w, i.Programs)
	i.refers(w)
	s := i.Settings()
	i.Channel.check(w, &s)
	return w.all
}

// refers checks what names something else of the section.
func (i *Incidents) refers(w *wrongs) {
	s := i.Settings()
	if i.Severity != "" {
		if _, err := s.FindSeverity(i.Severity); err != nil {
			w.add("severity", "%v", err)
		}
	}
	if len(i.Form) > maxQuestions {
		w.add("form", "%d fields are more than anybody fills in; at most %d are taken", len(i.Form), maxQuestions)
	}
	required := 0
	for _, q := range i.Form {
		if q.Required {
			required++
		}
	}
	if required > maxRequired {
		w.add("form", "%d fields are required, and a form in chat shows no more than %d", required, maxRequired)
	}
	known := incident.StandardFields()
	for _, f := range i.Fields {
		known = append(known, f.Name)
	}
	nothing := map[string]int{incident.FieldType: len(i.Types), incident.FieldService: len(i.Services),
		incident.FieldEnvironment: len(i.Environments), incident.FieldSeverity: len(i.Severities)}
	for n, q := range i.Form {
		at := fmt.Sprintf("form[%d]", n)
		if !slices.Contains(known, q.Field) {
			w.add(at, "there is no field %s; %s", quote(q.Field), did(q.Field, known))
			continue
		}
		if count, choice := nothing[q.Field]; choice && count == 0 {
			w.add(at, "nothing can be chosen for %s: list what can, or leave the field out", q.Field)
			continue
		}
		if _, wrong := s.Fill(map[string]string{q.Field: q.Default}, incident.Belfry()); q.Default != "" && wrong[q.Field] != "" {
			w.add(at, "default: %s", wrong[q.Field])
		}
	}
}

// wrongs gathers faults.
type wrongs struct{ all []error }

func (w *wrongs) add(field, format string, args ...any) {
	w.all = append(w.all, Wrong(field, format, args...))
}

// name checks a name that people choose.
func (w *wrongs) name(at, name string, most int) {
	switch {
	case strings.TrimSpace(name) == "":
		w.add(at, "a name is missing")
	case name != strings.TrimSpace(name) || strings.ContainsAny(name, ",;\n\r\t@<>`"):
		w.add(at, "%s won't do: a name has no comma, semicolon, @, <, > or `, and no space at its ends", quote(name))
	case utf8.RuneCountInString(name) > most:
		w.add(at, "%s has more than %d characters", quote(name), most)
	}
}

func (w *wrongs) about(at, text string) {
	if utf8.RuneCountInString(text) > maxIncidentAbout {
		w.add(at, "about has more than %d characters", maxIncidentAbout)
	}
}

// list checks a list of names.
func (w *wrongs) list(field string, names []string) {
	for n, name := range names {
		w.name(fmt.Sprintf("%s[%d]", field, n), name, maxIncidentName)
	}
	w.unique(field, len(names), func(n int) string { return names[n] })
}

// unique checks how many there are, and that none is there twice, but for
// capitals: nobody could tell them apart.
func (w *wrongs) unique(field string, n int, name func(int) string) {
	if n > maxChoices {
		w.add(field, "%d entries are more than anybody can choose from; at most %d are taken", n, maxChoices)
	}
	seen := map[string]bool{}
	for i := range n {
		key := strings.ToLower(strings.NewReplacer(" ", "", "-", "", "_", "").Replace(name(i)))
		if key != "" && seen[key] {
			w.add(fmt.Sprintf("%s[%d]", field, i), "%s is there twice", quote(name(i)))
		}
		seen[key] = true
	}
}

// isCommandWord says whether chat platforms take it for a command.
func isCommandWord(s string) bool {
	return s != "" && len(s) <= 31 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && s[0] != '-'
}

// isFieldName says whether it may name a field of a form on every platform.
func isFieldName(s string) bool {
	return s != "" && len(s) <= 31 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == "" && s[0] >= 'a'
}

func (l *loader) incidents(root *yaml.Node) {
	if n := l.section(root, "incidents", yaml.MappingNode); n != nil {
		l.spec("incidents: ", n, &l.file.Incidents)
		l.incidentChannel(n)
		if _, value := child(n, "announce"); len(l.file.Incidents.Announce) > maxChannels {
			l.fault(value, "incidents: announce: %d channels, at most %d are taken", len(l.file.Incidents.Announce), maxChannels)
			return
		}
		for i, text := range l.file.Incidents.Announce {
			l.target("incidents: announce: ", itemAt(n, "announce", i), text)
		}
	}
}
