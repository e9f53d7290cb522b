// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"fmt"
	"slices"
	"strings"
)

// The fields that a form can have besides the custom ones.
const (
	FieldTitle       = "title"
	FieldSummary     = "summary"
	FieldSeverity    = "severity"
	FieldType        = "type"
	FieldService     = "service"
	FieldEnvironment = "environment"
	// FieldPrivate, FieldTriage and FieldTest are answered yes or no.
	FieldPrivate = "private"
	FieldTriage  = "triage"
	FieldTest    = "test"
)

// StandardFields are the names of all of them.
func StandardFields() []string {
	return []string{FieldTitle, FieldSummary, FieldSeverity, FieldType, FieldService, FieldEnvironment, FieldPrivate, FieldTriage, FieldTest}
}

// FormField is a field of the form by which incidents are declared.
type FormField struct {
	// Name is one of StandardFields or of a custom field.
	Name string
	// Required fields must be filled in.
	Required bool
	// Default stands in the field at first.
	Default string
}

// Question is a field as it is put to people.
type Question struct {
	FormField
	Label string
	// Help says what to write; may be empty.
	Help string
	// Options are what may be chosen; none: any text.
	Options []string
	// Several may be chosen, parted by commas.
	Several bool
	// Long texts have several lines.
	Long bool
	// Max is how many characters fit.
	Max int
}

func yesNo() []string { return []string{"no", "yes"} }

// Questions are the fields of the form, in order; those with nothing to choose
// from are left out.
func (s *Settings) Questions() []Question {
	form := s.Form
	if len(form) == 0 {
		form = []FormField{{Name: FieldTitle}, {Name: FieldSeverity}, {Name: FieldService}, {Name: FieldSummary}}
	}
	var list []Question
	for _, f := range form {
		q := Question{FormField: f, Label: capital(f.Name), Max: MaxLine}
		switch f.Name {
		case FieldTitle:
			q.Max, q.Help = MaxTitle, "Left empty it is made of the rest."
		case FieldSummary:
			q.Max, q.Long, q.Help = MaxText, true, "What is known so far."
		case FieldSeverity:
			q.Options, q.Help = s.SeverityNames(), s.aboutSeverities()
			if q.Default == "" {
				q.Default = s.Severity
			}
		case FieldType:
			q.Options, q.Several = s.Types, true
		case FieldService:
			q.Options, q.Several = s.Services, true
		case FieldEnvironment:
			q.Options, q.Several = s.Environments, true
		case FieldPrivate, FieldTriage, FieldTest:
			q.Options = yesNo()
		default:
			c, ok := s.FindField(f.Name)
			if !ok {
				continue
			}
			q.Label, q.Options = c.Label, c.Options
			q.Default = s.named(&q)
			list = append(list, q)
			continue
		}
		q.Default = s.named(&q)
		if q.Options != nil || f.Name == FieldTitle || f.Name == FieldSummary {
			list = append(list, q)
		}
	}
	return list
}

// named is a question's default as its options name it, several parted by
// commas: "sev 1" is SEV1. What is none of them stays as it is.
func (s *Settings) named(q *Question) string {
	d := Declaration{Fields: map[string]string{}}
	if len(q.Options) == 0 || q.Default == "" || s.put(&d, q.Name, q.Default) != nil {
		return q.Default
	}
	switch q.Name {
	case FieldSeverity:
		return d.Severity
	case FieldType, FieldService, FieldEnvironment:
		return strings.Join(slices.Concat(d.Types, d.Services, d.Environments), ",")
	case FieldPrivate, FieldTriage, FieldTest:
		if d.Private || d.Triage || d.Kind == Test {
			return yesNo()[1]
		}
		return yesNo()[0]
	}
	for _, value := range d.Fields {
		return value
	}
	return q.Default
}

func (s *Settings) aboutSeverities() string {
	var parts []string
	for _, v := range s.Severities {
		if v.About != "" {
			parts = append(parts, v.Name+": "+v.About)
		}
	}
	return strings.Join(parts, "; ")
}

// Fill makes a declaration of a form's values by field name; by declares it.
// Fields that are missing have their defaults. wrong names what is wrong, by
// field name; the declaration counts only when nothing is.
func (s *Settings) Fill(values map[string]string, by Person) (d Declaration, wrong map[string]string) {
	d = Declaration{By: by, Fields: map[string]string{}}
	wrong = map[string]string{}
	asked := map[string]bool{}
	for _, q := range s.Questions() {
		asked[q.Name] = true
		value, given := values[q.Name]
		if value = strings.TrimSpace(value); !given {
			value = q.Default
		}
		if value == "" && q.Required {
			wrong[q.Name] = "this must be filled in"
			continue
		}
		if value == "" {
			continue
		}
		if err := s.put(&d, q.Name, value); err != nil {
			wrong[q.Name] = err.Error()
		}
	}
	for name, value := range values {
		if value = strings.TrimSpace(value); asked[name] || value == "" {
			continue
		}
		if err := s.put(&d, name, value); err != nil {
			wrong[name] = err.Error()
		}
	}
	return d, wrong
}

// put puts one value into a declaration.
func (s *Settings) put(d *Declaration, name, value string) (err error) {
	switch name {
	case FieldTitle:
		d.Title, err = fit(oneLine(value), "the title", MaxTitle)
	case FieldSummary:
		d.Summary, err = fit(value, "the summary", MaxText)
	case FieldSeverity:
		var v Severity
		v, err = s.FindSeverity(value)
		d.Severity = v.Name
	case FieldType:
		d.Types, err = chooseAll("type", s.Types, value)
	case FieldService:
		d.Services, err = chooseAll("service", s.Services, value)
	case FieldEnvironment:
		d.Environments, err = chooseAll("environment", s.Environments, value)
	case FieldPrivate:
		d.Private, err = yes(value)
	case FieldTriage:
		d.Triage, err = yes(value)
	case FieldTest:
		var test bool
		if test, err = yes(value); test {
			d.Kind = Test
		}
	default:
		f, ok := s.FindField(name)
		if !ok {
			return &UnknownError{"field", name, slices.Concat(StandardFields(), s.fieldNames())}
		}
		d.Fields[f.Name], err = fieldValue(f, value)
	}
	return err
}

func (s *Settings) fieldNames() []string {
	names := make([]string, len(s.Fields))
	for i := range s.Fields {
		names[i] = s.Fields[i].Name
	}
	return names
}

func chooseAll(what string, known []string, value string) (list []string, err error) {
	for _, word := range values(value) {
		name, err := choose(what, known, word)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list, nil
}

func yes(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "yes", "y", "true", "on", "1":
		return true, nil
	case "no", "n", "false", "off", "0", "":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither yes nor no", value)
}
