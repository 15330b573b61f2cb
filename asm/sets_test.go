package asm_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// candidates are the packages of assembly that package kernel chooses between on an architecture,
// with the features of a CPU that it asks for: the elements of native in its file of dispatch, each
// {&fooPath, the kind of its tiles, features}.
func candidates(t *testing.T, arch string) map[string][]string {
	t.Helper()
	file := filepath.Join("..", "kernel", "dispatch_"+arch+".go")
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	ast.Inspect(tree, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "native" {
			return true
		}
		for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
			fields := e.(*ast.CompositeLit).Elts
			path := fields[0].(*ast.UnaryExpr).X.(*ast.Ident).Name
			found[strings.TrimSuffix(path, "Path")] = required(fields[2])
		}
		return false
	})
	if len(found) == 0 {
		t.Fatalf("%s: no path was found in native", file)
	}
	return found
}

// required are the names in a list of cpuid's features, and those that they imply.
func required(list ast.Expr) (names []string) {
	ast.Inspect(list, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name != "FeatureID" {
			names = append(names, sel.Sel.Name)
			names = append(names, implied[sel.Sel.Name]...)
		}
		return true
	})
	return names
}

// TestInstructionSets: every instruction set has all that doc.go asks for. What one of them lacks
// is named.
func TestInstructionSets(t *testing.T) {
	generated := contents(t, filepath.Join("_gen", "main.go"))
	doc := contents(t, "doc.go")
	for arch, dirs := range map[string][]string{"amd64": amd64, "arm64": arm64} {
		chosen := candidates(t, arch)
		all := append(slices.Collect(maps.Keys(chosen)), dirs...)
		slices.Sort(all)
		for _, dir := range slices.Compact(all) {
			target := `"` + dir + `", "` + arch + `"`
			table := filepath.Join("..", "kernel", "path_"+dir+"_"+arch+".go")
			_, missing := os.Stat(table)
			_, known := chosen[dir]
			for _, c := range []struct {
				ok   bool
				lack string
			}{
				{strings.Contains(generated, target), "a target in asm/_gen/main.go: {" + target + ", ...}"},
				{slices.Contains(dirs, dir), "a package in asm: run make gen"},
				{missing == nil, table + ": run make gen"},
				{known, "an element of native in kernel/dispatch_" + arch + ".go, with the features it needs"},
				{regexp.MustCompile(`\b` + dir + `\b`).MatchString(doc), "its name in asm/doc.go"},
			} {
				if !c.ok {
					t.Errorf("instruction set %s lacks %s", dir, c.lack)
				}
			}
		}
	}
}

func contents(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
