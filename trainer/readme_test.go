package trainer

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The README names tests and scripts as proofs: they exist.
func TestReadmeNamesTests(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-f", "{{.Name}} {{.Dir}}", "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		name, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasSuffix(dir, "/cmd/plume") {
			name = "plume"
		}
		if strings.HasSuffix(dir, "/bench/soak") {
			name = "soak"
		}
		dirs[name] = append(dirs[name], dir)
	}
	tests := regexp.MustCompile("`([a-z]+)\\.(Test\\w+)`").FindAllStringSubmatch(string(text), -1)
	if len(tests) < 50 {
		t.Errorf("%d tests are named; expected the table of what can go wrong", len(tests))
	}
	for _, m := range tests {
		if !declared(t, dirs[m[1]], m[2]) {
			t.Errorf("the README names %s.%s, which does not exist", m[1], m[2])
		}
	}
	for _, m := range regexp.MustCompile(`(\w+\.txtar)\b`).FindAllString(string(text), -1) {
		if _, err := os.Stat("../cmd/plume/testdata/script/" + m); err != nil && m != "x.txtar" {
			t.Errorf("the README names the script %s: %v", m, err)
		}
	}
}

// declared reports whether a test file of the directories declares the test.
func declared(t *testing.T, dirs []string, test string) bool {
	t.Helper()
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			text, err := os.ReadFile(dir + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "func "+test+"(") {
				return true
			}
		}
	}
	return false
}
