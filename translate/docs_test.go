// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"belfry/alert"
)

// TestTheDocumentHolds runs the program that people start from, and wants every
// key and every ready program to be explained.
func TestTheDocumentHolds(t *testing.T) {
	raw, err := os.ReadFile("../docs/translate.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, name := range append(keys(), Names()...) {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("%s is not explained", name)
		}
	}
	programs := regexp.MustCompile("(?s)```jq\n(.*?)```").FindAllStringSubmatch(text, -1)
	payload := regexp.MustCompile("(?s)posts\n`(.*?)`").FindStringSubmatch(text)
	if len(programs) != 1 || payload == nil {
		t.Fatalf("%d programs, payload %q", len(programs), payload)
	}
	d, err := run(compile(t, programs[0][1]), "application/json", []byte(payload[1]))
	if err != nil || len(d.Warnings) > 0 || len(d.Reports) != 1 {
		t.Fatalf("%+v, %v", d, err)
	}
	if r := d.Reports[0]; r.Kind != alert.ReportProblem || r.Object.Rule != "oven bakery" || r.Output != "90 °C, at least 180 °C are wanted" || r.At.IsZero() {
		t.Errorf("%+v", r)
	}
}

// TestTheZabbixParametersAreTheProgramsOwn compares the table with what the
// program reads.
func TestTheZabbixParametersAreTheProgramsOwn(t *testing.T) {
	raw, err := os.ReadFile("../docs/translate.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := Source("zabbix")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\.((?:event|alert|trigger|host|zabbix)_[a-z]+(?:_[a-z]+)?)\b`).FindAllStringSubmatch(source, -1) {
		if !regexp.MustCompile(`\b` + m[1] + ` +\{`).Match(raw) {
			t.Errorf("the parameter %s is not in the table", m[1])
		}
	}
}
