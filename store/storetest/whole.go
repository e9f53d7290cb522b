// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

// whole holds examples to having no zero field, down to the first of each list:
// what is not in them is not seen to come back. but are the paths of those that
// the store sets, or that are zero on purpose.
func whole(t *testing.T, example any, but ...string) {
	t.Helper()
	v := reflect.Indirect(reflect.ValueOf(example))
	for _, path := range unset(v, v.Type().Name()) {
		if !slices.Contains(but, path) {
			t.Errorf("the example has no %s", path)
		}
	}
}

func unset(v reflect.Value, path string) (paths []string) {
	switch {
	case v.IsZero():
		return []string{path}
	case v.Type() == reflect.TypeFor[time.Time]():
	case v.Kind() == reflect.Pointer:
		return unset(v.Elem(), path)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			paths = append(paths, unset(v.Field(i), path+"."+v.Type().Field(i).Name)...)
		}
	case v.Kind() == reflect.Slice:
		return unset(v.Index(0), path)
	case v.Kind() == reflect.Map:
		for _, key := range v.MapKeys() {
			return unset(v.MapIndex(key), path)
		}
	}
	return paths
}
