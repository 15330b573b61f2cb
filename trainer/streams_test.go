package trainer_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// streamDecl is a constant of type kernel.Stream, as in the table of ALGORITHM.md. Its use is the
// comment behind it, or empty if there is none.
type streamDecl struct{ number, name, use string }

// declaredStreams reads the constants of the repository's Go files, tests left out.
func declaredStreams(t *testing.T) (all []streamDecl) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && isStream(spec.Type) {
				all = append(all, declaredStream(file.Name.Name, spec))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func isStream(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Stream"
}

func declaredStream(pkg string, spec *ast.ValueSpec) streamDecl {
	d := streamDecl{name: pkg + "." + spec.Names[0].Name}
	if len(spec.Values) == 1 {
		if number, ok := spec.Values[0].(*ast.BasicLit); ok {
			d.number = number.Value
		}
	}
	if spec.Comment != nil {
		d.use = strings.TrimSpace(spec.Comment.Text())
	}
	return d
}

// streamRow is a row of the table: number, constant, use and step.
var streamRow = regexp.MustCompile(`(?m)^\| (\d+) \| (\w+\.\w+) \| (.*?) \| `)

// The noise streams that packages declare have unique numbers, from 1 on without gaps, and are
// those of the table in ALGORITHM.md.
func TestStreams(t *testing.T) {
	text, err := os.ReadFile("ALGORITHM.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]streamDecl{} // by name
	for i, row := range streamRow.FindAllStringSubmatch(string(text), -1) {
		if row[1] != fmt.Sprint(i+1) {
			t.Errorf("ALGORITHM.md: row %d of the streams has number %s", i+1, row[1])
		}
		documented[row[2]] = streamDecl{row[1], row[2], row[3]}
	}
	numbers := map[string]string{}
	for _, d := range declaredStreams(t) {
		if other, taken := numbers[d.number]; taken {
			t.Errorf("%s and %s both have number %s", other, d.name, d.number)
		}
		numbers[d.number] = d.name
		row := documented[d.name]
		if row.number != d.number || d.use != "" && row.use != d.use {
			t.Errorf("ALGORITHM.md, section 9, does not have | %s | %s | %s |",
				d.number, d.name, d.use)
		}
		delete(documented, d.name)
	}
	if len(numbers) < 19 {
		t.Errorf("%d streams were found, of 19", len(numbers))
	}
	for _, d := range documented {
		t.Errorf("ALGORITHM.md, section 9: no package declares | %s | %s | %s |",
			d.number, d.name, d.use)
	}
}

// streamLiteral is a key whose stream is a number.
var streamLiteral = regexp.MustCompile(`\bStream:\s*\d|kernel\.Stream\(\d`)

// Code outside tests and benchmarks draws from named streams only.
func TestStreamsNamed(t *testing.T) {
	for _, dir := range []string{".", "../blas", "../cmd"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if found := streamLiteral.Find(text); found != nil {
				t.Errorf("%s: %s: declare the stream as a constant", path, found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// drawing is a call that draws with a key.
var drawing = regexp.MustCompile(`\bkernel\.(Bits|Uniform|Normal|NormalRows|NoiseRows|Perm)\(`)

// A package that declares streams draws from them itself.
func TestStreamsDrawnWhereDeclared(t *testing.T) {
	draws := map[string]bool{} // by names of packages
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if drawing.Match(text) {
			draws[filepath.Base(filepath.Dir(path))] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range declaredStreams(t) {
		if pkg, _, _ := strings.Cut(d.name, "."); !draws[pkg] {
			t.Errorf("%s: package %s draws nothing: declare it where it is drawn", d.name, pkg)
		}
	}
}
