package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every command has a page, with its examples and all its flags in their groups, and mandoc, where
// it is installed, finds no fault in them.
func TestManual(t *testing.T) {
	dir := t.TempDir()
	root := newRoot()
	if err := writeManual(root, dir, "2025-12-31"); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) < 25 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "plume-train.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`.TH "PLUME\-TRAIN" 1 "2025-12-31" "plume `, `plume\-train \- Train a model`,
		".SH EXAMPLES\n.nf\n  plume train  ", ".SH NETWORKS\n", ".SH EVERY COMMAND\n",
		".TP\n.B \\-\\-step\\-size float\n", ".TP\n.B \\-q, \\-\\-quiet\n", "plume\\-sample(1),\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("plume-train.1 lacks %q", want)
		}
	}
	if strings.Contains(string(text), "plume\\-man") {
		t.Error("a hidden command is in the manual")
	}
	if _, err := exec.LookPath("mandoc"); err != nil {
		t.Skip("mandoc is not installed")
	}
	for _, page := range pages {
		out, err := exec.Command("mandoc", "-T", "lint", "-W", "warning", page).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", filepath.Base(page), err, out)
		}
	}
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		"a-b":           `a\-b`,
		`\d "x"`:        `\ed \(dqx\(dq`,
		".5\n'a'\nx.y'": "\\&.5\n\\&'a'\nx.y'",
	} {
		if got := roff(text); got != want {
			t.Errorf("%q: %q, expected %q", text, got, want)
		}
	}
}
