package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

// A build from a checkout names its commit; one without has no line for it.
func TestVersion(t *testing.T) {
	build := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123abcd"},
		{Key: "vcs.time", Value: "2026-01-02T03:04:05Z"},
		{Key: "vcs.modified", Value: "true"},
		{Key: "CGO_ENABLED", Value: "1"},
	}}
	var text strings.Builder
	if err := describeBuild(build).print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"commit    0123abcd of 2026-01-02T03:04:05Z, and changes that are not committed\n",
		", with cgo\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q lacks %q", text.String(), want)
		}
	}
	text.Reset()
	if err := describeBuild(nil).print(&text); err != nil {
		t.Fatal(err)
	}
	got := text.String()
	if strings.Contains(got, "commit") || !strings.Contains(got, "without cgo") {
		t.Errorf("without a build's description: %q", got)
	}
}
