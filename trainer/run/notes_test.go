package run

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestNotes(t *testing.T) {
	dir := t.TempDir()
	n, err := ReadNotes(dir)
	if err != nil || len(n.Tags) > 0 || n.Note != "" {
		t.Errorf("none: %+v, %v", n, err)
	}
	n.Tag([]string{"wide", "good", "wide"}, false)
	n.Tag([]string{"good", "late"}, false)
	n.Tag([]string{"late", "none"}, true)
	n.Note = "two\nlines, \u00e9"
	if err := StoreNotes(dir, n); err != nil {
		t.Fatal(err)
	}
	want := Notes{Tags: []string{"good", "wide"}, Note: n.Note}
	if got, err := ReadNotes(dir); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left over: %v, %v", entries, err)
	}
	for range 2 { // the second time there is nothing to remove
		if err := StoreNotes(dir, Notes{}); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("nothing is said: %v, %v", entries, err)
	}
}

func TestNotesRefused(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []Notes{
		{Tags: []string{""}}, {Tags: []string{"a b"}}, {Tags: []string{"a,b"}},
		{Tags: []string{"a\x1b[1m"}}, {Tags: []string{"\xff"}},
		{Tags: []string{strings.Repeat("a", maxTag+1)}}, {Note: "\x1b[2J"}, {Note: "\xff"},
		{Note: strings.Repeat("a", maxNote+1)},
	} {
		if err := StoreNotes(dir, n); err == nil || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%.40q: %v", n, err)
		}
	}
	for _, text := range []string{"tags", "[]", `{"tags": ["a b"]}`} {
		write(t, filepath.Join(dir, notesFile), text)
		if _, err := ReadNotes(dir); err == nil || !strings.Contains(err.Error(), notesFile) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
