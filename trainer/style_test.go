package trainer_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxColumns is the limit for a line; a tab counts four.
const maxColumns = 100

// sizes are limits for the lines of a file and of a function. Tests have larger ones, for their
// tables.
type sizes struct{ file, function int }

var (
	codeSizes = sizes{file: 400, function: 50}
	testSizes = sizes{file: 500, function: 80}
)

// root is the module's directory, seen from this package.
const root = ".."

// Every Go file that is not generated, and every Markdown file, keeps to the limits above.
func TestSizes(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			other := strings.HasPrefix(name, ".") || name == "testdata" || name == "runs"
			if path != root && other {
				return fs.SkipDir
			}
			return nil
		}
		switch filepath.Ext(name) {
		case ".go":
			checkGo(t, path)
		case ".md":
			checkMarkdown(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

func checkGo(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if generated.Match(text) {
		return
	}
	max := codeSizes
	if strings.HasSuffix(path, "_test.go") {
		max = testSizes
	}
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if len(lines) > max.file {
		t.Errorf("%s: %d lines, more than %d", path, len(lines), max.file)
	}
	for i, line := range lines {
		if n := columns(line); n > maxColumns && !bytes.HasPrefix(line, []byte("//go:")) {
			t.Errorf("%s:%d: %d columns, more than %d", path, i+1, n, maxColumns)
		}
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		n := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1
		if n > max.function {
			t.Errorf("%s: %s has %d lines, more than %d", path, f.Name.Name, n, max.function)
		}
	}
}

// checkMarkdown leaves tables and code as they are: their lines cannot be broken.
func checkMarkdown(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	code := false
	for i, line := range bytes.Split(text, []byte("\n")) {
		trimmed := bytes.TrimSpace(line)
		if bytes.HasPrefix(trimmed, []byte("```")) {
			code = !code
		}
		breakable := bytes.ContainsRune(trimmed, ' ') && !bytes.HasPrefix(trimmed, []byte("|"))
		if n := columns(line); n > maxColumns && breakable && !code {
			t.Errorf("%s:%d: %d columns, more than %d", path, i+1, n, maxColumns)
		}
	}
}

func columns(line []byte) int { return utf8.RuneCount(line) + 3*bytes.Count(line, []byte("\t")) }
