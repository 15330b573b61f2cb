package trainer_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are the paths of all Markdown files but test data, seen from the module's root.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		if err == nil && d.IsDir() && path != root && (strings.HasPrefix(name, ".") ||
			name == "testdata" || name == "runs" || name == "bin") {
			return fs.SkipDir
		}
		if filepath.Ext(name) == ".md" {
			short, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			paths = append(paths, filepath.ToSlash(short))
		}
		return err
	})
	if err != nil || !slices.Contains(paths, "README.md") {
		t.Fatalf("documents: %q, %v", paths, err)
	}
	return paths
}

// document is the text of a file, by its path from the module's root.
func document(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Documents name tests and scripts as proofs: they exist.
func TestReadmeNamesTests(t *testing.T) {
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
	named, scripts := map[string]bool{}, map[string]bool{}
	test := regexp.MustCompile("`([a-z]+)\\.(Test\\w+)`")
	script := regexp.MustCompile(`([\w-]+\.txtar)\b`)
	for _, path := range documents(t) {
		text := document(t, path)
		for _, m := range test.FindAllStringSubmatch(text, -1) {
			named[m[1]+"."+m[2]] = true
			if !declared(t, dirs[m[1]], m[2]) {
				t.Errorf("%s names %s.%s, which does not exist", path, m[1], m[2])
			}
		}
		for _, m := range script.FindAllString(text, -1) {
			if m == "x.txtar" { // stands for any
				continue
			}
			scripts[m] = true
			if _, err := os.Stat(filepath.Join(root, "cmd/plume/testdata/script", m)); err != nil {
				t.Errorf("%s names the script %s: %v", path, m, err)
			}
		}
	}
	if len(named) < 50 || len(scripts) < 5 {
		t.Errorf("%d tests and %d scripts are named; expected the table of what can go wrong",
			len(named), len(scripts))
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
