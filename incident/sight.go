// SPDX-License-Identifier: Apache-2.0

package incident

// Sees says whether somebody may know of the incident of a number.
type Sees func(number int64) (bool, error)

// Once asks for each incident once: what is shown at a time may name one often.
// It is for one goroutine.
func (s Sees) Once() Sees {
	known := map[int64]bool{}
	return func(number int64) (bool, error) {
		if is, ok := known[number]; ok {
			return is, nil
		}
		is, err := s(number)
		if err == nil {
			known[number] = is
		}
		return is, err
	}
}

// Bound takes out of an incident what leads to others that somebody may not know
// of. Its error is sees's; what was not asked yet then is still there.
func (i *Incident) Bound(sees Sees) error {
	for _, one := range []*int64{&i.Parent, &i.DuplicateOf} {
		if *one == 0 {
			continue
		}
		ok, err := sees(*one)
		if err != nil {
			return err
		}
		if !ok {
			*one = 0
		}
	}
	for _, list := range []*[]int64{&i.Subs, &i.Duplicates} {
		var some []int64
		for _, n := range *list {
			ok, err := sees(n)
			if err != nil {
				return err
			}
			if ok {
				some = append(some, n)
			}
		}
		*list = some
	}
	return nil
}

// Cover does the same with entries of a timeline: they say no more than that
// there is a private incident.
func Cover(entries []Entry, sees Sees) error {
	for n := range entries {
		e := &entries[n]
		if e.Other == 0 {
			continue
		}
		ok, err := sees(e.Other)
		if err != nil {
			return err
		}
		if !ok {
			if e.Kind == EntryHasSub {
				e.Is = ""
			}
			e.Other = 0
		}
	}
	return nil
}
