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
	"strconv"
	"strings"
	"testing"
)

// candidates are the packages of assembly that package kernel chooses between on an architecture,
// with the features of a CPU that it asks for: the elements of native in its file of dispatch, each
// {&fooPath, the kind of its tiles, features}.
func candidates(t *testing.T, arch string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, fields := range elements(t, arch, "native") {
		found[pathIn(fields[0])] = required(fields[2])
	}
	if len(found) == 0 {
		t.Fatalf("%s: no path was found in native", arch)
	}
	return found
}

// beside are the packages that it uses beside a path, with all the features that it asks for: the
// elements of a list in the same file, each {"name", &fooPath, features, ...}.
func beside(t *testing.T, arch, list string) map[string][]string {
	t.Helper()
	paths := candidates(t, arch)
	found := map[string][]string{}
	for _, fields := range elements(t, arch, list) {
		name, err := strconv.Unquote(fields[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = append(required(fields[2]), paths[pathIn(fields[1])]...)
	}
	return found
}

// The lists of packages beside a path: those that PLUME_KERNEL names, and what packs for them.
const extensions, packers = "extensions", "packers"

// guardsOf are the features that package kernel asks for before it calls a package.
func guardsOf(t *testing.T, arch string) map[string][]string {
	t.Helper()
	all := candidates(t, arch)
	for _, list := range []string{extensions, packers} {
		maps.Copy(all, beside(t, arch, list))
	}
	return all
}

// pathIn is the package of a path's table.
func pathIn(table ast.Expr) string {
	return strings.TrimSuffix(table.(*ast.UnaryExpr).X.(*ast.Ident).Name, "Path")
}

// elements are those of a list in package kernel's file of dispatch, by their fields.
func elements(t *testing.T, arch, list string) (all [][]ast.Expr) {
	t.Helper()
	file := filepath.Join("..", "kernel", "dispatch_"+arch+".go")
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != list || len(spec.Values) == 0 {
			return true
		}
		for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
			all = append(all, e.(*ast.CompositeLit).Elts)
		}
		return false
	})
	return all
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
	for arch, dirs := range map[string][]string{"amd64": amd64, "arm64": arm64} {
		chosen, packs := guardsOf(t, arch), beside(t, arch, packers)
		paths := candidates(t, arch)
		all := append(slices.Collect(maps.Keys(chosen)), dirs...)
		slices.Sort(all)
		for _, dir := range slices.Compact(all) {
			lack := func(ok bool, what string) {
				t.Helper()
				if !ok {
					t.Errorf("instruction set %s lacks %s", dir, what)
				}
			}
			target := `"` + dir + `", "` + arch + `"`
			lack(strings.Contains(contents(t, "_gen", "main.go"), target),
				"a target in asm/_gen/main.go: {"+target+", ...}")
			lack(slices.Contains(dirs, dir), "a package in asm: run make gen")
			if _, is := paths[dir]; is {
				table := filepath.Join("..", "kernel", "path_"+dir+"_"+arch+".go")
				_, err := os.Stat(table)
				lack(err == nil, table+": run make gen")
			}
			_, known := chosen[dir]
			lack(known, "an element of native, or of another list in kernel/dispatch_"+arch+
				".go, with the features it needs")
			word := regexp.MustCompile(`\b` + dir + `\b`)
			lack(word.MatchString(contents(t, "doc.go")), "its name in asm/doc.go")
			_, hidden := packs[dir]
			lack(hidden || word.MatchString(contents(t, "..", "kernel", "README.md")),
				"its name in kernel/README.md, among the values of PLUME_KERNEL")
		}
	}
}

// TestTileRows: the constants of other packages that depend on the height of the tiles of matrix
// products suit every instruction set.
func TestTileRows(t *testing.T) {
	tables, err := filepath.Glob(filepath.Join("..", "kernel", "path_*.go"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables of functions in kernel: %v", err)
	}
	finest := number(t, `const finestTile = (\d+)`, "..", "trainer", "pool", "tiles.go")
	block := number(t, `\bblockM, blockMTiles, blockMPairs = (\d+)`, "..", "blas", "order.go")
	tallest := 0
	for _, table := range append(tables, filepath.Join("..", "kernel", "generic.go")) {
		for _, field := range []string{"tileRows", "groupRows"} {
			rows := number(t, `\b`+field+`:\s+(\d+),`, table)
			tallest = max(tallest, rows)
			if block%rows != 0 {
				t.Errorf("%s: %s = %d does not divide blockM = %d in blas/order.go",
					table, field, rows, block)
			}
		}
	}
	if finest != tallest {
		t.Errorf("finestTile in trainer/pool/tiles.go is %d, but the tallest tile has %d rows",
			finest, tallest)
	}
}

// number is what the pattern's group matches in a file.
func number(t *testing.T, pattern string, file ...string) int {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(contents(t, file...))
	if match == nil {
		t.Fatalf("%s: nothing matches %s", filepath.Join(file...), pattern)
	}
	n, err := strconv.Atoi(match[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func contents(t *testing.T, file ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(file...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
