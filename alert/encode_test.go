// SPDX-License-Identifier: Apache-2.0

package alert_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"belfry/alert"
)

// fill gives every field that JSON has a value of its own, also those that are
// added one day.
func fill(v reflect.Value, n *int, text func() string) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(text())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n, text)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n, text)
			// What is no UTF-8 is replaced when it is written, and two keys may not
			// become one: which of their values stayed would be chance.
			key.SetString(strconv.Itoa(i) + key.String())
			fill(value, n, text)
			v.SetMapIndex(key, value)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n, text)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(*n), 0).UTC()))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				fill(v.Field(i), n, text)
			}
		}
	default:
		panic("no value for a " + v.Kind().String())
	}
}

// TestWhatIsWrittenIsReadBack holds the encoders to encoding/json: no field is
// forgotten, and every text survives.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, made interface {
		AppendJSON([]byte) ([]byte, error)
	}, want, got any,
	) {
		written, err := made.AppendJSON([]byte("before"))
		if err != nil {
			t.Fatalf("%v", err)
		}
		standard, err := json.Marshal(made)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if err := json.Unmarshal(written[len("before"):], got); err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if err := json.Unmarshal(standard, want); err != nil {
			t.Fatalf("%s: %v", standard, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("written %s\nread back differently (-encoding/json +ours):\n%s", written, diff)
		}
	}
	t.Run("every field", func(t *testing.T) {
		n := 0
		var a alert.Alert
		var e alert.Event
		text := func() string { return fmt.Sprint("text ", n) }
		fill(reflect.ValueOf(&a).Elem(), &n, text)
		fill(reflect.ValueOf(&e).Elem(), &n, text)
		check(t, &a, new(alert.Alert), new(alert.Alert))
		check(t, &e, new(alert.Event), new(alert.Event))
	})
	t.Run("nothing", func(t *testing.T) {
		check(t, &alert.Alert{}, new(alert.Alert), new(alert.Alert))
		check(t, &alert.Event{}, new(alert.Event), new(alert.Event))
	})
	t.Run("any text", rapid.MakeCheck(func(t *rapid.T) {
		n := 0
		var a alert.Alert
		anything := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
		fill(reflect.ValueOf(&a).Elem(), &n, func() string { return anything.Draw(t, "text") })
		check(t, &a, new(alert.Alert), new(alert.Alert))
	}))
}

func BenchmarkAppendJSON(b *testing.B) {
	r := alert.Report{
		Kind: alert.ReportProblem, State: "CRITICAL", Severity: alert.SeverityCritical,
		Object: alert.Object{Kind: alert.KindService, Host: "web-1", Service: "disk-7", Address: "192.0.2.17"},
		Labels: alert.Labels{"team": "web"}, Output: "DISK CRITICAL - free space: /var 1203 MB (3% inode=87%);",
		ProblemID: "4711", Contact: "oncall",
	}
	a := alert.Apply("nagios", nil, nil, r, time.Unix(1, 0)).Alerts[0]
	b.Run("AppendJSON", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			buf, _ = a.AppendJSON(buf[:0])
		}
	})
	b.Run("Marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = json.Marshal(a)
		}
	})
}
