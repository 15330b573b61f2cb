package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBetween(t *testing.T) {
	m := marks{"name", "command"}
	old := "before\n" + m.begin() + "\nold\n" + m.end() + "\nafter\n"
	want := "before\n" + m.begin() + "\n\nnew\n\n" + m.end() + "\nafter\n"
	for range 2 { // the second time it changes nothing
		got, err := m.between(old, "new\n")
		if err != nil || got != want {
			t.Fatalf("between = %q, %v, want %q", got, err, want)
		}
		old = got
	}
	for _, bad := range []string{
		"", m.begin() + "\n", m.end() + "\n" + m.begin() + "\n", old + old,
	} {
		if got, err := m.between(bad, "new"); err == nil {
			t.Errorf("between(%q) = %q, want an error", bad, got)
		}
	}
}

func TestInsert(t *testing.T) {
	m := marks{"name", "command"}
	file := filepath.Join(t.TempDir(), "README.md")
	if err := m.insert(file, "x"); err == nil {
		t.Error("no error for a file that is not there")
	}
	if err := os.WriteFile(file, []byte(m.begin()+"\n"+m.end()+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := m.insert(file, "x"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || !strings.Contains(string(got), "\nx\n") {
		t.Errorf("the file holds %q, %v", got, err)
	}
}

// TestReadme looks for the marks in the file where make puts the tables.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range comparisons {
		if _, err := c.marks.between(string(text), "x"); err != nil {
			t.Error(err)
		}
	}
}
