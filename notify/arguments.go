// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"belfry/monitor/notification"

	"github.com/spf13/pflag"
)

// arguments are what the command line says. The options that describe the
// notification carry the names that openITCOCKPIT's Mattermost and Slack
// modules document, and those of the macros for the rest.
type arguments struct {
	n      notification.Notification
	labels []string
	where  map[string]*string // by settings key; only set where given
	config string
	drain  bool

	what, hand *pflag.FlagSet
}

// Largest values that are handed over; what is longer is cut.
const (
	maxNameBytes = 1024
	maxTextBytes = 256 << 10
)

func newArguments() *arguments {
	a := &arguments{where: make(map[string]*string),
		what: pflag.NewFlagSet("what", pflag.ContinueOnError),
		hand: pflag.NewFlagSet("hand", pflag.ContinueOnError)}
	n, f := &a.n, a.what
	f.StringVarP(&n.Type, "type", "t", "", "what has the problem (needed)")
	named(f, "type", "Host|Service")
	for _, o := range []struct {
		to               *string
		name, arg, usage string
	}{
		{&n.NotificationType, "notificationtype", "TYPE", "$NOTIFICATIONTYPE$ (needed)"},
		{&n.HostName, "hostname", "NAME", "$HOSTNAME$ (this or --hostuuid is needed)"},
		{&n.HostUUID, "hostuuid", "UUID", "$HOSTNAME$ in openITCOCKPIT"},
		{&n.HostDisplayName, "hostdisplayname", "NAME", "$HOSTDISPLAYNAME$"},
		{&n.HostAddress, "hostaddress", "ADDRESS", "$HOSTADDRESS$"},
		{&n.ServiceDesc, "servicedesc", "NAME", "$SERVICEDESC$ (for a service this or --serviceuuid is needed)"},
		{&n.ServiceUUID, "serviceuuid", "UUID", "$SERVICEDESC$ in openITCOCKPIT"},
		{&n.ServiceDisplayName, "servicedisplayname", "NAME", "$SERVICEDISPLAYNAME$"},
		{(*string)(&n.State), "state", "STATE", "$HOSTSTATEID$, $SERVICESTATEID$ or the word"},
		{(*string)(&n.HostState), "hoststate", "STATE", "$HOSTSTATE$"},
		{(*string)(&n.ServiceState), "servicestate", "STATE", "$SERVICESTATE$"},
		{&n.Output, "output", "TEXT", "$HOSTOUTPUT$ or $SERVICEOUTPUT$"},
		{&n.LongOutput, "longoutput", "TEXT", "$LONGHOSTOUTPUT$ or $LONGSERVICEOUTPUT$"},
		{&n.AckAuthor, "ackauthor", "NAME", "$NOTIFICATIONAUTHOR$"},
		{&n.AckComment, "ackcomment", "TEXT", "$NOTIFICATIONCOMMENT$"},
		{(*string)(&n.ProblemID), "problemid", "ID", "$HOSTPROBLEMID$ or $SERVICEPROBLEMID$"},
		{(*string)(&n.LastProblemID), "lastproblemid", "ID", "$LASTHOSTPROBLEMID$ or $LASTSERVICEPROBLEMID$"},
		{&n.Contact, "contact", "NAME", "$CONTACTNAME$"},
		{&n.Channel, "channel", "CHANNEL", "a channel of its own, besides what the routes say"},
		{&n.Mention, "mention", "HANDLE", "whom to ring"},
		{&n.Link, "link", "URL", "page of the object"},
		{&n.ActionURL, "action-url", "URL", "$HOSTACTIONURL$ or $SERVICEACTIONURL$"},
	} {
		f.StringVar(o.to, o.name, "", o.usage)
		named(f, o.name, o.arg)
	}
	f.StringArrayVar(&a.labels, "label", nil, "for routes to match on, as often as needed")
	named(f, "label", "NAME=VALUE")
	f.BoolVar(&n.NoEmoji, "no-emoji", false, "cards without emoji")
	for _, k := range settingKeys() {
		a.where[k.name] = a.hand.String(k.name, "", k.usage+" ("+k.env+")")
		named(a.hand, k.name, k.arg)
	}
	a.hand.StringVar(&a.config, "config", "", "lines of \"key = value\" with the options of this list, else "+DefaultConfig)
	named(a.hand, "config", "FILE")
	a.hand.BoolVar(&a.drain, "drain", false, "hand over what waits in the spool, and nothing new")
	f.SortFlags, a.hand.SortFlags = false, false
	return a
}

// argument is the annotation that names a flag's value in the help.
const argument = "argument"

func named(f *pflag.FlagSet, flag, arg string) {
	f.Lookup(flag).Annotations = map[string][]string{argument: {arg}}
}

// parse reads the command line. Its errors say in one line what is wrong and
// what is right; pflag.ErrHelp when help is asked for.
func parse(args []string) (*arguments, error) {
	a := newArguments()
	f := pflag.NewFlagSet("notify", pflag.ContinueOnError)
	f.Usage = func() {} // pflag prints on its own otherwise
	f.AddFlagSet(a.what)
	f.AddFlagSet(a.hand)
	if err := f.Parse(args); err != nil {
		return nil, a.explain(err)
	}
	for _, stray := range f.Args() {
		if stray != "" {
			return nil, fmt.Errorf("unexpected argument %s; every value follows its option, in single quotes: --output '$SERVICEOUTPUT$'", show(stray))
		}
	}
	if a.drain {
		return a, nil
	}
	if strings.TrimSpace(a.n.Type) == "" {
		return nil, errors.New("--type is missing; say --type Host or --type Service")
	}
	return a, nil
}

// explain turns what pflag says into what is right.
func (a *arguments) explain(err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	var names []string
	for _, f := range []*pflag.FlagSet{a.what, a.hand} {
		f.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	}
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name, given := e.GetSpecifiedName(), "--"+e.GetSpecifiedName()
		if group := e.GetSpecifiedShortnames(); group != "" {
			name, given = group, "-"+group
		}
		right := "see belfry notify --help"
		if near := nearest(name, names); near != "" {
			right = "did you mean --" + near + "?"
		}
		return fmt.Errorf("unknown option %s; %s", show(given), right)
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return fmt.Errorf("--%s has no value; an empty one is written --%s ''", e.GetFlag().Name, e.GetFlag().Name)
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return fmt.Errorf("--%s does not take the value %s; leave the value out", e.GetFlag().Name, show(e.GetValue()))
	}
	if e, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok {
		return fmt.Errorf("%s is no option; see belfry notify --help", show(e.GetSpecifiedFlag()))
	}
	return err
}

// notification returns what to hand over, checked and within its limits.
func (a *arguments) notification() (notification.Notification, error) {
	n := a.n
	for _, pair := range a.labels {
		k, v, ok := strings.Cut(toUTF8(pair), "=")
		if k = strings.TrimSpace(k); !ok || k == "" {
			return n, fmt.Errorf("--label %s is not understood; write --label name=value", show(pair))
		}
		if n.Labels == nil {
			n.Labels = make(map[string]string, len(a.labels))
		}
		n.Labels[k] = cut(v, maxNameBytes)
	}
	names, texts := fields(&n)
	for _, p := range names {
		*p = cut(toUTF8(*p), maxNameBytes)
	}
	for _, p := range texts {
		*p = toUTF8(*p)
	}
	if err := n.Check(); err != nil {
		return n, asOption(err)
	}
	return fit(n), nil
}

// fields lists the texts of n: those that name something, and the long ones.
func fields(n *notification.Notification) (names, texts []*string) {
	return []*string{&n.Type, &n.NotificationType, &n.HostName, &n.HostUUID, &n.HostDisplayName, &n.HostAddress,
			&n.ServiceDesc, &n.ServiceUUID, &n.ServiceDisplayName, (*string)(&n.State), (*string)(&n.HostState),
			(*string)(&n.ServiceState), (*string)(&n.ProblemID), (*string)(&n.LastProblemID),
			&n.AckAuthor, &n.Contact, &n.Channel, &n.Mention},
		[]*string{&n.Output, &n.LongOutput, &n.AckComment, &n.Link, &n.ActionURL}
}

// fit cuts the long texts until the body can be handed over: escaped, a text
// of control characters is six times as long.
func fit(n notification.Notification) notification.Notification {
	for limit := maxTextBytes; limit > 0; limit /= 2 {
		short := n
		_, texts := fields(&short)
		for _, p := range texts {
			*p = cut(*p, limit)
		}
		if b, err := encode(short); err == nil && len(b) <= notification.MaxBody/2 {
			return short
		}
	}
	return n
}

// cut shortens s to about limit bytes and says by how much.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const room = 40
	end := max(0, limit-room)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return fmt.Sprintf("%s … (%d bytes cut)", s[:end], len(s)-end)
}

// asOption names the options where a check of the notification names its keys.
func asOption(err error) error {
	text := strings.NewReplacer("hostname or hostuuid", "--hostname or --hostuuid",
		"servicedesc or serviceuuid", "--servicedesc or --serviceuuid").Replace(err.Error())
	if strings.HasPrefix(text, "notificationtype") || strings.HasPrefix(text, "type") {
		text = "--" + text
	}
	return errors.New(text)
}

// toUTF8 reads s as Latin-1 where it is not UTF-8: old plugins still write it.
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			r = rune(s[0])
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

// encode writes v as JSON for the wire and the spool.
func encode(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// show quotes an outside text for a message: bounded and on one line.
func show(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most] + "…"
	}
	return fmt.Sprintf("%q", s)
}

// nearest returns the name that s is most likely a slip of; empty if none is near.
func nearest(s string, names []string) string {
	best, least := "", max(2, len(s)/3)+1
	for _, name := range names {
		d := distance(s, name)
		if len(s) > 3 && (strings.Contains(name, s) || strings.Contains(s, name)) {
			d = min(d, 2)
		}
		if d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is the number of single-byte changes that make a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := last
			if a[i] != b[j] {
				change++
			}
			last = row[j+1]
			row[j+1] = slices.Min([]int{change, row[j] + 1, last + 1})
		}
	}
	return row[len(b)]
}
